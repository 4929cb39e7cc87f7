//! Comparisons, `in`, `and`, `or`, `not`.

use crate::base::Span;
use crate::diag::{Code, Diagnostic};
use crate::ir::{BinaryOp, EnumItem, Expr, ExprKind, Type, Value};
use crate::syntax::ast;

use super::arithmetic::{fold_literals, meeting, symbol};
use super::fit::fit;
use super::mismatch::disagree;
use super::typed::Flex;
use super::{Typed, Typer, phrase, unfit};

impl<'a> Typer<'_, 'a> {
    pub(super) fn binary(
        &mut self,
        op: ast::BinaryOp,
        op_span: Span,
        left: &'a ast::Expr,
        right: &'a ast::Expr,
        span: Span,
    ) -> Option<Typed> {
        match op {
            ast::BinaryOp::Power => self.arithmetic(BinaryOp::Pow, left, right, span),
            ast::BinaryOp::Multiply => self.arithmetic(BinaryOp::Mul, left, right, span),
            ast::BinaryOp::Divide => self.arithmetic(BinaryOp::Div, left, right, span),
            ast::BinaryOp::Add => self.arithmetic(BinaryOp::Add, left, right, span),
            ast::BinaryOp::Subtract => self.arithmetic(BinaryOp::Sub, left, right, span),
            ast::BinaryOp::Else => self.coalesce(left, right, span),
            ast::BinaryOp::Equal => self.comparison(BinaryOp::Eq, op_span, left, right, span),
            ast::BinaryOp::NotEqual => self.comparison(BinaryOp::Ne, op_span, left, right, span),
            ast::BinaryOp::Less => self.comparison(BinaryOp::Lt, op_span, left, right, span),
            ast::BinaryOp::LessOrEqual => self.comparison(BinaryOp::Le, op_span, left, right, span),
            ast::BinaryOp::Greater => self.comparison(BinaryOp::Gt, op_span, left, right, span),
            ast::BinaryOp::GreaterOrEqual => self.comparison(BinaryOp::Ge, op_span, left, right, span),
            ast::BinaryOp::In => self.is_in(left, right, span),
            ast::BinaryOp::NotIn => self.is_in(left, right, span).map(|inside| negation(inside, span)),
            ast::BinaryOp::And => self.logic(BinaryOp::And, left, right, span),
            ast::BinaryOp::Or => self.logic(BinaryOp::Or, left, right, span),
        }
    }

    pub(super) fn not(&mut self, operand: &'a ast::Expr, span: Span) -> Option<Typed> {
        self.expr_as(operand, &Type::Bool, "`not`").map(|typed| negation(typed, span))
    }

    fn logic(&mut self, op: BinaryOp, left: &'a ast::Expr, right: &'a ast::Expr, span: Span) -> Option<Typed> {
        let wanted = format!("`{}`", symbol(op));
        let (left, right) = (self.expr_as(left, &Type::Bool, &wanted), self.expr_as(right, &Type::Bool, &wanted));
        Some(joined(op, left?, right?, span))
    }

    fn comparison(
        &mut self,
        op: BinaryOp,
        op_span: Span,
        left: &'a ast::Expr,
        right: &'a ast::Expr,
        span: Span,
    ) -> Option<Typed> {
        if matches!(right.kind, ast::ExprKind::Null) || matches!(left.kind, ast::ExprKind::Null) {
            return self.refuse(compared_with_null(op, op_span, right));
        }
        let left_typed = self.expr(left);
        if let Some(diagnostic) = left_typed.as_ref().and_then(|left| self.forgotten_quotes(left, right)) {
            return self.refuse(diagnostic);
        }
        let right_typed = self.expr(right);
        let (left, right) = (left_typed?, right_typed?);
        self.compared(op, left, right, span)
    }

    /// Two values of one type, compared.
    pub(super) fn compared(&mut self, op: BinaryOp, left: Typed, right: Typed, span: Span) -> Option<Typed> {
        if let Some(diagnostic) = coded_enum(&left, &right).or_else(|| coded_enum(&right, &left)) {
            return self.refuse(diagnostic);
        }
        let (left, right) = match meeting(left, right) {
            Ok(both) => both,
            Err(sides) => return self.refuse(disagree(&sides.0, &sides.1, &sides.2, self.shape)),
        };
        let orders = !matches!(op, BinaryOp::Eq | BinaryOp::Ne);
        if orders && !is_ordered(left.ty())
            || matches!(left.ty(), Type::Tensor(_) | Type::Signal(_) | Type::List(_) | Type::Bytes)
        {
            return self.refuse(no_order(op, &left));
        }
        Some(match fold_literals(op, &left, &right) {
            Some(value) => Typed::literal(value, Type::Bool, span),
            None => joined(op, left, right, span),
        })
    }

    fn is_in(&mut self, left: &'a ast::Expr, right: &'a ast::Expr, span: Span) -> Option<Typed> {
        let subject = self.expr(left);
        match &right.bare().kind {
            ast::ExprKind::Range { low, high } => {
                let (low, high) = (self.expr(low), self.expr(high));
                self.between(subject?, low?, high?, span)
            }
            ast::ExprKind::List(items) => {
                let items: Vec<Option<Typed>> = items.iter().map(|item| self.expr(item)).collect();
                self.one_of(subject?, items.into_iter().collect::<Option<Vec<_>>>()?, span)
            }
            _ => self.refuse(in_what(right)),
        }
    }

    /// `low <= subject and subject <= high`.
    pub(super) fn between(&mut self, subject: Typed, low: Typed, high: Typed, span: Span) -> Option<Typed> {
        let above = self.compared(BinaryOp::Ge, subject.clone(), low, span);
        let below = self.compared(BinaryOp::Le, subject, high, span);
        Some(joined(BinaryOp::And, above?, below?, span))
    }

    fn one_of(&mut self, mut subject: Typed, items: Vec<Typed>, span: Span) -> Option<Typed> {
        let mut values = Vec::new();
        for item in items {
            if item.flex == Flex::Null {
                return self.refuse(null_in_list(item.span()));
            }
            if let Some(diagnostic) = coded_enum(&subject, &item) {
                return self.refuse(diagnostic);
            }
            // A float among the items makes an int subject a float.
            if *subject.ty() == Type::Int && matches!(item.ty(), Type::Float(_)) {
                subject = fit(subject, item.ty()).ok()?;
            }
            match fit(item.clone(), subject.ty()) {
                Ok(item) => match super::value_of(&item.expr) {
                    Some(value) => values.push(value),
                    None => return self.refuse(not_constant(item.span())),
                },
                Err(misfit) => return self.refuse(unfit(&item, &subject.ty().clone(), &misfit, "this list", self.shape)),
            }
        }
        let nullable = subject.expr.nullable;
        Some(Typed::fixed(ExprKind::In(Box::new(subject.expr), values), Type::Bool, nullable, span))
    }

    /// `activity == walking`, where the enum has "walking" and no column is called so.
    fn forgotten_quotes(&self, left: &Typed, right: &ast::Expr) -> Option<Diagnostic> {
        let (Type::Enum(items), ast::ExprKind::Name(ident)) = (left.ty(), &right.kind) else { return None };
        let is_item = items.iter().any(|item| item.text == ident.name);
        let is_free = self.shape.get(&ident.name).is_none() && self.globals.index.value(&ident.name).is_none();
        (is_item && is_free).then(|| {
            Diagnostic::new(Code::E0201, format!("there is no column `{}` here", ident.name))
                .at(ident.span, "not known")
                .help("put it in quotes: a value of an enum is a text")
                .fix(ident.span, format!("{:?}", ident.name))
        })
    }
}

