//! Rows that wait in row windows: chunks as they came, and per key the positions of its rows.

use std::collections::VecDeque;

use arrow::array::{Array, ArrayRef};
use arrow::compute::interleave;

use crate::node::NodeError;

use super::super::error::failed;
use super::aggregate::Inputs;

/// Chunks are joined when there are more, counted anew where many rows wait.
const CHUNKS_MAX: usize = 64;
const ROWS_PER_CHUNK: usize = 4_096;

/// A row: the number of its chunk, and its place there.
pub(super) type At = (u64, u32);

#[derive(Default)]
pub(super) struct Store {
    chunks: VecDeque<Chunk>,
    /// The number of the first chunk.
    first: u64,
    rows: usize,
    live: usize,
}

struct Chunk {
    inputs: Inputs,
    live: usize,
}

/// The rows of one key that wait for their window.
#[derive(Default)]
pub(super) struct Queue {
    pub rows: VecDeque<At>,
    /// How many rows still fall between windows.
    pub skip: u64,
    /// How many rows have come since a window was last complete.
    pub fresh: u64,
}

impl Store {
    /// Rows that wait.
    pub fn live(&self) -> usize {
        self.live
    }

    /// The number of the new chunk; none of its rows wait yet.
    pub fn push(&mut self, inputs: Inputs) -> u64 {
        self.rows += inputs.rows;
        self.chunks.push_back(Chunk { inputs, live: 0 });
        self.first + self.chunks.len() as u64 - 1
    }

    pub fn hold(&mut self, (chunk, _): At) {
        self.chunks[(chunk - self.first) as usize].live += 1;
        self.live += 1;
    }

    pub fn release(&mut self, (chunk, _): At) {
        self.chunks[(chunk - self.first) as usize].live -= 1;
        self.live -= 1;
    }

    /// These rows, in this order.
    pub fn gather(&self, rows: &[At]) -> Result<Inputs, NodeError> {
        let places: Vec<(usize, usize)> =
            rows.iter().map(|(chunk, row)| ((chunk - self.first) as usize, *row as usize)).collect();
        let width = self.chunks.front().map_or(0, |chunk| chunk.inputs.columns.len());
        let column = |nth: usize| -> Result<ArrayRef, NodeError> {
            let pieces: Vec<&dyn Array> = self.chunks.iter().map(|chunk| chunk.inputs.columns[nth].as_ref()).collect();
            interleave(&pieces, &places).map_err(failed)
        };
        Ok(Inputs { columns: (0..width).map(column).collect::<Result<_, _>>()?, rows: rows.len() })
    }

    /// Lets go of chunks in which nothing waits, and joins the rest where it has become scattered.
    pub fn tidy(&mut self, queues: &mut [Queue]) -> Result<(), NodeError> {
        while let Some(chunk) = self.chunks.front()
            && chunk.live == 0
        {
            self.rows -= chunk.inputs.rows;
            self.chunks.pop_front();
            self.first += 1;
        }
        let scattered = self.chunks.len() > CHUNKS_MAX.max(self.live / ROWS_PER_CHUNK);
        let hollow = self.rows > 2 * self.live + ROWS_PER_CHUNK;
        if scattered || hollow { self.join(queues) } else { Ok(()) }
    }

    fn join(&mut self, queues: &mut [Queue]) -> Result<(), NodeError> {
        let all: Vec<At> = queues.iter().flat_map(|queue| queue.rows.iter().copied()).collect();
        let inputs = self.gather(&all)?;
        self.first += self.chunks.len() as u64;
        self.rows = inputs.rows;
        self.chunks = VecDeque::from([Chunk { live: inputs.rows, inputs }]);
        for (row, at) in queues.iter_mut().flat_map(|queue| &mut queue.rows).enumerate() {
            *at = (self.first, row as u32);
        }
        Ok(())
    }
}
