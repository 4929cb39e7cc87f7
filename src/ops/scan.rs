//! `scan`: running expressions, one state per key.
//!
//! A row older than the newest that its key has seen (equal is not older) passes with null in the scanned columns and
//! changes no state; so does a row whose key is null. Under `time none` every row is newer.

mod function;
mod hold;
mod memory;
mod migrate;
mod past;
mod smooth;
mod total;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, cast::AsArray};
use arrow::compute::{cast, nullif};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};

use crate::base::Name;
use crate::ir;
use crate::node::{self, Batch, Migration, Node, NodeError, Ordinal, Out, Port, Retune, State};
use crate::plan::{NodeOp, NodeSpec};

use super::error::{failed, ill_formed, unreadable};
use super::expr::{Expression, Scope};
use super::keys::{Id, KeyColumns, Keys, NO_KEY};
use super::table::{FORMAT, column_named, expect_state, table, widened};
use memory::Call;

/// The state: by key the newest time, and the memory of each call.
pub(super) struct Scan {
    spec: NodeSpec,
    input: ir::Schema,
    by: KeyColumns,
    keys: Keys,
    /// By key; empty under `time none`.
    newest: Vec<i64>,
    entries: Vec<Entry>,
}

/// A scanned column: its calls fill slots, its value stands over the row and these.
struct Entry {
    name: Name,
    calls: Vec<Call>,
    /// Once the first n slots are there.
    with_slots: Vec<SchemaRef>,
    value: Expression,
    /// Once the column itself is there, without slots.
    schema: SchemaRef,
}

/// The rows of a batch as the scan sees them.
struct Turn {
    /// [`NO_KEY`] for rows that pass without a state.
    ids: Vec<Id>,
    times: Option<Int64Array>,
    /// Rows that pass with nulls, if there are any.
    without: Option<BooleanArray>,
    older: usize,
}

const KEYS_TABLE: &str = "keys";
const NEWEST: &str = "@newest";

impl Scan {
    pub fn build(spec: &NodeSpec, input: &ir::Schema) -> Result<Scan, NodeError> {
        let (by, scanned) = parts(spec)?;
        let by = KeyColumns::new(by, input)?;
        let keys = Keys::new(by.types())?;
        let entries = entries(spec, scanned, input)?;
        Ok(Scan { spec: spec.clone(), input: input.clone(), by, keys, newest: Vec::new(), entries })
    }

    /// Who may touch a state, in the order of the rows.
    fn turn(&mut self, rows: &RecordBatch) -> Result<Turn, NodeError> {
        let mut ids = self.keys.ids(&self.by.read(rows)?, rows.num_rows())?;
        let times = times(rows, self.input.time.as_deref())?;
        let mut older = 0;
        if let Some(times) = &times {
            self.newest.resize(self.keys.len(), i64::MIN);
            for (row, id) in ids.iter_mut().enumerate().filter(|(_, id)| **id != NO_KEY) {
                let newest = &mut self.newest[*id as usize];
                if times.is_null(row) || times.value(row) < *newest {
                    *id = NO_KEY;
                    older += 1;
                } else {
                    *newest = times.value(row);
                }
            }
        }
        let without = ids.contains(&NO_KEY).then(|| ids.iter().map(|id| Some(*id == NO_KEY)).collect());
        Ok(Turn { ids, times, without, older })
    }
}

impl Entry {
    fn scan(&mut self, rows: &RecordBatch, turn: &Turn, keys: usize) -> Result<RecordBatch, NodeError> {
        let mut wide = rows.clone();
        for (call, schema) in self.calls.iter_mut().zip(&self.with_slots) {
            let slot = call.run(&wide, &turn.ids, turn.times.as_ref(), keys)?;
            wide = widened(&wide, schema, vec![slot])?;
        }
        let value = self.value.evaluate(&wide)?;
        let value = match &turn.without {
            Some(without) => nullif(&value, without).map_err(failed)?,
            None => value,
        };
        widened(rows, &self.schema, vec![value])
    }
}

fn parts(spec: &NodeSpec) -> Result<(&[Name], &[ir::ScanEntry]), NodeError> {
    match &spec.op {
        NodeOp::Stage(op) if let ir::Op::Scan { by, entries } = &**op => Ok((by, entries)),
        _ => Err(ill_formed(format!("{} is no `scan`", spec.key))),
    }
}

fn entries(spec: &NodeSpec, scanned: &[ir::ScanEntry], input: &ir::Schema) -> Result<Vec<Entry>, NodeError> {
    let mut scope = Scope::of(input);
    let mut entries = Vec::new();
    for entry in scanned {
        entries.push(one_entry(entry, &scope, input.time.is_some())?);
        scope = scope.with(&entry.name, &entry.value.ty);
    }
    if scope.schema() != node::schema(&spec.schema) {
        return Err(ill_formed(format!("{} gives other columns than its schema says", spec.key)));
    }
    Ok(entries)
}

