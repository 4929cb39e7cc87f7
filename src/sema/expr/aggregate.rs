//! Aggregates, in `window`.

use crate::base::Span;
use crate::diag::{Code, Diagnostic};
use crate::ir::{Aggregate, AggregateCall, Expr, Type, Value};
use crate::sema::signature::{Builtin, Signature};
use crate::syntax::ast;

use super::call::{Args, slot};
use super::matching::Matched;
use super::running::needs_time;
use super::signal::{has_both_forms, one_by_one};
use super::{Place, RowsOf, Typed, Typer};

impl<'a> Typer<'_, 'a> {
    pub(super) fn aggregate(
        &mut self,
        name: &ast::Ident,
        signatures: &'static [Signature],
        args: Args<'a>,
        span: Span,
    ) -> Option<Typed> {
        if !matches!(self.place, Place::Window { .. }) {
            let help = match self.place {
                Place::Scan => format!("write `cumulative({}(x))` for the value so far, or put it in a `window`", name.name),
                _ => format!("put it in a window before this stage: `| window 10min {{ x = {}(…) }}`", name.name),
            };
            return self.misplaced(name, "an aggregate", &help);
        }
        if let Some(outer) = self.inside {
            return self.refuse(nested(name, outer));
        }
        let Builtin::Aggregate(function) = signatures[0].function else { return None };
        self.inside = Some(function.name());
        let (filters, args): (Args<'a>, Args<'a>) =
            args.into_iter().partition(|(label, _)| label.as_ref().is_some_and(|label| label.name == "where"));
        let filter = self.filter(&filters);
        let args = self.typed_args(&args);
        self.inside = None;
        let args = args?;
        let is_run = |typed: &Typed| matches!(typed.ty(), Type::Signal(_) | Type::Tensor(_));
        let has_row_form = self.globals.library.functions.get(&name.name).is_some_and(|all| has_both_forms(all));
        if let Some((_, typed)) = args.iter().find(|(_, typed)| has_row_form && is_run(typed)) {
            let diagnostic = one_by_one(name, typed);
            return self.refuse(diagnostic);
        }
        let matched = self.matched(name, signatures, args, span)?;
        self.add_aggregate(name, function, matched, filter?, span)
    }

    fn filter(&mut self, filters: &Args<'a>) -> Option<Option<Expr>> {
        let Some((_, given)) = filters.first() else { return Some(None) };
        let typed = self.given(given)?;
        self.fitted(typed, &Type::Bool, "`where:`").map(|typed| Some(typed.expr))
    }

    fn add_aggregate(
        &mut self,
        name: &ast::Ident,
        function: Aggregate,
        matched: Matched,
        filter: Option<Expr>,
        span: Span,
    ) -> Option<Typed> {
        if function == Aggregate::Slope && self.shape.schema.time.is_none() {
            return self.refuse(needs_time(name));
        }
        let rows = if let Place::Window { rows, .. } = self.place { rows } else { RowsOf::Broken };
        let (settings, ty) = self.settings(name, &matched, self.step_hz(), rows, span)?;
        let args = matched.args.into_iter().filter(|(at, _)| !matched.signature.params[*at].setting);
        if let (Aggregate::Quantile, Some(share)) = (function, settings.first().and_then(Value::as_f64))
            && !(0.0..=1.0).contains(&share)
        {
            return self.refuse(no_share(share, span));
        }
        let args = args.map(|(_, typed)| typed.expr).collect();
        self.calls.aggregates.push(AggregateCall { function, args, settings, filter, ty: ty.clone() });
        Some(slot(self.calls.aggregates.len() - 1, ty, matched.signature.may_be_null, span))
    }
}

/// E0310.
fn nested(name: &ast::Ident, outer: &str) -> Diagnostic {
    Diagnostic::new(Code::E0310, format!("`{}` stands inside `{outer}`, and both make one value of a window", name.name))
        .at(name.span, "an aggregate in an aggregate")
        .help("make the inner one a column of a first window, and aggregate that in a second")
}

/// E0309.
fn no_share(share: f64, span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0309, format!("{share} is no share"))
        .at(span, "")
        .help("write a share between 0% and 100%, such as `quantile(x, 90%)`")
}
