//! `asof` and `lookup`: one row for each key, and rows go on as they are with columns of it.
//!
//! Of the rows of the other stream the newest that has arrived counts; one that is older than the newest of its key is passed
//! over, as in a `scan`. A row with the same ordinal has not arrived yet, so a stream that is joined with itself sees what
//! came before.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::row::OwnedRow;

use crate::base::Duration;
use crate::ir::{self, JoinKind, Taken};
use crate::node::{self, Batch, Clock, Node, NodeError, Ordinal, Ordinals, Out, Port, State};
use crate::plan::NodeSpec;

use super::super::cell::{self, Cell};
use super::super::error::{failed, ill_formed, too_many, unreadable};
use super::super::seen::{Seen, Side};
use super::super::table::{FORMAT, expect_state, widened};
use super::{ROWS_MAX, op};

/// The state: by key, the row that counts. A table is none: it is read with its file.
pub(super) struct Latest {
    spec: NodeSpec,
    schema: SchemaRef,
    left: Side,
    right: Side,
    /// Of each brought column, its place among what is remembered of a row.
    places: Vec<(usize, DataType)>,
    within: Option<Duration>,
    required: bool,
    rows: BTreeMap<OwnedRow, Seen>,
    /// What has come in at port 1 over the span that comes next, in order.
    pending: Vec<Seen>,
}

const ROWS: &str = "rows";

impl Latest {
    pub fn asof(spec: &NodeSpec, left: &ir::Schema, right: &ir::Schema, within: Option<Duration>) -> Result<Latest, NodeError> {
        Latest::build(spec, left, right, within)
    }

    pub fn lookup(spec: &NodeSpec, left: &ir::Schema, rows: &RecordBatch) -> Result<Latest, NodeError> {
        let JoinKind::Lookup { table } = &op(spec)?.kind else {
            return Err(ill_formed(format!("{} looks nothing up", spec.key)));
        };
        let mut node = Latest::build(spec, left, &ir::Schema { time: None, ..table.schema.clone() }, None)?;
        let (count, upto) = (rows.num_rows(), Ordinal(0).plus(rows.num_rows()));
        if count > ROWS_MAX {
            return Err(too_many("rows of a table", ROWS_MAX));
        }
        let batch = Batch { rows: rows.clone(), ordinals: Ordinals::Range(Ordinal(0)), upto, clock: Clock::None };
        for (nth, seen) in node.right.rows(&batch)?.into_iter().enumerate() {
            let key = seen.key.clone().ok_or_else(|| no_key(table, nth))?;
            if node.rows.insert(key, seen).is_some() {
                return Err(key_twice(table, nth));
            }
        }
        Ok(node)
    }

    fn build(spec: &NodeSpec, left: &ir::Schema, right: &ir::Schema, within: Option<Duration>) -> Result<Latest, NodeError> {
        let join = op(spec)?;
        let side = Side::new(&join.on, right, join.take.iter().map(|taken| taken.from.clone()))?;
        let place = |(nth, taken): (usize, &Taken)| (nth, node::data_type(&taken.ty));
        Ok(Latest {
            spec: spec.clone(),
            schema: node::schema(&spec.schema),
            left: Side::new(&join.on, left, std::iter::empty())?,
            right: side,
            places: join.take.iter().enumerate().map(place).collect(),
            within,
            required: join.required,
            rows: BTreeMap::new(),
            pending: Vec::new(),
        })
    }

    fn is_lookup(&self) -> bool {
        matches!(op(&self.spec), Ok(join) if join.other().is_none())
    }

    /// Takes the place of the row of its key, unless that is newer; how many were passed over.
    fn arrive(&mut self, rows: impl Iterator<Item = Seen>) -> Result<usize, NodeError> {
        let mut older = 0;
        for seen in rows {
            let Some(key) = seen.key.clone() else { continue };
            match self.rows.get(&key) {
                Some(known) if known.time > seen.time => older += 1,
                Some(_) | None => drop(self.rows.insert(key, seen)),
            }
        }
        if self.rows.len() > ROWS_MAX { Err(too_many("keys in a join", ROWS_MAX)) } else { Ok(older) }
    }

