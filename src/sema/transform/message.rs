//! What can be wrong between a transform and its uses, and the arguments of those that fit.

use crate::base::{Name, Span};
use crate::diag::{Code, Diagnostic};
use crate::sema::findings::Findings;
use crate::syntax::ast;

use super::substitute::Given;

/// The arguments of a use by the names of the parameters, the first of which is what flows in; none after a message.
pub fn bind<'t>(transform: &'t ast::Transform, apply: &'t ast::Apply, findings: &mut Findings) -> Option<Given<'t>> {
    if let Some(ident) = apply.args.iter().find_map(|arg| arg.name.as_ref()) {
        findings.report(named_argument(ident, transform));
        return None;
    }
    let rest = transform.params.get(1..).unwrap_or_default();
    if rest.len() != apply.args.len() {
        findings.report(wrong_count(apply, transform));
        return None;
    }
    Some(Given::new(rest.iter().zip(&apply.args).map(|(param, arg)| (param, &arg.value))))
}

/// How a use is written.
fn usage(transform: &ast::Transform) -> String {
    let rest = transform.params.get(1..).unwrap_or_default();
    let names: Vec<&str> = rest.iter().map(|param| param.name.as_str()).collect();
    format!("| {}({})", transform.head.name.name, names.join(", "))
}

/// E0208.
fn wrong_count(apply: &ast::Apply, transform: &ast::Transform) -> Diagnostic {
    let (name, given) = (&apply.transform, apply.args.len());
    let wanted = transform.params.len().saturating_sub(1);
    let count = |n: usize| if n == 1 { "one argument".to_owned() } else { format!("{n} arguments") };
    Diagnostic::new(Code::E0208, format!("`{}` takes {} behind what flows in, and is given {given}", name.name, count(wanted)))
        .at(name.span, "used here")
        .at(transform.head.name.span, "declared here")
        .help(format!("write `{}`; the stream itself is the first parameter and is not written", usage(transform)))
}

/// E0208.
fn named_argument(ident: &ast::Ident, transform: &ast::Transform) -> Diagnostic {
    Diagnostic::new(Code::E0208, "a transform takes its arguments by position")
        .at(ident.span, "named here")
        .at(transform.head.name.span, "declared here")
        .help(format!("write `{}`", usage(transform)))
}

/// E0208.
pub fn needs_a_name(param: &ast::Ident, given: Span, place: Span) -> Diagnostic {
    Diagnostic::new(Code::E0208, format!("`{}` stands where a name is needed", param.name))
        .at(given, "a value is given")
        .at(place, "a name is needed here")
        .help("give the name of a column, or of a stream where one is read")
}

/// E0208.
pub fn called_like_a_stage(name: &ast::Ident) -> Diagnostic {
    Diagnostic::new(Code::E0208, format!("`{}` is a stage of the language already", name.name))
        .at(name.span, "")
        .help("give the transform another name")
}

/// E0208.
pub fn begins_elsewhere(input: &ast::StreamRef, first: &ast::Ident) -> Diagnostic {
    Diagnostic::new(Code::E0208, format!("a transform begins with what flows in, which is called `{}` here", first.name))
        .at(input.span, "begins with something else")
        .at(first.span, "the first parameter")
        .help(format!("write `= {} | …`; other streams are read by `union`, `join` and `asof`", first.name))
}

/// E0202.
pub fn parameter_twice(param: &ast::Ident, before: Span) -> Diagnostic {
    Diagnostic::new(Code::E0202, format!("two parameters are called `{}`", param.name))
        .at(param.span, "once more here")
        .at(before, "first here")
        .help("give one of the two another name")
}

/// E0205.
pub fn in_circle(name: &ast::Ident, open: &[(Name, Span)]) -> Diagnostic {
    let mut out = Diagnostic::new(Code::E0205, format!("the transform `{}` is made of itself", name.name))
        .at(name.span, "used in its own stages");
    for (outer, span) in open {
        out = out.at(*span, format!("`{outer}`"));
    }
    out.help("let one of them write its stages out")
}

/// E0115.
pub fn too_many_stages(name: &ast::Ident, limit: usize) -> Diagnostic {
    Diagnostic::new(Code::E0115, format!("with the transforms inside written out, `{}` is more than {limit} stages", name.name))
        .at(name.span, "")
        .help("make a stream of what is used most, which is computed once")
}

/// E0208: in the place of a stream.
pub fn read_as_stream(ident: &ast::Ident) -> Diagnostic {
    let name = &ident.name;
    Diagnostic::new(Code::E0208, format!("`{name}` is a transform, and rows have to flow into it"))
        .at(ident.span, "")
        .help(format!("write it as a stage: `… | {name}(…)`"))
}
