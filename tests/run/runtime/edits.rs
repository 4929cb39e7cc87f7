//! Changes of a running graph: any number of them, at any ordinal, good and broken, against an oracle that knows only rows.

mod oracle;

use std::collections::BTreeMap;

use mliot::base::Name;
use mliot::ir::OnChange;
use mliot::node::State;
use mliot::plan::{Graph, NodeKey};
use mliot::runtime::{Cut, Event, Fate, Row};
use proptest::prelude::*;

use super::bench::{Bench, Nodes, World};
use super::program::{File, Pipe, above, row, times};
use super::reference::REFUSED;
use super::steps::{nodes, recordings};

/// What may be written differently in the file of these tests.
#[derive(Clone, Debug, PartialEq)]
pub struct Text {
    /// `where v > bound`.
    pub bound: f64,
    /// `set twice = so_far * factor`, behind a running sum.
    pub factor: f64,
    /// `set w = v * scale`, before a running sum.
    pub scale: f64,
    /// Seconds.
    pub window: i64,
    pub lateness: i64,
    /// Is `warm` an input of the union?
    pub with_warm: bool,
    /// One column more before a running sum, which it does not read.
    pub with_column: bool,
    /// A stream and a sink of their own.
    pub with_extra: bool,
    /// Is the stream `sums` called `totals`?
    pub renamed: bool,
}

impl Text {
    pub fn first() -> Text {
        Text {
            bound: 3.0,
            factor: 2.0,
            scale: 1.0,
            window: 5,
            lateness: 1,
            with_warm: true,
            with_column: false,
            with_extra: false,
            renamed: false,
        }
    }

    pub fn graph(&self) -> Graph {
        let inputs: &[&str] = if self.with_warm { &["hall", "warm"] } else { &["hall"] };
        let wide = if self.with_column { Pipe::new().set("c", times("v", 3.0)) } else { Pipe::new() };
        let mut file = File::default()
            .source("lab", self.lateness)
            .source("hall", 2)
            .stream("warm", "lab", Pipe::new().filter(above("v", self.bound)))
            .stream("sums", "warm", Pipe::new().sum("so_far", "v").set("twice", times("so_far", self.factor)))
            .stream("scaled", "lab", Pipe::new().set("w", times("v", self.scale)).sum("w_sum", "w"))
            .stream("both", "lab", Pipe::new().union(inputs))
            .stream("all", "both", wide.sum("so_far", "v"))
            .stream("panes", "both", Pipe::new().filter(above("v", 1.0)).window(self.window, "v"))
            .sink("to_sums", "sums")
            .sink("to_scaled", "scaled")
            .sink("to_all", "all")
            .sink("to_panes", "panes");
        if self.with_extra {
            file = file.stream("extra", "hall", Pipe::new().sum("so_far", "v")).sink("to_extra", "extra");
        }
        if self.renamed {
            return file.renamed("sums", "totals").graph();
        }
        let mut program = file.0;
        program.streams.get_mut("sums").expect("it is there").was = Some("totals".into());
        File(program).graph()
    }
}

#[derive(Clone, Debug)]
pub enum Edit {
    Bound(u8),
    Factor(u8),
    Scale(u8),
    Window(bool),
    Lateness(u8),
    Warm,
    Column,
    Extra,
    Rename,
    /// Nothing but layout.
    Nothing,
    /// A node cannot be built.
    Unbuildable,
    /// A node refuses at the last moment.
    Refused,
}

impl Edit {
    fn apply(&self, text: &Text) -> Text {
        let mut text = text.clone();
        match self {
            Edit::Bound(bound) => text.bound = f64::from(*bound),
            Edit::Factor(factor) => text.factor = f64::from(*factor),
            Edit::Scale(scale) => text.scale = f64::from(*scale),
            Edit::Window(long) => text.window = if *long { 8 } else { 5 },
            Edit::Lateness(lateness) => text.lateness = i64::from(*lateness),
            Edit::Warm => text.with_warm = !text.with_warm,
            Edit::Column => text.with_column = !text.with_column,
            Edit::Extra => text.with_extra = !text.with_extra,
            Edit::Rename => text.renamed = !text.renamed,
            Edit::Nothing | Edit::Unbuildable | Edit::Refused => {}
        }
        text
    }

