//! Messages as their readers see them: a folder of files, and beside each `NAME.mliot` its `NAME.snap` with the text and
//! all messages. `MLIOT_BLESS=1` writes the snapshots anew; look at the difference before it is committed.

use std::fs;
use std::path::{Path, PathBuf};

use mliot::base::Sources;
use mliot::diag::{Diagnostic, Style, render};

/// All `.mliot` files of a folder of this repository, in the order of their names.
pub fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "mliot"));
    files.sort();
    files
}

/// Compares the messages of each file with its snapshot; all differences are named in one go.
pub fn check_folder(folder: &str, messages: impl Fn(&Sources, &str) -> Vec<Diagnostic>) {
    let wrong: Vec<String> = files(folder).iter().filter_map(|file| differs(file, &messages)).collect();
    assert!(wrong.is_empty(), "{}\nMLIOT_BLESS=1 writes the snapshots anew", wrong.join("\n"));
}

fn differs(file: &Path, messages: &impl Fn(&Sources, &str) -> Vec<Diagnostic>) -> Option<String> {
    let text = fs::read_to_string(file).unwrap();
    let name = file.file_name().unwrap().to_string_lossy();
    let sources = Sources::of(&name, &text);
    let found = snapshot(&text, &messages(&sources, &text), &sources);
    let snapshot = file.with_extension("snap");
    if std::env::var_os("MLIOT_BLESS").is_some() {
        fs::write(&snapshot, &found).unwrap();
    }
    let expected = fs::read_to_string(&snapshot).unwrap_or_default();
    (expected != found).then(|| format!("--- {name} now gives\n{found}"))
}

fn snapshot(text: &str, messages: &[Diagnostic], sources: &Sources) -> String {
    let rendered: Vec<String> = messages.iter().map(|message| with_fix(message, sources)).collect();
    let all = if rendered.is_empty() { "no message\n".to_owned() } else { rendered.join("\n") };
    format!("{}\n----\n{all}", text.trim_end())
}

/// The message, and the edit that it offers.
fn with_fix(message: &Diagnostic, sources: &Sources) -> String {
    let mut text = render(message, sources, Style::Plain);
    if let Some(fix) = &message.fix {
        let place = sources.place(fix.span);
        text += &format!("  fix: at {}:{} {:?} becomes {:?}\n", place.line, place.column, sources.text(fix.span), fix.text);
    }
    text
}
