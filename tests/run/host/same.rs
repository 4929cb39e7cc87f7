//! The same rows give the same bytes: in batches of any size, in a replay and in the live shell, in one go and over a restart.

use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{Array, Float64Array, RecordBatch, cast::AsArray};
use arrow::datatypes::Float64Type;
use mliot::base::Name;
use mliot::diag::{Code, Diagnostic};
use mliot::host::{Job, Learned, Learner, Machines, Remembered, Trained};
use mliot::io::{Mode, Place};
use mliot::node::{Assignment, NodeError, Predictions, Predictor};
use mliot::plan::{Graph, Learn};
use mliot::runtime::{Deliver, Engine, Epoch, Parts, Progress, Replay, Settings, replay};

use super::super::runtime::classes::graph;
use super::bench::Bench;

const ROWS: u32 = 3_000;
const SINKS: [&str; 3] = ["guesses.jsonl", "panes.jsonl", "sets.jsonl"];

/// A filter, a scan, windows in time and in rows, and predictions.
fn pipeline(ends: &str) -> String {
    format!(
        r#"
source lab {{
  columns {{
    at:  time
    key: text?
    v:   float?
    y:   float?
  }}
  {ends}
  time at, lateness 2s
}}

stream warm = lab
  | where v > -2
  | scan by key {{ total = cumulative(sum(v)); smooth = ewma(v, 10s); before = lag(v, 2) }}

stream panes = warm | window 5s every 2s by key {{ n = count(); mean = mean(v); top = max(total) }}
stream sets  = warm | window 7 rows every 3 rows by key {{ last = last(v); sum = sum(smooth) }}

task level = regress y from warm {{
  features [v, total, smooth]
  policy   plain
}}

policy plain {{
  minimize mae
  search   1 trials, 1s
  validate last 20%
}}

sink guesses = warm | predict level as guess | to jsonl("guesses.jsonl")
sink panes_k = panes | to jsonl("panes.jsonl")
sink sets_k  = sets | to jsonl("sets.jsonl")
"#
    )
}

const RECORDED: &str = r#"recorded jsonl("in.jsonl")"#;
const LIVE: &str = r#"live tail("in.jsonl", from: start)"#;

/// Rows from `from` to before `to`, in the order of their times, which is the one in which a recording is read; some come at
/// the same time, some lack a key or a value. The last one of all lies far ahead, so that whatever is open before it fires.
fn lines(from: u32, to: u32) -> String {
    let mut text = String::new();
    for n in from..to {
        let far = if n + 1 == ROWS { 3_600_000 } else { 0 };
        let at = mliot::base::Time((1_767_225_600_000 + i64::from(n / 2 * 2) * 130 + far) * 1_000);
        let key = if far > 0 { 0 } else { n * 7 % 13 % 4 };
        let key = ["\"a\"", "\"b\"", "\"c\"", "null"][key as usize];
        let value = if n % 17 == 5 { "null".to_owned() } else { format!("{}", f64::from(n * 37 % 101) / 4.0 - 5.0) };
        writeln!(text, r#"{{"at": "{at}", "key": {key}, "v": {value}, "y": {}}}"#, n % 5).unwrap();
    }
    text
}

/// Answers with a sum of its features.
#[derive(Debug)]
struct Sums;

impl Predictor for Sums {
    fn predict(&self, rows: &RecordBatch) -> Result<Predictions, NodeError> {
        let columns: Vec<&Float64Array> = rows.columns().iter().map(|column| column.as_primitive::<Float64Type>()).collect();
        let cell = |column: &&Float64Array, row: usize| column.is_valid(row).then(|| column.value(row));
        let sum = |row: usize| columns.iter().map(|column| cell(column, row)).sum::<Option<f64>>();
        Ok(Predictions { values: Arc::new((0..rows.num_rows()).map(sum).collect::<Float64Array>()), scores: None })
    }

    fn version(&self) -> &str {
        "level-1"
    }
}

/// Has always known.
struct Knows;

impl Learner for Knows {
    fn champion(&self, _: &Learn, _: &Graph) -> Result<Option<Remembered>, Diagnostic> {
        let learned = Learned { model: Arc::new(Sums), family: "sums".into(), metric: None, notes: Vec::new() };
        Ok(Some(Remembered { learned: Some(learned), search: false, words: "there is one".into() }))
    }

    fn version(&self, _: &Name, _: &str) -> Option<Arc<dyn Predictor>> {
        Some(Arc::new(Sums))
    }

    fn train(&self, _: &Job) -> Result<Trained, Diagnostic> {
        Err(Diagnostic::new(Code::R0001, "there is nothing to learn"))
    }
}

fn written(folder: &Path) -> [Vec<u8>; 3] {
    SINKS.map(|name| std::fs::read(folder.join(name)).unwrap_or_default())
}

fn machines(folder: &Path, sinks: Mode) -> Machines {
    Machines { place: Place::beside(folder), sinks }
}

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("in.jsonl"), lines(0, ROWS)).unwrap();
    folder
}

/// By the stepping driver, in one go.
fn replayed(batch_rows_max: usize) -> [Vec<u8>; 3] {
    let folder = folder();
    let parts = machines(folder.path(), Mode::Recorded);
    let settings = Settings { batch_rows_max, ..Settings::default() };
    let assignments = [("level".into(), Assignment::always(Arc::new(Sums)))].into();
    let graph = graph(&pipeline(RECORDED));
    let done = replay(&graph, Replay { parts: &parts, settings, assignments, progress: &mut |_| true }).expect("it starts");
    assert!(done.findings.is_empty(), "{:?}", done.findings);
    written(folder.path())
}

