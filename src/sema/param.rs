//! `param`: a value that the caller may set. The order is live edit, then `--set`, then the file.

use crate::base::{Name, SourceId};
use crate::diag::{Code, Diagnostic};
use crate::ir::{Param, Type, Value};
use crate::syntax::{self, ast};

use super::expr::{Place, Typer, value_of};
use super::findings::{Findings, unknown};
use super::globals::{Globals, Settings};
use super::shape::Shape;
use super::types;

/// Gives every param its value; later ones may use earlier ones. What has a mistake counts as broken.
pub fn resolve(globals: &mut Globals<'_>, settings: &Settings<'_>, findings: &mut Findings) {
    let mut declared: Vec<_> = globals.index.params.values().map(|(param, _)| *param).collect();
    declared.sort_by_key(|param| param.head.name.span);
    for param in declared {
        match value_of_param(param, globals, settings, findings) {
            Some(resolved) => drop(globals.params.insert(resolved.name.clone(), resolved)),
            None => drop(globals.index.broken.insert(param.head.name.name.clone())),
        }
    }
    let known: Vec<Name> = globals.index.params.keys().cloned().collect();
    for name in settings.set.keys().filter(|name| !globals.index.params.contains_key(*name)) {
        findings.report(no_such_param(name, known.iter().map(Name::as_str)));
    }
}

fn value_of_param(
    param: &ast::Param,
    globals: &Globals<'_>,
    settings: &Settings<'_>,
    findings: &mut Findings,
) -> Option<Param> {
    let name = &param.head.name.name;
    let (ty, nullable) = findings.take(types::resolve(&param.ty, globals.library))?;
    let own = constant(&param.default, &ty, nullable, globals, findings);
    let value = match settings.set.get(name) {
        Some(text) => findings.take(read_setting(name, text, &ty, globals))?,
        None => own?,
    };
    Some(Param { name: name.clone(), ty, value, span: param.head.name.span })
}

fn constant(expr: &ast::Expr, ty: &Type, nullable: bool, globals: &Globals<'_>, findings: &mut Findings) -> Option<Value> {
    let shape = Shape::default();
    let typed = Typer::new(globals, findings, &shape, Place::Constant("a param")).expr_as(expr, ty, "this param")?;
    match value_of(&typed.expr) {
        Some(Value::Null) if !nullable => {
            let diagnostic = Diagnostic::new(Code::E0303, "this param is never null").at(expr.span, "");
            findings.report(diagnostic.help(format!("write a value, or `{ty}?` for a type with null")));
            None
        }
        Some(value) => Some(value),
        None => {
            let diagnostic = Diagnostic::new(Code::E0308, "a param has a value that is known when the file is read");
            findings.report(diagnostic.at(expr.span, "").help("write a value, or arithmetic of values and earlier params"));
            None
        }
    }
}

/// A value as the language writes it; a text may stand without quotes.
pub fn read_setting(name: &str, text: &str, ty: &Type, globals: &Globals<'_>) -> Result<Value, Diagnostic> {
    let source = SourceId(u16::MAX);
    let (file, mistakes) = syntax::parse(source, &format!("let value = {text}\n"));
    let value = match file.declarations.first().map(|declaration| &declaration.kind) {
        Some(ast::DeclarationKind::Let(ast::Let { value, .. })) if mistakes.is_empty() && file.declarations.len() == 1 => {
            constant(value, ty, false, globals, &mut Findings::default())
        }
        _ => None,
    };
    match (value, ty) {
        (Some(value), _) => Ok(value),
        (None, Type::Text) => Ok(Value::Text(text.into())),
        (None, Type::Enum(items)) if items.iter().any(|item| *item.text == *text) => Ok(Value::Text(text.into())),
        (None, _) => Err(no_value(name, text, ty)),
    }
}

/// E0206.
fn no_value(name: &str, text: &str, ty: &Type) -> Diagnostic {
    Diagnostic::new(Code::E0206, format!("`--set {name}={text}` does not fit, since `{name}` is a `{ty}`"))
        .help(format!("give it {}", super::expr::phrase(ty)))
}

/// E0206.
fn no_such_param<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> Diagnostic {
    let close = unknown("param", name, Default::default(), known);
    let out = Diagnostic::new(Code::E0206, format!("`--set {name}` sets nothing: the file has no param `{name}`"));
    match close.help {
        Some(help) => out.help(help),
        None => out.help(format!("declare it: `param {name}: float = 1`")),
    }
}
