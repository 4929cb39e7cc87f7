//! What sinks have accepted and not written for good, as an epoch keeps it.

use arrow::array::RecordBatch;
use serde::{Deserialize, Serialize};

use std::collections::BTreeSet;

use crate::base::Name;
use crate::diag::{Code, Diagnostic};
use crate::io::SinkMark;
use crate::plan::NodeSpec;
use crate::runtime::engine::Engine;
use crate::runtime::outbox::{Outbox, OutboxId};
use crate::runtime::pass::Accept;

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
            if let Some(found) = lost(&saved) {
                self.find(found);
            }
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

/// Rows that waited when the columns of their sink were changed are written with the columns of now.
fn lost(saved: &SavedOutbox) -> Option<Diagnostic> {
    let accept = Accept::new(&saved.spec);
    let (mut columns, mut rows) = (BTreeSet::new(), 0);
    for batch in &saved.rows {
        let before = columns.len();
        let lost: Vec<&str> = accept.lost(batch).collect();
        columns.extend(lost.iter().map(|name| format!("`{name}`")));
        rows += if lost.is_empty() && before == columns.len() { 0 } else { batch.num_rows() };
    }
    let named = columns.into_iter().collect::<Vec<_>>().join(", ");
    (rows > 0).then(|| {
        let message =
            format!("{rows} rows that waited for `{}` when its columns changed are written without {named}", saved.sink);
        Diagnostic::new(Code::R0106, message)
            .help("an edit and an end of the process came between them and their writing; nothing else of them is missing")
    })
}
