//! A source of the simulator: a script of arrivals on the virtual clock, decoded and timed as a real one is.

use std::sync::Arc;

use arrow::array::RecordBatch;
use mliot::base::{Name, Time};
use mliot::diag::Code;
use mliot::io::{Draw as LoggedDraw, InputPosition, Position};
use mliot::ir::{self, Origin, Value};
use mliot::node::{Batch, Clock, Counts, NodeError, Ordinal, Ordinals};
use mliot::plan::NodeOp;
use mliot::runtime::{Again, Drawn, Feed, FeedCounts, Head, Row, Side, SourceSpec, to_table};

use super::ledger::{Aside, Draw, Fault, Ledger, MADE};
use super::rows::{Arrival, Raw, What};

/// Silence moves the watermark in steps of this part of `idle`.
const IDLE_STEPS: i64 = 4;

/// So often silence moves it once nothing more will come; then the source waits.
const LAST_SILENCES: u32 = 12;

pub struct SimFeed {
    ledger: Ledger,
    /// It is read once more, beside the one that runs: it writes nothing down, and whatever came is there.
    aside: Option<Aside>,
    side: Side,
    script: Arc<[Arrival]>,
    next: usize,
    /// When the next arrival is there, in milliseconds.
    due_ms: i64,
    meaning: Meaning,
    bad: ir::Schema,
    newest: i64,
    watermark: i64,
    arrived_ms: i64,
    silences: u32,
    /// That could be read.
    rows: u64,
    counts: FeedCounts,
}

/// What its three nodes say.
struct Meaning {
    source: Name,
    schema: ir::Schema,
    columns: Vec<ir::SourceColumn>,
    limits: ir::Limits,
}

impl Meaning {
    fn of(source: &SourceSpec) -> Meaning {
        let NodeOp::Decode(decode) = &source.decode.op else { panic!("a source is three nodes") };
        let NodeOp::Gate(gate) = &source.gate.op else { panic!("a source is three nodes") };
        Meaning {
            source: source.name().clone(),
            schema: source.gate.schema.clone(),
            columns: decode.columns.clone(),
            limits: gate.limits.clone(),
        }
    }

    fn row(&self, raw: &Raw) -> Row {
        decoded(raw, &self.columns)
    }
}

impl Raw {
    fn field(&self, name: &str) -> Value {
        let number = |value: Option<i64>| value.map_or(Value::Null, |quarters| Value::Float(quarters as f64 / 4.0));
        match name {
            "at" => Value::Time(Time(self.at_ms * 1_000)),
            "id" => Value::Int(self.id),
            "key" => self.key.map_or(Value::Null, |key| Value::Text(key.to_string().as_str().into())),
            "g" => self.g.map_or(Value::Null, Value::Int),
            "a" => number(self.a),
            "b" => number(self.b),
            "c" => number(self.c),
            "y" => number(self.y),
            "l" => self.list(),
            other => panic!("no record of the simulator has a field `{other}`"),
        }
    }

    /// Of no, one or several numbers, and none where `g` is null.
    fn list(&self) -> Value {
        let Some(g) = self.g else { return Value::Null };
        let all = [self.a, self.b, self.c].into_iter().take(g as usize);
        Value::List(all.map(|value| value.map_or(Value::Null, |quarters| Value::Float(quarters as f64 / 4.0))).collect())
    }
}

/// A row of the source, as its columns say.
pub fn decoded(raw: &Raw, columns: &[ir::SourceColumn]) -> Row {
    let value = |column: &ir::SourceColumn| match &column.origin {
        Origin::Field(field) => raw.field(field),
        other => panic!("{other:?} is not written by the simulator"),
    };
    columns.iter().map(|column| (column.column.name.clone(), value(column))).collect()
}

impl SimFeed {
    /// From the beginning, beside the one that runs.
    pub fn again(ledger: &Ledger, side: Side, script: Arc<[Arrival]>, source: &SourceSpec, bad: ir::Schema) -> SimFeed {
        let mut feed = SimFeed::new(ledger, side, script, source, bad);
        feed.aside = Some(Aside::new(ledger));
        feed
    }

    pub fn open(
        ledger: &Ledger,
        side: Side,
        script: Arc<[Arrival]>,
        source: &SourceSpec,
        bad: ir::Schema,
        from: Option<&Position>,
    ) -> SimFeed {
        ledger.book().feeds += 1;
        let mut feed = SimFeed::new(ledger, side, script, source, bad);
        if let Some(from) = from {
            feed.stand_at(from);
        }
        feed
    }