fn one_entry(entry: &ir::ScanEntry, scope: &Scope, timed: bool) -> Result<Entry, NodeError> {
    let seeing = |calls: usize| scope.clone().with_slots(entry.calls[..calls].iter().map(|call| &call.ty));
    let call =
        |(nth, call): (usize, &ir::RunningCall)| Call::build(format!("{}#{nth}", entry.name).into(), call, &seeing(nth), timed);
    Ok(Entry {
        name: entry.name.clone(),
        calls: entry.calls.iter().enumerate().map(call).collect::<Result<_, _>>()?,
        with_slots: (1..=entry.calls.len()).map(|calls| seeing(calls).schema()).collect(),
        value: Expression::compile(&entry.value, &seeing(entry.calls.len()))?,
        schema: scope.clone().with(&entry.name, &entry.value.ty).schema(),
    })
}

fn times(rows: &RecordBatch, time: Option<&str>) -> Result<Option<Int64Array>, NodeError> {
    let Some(name) = time else { return Ok(None) };
    let column = column_named(rows, name)?;
    Ok(Some(cast(column, &DataType::Int64).map_err(failed)?.as_primitive::<Int64Type>().clone()))
}

impl Node for Scan {
    fn batch(&mut self, _: Port, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        let turn = self.turn(&batch.rows)?;
        let keys = self.keys.len();
        let rows = self.entries.iter_mut().try_fold(batch.rows.clone(), |rows, entry| entry.scan(&rows, &turn, keys))?;
        out.passed(batch.len());
        out.noted("older than its key's newest", turn.older);
        out.send(batch.with_rows(rows));
        Ok(())
    }

    fn end(&mut self, _: Ordinal, _: &mut Out) -> Result<(), NodeError> {
        Ok(())
    }

    fn save(&mut self) -> Result<State, NodeError> {
        let mut state = State::empty(FORMAT, self.spec.hashes.state);
        let rows = self.keys.len();
        let mut fields: Vec<Field> = Vec::new();
        let mut columns = self.keys.columns(0..rows as Id)?;
        for (name, column) in self.by.names().iter().zip(&columns) {
            fields.push(Field::new(name.as_str(), column.data_type().clone(), true));
        }
        fields.push(Field::new(NEWEST, DataType::Int64, true));
        self.newest.resize(if self.input.time.is_some() { rows } else { 0 }, i64::MIN);
        columns.push(match self.input.time {
            Some(_) => Arc::new(Int64Array::from(self.newest.clone())) as ArrayRef,
            None => arrow::array::new_null_array(&DataType::Int64, rows),
        });
        state.tables.insert(KEYS_TABLE.into(), table(&Arc::new(Schema::new(fields)), columns, rows)?);
        for call in self.entries.iter_mut().flat_map(|entry| &mut entry.calls) {
            state.tables.insert(call.name.clone(), call.save(rows)?);
        }
        Ok(state)
    }

    fn load(&mut self, state: State) -> Result<(), NodeError> {
        expect_state(&state, self.spec.hashes.state)?;
        let saved = state.tables.get(KEYS_TABLE).ok_or_else(|| unreadable("it has no keys"))?;
        let key_columns =
            self.by.names().iter().map(|name| column_named(saved, name).cloned()).collect::<Result<Vec<_>, _>>()?;
        let mut keys = Keys::new(self.by.types())?;
        keys.ids(&key_columns, saved.num_rows())?;
        if self.input.time.is_some() {
            self.newest = column_named(saved, NEWEST)?.as_primitive::<Int64Type>().values().to_vec();
        }
        self.keys = keys;
        for call in self.entries.iter_mut().flat_map(|entry| &mut entry.calls) {
            let table = state.tables.get(&call.name).ok_or_else(|| unreadable(format!("it has no table `{}`", call.name)))?;
            call.load(table)?;
        }
        Ok(())
    }

    fn migrate(&mut self, migration: Migration) -> Result<(), NodeError> {
        self.take_over(&migration)
    }

    fn retune(&mut self) -> Option<&mut dyn Retune> {
        Some(self)
    }
}

impl Retune for Scan {
    fn to(&mut self, spec: &NodeSpec) -> Result<(), NodeError> {
        if spec.hashes.state != self.spec.hashes.state {
            return Err(ill_formed(format!("the state of {} has another shape now", spec.key)));
        }
        let (by, scanned) = parts(spec)?;
        let mut entries = entries(spec, scanned, &self.input)?;
        let new = entries.iter_mut().flat_map(|entry| &mut entry.calls).collect::<Vec<_>>();
        let old = self.entries.iter_mut().flat_map(|entry| &mut entry.calls).collect::<Vec<_>>();
        let same = new.len() == old.len() && new.iter().zip(&old).all(|(new, old)| new.same_shape(old));
        if by != self.by.names() || !same {
            return Err(ill_formed(format!("the state of {} has another shape now", spec.key)));
        }
        new.into_iter().zip(old).for_each(|(new, old)| new.take_memory(old));
        self.entries = entries;
        self.spec = spec.clone();
        Ok(())
    }
}
