//! Twenty edits at ten thousand rows a second, while models are trained in worker processes beside them.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use mliot::base::{Name, Time};
use mliot::diag::{Code, Diagnostic};
use mliot::host::{HostEvent, Job, Learned, Learner, Remembered, Summary, Trained};
use mliot::lifecycle::{Data, Done, Job as Trial, Processes, TrialError, Trials, train};
use mliot::model::{Control, Fitted};
use mliot::node::Predictor;
use mliot::plan::{Graph, Learn};

use super::bench::Bench;

/// Of each of the two devices.
const RATE: u32 = 5_000;
const RISE: &str = "rise = co2 - (previous(co2) else co2)";
const SLOW: &str = "rise = co2 - (lag(co2, 3) else co2)";
const MEAN: &str = "rise = co2 - (previous(co2) else co2); mean = ewma(co2, 5s)";

fn pipeline(fresh: u32, scan: &str, more: &str) -> String {
    format!(
        r#"
param fresh: float<ppm> = {fresh}

source room {{
  columns {{
    at:       time
    device:   text
    co2:      float<ppm>
    occupied: bool?
  }}
  recorded simulate {{
    rows 1 per 1min by device in ["lab", "hall"]; seed 7; span 12h
    columns {{
      occupied = step(every: 40min, values: [false, true])
      co2      = walk(400..900, step: 20) + (if occupied then 180 else 0)
    }}
  }}
  live simulate {{
    rows {RATE} per 1s by device in ["lab", "hall"]; seed 8
    columns {{
      occupied = step(every: 20s, values: [false, true])
      co2      = walk(400..900, step: 20) + (if occupied then 180 else 0)
    }}
  }}
  time at, lateness 1min
}}

stream air = room
  | where co2 > 0
  | scan by device {{ {scan} }}
  | set {{ stuffy = co2 > fresh }}
{more}

task occupancy = classify occupied from air {{
  features [co2, rise]
  models   [logistic, tree]
  policy   quick
}}

policy quick {{
  maximize accuracy
  search   4 trials, 60s
  validate last 20%
}}

stream now = air | predict occupancy as guess
sink   out = now | select [at, device, stuffy, guess, guess_version] | to jsonl("out.jsonl")
"#
    )
}

/// Trains in processes of the real program, and numbers its models.
struct Trainer {
    workers: Processes,
    trials: AtomicUsize,
    models: AtomicUsize,
}

impl Trainer {
    fn new() -> Trainer {
        let workers = Processes { program: env!("CARGO_BIN_EXE_mliot").into(), arguments: vec!["worker".into()], parallel: 1 };
        Trainer { workers, trials: AtomicUsize::new(0), models: AtomicUsize::new(0) }
    }
}

impl Learner for Trainer {
    fn champion(&self, _: &Learn, _: &Graph) -> Result<Option<Remembered>, Diagnostic> {
        Ok(None)
    }

    fn version(&self, _: &Name, _: &str) -> Option<Arc<dyn Predictor>> {
        None
    }

    fn train(&self, job: &Job) -> Result<Trained, Diagnostic> {
        let failed = |why: String| Diagnostic::new(Code::R0001, why);
        let table = job.collected.tables.get("history").ok_or_else(|| failed("nothing was collected".into()))?;
        let trials = Counted { trainer: self, stop: &job.stop };
        let trained = train(&job.learn.task, &job.learn.policy, table, &trials, &mut |_| {});
        let trained = trained.map_err(|found| failed(format!("{found:?}")))?;
        let champion = &trained.members[trained.champion.ok_or_else(|| failed("nothing was chosen".into()))?];
        let version = (self.models.fetch_add(1, Ordering::SeqCst) + 1).to_string();
        let model = Fitted::from_bytes(&champion.bundle, &version).map_err(|error| failed(error.to_string()))?;
        let (model, family) = (Arc::new(model), champion.family.clone());
        Ok(Trained::Answers(Learned { model, family, metric: None, notes: Vec::new() }))
    }
}

/// The workers, but that they are counted, and none begins once nobody wants the result.
struct Counted<'a> {
    trainer: &'a Trainer,
    stop: &'a Arc<AtomicBool>,
}

impl Trials for Counted<'_> {
    fn parallel(&self) -> usize {
        self.trainer.workers.parallel
    }

    fn run(&self, data: &Data, job: &Trial, control: &Control) -> Result<Done, TrialError> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(TrialError::Cancelled);
        }
        self.trainer.trials.fetch_add(1, Ordering::SeqCst);
        self.trainer.workers.run(data, job, control)
    }
}