    fn new(ledger: &Ledger, side: Side, script: Arc<[Arrival]>, source: &SourceSpec, bad: ir::Schema) -> SimFeed {
        let now = ledger.book().now_ms;
        let due_ms = now + script.first().map_or(0, |first| first.gap_ms);
        SimFeed {
            ledger: ledger.clone(),
            aside: None,
            side,
            script,
            next: 0,
            due_ms,
            meaning: Meaning::of(source),
            bad,
            newest: i64::MIN,
            watermark: i64::MIN,
            arrived_ms: now,
            silences: 0,
            rows: 0,
            counts: FeedCounts::default(),
        }
    }

    /// Behind what was read before a crash; what has arrived since is there.
    fn stand_at(&mut self, from: &Position) {
        self.next = (from.records as usize).min(self.script.len());
        self.rows = from.rows;
        (self.newest, self.watermark) = (from.newest.0, from.watermark.0);
        self.due_ms = self.arrived_ms;
    }

    /// What is there by now.
    fn ready(&self) -> Option<&What> {
        let due = self.side == Side::Recorded || self.aside.is_some() || self.due_ms <= self.ledger.book().now_ms;
        self.script.get(self.next).filter(|_| due).map(|arrival| &arrival.what)
    }

    fn advance(&mut self) {
        self.next += 1;
        self.due_ms += self.script.get(self.next).map_or(0, |arrival| arrival.gap_ms);
    }

    /// When silence moves the watermark by its next step, in milliseconds of the virtual clock.
    fn idle_from(&self) -> Option<i64> {
        if self.silences > LAST_SILENCES {
            return None;
        }
        let waits = self.side == Side::Live && self.aside.is_none() && self.newest > i64::MIN;
        let idle = self.meaning.limits.idle.filter(|_| waits)?.0 / 1_000;
        let behind = (self.watermark - (self.newest - self.meaning.limits.lateness.0)) / 1_000;
        Some(self.arrived_ms + idle + behind.max(0) + idle / IDLE_STEPS)
    }

    fn silence(&mut self, first: Ordinal) -> Drawn {
        let now = self.ledger.book().now_ms;
        let idle = self.meaning.limits.idle.map_or(0, |idle| idle.0);
        let gone = (now - self.arrived_ms) * 1_000 - idle;
        let to = (self.newest - self.meaning.limits.lateness.0 + gone).max(self.watermark);
        self.log(first, first.plus(1), vec![], vec![], Some(to));
        self.silent(first, to)
    }

    fn silent(&mut self, first: Ordinal, to: i64) -> Drawn {
        self.silences += u32::from(self.next >= self.script.len());
        let before = std::mem::replace(&mut self.watermark, to);
        let clock = self.clock(first, before, vec![]);
        let rows = to_table(&self.meaning.schema, &[]).expect("no row fits any schema");
        Drawn {
            rows: Batch { rows, ordinals: Ordinals::Range(first), upto: first.plus(1), clock },
            bad: None,
            read: self.read(),
        }
    }

    fn clock(&self, base: Ordinal, before: i64, time: Vec<i64>) -> Clock {
        let lateness = self.meaning.limits.lateness;
        Clock::Gate { base, before: Time(before), after: Time(self.watermark), lateness, time: time.into() }
    }

    fn log(&self, first: Ordinal, upto: Ordinal, rows: Vec<Row>, bad: Vec<Row>, silence_us: Option<i64>) {
        if self.aside.is_some() {
            return;
        }
        let draw = Draw { source: self.meaning.source.clone(), first: first.0, upto: upto.0, rows, bad, silence_us };
        self.ledger.book().draws.push(draw);
    }

    fn read(&self) -> Time {
        Time(self.ledger.book().now_ms * 1_000)
    }

    fn count(&mut self, rows: u64, bad: u64) {
        self.rows += rows;
        let FeedCounts { connection, decode, gate } = &mut self.counts;
        let pass = |counts: &mut Counts, rows: u64| {
            counts.input += rows;
            counts.passed += rows;
            counts.output += rows;
        };
        pass(connection, rows + bad);
        pass(decode, rows);
        pass(gate, rows);
        if bad > 0 {
            decode.input += bad;
            *decode.dropped.entry("bad").or_default() += bad;
        }
    }

    fn drawn(&mut self, rows: Vec<Row>, bad: Vec<Row>, time: Vec<i64>, first: Ordinal) -> Drawn {
        let before = self.watermark;
        if let Some(newest) = time.iter().max() {
            self.newest = self.newest.max(*newest);
            self.watermark = before.max(newest - self.meaning.limits.lateness.0);
        }
        self.count(rows.len() as u64, bad.len() as u64);
        let table = to_table(&self.meaning.schema, &rows).expect("rows of the simulator are well formed");
        let upto = first.plus(rows.len());
        let clock = self.clock(first, before, time);
        let aside = self.bad_rows(&bad);
        Drawn { rows: Batch { rows: table, ordinals: Ordinals::Range(first), upto, clock }, bad: aside, read: self.read() }
    }

    fn bad_rows(&self, bad: &[Row]) -> Option<RecordBatch> {
        (!bad.is_empty()).then(|| to_table(&self.bad, bad).expect("texts"))
    }
}

