//! The check: messages as their readers see them, whole files that need no message, and the library.

mod library;
mod mutations;
mod programs;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use mliot::base::Sources;
use mliot::compile::{Compiled, World, compile};
use mliot::diag::{Code, Style, render};

use crate::ui;

/// Files in memory.
#[derive(Default)]
pub struct Memory {
    pub files: BTreeMap<PathBuf, String>,
    pub env: BTreeMap<String, String>,
}

impl Memory {
    pub fn of(name: &str, text: &str) -> Memory {
        Memory { files: [(name.into(), text.to_owned())].into(), env: BTreeMap::new() }
    }
}

impl World for Memory {
    fn read(&self, path: &Path) -> io::Result<String> {
        self.files.get(path).cloned().ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "no such file"))
    }

    fn env(&self, name: &str) -> Option<String> {
        self.env.get(name).cloned()
    }
}

/// One text, compiled with nothing set.
pub fn compiled(text: &str) -> Compiled {
    compile(Path::new("room.mliot"), &Memory::of("room.mliot", text), &[])
}

/// The messages as a person reads them.
pub fn said(compiled: &Compiled) -> String {
    compiled.diagnostics.iter().map(|diagnostic| render(diagnostic, &compiled.sources, Style::Plain)).collect()
}

fn messages(_: &Sources, text: &str) -> Vec<mliot::diag::Diagnostic> {
    compiled(text).diagnostics
}

#[test]
fn messages_are_as_they_were() {
    ui::check_folder("tests/ui/sema", messages);
}

#[test]
fn a_file_uses_another_and_both_are_watched() {
    let mut world = Memory::of("a/room.mliot", "use \"shared/source.mliot\"\nsink out = room | to stdout\n");
    let source = "source room {\n  columns { x: int }\n  recorded csv(\"x.csv\")\n  time none\n}\n";
    world.files.insert("a/shared/source.mliot".into(), source.to_owned());
    let out = compile(Path::new("a/room.mliot"), &world, &[]);
    assert_eq!(said(&out), "");
    assert_eq!(out.files, [PathBuf::from("a/room.mliot"), PathBuf::from("a/shared/source.mliot")]);
    assert!(out.graph.is_some());
}

#[test]
fn a_missing_file_is_named_where_it_is_used() {
    let out = compile(Path::new("room.mliot"), &Memory::of("room.mliot", "use \"gone.mliot\"\n"), &[]);
    assert!(said(&out).starts_with("E0207: `gone.mliot` cannot be read") || said(&out).contains("E0207"), "{}", said(&out));
    assert!(out.graph.is_none());
}

#[test]
fn params_are_set_from_outside_in_the_language_s_own_words() {
    const TEXT: &str = "param fresh: float<ppm> = 450\nparam place: text = env(\"PLACE\", \"lab\")\n\
        source room {\n  columns { co2: float<ppm>; room: text }\n  recorded csv(\"x.csv\")\n  time none\n}\n\
        sink out = room | where co2 > fresh and room == place | to stdout\n";
    let mut world = Memory::of("room.mliot", TEXT);
    world.env.insert("PLACE".to_owned(), "hall".to_owned());
    let set = |text: &str| compile(Path::new("room.mliot"), &world, &[("fresh".to_owned(), text.to_owned())]);
    let out = set("0.05%");
    assert_eq!(said(&out), "");
    assert_eq!(out.program.params["fresh"].value.to_string(), "500");
    assert_eq!(out.program.params["place"].value.to_string(), "\"hall\"");
    assert!(said(&set("5degC")).contains("E0206"));
    let unknown = compile(Path::new("room.mliot"), &world, &[("fersh".to_owned(), "1".to_owned())]);
    assert!(said(&unknown).contains("write `fresh`"), "{}", said(&unknown));
}

/// Every code of the check is shown in a snapshot, so that its message is judged as its reader sees it.
#[test]
fn every_code_of_the_check_has_a_snapshot() {
    // Said where a folder of files is needed (tested in this file), or by a test that runs.
    const ELSEWHERE: [&str; 2] = ["E0207", "E0811"];
    let shown: String =
        ui::files("tests/ui/sema").iter().map(|file| std::fs::read_to_string(file.with_extension("snap")).unwrap()).collect();
    // From 50 on a section's codes belong to what runs.
    let of_the_check = |code: &&Code| {
        let (section, number) = code.as_str().split_at(3);
        let is_section = matches!(section, "E02" | "E03" | "E04" | "E05" | "E06" | "E08" | "W02" | "W06");
        is_section && number < "50" && !ELSEWHERE.contains(&code.as_str())
    };
    let missing: Vec<&Code> =
        Code::ALL.iter().filter(of_the_check).filter(|code| !shown.contains(&format!("{code}:"))).collect();
    assert!(missing.is_empty(), "no snapshot shows {missing:?}");
}

/// What a fix changes is mended: the file with all fixes in it has fewer messages than before.
#[test]
fn fixes_mend_what_they_are_about() {
    for file in ui::files("tests/ui/sema") {
        let text = std::fs::read_to_string(&file).unwrap();
        let before = compiled(&text).diagnostics;
        for (nth, diagnostic) in before.iter().enumerate() {
            let Some(fix) = &diagnostic.fix else { continue };
            let mut mended = text.clone();
            mended.replace_range(fix.span.range(), &fix.text);
            let after = compiled(&mended);
            let still = after.diagnostics.iter().filter(|other| other.message == diagnostic.message).count();
            let earlier = before.iter().filter(|other| other.message == diagnostic.message).count();
            assert!(still < earlier, "{} message {nth}: {}\n{}", file.display(), diagnostic.message, said(&after));
        }
    }
}
