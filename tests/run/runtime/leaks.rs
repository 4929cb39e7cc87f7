//! Thousands of edits in one process leave nothing behind: nodes, edges, sinks, open files and memory are what they were.
//!
//! `MLIOT_EDITS=10000 cargo test --test run leaks` goes from the 1,000th to the 10,000th edit.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use mliot::base::Time;
use mliot::host::Machines;
use mliot::io::{Live, Mode, Place};
use mliot::lifecycle::counted;
use mliot::plan::Graph;
use mliot::runtime::{Engine, Life, Progress, Settings};

use super::classes::graph;

/// Of an ordinary test run.
const EDITS: usize = 600;

/// One row comes in behind so many edits: what is rebuilt is rebuilt from all rows so far.
const EDITS_PER_ROW: usize = 20;

/// What an edit may change, all at once and one by one.
fn text(path: &str, bound: i32, factor: i32, entries: &str, size: &str, name: &str, more: &str) -> String {
    let was = if name == "hot" { " (was warm)" } else { " (was hot)" };
    format!(
        r#"
source lab {{
  columns {{ at: time; key: text?; v: float? }}
  recorded jsonl("{path}.jsonl")
  time at, lateness 1s
}}

stream {name}{was} = lab
  | where v > {bound}
  | set {{ w = v * {factor} }}
  | scan by key {{ total = cumulative(sum(w)){entries} }}

stream panes = {name} | window {size} by key {{ n = count(); top = max(total) }}
sink   out   = {name} | to jsonl("out.jsonl")
sink   wins  = panes | to jsonl("wins.jsonl")
{more}
"#
    )
}

/// A source whose file stays open, and is another one after some edits.
fn followed(path: &str) -> String {
    format!(
        r#"
source tap {{
  columns {{ at: time; v: float? }}
  live tail("{path}-tap.jsonl", from: start)
  time at
}}
sink taps = tap | to jsonl("taps.jsonl")
"#
    )
}

/// Every kind of edit, there and back again.
fn texts(follows: bool) -> Vec<Graph> {
    let more = "stream extra = lab | scan { n = cumulative(count(v)) }\nsink third = extra | to jsonl(\"third.jsonl\")";
    let all = [
        text("a", 0, 1, "", "2s", "warm", ""),
        text("a", 1, 1, "", "2s", "warm", ""),
        text("a", 1, 2, "", "2s", "warm", ""),
        text("a", 1, 2, "; before = lag(w, 2)", "2s", "warm", ""),
        text("a", 1, 2, "; before = lag(w, 1)", "4s", "warm", ""),
        text("a", 1, 2, "; before = lag(w, 1)", "4s", "hot", more),
        text("b", 1, 2, "", "3 rows", "hot", more),
        text("b", 0, 2, "; smooth = ewma(w, 9s)", "3 rows", "warm", ""),
    ];
    let path = |text: &str| if text.contains("\"b.jsonl\"") { "b" } else { "a" };
    let more = |text: &str| if follows { followed(path(text)) } else { String::new() };
    all.iter().map(|text| graph(&format!("{text}{}", more(text)))).collect()
}

fn recording(rows: usize) -> String {
    let mut text = String::new();
    for n in 0..rows {
        let at = Time(n as i64 * 700_000);
        writeln!(text, r#"{{"at": "{at}", "key": "{}", "v": {}}}"#, ["a", "b", "c"][n % 3], n % 13).unwrap();
    }
    text
}

/// What there is of an engine, and what it holds open under a folder.
#[derive(Debug, PartialEq)]
struct There {
    nodes: usize,
    edges: usize,
    sinks: usize,
    sources: usize,
    open_files: usize,
}

fn there(engine: &mut Engine, folder: &Path) -> There {
    let open = fs::read_dir("/proc/self/fd").map_or(0, |open| {
        open.flatten().filter(|file| fs::read_link(file.path()).is_ok_and(|path| path.starts_with(folder))).count()
    });
    There {
        nodes: engine.slots().count(),
        edges: engine.edge_reports().len(),
        sinks: engine.outboxes_mut().count(),
        sources: engine.source_reports(Time(0)).len(),
        open_files: open,
    }
}

struct Edited<'a> {
    engine: Engine,
    parts: &'a Machines,
    texts: Vec<Graph>,
    made: usize,
}

