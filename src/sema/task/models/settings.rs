//! Settings of a listed family: that it has them, and that they can be what is written.

use crate::base::{Span, nearest};
use crate::diag::{Code, Diagnostic};
use crate::ir::{Choices, Dimension, FamilyFacts, SettingFacts, Takes, Value};
use crate::syntax::ast;

/// What is wrong with a setting, if something is. `choices` are None where its value has a message of its own. Nothing is
/// known of a family that this version does not train.
pub fn misfit(family: &FamilyFacts, ident: &ast::Ident, choices: Option<&Choices>, span: Span) -> Option<Diagnostic> {
    let settings = family.settings?;
    let Some(setting) = family.setting(&ident.name) else { return Some(unknown(family, settings, ident)) };
    choices.filter(|choices| !fits(setting.takes, choices)).map(|_| out_of_range(family, setting, span))
}

fn fits(takes: Takes, choices: &Choices) -> bool {
    match (takes, choices) {
        (Takes::Wholes { most, .. }, Choices::One(Dimension::Fixed(Value::List(items)))) => {
            (1..=most).contains(&items.len()) && items.iter().all(|item| is_one(takes, item))
        }
        (Takes::Wholes { most, .. }, Choices::Each(items)) => {
            (1..=most).contains(&items.len()) && items.iter().all(|item| is_dimension(takes, item))
        }
        (Takes::Whole { .. } | Takes::Number { .. } | Takes::Wholes { .. }, Choices::One(one)) => is_dimension(takes, one),
        (Takes::Whole { .. } | Takes::Number { .. }, Choices::Each(_)) => false,
    }
}

fn is_dimension(takes: Takes, dimension: &Dimension) -> bool {
    match dimension {
        Dimension::Fixed(value) => is_one(takes, value),
        Dimension::Range(low, high) => is_one(takes, low) && is_one(takes, high),
    }
}

fn is_one(takes: Takes, value: &Value) -> bool {
    let Some(value) = value.as_f64() else { return false };
    match takes {
        Takes::Whole { low, high } | Takes::Wholes { most: _, low, high } => {
            value.fract() == 0.0 && (low as f64..=high as f64).contains(&value)
        }
        Takes::Number { low, high } => (low..=high).contains(&value),
    }
}

/// E0555.
fn unknown(family: &FamilyFacts, settings: &[SettingFacts], ident: &ast::Ident) -> Diagnostic {
    let out = Diagnostic::new(Code::E0555, format!("`{}` has no setting `{}`", family.name, ident.name));
    if settings.is_empty() {
        return out.at(ident.span, "").help(format!("write `{}` without settings", family.name));
    }
    let all = settings.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
    match nearest(&ident.name, settings.iter().map(|setting| setting.name)) {
        Some(near) => out.at(ident.span, "not known").help(format!("write `{near}`; it has {all}")).fix(ident.span, near),
        None => out.at(ident.span, "not known").help(format!("it has {all}")),
    }
}

/// E0555.
fn out_of_range(family: &FamilyFacts, setting: &SettingFacts, span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0555, format!("`{}` of `{}` cannot have this value", setting.name, family.name))
        .at(span, "")
        .help(format!("write {setting}"))
}

/// E0555.
pub fn twice(ident: &ast::Ident) -> Diagnostic {
    Diagnostic::new(Code::E0555, format!("the setting `{}` is written twice", ident.name))
        .at(ident.span, "again")
        .help("write it once; a range such as `50..400` is searched")
}
