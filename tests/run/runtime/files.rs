//! Whole files, from their text to their rows, with the real nodes.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use mliot::base::Name;
use mliot::compile::{Compiled, World, compile};
use mliot::diag::Diagnostic;
use mliot::host::Machines;
use mliot::io::{Mode, Place};
use mliot::ir::Value;
use mliot::plan::{Graph, lower};
use mliot::runtime::{Outcome, Recompile, Replay, Settings, replay, test};

/// Files in memory.
struct Texts(BTreeMap<&'static str, &'static str>);

impl World for Texts {
    fn read(&self, path: &Path) -> io::Result<String> {
        let text = path.to_str().and_then(|path| self.0.get(path));
        text.map(|text| (*text).to_owned()).ok_or_else(|| io::Error::from(io::ErrorKind::NotFound))
    }

    fn env(&self, _: &str) -> Option<String> {
        None
    }
}

impl Texts {
    fn compile(&self, path: &str, set: &[(String, String)]) -> Compiled {
        let compiled = compile(Path::new(path), self, set);
        let errors: Vec<&Diagnostic> = compiled.diagnostics.iter().filter(|found| found.is_error()).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        compiled
    }
}

struct Edits<'a> {
    texts: &'a Texts,
    set: Vec<(String, String)>,
}

impl Recompile for Edits<'_> {
    fn set(&mut self, param: &Name, value: &Value) -> Result<Graph, Vec<Diagnostic>> {
        self.set.push((param.to_string(), value.to_string()));
        Ok(lower(&self.texts.compile("a.mliot", &self.set).program))
    }

    fn file(&mut self, path: &Name) -> Result<Graph, Vec<Diagnostic>> {
        Ok(lower(&self.texts.compile(path, &self.set).program))
    }
}

fn machines(folder: &Path) -> Machines {
    Machines { place: Place::beside(folder), sinks: Mode::Recorded }
}

const AIR: &str = r#"
param fresh: float<ppm> = 450

source room {
  columns {
    at:  time
    co2: float<ppm>
  }
  recorded jsonl("room.jsonl")
  time     at
}

stream air = room
  | where co2 > 0
  | scan { rise = co2 - (previous(co2) else co2) }
  | set { stuffy = co2 > fresh }

sink out = air | select [at, rise, stuffy] | to jsonl("out.jsonl")

test "a reading of nothing is dropped, and the running difference goes past it" {
  given  room [
    { at: @2026-01-01T10:00:00Z; co2: 500 },
    { at: @2026-01-01T10:01:00Z; co2: 0 },
    { at: @2026-01-01T10:02:00Z; co2: 440 }
  ]
  expect air [ { co2: 500; rise: 0; stuffy: true }, { co2: 440; rise: -60; stuffy: false } ]
  expect air count 2
}

test "an edited limit counts from the next row on and the difference is kept" {
  given  room [ { at: @2026-01-01T10:00:00Z; co2: 480 } ]
  edit   set fresh = 500
  given  room [ { at: @2026-01-01T10:01:00Z; co2: 490 } ]
  expect air [ { rise: 0; stuffy: true }, { rise: 10; stuffy: false } ]
  expect changes { air.stuffy: retuned; air.rise: same }
  expect lost 0, doubled 0
}

test "this one expects too much" {
  given  room [ { at: @2026-01-01T10:00:00Z; co2: 480 } ]
  expect air count 2
  expect air [ { rise: 1 } ]
}
"#;

fn tests_of(texts: &Texts) -> Vec<Outcome> {
    let compiled = texts.compile("a.mliot", &[]);
    let graph = lower(&compiled.program);
    let parts = machines(Path::new("."));
    let run = |one| test(one, &graph, &parts, &mut Edits { texts, set: vec![] });
    compiled.program.tests.iter().map(run).collect()
}

#[test]
fn test_blocks_pass_and_fail_as_they_should() {
    let outcomes = tests_of(&Texts(BTreeMap::from([("a.mliot", AIR)])));
    assert_eq!(outcomes.len(), 3);
    assert_eq!(outcomes[0].failures, [], "{}", outcomes[0].name);
    assert_eq!(outcomes[1].failures, [], "{}", outcomes[1].name);
    let messages: Vec<&str> = outcomes[2].failures.iter().map(|failure| failure.message.as_str()).collect();
    assert_eq!(messages, ["`air` has 1 rows, expected 2", "row 1 is not as expected"]);
    let table = outcomes[2].failures[1].table.as_deref().expect("the rows side by side");
    let shown: Vec<&str> = table.lines().nth(1).expect("one row").split_whitespace().collect();
    assert_eq!(shown, ["1", "rise:", "1", "rise:", "0"]);
}

#[test]
fn a_replay_reads_files_writes_files_and_keeps_its_books() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut text = String::new();
    for minute in 0..500 {
        let co2 = if minute % 10 == 9 { 0 } else { 400 + minute };
        text += &format!("{{\"at\": \"2026-01-01T{:02}:{:02}:00Z\", \"co2\": {co2}}}\n", minute / 60, minute % 60);
    }
    text += "{\"at\": \"2026-01-02T00:00:00Z\", \"co2\": \"much\"}\n";
    std::fs::write(folder.path().join("room.jsonl"), text).expect("the recording");
    let graph = lower(&Texts(BTreeMap::from([("a.mliot", AIR)])).compile("a.mliot", &[]).program);
    let mut bytes = Vec::new();
    for batch_rows_max in [1, 7, 8_192] {
        let settings = Settings { batch_rows_max, ..Settings::default() };
        let mut told = 0;
        let mut progress = |status: mliot::runtime::Status| {
            told = status.rows;
            true
        };
        let parts = machines(folder.path());
        let run = Replay { parts: &parts, settings, assignments: BTreeMap::new(), progress: &mut progress };
        let done = replay(&graph, run).expect("it starts");
        assert_eq!(done.findings, []);
        assert_eq!((done.rows, told), (500, 500));
        let node = |name: &str| done.nodes.iter().find(|node| node.name == name).expect("a node of the report").clone();
        assert_eq!((node("room/decode").input, node("room/decode").dropped["bad"]), (501, 1));
        assert_eq!((node("air/where").passed, node("air/where").dropped["where"]), (450, 50));
        assert!(done.edges.iter().all(|edge| edge.sent == edge.received));
        assert_eq!(done.sinks[0].taken, 450);
        bytes.push(std::fs::read(folder.path().join("out.jsonl")).expect("the sink's file"));
    }
    assert_eq!(bytes[0].iter().filter(|byte| **byte == b'\n').count(), 450);
    assert!(bytes.windows(2).all(|pair| pair[0] == pair[1]), "any size of batches gives equal bytes");
}

#[test]
fn tasks_that_learn_from_predictions_come_after_those_that_make_them() {
    use super::program::{File, Pipe};
    let graph = File::default()
        .source("lab", 0)
        .stream("guesses", "lab", Pipe::new().predict("level"))
        .task("level", "lab", &["v"])
        .task("second", "guesses", &["guess"])
        .sink("out", "guesses")
        .graph();
    let order = mliot::runtime::learning_order(&graph);
    let names: Vec<Vec<&str>> = order.iter().map(|group| group.iter().map(Name::as_str).collect()).collect();
    assert_eq!(names, [["level"], ["second"]]);
    let part = mliot::runtime::upstream(&graph, &order[0]);
    let keys: Vec<String> = part.nodes.keys().map(ToString::to_string).collect();
    assert_eq!(keys, ["lab/connection", "lab/decode", "lab/gate", "level/task"], "no sink, no prediction");
}
