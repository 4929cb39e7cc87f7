//! `mliot fmt FILE…`.

use std::fs;
use std::path::Path;

use crate::base::{SourceId, Sources};
use crate::syntax;

use super::Outcome;
use super::args::FmtArgs;
use super::terminal::{complain, ended, note, unusable};

/// Formats each file; the worst outcome counts.
pub fn format(args: &FmtArgs) -> Outcome {
    let outcomes: Vec<Outcome> = args.files.iter().map(|path| format_one(path, args.check)).collect();
    let is = |wanted: Outcome| outcomes.contains(&wanted);
    if is(Outcome::Failed) {
        Outcome::Failed
    } else if is(Outcome::Refused) {
        Outcome::Refused
    } else {
        Outcome::Good
    }
}

fn format_one(path: &Path, only_check: bool) -> Outcome {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => return ended(&[unusable(path, "read", &error)], &Sources::default(), false),
    };
    let sources = Sources::of(&path.to_string_lossy(), &text);
    let (file, diagnostics) = syntax::parse(SourceId(0), &text);
    if diagnostics.iter().any(|found| found.is_error()) {
        complain(&diagnostics, &sources);
        return Outcome::Refused;
    }
    let formatted = syntax::format(&file, &text);
    if formatted == text {
        return Outcome::Good;
    }
    if only_check {
        note(&format!("{} is not in the canonical layout\n  help: run mliot fmt {0}", path.display()));
        return Outcome::Refused;
    }
    replace(path, &formatted)
}

/// Written aside and renamed, so that a crash leaves one of the two texts and a watcher sees one change.
fn replace(path: &Path, text: &str) -> Outcome {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".tmp");
    match fs::write(&aside, text).and_then(|()| fs::rename(&aside, path)) {
        Ok(()) => Outcome::Good,
        Err(error) => ended(&[unusable(path, "written", &error)], &Sources::default(), false),
    }
}
