//! An epoch and the log behind it make the same running graph again: same rows, same books, same states, bit for bit.

mod script;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Float64Array, RecordBatch, cast::AsArray};
use arrow::datatypes::Float64Type;
use mliot::base::Name;
use mliot::node::{NodeError, Ordinal, Predictions, Predictor, State};
use mliot::plan::{Graph, NodeKey};
use mliot::runtime::{
    EdgeReport, Engine, Epoch, Life, NodeReport, Progress, Record, Restored, Row, Settings, Side, from_table,
};
use proptest::prelude::*;

use super::program::{File, Pipe, above, times};
use super::steps::rows;
use script::{Full, Memory, Script, Scripts, word};

/// Says so many times its one feature.
#[derive(Debug)]
struct Model(String, f64);

impl Predictor for Model {
    fn predict(&self, rows: &RecordBatch) -> Result<Predictions, NodeError> {
        let values: Float64Array = rows.column(0).as_primitive::<Float64Type>().unary(|v| v * self.1);
        Ok(Predictions { values: Arc::new(values), scores: None })
    }

    fn version(&self) -> &str {
        &self.0
    }
}

fn model(version: &str) -> Option<Arc<dyn Predictor>> {
    let factor = version.rsplit_once('-')?.1.parse().ok()?;
    Some(Arc::new(Model(version.to_owned(), factor)))
}

/// Several sources, windows, scans, merges and a model; `bound` and `seconds` are what edits change.
fn graph(bound: f64, seconds: i64, wide: bool) -> Graph {
    let mut file = File::default()
        .source("lab", 1)
        .live("lab")
        .source("hall", 2)
        .live("hall")
        .stream("warm", "lab", Pipe::new().filter(above("v", bound)))
        .stream("sums", "warm", Pipe::new().sum("so_far", "v").set("twice", times("so_far", 2.0)))
        .stream("both", "lab", Pipe::new().union(&["hall", "warm"]))
        .stream("all", "both", Pipe::new().sum("so_far", "v"))
        .stream("panes", "both", Pipe::new().filter(above("v", 1.0)).window(seconds, "v"))
        .stream("guessed", "hall", Pipe::new().predict("level"))
        .task("level", "warm", &["v"])
        .sink("to_sums", "sums")
        .sink("to_all", "all")
        .sink("to_panes", "panes")
        .sink("to_guessed", "guessed");
    if wide {
        file = file.stream("extra", "hall", Pipe::new().window(3, "v")).sink("to_extra", "extra");
    }
    file.graph()
}

#[derive(Clone, Debug)]
enum Act {
    Come(bool, usize),
    Drain,
    Edit(f64, i64, bool),
    Assign(u8),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        6 => (any::<bool>(), 1usize..5).prop_map(|(lab, rows)| Act::Come(lab, rows)),
        2 => Just(Act::Drain),
        1 => (1u8..6, 2i64..6, any::<bool>()).prop_map(|(bound, seconds, wide)| Act::Edit(f64::from(bound), seconds, wide)),
        1 => (1u8..5).prop_map(Act::Assign),
    ];
    prop::collection::vec(act, 1..40)
}

type Tables = BTreeMap<Name, Vec<Row>>;

/// A running graph with what its sinks gave.
struct Run {
    engine: Engine,
    scripts: Scripts,
    sinks: Tables,
}

fn settings() -> Settings {
    Settings { batch_rows_max: 5, life: Life::Run, ..Settings::default() }
}

impl Run {
    fn start(scripts: Scripts) -> Run {
        let engine = Engine::start(settings(), &graph(3.0, 4, false), &scripts).expect("the graph starts");
        Run { engine, scripts, sinks: Tables::new() }
    }

    fn step(&mut self) {
        while matches!(self.engine.step(), Progress::Rows(_)) {}
    }

    fn under_way(&self) -> Vec<EdgeReport> {
        self.engine.edge_reports().into_iter().filter(|edge| edge.sent != edge.received).collect()
    }

