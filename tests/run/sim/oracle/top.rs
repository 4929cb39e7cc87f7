//! `top n by E within D`: the best rows of each stretch of time.

use std::collections::BTreeMap;

use mliot::ir::{Expr, RankOp, RankRule, Schema};
use mliot::runtime::Row;

use super::value::{evaluate, is_still};

/// By the end of their stretch, the best first.
#[derive(Clone, Debug, Default)]
pub struct Ranking(BTreeMap<i64, Vec<(f64, Row)>>);

impl Ranking {
    /// `before` is the watermark before the row.
    pub fn row(&mut self, row: Row, time: i64, before: i64, op: &RankOp) {
        let (count, by) = best(op);
        let Some(rank) = evaluate(by, &row, &[]).as_f64() else { return };
        let end = (time.div_euclid(op.within.0) + 1) * op.within.0;
        if end <= before {
            return;
        }
        let rows = self.0.entry(end).or_default();
        rows.push((rank, row));
        rows.sort_by(|(left, _), (right, _)| right.total_cmp(left));
        rows.truncate(count);
    }

    /// A stretch may hold more rows than are kept now; the next row of it leaves them out.
    pub fn let_go(&mut self, upto: i64, op: &RankOp, out: &mut Vec<Row>) {
        while let Some(first) = self.0.first_entry().filter(|first| *first.key() <= upto) {
            out.extend(first.remove().into_iter().take(best(op).0).map(|(_, row)| row));
        }
    }

    /// Only columns that there still are, of their types.
    pub fn fit(&mut self, input: &Schema) {
        for rows in self.0.values_mut() {
            rows.iter_mut().for_each(|(_, row)| row.retain(|name, value| is_still(input, name, value)));
        }
    }
}

fn best(op: &RankOp) -> (usize, &Expr) {
    match &op.rule {
        RankRule::Best { count, by } => (*count as usize, by),
        RankRule::Rising { .. } => panic!("no case sorts"),
    }
}