/// What could not be read, as it stands at the bad outlet.
fn unreadable(source: &Name, nth: usize) -> Row {
    let text = |text: String| Value::Text(text.as_str().into());
    Row::from([
        ("reason".into(), text("not a record".into())),
        ("raw".into(), text("#".into())),
        ("origin".into(), text(format!("{source}, record {nth}"))),
    ])
}

fn dead() -> NodeError {
    NodeError::new(Code::R0711, format!("{MADE}: the line is dead"))
}

impl Feed for SimFeed {
    fn head(&mut self) -> Result<Head, NodeError> {
        match self.ready() {
            Some(What::Row(raw)) => return Ok(Head::Row(Some(Time(raw.at_ms * 1_000)))),
            Some(What::Bad | What::Dies { at_once: false }) => return Ok(Head::Row(None)),
            Some(What::Dies { at_once: true }) => return Err(dead()),
            None => {}
        }
        let mut book = self.ledger.book();
        if self.next >= self.script.len() && (self.side == Side::Recorded || book.closing) {
            return Ok(Head::Ended);
        }
        if self.aside.is_some() {
            return Ok(Head::Waiting);
        }
        let due = (self.next < self.script.len()).then_some(self.due_ms);
        let idle = self.idle_from().filter(|_| !book.closing);
        if idle.is_some_and(|idle| idle <= book.now_ms) {
            return Ok(Head::Row(None));
        }
        book.wake_ms = book.wake_ms.into_iter().chain(due).chain(idle).min();
        Ok(Head::Waiting)
    }

    fn take(&mut self, rows_max: usize, until: Option<Time>, first: Ordinal) -> Result<Drawn, NodeError> {
        if self.ready().is_none() {
            return Ok(self.silence(first));
        }
        let (mut rows, mut bad, mut time) = (Vec::new(), Vec::new(), Vec::new());
        while rows.len() < rows_max {
            match self.ready() {
                Some(What::Row(raw)) if until.is_none_or(|until| raw.at_ms * 1_000 <= until.0) => {
                    time.push(raw.at_ms * 1_000);
                    rows.push(self.meaning.row(raw));
                }
                Some(What::Bad) => bad.push(unreadable(&self.meaning.source, self.next)),
                Some(What::Dies { .. }) if rows.is_empty() && bad.is_empty() => return Err(dead()),
                Some(What::Row(_) | What::Dies { .. }) | None => break,
            }
            self.advance();
        }
        self.arrived_ms = self.ledger.book().now_ms;
        self.log(first, first.plus(rows.len()), rows.clone(), bad.clone(), None);
        Ok(self.drawn(rows, bad, time, first))
    }

    fn retune(&mut self, source: &SourceSpec) -> Result<(), NodeError> {
        if self.ledger.fails(Fault::Feed) {
            return Err(dead());
        }
        self.meaning = Meaning::of(source);
        Ok(())
    }

    fn counts(&self) -> FeedCounts {
        self.counts.clone()
    }

    fn position(&self) -> Option<Position> {
        let records = self.next as u64;
        let input = InputPosition::Stream { records };
        Some(Position { rows: self.rows, records, newest: Time(self.newest), watermark: Time(self.watermark), input })
    }

    fn follow(&mut self, before: &Position) {
        (self.newest, self.watermark) = (before.newest.0, before.watermark.0);
        self.arrived_ms = self.ledger.book().now_ms;
    }

    fn again(&mut self) -> Option<&mut dyn Again> {
        Some(self)
    }
}

impl Again for SimFeed {
    fn rereads(&self) -> bool {
        true
    }

    fn redo(&mut self, draw: &LoggedDraw, first: Ordinal) -> Result<Drawn, NodeError> {
        self.arrived_ms = draw.read.0 / 1_000;
        if let Some(to) = draw.silence {
            return Ok(self.silent(first, to.0));
        }
        let (mut rows, mut bad, mut time) = (Vec::new(), Vec::new(), Vec::new());
        while (rows.len() as u64, bad.len() as u64) != (draw.rows, draw.bad) {
            match self.script.get(self.next).map(|arrival| &arrival.what) {
                Some(What::Row(raw)) => {
                    time.push(raw.at_ms * 1_000);
                    rows.push(self.meaning.row(raw));
                }
                Some(What::Bad) => bad.push(unreadable(&self.meaning.source, self.next)),
                Some(What::Dies { .. }) | None => break,
            }
            self.next += 1;
        }
        self.due_ms = self.arrived_ms;
        Ok(self.drawn(rows, bad, time, first))
    }

    fn acknowledge(&mut self, _: &Position) {}
}

impl Drop for SimFeed {
    fn drop(&mut self) {
        if self.aside.is_none() {
            self.ledger.book().feeds -= 1;
        }
    }
}
