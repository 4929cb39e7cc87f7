//! One running call with its memory: a few cells per key.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use arrow::datatypes::{DataType, Field, Schema};

use crate::base::Name;
use crate::ir;
use crate::node::{self, NodeError};

use super::super::cell::{self, Cell, Reader};
use super::super::error::{ill_formed, unreadable};
use super::super::expr::{Expression, Scope};
use super::super::keys::{Id, NO_KEY};
use super::super::table::table;
use super::function::Function;
use super::past;

/// `cells` holds, key by key, the last result and then what the function remembers.
pub(super) struct Call {
    /// Of its table in the state: the entry's name and the call's number in it.
    pub name: Name,
    function: Function,
    /// None for functions that count rows.
    arg: Option<Expression>,
    layout: Vec<(String, DataType)>,
    cells: Vec<Cell>,
}

impl Call {
    /// `timed`: do the rows have an event time?
    pub fn build(name: Name, call: &ir::RunningCall, scope: &Scope, timed: bool) -> Result<Call, NodeError> {
        let function = Function::of(call)?;
        if function.needs_time() && !timed {
            return Err(ill_formed(format!("`{}` needs rows with a time", call.function.name())));
        }
        let arg = call.args.first().map(|arg| Expression::compile(arg, scope)).transpose()?;
        let result = node::data_type(&call.ty);
        let arg_type = arg.as_ref().map_or(DataType::Boolean, |arg| arg.data_type().clone());
        let mut layout = vec![("result".to_owned(), result)];
        layout.extend(function.memory(&arg_type));
        Ok(Call { name, function, arg, layout, cells: Vec::new() })
    }

    /// The result of each row, null where it has no key; `keys` is how many there are by now.
    pub fn run(
        &mut self,
        rows: &RecordBatch,
        ids: &[Id],
        times: Option<&Int64Array>,
        keys: usize,
    ) -> Result<ArrayRef, NodeError> {
        self.grow(keys);
        let arg = self.arg.as_ref().map(|arg| Reader::of(&arg.evaluate(rows)?)).transpose()?;
        let width = self.layout.len();
        let mut results = vec![Cell::Null; ids.len()];
        for (row, id) in ids.iter().enumerate().filter(|(_, id)| **id != NO_KEY) {
            let memory = &mut self.cells[*id as usize * width..][..width];
            let arg = arg.as_ref().map_or(Ok(Cell::Bool(true)), |arg| arg.get(row))?;
            if !arg.is_null() {
                let time = times.map_or(0, |times| times.value(row));
                memory[0] = self.function.step(memory, arg, time, &self.layout[0].1);
            }
            results[row] = memory[0].clone();
        }
        cell::column(results.iter(), &self.layout[0].1)
    }

    fn grow(&mut self, keys: usize) {
        let known = self.cells.len() / self.layout.len();
        for _ in known..keys {
            self.cells.push(self.function.first_result());
            self.cells.resize(self.cells.len() + self.layout.len() - 1, Cell::Null);
        }
    }

    pub fn save(&mut self, keys: usize) -> Result<RecordBatch, NodeError> {
        self.grow(keys);
        let width = self.layout.len();
        let cells = |nth: usize| self.cells.iter().skip(nth).step_by(width);
        let columns =
            self.layout.iter().enumerate().map(|(nth, (_, ty))| cell::column(cells(nth), ty)).collect::<Result<_, _>>()?;
        table(&Arc::new(self.schema()), columns, keys)
    }

    pub fn load(&mut self, saved: &RecordBatch) -> Result<(), NodeError> {
        if *saved.schema() != self.schema() {
            return Err(unreadable(format!("the table `{}` has other columns", self.name)));
        }
        let readers = saved.columns().iter().map(Reader::of).collect::<Result<Vec<_>, _>>()?;
        self.cells.clear();
        for row in 0..saved.num_rows() {
            for reader in &readers {
                self.cells.push(reader.get(row)?);
            }
        }
        Ok(())
    }

    /// What a call of the same function remembers, perhaps with other settings; `places` says in which row of it each of the
    /// `keys` keys stands.
    pub fn take_over(&mut self, saved: &RecordBatch, places: &[Option<usize>], keys: usize) -> Result<(), NodeError> {
        let readers = saved.columns().iter().map(Reader::of).collect::<Result<Vec<_>, _>>()?;
        let converts = *saved.schema() != self.schema();
        if converts && !self.reads_longer(saved) {
            return Err(unreadable(format!("the table `{}` has other columns", self.name)));
        }
        self.cells.clear();
        for key in 0..keys {
            let Some(row) = places.get(key).copied().flatten() else {
                self.grow(key + 1);
                continue;
            };
            let memory = readers.iter().map(|reader| reader.get(row)).collect::<Result<Vec<_>, _>>()?;
            self.cells.extend(if converts { past::shortened(memory, self.layout.len()) } else { memory });
        }
        Ok(())
    }

    /// Is it the memory of a longer `lag` of the same values?
    fn reads_longer(&self, saved: &RecordBatch) -> bool {
        let (own, saved) = (self.schema(), saved.schema());
        let begins_alike = own.fields().iter().zip(saved.fields()).all(|(own, saved)| own == saved);
        matches!(self.function, Function::Lag(_)) && saved.fields().len() > own.fields().len() && begins_alike
    }

    /// Of so many keys, none of which has seen anything.
    pub fn forget(&mut self, keys: usize) {
        self.cells.clear();
        self.grow(keys);
    }

    fn schema(&self) -> Schema {
        Schema::new(self.layout.iter().map(|(name, ty)| Field::new(name, ty.clone(), true)).collect::<Vec<_>>())
    }

    pub fn same_shape(&self, other: &Call) -> bool {
        self.name == other.name && self.layout == other.layout && self.function.kind_name() == other.function.kind_name()
    }

    pub fn take_memory(&mut self, other: &mut Call) {
        self.cells = std::mem::take(&mut other.cells);
    }
}