impl Edited<'_> {
    fn to(&mut self, edits: usize) {
        while self.made < edits {
            self.made += 1;
            let graph = &self.texts[self.made % self.texts.len()];
            self.engine.apply(graph, self.parts).unwrap_or_else(|wrong| panic!("{wrong:?}"));
            if self.made.is_multiple_of(EDITS_PER_ROW) {
                let stop = self.engine.next().plus(1);
                assert!(matches!(self.engine.step_until(Some(stop)), Progress::Rows(_)), "there are rows enough");
            }
            self.engine.outboxes_mut().for_each(|outbox| while outbox.take().is_some() {});
            self.engine.forget_retired(|_| true);
            self.engine.take_events();
            assert!(self.engine.take_findings().is_empty());
        }
    }
}

/// What there was after a tenth of the edits and after all of them, and the bytes that this thread held then and holds more.
fn edited(follows: bool) -> ((There, There), (i64, i64)) {
    let edits = std::env::var("MLIOT_EDITS").map_or(EDITS, |edits| edits.parse().expect("a number"));
    let texts = texts(follows);
    // The same text runs where it is looked.
    let first = (edits / 10).next_multiple_of(texts.len() * EDITS_PER_ROW);
    let edits = edits.next_multiple_of(texts.len() * EDITS_PER_ROW).max(2 * first);
    let folder = tempfile::tempdir().unwrap();
    for path in ["a", "b"] {
        fs::write(folder.path().join(format!("{path}-tap.jsonl")), recording(3)).unwrap();
        fs::write(folder.path().join(format!("{path}.jsonl")), recording(edits / EDITS_PER_ROW + 10)).unwrap();
    }
    let place = Place { live: Some(Arc::new(Live::at(folder.path()))), ..Place::beside(folder.path()) };
    let parts = Machines { place, sinks: Mode::Live };
    let settings = Settings { batch_rows_max: 64, life: Life::Run, ..Settings::default() };
    let start = || {
        let engine = Engine::start(settings, &texts[0], &parts).expect("it starts");
        Edited { engine, parts: &parts, texts: texts.clone(), made: 0 }
    };
    let ((mut edited, before), held) = counted(|| {
        let mut edited = start();
        edited.to(first);
        let before = there(&mut edited.engine, folder.path());
        (edited, before)
    });
    let resident = resident_kib();
    let (after, more) = counted(|| {
        edited.to(edits);
        there(&mut edited.engine, folder.path())
    });
    let (held, more) = (held.at_end, more.at_end);
    println!(
        "edits {first} to {edits}: {held} bytes held, {more} more; {before:?}; resident {resident} and {} KiB",
        resident_kib()
    );
    ((before, after), (held, more))
}

#[test]
fn nothing_is_left_of_thousands_of_edits() {
    let ((before, after), (held, more)) = edited(false);
    assert_eq!(before, after);
    assert!(more as f64 <= 0.03 * held as f64, "{more} bytes more than the {held} of before");
}

/// Its bytes are not counted: whoever watches the file has a thread of its own, which frees what this one has made.
#[test]
fn a_file_that_is_followed_is_open_once() {
    let ((before, after), _) = edited(true);
    assert!(before.open_files > 0, "{before:?}");
    assert_eq!(before, after);
}

/// Of the whole process, tests beside this one included: to be read, not to be asserted.
fn resident_kib() -> u64 {
    let pages = fs::read_to_string("/proc/self/statm").ok().and_then(|statm| statm.split(' ').nth(1)?.parse::<u64>().ok());
    pages.unwrap_or_default() * 4
}
