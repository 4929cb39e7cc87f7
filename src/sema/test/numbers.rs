//! Tensors and signals that a test writes out: lists of numbers, those of a tensor nested as its shape or all in one.

use crate::base::Span;
use crate::diag::{Code, Diagnostic};
use crate::ir::{Type, Value, tensor_numbers};
use crate::sema::checker::Checker;
use crate::sema::expr::value_of;
use crate::syntax::ast;

impl<'a> Checker<'a> {
    /// As one flat list of what f32 makes of the numbers; none after a message.
    pub(super) fn numbers(&mut self, expr: &'a ast::Expr, ty: &Type) -> Option<Value> {
        let ast::ExprKind::List(items) = &expr.bare().kind else {
            self.report(no_list(ty, expr.span));
            return None;
        };
        let mut out = Vec::new();
        match ty {
            Type::Tensor(shape) if items.iter().any(|item| list(item).is_some()) => {
                self.nested(expr, shape, ty, &mut out)?;
            }
            Type::Tensor(shape) => {
                let size = tensor_numbers(shape)?;
                if items.len() != size {
                    self.report(other_count(ty, expr.span, items.len(), size, "numbers"));
                    return None;
                }
                self.flat(items, &mut out)?;
            }
            _ => self.flat(items, &mut out)?,
        }
        Some(Value::List(out))
    }

    fn nested(&mut self, expr: &'a ast::Expr, shape: &[u32], ty: &Type, out: &mut Vec<Value>) -> Option<()> {
        let [size, inner @ ..] = shape else { return Some(()) };
        let Some(items) = list(expr) else {
            self.report(no_list(ty, expr.span));
            return None;
        };
        if items.len() != *size as usize {
            let what = if inner.is_empty() { "numbers" } else { "lists" };
            self.report(other_count(ty, expr.span, items.len(), *size as usize, what));
            return None;
        }
        if inner.is_empty() {
            return self.flat(items, out);
        }
        items.iter().try_for_each(|item| self.nested(item, inner, ty, out))
    }

    fn flat(&mut self, items: &'a [ast::Expr], out: &mut Vec<Value>) -> Option<()> {
        for item in items {
            let typed = self.constant_typed(item, "this value")?;
            let number = value_of(&typed.expr).and_then(|value| value.as_f64()).map(|number| number as f32);
            match number.filter(|number| number.is_finite()) {
                Some(number) => out.push(Value::Float(shortest(number))),
                None => {
                    self.report(no_number(item.span));
                    return None;
                }
            }
        }
        Some(())
    }
}

/// The shortest decimal that reads as this f32, as values that come out are shown.
fn shortest(value: f32) -> f64 {
    value.to_string().parse().unwrap_or_else(|_| f64::from(value))
}

fn list(expr: &ast::Expr) -> Option<&[ast::Expr]> {
    match &expr.bare().kind {
        ast::ExprKind::List(items) => Some(items),
        _ => None,
    }
}

/// E0303.
fn no_list(ty: &Type, span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0303, format!("a `{ty}` is written as a list of numbers"))
        .at(span, "no list")
        .help("write `[1, 2, 3]`; a tensor of several dimensions as lists in a list, `[[1, 2], [3, 4]]`, or as one list")
}

/// E0303.
fn no_number(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0303, "this is no number that 32 bits hold").at(span, "").help("write a number")
}

/// E0303.
fn other_count(ty: &Type, span: Span, found: usize, wanted: usize, what: &str) -> Diagnostic {
    Diagnostic::new(Code::E0303, format!("{wanted} {what} belong here for a `{ty}`, and these are {found}"))
        .at(span, "")
        .help("write as many as the shape says; the last dimension runs fastest")
}
