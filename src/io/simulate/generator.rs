//! The values of one generator call, key by key, tick by tick.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, Int64Array, UInt32Array};
use arrow::compute::{concat, take};

use crate::base::Duration;
use crate::diag::Code;
use crate::io::error::{IoError, arrow_refuses};
use crate::io::expr;
use crate::ir::{Generator, GeneratorCall, Type, Value};

use super::random::Stream;

/// One call of one column, for all keys. Values are a function of (seed, column, call, key, tick).
pub(super) struct Source {
    kind: Kind,
    keys: usize,
}

enum Kind {
    /// The values in turn, each for so many microseconds.
    Step {
        every: i64,
        values: ArrayRef,
    },
    Sine {
        every: i64,
        low: f64,
        high: f64,
    },
    Noise {
        size: f64,
        streams: Vec<Stream>,
    },
    Walk {
        low: f64,
        high: f64,
        size: f64,
        walks: Vec<Walk>,
    },
}

/// A random walk that is thrown back at both ends.
struct Walk {
    steps: Stream,
    start: f64,
    /// The value before `tick`.
    at: f64,
    tick: u64,
}

/// When ticks are, in microseconds since the start.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Beat {
    pub rows: u64,
    pub per: Duration,
}

impl Beat {
    pub fn at(&self, tick: u64) -> i64 {
        (i128::from(tick) * i128::from(self.per.0) / i128::from(self.rows)) as i64
    }

    /// The first tick that is not before `micros`.
    pub fn from(&self, micros: i64) -> u64 {
        let scaled = i128::from(micros.max(0)) * i128::from(self.rows);
        let mut tick = (scaled / i128::from(self.per.0)) as u64;
        while self.at(tick) < micros {
            tick += 1;
        }
        tick
    }
}

impl Source {
    /// `purpose` is the seed's, then the column and the number of the call.
    pub fn new(call: &GeneratorCall, seed: u64, column: &str, nth: usize, keys: &[String]) -> Result<Source, IoError> {
        let nth = nth.to_string();
        let stream = |key: &String, per_tick: u32| Stream::new(seed, &[column, &nth, key], per_tick);
        let wrong =
            |what: &str| Err(IoError::new(Code::E0718, format!("`{}` in `{column}` needs {what}", call.function.name())));
        let positive = call.every.map(|every| every.0).filter(|every| *every > 0);
        let kind = match call.function {
            Generator::Step => match positive {
                Some(every) if !call.values.is_empty() => Kind::Step { every, values: constants(&call.values)? },
                Some(_) | None => return wrong("`every:` and `values:`"),
            },
            Generator::Sine => match (positive, call.range) {
                (Some(every), Some((low, high))) => Kind::Sine { every, low, high },
                (_, _) => return wrong("`period:` and a range"),
            },
            Generator::Noise => match call.size {
                Some(size) => Kind::Noise { size, streams: keys.iter().map(|key| stream(key, Stream::NORMAL)).collect() },
                None => return wrong("a standard deviation"),
            },
            Generator::Walk => match (call.range, call.size) {
                (Some((low, high)), Some(size)) if low <= high => {
                    let walks = keys.iter().map(|key| Walk::new(stream(key, 1), low, high)).collect();
                    Kind::Walk { low, high, size, walks }
                }
                (_, _) => return wrong("a range and `step:`"),
            },
        };
        Ok(Source { kind, keys: keys.len() })
    }

    /// Of the ticks `from..to`, tick by tick, in each the keys in order.
    pub fn values(&mut self, from: u64, to: u64, beat: Beat) -> Result<ArrayRef, IoError> {
        let ticks = (to - from) as usize;
        let mut out = vec![0.0; ticks * self.keys];
        match &mut self.kind {
            Kind::Step { every, values } => {
                let nth = |tick: u64| (beat.at(tick) / *every) as usize % values.len();
                let indices = (from..to).flat_map(|tick| std::iter::repeat_n(nth(tick) as u32, self.keys));
                return take(values, &UInt32Array::from_iter_values(indices), None).map_err(arrow_refuses);
            }
            Kind::Sine { every, low, high } => {
                for (tick, row) in (from..to).zip(out.chunks_mut(self.keys)) {
                    let phase = (beat.at(tick) % *every) as f64 / *every as f64;
                    row.fill(*low + (*high - *low) * (sine(phase) + 1.0) / 2.0);
                }
            }
            Kind::Noise { size, streams } => {
                for (key, stream) in streams.iter_mut().enumerate() {
                    stream.seek(from);
                    out.iter_mut().skip(key).step_by(self.keys).for_each(|value| *value = *size * stream.normal());
                }
            }
            Kind::Walk { low, high, size, walks } => {
                for (key, walk) in walks.iter_mut().enumerate() {
                    walk.seek(from, *low, *high, *size);
                    out.iter_mut().skip(key).step_by(self.keys).for_each(|value| *value = walk.next(*low, *high, *size));
                }
            }
        }
        Ok(Arc::new(Float64Array::from(out)))
    }
}

