//! What the file of these tests means, row by row, without any graph: plan after plan, each from its ordinal on.

use std::collections::{BTreeMap, BTreeSet};

use mliot::base::{Name, Time};
use mliot::ir::Value;
use mliot::runtime::Row;

use super::Text;

/// Everything that every sink should get, in order.
pub fn run(recordings: &BTreeMap<Name, Vec<Row>>, plans: &[(u64, Text)], again: bool) -> BTreeMap<Name, Vec<Row>> {
    let order = sequence(recordings);
    let mut oracle = Oracle::new(plans[0].1.clone(), again);
    let mut plans = plans[1..].iter().peekable();
    for (at, (source, row)) in order.iter().enumerate() {
        while let Some((_, text)) = plans.next_if(|(from, _)| *from <= at as u64) {
            oracle.edit(text);
        }
        oracle.ended =
            ["lab", "hall"].into_iter().filter(|name| order[at..].iter().all(|(source, _)| source != name)).collect();
        oracle.move_clock();
        oracle.row(source, row);
    }
    oracle.fire(i64::MAX);
    plans.for_each(|(_, text)| oracle.edit(text));
    oracle.sinks
}

/// The rows in the order in which they enter: the lowest head first, ties by name.
fn sequence(recordings: &BTreeMap<Name, Vec<Row>>) -> Vec<(&str, &Row)> {
    let mut at: BTreeMap<&Name, usize> = recordings.keys().map(|name| (name, 0)).collect();
    let mut out = Vec::new();
    let head = |at: &BTreeMap<&Name, usize>, name: &Name| recordings[name].get(at[name]).map(time);
    while let Some((_, name)) = recordings.keys().filter_map(|name| Some((head(&at, name)?, name))).min() {
        out.push((name.as_str(), &recordings[name][at[name]]));
        *at.get_mut(name).expect("a source") += 1;
    }
    out
}

fn time(row: &Row) -> i64 {
    match &row["at"] {
        Value::Time(time) => time.0,
        other => panic!("{other} is no time"),
    }
}

fn number(row: &Row) -> f64 {
    row["v"].as_f64().expect("a number")
}

fn key(row: &Row) -> String {
    row["key"].to_string()
}

/// A running sum per key, with the newest time that it has seen.
#[derive(Default)]
struct Sums(BTreeMap<String, (i64, f64)>);

impl Sums {
    /// None for a row that is older than its key's newest.
    fn add(&mut self, row: &Row, value: f64) -> Option<f64> {
        let (newest, sum) = self.0.entry(key(row)).or_insert((time(row), 0.0));
        if time(row) < *newest {
            return None;
        }
        *newest = time(row);
        *sum += value;
        Some(*sum)
    }
}

#[derive(Default)]
struct Oracle {
    text: Text,
    sums: Sums,
    scaled: Sums,
    all: Sums,
    extra: Sums,
    panes: BTreeMap<(i64, String), (i64, f64, Value)>,
    marks: BTreeMap<String, i64>,
    ended: BTreeSet<&'static str>,
    clock: i64,
    /// Where the marks of a run stand that this one repeats: its own go no further.
    limits: BTreeMap<String, i64>,
    /// Every row so far, with its source and who had ended before it.
    seen: Vec<(BTreeSet<&'static str>, String, Row)>,
    /// Can its rows be read again?
    again: bool,
    sinks: BTreeMap<Name, Vec<Row>>,
}

impl Default for Text {
    fn default() -> Self {
        Text::first()
    }
}

impl Oracle {
    fn new(text: Text, again: bool) -> Oracle {
        let sinks = ["to_sums", "to_scaled", "to_all", "to_panes", "to_extra"];
        let sinks = sinks.iter().map(|name| ((*name).into(), vec![])).collect();
        Oracle { text, clock: i64::MIN, again, sinks, ..Oracle::default() }
    }