    fn is_broken(&self) -> bool {
        matches!(self, Edit::Unbuildable | Edit::Refused)
    }
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        (0..9u8).prop_map(Edit::Bound),
        (1..5u8).prop_map(Edit::Factor),
        (1..5u8).prop_map(Edit::Scale),
        any::<bool>().prop_map(Edit::Window),
        (0..4u8).prop_map(Edit::Lateness),
        Just(Edit::Warm),
        Just(Edit::Column),
        Just(Edit::Extra),
        Just(Edit::Rename),
        Just(Edit::Nothing),
        Just(Edit::Unbuildable),
        Just(Edit::Refused),
    ]
}

/// Edits with the ordinals at which they come, in order.
fn edits() -> impl Strategy<Value = Vec<(u64, Edit)>> {
    prop::collection::vec((0..130u64, edit()), 0..7).prop_map(|mut edits| {
        edits.sort_by_key(|(at, _)| *at);
        edits
    })
}

/// What a failed change must leave as it was.
#[derive(Debug, PartialEq)]
struct Trace {
    graph: Graph,
    states: BTreeMap<NodeKey, State>,
    next: mliot::node::Ordinal,
    books: String,
}

fn trace(bench: &mut Bench) -> Trace {
    let books =
        format!("{:?} {:?} {:?}", bench.engine.node_reports(), bench.engine.edge_reports(), bench.engine.sink_reports());
    Trace { graph: bench.engine.graph().clone(), states: bench.states(), next: bench.engine.next(), books }
}

fn broken(bench: &mut Bench, edit: &Edit, text: &Text) {
    let before = trace(bench);
    let bad = match edit {
        // Other things change in the same edit, and must not.
        Edit::Refused => Text { bound: REFUSED, factor: text.factor + 1.0, with_extra: !text.with_extra, ..text.clone() },
        _ => Text { scale: text.scale + 1.0, bound: text.bound + 1.0, ..text.clone() },
    };
    if matches!(edit, Edit::Unbuildable) {
        *bench.world.refuses.borrow_mut() = Some("scaled/scan".to_owned());
    }
    let events = bench.engine.take_events().len();
    bench.engine.apply(&bad.graph(), bench.world).expect_err("this change is broken");
    *bench.world.refuses.borrow_mut() = None;
    assert_eq!(before, trace(bench), "a change that fails leaves no trace, {events} events before");
    assert!(bench.engine.take_events().is_empty(), "and nothing is said to have happened");
}

