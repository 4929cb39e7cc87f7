//! Stages that pass rows on: with nulls filled, one for each value of a list, or only some of them.

use serde_json::json;

use crate::base::{Hash, Name};
use crate::ir::{Entry, KeepOp, KeepRule, Schema};
use crate::plan::Hashes;

use super::form;
use super::stage::{computed, key_form};
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
