//! A run that ends and begins again in the same folder.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use mliot::host::{HostEvent, Said, SharedParts};
use mliot::io::{Keep, Position};
use mliot::ir;
use mliot::node::{Node, NodeError};
use mliot::plan::NodeSpec;
use mliot::runtime::{Deliver, Event, Feed, Parts, Side, SourceSpec};
use tempfile::TempDir;

use super::bench::{Bench, Counting};
use super::serving::pipeline;

/// Counts how often recordings are opened.
struct Opening {
    parts: SharedParts,
    recordings: Arc<AtomicUsize>,
}

impl Parts for Opening {
    fn node(&self, spec: &NodeSpec, inputs: &[ir::Schema]) -> Result<Box<dyn Node>, NodeError> {
        self.parts.node(spec, inputs)
    }

    fn bad(&self) -> ir::Schema {
        self.parts.bad()
    }

    fn deliver(&self, sink: &NodeSpec, keep: Option<&Keep>) -> Result<Box<dyn Deliver>, NodeError> {
        self.parts.deliver(sink, keep)
    }

    fn feed(&self, source: &SourceSpec, side: Side, from: Option<&Position>) -> Result<Option<Box<dyn Feed>>, NodeError> {
        if side == Side::Recorded {
            self.recordings.fetch_add(1, Ordering::SeqCst);
        }
        self.parts.feed(source, side, from)
    }
}

const RISE: &str = "co2 - (lag(co2, 1) else co2)";

fn start(folder: TempDir, text: &str, learner: &Arc<Counting>) -> (Bench, Arc<AtomicUsize>) {
    let recordings = Arc::<AtomicUsize>::default();
    let wrap = |parts| Arc::new(Opening { parts, recordings: recordings.clone() }) as SharedParts;
    (Bench::keeping(folder, text, wrap, learner.clone()), recordings)
}

/// Everything that is said until the run has come so far.
fn said_until(bench: &Bench, what: &str, mut there: impl FnMut(&Said) -> bool) -> Vec<serde_json::Value> {
    let mut all = Vec::new();
    bench.wait(what, |said| {
        all.push(said.to_json());
        there(said).then_some(())
    });
    all
}

/// The first one stands before the first row, the second behind some.
fn second_epoch() -> impl FnMut(&Said) -> bool {
    let mut epochs = 0;
    move |said| {
        epochs += u32::from(matches!(said, Said::Host(HostEvent::Epoch { .. })));
        epochs == 2
    }
}

#[test]
fn a_recording_that_has_been_read_is_not_read_again_and_a_champion_answers_on() {
    let (text, learner) = (pipeline(RISE, ""), Arc::<Counting>::default());
    let (bench, recordings) = start(tempfile::tempdir().unwrap(), &text, &learner);
    assert_eq!(bench.trained(), "1");
    bench.grows_to("out.jsonl", 50);
    assert_eq!(recordings.load(Ordering::SeqCst), 1);
    let (summary, folder) = bench.end();
    assert_eq!(summary.undelivered, 0);

    let (bench, recordings) = start(folder, &text, &learner);
    let said = said_until(&bench, "another epoch", second_epoch());
    let events = |name: &str| said.iter().filter(|said| said["event"] == name).count();
    assert_eq!(events("recovered"), 1, "{said:#?}");
    assert_eq!(events("restored"), 1, "{said:#?}");
    assert_eq!(events("went_live") + events("training"), 0, "{said:#?}");
    assert!(said.iter().any(|said| said["event"] == "epoch" && said["pause_us"].is_u64()), "{said:#?}");
    bench.grows_to("out.jsonl", bench.rows("out.jsonl").len() + 50);
    let rows = bench.rows("out.jsonl");
    let (summary, _folder) = bench.end();
    assert!(summary.status.rows_in as usize > rows.len());
    assert_eq!(recordings.load(Ordering::SeqCst), 0, "the recording was opened again");
    assert_eq!(learner.trainings.load(Ordering::SeqCst), 1);

    // Rows of each device stand 10 ms apart, over the restart too.
    let of_lab = rows.iter().filter(|row| row["device"] == "lab");
    let times: Vec<i64> = of_lab.map(|row| mliot::base::Time::parse(row["at"].as_str().unwrap()).unwrap().0).collect();
    let gaps: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).filter(|gap| *gap != 10_000).collect();
    assert!(gaps.is_empty(), "{gaps:?}");
}

#[test]
fn a_run_that_ends_while_it_reads_its_recording_goes_on_there() {
    let slow = pipeline(RISE, "").replace("rows 1 per 1min by device", "rows 200 per 1min by device");
    let learner = Arc::<Counting>::default();
    let (bench, _) = start(tempfile::tempdir().unwrap(), &slow, &learner);
    said_until(&bench, "an epoch", second_epoch());
    let (summary, folder) = bench.end();
    let before = summary.status.rows_in;

    let (bench, _) = start(folder, &slow, &learner);
    let at = bench.wait_host("recovery", |event| match event {
        HostEvent::Recovered { at, .. } => Some(*at),
        _ => None,
    });
    assert_eq!(at.0, before);
    let live = bench.wait("the live end", |said| match said {
        Said::Engine(Event::WentLive { at }) => Some(*at),
        _ => None,
    });
    assert_eq!(live.0, 2 * 200 * 60 * 24, "every recorded row has an ordinal, and one only");
    assert_eq!(bench.trained(), "1");
    bench.end();
}

#[test]
fn a_damaged_epoch_is_named_and_what_was_since_the_one_before_is_made_again() {
    let (text, learner) = (pipeline(RISE, ""), Arc::<Counting>::default());
    let (bench, _) = start(tempfile::tempdir().unwrap(), &text, &learner);
    bench.trained();
    bench.grows_to("out.jsonl", 50);
    let (_, folder) = bench.end();
    let before = std::fs::read(folder.path().join("out.jsonl")).unwrap();
    let epochs = std::fs::read_dir(folder.path().join("state/epochs")).unwrap();
    let newest = epochs.map(|epoch| epoch.unwrap().path()).max().unwrap();
    std::fs::write(newest.join("books.json"), "{}").unwrap();

    let (bench, _) = start(folder, &text, &learner);
    let said = said_until(&bench, "another epoch", second_epoch());
    let named = said.iter().any(|said| said["event"] == "finding" && said["diagnostics"][0]["code"] == "R0101");
    assert!(named, "{said:#?}");
    bench.grows_to("out.jsonl", before.iter().filter(|byte| **byte == b'\n').count() + 50);
    let (_, folder) = bench.end();
    let after = std::fs::read(folder.path().join("out.jsonl")).unwrap();
    assert!(after.starts_with(&before), "what was written stands as it was");
    assert_eq!(learner.trainings.load(Ordering::SeqCst), 1);
}