fn good(bench: &mut Bench, text: &Text, at: u64) -> Cut {
    let before = bench.states();
    let cut = bench.engine.apply(&text.graph(), bench.world).expect("this change is good");
    assert_eq!(cut.event.at.0, at.min(bench.engine.next().0));
    let after = bench.states();
    for (key, change) in &cut.diff.nodes {
        let Some(event) = cut.event.nodes.iter().find(|event| event.node == key.to_string()) else { continue };
        let keeps = matches!(event.fate, Fate::Kept | Fate::Rewired | Fate::Retuned | Fate::Carried);
        if let (true, Some(from)) = (keeps, &change.from) {
            assert_eq!(before[from].tables, after[key].tables, "{key} is {:?} and keeps what it remembers", event.fate);
        }
    }
    cut
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 160, ..ProptestConfig::default() })]

    #[test]
    fn a_graph_under_edits_gives_what_the_oracle_gives(
        recordings in recordings(60), edits in edits(), size in 1usize..30, nodes in nodes(), again in any::<bool>()
    ) {
        let world = World::with(&recordings, nodes);
        world.forgets.set(!again);
        let mut text = Text::first();
        let mut bench = Bench::start(&world, &text.graph(), size);
        let mut plans = vec![(0, text.clone())];
        for (at, edit) in &edits {
            // Whether windows that begin in the middle come is the windows' own affair.
            if matches!(edit, Edit::Window(_)) && !again {
                continue;
            }
            bench.run_to(*at);
            if edit.is_broken() {
                broken(&mut bench, edit, &text);
                continue;
            }
            text = edit.apply(&text);
            let cut = good(&mut bench, &text, *at);
            plans.push((cut.event.at.0, text.clone()));
        }
        bench.finish();
        bench.check();
        let wanted = oracle::run(&recordings, &plans, again);
        for (sink, rows) in &wanted {
            let got = bench.sinks.get(sink).cloned().unwrap_or_default();
            prop_assert_eq!(rows, &got, "{} after {:?}", sink, plans);
        }
    }

    /// There and back again is as if nothing had been, where nothing but meaning changed.
    #[test]
    fn an_edit_that_is_taken_back_at_once_changes_nothing(
        recordings in recordings(40), at in 0..80u64, bound in 0..9u8, factor in 1..5u8, nodes in nodes()
    ) {
        let run = |edits: &[Text]| {
            let world = World::with(&recordings, nodes);
            let mut bench = Bench::start(&world, &Text::first().graph(), 16);
            bench.run_to(at);
            for text in edits {
                bench.engine.apply(&text.graph(), &world).expect("a good edit");
            }
            bench.finish();
            bench.check();
            bench.sinks
        };
        let away = Text { bound: f64::from(bound), factor: f64::from(factor), with_warm: false, ..Text::first() };
        prop_assert_eq!(run(&[]), run(&[away, Text::first()]));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// Whatever ran before: a node that is rebuilt remembers what a run of the new text would, bit for bit.
    #[test]
    fn what_is_rebuilt_is_what_a_run_of_the_new_text_remembers(
        recordings in recordings(60), edits in edits(), size in 1usize..30, nodes in nodes()
    ) {
        let world = World::with(&recordings, nodes);
        let mut text = Text::first();
        let mut bench = Bench::start(&world, &text.graph(), size);
        let edits = edits.iter().filter(|(_, edit)| !edit.is_broken() && !matches!(edit, Edit::Lateness(_)));
        for (at, edit) in edits {
            bench.run_to(*at);
            text = edit.apply(&text);
            let cut = good(&mut bench, &text, *at);
            let fresh = World::with(&recordings, nodes);
            let mut whole = Bench::start(&fresh, &text.graph(), 16);
            whole.run_to(cut.event.at.0);
            let (got, want) = (bench.states(), whole.states());
            for (key, change) in cut.diff.nodes.iter().filter(|(_, change)| change.is_rebuilt()) {
                prop_assert_eq!(&got[key], &want[key], "{} at {} after {:?}: {:?}", key, cut.event.at.0, edit, change.class);
            }
        }
        bench.finish();
        bench.check();
    }
}

fn twenty() -> BTreeMap<Name, Vec<Row>> {
    let rows = |key: &str| (0..20).map(|n| row(f64::from(n), key, f64::from(n % 7))).collect();
    BTreeMap::from([("lab".into(), rows("a")), ("hall".into(), rows("b"))])
}

#[test]
fn the_event_of_a_cut_says_what_became_of_every_node() {
    let world = World::with(&twenty(), Nodes::Reference);
    let mut bench = Bench::start(&world, &Text::first().graph(), 4);
    bench.run_to(10);
    let built = world.built.borrow().len();
    let text = Text { bound: 4.0, scale: 2.0, window: 8, with_warm: false, with_extra: true, ..Text::first() };
    let cut = bench.engine.apply(&text.graph(), &world).expect("a good edit");
    let fates: BTreeMap<&str, (Fate, &str)> =
        cut.event.nodes.iter().map(|node| (node.node.as_str(), (node.fate, node.class.as_str()))).collect();
    assert_eq!(fates["warm/where"], (Fate::Retuned, "retuned"));
    assert_eq!(fates["sums/scan"].0, Fate::Kept);
    assert_eq!(fates["scaled/set"], (Fate::Retuned, "retuned"));
    assert_eq!(fates["scaled/scan"], (Fate::Rebuilt, "stale"));
    assert_eq!(fates["panes/window"].0, Fate::Rebuilt);
    assert_eq!(fates["extra/scan"], (Fate::Added, "added"));
    assert_eq!(fates["all/scan"].0, Fate::Kept);
    let window = cut.event.nodes.iter().find(|node| node.node == "panes/window").expect("it is told");
    assert!(window.rows_before > 0 && window.why.contains("rebuilt from the rows so far"), "{window:?}");
    assert!(world.built.borrow()[built..].iter().all(|key| key != "sums/scan"), "what is the same is not built");
    assert_eq!(world.opened.get(), 2, "no connection is opened again");
    let told: Vec<Event> = bench.engine.take_events().into_iter().filter(|event| matches!(event, Event::Cut(_))).collect();
    assert_eq!(told.len(), 2, "the start is a cut too");
    bench.finish();
    bench.check();
}