    fn drain(&mut self) {
        for outbox in self.engine.outboxes_mut() {
            while let Some(rows) = outbox.take() {
                self.sinks.entry(outbox.sink.clone()).or_default().extend(from_table(&rows));
            }
        }
        self.engine.forget_retired(|_| true);
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Come(lab, rows) => self.scripts.live(if *lab { "lab" } else { "hall" }).more(*rows),
            Act::Drain => self.drain(),
            Act::Edit(bound, seconds, wide) => {
                _ = self.engine.apply_serving(&graph(*bound, *seconds, *wide), &self.scripts).expect("a good edit");
            }
            Act::Assign(factor) => {
                let model = model(&format!("level-{factor}")).expect("a version");
                _ = self.engine.promote(&"level".into(), Some(model), &self.scripts).expect("a good model");
            }
        }
    }

    fn finish(&mut self) -> (Vec<NodeReport>, BTreeMap<NodeKey, State>) {
        self.step();
        self.drain();
        let findings = self.engine.take_findings();
        assert!(findings.is_empty(), "{findings:#?}");
        let keys: Vec<NodeKey> = self.engine.slots().map(|slot| slot.key.clone()).collect();
        let states = keys.into_iter().map(|key| {
            let state = self.engine.slot_mut(&key).expect("it runs").node.save().expect("it saves");
            (key, state)
        });
        let states = states.collect();
        (self.engine.node_reports(), states)
    }
}

/// As another process reads it.
fn through_bytes(epoch: Epoch) -> Epoch {
    let books = serde_json::to_vec(&epoch.books).unwrap();
    let graph = serde_json::to_vec(&epoch.graph).unwrap();
    Epoch { books: serde_json::from_slice(&books).unwrap(), graph: serde_json::from_slice(&graph).unwrap(), ..epoch }
}

fn restored(epoch: Epoch, scripts: Scripts) -> Run {
    let Restored { engine, unopened, findings } =
        Engine::restore(settings(), through_bytes(epoch), &scripts, &mut |_, version| model(version)).expect("it comes back");
    assert!(unopened.is_empty() && findings.is_empty(), "{unopened:#?} {findings:#?}");
    Run { engine, scripts, sinks: Tables::new() }
}

fn redo(run: &mut Run, records: Vec<Record>) {
    for record in records {
        run.engine.redo(record, &run.scripts, &mut |_, version| model(version)).expect("it was done before");
    }
}

/// What is in `whole` behind what is in `part`, by sink.
fn behind(whole: &Tables, part: &Tables) -> Tables {
    let rest = |(sink, rows): (&Name, &Vec<Row>)| (sink.clone(), rows[part.get(sink).map_or(0, Vec::len)..].to_vec());
    whole.iter().map(rest).filter(|(_, rows)| !rows.is_empty()).collect()
}

