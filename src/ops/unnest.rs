//! `unnest`: one row for each value in a list.

use arrow::array::{Array, ListArray, UInt32Array, UInt64Array, cast::AsArray};
use arrow::compute::take;
use arrow::datatypes::SchemaRef;

use crate::ir;
use crate::node::{self, Batch, NodeError, Ordinals, Out};
use crate::plan::{NodeOp, NodeSpec};

use super::error::{failed, ill_formed, too_many};
use super::stateless::Meaning;
use super::table::table;

/// How many rows one batch may become.
const ROWS_MAX: usize = 16_000_000;

pub(super) struct Unnest {
    /// Where the lists stand.
    at: usize,
    schema: SchemaRef,
}

/// For each row that comes out: the row it is of, and where its value stands among all of the batch.
struct Places {
    rows: Vec<u32>,
    values: Vec<u64>,
    /// Rows that had a value at all.
    passed: usize,
}

impl Meaning for Unnest {
    fn of(spec: &NodeSpec, input: &ir::Schema) -> Result<Unnest, NodeError> {
        let column = match &spec.op {
            NodeOp::Stage(op) if let ir::Op::Unnest { column } = &**op => column,
            _ => return Err(ill_formed(format!("{} unnests nothing", spec.key))),
        };
        let is_list = |found: &ir::Column| found.name == *column && matches!(found.ty, ir::Type::List(_));
        let at = input.columns.iter().position(is_list);
        let at = at.ok_or_else(|| ill_formed(format!("no column of lists `{column}` comes in")))?;
        Ok(Unnest { at, schema: node::schema(&spec.schema) })
    }

    fn apply(&self, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        let lists = batch.rows.column(self.at).as_list::<i32>();
        let Places { rows, values, passed } = places(lists)?;
        out.passed(passed);
        out.dropped("empty list", batch.len() - passed);
        let ordinals = batch.ordinals.to_column(batch.len());
        let ordinals = Ordinals::Column(rows.iter().map(|row| ordinals[*row as usize]).collect());
        let (count, from, values) = (rows.len(), UInt32Array::from(rows), UInt64Array::from(values));
        let column = |(nth, column): (usize, &arrow::array::ArrayRef)| match nth == self.at {
            true => take(lists.values(), &values, None).map_err(failed),
            false => take(column, &from, None).map_err(failed),
        };
        let columns = batch.rows.columns().iter().enumerate().map(column).collect::<Result<_, _>>()?;
        out.send(Batch { rows: table(&self.schema, columns, count)?, ordinals, ..batch });
        Ok(())
    }
}

fn places(lists: &ListArray) -> Result<Places, NodeError> {
    let mut places = Places { rows: Vec::new(), values: Vec::new(), passed: 0 };
    for row in (0..lists.len()).filter(|row| lists.is_valid(*row)) {
        let (from, to) = (lists.value_offsets()[row] as u64, lists.value_offsets()[row + 1] as u64);
        places.passed += usize::from(from < to);
        places.rows.extend((from..to).map(|_| row as u32));
        places.values.extend(from..to);
        if places.rows.len() > ROWS_MAX {
            return Err(too_many("rows out of the lists of one batch", ROWS_MAX));
        }
    }
    Ok(places)
}
