//! The same again from the log: what entered and when the graph was changed, in batches of another size. Promises 19 and 20.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arrow::array::RecordBatch;
use mliot::base::{Duration, Name, Time};
use mliot::ir;
use mliot::node::{Batch, Clock, Node, NodeError, Ordinal, Ordinals};
use mliot::plan::{NodeOp, NodeSpec};
use mliot::runtime::{
    Deliver, Drawn, Engine, Feed, FeedCounts, Head, Kept, Life, Parts, Progress, Row, Settings, Side, SourceSpec, from_table,
    to_table,
};

use super::feed::SimFeed;
use super::ledger::Ledger;
use super::log::Happening;
use super::promises::Broken;
use super::record::Record;
use super::watch::Watched;
use super::world::{Scripts, bad, built, path};

/// Everything that sinks get when the log is carried out once more, with batches of `batch_rows`.
pub fn again(record: &Record, live: bool, batch_rows: usize) -> Result<(), Broken> {
    let reader = Reader { all: record.log.clone(), scripts: record.scripts.clone(), ..Reader::default() };
    let log = Log(Arc::new(Mutex::new(reader)));
    let life = if live { Life::Run } else { Life::Replay };
    let settings = Settings { batch_rows_max: batch_rows, life, ..Settings::default() };
    let mut replay = Replay { engine: Engine::empty(settings), log, written: BTreeMap::new() };
    let broken = |why| Broken { promise: if batch_rows == 1 { 20 } else { 19 }, why };
    replay.run().map_err(broken)?;
    let mut got: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for ((path, _), rows) in replay.written {
        got.entry(path).or_default().extend(rows);
    }
    let none = Vec::new();
    for path in record.written.keys().chain(got.keys()).collect::<BTreeSet<_>>() {
        let wanted = record.written.get(path).unwrap_or(&none);
        super::promises::alike(&format!("{path}, in batches of {batch_rows}"), wanted, got.get(path).unwrap_or(&none))
            .map_err(broken)?;
    }
    Ok(())
}

struct Replay {
    engine: Engine,
    log: Log,
    written: BTreeMap<(String, u64), Vec<Row>>,
}

impl Replay {
    fn run(&mut self) -> Result<(), String> {
        let mut idle = 0;
        loop {
            let next = self.log.reader().current().cloned();
            let progress = match next {
                Some(Happening::Cut(cut)) => {
                    self.at(cut.at)?;
                    {
                        let mut reader = self.log.reader();
                        (reader.at, reader.rereads) = (reader.at + 1, cut.again);
                    }
                    self.engine.apply(&cut.graph, &self.log).map_err(|found| format!("{:?}", found[0].message))?;
                    continue;
                }
                Some(Happening::Assigned(assigned)) => {
                    let at = self.engine.next().0;
                    let model = assigned.model.map(|model| model as Arc<dyn mliot::node::Predictor>);
                    self.log.reader().at += 1;
                    if assigned.from != at {
                        return Err("a model that is assigned ahead is not replayed".into());
                    }
                    self.engine.assign(&"level".into(), model);
                    continue;
                }
                Some(Happening::Failed(_)) => return Err("what failed by itself is not replayed".into()),
                Some(Happening::Draw(_) | Happening::Ends { .. } | Happening::WentLive) | None => self.step(),
            };
            idle = if matches!(progress, Progress::Rows(rows) if rows > 0) { 0 } else { idle + 1 };
            match progress {
                Progress::Ended if self.log.reader().current().is_none() => return Ok(()),
                _ if idle > 100 => return Err(format!("nothing moves at {:?}", self.log.reader().current())),
                _ => {}
            }
        }
    }

    fn at(&self, wanted: u64) -> Result<(), String> {
        let at = self.engine.next().0;
        if at == wanted { Ok(()) } else { Err(format!("a cut stands at {wanted}, and {at} rows have entered")) }
    }

    fn step(&mut self) -> Progress {
        let progress = self.engine.step();
        for outbox in self.engine.outboxes_mut() {
            while let Some(rows) = outbox.take() {
                self.written.entry((path(&outbox.connector), outbox.id.0)).or_default().extend(from_table(&rows));
            }
        }
        progress
    }
}

/// A reader that all sources share: only the one whose turn it was has something.
#[derive(Clone)]
struct Log(Arc<Mutex<Reader>>);

#[derive(Default)]
struct Reader {
    all: Vec<Happening>,
    at: usize,
    /// Rows of the current draw that were taken already.
    taken: usize,
    /// Sources that have said that they have ended here.
    said: BTreeSet<Name>,
    scripts: Arc<Scripts>,
    /// Could sources be read once more when the change was made that is made now?
    rereads: bool,
}

impl Log {
    fn reader(&self) -> MutexGuard<'_, Reader> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reader {
    fn current(&self) -> Option<&Happening> {
        self.all.get(self.at)
    }
}