/// By the stepping driver, ended after some rows and taken up again from an epoch. The sinks are appended to.
fn replayed_in_two(batch_rows_max: usize, first_rows: u64) -> [Vec<u8>; 3] {
    let folder = folder();
    let settings = Settings { batch_rows_max, ..Settings::default() };
    let graph = graph(&pipeline(RECORDED));
    let parts = machines(folder.path(), Mode::Recorded);
    let mut engine = Engine::start(settings, &graph, &parts).expect("it starts");
    engine.assign(&"level".into(), Some(Arc::new(Sums)));
    drive(&mut engine, &parts, Some(first_rows));
    let epoch: Epoch = engine.epoch().expect("every node can save").expect("it says where it stands");
    drop(engine);
    let parts = machines(folder.path(), Mode::Live);
    let mut models = |_: &Name, _: &str| Some(Arc::new(Sums) as Arc<dyn Predictor>);
    let restored = Engine::restore(settings, epoch, &parts, &mut models).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    assert!(restored.findings.is_empty(), "{:?}", restored.findings);
    let mut engine = restored.engine;
    drive(&mut engine, &parts, None);
    written(folder.path())
}

fn drive(engine: &mut Engine, parts: &Machines, rows: Option<u64>) {
    let graph = engine.graph().clone();
    let mut sinks: Vec<(Name, Box<dyn Deliver>)> = engine
        .outboxes()
        .map(|outbox| {
            let spec = graph.nodes.values().find(|spec| spec.key.decl == outbox.sink && outbox_of(spec)).expect("a sink");
            (outbox.sink.clone(), parts.deliver(spec, None).expect("it opens"))
        })
        .collect();
    let stop = rows.map(mliot::node::Ordinal);
    while stop.is_none_or(|stop| engine.next() < stop) && engine.step_until(stop) != Progress::Ended {
        for outbox in engine.outboxes_mut() {
            let (_, sink) = sinks.iter_mut().find(|(name, _)| *name == outbox.sink).expect("a writer");
            while let Some(rows) = outbox.take() {
                sink.deliver(&rows).expect("it is written");
            }
        }
    }
    for outbox in engine.outboxes_mut() {
        let (_, sink) = sinks.iter_mut().find(|(name, _)| *name == outbox.sink).expect("a writer");
        while let Some(rows) = outbox.take() {
            sink.deliver(&rows).expect("it is written");
        }
    }
    sinks.iter_mut().for_each(|(_, sink)| sink.finish().expect("it ends"));
    assert!(engine.take_findings().is_empty());
}

fn outbox_of(spec: &mliot::plan::NodeSpec) -> bool {
    matches!(spec.op, mliot::plan::NodeOp::Accept(_))
}

/// By the live shell: what stands in its files when they have as many lines as `wanted`, with an end and another beginning
/// after each of `parts` of the rows but the last.
fn live(parts: &[u32], wanted: &[Vec<u8>; 3]) -> [Vec<u8>; 3] {
    let mut folder = tempfile::tempdir().unwrap();
    let text = pipeline(LIVE);
    let mut from = 0;
    for to in parts {
        let mut file = OpenOptions::new().create(true).append(true).open(folder.path().join("in.jsonl")).unwrap();
        file.write_all(lines(from, *to).as_bytes()).unwrap();
        let bench = Bench::keeping(folder, &text, |parts| parts, Arc::new(Knows));
        let rows = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'\n').count();
        let passed = lines(0, *to).lines().filter(|line| passes(line)).count();
        bench.grows_to(SINKS[0], passed);
        if *to == ROWS {
            SINKS.iter().zip(wanted).for_each(|(name, wanted)| bench.grows_to(name, rows(wanted)));
        }
        folder = bench.end().1;
        from = *to;
    }
    written(folder.path())
}

/// Does the filter of the pipeline let the row of this line through?
fn passes(line: &str) -> bool {
    let row: serde_json::Value = serde_json::from_str(line).unwrap();
    row["v"].as_f64().is_some_and(|v| v > -2.0)
}

#[test]
fn batches_of_any_size_and_restarts_write_the_same_bytes() {
    let wanted = replayed(1);
    assert!(wanted.iter().all(|bytes| bytes.len() > 10_000), "{:?}", wanted.each_ref().map(Vec::len));
    for rows in [7, 1_000, 8_192] {
        assert!(replayed(rows) == wanted, "in batches of {rows} rows");
    }
    for (rows, first) in [(7, 1_234), (1_000, 777)] {
        assert!(replayed_in_two(rows, first) == wanted, "in batches of {rows} rows, over a restart after {first}");
    }
}

/// What is live does not end, so the windows of its last row stay open; everything before them is there.
#[test]
fn a_live_run_writes_the_bytes_of_a_replay_with_and_without_a_restart() {
    let replayed = replayed(8_192);
    let last = "2026-01-01T01:0";
    let open = |line: &[u8]| std::str::from_utf8(line).is_ok_and(|line| line.contains(last));
    let closed = |bytes: &Vec<u8>| -> Vec<u8> {
        bytes.split_inclusive(|byte| *byte == b'\n').filter(|line| !open(line)).flatten().copied().collect()
    };
    let [guesses, panes, sets] = &replayed;
    let wanted = [guesses.clone(), closed(panes), sets.clone()];
    assert!(wanted[1].len() < replayed[1].len());
    assert!(live(&[ROWS], &wanted) == wanted, "in one go");
    assert!(live(&[ROWS / 3, ROWS / 2, ROWS], &wanted) == wanted, "over two restarts");
}
