//! Every class of a change, carried out: what goes on, what is rebuilt from the rows so far, what begins empty and why.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use mliot::compile;
use mliot::diag::{Style, render};
use mliot::ir::Value;
use mliot::plan::{Graph, Memory, NotAgain, diff, plan_text};
use mliot::runtime::{Cut, Fate, Life, Row, Settings, Side, to_table};

use super::bench::{Bench, Nodes, World};
use super::program::{Pipe, row};

struct Text(String);

impl compile::World for Text {
    fn read(&self, _: &Path) -> io::Result<String> {
        Ok(self.0.clone())
    }

    fn env(&self, _: &str) -> Option<String> {
        None
    }
}

const COLUMNS: &str = "columns { at: time; key: text; v: float }";

pub fn graph(text: &str) -> Graph {
    let out = compile::compile(Path::new("lab.mliot"), &Text(text.to_owned()), &[]);
    let said: String = out.diagnostics.iter().map(|found| render(found, &out.sources, Style::Plain)).collect();
    assert!(!out.has_errors(), "{text}\n{said}");
    out.graph.expect("a graph")
}

/// `ends` of the source, then whatever reads it.
fn lab(ends: &str, rest: &str) -> Graph {
    graph(&format!("source lab {{ {COLUMNS}; {ends}; time at, lateness 1s }}\n{rest}\n"))
}

const RECORDED: &str = "recorded jsonl(\"lab.jsonl\")";

fn scan(entries: &str) -> Graph {
    lab(RECORDED, &format!("stream sums = lab | scan by key {{ {entries} }}\nsink out = sums | to jsonl(\"out.jsonl\")"))
}

/// One row a second, in turn of the keys, each worth its number.
fn rows(from: u32, to: u32) -> Vec<Row> {
    (from..to).map(|n| row(f64::from(n), ["a", "b"][n as usize % 2], f64::from(n))).collect()
}

fn world(count: u32) -> World {
    World::with(&BTreeMap::from([("lab".into(), rows(0, count))]), Nodes::Real)
}

fn edit(bench: &mut Bench, graph: &Graph) -> Cut {
    bench.engine.apply(graph, bench.world).unwrap_or_else(|wrong| panic!("{wrong:?}"))
}

fn memory(cut: &Cut, node: &str, entry: &str) -> Memory {
    let (_, change) = cut.diff.nodes.iter().find(|(key, _)| key.to_string() == node).expect("a node");
    change.entries[entry].memory.clone()
}

fn fate(cut: &Cut, node: &str) -> (Fate, String) {
    let event = cut.event.nodes.iter().find(|event| event.node == node).expect("it is told");
    (event.fate, event.why.clone())
}

fn last(bench: &Bench, column: &str) -> Value {
    bench.sinks["out"].last().expect("a row")[column].clone()
}

#[test]
fn an_entry_that_is_added_is_rebuilt_and_its_neighbour_is_not_touched() {
    let world = world(20);
    let mut bench = Bench::start(&world, &scan("a = cumulative(sum(v))"), 4);
    bench.run_to(10);
    let before = bench.states();
    let cut = edit(&mut bench, &scan("a = cumulative(sum(v)); n = cumulative(count(v))"));
    assert_eq!((memory(&cut, "sums/scan", "a"), memory(&cut, "sums/scan", "n")), (Memory::Kept, Memory::Rebuilt));
    assert_eq!(fate(&cut, "sums/scan").0, Fate::Carried);
    assert!(fate(&cut, "sums/scan").1.contains("`n`: rebuilt from the rows so far"), "{:?}", fate(&cut, "sums/scan"));
    let (key, state) = before.iter().find(|(key, _)| key.to_string() == "sums/scan").expect("it runs");
    assert_eq!(bench.states()[key].tables["a#0"], state.tables["a#0"]);
    bench.run_to(12);
    assert_eq!(last(&bench, "n"), Value::Int(6), "half of twelve rows have the key b");
    assert_eq!(last(&bench, "a"), Value::Float(36.0));
    bench.finish();
    bench.check();
}

