//! Functions of samples that follow each other: aggregates of a window, or functions of one row's signal or tensor.

use crate::base::Span;
use crate::diag::{Code, Diagnostic};
use crate::ir::{Expr, ExprKind, Type, Value};
use crate::sema::signature::{Builtin, Pattern, Signature};
use crate::syntax::ast;

use super::call::Args;
use super::matching::Matched;
use super::{Place, RowsOf, Typed, Typer, phrase};

/// As many bands as the cepstrum has.
const COEFFICIENTS_MAX: i64 = 26;
const PARTS_MAX: i64 = 1_000;
const BINS_MAX: i64 = 1_000;
/// So far `autocorrelation` looks, in rows.
const LAG_MAX: i64 = 100_000;
/// Below this a frame of 25 ms has too few samples for a cepstrum.
const SOUND_HZ_MIN: f64 = 1_000.0;

/// Does it have both forms? The aggregates are declared first.
pub(super) fn has_both_forms(signatures: &[Signature]) -> bool {
    let is_row = |signature: &Signature| matches!(signature.function, Builtin::Scalar(_));
    signatures.iter().any(is_row) && !signatures.iter().all(is_row)
}

impl<'a> Typer<'_, 'a> {
    /// In a window the aggregate; elsewhere, also inside an aggregate, the function of one row.
    pub(super) fn of_samples(
        &mut self,
        name: &ast::Ident,
        signatures: &'static [Signature],
        args: Args<'a>,
        span: Span,
    ) -> Option<Typed> {
        let row = signatures.iter().position(|signature| matches!(signature.function, Builtin::Scalar(_)))?;
        let (aggregates, rows) = signatures.split_at(row);
        if matches!(self.place, Place::Window { .. }) && self.inside.is_none() {
            return self.aggregate(name, aggregates, args, span);
        }
        let typed = self.typed_args(&args)?;
        if typed.first().is_some_and(|(_, first)| first.ty().is_number()) {
            // Says where it may stand.
            return self.aggregate(name, aggregates, args, span);
        }
        let matched = self.matched(name, rows, typed, span)?;
        self.of_one_row(name, matched, span)
    }

    fn of_one_row(&mut self, name: &ast::Ident, matched: Matched, span: Span) -> Option<Typed> {
        let Builtin::Scalar(function) = matched.signature.function else { return None };
        let samples =
            matched.args.iter().find(|(at, _)| !matched.signature.params[*at].setting).map(|(_, typed)| typed.clone())?;
        let rate = match samples.ty() {
            Type::Signal(rate) => Some(f64::from(*rate)),
            Type::Tensor(shape) if shape.len() > 1 && depends_on_order(&name.name) => {
                let diagnostic = several_dimensions(name, &samples);
                return self.refuse(diagnostic);
            }
            _ => None,
        };
        let (settings, ty) = self.settings(name, &matched, rate, RowsOf::Unknown("a signal"), span)?;
        let setting = |value: Value| Expr {
            ty: if let Value::Int(_) = value { Type::Int } else { Type::NUMBER() },
            kind: ExprKind::Literal(value),
            nullable: false,
            span,
        };
        let args = std::iter::once(samples.expr).chain(settings.into_iter().map(setting)).collect();
        Some(Typed::fixed(ExprKind::Call(function, args), ty, true, span))
    }

    /// The values of the settings, in the order of the declaration, and the type of the result; none after a message.
    /// `known_hz` is the rate where it is known without being said.
    pub(super) fn settings(
        &mut self,
        name: &ast::Ident,
        matched: &Matched,
        known_hz: Option<f64>,
        rows: RowsOf,
        span: Span,
    ) -> Option<(Vec<Value>, Type)> {
        let signature = matched.signature;
        let settings = matched.args.iter().filter(|(at, _)| signature.params[*at].setting);
        let mut named = Vec::new();
        for (at, typed) in settings {
            named.push((signature.params[*at].name.as_str(), self.setting(name, typed)?));
        }
        if let Some((_, rate)) = named.iter_mut().find(|(param, _)| *param == "rate") {
            let said = rate.as_f64().filter(|hz| *hz != 0.0);
            match (said, known_hz) {
                (Some(hz), _) if hz < 0.0 => return self.refuse(no_rate_at_all(span)),
                (Some(hz), Some(known)) if hz != known => return self.refuse(two_rates(name, hz, known, span)),
                (Some(_), _) => {}
                (None, Some(known)) => *rate = Value::Float(known),
                (None, None) => return self.refuse(no_rate(name, span)),
            }
        }
        if let Some(diagnostic) = out_of_range(name, &named, rows, span) {
            return self.refuse(diagnostic);
        }
        let whole = |param: &str| named.iter().find(|(name, _)| *name == param).and_then(|(_, value)| whole(value));
        let ty = match (&signature.result, whole("parts"), whole("count")) {
            (Pattern::Tensor, Some(1), Some(count)) => Type::Tensor(vec![count as u32]),
            (Pattern::Tensor, Some(parts), Some(count)) => Type::Tensor(vec![parts as u32, count as u32]),
            _ => matched.result.clone(),
        };
        Some((named.into_iter().map(|(_, value)| value).collect(), ty))
    }

    /// How many samples a second has, where the source says it and every row is still there.
    pub(super) fn step_hz(&self) -> Option<f64> {
        let is_mixed = matches!(&self.place, Place::Window { keys, .. } if !keys.is_empty());
        self.shape.step.filter(|step| !is_mixed && step.0 > 0).map(|step| 1e6 / step.0 as f64)
    }
}

