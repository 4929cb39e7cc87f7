//! Calls: which function is meant, and whether it may stand here.

use crate::base::{Name, Span, nearest};
use crate::diag::{Code, Diagnostic};
use crate::ir::{ExprKind, Type};
use crate::sema::findings::{list, not_yet};
use crate::sema::signature::{Builtin, Signature};
use crate::syntax::ast;

use super::inline::Given;
use super::matching::{Matched, match_call};
use super::signal::has_both_forms;
use super::{Place, Typed, Typer};

/// A call's arguments with their names, where they have one.
pub(super) type Args<'a> = Vec<(Option<ast::Ident>, Given<'a>)>;

/// Functions of the language that this version does not carry out.
const LATER: &[&str] = &["adwin", "page_hinkley", "ddm"];

/// What people from elsewhere write, and what it is called here.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("avg", "mean"),
    ("average", "mean"),
    ("std", "stddev"),
    ("stdev", "stddev"),
    ("sd", "stddev"),
    ("var", "variance"),
    ("len", "length"),
    ("minimum", "min"),
    ("maximum", "max"),
    ("diff", "previous"),
    ("shift", "lag"),
    ("log", "ln"),
    ("ifnull", "coalesce"),
    ("nvl", "coalesce"),
    ("pow", "^"),
    ("percentile", "quantile"),
    ("ema", "ewma"),
    ("nunique", "distinct"),
    ("clip", "clamp"),
    ("mad", "mean_abs_change"),
    ("substring", "contains"),
];

