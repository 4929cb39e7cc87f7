//! How far a source was taken, as plain data.

use serde::{Deserialize, Serialize};

use crate::base::Time;
use crate::io::files::FilePosition;
use crate::io::tail::TailPosition;

/// Of one intake. Resuming from it gives the rest of the rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Rows that passed the gate.
    pub rows: u64,
    /// Records read, bad ones included.
    pub records: u64,
    pub newest: Time,
    pub watermark: Time,
    pub input: InputPosition,
}

/// Of the connection.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum InputPosition {
    /// Files that were begun.
    Files(Vec<FilePosition>),
    /// Everything that arrived before a tick, and so many rows at that tick.
    Simulated { tick: u64, within: u32 },
    /// So many records; what comes next cannot be read again.
    Stream { records: u64 },
    /// Everything before this sequence number of the source's journal; of what stands aside, everything before the other.
    Journal { sequence: u64, aside: u64 },
    /// Files that are followed.
    Tail(Vec<TailPosition>),
    /// Of a recording and of what was kept behind it.
    InTurn(Vec<InputPosition>),
}
