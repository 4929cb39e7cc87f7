//! Random rows as a gate delivers them: times out of order and late, nulls, NaN, several keys, rows that filters above have
//! dropped, and a clock that has seen them all the same.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use mliot::base::{Duration, Time};
use mliot::ir::{Schema, Type};
use mliot::node::{self, Batch, Clock, Ordinal, Ordinals};
use proptest::prelude::*;

use super::expression::{field, float};

/// One row as it came in.
#[derive(Clone, Debug)]
pub struct Row {
    pub at: i64,
    pub key: Option<&'static str>,
    pub x: Option<f64>,
    pub n: Option<i64>,
    pub ok: Option<bool>,
    /// Did it pass the filters above the node?
    pub kept: bool,
}

/// All rows of a case, the lateness of their gate, and its kind of clock.
#[derive(Clone, Debug)]
pub struct Feed {
    pub rows: Vec<Row>,
    pub lateness: i64,
    pub clock: ClockKind,
    /// The first ordinal.
    pub base: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ClockKind {
    Gate,
    Steps,
    None,
}

pub fn schema(clock: ClockKind) -> Schema {
    let columns = vec![
        field("at", Type::Time),
        field("key", Type::Text),
        field("x", float()),
        field("n", Type::Int),
        field("ok", Type::Bool),
    ];
    Schema { columns, time: (clock != ClockKind::None).then(|| "at".into()), clock_by: vec![] }
}

fn row() -> impl Strategy<Value = Row> {
    let step = prop_oneof![4 => 0i64..4, 1 => -30i64..0, 1 => 0i64..40];
    let x = prop_oneof![
        6 => (-8i32..8).prop_map(|x| Some(f64::from(x) * 0.3)),
        1 => Just(None),
        1 => prop_oneof![Just(Some(f64::NAN)), Just(Some(f64::INFINITY)), Just(Some(-0.0))],
        1 => (-1e6..1e6f64).prop_map(Some),
    ];
    let key = prop_oneof![6 => prop_oneof![Just("a"), Just("b"), Just("c")].prop_map(Some), 1 => Just(None)];
    let n = proptest::option::weighted(0.8, -5i64..5);
    (step, key, x, n, proptest::option::weighted(0.8, any::<bool>()), prop::bool::weighted(0.8))
        .prop_map(|(at, key, x, n, ok, kept)| Row { at, key, x, n, ok, kept })
}

/// Steps in time become times; some go back.
pub fn feed(kinds: &'static [ClockKind]) -> impl Strategy<Value = Feed> {
    let rows = prop::collection::vec(row(), 0..60);
    (rows, 0i64..12, prop::sample::select(kinds), -50i64..50, 0u64..1000).prop_map(
        |(mut rows, lateness, clock, start, base)| {
            let mut now = start;
            for row in &mut rows {
                let at = now + row.at;
                now = now.max(at);
                row.at = at;
            }
            Feed { rows, lateness, clock, base }
        },
    )
}

/// Sorted places at which a feed is cut.
pub fn cuts() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(0usize..60, 0..12).prop_map(|mut cuts| {
        cuts.sort_unstable();
        cuts
    })
}

impl Feed {
    pub fn schema(&self) -> Schema {
        schema(self.clock)
    }

    /// The watermark before row `nth`.
    pub fn watermark(&self, nth: usize) -> Time {
        let newest = self.rows[..nth].iter().map(|row| row.at).max();
        match (newest, self.clock) {
            (_, ClockKind::None) | (None, _) => Time::MIN,
            (Some(newest), _) => Time(newest) - Duration(self.lateness),
        }
    }

    pub fn ordinal(&self, nth: usize) -> Ordinal {
        Ordinal(self.base + nth as u64)
    }

    pub fn end(&self) -> Ordinal {
        self.ordinal(self.rows.len())
    }

    pub fn whole(&self) -> Vec<Batch> {
        vec![self.batch(0..self.rows.len())]
    }

    pub fn cut(&self, cuts: &[usize]) -> Vec<Batch> {
        let mut at = 0;
        let mut batches = Vec::new();
        for cut in cuts.iter().map(|cut| (*cut).min(self.rows.len())).chain([self.rows.len()]) {
            batches.push(self.batch(at..cut));
            at = cut;
        }
        batches
    }

    pub fn batch(&self, range: Range<usize>) -> Batch {
        let rows = &self.rows[range.clone()];
        let at: TimestampMicrosecondArray = rows.iter().map(|row| Some(row.at)).collect();
        let key: StringArray = rows.iter().map(|row| row.key).collect();
        let x: Float64Array = rows.iter().map(|row| row.x).collect();
        let n: Int64Array = rows.iter().map(|row| row.n).collect();
        let ok: BooleanArray = rows.iter().map(|row| row.ok).collect();
        let columns: Vec<ArrayRef> =
            vec![Arc::new(at.with_timezone("UTC")), Arc::new(key), Arc::new(x), Arc::new(n), Arc::new(ok)];
        let whole = Batch {
            rows: RecordBatch::try_new(node::schema(&self.schema()), columns).unwrap(),
            ordinals: Ordinals::Range(self.ordinal(range.start)),
            upto: self.ordinal(range.end),
            clock: self.clock(range),
        };
        let kept: BooleanArray = rows.iter().map(|row| Some(row.kept)).collect();
        whole.filter(&kept).unwrap()
    }

    fn clock(&self, range: Range<usize>) -> Clock {
        let (before, after) = (self.watermark(range.start), self.watermark(range.end));
        match self.clock {
            ClockKind::None => Clock::None,
            ClockKind::Gate => Clock::Gate {
                base: self.ordinal(range.start),
                before,
                after,
                lateness: Duration(self.lateness),
                time: self.rows[range].iter().map(|row| row.at).collect(),
            },
            ClockKind::Steps => {
                let moved = range.filter(|nth| self.watermark(nth + 1) > self.watermark(*nth));
                Clock::Steps { before, after, at: moved.map(|nth| (self.ordinal(nth), self.watermark(nth + 1))).collect() }
            }
        }
    }
}