fn whole(value: &Value) -> Option<i64> {
    if let Value::Int(value) = value { Some(*value) } else { None }
}

/// Does the result change where the samples stand in another order?
fn depends_on_order(name: &str) -> bool {
    matches!(name, "zero_crossings" | "band_power" | "dominant_frequency" | "spectral_centroid" | "autocorrelation" | "mfcc")
}

/// E0309.
fn out_of_range(name: &ast::Ident, settings: &[(&str, Value)], rows: RowsOf, span: Span) -> Option<Diagnostic> {
    let number = |param: &str| settings.iter().find(|(name, _)| *name == param).and_then(|(_, value)| value.as_f64());
    let limits = |param: &str, most: i64| {
        let value = settings.iter().find(|(name, _)| *name == param).and_then(|(_, value)| whole(value))?;
        (!(1..=most).contains(&value)).then(|| format!("`{param}` of `{}` is 1 to {most}, not {value}", name.name))
    };
    let of_lag = || match (rows, number("lag")) {
        (RowsOf::Known(rows), Some(lag)) if lag >= rows as f64 => {
            Some(format!("a window of {rows} rows has no value {lag} rows later"))
        }
        _ => None,
    };
    let of_rate = || match (&*name.name, number("rate")) {
        ("mfcc", Some(hz)) if hz < SOUND_HZ_MIN => {
            Some(format!("`mfcc` is for sound, from {SOUND_HZ_MIN} samples a second on, and these are {hz}"))
        }
        _ => None,
    };
    let of_band = || {
        let (low, high, rate) = (number("low")?, number("high")?, number("rate")?);
        match () {
            () if low < 0.0 || low > high => Some(format!("{low}..{high}Hz is no band of frequencies")),
            () if high > rate / 2.0 => {
                Some(format!("{rate} samples a second say nothing of frequencies above {}Hz, half of it", rate / 2.0))
            }
            () => None,
        }
    };
    let wrong = limits("bins", BINS_MAX)
        .or_else(|| limits("lag", LAG_MAX))
        .or_else(|| limits("count", COEFFICIENTS_MAX))
        .or_else(|| limits("parts", PARTS_MAX))
        .or_else(of_lag)
        .or_else(of_rate)
        .or_else(of_band)?;
    let help = match &*name.name {
        "band_power" => "write the lower frequency first and stay below half the sample rate, such as `band_power(x, 1..5Hz)`",
        "mfcc" => "write such as `mfcc(sound, 13)`, or use `band_power` and `spectral_centroid` for slow signals",
        _ => "write a number in this range",
    };
    Some(Diagnostic::new(Code::E0309, wrong).at(span, "").help(help))
}

/// E0303: an aggregate of numbers is given signals.
pub(super) fn one_by_one(name: &ast::Ident, typed: &Typed) -> Diagnostic {
    let message = format!("in a window `{}` takes a number of every row, and this is {}", name.name, phrase(typed.ty()));
    Diagnostic::new(Code::E0303, message)
        .at(typed.span(), phrase(typed.ty()))
        .help(format!("take it row by row and then together, such as `mean({}(…))`", name.name))
}

/// E0303.
fn several_dimensions(name: &ast::Ident, typed: &Typed) -> Diagnostic {
    let message = format!("`{}` needs samples in one row after the other, and this is {}", name.name, phrase(typed.ty()));
    Diagnostic::new(Code::E0303, message)
        .at(typed.span(), "several dimensions")
        .help("take a signal, a tensor of one dimension, or the column itself in a window")
}

/// E0315.
fn no_rate(name: &ast::Ident, span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0315, format!("`{}` needs to know how many samples a second has", name.name))
        .at(span, "no sample rate")
        .help("add `rate: 50Hz`; without it the rate follows from `time every 20ms from …` of the source, if no stage between drops or merges rows and the window has no `by`, or from the type of a signal")
}

/// E0315.
fn two_rates(name: &ast::Ident, said: f64, known: f64, span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0315, format!("`{}` is told {said}Hz, and the samples come at {known}Hz", name.name))
        .at(span, "")
        .help("leave `rate:` out")
}

/// E0309.
fn no_rate_at_all(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0309, "a sample rate is above zero").at(span, "").help("write such as `rate: 50Hz`")
}
