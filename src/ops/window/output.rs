//! From finished windows to rows: keys, entries, and the window's start and end.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use arrow::compute::{cast, concat};
use arrow::datatypes::SchemaRef;

use crate::base::{Name, Time};
use crate::ir;
use crate::node::{self, Batch, Clock, NodeError, Ordinal, Ordinals};
use crate::plan::NodeSpec;

use super::super::error::{failed, ill_formed};
use super::super::expr::{Expression, Scope};
use super::super::keys::{Id, KeyColumns, Keys};
use super::super::table::table;
use super::aggregate::{Aggregates, LAST_TIME};
use super::incomplete::Incomplete;
use super::pane::Results;

/// How a finished window becomes a row.
pub(super) struct Output {
    schema: SchemaRef,
    columns: Vec<Source>,
    entries: Vec<Finished>,
}

/// Where an output column comes from.
#[derive(Clone, Copy)]
enum Source {
    Key(usize),
    Entry(usize),
    Start,
    End,
    /// The slot of the hidden call.
    LastTime(usize),
}

/// An entry over the keys and its own slots, which begin at `first` among all.
struct Finished {
    name: Name,
    value: Expression,
    schema: SchemaRef,
    first: usize,
    calls: usize,
}

/// Windows that have fired, in the order in which they did.
#[derive(Default)]
pub(super) struct Fired {
    keys: Vec<Id>,
    starts: Vec<i64>,
    ends: Vec<i64>,
    ordinals: Vec<u64>,
    /// Call by call, piece by piece.
    slots: Vec<Vec<ArrayRef>>,
    /// Windows that were kept back, by key, because they are not whole.
    pub kept_back: usize,
}

impl Fired {
    /// One row per key, all of one window.
    pub fn push(&mut self, results: Results, (start, end): (Time, Time), at: Ordinal) {
        let rows = results.keys.len();
        self.push_rows(results, std::iter::repeat_n((start, end), rows), std::iter::repeat_n(at, rows));
    }

    pub fn push_rows(
        &mut self,
        results: Results,
        windows: impl Iterator<Item = (Time, Time)>,
        ordinals: impl Iterator<Item = Ordinal>,
    ) {
        self.keys.extend(results.keys);
        for (start, end) in windows {
            self.starts.push(start.0);
            self.ends.push(end.0);
        }
        self.ordinals.extend(ordinals.map(|ordinal| ordinal.0));
        self.slots.resize(results.slots.len(), Vec::new());
        self.slots.iter_mut().zip(results.slots).for_each(|(pieces, piece)| pieces.push(piece));
    }
}

impl Output {
    pub fn build(
        spec: &NodeSpec,
        entries: &[ir::AggregateEntry],
        by: &KeyColumns,
        input: &ir::Schema,
    ) -> Result<Output, NodeError> {
        let key_scope = by.names().iter().try_fold(Scope::of(&ir::Schema::default()), |scope, name| {
            input.get(name).map(|key| scope.with(name, &key.ty)).ok_or_else(|| ill_formed(format!("no key `{name}`")))
        })?;
        let mut first = 0;
        let mut finished = Vec::new();
        for entry in entries {
            let scope = key_scope.clone().with_slots(entry.calls.iter().map(|call| &call.ty));
            let calls = entry.calls.len();
            let value = Expression::compile(&entry.value, &scope)?;
            finished.push(Finished { name: entry.name.clone(), value, schema: scope.schema(), first, calls });
            first += calls;
        }
        let source = |column: &ir::Column| source(column, entries, by, first);
        let columns = spec.schema.columns.iter().map(source).collect::<Result<_, _>>()?;
        Ok(Output { schema: node::schema(&spec.schema), columns, entries: finished })
    }

    /// The rows of what has fired, as one batch that reaches to `upto`; values that are not of whole windows are null.
    pub fn batch(
        &self,
        fired: Fired,
        keys: &Keys,
        incomplete: &Incomplete,
        upto: Ordinal,
        clock: Clock,
    ) -> Result<Batch, NodeError> {
        let rows = match fired.keys.is_empty() {
            true => RecordBatch::new_empty(Arc::clone(&self.schema)),
            false => self.rows(&fired, keys, incomplete)?,
        };
        Ok(Batch { rows, ordinals: Ordinals::Column(fired.ordinals.into()), upto, clock })
    }

    fn rows(&self, fired: &Fired, keys: &Keys, incomplete: &Incomplete) -> Result<RecordBatch, NodeError> {
        let rows = fired.keys.len();
        let key_columns = keys.columns(fired.keys.iter().copied())?;
        let slots = fired.slots.iter().map(|pieces| joined(pieces)).collect::<Result<Vec<_>, _>>()?;
        let value = |entry: &Finished| {
            let values = entry.evaluate(&key_columns, &slots, rows)?;
            incomplete.whole(&entry.name, values, &fired.starts)
        };
        let entries = self.entries.iter().map(value).collect::<Result<Vec<_>, NodeError>>()?;
        let column = |(nth, source): (usize, &Source)| {
            Ok(match source {
                Source::Key(at) => Arc::clone(&key_columns[*at]),
                Source::Entry(at) => Arc::clone(&entries[*at]),
                Source::LastTime(slot) => Arc::clone(&slots[*slot]),
                Source::Start => {
                    cast(&Int64Array::from(fired.starts.clone()), self.schema.field(nth).data_type()).map_err(failed)?
                }
                Source::End => {
                    cast(&Int64Array::from(fired.ends.clone()), self.schema.field(nth).data_type()).map_err(failed)?
                }
            })
        };
        let columns = self.columns.iter().enumerate().map(column).collect::<Result<_, NodeError>>()?;
        table(&self.schema, columns, rows)
    }
}

impl Finished {
    fn evaluate(&self, keys: &[ArrayRef], slots: &[ArrayRef], rows: usize) -> Result<ArrayRef, NodeError> {
        let columns = keys.iter().chain(&slots[self.first..][..self.calls]).cloned().collect();
        self.value.evaluate(&table(&self.schema, columns, rows)?)
    }
}

fn joined(pieces: &[ArrayRef]) -> Result<ArrayRef, NodeError> {
    match pieces {
        [one] => Ok(Arc::clone(one)),
        pieces => concat(&pieces.iter().map(AsRef::as_ref).collect::<Vec<_>>()).map_err(failed),
    }
}

/// `slots` is the number of slots that the entries use; the hidden call's is the next.
fn source(column: &ir::Column, entries: &[ir::AggregateEntry], by: &KeyColumns, slots: usize) -> Result<Source, NodeError> {
    if let Some(at) = entries.iter().position(|entry| entry.name == column.name) {
        return Ok(Source::Entry(at));
    }
    if let Some(at) = by.names().iter().position(|name| *name == column.name) {
        return Ok(Source::Key(at));
    }
    match column.name.as_str() {
        "window_start" => Ok(Source::Start),
        "window_end" => Ok(Source::End),
        LAST_TIME => Ok(Source::LastTime(slots)),
        name => Err(ill_formed(format!("no window makes a column `{name}`"))),
    }
}

/// Must the time of a window's last row be kept?
pub(super) fn wants_last_time(spec: &NodeSpec) -> bool {
    spec.schema.get(LAST_TIME).is_some()
}

/// The hidden call beside those of the entries.
pub(super) fn aggregates(spec: &NodeSpec, entries: &[ir::AggregateEntry], input: &ir::Schema) -> Result<Aggregates, NodeError> {
    Aggregates::build(entries, input, wants_last_time(spec))
}