/// Keeps values that are true or false; `and` and `or` of literals stay as they are written.
pub(super) fn joined(op: BinaryOp, left: Typed, right: Typed, span: Span) -> Typed {
    let nullable = left.expr.nullable || right.expr.nullable;
    Typed::fixed(ExprKind::Binary(op, Box::new(left.expr), Box::new(right.expr)), Type::Bool, nullable, span)
}

pub(super) fn negation(typed: Typed, span: Span) -> Typed {
    let Expr { nullable, .. } = typed.expr;
    Typed::fixed(ExprKind::Not(Box::new(typed.expr)), Type::Bool, nullable, span)
}

fn is_ordered(ty: &Type) -> bool {
    matches!(ty, Type::Int | Type::Float(_) | Type::Text | Type::Time | Type::Duration)
}

/// E0304, with the edit that mends it.
fn compared_with_null(op: BinaryOp, op_span: Span, right: &ast::Expr) -> Diagnostic {
    let (form, is) = if op == BinaryOp::Ne { ("is not null", "is not null") } else { ("is null", "is null") };
    let out =
        Diagnostic::new(Code::E0304, "a comparison with null is never true").at(op_span, "").help(format!("write `x {form}`"));
    if matches!(right.kind, ast::ExprKind::Null) { out.fix(op_span.to(right.span), is) } else { out }
}

/// E0307: `activity == 1` where the data has a 1 and the enum a text for it.
fn coded_enum(subject: &Typed, literal: &Typed) -> Option<Diagnostic> {
    let (Type::Enum(items), Some(Value::Int(code))) = (subject.ty(), literal.value()) else { return None };
    let out = Diagnostic::new(Code::E0307, "the values of an enum are its texts")
        .at(literal.span(), "a number")
        .at(subject.span(), phrase(subject.ty()));
    Some(match items.iter().find(|item| item.code == Some(*code)) {
        Some(EnumItem { text, .. }) => {
            out.help(format!("write {text:?}, which {code} stands for")).fix(literal.span(), format!("{text:?}"))
        }
        None => out.help("compare with one of its texts"),
    })
}

/// E0303.
fn no_order(op: BinaryOp, left: &Typed) -> Diagnostic {
    let message = format!("`{}` does not compare {}", symbol(op), phrase(left.ty()));
    let help = if left.ty().is_samples() {
        "compare a number that is made of it, such as `rms(x)`"
    } else {
        "compare with `==` or `in`, or compare numbers"
    };
    Diagnostic::new(Code::E0303, message).at(left.span(), phrase(left.ty())).help(help)
}

/// E0303.
fn in_what(right: &ast::Expr) -> Diagnostic {
    Diagnostic::new(Code::E0303, "`in` asks for a list or a range")
        .at(right.span, "neither of them")
        .help("write `x in [1, 2]` or `x in 1..5`")
}

/// E0304.
fn null_in_list(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0304, "null is equal to nothing, so it cannot stand in a list")
        .at(span, "")
        .help("write `x is null or x in […]`")
}

/// E0308.
fn not_constant(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0308, "the values of a list must be known when the file is read")
        .at(span, "depends on the row")
        .help("compare one by one: `x == a or x == b`")
}