#[test]
fn a_stage_that_rejects_change_keeps_the_whole_file_out() {
    let file = |seconds: i64, bound: f64| {
        let warm = Pipe::new().filter(above("v", bound));
        let panes = Pipe::new().window(seconds, "v").on_change(OnChange::Reject);
        File::default().source("lab", 0).stream("warm", "lab", warm).stream("panes", "warm", panes).sink("out", "panes").graph()
    };
    let world = World::with(&twenty(), Nodes::Reference);
    let mut bench = Bench::start(&world, &file(5, 1.0), 4);
    bench.run_to(6);
    let found = bench.engine.apply(&file(8, 2.0), &world).expect_err("it is refused");
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].code.as_str(), "R0004");
    assert_eq!(*bench.engine.graph(), file(5, 1.0), "the other change of the file is refused with it");
    bench.engine.apply(&file(5, 2.0), &world).expect("what keeps the state is not refused");
}

#[test]
fn a_model_is_not_fed_by_other_features_than_those_it_was_trained_with() {
    use mliot::node::{NodeError, Predictions, Predictor};
    #[derive(Debug)]
    struct Model;
    impl Predictor for Model {
        fn predict(&self, _: &arrow::array::RecordBatch) -> Result<Predictions, NodeError> {
            Err(NodeError::new(mliot::diag::Code::R0001, "the reference node asks for the version only"))
        }
        fn version(&self) -> &str {
            "3"
        }
    }
    let file = |scale: f64| {
        let features = Pipe::new().set("w", times("v", scale));
        let guesses = features.clone().predict("level");
        File::default()
            .source("lab", 0)
            .stream("features", "lab", features)
            .stream("guesses", "lab", guesses)
            .task("level", "features", &["w"])
            .sink("out", "guesses")
            .graph()
    };
    let world = World::with(&twenty(), Nodes::Reference);
    let mut bench = Bench::start(&world, &file(1.0), 4);
    bench.run_to(5);
    bench.engine.assign(&"level".into(), Some(std::sync::Arc::new(Model)));
    bench.run_to(10);
    bench.engine.apply(&file(2.0), &world).expect("a good edit");
    bench.finish();
    let versions: Vec<bool> = bench.sinks["out"].iter().map(|row| row["guess_version"] != mliot::ir::Value::Null).collect();
    let wanted: Vec<bool> = (0..20).map(|n| (5..10).contains(&n)).collect();
    assert_eq!(versions, wanted, "from the model's ordinal on, until its features mean something else");
    bench.check();
}

#[test]
fn a_change_that_was_overtaken_is_not_carried_out() {
    let world = World::with(&twenty(), Nodes::Reference);
    let mut bench = Bench::start(&world, &Text::first().graph(), 4);
    bench.run_to(5);
    let slow = Text { bound: 1.0, ..Text::first() };
    let prepared = mliot::runtime::prepare(&mut bench.engine, &slow.graph(), &world).expect("a good edit");
    let quick = Text { bound: 2.0, ..Text::first() };
    bench.engine.apply(&quick.graph(), &world).expect("a good edit");
    let aborted = prepared.cut(&mut bench.engine).expect_err("the graph is another one now");
    assert_eq!(aborted.why.code.as_str(), "R0006");
    assert_eq!(*bench.engine.graph(), quick.graph());
}
