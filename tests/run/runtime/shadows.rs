//! A model goes on with the features that it was trained with while the file's change, until another takes its place.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, Float64Array, RecordBatch, cast::AsArray};
use arrow::datatypes::Float64Type;
use mliot::base::{Name, Time};
use mliot::ir::{Op, Value};
use mliot::node::{Assignment, NodeError, Predictions, Predictor};
use mliot::plan::{Graph, lower};
use mliot::runtime::{Askers, Row, Served, to_table};
use proptest::prelude::*;

use super::bench::{Bench, Nodes, World};
use super::program::{File, Pipe, above, row, times};
use super::steps::rows;

/// Answers the sum of so many features times a factor.
#[derive(Debug)]
struct Model {
    version: &'static str,
    features: usize,
    factor: f64,
}

impl Predictor for Model {
    fn predict(&self, rows: &RecordBatch) -> Result<Predictions, NodeError> {
        assert_eq!(rows.num_columns(), self.features, "a model is fed by the features that it was trained with");
        let columns: Vec<&Float64Array> = rows.columns().iter().map(|column| column.as_primitive::<Float64Type>()).collect();
        let sum = |row: usize| columns.iter().map(|column| column.value(row)).sum::<f64>() * self.factor;
        let values: Float64Array = (0..rows.num_rows()).map(|row| Some(sum(row))).collect();
        Ok(Predictions { values: Arc::new(values), scores: None })
    }

    fn version(&self) -> &str {
        self.version
    }
}

fn first() -> Arc<dyn Predictor> {
    Arc::new(Model { version: "level-1", features: 1, factor: 3.0 })
}

/// What a text says about the features.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Text {
    /// `where v > bound`.
    bound: f64,
    /// The running sum is of this many times `v`.
    step: f64,
    /// `set w = so_far * scale`.
    scale: f64,
    /// Is `v` a feature beside `w`?
    wide: bool,
}

const BEFORE: Text = Text { bound: 2.0, step: 1.0, scale: 2.0, wide: false };

impl Text {
    fn features(self) -> Vec<Name> {
        if self.wide { vec!["w".into(), "v".into()] } else { vec!["w".into()] }
    }

    fn graph(self) -> Graph {
        let summed = match self.step == 1.0 {
            true => Pipe::new().filter(above("v", self.bound)).sum("so_far", "v"),
            false => Pipe::new().filter(above("v", self.bound)).set("u", times("v", self.step)).sum("so_far", "u"),
        };
        let features = summed.set("w", times("so_far", self.scale));
        let names = self.features();
        let names: Vec<&str> = names.iter().map(|name| &**name).collect();
        let mut file = File::default()
            .source("lab", 1)
            .stream("features", "lab", features.clone())
            .stream("guesses", "lab", features.predict("level"))
            .task("level", "features", &names)
            .sink("out", "guesses");
        let stages = &mut file.0.streams.get_mut("guesses").expect("it was declared").stages;
        // As `guesses = features | predict level`.
        let predict = stages.pop().expect("its last stage");
        *stages = vec![predict];
        let Op::Predict(op) = &mut stages[0].op else { unreachable!("it predicts") };
        op.features = self.features();
        file.0.streams.get_mut("guesses").expect("it was declared").input.from = "features".into();
        file.graph()
    }

    fn second(self) -> Arc<dyn Predictor> {
        Arc::new(Model { version: "level-2", features: self.features().len(), factor: 5.0 })
    }
}

fn other_text() -> impl Strategy<Value = Text> {
    let bound = prop_oneof![2 => Just(BEFORE.bound), 1 => Just(4.0)];
    let texts = (bound, prop_oneof![Just(1.0), Just(2.0)], prop_oneof![Just(2.0), Just(7.0)], any::<bool>());
    let texts = texts.prop_map(|(bound, step, scale, wide)| Text { bound, step, scale, wide });
    texts.prop_filter("its features are others", |text| Text { bound: BEFORE.bound, ..*text } != BEFORE)
}

/// A number that is the row's own.
fn numbered(rows: Vec<Row>) -> Vec<Row> {
    let number = |(nth, mut row): (usize, Row)| {
        row.insert("at".into(), Value::Time(Time(nth as i64 * 1_000_000)));
        row
    };
    rows.into_iter().enumerate().map(number).collect()
}

fn number(row: &Row) -> u64 {
    let Value::Time(at) = row["at"] else { panic!("every row has a time") };
    (at.0 / 1_000_000) as u64
}

fn world(rows: &[Row]) -> World {
    World::with(&BTreeMap::from([("lab".into(), rows.to_vec())]), Nodes::Real)
}

/// All rows of the old text with the old model, by number.
fn oracle(rows: &[Row]) -> BTreeMap<u64, Row> {
    let world = world(rows);
    let mut bench = Bench::start(&world, &BEFORE.graph(), 1_000);
    bench.engine.assign_all(&"level".into(), Assignment::always(first()));
    bench.finish();
    bench.check();
    bench.sinks.remove("out").unwrap_or_default().into_iter().map(|row| (number(&row), row)).collect()
}

