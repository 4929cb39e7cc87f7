//! By the rows of the same key that have passed near in time: `dedupe` and `throttle`.
//!
//! A time that has passed is remembered until the watermark is as far behind it as the stage looks. Whether it still is, is
//! asked of each row's own watermark, so neither batches nor restarts can be seen. A row without a key or a time is like no
//! other, and passes.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, Int64Array, cast::AsArray};
use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Int64Type, Schema};

use crate::base::Time;
use crate::ir::{self, KeepRule};
use crate::node::{Batch, Node, NodeError, Ordinal, Out, Port, Retune, State};
use crate::plan::NodeSpec;

use super::super::error::{failed, ill_formed, too_many, unreadable};
use super::super::keys::{Id, KeyColumns, Keys, NO_KEY};
use super::super::table::{FORMAT, column_named, expect_state, table};
use super::super::window::Walk;
use super::{expect_shape_of, op};

/// How many times are remembered, over all keys.
const TIMES_MAX: usize = 4_000_000;

/// Keys are looked through for old ones when there are so many.
const TIDY_AT_LEAST: usize = 4_096;

/// The state: by key, the times of the rows that have passed.
pub(super) struct Recent {
    spec: NodeSpec,
    time: String,
    rule: Rule,
    by: KeyColumns,
    keys: Keys,
    passed: Vec<Vec<i64>>,
    remembered: usize,
    tidy_at: usize,
}

/// In microseconds: a row passes unless `most` others have passed whose times differ from its own by less than `reach`.
#[derive(Clone, Copy)]
struct Rule {
    most: u64,
    reach: i64,
    word: &'static str,
}

const PASSED: &str = "passed";
const AT: &str = "@at";

impl Rule {
    fn of(rule: &KeepRule) -> Rule {
        match rule {
            // Both ends of `within` are inside.
            KeepRule::Once { within } => Rule { most: 1, reach: within.0.saturating_add(1), word: "dedupe" },
            KeepRule::Rate { rows, per } => Rule { most: *rows, reach: per.0, word: "throttle" },
            KeepRule::First { .. } | KeepRule::Share { .. } => Rule { most: u64::MAX, reach: 0, word: "kept back" },
        }
    }

    /// Can no row that comes after this watermark be near it?
    fn is_over(self, passed: i64, watermark: Time) -> bool {
        passed.saturating_add(self.reach) <= watermark.0
    }

    fn is_near(self, passed: i64, time: i64) -> bool {
        passed.abs_diff(time) < self.reach.unsigned_abs()
    }
}

impl Recent {
    pub fn build(spec: &NodeSpec, input: &ir::Schema) -> Result<Recent, NodeError> {
        let time = input.time.as_deref().ok_or_else(|| ill_formed(format!("{} needs rows with a time", spec.key)))?;
        let keep = op(spec)?;
        let by = KeyColumns::new(&keep.by, input)?;
        let keys = Keys::new(by.types())?;
        Ok(Recent {
            spec: spec.clone(),
            time: time.to_owned(),
            rule: Rule::of(&keep.rule),
            by,
            keys,
            passed: Vec::new(),
            remembered: 0,
            tidy_at: TIDY_AT_LEAST,
        })
    }

    fn times(&self, rows: &RecordBatch) -> Result<Int64Array, NodeError> {
        let times = cast(column_named(rows, &self.time)?, &DataType::Int64).map_err(failed)?;
        Ok(times.as_primitive::<Int64Type>().clone())
    }

    /// Does a row of this key and time pass? Then it is remembered.
    fn passes(&mut self, key: Id, time: i64, watermark: Time) -> bool {
        let (rule, passed) = (self.rule, &mut self.passed[key as usize]);
        self.remembered -= passed.len();
        passed.retain(|passed| !rule.is_over(*passed, watermark));
        let near = passed.iter().filter(|passed| rule.is_near(**passed, time)).count();
        let passes = (near as u64) < rule.most;
        if passes {
            passed.push(time);
        }
        self.remembered += passed.len();
        passes
    }