    /// What remembers other values, or cannot be read, is as if the new text had been there from the start.
    fn edit(&mut self, text: &Text) {
        let mut new = Oracle::new(text.clone(), false);
        if self.again {
            new.repeat(self);
        }
        if text.scale != self.text.scale && self.again {
            self.scaled = new.scaled;
        }
        if text.window != self.text.window {
            self.panes = new.panes;
        }
        if text.with_extra != self.text.with_extra && self.again {
            self.extra = new.extra;
        }
        self.text = text.clone();
    }

    fn repeat(&mut self, run: &Oracle) {
        self.limits = run.marks.clone();
        for (ended, source, row) in &run.seen {
            self.ended = ended.clone();
            self.move_clock();
            self.row(source, row);
        }
        (self.ended, self.marks) = (run.ended.clone(), run.marks.clone());
        self.move_clock();
    }

    fn put(&mut self, sink: &str, row: &Row, more: &[(&str, Option<f64>)]) {
        let mut row = row.clone();
        row.extend(more.iter().map(|(name, value)| (Name::from(*name), value.map_or(Value::Null, Value::Float))));
        self.sinks.get_mut(sink).expect("a sink").push(row);
    }

    fn row(&mut self, source: &str, row: &Row) {
        self.seen.push((self.ended.clone(), source.to_owned(), row.clone()));
        let v = number(row);
        let text = self.text.clone();
        let before = self.clock;
        let mut both = vec![row.clone()];
        if source == "lab" {
            let sum = self.scaled.add(row, v * text.scale);
            self.put("to_scaled", row, &[("w", Some(v * text.scale)), ("w_sum", sum)]);
            if v > text.bound {
                let sum = self.sums.add(row, v);
                self.put("to_sums", row, &[("so_far", sum), ("twice", sum.map(|sum| sum * text.factor))]);
                if text.with_warm {
                    both.push(row.clone());
                }
            }
        } else if text.with_extra {
            let sum = self.extra.add(row, v);
            self.put("to_extra", row, &[("so_far", sum)]);
        }
        for row in &both {
            let sum = self.all.add(row, v);
            let wide = [("so_far", sum), ("c", Some(v * 3.0))];
            self.put("to_all", row, if text.with_column { &wide } else { &wide[..1] });
            self.pane(row, before);
        }
        let lateness = if source == "lab" { text.lateness } else { 2 } * 1_000_000;
        let mark = self.marks.entry(source.to_owned()).or_insert(i64::MIN);
        let limit = self.limits.get(source).copied().unwrap_or(i64::MAX);
        *mark = (*mark).max((time(row) - lateness).min(limit));
        self.move_clock();
    }

    fn pane(&mut self, row: &Row, before: i64) {
        let size = self.text.window * 1_000_000;
        let end = (time(row).div_euclid(size) + 1) * size;
        if number(row) > 1.0 && end > before {
            let pane = self.panes.entry((end, key(row))).or_insert((0, 0.0, row["key"].clone()));
            pane.0 += 1;
            pane.1 += number(row);
        }
    }

    /// The lowest mark of the sources that go on; it never falls.
    fn move_clock(&mut self) {
        let open = ["lab", "hall"].into_iter().filter(|name| !self.ended.contains(name));
        let low = open.map(|name| self.marks.get(name).copied().unwrap_or(i64::MIN)).min();
        self.clock = self.clock.max(low.unwrap_or(i64::MIN));
        self.fire(self.clock);
    }

    fn fire(&mut self, clock: i64) {
        let size = self.text.window * 1_000_000;
        while let Some(entry) = self.panes.first_entry().filter(|entry| entry.key().0 <= clock) {
            let ((end, _), (n, total, key)) = entry.remove_entry();
            let row = Row::from([
                ("key".into(), key),
                ("n".into(), Value::Int(n)),
                ("total".into(), Value::Float(total)),
                ("window_start".into(), Value::Time(Time(end - size))),
                ("window_end".into(), Value::Time(Time(end))),
            ]);
            self.sinks.get_mut("to_panes").expect("a sink").push(row);
        }
    }
}