fn float(row: &Row, name: &str) -> f64 {
    let Value::Float(value) = row[name] else { panic!("{name} of {row:?}") };
    value
}

fn edit(bench: &mut Bench, text: Text) -> Vec<Served> {
    bench.engine.apply_serving(&text.graph(), bench.world).expect("a good edit").1
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn old_features_serve_until_a_new_model_takes_over_at_one_row(
        rows in rows(60), texts in prop::collection::vec(other_text(), 1..4), mut at in prop::collection::vec(0u64..60, 5),
        size in 1usize..20,
    ) {
        let rows = numbered(rows);
        let (old, world) = (oracle(&rows), world(&rows));
        at.sort();
        let mut bench = Bench::start(&world, &BEFORE.graph(), size);
        bench.engine.assign(&"level".into(), Some(first()));
        let mut bounds = vec![(0, BEFORE.bound)];
        for (text, at) in texts.iter().zip(&at) {
            bench.run_to(*at);
            bounds.push((bench.engine.next().0, text.bound));
            let graph = bench.engine.graph().clone();
            let served = edit(&mut bench, *text);
            prop_assert!(served.iter().all(|one| one.goes_on && one.version == "level-1"), "{:?}", served);
            prop_assert!(bench.engine.graph().is_shadowed(&"level".into()), "{:?}", graph.nodes.keys());
        }
        bench.run_to(at[4]);
        let text = *texts.last().expect("at least one");
        let switched = bench.engine.promote(&"level".into(), Some(text.second()), &world).expect("nothing hinders it").0;
        prop_assert_eq!(bench.engine.graph(), &text.graph(), "nothing hidden is left");
        bench.finish();
        bench.check();
        let given = bench.sinks.remove("out").unwrap_or_default();
        let passed = |row: &&Row| {
            let bound = bounds.iter().rev().find(|(from, _)| *from <= number(row)).expect("from the first row on").1;
            float(row, "v") > bound
        };
        let passed: Vec<u64> = rows.iter().filter(passed).map(number).collect();
        prop_assert_eq!(&given.iter().map(number).collect::<Vec<_>>(), &passed, "none lost, none doubled");
        for row in &given {
            let answered = (&row["guess"], &row["guess_version"]);
            if number(row) >= switched {
                let features: f64 = text.features().iter().map(|name| float(row, name)).sum();
                prop_assert_eq!(answered, (&Value::Float(features * 5.0), &Value::Text("level-2".into())), "{:?}", row);
            } else if let Some(old) = old.get(&number(row)) {
                prop_assert_eq!(answered, (&old["guess"], &old["guess_version"]), "{:?}", row);
            } else {
                prop_assert_eq!(answered, (&Value::Null, &Value::Null), "the old path dropped it: {:?}", row);
            }
        }
    }

    /// Whatever was written in between: the old text again is the old text, and its model never noticed.
    #[test]
    fn an_edit_of_features_that_is_taken_back_leaves_no_trace(
        rows in rows(60), texts in prop::collection::vec(other_text(), 1..3), mut at in prop::collection::vec(0u64..60, 3),
        size in 1usize..20,
    ) {
        let rows = numbered(rows);
        let (old, world) = (oracle(&rows), world(&rows));
        at.sort();
        let mut bench = Bench::start(&world, &BEFORE.graph(), size);
        bench.engine.assign(&"level".into(), Some(first()));
        for (text, at) in texts.iter().zip(&at) {
            bench.run_to(*at);
            edit(&mut bench, *text);
        }
        bench.run_to(at[2]);
        let back = bench.engine.next().0;
        prop_assert_eq!(edit(&mut bench, BEFORE), vec![], "nothing has to be kept beside the file");
        prop_assert_eq!(bench.engine.graph(), &BEFORE.graph());
        bench.finish();
        bench.check();
        let given: Vec<Row> = bench.sinks.remove("out").unwrap_or_default();
        let (got, want): (Vec<&Row>, Vec<&Row>) =
            (given.iter().filter(|row| number(row) >= back).collect(), old.range(back..).map(|(_, row)| row).collect());
        prop_assert_eq!(got, want, "from row {} on", back);
    }
}

fn ten() -> Vec<Row> {
    numbered((0..10).map(|_| row(0.0, "a", 5.0)).collect())
}