impl<'a> Typer<'_, 'a> {
    pub(super) fn call(&mut self, call: &'a ast::Call) -> Option<Typed> {
        let args = call.args.iter().map(|arg| (arg.name.clone(), Given::Expr(&arg.value))).collect();
        self.call_named(&call.name, args, call.span)
    }

    /// A function of `across` with the column as its first argument.
    pub fn call_on(&mut self, column: ast::Ident, call: &'a ast::Call) -> Option<Typed> {
        let rest = call.args.iter().map(|arg| (arg.name.clone(), Given::Expr(&arg.value)));
        let args = std::iter::once((None, Given::Column(column))).chain(rest).collect();
        self.call_named(&call.name, args, call.span)
    }

    fn call_named(&mut self, name: &ast::Ident, args: Args<'a>, span: Span) -> Option<Typed> {
        if let Some(function) = self.globals.index.functions.get(&name.name) {
            return self.unfold_call(name, function, &args, span);
        }
        match &*name.name {
            "cumulative" => return self.cumulative(name, &args, span),
            "env" => return self.env_value(&args, span),
            "secret" => return self.secret_value(name),
            "tensor" => return self.tensor_of_one(name, span),
            _ => {}
        }
        let library = self.globals.library;
        match library.functions.get(&name.name) {
            Some(signatures) => self.builtin(name, signatures, args, span),
            None => self.unknown_function(name),
        }
    }

    pub(super) fn builtin(
        &mut self,
        name: &ast::Ident,
        signatures: &'static [Signature],
        args: Args<'a>,
        span: Span,
    ) -> Option<Typed> {
        if has_both_forms(signatures) {
            return self.of_samples(name, signatures, args, span);
        }
        match signatures[0].function {
            Builtin::Scalar(_) => {
                let args = self.typed_args(&args)?;
                let matched = self.matched(name, signatures, args, span)?;
                self.scalar(matched, span)
            }
            Builtin::Running(_) => self.running(name, signatures, args, span),
            Builtin::Aggregate(_) => self.aggregate(name, signatures, args, span),
            Builtin::Generator(function) => self.generator(name, function, &args, span),
        }
    }

    fn scalar(&mut self, matched: Matched, span: Span) -> Option<Typed> {
        let Builtin::Scalar(function) = matched.signature.function else { return None };
        let args: Vec<_> = matched.args.into_iter().map(|(_, typed)| typed.expr).collect();
        let nullable = match function {
            crate::ir::Scalar::Coalesce => args.iter().all(|arg| arg.nullable),
            _ => matched.signature.may_be_null || args.iter().any(|arg| arg.nullable),
        };
        Some(Typed::fixed(ExprKind::Call(function, args), matched.result, nullable, span))
    }

    /// Every argument with its type; all their mistakes are reported. A range stands for two: `band_power(x, 1..5Hz)`.
    pub(super) fn typed_args(&mut self, args: &Args<'a>) -> Option<Vec<(Option<ast::Ident>, Typed)>> {
        let mut typed = Vec::new();
        for (name, given) in args {
            match (name, range(given)) {
                (None, Some((low, high))) => typed.extend([low, high].map(|end| Some((None, self.expr(end)?)))),
                _ => typed.push(self.given(given).map(|given| (name.clone(), given))),
            }
        }
        typed.into_iter().collect()
    }

    pub(super) fn matched(
        &mut self,
        name: &ast::Ident,
        signatures: &'static [Signature],
        args: Vec<(Option<ast::Ident>, Typed)>,
        span: Span,
    ) -> Option<Matched> {
        match match_call(name, signatures, args, span, self.shape) {
            Ok(matched) => Some(matched),
            Err(diagnostic) => self.refuse(*diagnostic),
        }
    }

    fn unknown_function(&mut self, name: &ast::Ident) -> Option<Typed> {
        if self.globals.index.broken.contains(&name.name) {
            return None;
        }
        if LATER.contains(&&*name.name) {
            let what = format!("the function `{}`", name.name);
            return self.refuse(not_yet(
                what,
                name.span,
                "compare a mean over a short window with one over a long window instead",
            ));
        }
        let known: Vec<&str> = self.functions_here();
        let out = Diagnostic::new(Code::E0201, format!("there is no function `{}`", name.name)).at(name.span, "not known");
        let other = OTHER_NAMES.iter().find(|(other, _)| other.eq_ignore_ascii_case(&name.name)).map(|(_, here)| *here);
        let diagnostic = match other.or_else(|| nearest(&name.name, known.iter().copied())) {
            Some("^") => out.help("write `x^2` for a power"),
            Some(close) => out.help(format!("write `{close}`, if that was meant")).fix(name.span, close),
            None => match list(&known) {
                Some(list) => out.help(format!("choose one of {list}")),
                None => {
                    out.help("such as `abs(x)`, `mean(x)` in a window, `previous(x)` in a scan; `let f(x) = …` makes your own")
                }
            },
        };
        self.refuse(diagnostic)
    }

    fn functions_here(&self) -> Vec<&str> {
        let lets = self.globals.index.functions.keys().map(Name::as_str);
        lets.chain(self.globals.library.functions.keys().map(Name::as_str)).collect()
    }

    /// E0310: a function of several rows where there is one row.
    pub(super) fn misplaced(&mut self, name: &ast::Ident, what: &str, help: &str) -> Option<Typed> {
        let place = match &self.place {
            Place::Row => "an expression over one row",
            Place::Scan => "a `scan`",
            Place::Window { .. } => "a `window`",
            Place::Simulate { .. } => "`simulate`",
            Place::Constant(what) => what,
        };
        let message = format!("`{}` is {what}, and cannot stand in {place}", name.name);
        self.refuse(Diagnostic::new(Code::E0310, message).at(name.span, "").help(help))
    }
}

/// The ends of a range that is written out.
fn range<'a>(given: &Given<'a>) -> Option<(&'a ast::Expr, &'a ast::Expr)> {
    match given {
        Given::Expr(ast::Expr { kind: ast::ExprKind::Range { low, high }, .. }) => Some((low, high)),
        Given::Expr(_) | Given::Column(_) => None,
    }
}

/// What a slot of a stateful call gives.
pub(super) fn slot(nth: usize, ty: Type, nullable: bool, span: Span) -> Typed {
    Typed::fixed(ExprKind::Slot(nth), ty, nullable, span)
}