    /// Forgets keys that no later row can be near to, once they are most of all.
    fn tidy(&mut self, watermark: Time) -> Result<(), NodeError> {
        if self.keys.len() < self.tidy_at {
            return Ok(());
        }
        let rule = self.rule;
        for passed in &mut self.passed {
            passed.retain(|passed| !rule.is_over(*passed, watermark));
        }
        let kept: Vec<Id> = (0..self.passed.len()).filter(|key| !self.passed[*key].is_empty()).map(|key| key as Id).collect();
        self.passed = kept.iter().map(|key| std::mem::take(&mut self.passed[*key as usize])).collect();
        self.remembered = self.passed.iter().map(Vec::len).sum();
        self.tidy_at = TIDY_AT_LEAST.max(2 * kept.len());
        self.keys.keep(&kept)
    }
}

impl Node for Recent {
    fn batch(&mut self, _: Port, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        let ids = self.keys.ids(&self.by.read(&batch.rows)?, batch.len())?;
        self.passed.resize_with(self.keys.len(), Vec::new);
        let times = self.times(&batch.rows)?;
        let ordinals = batch.ordinals.to_column(batch.len());
        let mut walk = Walk::new(&batch.clock, batch.upto);
        let mut mask = Vec::with_capacity(batch.len());
        for (row, key) in ids.iter().enumerate() {
            let alone = *key == NO_KEY || times.is_null(row);
            mask.push(alone || self.passes(*key, times.value(row), walk.before(Ordinal(ordinals[row]))));
        }
        if self.remembered > TIMES_MAX {
            return Err(too_many("remembered times of rows", TIMES_MAX));
        }
        let mask = BooleanArray::from(mask);
        let kept = mask.true_count();
        out.passed(kept);
        out.dropped(self.rule.word, batch.len() - kept);
        let after = batch.clock.after();
        out.send(if kept == batch.len() { batch } else { batch.filter(&mask).map_err(failed)? });
        if self.by.names().is_empty() { Ok(()) } else { self.tidy(after) }
    }

    fn end(&mut self, _: Ordinal, _: &mut Out) -> Result<(), NodeError> {
        Ok(())
    }

    /// One row for each time, key by key.
    fn save(&mut self) -> Result<State, NodeError> {
        let each = || self.passed.iter().enumerate();
        let owners = each().flat_map(|(key, passed)| std::iter::repeat_n(key as Id, passed.len()));
        let mut columns = self.keys.columns(owners)?;
        let mut fields: Vec<Field> =
            self.by.names().iter().zip(self.by.types()).map(|(name, ty)| Field::new(name.as_str(), ty, true)).collect();
        let times: Int64Array = each().flat_map(|(_, passed)| passed.iter().copied()).map(Some).collect();
        fields.push(Field::new(AT, DataType::Int64, true));
        let rows = times.len();
        columns.push(Arc::new(times) as ArrayRef);
        let mut state = State::empty(FORMAT, self.spec.hashes.state);
        state.tables.insert(PASSED.into(), table(&Arc::new(Schema::new(fields)), columns, rows)?);
        Ok(state)
    }

    fn load(&mut self, state: State) -> Result<(), NodeError> {
        expect_state(&state, self.spec.hashes.state)?;
        let saved = state.tables.get(PASSED).ok_or_else(|| unreadable("it has no times"))?;
        let columns = self.by.names().iter().map(|name| column_named(saved, name).cloned()).collect::<Result<Vec<_>, _>>()?;
        let times = column_named(saved, AT)?.as_primitive_opt::<Int64Type>().filter(|times| times.null_count() == 0);
        let times = times.ok_or_else(|| unreadable("its times are none"))?;
        let mut keys = Keys::new(self.by.types())?;
        let ids = keys.ids(&columns, saved.num_rows())?;
        let mut passed = vec![Vec::new(); keys.len()];
        for (key, time) in ids.into_iter().zip(times.values()) {
            if key == NO_KEY {
                return Err(unreadable("a saved key is null"));
            }
            passed[key as usize].push(*time);
        }
        (self.keys, self.passed, self.remembered) = (keys, passed, times.len());
        Ok(())
    }

    fn retune(&mut self) -> Option<&mut dyn Retune> {
        Some(self)
    }
}

impl Retune for Recent {
    fn to(&mut self, spec: &NodeSpec) -> Result<(), NodeError> {
        expect_shape_of(&self.spec, spec)?;
        self.rule = Rule::of(&op(spec)?.rule);
        self.spec = spec.clone();
        Ok(())
    }
}
