//! `--input SOURCE=PATH`: another recording in the place of the file's own.

use std::path::Path;

use crate::base::{Name, Span, nearest};
use crate::diag::{Code, Diagnostic};
use crate::ir::{Connector, Program};
use crate::plan::{Graph, NodeKey, NodeOp, Slot};

/// Puts each recording into the program, with the options of the file connector that it takes the place of. Paths count
/// from the working folder.
///
/// # Errors
/// A source that the file does not have, or that reads no recorded file.
pub fn replace(program: &mut Program, inputs: &[(String, String)]) -> Result<(), Vec<Diagnostic>> {
    for (source, path) in inputs {
        replace_one(program, source, path).map_err(|wrong| vec![wrong])?;
    }
    Ok(())
}

fn replace_one(program: &mut Program, source: &str, path: &str) -> Result<(), Diagnostic> {
    let known: Vec<Name> = program.sources.keys().cloned().collect();
    let found = program.sources.get_mut(source).ok_or_else(|| no_source(source, &known))?;
    match &mut found.recorded {
        Some(Connector::File(file)) => {
            file.path = from_here(path).into();
            Ok(())
        }
        Some(_) | None => Err(no_file(source, path, found.span)),
    }
}

/// The same for a graph, which may be of before.
///
/// # Errors
/// A source that it does not have, or that reads no recorded file.
pub fn connect(graph: &mut Graph, inputs: &[(String, String)]) -> Result<(), Diagnostic> {
    for (source, path) in inputs {
        let name = Name::from(source.as_str());
        let spec = graph.nodes.get_mut(&NodeKey::of_file(&name, Slot::Connection));
        match spec.map(|spec| &mut spec.op) {
            Some(NodeOp::Connection(connection)) => match &mut connection.recorded {
                Some(Connector::File(file)) => file.path = from_here(path).into(),
                Some(_) | None => return Err(no_file(source, path, Span::default())),
            },
            _ => return Err(no_source(source, &sources(graph))),
        }
    }
    Ok(())
}

fn sources(graph: &Graph) -> Vec<Name> {
    let names = graph.nodes.values().filter(|spec| matches!(spec.op, NodeOp::Connection(_)));
    names.map(|spec| spec.key.decl.clone()).collect()
}

/// A path that is there counts from the working folder; any other is looked for where the file's own are.
fn from_here(path: &str) -> String {
    match Path::new(path).canonicalize() {
        Ok(whole) => whole.to_string_lossy().into_owned(),
        Err(_) => path.to_owned(),
    }
}

fn no_source(wrong: &str, known: &[Name]) -> Diagnostic {
    let help = match nearest(wrong, known.iter().map(Name::as_str)) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("it has {}", known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
    };
    Diagnostic::new(Code::E0201, format!("`--input {wrong}=…` replaces nothing: the file has no source `{wrong}`")).help(help)
}

fn no_file(source: &str, path: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0704, format!("the source `{source}` has no recorded file whose options `{path}` could take"))
        .at(span, "")
        .help("give it `recorded csv(…)` in the file")
}
