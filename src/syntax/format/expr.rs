//! Expressions and column sets.

use crate::base::Span;
use crate::syntax::ast::{
    Arg, BinaryOp, Call, ColumnItem, ColumnSet, ColumnSetKind, Expr, ExprKind, Ident, Keys, MatchArm, Pattern, PatternKind,
    Quantity, UnaryOp,
};

use super::Formatter;
use super::block::{BRACES, Item, ROUND, SQUARE, item};
use super::doc::{Doc, all, group, indent, text};

impl Formatter<'_> {
    pub fn expr(&mut self, expr: &Expr) -> Doc {
        match &expr.kind {
            ExprKind::Null => text("null"),
            ExprKind::Bool(value) => text(value.to_string()),
            ExprKind::Number(_) | ExprKind::Text(_) | ExprKind::Time(_) => text(self.source(expr.span)),
            ExprKind::Quantity(quantity) => text(self.quantity(quantity)),
            ExprKind::Name(name) => text(self.name(name)),
            ExprKind::Call(call) => self.call(call),
            ExprKind::List(items) => self.list(items, expr.span),
            ExprKind::Record(record) => self.record(record),
            ExprKind::Range { low, high } => all([self.expr(low), text(".."), self.expr(high)]),
            ExprKind::Unary { op, operand } => all([text(unary(*op)), self.expr(operand)]),
            ExprKind::Binary { op, left, right, .. } => self.binary(*op, left, right),
            ExprKind::IsNull { operand, negated } => {
                all([self.expr(operand), text(if *negated { " is not null" } else { " is null" })])
            }
            ExprKind::If { condition, then, otherwise } => self.if_else([condition, then, otherwise]),
            ExprKind::Match { subject, arms } => self.match_value(subject, arms, expr.span),
            ExprKind::Tensor(columns) => all([text("tensor("), self.column_set(columns), text(")")]),
            ExprKind::Columns(columns) => self.column_set(columns),
            ExprKind::Paren(inner) => all([text("("), self.expr(inner), text(")")]),
        }
    }

    /// The number as written, its unit without blanks.
    pub fn quantity(&self, quantity: &Quantity) -> String {
        self.source(quantity.span).split_whitespace().collect()
    }

    fn binary(&mut self, op: BinaryOp, left: &Expr, right: &Expr) -> Doc {
        if op == BinaryOp::Power && !matches!(left.kind, ExprKind::Quantity(_)) {
            return all([self.expr(left), text("^"), self.expr(right)]);
        }
        let mut parts = Vec::new();
        self.chain(op, left, &mut parts);
        parts.push(joint(op));
        parts.push(self.expr(right));
        group(indent(2, all(parts)))
    }

    /// Equal operators in a row break together.
    fn chain(&mut self, op: BinaryOp, left: &Expr, parts: &mut Vec<Doc>) {
        if let ExprKind::Binary { op: inner, left, right, .. } = &left.kind
            && *inner == op
            && left_associative(op)
        {
            self.chain(op, left, parts);
            parts.push(joint(op));
            parts.push(self.expr(right));
            return;
        }
        parts.push(self.expr(left));
    }

    fn if_else(&mut self, [condition, then, otherwise]: [&Expr; 3]) -> Doc {
        let parts = [
            text("if "),
            self.expr(condition),
            Doc::Line,
            text("then "),
            self.expr(then),
            Doc::Line,
            text("else "),
            self.expr(otherwise),
        ];
        group(indent(2, all(parts)))
    }

    fn match_value(&mut self, subject: &Expr, arms: &[MatchArm], span: Span) -> Doc {
        let head = all([text("match "), self.expr(subject), text(" ")]);
        let items: Vec<Item<'_>> = arms.iter().map(|arm| item(arm.span, move |f| f.arm(arm))).collect();
        all([head, self.enclosed(&BRACES, items, span.end as usize - 1)])
    }

    fn arm(&mut self, arm: &MatchArm) -> Doc {
        let mut parts = Vec::new();
        for (nth, pattern) in arm.patterns.iter().enumerate() {
            parts.extend((nth > 0).then(|| text(" or ")));
            parts.push(self.pattern(pattern));
        }
        parts.extend(arm.patterns.is_empty().then(|| text("else")));
        parts.extend([text(" -> "), self.expr(&arm.value)]);
        all(parts)
    }

    fn pattern(&mut self, pattern: &Pattern) -> Doc {
        match &pattern.kind {
            PatternKind::Null => text("null"),
            PatternKind::Value(value) => self.expr(value),
            PatternKind::Range { low, high } => all([self.expr(low), text(".."), self.expr(high)]),
        }
    }

    pub fn list(&mut self, items: &[Expr], span: Span) -> Doc {
        let items = items.iter().map(|it| item(it.span, move |f| f.expr(it))).collect();
        self.enclosed(&SQUARE, items, span.end as usize - 1)
    }

    /// Without brackets where there are no arguments and none were written.
    pub fn call(&mut self, call: &Call) -> Doc {
        let name = text(self.name(&call.name));
        if call.args.is_empty() && !self.source(call.span).ends_with(')') {
            return name;
        }
        all([name, self.args(&call.args, call.span)])
    }

    /// `span` ends with the closing bracket.
    pub fn args(&mut self, args: &[Arg], span: Span) -> Doc {
        let items = args.iter().map(|arg| item(arg.span, move |f| f.arg(arg))).collect();
        self.enclosed(&ROUND, items, span.end as usize - 1)
    }

    fn arg(&mut self, arg: &Arg) -> Doc {
        match &arg.name {
            Some(name) => all([text(format!("{}: ", self.name(name))), self.expr(&arg.value)]),
            None => self.expr(&arg.value),
        }
    }

    pub fn calls(&mut self, calls: &[Call]) -> Doc {
        let docs: Vec<Doc> = calls.iter().map(|call| self.call(call)).collect();
        comma_list(docs)
    }

    pub fn column_set(&mut self, set: &ColumnSet) -> Doc {
        match &set.kind {
            ColumnSetKind::List(items) => {
                let close = set.span.end as usize - 1;
                let items = items.iter().map(|it| item(it.span(), move |f| f.column_item(it))).collect();
                self.enclosed(&SQUARE, items, close)
            }
            ColumnSetKind::All => text("all"),
            ColumnSetKind::AllExcept(inner) => all([text("all except "), self.column_set(inner)]),
            ColumnSetKind::Matching(pattern) => text(format!("matching {}", self.source(pattern.span))),
        }
    }

    pub fn column_item(&mut self, item: &ColumnItem) -> Doc {
        text(self.column_range(item))
    }

    pub fn column_range(&self, item: &ColumnItem) -> String {
        match item {
            ColumnItem::One(name) => self.name(name),
            ColumnItem::Range { first, last } => format!("{}..{}", self.name(first), self.name(last)),
        }
    }

    pub fn keys(&self, keys: &Keys) -> String {
        match keys.columns.as_slice() {
            [one] => self.name(one),
            many => format!("[{}]", self.names(many)),
        }
    }

    pub fn names(&self, names: &[Ident]) -> String {
        names.iter().map(|name| self.name(name)).collect::<Vec<_>>().join(", ")
    }
}

fn unary(op: UnaryOp) -> &'static str {
    match op {
        UnaryOp::Minus => "-",
        UnaryOp::Not => "not ",
    }
}

fn left_associative(op: BinaryOp) -> bool {
    !matches!(op, BinaryOp::Else | BinaryOp::Power)
}

/// `and`, `or` and `else` may begin a line, all others end it.
fn joint(op: BinaryOp) -> Doc {
    let begins_line = matches!(op, BinaryOp::And | BinaryOp::Or | BinaryOp::Else);
    match begins_line {
        true => all([Doc::Line, text(format!("{} ", op.text()))]),
        false => all([text(format!(" {}", op.text())), Doc::Line]),
    }
}

pub fn comma_list(docs: Vec<Doc>) -> Doc {
    let mut parts = Vec::new();
    for (nth, doc) in docs.into_iter().enumerate() {
        parts.extend((nth > 0).then(|| all([text(","), Doc::Line])));
        parts.push(doc);
    }
    group(indent(2, all(parts)))
}
