//! Stages that bring columns of other rows.

use serde_json::json;

use crate::base::{Hash, Name};
use crate::ir::{JoinKind, JoinOp, Schema, SourceColumn, Table};
use crate::plan::Hashes;

use super::Marks;
use super::form::{self, Form};
use super::stage::key_form;
use super::values::Columns;

/// What is remembered are rows by their columns' names, so only keys and their types are in `state`; which columns are brought
/// and how far apart partners may be is asked of what is remembered.
pub fn join(join: &JoinOp, schema: &Schema, inputs: &[Columns]) -> Marks {
    let JoinOp { kind, on, take, required } = join;
    let input = inputs.first().cloned().unwrap_or_default();
    let other = inputs.get(1).cloned().unwrap_or_default();
    let keys = key_form(on, schema);
    let taken: Vec<Form> = take.iter().map(|taken| json!([taken.name, taken.from, form::ty(&taken.ty)])).collect();
    let (word, how, content) = match kind {
        JoinKind::Interval { with: _, within } => ("interval", json!(within), None),
        JoinKind::Asof { with: _, within } => ("asof", json!(within), None),
        JoinKind::Lookup { table } => ("lookup", json!(null), Some(self::table(table))),
    };
    let of_the_other = |name: &Name| match kind {
        JoinKind::Lookup { table } => Hash::of(&("table", &table.name, name)),
        JoinKind::Interval { .. } | JoinKind::Asof { .. } => other.of(name),
    };
    let partner = json!([word, input.keys(on), on.iter().map(of_the_other).collect::<Vec<_>>(), input.time, other.time]);
    let mut made = input.clone();
    for column in take {
        made.set(column.name.clone(), Hash::of(&("joined", &partner, &how, of_the_other(&column.from))));
    }
    let remembers = join.other().is_some();
    let mut brought: Vec<Hash> = take.iter().map(|taken| of_the_other(&taken.from)).collect();
    brought.sort();
    brought.dedup();
    let hashes = Hashes {
        sem: Hash::of(&("join", word, &how, &keys, taken, required, content)),
        state: if remembers { Hash::of(&("join", word, &keys)) } else { super::STATELESS },
        flow: if remembers { Hash::of(&(&partner, brought)) } else { Hash::ZERO },
        wire: Hash::ZERO,
    };
    Marks { hashes, made, ..Marks::default() }
}

fn table(table: &Table) -> Form {
    let Table { name: _, columns, recorded, key, schema: _, digest, span: _ } = table;
    let column = |SourceColumn { column, origin, sentinels, bounds }: &SourceColumn| {
        json!([form::column(column), origin, sentinels, bounds])
    };
    json!([columns.iter().map(column).collect::<Vec<_>>(), form::connector(recorded), key, digest])
}
