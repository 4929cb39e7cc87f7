//! Column sets: `[a, b]`, `[ax..gz]`, `all`, `all except [a]`, `matching "acc_*"`.

use std::collections::BTreeSet;

use crate::base::{Name, Span};
use crate::diag::{Code, Diagnostic};
use crate::syntax::ast;

use super::expr::phrase;
use super::findings::{Findings, unknown};
use super::shape::Shape;

/// A column of a set, with the place that names it.
pub type Chosen = (Name, Span);

/// The columns of a set, each once, in its order; unknown ones are reported and left out.
pub fn resolve(set: &ast::ColumnSet, shape: &Shape, findings: &mut Findings) -> Vec<Chosen> {
    let chosen = match &set.kind {
        ast::ColumnSetKind::List(items) => items.iter().flat_map(|item| self::item(item, shape, findings)).collect(),
        ast::ColumnSetKind::All => all(shape, set.span),
        ast::ColumnSetKind::AllExcept(except) => {
            let except: BTreeSet<Name> = resolve(except, shape, findings).into_iter().map(|(name, _)| name).collect();
            all(shape, set.span).into_iter().filter(|(name, _)| !except.contains(name)).collect()
        }
        ast::ColumnSetKind::Matching(pattern) => matching(pattern, shape, findings),
    };
    let mut seen = BTreeSet::new();
    chosen.into_iter().filter(|(name, _)| seen.insert(name.clone())).collect()
}

/// A column or a range of columns in declared order.
pub fn item(item: &ast::ColumnItem, shape: &Shape, findings: &mut Findings) -> Vec<Chosen> {
    match item {
        ast::ColumnItem::One(ident) => one(ident, shape, findings).into_iter().map(|name| (name, ident.span)).collect(),
        ast::ColumnItem::Range { first, last } => {
            let (from, to) = (one(first, shape, findings), one(last, shape, findings));
            let (Some(from), Some(to)) = (from, to) else { return Vec::new() };
            range(&from, &to, item.span(), shape, findings)
        }
    }
}

/// The column with this name, or a message.
pub fn one(ident: &ast::Ident, shape: &Shape, findings: &mut Findings) -> Option<Name> {
    if shape.get(&ident.name).is_some() {
        return Some(ident.name.clone());
    }
    if !shape.is_silent_about(&ident.name) {
        findings.report(unknown("column", &ident.name, ident.span, shape.names()));
    }
    None
}

/// All of these columns, or none after messages.
pub fn keys(keys: &ast::Keys, shape: &Shape, findings: &mut Findings) -> Option<Vec<Name>> {
    let mut out: Vec<Name> = Vec::new();
    let mut known = true;
    for ident in &keys.columns {
        match one(ident, shape, findings) {
            Some(name) if out.contains(&name) => findings.report(key_twice(ident)),
            // Such values are never the same by chance or on purpose, so nothing can be told apart by them.
            Some(name) if shape.get(&name).is_none_or(|column| column.ty.is_samples()) => {
                findings.report(no_key(ident, shape));
                known = false;
            }
            Some(name) => out.push(name),
            None => known = false,
        }
    }
    known.then_some(out)
}

fn all(shape: &Shape, span: Span) -> Vec<Chosen> {
    shape.schema.visible().map(|column| (column.name.clone(), span)).collect()
}

fn range(from: &str, to: &str, span: Span, shape: &Shape, findings: &mut Findings) -> Vec<Chosen> {
    let names: Vec<&str> = shape.names().collect();
    let at = |name: &str| names.iter().position(|other| *other == name);
    match (at(from), at(to)) {
        (Some(first), Some(last)) if first <= last => {
            names[first..=last].iter().map(|name| (Name::from(*name), span)).collect()
        }
        _ => {
            findings.report(upside_down(from, to, span));
            Vec::new()
        }
    }
}

fn matching(pattern: &ast::Text, shape: &Shape, findings: &mut Findings) -> Vec<Chosen> {
    let found: Vec<Chosen> =
        shape.names().filter(|name| matches_glob(&pattern.value, name)).map(|name| (name.into(), pattern.span)).collect();
    if found.is_empty() && !shape.open && shape.broken.is_empty() {
        findings.report(nothing_matches(pattern));
    }
    found
}

/// `*` stands for any letters, `?` for one.
fn matches_glob(pattern: &str, text: &str) -> bool {
    let mut rest = pattern.chars();
    match rest.next() {
        None => text.is_empty(),
        Some('*') => {
            (0..=text.len()).filter(|at| text.is_char_boundary(*at)).any(|at| matches_glob(rest.as_str(), &text[at..]))
        }
        Some(first) => {
            let mut letters = text.chars();
            letters.next().is_some_and(|letter| first == '?' || first == letter)
                && matches_glob(rest.as_str(), letters.as_str())
        }
    }
}

/// E0303.
fn no_key(ident: &ast::Ident, shape: &Shape) -> Diagnostic {
    let ty = shape.get(&ident.name).map_or(String::new(), |column| format!(", which is {}", phrase(&column.ty)));
    Diagnostic::new(Code::E0303, format!("rows cannot be told apart by `{}`{ty}", ident.name))
        .at(ident.span, "as a key")
        .help("take a column that names what the rows belong to, such as a device")
}

/// E0202.
fn key_twice(ident: &ast::Ident) -> Diagnostic {
    Diagnostic::new(Code::E0202, format!("`{}` is a key twice", ident.name)).at(ident.span, "").help("remove it")
}

/// E0309.
fn upside_down(from: &str, to: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0309, format!("`{to}` stands before `{from}` in the order of the columns"))
        .at(span, "")
        .help(format!("write `{to}..{from}`"))
        .fix(span, format!("{to}..{from}"))
}

/// E0201.
fn nothing_matches(pattern: &ast::Text) -> Diagnostic {
    Diagnostic::new(Code::E0201, format!("no column matches {:?}", pattern.value))
        .at(pattern.span, "")
        .help("`*` stands for any letters and `?` for one")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_whole_names() {
        assert!(matches_glob("acc_*", "acc_x"));
        assert!(matches_glob("*_x", "acc_x"));
        assert!(matches_glob("s?", "s1"));
        assert!(!matches_glob("s?", "s12"));
        assert!(!matches_glob("acc", "acc_x"));
    }
}