#[test]
fn what_cannot_be_read_again_begins_empty_and_says_why() {
    let world = world(20);
    world.forgets.set(true);
    let mut bench = Bench::start(&world, &scan("a = cumulative(sum(v))"), 4);
    bench.run_to(10);
    let cut = edit(&mut bench, &scan("a = cumulative(sum(v)); n = cumulative(count(v))"));
    assert!(matches!(memory(&cut, "sums/scan", "n"), Memory::Empty(Some(NotAgain::Failed(_)))));
    assert!(fate(&cut, "sums/scan").1.contains("begins empty: the recording of `lab` cannot be read again"));
    bench.run_to(12);
    assert_eq!((last(&bench, "n"), last(&bench, "a")), (Value::Int(1), Value::Float(36.0)));
    bench.finish();
    bench.check();
}

#[test]
fn a_stage_that_says_so_begins_empty() {
    let text = |entries: &str| {
        let stream = format!("stream sums = lab | scan by key {{ {entries} }} on change empty");
        lab(RECORDED, &format!("{stream}\nsink out = sums | to jsonl(\"out.jsonl\")"))
    };
    let world = world(20);
    let mut bench = Bench::start(&world, &text("a = cumulative(sum(v)); p = previous(v)"), 4);
    bench.run_to(10);
    let cut = edit(&mut bench, &text("a = cumulative(sum(v)); p = lag(v, 3)"));
    assert_eq!((memory(&cut, "sums/scan", "a"), memory(&cut, "sums/scan", "p")), (Memory::Kept, Memory::Empty(None)));
    bench.run_to(12);
    assert_eq!((last(&bench, "a"), last(&bench, "p")), (Value::Float(36.0), Value::Null));
    bench.finish();
    bench.check();
}

/// With a live end that reads files the rows so far can be had again; from the standard input they came once.
#[test]
fn a_live_run_reads_its_recording_and_its_live_rows_again() {
    for (live, again) in [("live jsonl(\"live.jsonl\")", true), ("live stdin(format: jsonl)", false)] {
        let text = |entries: &str| {
            let stream = format!("stream sums = lab | scan by key {{ {entries} }}");
            lab(&format!("{RECORDED}; {live}"), &format!("{stream}\nsink out = sums | to jsonl(\"out.jsonl\")"))
        };
        let world = world(10);
        let settings = Settings { life: Life::Run, ..Settings::default() };
        let mut bench = Bench::with(&world, &text("a = cumulative(sum(v))"), settings);
        bench.finish();
        world.rows("lab", Side::Live).give(to_table(&Pipe::new().columns(), &rows(10, 16)).expect("rows"));
        bench.finish();
        let cut = edit(&mut bench, &text("a = cumulative(sum(v)); n = cumulative(count(v))"));
        world.rows("lab", Side::Live).give(to_table(&Pipe::new().columns(), &rows(16, 17)).expect("rows"));
        bench.finish();
        bench.check();
        let (memory, count) = match again {
            true => (Memory::Rebuilt, 9),
            false => (Memory::Empty(Some(NotAgain::Live("lab".into()))), 1),
        };
        assert_eq!((self::memory(&cut, "sums/scan", "n"), last(&bench, "n")), (memory, Value::Int(count)), "{live}");
        assert_eq!(last(&bench, "a"), Value::Float((0..=16).filter(|n| n % 2 == 0).map(f64::from).sum()));
        assert_eq!(bench.sinks["out"].len(), 7, "what is read again is written nowhere");
    }
}

