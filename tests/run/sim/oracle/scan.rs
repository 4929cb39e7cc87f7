//! A `scan`, row by row.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use mliot::base::Name;
use mliot::ir::{Running, RunningCall, ScanEntry, Value};
use mliot::runtime::Row;

use super::fate::{Fate, Fates};
use super::key::{Key, key};
use super::value::evaluate;

/// By key, what each call remembers, and the newest time.
#[derive(Clone, Debug, Default)]
pub struct Scan(BTreeMap<Key, Known>);

#[derive(Clone, Debug, Default)]
struct Known {
    newest: i64,
    calls: BTreeMap<(Name, usize), Memory>,
}

#[derive(Clone, Debug)]
struct Memory {
    result: Value,
    last: Value,
    before: VecDeque<Value>,
    sum: f64,
    weight: f64,
    at: Option<i64>,
}

impl Scan {
    /// Adds the scanned columns; null in all of them for a row without a key, or older than its key's newest.
    pub fn row(&mut self, row: &mut Row, time: i64, by: &[Name], entries: &[ScanEntry]) {
        let known = key(row, by).and_then(|key| {
            let known = self.0.entry(key).or_insert(Known { newest: i64::MIN, calls: BTreeMap::new() });
            (time >= known.newest).then_some(known)
        });
        let Some(known) = known else {
            row.extend(entries.iter().map(|entry| (entry.name.clone(), Value::Null)));
            return;
        };
        known.newest = time;
        for entry in entries {
            let mut slots = Vec::new();
            for (nth, call) in entry.calls.iter().enumerate() {
                let memory = known.calls.entry((entry.name.clone(), nth)).or_insert_with(|| Memory::new(call));
                slots.push(memory.step(call, call.args.first().map(|arg| evaluate(arg, row, &slots)), time));
            }
            row.insert(entry.name.clone(), evaluate(&entry.value, row, &slots));
        }
    }
}

impl Scan {
    /// Columns that go on keep what is known by key; those that are had again bring theirs. A key that only these know is new
    /// to the others.
    pub fn taken_over(&self, entries: &[ScanEntry], fates: &Fates, again: Option<&Scan>) -> Scan {
        let none = Scan::default();
        let again = again.unwrap_or(&none);
        let keys: BTreeSet<&Key> = self.0.keys().chain(again.0.keys()).collect();
        let known = |key: &Key| {
            let newest = self.0.get(key).or_else(|| again.0.get(key)).expect("one of them has it").newest;
            let mut known = Known { newest, calls: BTreeMap::new() };
            for entry in entries {
                let from = match fates.get(&entry.name) {
                    Some(Fate::Again) => again.0.get(key),
                    Some(Fate::Empty) | None => None,
                    Some(Fate::Kept | Fate::Converted | Fate::PutTogether | Fate::Aged) => self.0.get(key),
                };
                for (nth, call) in entry.calls.iter().enumerate() {
                    let place = (entry.name.clone(), nth);
                    let memory = from.and_then(|from| from.calls.get(&place)).cloned();
                    known.calls.extend(memory.map(|memory| (place, memory.fitted(call))));
                }
            }
            known
        };
        Scan(keys.into_iter().map(|key| (key.clone(), known(key))).collect())
    }
}

impl Memory {
    /// A shorter lag keeps the newest.
    fn fitted(mut self, call: &RunningCall) -> Memory {
        if let (Running::Lag, Some(Value::Int(rows))) = (call.function, call.settings.first()) {
            let over = self.before.len().saturating_sub(*rows as usize);
            self.before.drain(..over);
        }
        self
    }

    fn new(call: &RunningCall) -> Memory {
        let result = if call.function == Running::CumulativeCount { Value::Int(0) } else { Value::Null };
        Memory { result, last: Value::Null, before: VecDeque::new(), sum: 0.0, weight: 0.0, at: None }
    }

    /// A null argument changes nothing; the last result is given again.
    fn step(&mut self, call: &RunningCall, arg: Option<Value>, time: i64) -> Value {
        let arg = arg.unwrap_or(Value::Bool(true));
        if arg != Value::Null {
            self.result = self.next(call, arg, time);
        }
        self.result.clone()
    }

    fn next(&mut self, call: &RunningCall, arg: Value, time: i64) -> Value {
        let number = arg.as_f64().unwrap_or_default();
        match call.function {
            Running::Previous => std::mem::replace(&mut self.last, arg),
            Running::Lag => {
                let Some(Value::Int(rows)) = call.settings.first() else { panic!("a lag says how far") };
                self.before.push_back(arg);
                if self.before.len() > *rows as usize { self.before.pop_front().expect("it is long") } else { Value::Null }
            }
            Running::CumulativeSum => Value::Float(self.result.as_f64().unwrap_or(0.0) + number),
            Running::CumulativeCount => Value::Int(self.result.as_f64().unwrap_or(0.0) as i64 + 1),
            Running::CumulativeMax => Value::Float(self.result.as_f64().map_or(number, |max| max.max(number))),
            Running::Changed => match std::mem::replace(&mut self.last, arg.clone()) {
                Value::Null => Value::Null,
                last => Value::Bool(last != arg),
            },
            Running::Ewma => self.ewma(call, number, time),
            Running::Hysteresis => {
                let setting = |nth: usize| call.settings[nth].as_f64().expect("a threshold");
                let (on, off) = (setting(0), setting(1));
                let was = self.result == Value::Bool(true);
                Value::Bool(number >= on || (was && number > off))
            }
            other => panic!("{other:?} is not written by the simulator"),
        }
    }

    /// A value's weight halves with every half-life that passes.
    fn ewma(&mut self, call: &RunningCall, number: f64, time: i64) -> Value {
        let Some(Value::Duration(half)) = call.settings.first() else { panic!("an average says its half-life") };
        let age = self.at.map_or(0.0, |at| time as f64 - at as f64);
        let decay = (-age / half.0 as f64).exp2();
        self.sum = self.sum * decay + number;
        self.weight = self.weight * decay + 1.0;
        self.at = Some(time);
        Value::Float(self.sum / self.weight)
    }
}