/// What a line of the sink says; there are too many to keep more of them.
#[derive(serde::Deserialize)]
struct Line<'a> {
    at: &'a str,
    device: &'a str,
    guess: Option<bool>,
    guess_version: Option<&'a str>,
}

/// What the sink's file shows.
#[derive(Default)]
struct Shown {
    rows: u64,
    /// Of each device the time of its last row, in microseconds.
    last: BTreeMap<String, i64>,
    answered: bool,
    version: String,
}

impl Shown {
    /// Of each device the rows are evenly spaced, each once, in order; from the first answer on every row has one.
    fn follow(&mut self, text: &str) {
        let line: Line = serde_json::from_str(text).unwrap();
        let at = Time::parse(line.at).unwrap().0;
        if let Some(before) = self.last.insert(line.device.to_owned(), at) {
            assert_eq!(at - before, i64::from(1_000_000 / RATE), "a row is lost, doubled or late before {text}");
        }
        assert!(line.guess.is_some() || !self.answered, "row {} has no answer: {text}", self.rows);
        self.rows += 1;
        self.answered |= line.guess.is_some();
        self.version = line.guess_version.unwrap_or_default().to_owned();
    }
}

/// What every run counts: nothing is under way at the end, and every row that came in went somewhere.
fn books_balance(summary: &Summary) {
    for node in &summary.status.nodes {
        assert_eq!(node.input, node.passed + node.absorbed + node.dropped.values().sum::<u64>(), "{node:?}");
    }
    for edge in &summary.status.edges {
        assert_eq!(edge.sent, edge.received, "{edge:?}");
    }
    let sink = &summary.status.sinks[0];
    assert_eq!((sink.accepted, sink.waiting, sink.lost), (sink.delivered, 0, 0), "{sink:?}");
    assert!(summary.status.failed.is_empty() && summary.crashed.is_none(), "{:?}", summary.status.failed);
}

#[test]
fn twenty_edits_at_ten_thousand_rows_a_second_beside_trainings() {
    let trainer = Arc::new(Trainer::new());
    let bench = Bench::learning(&pipeline(800, RISE, ""), trainer.clone());
    bench.started();
    bench.trained();
    bench.grows_to("out.jsonl", 5_000);
    let (mut applied, mut refused, mut trials) = (0, 0, Vec::new());
    for nth in 0..20_u32 {
        let fresh = 500 + nth;
        // Each kind of edit comes while the training for a feature that was edited before goes on.
        match nth % 5 {
            0 => _ = bench.edit(&pipeline(fresh, if nth % 2 == 0 { SLOW } else { RISE }, "")),
            1 => _ = bench.refused(&pipeline(fresh, RISE, "  | set { odd = co3 > fresh }")),
            2 => _ = bench.edit(&pipeline(fresh, if nth % 4 == 0 { MEAN } else { SLOW }, "")),
            3 => _ = bench.edit(&pipeline(fresh, RISE, "  | where co2 < 100000\n  | set { high = co2 > 2 * fresh }")),
            _ => _ = bench.refused(&pipeline(fresh, RISE, "  | set { odd = ")),
        }
        match nth % 5 {
            1 | 4 => refused += 1,
            _ => applied += 1,
        }
        trials.push(trainer.trials.load(Ordering::SeqCst));
        bench.grows_to("out.jsonl", bench.count("out.jsonl") + 1_000);
    }
    assert!(trials[19] > trials[0], "trials have run between the first and the last edit: {trials:?}");
    bench.edit(&pipeline(600, MEAN, "  | set { high = co2 > fresh }"));
    bench.edit(&pipeline(600, SLOW, ""));
    let last = bench.trained();
    bench.grows_to("out.jsonl", bench.count("out.jsonl") + 2_000);
    let wrong = bench.heard(|event| matches!(event, HostEvent::Finding(_) | HostEvent::SinkLost { .. }));
    assert!(wrong.is_empty(), "{wrong:#?}");

    let (summary, folder) = bench.end();
    assert_eq!((summary.status.edits.applied, summary.status.edits.refused), (applied + 2, refused));
    let file = BufReader::new(File::open(folder.path().join("out.jsonl")).unwrap());
    let mut shown = Shown::default();
    file.lines().for_each(|line| shown.follow(&line.unwrap()));
    books_balance(&summary);
    assert_eq!((summary.undelivered, shown.rows), (0, summary.status.sinks[0].delivered));
    assert_eq!((shown.last.len(), shown.version), (2, last));
}
