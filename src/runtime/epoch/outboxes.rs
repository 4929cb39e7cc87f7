//! What sinks have accepted and not written for good, as an epoch keeps it.

use arrow::array::RecordBatch;
use serde::{Deserialize, Serialize};

use crate::base::Name;
use crate::io::SinkMark;
use crate::plan::NodeSpec;
use crate::runtime::engine::Engine;
use crate::runtime::outbox::{Outbox, OutboxId};

/// One sink's rows by their number, from 0 since the sink was declared: `settled` of them are accounted for (written for good
/// as `mark` says, or lost), the others are in `rows`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SavedOutbox {
    pub id: OutboxId,
    pub sink: Name,
    /// Is it gone from the graph, with rows that are still to be written?
    pub retired: bool,
    pub spec: NodeSpec,
    pub accepted: u64,
    pub lost: u64,
    pub muted: u64,
    pub settled: u64,
    pub mark: SinkMark,
    /// Rows before this number are known to stand, although this epoch does not say so.
    #[serde(skip)]
    pub skip: u64,
    /// In tables of their own.
    #[serde(skip)]
    pub rows: Vec<RecordBatch>,
}

impl SavedOutbox {
    /// Rows that its writer has taken and not written for good, oldest first.
    pub fn put_back(&mut self, mut rows: Vec<RecordBatch>) {
        self.settled -= rows.iter().map(|rows| rows.num_rows() as u64).sum::<u64>();
        rows.append(&mut self.rows);
        self.rows = rows;
    }

    /// Rows before `settled` stand as `mark` says, which a later epoch knew.
    pub fn skip_to(&mut self, settled: u64, mark: SinkMark) {
        while let Some(first) = self.rows.first() {
            let stand = settled.saturating_sub(self.settled).min(first.num_rows() as u64);
            if stand == 0 {
                break;
            }
            self.settled += stand;
            match first.num_rows() as u64 - stand {
                0 => drop(self.rows.remove(0)),
                left => self.rows[0] = first.slice(stand as usize, left as usize),
            }
        }
        (self.mark, self.skip) = (mark, settled);
    }

    /// Rows that a writer has given up: accounted for, and never written.
    pub fn give_up(&mut self, rows: u64) {
        self.lost += rows;
    }
}

impl Engine {
    pub(super) fn save_outboxes(&self) -> Vec<SavedOutbox> {
        let running = self.outboxes.values().map(|outbox| outbox.save(false));
        self.retired().map(|outbox| outbox.save(true)).chain(running).collect()
    }

    pub(super) fn restore_outboxes(&mut self, saved: Vec<SavedOutbox>) {
        for saved in saved {
            let (retired, key) = (saved.retired, saved.spec.key.clone());
            let outbox = Outbox::restore(saved);
            if retired {
                self.retire(outbox);
            } else {
                self.outboxes.insert(key, outbox);
            }
        }
    }
}
