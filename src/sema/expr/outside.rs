//! `env("NAME", default)` and `secret("NAME")`.

use crate::base::Span;
use crate::diag::{Code, Diagnostic};
use crate::ir::Value;
use crate::syntax::ast;

use super::call::Args;
use super::inline::Given;
use super::{Typed, Typer};
use crate::sema::findings::not_yet;

impl<'a> Typer<'_, 'a> {
    /// The variable of the environment, else the default.
    pub(super) fn env_value(&mut self, args: &Args<'a>, span: Span) -> Option<Typed> {
        let (name, default) = match args.as_slice() {
            [(None, Given::Expr(name))] => (name, None),
            [(None, Given::Expr(name)), (_, Given::Expr(default))] => (name, Some(*default)),
            _ => return self.refuse(wrong_use(span)),
        };
        let ast::ExprKind::Text(name) = &name.kind else { return self.refuse(wrong_use(span)) };
        match ((self.globals.env)(&name.value), default) {
            (Some(value), Some(ast::Expr { kind: ast::ExprKind::Number(_), .. })) => self.env_number(&name.value, &value, span),
            (Some(value), _) => Some(Typed::text(value.into(), span)),
            (None, Some(default)) => self.expr(default),
            (None, None) => self.refuse(not_set(&name.value, span)),
        }
    }

    /// Where the default is a number, a number is meant.
    fn env_number(&mut self, name: &str, value: &str, span: Span) -> Option<Typed> {
        let whole = value.trim().parse::<i64>().map(Value::Int).ok();
        let number = whole.or_else(|| value.trim().parse::<f64>().ok().filter(|float| float.is_finite()).map(Value::Float));
        match number {
            Some(number) => Some(Typed::bare(number, span)),
            None => self.refuse(no_number(name, value, span)),
        }
    }

    pub(super) fn secret_value(&mut self, name: &ast::Ident) -> Option<Typed> {
        self.refuse(not_yet("`secret` in an expression", name.span, "give it to a connector: `password: secret(\"NAME\")`"))
    }
}

/// E0206.
fn no_number(name: &str, value: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0206, format!("the variable `{name}` is {value:?}, and a number is needed"))
        .at(span, "the default is a number")
        .help("set it to a number")
}

/// E0306.
fn wrong_use(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0306, "`env` takes the name of a variable and a default")
        .at(span, "")
        .help("write `env(\"PORT\", 8080)`")
}

/// E0206.
fn not_set(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0206, format!("the environment has no variable `{name}`"))
        .at(span, "")
        .help(format!("set it, or write a default: `env(\"{name}\", \"…\")`"))
}