fn scripts(lab: &[Row], hall: &[Row], recorded: usize, rereads: bool) -> Scripts {
    let mut all = Scripts::default();
    for (name, rows) in [("lab", lab), ("hall", hall)] {
        let (before, after) = rows.split_at(recorded.min(rows.len()));
        all.0.insert((name.into(), word(Side::Recorded)), Script::recorded(before));
        all.0.insert((name.into(), word(Side::Live)), Script::live(after, rereads));
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn an_epoch_and_its_log_give_what_the_uninterrupted_run_gives(
        lab in rows(40), hall in rows(40), recorded in 0usize..12, rereads in any::<bool>(),
        acts in acts(), at in 0usize..40, steps in 0usize..3,
    ) {
        let mut run = Run::start(scripts(&lab, &hall, recorded, rereads));
        let log = Memory::default();
        run.engine.keep(Box::new(log.clone()));
        let at = at % acts.len();
        for _ in 0..steps {
            run.engine.step();
        }
        let mut kept = None;
        for (nth, act) in acts.iter().enumerate() {
            run.act(act);
            if nth % 2 == 0 {
                run.step();
            }
            if nth == at {
                let taken = run.engine.epoch().expect("nodes can save");
                let epoch = taken.unwrap_or_else(|| panic!("rows are under way: {:#?}", run.under_way()));
                kept = Some((epoch, log.len(), run.sinks.clone()));
            }
        }
        let (books, states) = run.finish();
        let (epoch, from, before) = kept.expect("the epoch was taken");

        let mut again = restored(epoch, run.scripts.later());
        redo(&mut again, log.from(from));
        let (books_again, states_again) = again.finish();
        prop_assert_eq!(&again.sinks, &behind(&run.sinks, &before));
        prop_assert_eq!(books_again, books);
        prop_assert_eq!(states_again, states);
        prop_assert_eq!(again.engine.next(), run.engine.next());
        prop_assert_eq!(again.engine.graph(), run.engine.graph());
    }

    #[test]
    fn whatever_part_of_the_log_is_left_no_row_is_lost_or_doubled(
        lab in rows(40), hall in rows(40), recorded in 0usize..12, acts in acts(), left in 0usize..60,
    ) {
        let mut run = Run::start(scripts(&lab, &hall, recorded, true));
        let log = Memory::default();
        run.engine.keep(Box::new(log.clone()));
        let epoch = run.engine.epoch().expect("nodes can save").expect("nothing is under way");
        for act in acts.iter().filter(|act| !matches!(act, Act::Edit(..))) {
            run.act(act);
            run.step();
        }
        let mut again = restored(epoch, run.scripts.later());
        let records = log.from(0);
        let left = left % (records.len() + 1);
        redo(&mut again, records[..left].to_vec());
        for (name, count) in [("lab", lab.len()), ("hall", hall.len())] {
            again.scripts.live(name).more(count);
        }
        again.finish();
        let live = |all: &[Row]| all.iter().skip(recorded).cloned().collect::<Vec<Row>>();
        let mut wanted: Vec<Row> = live(&lab).into_iter().chain(live(&hall)).collect();
        wanted.extend(live(&lab).into_iter().filter(|row| matches!(row["v"], mliot::ir::Value::Float(v) if v > 3.0)));
        let plain = |row: &Row| ["at", "key", "v"].map(|name| format!("{:?}", row[name])).join(" ");
        let mut got: Vec<String> = again.sinks.get("to_all").into_iter().flatten().map(plain).collect();
        let mut wanted: Vec<String> = wanted.iter().map(plain).collect();
        got.sort();
        wanted.sort();
        prop_assert_eq!(got, wanted);
    }
}

#[test]
fn a_change_that_cannot_be_written_down_does_not_take_place() {
    let mut run = Run::start(scripts(&[], &[], 0, true));
    run.engine.keep(Box::new(Full));
    let before = run.engine.graph().clone();
    let wrong = run.engine.apply(&graph(5.0, 4, true), &run.scripts).expect_err("the disk is full");
    assert_eq!(wrong[0].code, mliot::diag::Code::R0104);
    assert_eq!(run.engine.graph(), &before);
    run.scripts.live("lab").more(0);
    run.finish();
    assert_eq!(run.engine.next(), Ordinal(0));
}

#[test]
fn a_source_that_is_gone_and_a_model_that_is_gone_are_named() {
    let lab = [super::program::row(1.0, "a", 2.0)];
    let mut run = Run::start(scripts(&lab, &[], 0, true));
    run.act(&Act::Assign(2));
    run.step();
    let epoch = run.engine.epoch().unwrap().unwrap();
    let restored = Engine::restore(settings(), epoch, &run.scripts, &mut |_, _| None).expect("the rest runs");
    assert_eq!(restored.findings.len(), 1, "{:#?}", restored.findings);
    assert!(restored.findings[0].message.contains("level-2"), "{:#?}", restored.findings);
    assert_eq!(restored.engine.version(&"level".into()), None);
}

/// The books of a merge that reads one node at two ports had been mixed up by a restart.
#[test]
fn two_edges_from_one_node_come_back_each_with_its_own_books() {
    let file = |pipe: Pipe| {
        File::default().source("lab", 0).live("lab").stream("both", "lab", pipe.union(&["lab"])).sink("out", "both")
    };
    let (filtered, plain) = (file(Pipe::new().filter(above("v", 3.0))).graph(), file(Pipe::new()).graph());
    let lab: Vec<Row> = (0..6).map(|second| super::program::row(f64::from(second), "a", 5.0)).collect();
    let scripts = scripts(&lab, &[], 3, true);
    let engine = Engine::start(settings(), &filtered, &scripts).expect("the graph starts");
    let mut run = Run { engine, scripts, sinks: Tables::new() };
    run.step();
    run.engine.apply(&plain, &run.scripts).expect("a good edit");
    run.scripts.live("lab").more(2);
    run.step();
    let before = run.engine.edge_reports();
    let again = restored(run.engine.epoch().unwrap().unwrap(), run.scripts.later());
    assert_eq!(again.engine.edge_reports(), before);
}