    fn partner(&self, key: Option<&OwnedRow>, time: Option<i64>) -> Option<&Seen> {
        let found = self.rows.get(key?)?;
        match self.within {
            None => Some(found),
            Some(within) => (found.time?.abs_diff(time?) <= within.0.unsigned_abs()).then_some(found),
        }
    }

    /// The partner's cells of every row of port 0, with what arrives in between.
    fn partners(&mut self, batch: &Batch, out: &mut Out) -> Result<Vec<Option<Arc<[Cell]>>>, NodeError> {
        let (keys, times) = (self.left.keys_of(&batch.rows)?, self.left.times(&batch.rows)?);
        let ordinals = batch.ordinals.to_column(batch.len());
        let mut pending = std::mem::take(&mut self.pending).into_iter().peekable();
        let (mut found, mut older) = (Vec::with_capacity(batch.len()), 0);
        for (row, key) in keys.iter().enumerate() {
            while let Some(seen) = pending.next_if(|seen| seen.ordinal.0 < ordinals[row]) {
                older += self.arrive(std::iter::once(seen))?;
            }
            let time = times.as_ref().filter(|times: &&Int64Array| times.is_valid(row)).map(|times| times.value(row));
            found.push(self.partner(key.as_ref(), time).map(|seen| Arc::clone(&seen.cells)));
        }
        older += self.arrive(pending)?;
        out.noted("older than its key's newest", older);
        Ok(found)
    }
}

impl Node for Latest {
    fn batch(&mut self, port: Port, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        if port > 0 {
            out.absorbed(batch.len());
            self.pending.extend(self.right.rows(&batch)?);
            return Ok(());
        }
        let found = self.partners(&batch, out)?;
        let brought = |(nth, ty): &(usize, DataType)| -> Result<ArrayRef, NodeError> {
            let cells = found.iter().map(|found| found.as_ref().map_or(&Cell::Null, |cells| &cells[*nth]));
            cell::column(cells, ty)
        };
        let columns = self.places.iter().map(brought).collect::<Result<Vec<_>, _>>()?;
        let rows = widened(&batch.rows, &self.schema, columns)?;
        let batch = batch.with_rows(rows);
        let alone = if self.required { found.iter().filter(|found| found.is_none()).count() } else { 0 };
        out.passed(batch.len() - alone);
        out.dropped("no partner", alone);
        let mask: BooleanArray = found.iter().map(|found| Some(found.is_some())).collect();
        out.send(if alone == 0 { batch } else { batch.filter(&mask).map_err(failed)? });
        Ok(())
    }

    /// What has come at the very end is of no row any more, but for those that come where the input goes on again.
    fn end(&mut self, _: Ordinal, _: &mut Out) -> Result<(), NodeError> {
        let pending = std::mem::take(&mut self.pending);
        self.arrive(pending.into_iter()).map(drop)
    }

    fn save(&mut self) -> Result<State, NodeError> {
        let mut state = State::empty(FORMAT, self.spec.hashes.state);
        if !self.is_lookup() {
            state.tables.insert(ROWS.into(), self.right.save(self.rows.values())?);
        }
        Ok(state)
    }

    fn load(&mut self, state: State) -> Result<(), NodeError> {
        expect_state(&state, self.spec.hashes.state)?;
        if self.is_lookup() {
            return Ok(());
        }
        let saved = state.tables.get(ROWS).ok_or_else(|| unreadable("it has no rows"))?;
        self.rows.clear();
        self.pending.clear();
        let rows = self.right.load(saved)?;
        self.arrive(rows.into_iter()).map(drop)
    }
}

fn no_key(table: &ir::Table, nth: usize) -> NodeError {
    let mut error = super::super::error::ill_formed(format!("row {} of the table `{}` has no key", nth + 1, table.name));
    error.span = Some(table.span);
    error.help("give every row of the table its key, or leave the row out")
}

fn key_twice(table: &ir::Table, nth: usize) -> NodeError {
    let mut error =
        super::super::error::ill_formed(format!("row {} of the table `{}` has the key of another row", nth + 1, table.name));
    error.span = Some(table.span);
    error.help("a table has one row for each key: remove one of them, or name more columns behind `key`")
}
