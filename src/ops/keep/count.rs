//! By the number of the row: the first ones, or a share of all.

use std::sync::Arc;

use arrow::array::{Array, BooleanArray, Int64Array, cast::AsArray};
use arrow::datatypes::{DataType, Field, Int64Type, Schema};

use crate::ir::KeepRule;
use crate::node::{Batch, Node, NodeError, Ordinal, Out, Port, Retune, State};
use crate::plan::NodeSpec;

use super::super::error::{failed, unreadable};
use super::super::table::{FORMAT, column_named, expect_state, table};
use super::{expect_shape_of, op};

/// The state: how many rows have come.
pub(super) struct Counting {
    spec: NodeSpec,
    rule: KeepRule,
    seen: u64,
}

const SEEN: &str = "seen";

impl Counting {
    pub fn build(spec: &NodeSpec) -> Result<Counting, NodeError> {
        Ok(Counting { rule: op(spec)?.rule.clone(), spec: spec.clone(), seen: 0 })
    }

    fn passes(&self, nth: u64) -> bool {
        match self.rule {
            KeepRule::First { rows } => nth < rows,
            KeepRule::Share { share } => fraction(nth) < share,
            KeepRule::Once { .. } | KeepRule::Rate { .. } => true,
        }
    }

    fn word(&self) -> &'static str {
        match self.rule {
            KeepRule::First { .. } => "limit",
            KeepRule::Share { .. } => "sample",
            KeepRule::Once { .. } | KeepRule::Rate { .. } => "kept back",
        }
    }
}

/// A number in 0..1 that is even over all rows and tells nothing of its neighbours (splitmix64): equal for equal rows in every
/// run, and of two stages that see the same rows.
fn fraction(nth: u64) -> f64 {
    let mut bits = nth.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 31;
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

impl Node for Counting {
    fn batch(&mut self, _: Port, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        let rows = batch.len();
        let mask: BooleanArray = (0..rows as u64).map(|row| Some(self.passes(self.seen + row))).collect();
        self.seen += rows as u64;
        let kept = mask.true_count();
        out.passed(kept);
        out.dropped(self.word(), rows - kept);
        out.send(if kept == rows { batch } else { batch.filter(&mask).map_err(failed)? });
        Ok(())
    }

    fn end(&mut self, _: Ordinal, _: &mut Out) -> Result<(), NodeError> {
        Ok(())
    }

    fn save(&mut self) -> Result<State, NodeError> {
        let mut state = State::empty(FORMAT, self.spec.hashes.state);
        let schema = Arc::new(Schema::new(vec![Field::new(SEEN, DataType::Int64, true)]));
        let seen = Int64Array::from(vec![i64::try_from(self.seen).unwrap_or(i64::MAX)]);
        state.tables.insert(SEEN.into(), table(&schema, vec![Arc::new(seen)], 1)?);
        Ok(state)
    }

    fn load(&mut self, state: State) -> Result<(), NodeError> {
        expect_state(&state, self.spec.hashes.state)?;
        let saved = state.tables.get(SEEN).ok_or_else(|| unreadable("it does not say how many rows have come"))?;
        let column = column_named(saved, SEEN)?.as_primitive_opt::<Int64Type>();
        let seen = column.filter(|column| column.len() == 1 && column.null_count() == 0).map(|column| column.value(0));
        let seen = seen.and_then(|seen| u64::try_from(seen).ok());
        self.seen = seen.ok_or_else(|| unreadable("the number of rows that have come is none"))?;
        Ok(())
    }

    fn retune(&mut self) -> Option<&mut dyn Retune> {
        Some(self)
    }
}

impl Retune for Counting {
    fn to(&mut self, spec: &NodeSpec) -> Result<(), NodeError> {
        expect_shape_of(&self.spec, spec)?;
        self.rule = op(spec)?.rule.clone();
        self.spec = spec.clone();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::fraction;

    #[test]
    fn fractions_are_even() {
        let rows = 100_000;
        for tenth in 0..10 {
            let (from, to) = (f64::from(tenth) / 10.0, f64::from(tenth + 1) / 10.0);
            let found = (0..rows).map(fraction).filter(|share| (from..to).contains(share)).count();
            assert!((9_700..10_300).contains(&found), "{found} of {rows} in {from}..{to}");
        }
        let pairs = (0..rows).filter(|nth| fraction(*nth) < 0.5 && fraction(nth + 1) < 0.5).count();
        assert!((24_400..25_600).contains(&pairs), "{pairs} of {rows} pairs of neighbours");
    }
}