impl Walk {
    fn new(mut steps: Stream, low: f64, high: f64) -> Walk {
        steps.seek(0);
        let start = low + (high - low) * steps.unit();
        Walk { steps, start, at: start, tick: 0 }
    }

    /// A walk has a memory, so what lies before is walked through.
    fn seek(&mut self, tick: u64, low: f64, high: f64, size: f64) {
        if tick < self.tick {
            (self.at, self.tick) = (self.start, 0);
        }
        while self.tick < tick {
            self.next(low, high, size);
        }
    }

    /// The value at the next tick; the first is the start.
    fn next(&mut self, low: f64, high: f64, size: f64) -> f64 {
        if self.tick > 0 {
            self.steps.seek(self.tick);
            let to = self.at + (2.0 * self.steps.unit() - 1.0) * size;
            self.at = reflected(to, low, high);
        }
        self.tick += 1;
        self.at
    }
}

fn reflected(value: f64, low: f64, high: f64) -> f64 {
    let back = if value > high { high - (value - high) } else { low + (low - value).max(0.0) };
    let value = if value > high || value < low { back } else { value };
    value.clamp(low, high)
}

/// Of a part of a turn, from additions and multiplications alone, so that every machine gives the same bits: the Taylor series
/// over a quarter turn, exact to the last digits of a double.
fn sine(turn: f64) -> f64 {
    let quarter = match turn {
        turn if turn < 0.25 => turn,
        turn if turn < 0.75 => 0.5 - turn,
        turn => turn - 1.0,
    };
    let x = quarter * std::f64::consts::TAU;
    let square = x * x;
    let series = (1..=11).rev().fold(1.0, |rest, nth| 1.0 - square / f64::from(2 * nth * (2 * nth + 1)) * rest);
    x * series
}

/// Constants as one column; numbers of both kinds become floats.
fn constants(values: &[Value]) -> Result<ArrayRef, IoError> {
    let float = values.iter().any(|value| matches!(value, Value::Float(_)));
    let ty = |value: &Value| match value {
        Value::Int(_) if float => Type::NUMBER(),
        Value::Int(_) => Type::Int,
        Value::Float(_) => Type::NUMBER(),
        Value::Bool(_) => Type::Bool,
        Value::Text(_) => Type::Text,
        Value::Time(_) => Type::Time,
        Value::Duration(_) => Type::Duration,
        Value::Null | Value::List(_) => Type::Text,
    };
    // A null takes the type of its neighbours.
    let known = values.iter().find(|value| **value != Value::Null).map_or(Type::Text, ty);
    let parts = values.iter().map(|value| expr::constant(value, &known)).collect::<Result<Vec<_>, _>>()?;
    let parts: Vec<&dyn arrow::array::Array> = parts.iter().map(AsRef::as_ref).collect();
    concat(&parts)
        .map_err(|_| IoError::new(Code::E0718, "the values of `step` are of different types").help("write values of one type"))
}

/// Ticks as numbers.
pub(super) fn numbers(from: u64, to: u64, keys: usize) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values((from..to).flat_map(|tick| std::iter::repeat_n(tick as i64 + 1, keys))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sine_is_a_sine() {
        for step in 0..1_000 {
            let turn = f64::from(step) / 1_000.0;
            assert!((sine(turn) - (turn * std::f64::consts::TAU).sin()).abs() < 1e-14, "{turn}");
        }
    }

    #[test]
    fn ticks_and_times_agree() {
        let beat = Beat { rows: 3, per: Duration(10) };
        assert_eq!((0..5).map(|tick| beat.at(tick)).collect::<Vec<_>>(), [0, 3, 6, 10, 13]);
        assert_eq!([0, 1, 3, 4, 10, 11].map(|micros| beat.from(micros)), [0, 1, 1, 2, 3, 4]);
    }
}