#[test]
fn a_removed_name_finds_its_memory_again() {
    let without = lab(RECORDED, "sink out = lab | to jsonl(\"out.jsonl\")");
    let extra = "stream sums = lab | scan by key { n = cumulative(count(v)) }\nsink sum = sums | to jsonl(\"sum.jsonl\")";
    let with = lab(RECORDED, &format!("sink out = lab | to jsonl(\"out.jsonl\")\n{extra}"));
    let world = world(20);
    world.forgets.set(true);
    let mut bench = Bench::start(&world, &with, 4);
    bench.run_to(10);
    edit(&mut bench, &without);
    bench.run_to(14);
    let cut = edit(&mut bench, &with);
    let (_, change) = cut.diff.nodes.iter().find(|(key, _)| key.to_string() == "sums/scan").expect("it is back");
    assert_eq!(change.memory, Memory::Returned);
    assert!(fate(&cut, "sums/scan").1.contains("goes on as it was when it was removed"));
    bench.run_to(16);
    assert_eq!(bench.sinks["sum"].last().expect("a row")["n"], Value::Int(6), "five before, none meanwhile, one since");
    bench.finish();
    bench.check();
}

#[test]
fn a_name_that_comes_back_is_rebuilt_where_that_is_better() {
    let without = lab(RECORDED, "sink out = lab | to jsonl(\"out.jsonl\")");
    let extra = "stream sums = lab | scan by key { n = cumulative(count(v)) }\nsink sum = sums | to jsonl(\"sum.jsonl\")";
    let with = lab(RECORDED, &format!("sink out = lab | to jsonl(\"out.jsonl\")\n{extra}"));
    let world = world(20);
    let mut bench = Bench::start(&world, &with, 4);
    bench.run_to(10);
    edit(&mut bench, &without);
    bench.run_to(14);
    edit(&mut bench, &with);
    bench.run_to(16);
    assert_eq!(bench.sinks["sum"].last().expect("a row")["n"], Value::Int(8), "those meanwhile included");
}

fn windows(shape: &str, by: &str) -> Graph {
    let stream = format!("stream panes = lab | window {shape} {by} {{ n = count() }}");
    lab(RECORDED, &format!("{stream}\nsink out = panes | to jsonl(\"out.jsonl\")"))
}

fn starts(rows: &[Row]) -> Vec<i64> {
    let start = |row: &Row| match row["window_start"] {
        Value::Time(at) => at.0 / 1_000_000,
        ref other => panic!("{other} is no time"),
    };
    rows.iter().map(start).collect()
}

/// Rows so far end at 12s: windows up to 11s have come, so of a longer one that holds them parts are gone.
#[test]
fn longer_windows_are_rebuilt_or_put_together_and_never_wrong() {
    for again in [true, false] {
        let world = world(40);
        world.forgets.set(!again);
        let mut bench = Bench::start(&world, &windows("2s", ""), 4);
        bench.run_to(13);
        let given = bench.sinks["out"].len();
        let cut = edit(&mut bench, &windows("10s", ""));
        let memory = memory(&cut, "panes/window", "n");
        bench.finish();
        bench.check();
        let since = &bench.sinks["out"][given..];
        match again {
            true => {
                assert_eq!((memory, starts(since)), (Memory::Rebuilt, vec![10, 20, 30]));
            }
            false => {
                assert_eq!((memory, starts(since)), (Memory::PutTogether, vec![10, 20, 30]));
            }
        }
        assert!(since.iter().all(|row| row["n"] == Value::Int(10)), "{since:?}");
    }
}

#[test]
fn a_window_of_which_the_beginning_is_gone_does_not_come() {
    let world = world(40);
    world.forgets.set(true);
    let mut bench = Bench::start(&world, &windows("2s", ""), 4);
    bench.run_to(17);
    let given = bench.sinks["out"].len();
    edit(&mut bench, &windows("10s", ""));
    bench.finish();
    bench.check();
    let since = &bench.sinks["out"][given..];
    assert_eq!(starts(since), [20, 30], "[10s, 20s) lacks panes that have come and gone");
    let node = bench.engine.node_reports().into_iter().find(|node| node.name == "panes/window").expect("it runs");
    assert_eq!(node.noted.values().sum::<u64>(), 1, "{:?}", node.noted);
}

