//! Windows of which rows are missing, because the window or one of its entries began in the middle of them.
//!
//! Such a window does not come, and the value of such an entry is null: a part of a window passes for no whole one.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int64Array, RecordBatch, StringArray, cast::AsArray};
use arrow::compute::nullif;
use arrow::datatypes::{DataType, Field, Int64Type, Schema};

use crate::base::Name;
use crate::node::{NodeError, State};

use super::super::error::{failed, unreadable};
use super::super::table::{column_named, table};

/// From which start on windows are whole, in microseconds: all of them, and the values of single entries.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Incomplete {
    pub window: Option<i64>,
    pub entries: BTreeMap<Name, i64>,
}

/// Its table in the state, where there is anything to tell.
const INCOMPLETE: &str = "incomplete";
const ENTRY: &str = "entry";
const FROM: &str = "from";

impl Incomplete {
    pub fn is_empty(&self) -> bool {
        self.window.is_none() && self.entries.is_empty()
    }

    /// Is the window that begins here kept back?
    pub fn holds_back(&self, start: i64) -> bool {
        self.window.is_some_and(|from| start < from)
    }

    /// The value of an entry in windows that begin at `starts`: null where it has not seen the whole.
    pub fn whole(&self, entry: &Name, values: ArrayRef, starts: &[i64]) -> Result<ArrayRef, NodeError> {
        let Some(from) = self.entries.get(entry) else { return Ok(values) };
        let parts: BooleanArray = starts.iter().map(|start| Some(start < from)).collect();
        nullif(&values, &parts).map_err(failed)
    }

    /// Windows up to this watermark have come; what is about them only is forgotten.
    pub fn forget(&mut self, fired: i64, size: i64) {
        let is_past = |from: i64| from.saturating_add(size) <= fired;
        self.window = self.window.filter(|from| !is_past(*from));
        self.entries.retain(|_, from| !is_past(*from));
    }

    pub fn save(&self, state: &mut State) -> Result<(), NodeError> {
        if self.is_empty() {
            return Ok(());
        }
        let all =
            || self.window.iter().map(|from| (None, *from)).chain(self.entries.iter().map(|(name, from)| (Some(name), *from)));
        let names: StringArray = all().map(|(name, _)| name.map(|name| name.as_str())).collect();
        let from: Int64Array = all().map(|(_, from)| Some(from)).collect();
        let fields = vec![Field::new(ENTRY, DataType::Utf8, true), Field::new(FROM, DataType::Int64, true)];
        let rows = from.len();
        let saved = table(&Arc::new(Schema::new(fields)), vec![Arc::new(names), Arc::new(from)], rows)?;
        state.tables.insert(INCOMPLETE.into(), saved);
        Ok(())
    }

    pub fn load(state: &State) -> Result<Incomplete, NodeError> {
        state.tables.get(INCOMPLETE).map_or_else(|| Ok(Incomplete::default()), Incomplete::of)
    }

    fn of(saved: &RecordBatch) -> Result<Incomplete, NodeError> {
        let names = column_named(saved, ENTRY)?.as_string_opt::<i32>();
        let from = column_named(saved, FROM)?.as_primitive_opt::<Int64Type>();
        let (Some(names), Some(from)) = (names, from) else { return Err(unreadable("what is incomplete has no times")) };
        let mut found = Incomplete::default();
        for row in 0..saved.num_rows() {
            match names.is_null(row) {
                true => found.window = Some(from.value(row)),
                false => _ = found.entries.insert(names.value(row).into(), from.value(row)),
            }
        }
        Ok(found)
    }
}
