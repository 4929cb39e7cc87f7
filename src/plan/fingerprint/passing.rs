//! Stages that pass rows on: with nulls filled, one for each value of a list, or only some of them.

use serde_json::json;

use crate::base::{Hash, Name};
use crate::ir::{AggregateEntry, Entry, KeepOp, KeepRule, RankOp, RankRule, ResampleOp, Schema, WindowOp};
use crate::plan::Hashes;

use super::form;
use super::stage::{calls_form, computed, key_form};
use super::values::Columns;
use super::{Marks, STATELESS};

/// A filled column means something else than the one that came in; the others are what they were.
pub fn fill(entries: &[Entry], input: &Columns) -> Marks {
    let mut made = input.clone();
    let mut marked = Vec::new();
    for Entry { name, value, span: _ } in entries {
        marked.push((name.clone(), computed(value, input)));
        made.set(name.clone(), input.define(value));
    }
    Marks::of_entries(json!("fill"), marked, made)
}

pub fn unnest(column: &Name, schema: &Schema, input: &Columns) -> Marks {
    let mut made = input.clone();
    let ty = schema.get(column).map(|column| form::ty(&column.ty));
    let hashes = Hashes { sem: Hash::of(&("unnest", column, ty)), ..Hashes::default() };
    made.set(column.clone(), Hash::of(&("unnest", input.of(column))));
    Marks::of_entries(json!("unnest"), vec![(column.clone(), hashes)], made)
}

/// How many rows and how long are no part of `state`: they say only what is done with what is remembered.
pub fn keep(keep: &KeepOp, schema: &Schema, input: &Columns) -> Marks {
    let KeepOp { by, rule } = keep;
    let keys = key_form(by, schema);
    let (word, goes_by_time) = match rule {
        KeepRule::First { .. } => ("first", false),
        KeepRule::Share { .. } => ("share", false),
        KeepRule::Once { .. } => ("once", true),
        KeepRule::Rate { .. } => ("rate", true),
    };
    let time = goes_by_time.then_some(input.time).flatten();
    let hashes = Hashes {
        sem: Hash::of(&("keep", &keys, rule)),
        state: Hash::of(&("keep", word, &keys)),
        flow: Hash::of(&(input.keys(by), time)),
        wire: STATELESS,
    };
    Marks { hashes, made: input.clone(), ..Marks::default() }
}

/// Sessions remember their rows as they came in, so of what is made of them nothing is in `state`, nor is the gap.
pub fn session(window: &WindowOp, schema: &Schema, input: &Columns) -> Marks {
    let WindowOp { shape, partial, by, entries } = window;
    let keys = key_form(by, schema);
    let state = Hash::of(&("session", &keys));
    let given = json!([shape, input.keys(by), input.time]);
    let mut made = Columns::default();
    by.iter().for_each(|key| made.set(key.clone(), input.of(key)));
    let mut marked = Vec::new();
    for AggregateEntry { name, calls, value, span: _ } in entries {
        let defined = calls_form(calls, &|name| json!(input.of(name)));
        let sem = Hash::of(&("session", shape, &keys, calls_form(calls, &form::by_name), form::value(value, &form::by_name)));
        let read = calls.iter().flat_map(|call| call.args.iter().chain(&call.filter));
        let flow = Hash::of(&(input.keys(by), input.time, input.read_by(read)));
        marked.push((name.clone(), Hashes { sem, state, flow, wire: Hash::ZERO }));
        made.set(name.clone(), Hash::of(&("window", &given, &defined, input.form(value))));
    }
    for column in &schema.columns {
        if !made.contains(&column.name) {
            made.set(column.name.clone(), Hash::of(&("window", &given, &column.name)));
        }
    }
    let mut marks = Marks::of_entries(json!(["session", shape, keys, partial]), marked, made);
    marks.hashes.state = state;
    marks
}

/// Rows wait with their rank, each in its stretch of time. Those that are sorted have none but what they are.
pub fn rank(rank: &RankOp, input: &Columns) -> Marks {
    let RankOp { rule, within } = rank;
    let hashes = match rule {
        RankRule::Best { count, by } => Hashes {
            sem: Hash::of(&("top", count, form::expr(by, &form::by_name), within)),
            state: Hash::of(&("top", within)),
            flow: Hash::of(&(input.form(by), input.time)),
            wire: Hash::ZERO,
        },
        RankRule::Rising { by } => Hashes {
            sem: Hash::of(&("sort", by, within)),
            state: Hash::of(&("sort", within)),
            flow: Hash::of(&(input.keys(by), input.time)),
            wire: Hash::ZERO,
        },
    };
    Marks { hashes, made: input.clone(), ..Marks::default() }
}

/// Rows wait as they came in, and of each key the last one, so how they are spread over time is no part of `state`. What comes
/// out is made of what came in.
pub fn resample(resample: &ResampleOp, schema: &Schema, input: &Columns) -> Marks {
    let ResampleOp { every, by, fill, within } = resample;
    let keys = key_form(by, schema);
    let hashes = Hashes {
        sem: Hash::of(&("resample", every, &keys, fill, within)),
        state: Hash::of(&("resample", &keys)),
        flow: Hash::of(&(input.keys(by), input.time)),
        wire: Hash::ZERO,
    };
    let mut made = input.clone();
    for column in schema.columns.iter().filter(|column| !by.contains(&column.name)) {
        made.set(column.name.clone(), Hash::of(&("resample", every, fill, within, input.time, input.of(&column.name))));
    }
    Marks { hashes, made, ..Marks::default() }
}