#[test]
fn requests_are_answered_through_the_old_features_too() {
    let rows = ten();
    let world = world(&rows);
    let mut bench = Bench::start(&world, &BEFORE.graph(), 4);
    bench.engine.assign(&"level".into(), Some(first()));
    bench.run_to(5);
    let text = Text { step: 2.0, wide: true, ..BEFORE };
    edit(&mut bench, text);
    bench.run_to(7);
    let (mut askers, task) = (Askers::default(), Name::from("level"));
    let request = || to_table(&Pipe::new().columns(), &[row(7.0, "a", 5.0)]).expect("a row");
    let old = askers.ask(&mut bench.engine, &world, &task, request(), Time(0)).expect("an answer");
    assert_eq!(old.version.as_deref(), Some("level-1"));
    assert_eq!(old.values.as_primitive::<Float64Type>().value(0), 8.0 * 5.0 * 2.0 * 3.0, "seven rows before it, and itself");
    bench.engine.promote(&task, Some(text.second()), &world).expect("nothing hinders it");
    let new = askers.ask(&mut bench.engine, &world, &task, request(), Time(0)).expect("an answer");
    assert_eq!(new.version.as_deref(), Some("level-2"));
    assert_eq!(new.values.as_primitive::<Float64Type>().value(0), (8.0 * 10.0 * 2.0 + 5.0) * 5.0, "the new sum has all rows");
    assert!(new.values.is_valid(0));
}

#[test]
fn other_windows_have_no_old_features() {
    let file = |seconds: i64| {
        let features = Pipe::new().window(seconds, "v");
        let mut file = File::default()
            .source("lab", 0)
            .stream("panes", "lab", features.clone())
            .stream("guesses", "lab", features.predict("level"))
            .task("level", "panes", &["total"])
            .sink("out", "guesses");
        let stages = &mut file.0.streams.get_mut("guesses").expect("it was declared").stages;
        let Op::Predict(op) = &mut stages[1].op else { unreachable!("it predicts") };
        op.features = vec!["total".into()];
        lower(&file.0)
    };
    let rows = ten();
    let world = world(&rows);
    let mut bench = Bench::start(&world, &file(2), 4);
    bench.engine.assign(&"level".into(), Some(first()));
    bench.run_to(5);
    let (_, served) = bench.engine.apply_serving(&file(3), &world).expect("a good edit");
    assert_eq!(served, [Served { task: "level".into(), version: "level-1".into(), goes_on: false }]);
    assert_eq!(bench.engine.graph(), &file(3));
    let before = bench.sinks["out"].len();
    bench.finish();
    assert!(bench.sinks["out"].len() > before, "rows go on");
    assert!(bench.sinks["out"][before..].iter().all(|row| row["guess"] == Value::Null && row["guess_version"] == Value::Null));
    bench.check();
}

/// Features of windows: the file's own window is rebuilt with the new meaning, the hidden copy goes on with the state that the
/// running one had, and an aggregate that is added in the same edit leaves it alone.
#[test]
fn a_window_that_is_rebuilt_leaves_the_old_features_to_the_model() {
    use super::classes::graph;
    let text = |factor: f64, more: &str| {
        graph(&format!(
            "source lab {{ columns {{ at: time; key: text; v: float }}; recorded jsonl(\"lab.jsonl\"); time at, lateness 1s }}\n\
             stream panes = lab | set {{ u = v * {factor:?} }} | window 5s by key {{ m = 1.0 * count(); total = sum(u){more} }}\n\
             policy plain {{ minimize mae; search 1 trials; validate last 20% }}\n\
             task level = regress m from panes {{ features [total]; policy plain }}\n\
             sink out = panes | predict level as guess | to jsonl(\"out.jsonl\")\n"
        ))
    };
    let rows: Vec<Row> = (0..60).map(|n| row(f64::from(n), ["a", "b"][n as usize % 2], f64::from(n % 7))).collect();
    let run = |edits: &[(u64, Graph)]| {
        let world = world(&rows);
        let mut bench = Bench::start(&world, &edits[0].1, 4);
        bench.engine.assign(&"level".into(), Some(first()));
        for (at, graph) in &edits[1..] {
            bench.run_to(*at);
            let (_, served) = bench.engine.apply_serving(graph, &world).expect("a good edit");
            assert!(served.iter().all(|one| one.goes_on), "{served:?}");
        }
        bench.finish();
        bench.check();
        bench.sinks.remove("out").expect("rows")
    };
    let old = run(&[(0, text(1.0, ""))]);
    let new = run(&[(0, text(2.0, "; top = max(u)"))]);
    for at in [3, 8, 17, 31] {
        let given = run(&[(0, text(1.0, "")), (at, text(2.0, "")), (at + 6, text(2.0, "; top = max(u)"))]);
        assert_eq!(given.len(), old.len(), "each window once");
        for ((given, old), new) in given.iter().zip(&old).zip(&new) {
            assert_eq!((&given["key"], &given["window_end"]), (&old["key"], &old["window_end"]));
            assert_eq!(given["guess"], old["guess"], "the model is fed by its own features");
            let end = |row: &Row| if let Value::Time(at) = row["window_end"] { at.0 / 1_000_000 } else { 0 };
            if end(given) > at as i64 + 12 {
                assert_eq!((&given["total"], given.get("top")), (&new["total"], new.get("top")), "as if it had always been so");
            }
        }
    }
}
