//! Messages for two things that do not go together.

use crate::base::{Span, Unit, nearest};
use crate::diag::{Code, Diagnostic};
use crate::ir::{EnumItem, ExprKind, Type, Value};

use super::fit::Misfit;
use super::typed::{Flex, Typed};
use crate::sema::shape::Shape;

/// What two sides of an operator are, in words.
pub fn disagree(left: &Typed, right: &Typed, misfit: &Misfit, shape: &Shape) -> Diagnostic {
    match misfit {
        Misfit::Unit => units_differ(left, right, shape),
        Misfit::Type => types_differ(left, right, shape),
        Misfit::NotAnItem(text) => match (left.ty(), right.ty()) {
            (Type::Enum(items), _) => not_an_item(text, items, right.span()),
            (_, Type::Enum(items)) => not_an_item(text, items, left.span()),
            _ => types_differ(left, right, shape),
        },
    }
}

/// E0301, with both places.
fn units_differ(left: &Typed, right: &Typed, shape: &Shape) -> Diagnostic {
    let out = Diagnostic::new(Code::E0301, "these two do not have the same unit")
        .at(left.span(), phrase(left.ty()))
        .at(right.span(), phrase(right.ty()));
    let out = with_origin(with_origin(out, left, shape), right, shape);
    match (left.unit(), right.unit(), &right.expr.kind, &left.expr.kind) {
        (Some(unit), _, ExprKind::Literal(value), _) => out.help(in_unit_of(unit, value)),
        (_, Some(unit), _, ExprKind::Literal(value)) => out.help(in_unit_of(unit, value)),
        (Some(left), Some(right), ..) => out.help(format!(
            "{} and {} measure different things; compare or add only what measures the same",
            words(left),
            words(right)
        )),
        _ => out.help("a plain number has no unit; declare the column with one, such as `float<ppm>`"),
    }
}

fn in_unit_of(unit: &Unit, value: &Value) -> String {
    let figure = value.as_f64().unwrap_or(1.0);
    let unit_text = if *unit.text == *"percent" { "%" } else { &*unit.text };
    match unit.is_one() {
        true => format!("write the number without a unit, such as {figure}"),
        false => format!("write a number of {unit}, such as {figure}{unit_text}"),
    }
}

fn words(unit: &Unit) -> String {
    if unit.is_one() { "a plain number".to_owned() } else { format!("`{unit}`") }
}

/// E0303 for two sides.
fn types_differ(left: &Typed, right: &Typed, shape: &Shape) -> Diagnostic {
    let out = Diagnostic::new(Code::E0303, "these two do not go together")
        .at(left.span(), phrase(left.ty()))
        .at(right.span(), phrase(right.ty()));
    let out = with_origin(with_origin(out, left, shape), right, shape);
    match (left.ty(), right.ty(), &right.flex) {
        (Type::Duration, _, Flex::Bare) => {
            let figure = right.value().and_then(Value::as_f64).unwrap_or(1.0);
            out.help(format!("write a duration, such as `{figure}s`"))
        }
        (Type::Time, Type::Text, _) => out.help("write an instant with `@`, such as `@2026-11-23T10:00:00Z`"),
        (Type::Bool, Type::Int, _) => out.help("compare with `true` or `false`"),
        (Type::Duration, ty, _) | (ty, Type::Duration, _) if ty.is_number() => {
            out.help("divide the duration by one of its units to get a number, such as `dwell / 1s`")
        }
        _ => out.help(format!("bring both to one type; here {} meets {}", phrase(left.ty()), phrase(right.ty()))),
    }
}

/// E0307.
pub fn not_an_item(text: &str, items: &[EnumItem], span: Span) -> Diagnostic {
    let known: Vec<&str> = items.iter().map(|item| item.text.as_str()).collect();
    let out = Diagnostic::new(Code::E0307, format!("the enum has no value {text:?}")).at(span, "not one of its values");
    match nearest(text, known.iter().copied()) {
        Some(close) => out.help(format!("write {close:?}, if that was meant")).fix(span, format!("{close:?}")),
        None => {
            let known: Vec<String> = known.iter().map(|text| format!("{text:?}")).collect();
            out.help(format!("its values are {}", known.join(", ")))
        }
    }
}

/// E0303, E0301 or E0307: a value where something else is wanted. `wanted` says by whom, such as "`where`".
pub fn unfit(typed: &Typed, want: &Type, misfit: &Misfit, wanted: &str, shape: &Shape) -> Diagnostic {
    let out = match misfit {
        Misfit::NotAnItem(text) => match want {
            Type::Enum(items) => return not_an_item(text, items, typed.span()),
            _ => Diagnostic::new(Code::E0303, format!("{wanted} needs {}", phrase(want))),
        },
        Misfit::Unit => Diagnostic::new(Code::E0301, format!("{wanted} needs {}", phrase(want))),
        Misfit::Type => Diagnostic::new(Code::E0303, format!("{wanted} needs {}", phrase(want))),
    };
    let out = with_origin(out.at(typed.span(), phrase(typed.ty())), typed, shape);
    match (want, typed.ty()) {
        (Type::Bool, _) if typed.value().is_some() => out.help("write `true` or `false`"),
        (Type::Bool, Type::Int | Type::Float(_)) => out.help("compare it with something, such as `x > 0`"),
        (Type::Bool, _) => out.help("write a condition that is true or false"),
        (Type::Duration, Type::Int | Type::Float(_)) => out.help("write a duration with its unit, such as `5s` or `10min`"),
        (Type::Int, _) if typed.value().is_some() => out.help("write a whole number"),
        (Type::Int, Type::Float(_)) => out.help("declare it as `float`: this has fractions"),
        (Type::Float(_), Type::Duration) => out.help("divide it by one of its units to get a number, such as `dwell / 1s`"),
        (Type::Float(_), Type::Bool) => out.help("write `if x then 1 else 0` to get a number"),
        (Type::Float(unit), Type::Float(_)) if !unit.is_one() => out.help(format!("write a number of {unit}")),
        (Type::Text, _) if typed.value().is_some() => out.help("put it in quotes, such as \"hall\""),
        (Type::Text, _) => out.help("give it a text"),
        _ => out,
    }
}

/// The type in words, such as `a number of ppm`.
pub fn phrase(ty: &Type) -> String {
    match ty {
        Type::Bool => "true or false".to_owned(),
        Type::Int => "a whole number".to_owned(),
        Type::Float(unit) if unit.is_one() => "a number without a unit".to_owned(),
        Type::Float(unit) => format!("a number of {unit}"),
        Type::Text => "a text".to_owned(),
        Type::Time => "an instant".to_owned(),
        Type::Duration => "a duration".to_owned(),
        Type::Bytes => "bytes".to_owned(),
        Type::Enum(_) => format!("one of the values of `{}`", shortened(&ty.to_string())),
        Type::Tensor(_) | Type::Signal(_) | Type::List(_) => format!("a `{ty}`"),
    }
}

/// So much of a long type is printed.
const TYPE_CHARS_MAX: usize = 40;

fn shortened(text: &str) -> String {
    match text.char_indices().nth(TYPE_CHARS_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_owned(),
    }
}

/// Also shows where a column was declared.
fn with_origin(out: Diagnostic, typed: &Typed, shape: &Shape) -> Diagnostic {
    let ExprKind::Column(name) = &typed.expr.kind else { return out };
    match shape.schema.get(name) {
        Some(column) if !column.span.is_empty() => out.at(column.span, format!("`{name}` is made here")),
        _ => out,
    }
}
