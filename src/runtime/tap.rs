//! A tap: what lately left a node, for people and tests who look. The rows themselves are shared, not copied.

use std::collections::VecDeque;

use crate::ir::Outlet;
use crate::node::Batch;

/// Keeps the newest batches of one outlet, as many as hold at most `rows_max` rows.
#[derive(Debug)]
pub struct Tap {
    outlet: Outlet,
    rows_max: usize,
    rows: usize,
    batches: VecDeque<Batch>,
    /// Rows that left unseen because nobody looked in time.
    pub missed: u64,
}

impl Tap {
    pub fn new(outlet: Outlet, rows_max: usize) -> Tap {
        Tap { outlet, rows_max, rows: 0, batches: VecDeque::new(), missed: 0 }
    }

    pub fn see(&mut self, outlet: Outlet, batch: &Batch) {
        if outlet != self.outlet || batch.is_empty() {
            return;
        }
        self.rows += batch.len();
        self.batches.push_back(batch.clone());
        while self.rows > self.rows_max
            && let Some(oldest) = self.batches.pop_front()
        {
            self.rows -= oldest.len();
            self.missed += oldest.len() as u64;
        }
    }

    /// What has been seen since the last call, oldest first.
    pub fn take(&mut self) -> Vec<Batch> {
        self.rows = 0;
        self.batches.drain(..).collect()
    }
}
