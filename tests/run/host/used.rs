//! Files that the file uses: their edits are edits, and what is broken in them changes nothing.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use mliot::diag::Code;
use mliot::host::{HostEvent, Limits};

use super::bench::{Bench, Counting};

const ROOM: &str = r#"
use "air.mliot"

source room {
  columns { at: time; co2: float<ppm> }
  live simulate { rows 200 per 1s; seed 8; columns { co2 = walk(400..900, step: 20) } }
  time at
}

sink out = air | to jsonl("out.jsonl")
"#;

fn air(fresh: u32) -> String {
    format!("stream air = room | set {{ stuffy = co2 > {fresh}ppm }}\n")
}

/// A run whose file uses `air.mliot`.
fn start(limits: Limits) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("air.mliot"), air(800)).unwrap();
    let bench = Bench::run(folder, ROOM, |parts| parts, limits, Arc::<Counting>::default(), false);
    bench.started();
    bench
}

fn words(event: &HostEvent) -> Option<String> {
    match event {
        HostEvent::EditApplied { words, .. } => Some(words.join("; ")),
        HostEvent::EditRefused(messages) => panic!("refused: {:#?}", messages.diagnostics),
        HostEvent::FileTrouble { path, why } => panic!("{path} {why}"),
        _ => None,
    }
}

#[test]
fn a_used_file_is_edited_like_the_file_itself() {
    for poll in [None, Some(Duration::from_millis(50))] {
        let bench = start(Limits { poll, ..Limits::default() });
        fs::write(bench.path("air.mliot"), air(500)).unwrap();
        let said = bench.wait_host("applied edit", words);
        assert!(said.contains("air.stuffy retuned"), "{said}");

        fs::write(bench.path("air.mliot"), air(500).replace("co2 >", "co3 >")).unwrap();
        bench.wait_host("refused edit", |event| match event {
            HostEvent::EditRefused(messages) => {
                let found = &messages.diagnostics[0];
                let file = &messages.sources.get(found.span().unwrap().source).name;
                assert!(found.code == Code::E0201 && file.ends_with("air.mliot"), "{found:?} in {file}");
                Some(())
            }
            _ => None,
        });
        let (summary, _) = bench.end();
        let edits = summary.status.edits;
        assert_eq!((edits.applied, edits.refused, edits.unchanged), (1, 1, 0));
    }
}

#[test]
fn a_used_file_that_is_gone_changes_nothing_and_may_come_back_changed() {
    let bench = start(Limits::default());
    fs::remove_file(bench.path("air.mliot")).unwrap();
    bench.wait_host("word about the file", |event| match event {
        HostEvent::FileTrouble { path, why } if path.ends_with("air.mliot") => (why == "is gone").then_some(()),
        _ => None,
    });
    let missing = bench.refused(&ROOM.replace("200 per", "100 per"));
    assert_eq!(missing[0].code, Code::E0207, "{missing:?}");
    fs::write(bench.path("air.mliot"), air(500)).unwrap();
    let said = bench.wait_host("applied edit", words);
    assert!(said.contains("air.stuffy retuned"), "{said}");
    bench.end();
}

/// A declaration that moves to another file is no change, and that file is followed from then on.
#[test]
fn a_declaration_may_move_to_a_new_file() {
    let bench = start(Limits::default());
    fs::write(bench.path("more.mliot"), air(800)).unwrap();
    fs::write(bench.path("air.mliot"), "use \"more.mliot\"\n").unwrap();
    bench.wait_host("word that nothing has changed", |event| matches!(event, HostEvent::EditUnchanged).then_some(()));
    fs::write(bench.path("more.mliot"), air(500)).unwrap();
    let said = bench.wait_host("applied edit", words);
    assert!(said.contains("air.stuffy retuned"), "{said}");
    let (summary, _) = bench.end();
    assert_eq!((summary.status.edits.applied, summary.status.edits.refused), (1, 0));
}
