//! Running functions, in `scan`.

use crate::base::{Span, nearest};
use crate::diag::{Code, Diagnostic};
use crate::ir::{Running, RunningCall, Value};
use crate::sema::signature::{Builtin, Signature};
use crate::syntax::ast;

use super::call::{Args, slot};
use super::inline::Given;
use super::matching::Matched;
use super::{Place, Typed, Typer, value_of};

impl<'a> Typer<'_, 'a> {
    pub(super) fn running(
        &mut self,
        name: &ast::Ident,
        signatures: &'static [Signature],
        args: Args<'a>,
        span: Span,
    ) -> Option<Typed> {
        if self.place != Place::Scan {
            return self.misplaced(name, "a running function", &scan_help(name));
        }
        let args = self.typed_args(&args)?;
        let matched = self.matched(name, signatures, args, span)?;
        self.add_running(name, matched, span)
    }

    /// `cumulative(sum(x))` is `cumulative_sum(x)`.
    pub(super) fn cumulative(&mut self, name: &ast::Ident, args: &Args<'a>, span: Span) -> Option<Typed> {
        let inner = match args.as_slice() {
            [(None, Given::Expr(ast::Expr { kind: ast::ExprKind::Call(inner), .. }))] => inner,
            _ => return self.refuse(not_an_aggregate(name, span)),
        };
        let full = format!("cumulative_{}", inner.name.name);
        let library = self.globals.library;
        let Some(signatures) = library.functions.get(full.as_str()) else {
            return self.refuse(no_such_cumulative(&inner.name));
        };
        let args = inner.args.iter().map(|arg| (arg.name.clone(), Given::Expr(&arg.value))).collect();
        let full = ast::Ident { name: full.into(), span: name.span };
        self.running(&full, signatures, args, span)
    }

    fn add_running(&mut self, name: &ast::Ident, matched: Matched, span: Span) -> Option<Typed> {
        let Builtin::Running(function) = matched.signature.function else { return None };
        let (settings, args): (Vec<_>, Vec<_>) =
            matched.args.into_iter().partition(|(at, _)| matched.signature.params[*at].setting);
        let settings = settings.into_iter().map(|(_, typed)| self.setting(name, &typed)).collect::<Option<Vec<_>>>()?;
        if let Some(diagnostic) = bad_settings(function, &settings, span) {
            return self.refuse(diagnostic);
        }
        if matches!(function, Running::Rate | Running::Ewma | Running::Since | Running::For) && self.shape.schema.time.is_none()
        {
            return self.refuse(needs_time(name));
        }
        let args = args.into_iter().map(|(_, typed)| typed.expr).collect();
        let ty = matched.result;
        self.calls.running.push(RunningCall { function, args, settings, ty: ty.clone() });
        Some(slot(self.calls.running.len() - 1, ty, true, span))
    }

    /// The value of an argument that shapes the function's state.
    pub(super) fn setting(&mut self, name: &ast::Ident, typed: &Typed) -> Option<Value> {
        match value_of(&typed.expr) {
            Some(value) => Some(value),
            None => self.refuse(not_constant(name, typed.span())),
        }
    }
}

fn scan_help(name: &ast::Ident) -> String {
    format!("put it in a `scan` before this stage: `| scan {{ x = {}(…) }}`", name.name)
}

/// How far `lag` looks back: it remembers so many values for every key.
const LAG_ROWS_MAX: i64 = 1_000;

fn bad_settings(function: Running, settings: &[Value], span: Span) -> Option<Diagnostic> {
    let bad = match (function, settings) {
        (Running::Lag, [Value::Int(rows)]) => {
            let reaches = (1..=LAG_ROWS_MAX).contains(rows);
            (!reaches).then_some(("`lag` looks back 1 to 1000 rows", "write a number of rows in this range"))
        }
        (Running::Ewma | Running::For, [Value::Duration(length)]) => {
            (length.0 <= 0).then_some(("this duration must be above zero", "write a duration such as `30s`"))
        }
        (Running::Hysteresis, [on, off]) => {
            (on == off).then_some(("`on` and `off` must differ", "leave a gap between them, such as `on: 80%, off: 60%`"))
        }
        _ => None,
    };
    bad.map(|(message, help)| Diagnostic::new(Code::E0309, message).at(span, "").help(help))
}

/// E0308.
fn not_constant(name: &ast::Ident, at: Span) -> Diagnostic {
    Diagnostic::new(Code::E0308, format!("what shapes the memory of `{}` must be known when the file is read", name.name))
        .at(at, "depends on the row")
        .help("write a value, a `param`, or an expression of these")
}

/// E0402.
pub(super) fn needs_time(name: &ast::Ident) -> Diagnostic {
    Diagnostic::new(Code::E0402, format!("`{}` needs to know when each row happened", name.name))
        .at(name.span, "these rows have no time")
        .help("give the source a `time`, such as `time at, lateness 10s`, instead of `time none`")
}

/// E0306.
fn not_an_aggregate(name: &ast::Ident, span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0306, format!("`{}` takes one aggregate", name.name)).at(span, "").help("write `cumulative(sum(x))`")
}

/// E0201.
fn no_such_cumulative(inner: &ast::Ident) -> Diagnostic {
    const KNOWN: [&str; 5] = ["count", "sum", "mean", "min", "max"];
    let out = Diagnostic::new(Code::E0201, format!("`{}` has no cumulative form", inner.name)).at(inner.span, "");
    match nearest(&inner.name, KNOWN) {
        Some(close) => out.help(format!("write `{close}`, if that was meant")).fix(inner.span, close),
        None => out.help("choose one of `count`, `sum`, `mean`, `min`, `max`"),
    }
}