#[test]
fn other_keys_are_rebuilt() {
    let world = world(40);
    let mut bench = Bench::start(&world, &windows("10s", ""), 4);
    bench.run_to(15);
    let given = bench.sinks.get("out").map_or(0, Vec::len);
    let cut = edit(&mut bench, &windows("10s", "by key"));
    assert_eq!(fate(&cut, "panes/window").0, Fate::Rebuilt);
    bench.finish();
    bench.check();
    let since = &bench.sinks["out"][given..];
    assert_eq!(starts(since), [10, 10, 20, 20, 30, 30]);
    assert!(since.iter().all(|row| row["n"] == Value::Int(5)));
}

/// Several live sources: nothing says any more in which order their rows came, but each window still comes once.
#[test]
fn windows_over_two_live_sources_come_once() {
    let text = |entries: &str| {
        let source =
            |name: &str| format!("source {name} {{ {COLUMNS}; live jsonl(\"{name}.jsonl\"); time at, lateness 1s }}\n");
        let streams = format!("stream both = lab | union [hall]\nstream panes = both | window 5s {{ {entries} }}\n");
        graph(&format!("{}{}{streams}sink out = panes | to jsonl(\"out.jsonl\")\n", source("lab"), source("hall")))
    };
    let world = World { nodes: Nodes::Real, ..World::default() };
    let settings = Settings { life: Life::Run, batch_rows_max: 3, ..Settings::default() };
    let mut bench = Bench::with(&world, &text("n = count()"), settings);
    let give = |name: &str, from: u32, to: u32| {
        world.rows(name, Side::Live).give(to_table(&Pipe::new().columns(), &rows(from, to)).expect("rows"));
    };
    give("lab", 0, 13);
    give("hall", 0, 9);
    bench.finish();
    edit(&mut bench, &text("n = count(); total = sum(v)"));
    edit(&mut bench, &text("n = count(); total = sum(v * 2)"));
    give("hall", 9, 22);
    give("lab", 13, 22);
    bench.finish();
    bench.check();
    assert_eq!(starts(&bench.sinks["out"]), [0, 5, 10, 15]);
    assert!(bench.sinks["out"].iter().all(|row| row["n"] == Value::Int(10)), "{:?}", bench.sinks["out"]);
    let total = |at: usize| bench.sinks["out"][at]["total"].clone();
    assert_eq!((total(1), total(3)), (Value::Float(140.0), Value::Float(340.0)));
}

#[test]
fn a_plan_says_what_becomes_of_every_entry() {
    let ends = |live: &str| format!("{RECORDED}; {live}");
    let text = |live: &str, scan: &str, rest: &str| {
        lab(&ends(live), &format!("stream sums = lab | scan by key {{ {scan} }} {rest}\nsink out = sums | to stdout"))
    };
    let said = |live: &str, rest: &str| {
        let before = text(live, "e = ewma(v, 5s); p = previous(v)", rest);
        let after = text(live, "e = ewma(v, 9s); p = lag(v, 2); n = cumulative(count(v))", rest);
        plan_text(&diff(&before, &after))
    };
    let file = said("live jsonl(\"live.jsonl\")", "");
    assert!(file.contains("the settings of its functions changed; what it remembers goes on"), "{file}");
    assert!(file.contains("so what it remembers cannot be read; rebuilt from the rows so far"), "{file}");
    assert!(file.contains("new; rebuilt from the rows so far"), "{file}");
    let stdin = said("live stdin(format: jsonl)", "");
    assert!(stdin.contains("new; rebuilt from the rows that are kept, as far as they reach back"), "{stdin}");
    let mqtt = said("live mqtt(\"mqtt://localhost:1883\", topic: \"lab\")", "");
    assert!(mqtt.contains("begins empty: rows that came live to `lab` cannot be read again"), "{mqtt}");
    let empty = said("live jsonl(\"live.jsonl\")", "on change empty");
    assert!(empty.contains("begins empty, as `on change empty` says"), "{empty}");
    let start = plan_text(&diff(&Graph::default(), &text("live stdin(format: jsonl)", "p = previous(v)", "")));
    assert!(!start.contains("empty") && !start.contains("rebuilt"), "at a start there is nothing to remember: {start}");
}
