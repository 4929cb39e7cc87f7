//! Files that use each other: one program, messages in the right file, and hashes that do not know where a line stands.

use std::path::{Path, PathBuf};

use mliot::compile::{Compiled, compile};
use mliot::diag::Code;

use crate::sema::{Memory, compiled, said};

const SOURCE: &str = "source room {\n  columns { at: time; co2: float<ppm> }\n  recorded csv(\"x.csv\")\n  time at\n}\n";
const AIR: &str = "param fresh: float<ppm> = 450\nstream air = room | set { stuffy = co2 > fresh }\n";
const OUT: &str = "sink out = air | to stdout\n";

/// The first file, and those that it may use.
fn together(files: &[(&str, &str)]) -> Compiled {
    let mut world = Memory::default();
    world.files.extend(files.iter().map(|(name, text)| (PathBuf::from(name), (*text).to_owned())));
    compile(Path::new(files[0].0), &world, &[])
}

#[test]
fn it_does_not_count_in_which_file_a_declaration_stands() {
    let whole = compiled(&format!("{SOURCE}{AIR}{OUT}"));
    let parted = together(&[
        ("room.mliot", &format!("use \"parts/air.mliot\"\n{OUT}")),
        ("parts/air.mliot", &format!("# The air.\nuse \"source.mliot\"\n{AIR}")),
        ("parts/source.mliot", SOURCE),
    ]);
    assert_eq!(said(&parted), "");
    assert_eq!(parted.graph, whole.graph);
}

#[test]
fn a_mistake_is_shown_in_the_file_that_has_it() {
    let air = AIR.replace("co2 > fresh", "co2 > 21degC");
    let out = together(&[("room.mliot", &format!("use \"air.mliot\"\n{SOURCE}{OUT}")), ("air.mliot", &air)]);
    let text = said(&out);
    assert!(text.contains("E0301") && text.contains("[air.mliot:2:36]"), "{text}");
    assert!(text.contains("[room.mliot:3:23]"), "the other place is in the other file: {text}");
}

#[test]
fn one_name_in_two_files_is_said_with_both_places() {
    let out = together(&[("room.mliot", &format!("use \"air.mliot\"\n{SOURCE}{AIR}{OUT}")), ("air.mliot", AIR)]);
    let twice: Vec<_> = out.diagnostics.iter().filter(|found| found.code == Code::E0202).collect();
    assert_eq!(twice.len(), 2, "{}", said(&out));
    for part in ["[air.mliot:1:7]", "[room.mliot:7:7]", "[air.mliot:2:8]", "[room.mliot:8:8]", "first here"] {
        assert!(said(&out).contains(part), "{part} in {}", said(&out));
    }
}

#[test]
fn files_may_use_each_other_and_are_read_once_by_whatever_path() {
    let out = together(&[
        ("room.mliot", &format!("use \"lib/air.mliot\"\nuse \"./lib/../lib/source.mliot\"\n{OUT}")),
        ("lib/air.mliot", &format!("use \"../room.mliot\"\nuse \"source.mliot\"\n{AIR}")),
        ("lib/source.mliot", SOURCE),
    ]);
    assert_eq!(said(&out), "");
    let files = ["room.mliot", "lib/air.mliot", "lib/source.mliot"].map(PathBuf::from);
    assert_eq!(out.files, files);
    let itself = together(&[("room.mliot", &format!("use \"room.mliot\"\n{SOURCE}{AIR}{OUT}"))]);
    assert_eq!(said(&itself), "");
}

/// A library is there for several, and not each of them reads all of it.
#[test]
fn what_nobody_reads_is_said_of_the_file_itself_only() {
    let spare = "param spare: int = 1\nlet more = 2\nstream slow = room | where co2 > 0\n";
    let out =
        together(&[("room.mliot", &format!("use \"air.mliot\"\n{SOURCE}{OUT}")), ("air.mliot", &format!("{AIR}{spare}"))]);
    assert_eq!(said(&out), "");
    let codes: Vec<Code> = compiled(&format!("{SOURCE}{AIR}{OUT}{spare}")).diagnostics.iter().map(|found| found.code).collect();
    assert_eq!(codes, [Code::W0202, Code::W0202, Code::W0201]);
}

#[test]
fn a_name_without_its_ending_is_mended() {
    let out = together(&[("room.mliot", &format!("use \"air\"\n{SOURCE}{OUT}")), ("air.mliot", AIR)]);
    let found = out.diagnostics.iter().find(|found| found.code == Code::E0207).unwrap();
    assert_eq!(found.fix.as_ref().unwrap().text, "\"air.mliot\"");
    assert_eq!(out.sources.text(found.fix.as_ref().unwrap().span), "\"air\"");
}
