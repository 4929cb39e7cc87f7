//! The rows of one stretch of time, folded per key.

use arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use arrow::compute::take;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};

use crate::node::NodeError;

use super::super::error::failed;
use super::super::keys::{Id, Keys};
use super::aggregate::{Aggregates, Inputs};

/// Groups are numbered in the order in which their keys first came.
pub(super) struct Pane {
    /// By group.
    pub keys: Vec<Id>,
    /// By key: its group plus one; 0 or beyond the end where it has none.
    groups: Vec<u32>,
    folded: Folded,
}

/// The states of all groups, call by call.
enum Folded {
    Live(Vec<Box<dyn GroupsAccumulator>>),
    /// As Arrow arrays: accumulators give their state up when asked for it, so it stays out until the next row comes.
    /// Merging it into empty accumulators changes no bit.
    Frozen(Vec<Vec<ArrayRef>>),
}

/// Results of groups, one slot per call.
pub(super) struct Results {
    pub keys: Vec<Id>,
    pub slots: Vec<ArrayRef>,
}

impl Results {
    /// Of these keys.
    pub fn only(self, wanted: impl Fn(Id) -> bool) -> Result<Results, NodeError> {
        let rows: UInt32Array = (0..self.keys.len() as u32).filter(|row| wanted(self.keys[*row as usize])).map(Some).collect();
        let keys = rows.values().iter().map(|row| self.keys[*row as usize]).collect();
        let slots = self.slots.iter().map(|slot| take(slot, &rows, None).map_err(failed)).collect::<Result<_, _>>()?;
        Ok(Results { keys, slots })
    }
}

impl Pane {
    pub fn new(aggregates: &Aggregates) -> Result<Pane, NodeError> {
        Ok(Pane { keys: Vec::new(), groups: Vec::new(), folded: Folded::Live(aggregates.accumulators()?) })
    }

    /// From the saved states of these keys.
    pub fn frozen(keys: Vec<Id>, states: Vec<Vec<ArrayRef>>) -> Pane {
        let mut pane = Pane { keys: Vec::new(), groups: Vec::new(), folded: Folded::Frozen(states) };
        keys.into_iter().for_each(|key| {
            pane.group(key);
        });
        pane
    }

    fn group(&mut self, key: Id) -> usize {
        let at = key as usize;
        if at >= self.groups.len() {
            self.groups.resize(at + 1, 0);
        }
        if self.groups[at] == 0 {
            self.keys.push(key);
            self.groups[at] = self.keys.len() as u32;
        }
        self.groups[at] as usize - 1
    }

    /// Rows in their order, with the key of each. Returns how many groups are new.
    pub fn update(
        &mut self,
        aggregates: &Aggregates,
        inputs: &Inputs,
        ids: impl Iterator<Item = Id>,
        scratch: &mut Vec<usize>,
    ) -> Result<usize, NodeError> {
        let before = self.keys.len();
        scratch.clear();
        for id in ids {
            let group = self.group(id);
            scratch.push(group);
        }
        let total = self.keys.len();
        let accumulators = self.thaw(aggregates, before)?;
        for (call, accumulator) in aggregates.calls.iter().zip(accumulators) {
            call.update(accumulator.as_mut(), inputs, scratch, total)?;
        }
        Ok(total - before)
    }

    /// `groups` is how many the frozen state has.
    fn thaw(&mut self, aggregates: &Aggregates, groups: usize) -> Result<&mut Vec<Box<dyn GroupsAccumulator>>, NodeError> {
        if let Folded::Frozen(states) = &self.folded {
            let mut accumulators = aggregates.accumulators()?;
            let each: Vec<usize> = (0..groups).collect();
            for (accumulator, state) in accumulators.iter_mut().zip(states) {
                accumulator.merge_batch(state, &each, groups).map_err(failed)?;
            }
            self.folded = Folded::Live(accumulators);
        }
        match &mut self.folded {
            Folded::Live(accumulators) => Ok(accumulators),
            Folded::Frozen(_) => unreachable!("it was thawed above"),
        }
    }

    /// The states of all groups; the pane is as before.
    pub fn states(&mut self) -> Result<&[Vec<ArrayRef>], NodeError> {
        if let Folded::Live(accumulators) = &mut self.folded {
            let states = accumulators.iter_mut().map(|accumulator| accumulator.state(EmitTo::All));
            self.folded = Folded::Frozen(states.collect::<Result<_, _>>().map_err(failed)?);
        }
        match &self.folded {
            Folded::Frozen(states) => Ok(states),
            Folded::Live(_) => unreachable!("it was frozen above"),
        }
    }

    /// Takes what another pane, of later rows, holds.
    pub fn merge(&mut self, later: &mut Pane, aggregates: &Aggregates, scratch: &mut Vec<usize>) -> Result<(), NodeError> {
        let before = self.keys.len();
        scratch.clear();
        for key in &later.keys {
            let group = self.group(*key);
            scratch.push(group);
        }
        let total = self.keys.len();
        let states = later.states()?;
        let accumulators = self.thaw(aggregates, before)?;
        for (accumulator, state) in accumulators.iter_mut().zip(states) {
            accumulator.merge_batch(state, scratch, total).map_err(failed)?;
        }
        Ok(())
    }

    /// The results of all groups in the order of their keys.
    pub fn finish(mut self, aggregates: &Aggregates, keys: &Keys) -> Result<Results, NodeError> {
        let groups = self.keys.len();
        let mut order: Vec<u32> = (0..groups as u32).collect();
        order.sort_unstable_by(|a, b| keys.compare(self.keys[*a as usize], self.keys[*b as usize]));
        let sorted = UInt32Array::from(order.clone());
        let mut slots = Vec::with_capacity(aggregates.calls.len());
        for (call, accumulator) in aggregates.calls.iter().zip(self.thaw(aggregates, groups)?) {
            let value = call.result(accumulator.evaluate(EmitTo::All).map_err(failed)?)?;
            slots.push(take(&value, &sorted, None).map_err(failed)?);
        }
        Ok(Results { keys: order.iter().map(|group| self.keys[*group as usize]).collect(), slots })
    }

    /// Its keys have new numbers: `to` gives them by the old ones.
    pub fn renumber(&mut self, to: &[Id]) {
        let keys = std::mem::take(&mut self.keys);
        self.groups.clear();
        for key in keys {
            self.group(to[key as usize]);
        }
    }
}

/// The columns of a state that belong to one call, in the order of its fields.
pub(super) fn state_columns(saved: &RecordBatch, aggregates: &Aggregates) -> Result<Vec<Vec<ArrayRef>>, NodeError> {
    let column = |field: &arrow::datatypes::Field| super::super::table::column_named(saved, field.name()).cloned();
    aggregates.calls.iter().map(|call| call.state_fields().iter().map(column).collect()).collect()
}