impl Parts for Log {
    fn node(&self, spec: &NodeSpec, inputs: &[ir::Schema]) -> Result<Box<dyn Node>, NodeError> {
        Ok(Box::new(Watched::new(built(spec, inputs)?, spec, &Ledger::default())))
    }

    fn bad(&self) -> ir::Schema {
        bad()
    }

    fn deliver(&self, _: &NodeSpec, _: Option<&mliot::io::Keep>) -> Result<Box<dyn Deliver>, NodeError> {
        Ok(Box::new(Kept::default()))
    }

    fn feed(
        &self,
        source: &SourceSpec,
        side: Side,
        _: Option<&mliot::io::Position>,
    ) -> Result<Option<Box<dyn Feed>>, NodeError> {
        let log = self.clone();
        Ok(Some(Box::new(Again { log, side, gate: source.gate.clone(), watermark: i64::MIN, rows: 0, records: 0 })))
    }

    fn reread(&self, source: &SourceSpec, side: Side) -> Result<Option<Box<dyn Feed>>, NodeError> {
        let reader = self.reader();
        let Some(connector) = source.end(side).filter(|_| reader.rereads) else { return Ok(None) };
        let script = reader.scripts.get(&path(connector)).cloned().unwrap_or_else(|| Arc::from([]));
        Ok(Some(Box::new(SimFeed::again(&Ledger::default(), side, script, source, bad()))))
    }
}

struct Again {
    log: Log,
    side: Side,
    gate: NodeSpec,
    watermark: i64,
    rows: u64,
    records: u64,
}

impl Again {
    fn name(&self) -> &Name {
        &self.gate.key.decl
    }

    fn lateness(&self) -> Duration {
        let NodeOp::Gate(gate) = &self.gate.op else { panic!("a gate") };
        gate.limits.lateness
    }
}

impl Feed for Again {
    fn head(&mut self) -> Result<Head, NodeError> {
        let mut reader = self.log.reader();
        if matches!(reader.current(), Some(Happening::WentLive)) {
            if self.side == Side::Recorded {
                return Ok(Head::Ended);
            }
            reader.at += 1;
        }
        Ok(match reader.current().cloned() {
            Some(Happening::Draw(draw)) if draw.source == *self.name() => Head::Row(None),
            Some(Happening::Ends { sources, .. }) if sources.contains(self.name()) => {
                reader.said.insert(self.name().clone());
                if sources.iter().all(|source| reader.said.contains(source)) {
                    reader.said.clear();
                    reader.at += 1;
                }
                Head::Ended
            }
            Some(_) => Head::Waiting,
            None => Head::Ended,
        })
    }

    fn take(&mut self, rows_max: usize, _: Option<Time>, first: Ordinal) -> Result<Drawn, NodeError> {
        let mut reader = self.log.reader();
        let Some(Happening::Draw(draw)) = reader.current().cloned() else { panic!("it is this source's turn") };
        let from = reader.taken;
        assert_eq!(first.0, draw.first + from as u64, "rows enter at the ordinals at which they did");
        let rows = &draw.rows[from..draw.rows.len().min(from + rows_max)];
        reader.taken += rows.len();
        let bad_here = if from == 0 { draw.bad.len() } else { 0 };
        self.rows += rows.len() as u64;
        self.records += (rows.len() + bad_here) as u64;
        if reader.taken == draw.rows.len() {
            (reader.taken, reader.at) = (0, reader.at + 1);
        }
        drop(reader);
        let time: Vec<i64> =
            rows.iter().map(|row| if let ir::Value::Time(at) = row["at"] { at.0 } else { panic!("no time") }).collect();
        let (before, lateness) = (self.watermark, self.lateness());
        let mark = time.iter().map(|at| at - lateness.0).max();
        self.watermark = before.max(mark.unwrap_or(before)).max(draw.silence_us.unwrap_or(before));
        let upto = first.plus(rows.len() + usize::from(draw.silence_us.is_some()));
        let clock = Clock::Gate { base: first, before: Time(before), after: Time(self.watermark), lateness, time: time.into() };
        let bad: Option<RecordBatch> = (from == 0 && !draw.bad.is_empty()).then(|| to_table(&bad(), &draw.bad).expect("texts"));
        let table = to_table(&self.gate.schema, rows).expect("rows of the log are well formed");
        Ok(Drawn { rows: Batch { rows: table, ordinals: Ordinals::Range(first), upto, clock }, bad, read: Time(0) })
    }

    fn retune(&mut self, source: &SourceSpec) -> Result<(), NodeError> {
        self.gate = source.gate.clone();
        Ok(())
    }

    fn counts(&self) -> FeedCounts {
        FeedCounts::default()
    }

    fn position(&self) -> Option<mliot::io::Position> {
        let (rows, records) = (self.rows, self.records);
        let input = mliot::io::InputPosition::Stream { records };
        Some(mliot::io::Position { rows, records, newest: Time(self.watermark), watermark: Time(self.watermark), input })
    }

    fn follow(&mut self, before: &mliot::io::Position) {
        self.watermark = before.watermark.0;
    }
}
