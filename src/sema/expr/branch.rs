//! `if`, `match`, `x else y`, `is null`.

use crate::base::Span;
use crate::diag::{Code, Diagnostic};
use crate::ir::{BinaryOp, ExprKind, Type};
use crate::syntax::ast;

use super::arithmetic::meeting;
use super::compare::{joined, negation};
use super::mismatch::disagree;
use super::{Flex, Typed, Typer};

/// So many patterns one `match` may have: each is a comparison for every row.
const MATCH_PATTERNS_MAX: usize = 64;

impl<'a> Typer<'_, 'a> {
    pub(super) fn if_else(
        &mut self,
        condition: &'a ast::Expr,
        then: &'a ast::Expr,
        otherwise: &'a ast::Expr,
        span: Span,
    ) -> Option<Typed> {
        let condition = self.expr_as(condition, &Type::Bool, "the condition of `if`");
        let (then, otherwise) = (self.expr(then), self.expr(otherwise));
        self.choice(condition?, then?, otherwise?, span)
    }

    fn choice(&mut self, condition: Typed, then: Typed, otherwise: Typed, span: Span) -> Option<Typed> {
        let bare = then.flex == Flex::Bare && matches!(otherwise.flex, Flex::Bare | Flex::Null);
        let (then, otherwise) = match meeting(then, otherwise) {
            Ok(both) => both,
            Err(sides) => return self.refuse(disagree(&sides.0, &sides.1, &sides.2, self.shape)),
        };
        let (ty, nullable) = (then.ty().clone(), then.expr.nullable || otherwise.expr.nullable);
        let kind = ExprKind::If(Box::new(condition.expr), Box::new(then.expr), Box::new(otherwise.expr));
        let flex = if bare { Flex::Bare } else { Flex::Fixed };
        Some(Typed { flex, ..Typed::fixed(kind, ty, nullable, span) })
    }

    pub(super) fn coalesce(&mut self, left: &'a ast::Expr, right: &'a ast::Expr, span: Span) -> Option<Typed> {
        let (left, right) = (self.expr(left), self.expr(right));
        let (left, right) = match meeting(left?, right?) {
            Ok(both) => both,
            Err(sides) => return self.refuse(disagree(&sides.0, &sides.1, &sides.2, self.shape)),
        };
        let (ty, nullable) = (left.ty().clone(), left.expr.nullable && right.expr.nullable);
        let kind = ExprKind::Coalesce(Box::new(left.expr), Box::new(right.expr));
        Some(Typed::fixed(kind, ty, nullable, span))
    }

    pub(super) fn is_null(&mut self, operand: &'a ast::Expr, negated: bool, span: Span) -> Option<Typed> {
        let operand = self.expr(operand)?;
        let typed = Typed::fixed(ExprKind::IsNull(Box::new(operand.expr)), Type::Bool, false, span);
        Some(if negated { negation(typed, span) } else { typed })
    }

    /// Becomes a chain of `if`; the last arm without `else` gives null.
    pub(super) fn match_value(&mut self, subject: &'a ast::Expr, arms: &'a [ast::MatchArm], span: Span) -> Option<Typed> {
        let patterns: usize = arms.iter().map(|arm| arm.patterns.len()).sum();
        if patterns > MATCH_PATTERNS_MAX {
            return self.refuse(too_many_patterns(patterns, span));
        }
        let subject = self.expr(subject);
        let mut typed = Vec::new();
        let mut broken = false;
        for arm in arms {
            let value = self.expr(&arm.value);
            let condition = match &subject {
                Some(subject) if !arm.patterns.is_empty() => self.any_pattern(subject, &arm.patterns, arm.span),
                _ => None,
            };
            broken |= value.is_none() || (condition.is_none() && !arm.patterns.is_empty());
            typed.push((condition, value));
        }
        if broken || subject.is_none() {
            return None;
        }
        if typed.is_empty() {
            return self.refuse(no_arms(span));
        }
        self.arms(typed, span)
    }

    fn arms(&mut self, arms: Vec<(Option<Typed>, Option<Typed>)>, span: Span) -> Option<Typed> {
        let mut out = Typed::null(span);
        for (condition, value) in arms.into_iter().rev() {
            out = match condition {
                Some(condition) => self.choice(condition, value?, out, span)?,
                None => value?,
            };
        }
        Some(out)
    }

    fn any_pattern(&mut self, subject: &Typed, patterns: &'a [ast::Pattern], span: Span) -> Option<Typed> {
        let tests: Vec<Option<Typed>> = patterns.iter().map(|pattern| self.pattern(subject, pattern)).collect();
        let tests = tests.into_iter().collect::<Option<Vec<_>>>()?;
        tests.into_iter().reduce(|before, test| joined(BinaryOp::Or, before, test, span))
    }

    fn pattern(&mut self, subject: &Typed, pattern: &'a ast::Pattern) -> Option<Typed> {
        match &pattern.kind {
            ast::PatternKind::Null => {
                Some(Typed::fixed(ExprKind::IsNull(Box::new(subject.expr.clone())), Type::Bool, false, pattern.span))
            }
            ast::PatternKind::Value(value) => {
                let value = self.expr(value)?;
                self.compared(BinaryOp::Eq, subject.clone(), value, pattern.span)
            }
            ast::PatternKind::Range { low, high } => {
                let (low, high) = (self.expr(low), self.expr(high));
                self.between(subject.clone(), low?, high?, pattern.span)
            }
        }
    }
}

/// E0309.
fn too_many_patterns(count: usize, span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0309, format!("this `match` has {count} patterns, and at most {MATCH_PATTERNS_MAX} are allowed"))
        .at(span, "")
        .help("join neighbours to ranges (`3..9 -> …`), or write several columns")
}

/// E0303.
fn no_arms(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0303, "this `match` has no arm")
        .at(span, "")
        .help("write at least one, such as `1 -> \"on\"; else -> \"off\"`")
}
