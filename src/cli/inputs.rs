//! `--input SOURCE=PATH`: another recording in the place of the file's own.

use std::path::Path;

use crate::base::{Name, nearest};
use crate::ir::{Connector, Program};

use super::Outcome;
use super::load::split;
use super::terminal::note;

/// Puts each recording into the program, with the options of the file connector that it takes the place of. Paths count
/// from the working folder.
pub fn replace(program: &mut Program, inputs: &[String]) -> Result<(), Outcome> {
    for input in inputs {
        let (source, path) = split(input, "--input")?;
        replace_one(program, &source, &path)?;
    }
    Ok(())
}

fn replace_one(program: &mut Program, source: &str, path: &str) -> Result<(), Outcome> {
    let known: Vec<Name> = program.sources.keys().cloned().collect();
    let Some(found) = program.sources.get_mut(source) else {
        note(&no_source(source, &known));
        return Err(Outcome::Refused);
    };
    match &mut found.recorded {
        Some(Connector::File(file)) => {
            file.path = from_here(path).into();
            Ok(())
        }
        Some(_) | None => {
            note(&format!(
                "the source `{source}` has no recorded file whose options `{path}` could take\n  help: give it `recorded csv(…)` in the file"
            ));
            Err(Outcome::Refused)
        }
    }
}

/// A path that is there counts from the working folder; any other is looked for where the file's own are.
fn from_here(path: &str) -> String {
    match Path::new(path).canonicalize() {
        Ok(whole) => whole.to_string_lossy().into_owned(),
        Err(_) => path.to_owned(),
    }
}

fn no_source(wrong: &str, known: &[Name]) -> String {
    let help = match nearest(wrong, known.iter().map(Name::as_str)) {
        Some(name) => format!("did you mean `{name}`?"),
        None => format!("it has {}", known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
    };
    format!("the file has no source `{wrong}`\n  help: {help}")
}
