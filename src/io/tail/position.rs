//! How far files were taken, going on from there, and reading again what was read and not taken.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::Name;
use crate::io::block::{Aside, At};
use crate::io::error::IoError;
use crate::io::files::{FilePosition, typed};
use crate::io::spec::Spec;
use crate::ir::TailFrom;

use super::followed::{Followed, Spot};
use super::{FileId, Head, Tail, find};

/// How far one file was taken.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TailPosition {
    /// What it was called, as people know it.
    pub name: Name,
    pub id: FileId,
    pub head: Head,
    /// Where the next row begins.
    pub byte: u64,
    pub line: u64,
    /// What stood aside of records before this byte was told.
    pub aside: u64,
    /// `byte` lies in the middle of a line that is too long.
    pub skipping: bool,
    /// No path led to it any more.
    pub gone: bool,
}

/// Where the records of the last block stand in their file.
pub(super) struct Last {
    pub id: FileId,
    pub start: Spot,
    pub ends: Vec<Spot>,
    /// The number of its first record, and of the last one that is a row.
    pub first_row: u64,
    pub last_row: Option<u64>,
    /// Records that were taken.
    pub taken: usize,
    /// What stands aside was told.
    pub told: bool,
}

impl Last {
    fn spot(&self) -> Spot {
        if self.taken == 0 { self.start } else { self.ends[self.taken - 1] }
    }

    pub fn end(&self) -> Spot {
        self.ends.last().copied().unwrap_or(self.start)
    }
}

impl Tail {
    /// What stands aside of a block is taken with its first rows.
    pub fn delivered(&mut self, at: &[At], aside: &Aside) {
        let Some(last) = &mut self.last else { return };
        let newest = at.last().map(|at| at.row);
        last.taken = match newest {
            _ if newest == last.last_row => last.ends.len(),
            Some(row) => (row - last.first_row) as usize + 1,
            None => last.taken,
        };
        last.told |= aside.places().next().is_some();
    }

    pub fn position(&self) -> Vec<TailPosition> {
        self.files.iter().map(|file| self.position_of(file)).collect()
    }

    pub(super) fn position_of(&self, file: &Followed) -> TailPosition {
        let last = self.last.as_ref().filter(|last| last.id == file.id);
        let Spot { byte, line } = last.map_or(file.spot, Last::spot);
        let told = last.filter(|last| last.told).map_or(0, |last| last.end().byte);
        TailPosition {
            name: file.found.name.clone(),
            id: file.id,
            head: file.head,
            byte,
            line,
            aside: file.aside.max(told).max(byte),
            skipping: file.skipping && byte == file.spot.byte,
            gone: file.gone.is_some(),
        }
    }

    /// Goes on where another reader of these files was. Files that are new since are read from their beginnings.
    pub fn resume(&mut self, positions: &[TailPosition]) -> Result<(), IoError> {
        self.rows_before += self.last.take().map_or(self.rows, |last| last.first_row + last.taken as u64);
        (self.rows, self.more) = (0, true);
        self.files.clear();
        positions.iter().for_each(|position| self.find_again(position));
        self.find()
    }

    /// Counts rows from here on.
    pub fn follow(&mut self, records: u64) {
        (self.rows_before, self.rows) = (records, 0);
    }

    /// Files that were taken up at their end go on where a recording of the same files has ended.
    pub fn go_on_behind(&mut self, recorded: &[FilePosition]) {
        if self.connector.from == TailFrom::Start || self.rows > 0 {
            return;
        }
        for file in &mut self.files {
            let read = recorded.iter().find(|read| read.name == file.found.name && read.rows.is_some());
            if let Some((byte, line)) = read.and_then(|read| Some((read.mark.byte?, read.mark.line))) {
                self.more |= file.go_to(Spot { byte, line }).is_ok();
            }
        }
    }

    /// What was read and not taken is read again, in its new meaning. On an error all is as before.
    pub fn retune(&mut self, spec: &Arc<Spec>) -> Result<(), IoError> {
        let mut streams = Vec::new();
        for file in &self.files {
            let fixed = typed(spec, &file.found).map_err(|why| find::unfit(&file.found.name, &why))?;
            streams.push(file.stream.retuned(spec, fixed)?);
        }
        self.rewind();
        for (file, stream) in self.files.iter_mut().zip(streams) {
            self.ignored.add(&file.stream.ignored());
            file.stream = stream;
        }
        self.spec = spec.clone();
        Ok(())
    }

    /// To the first record that was not taken.
    fn rewind(&mut self) {
        let Some(last) = self.last.take() else { return };
        let Some(file) = self.files.iter_mut().find(|file| file.id == last.id) else { return };
        if last.told {
            file.aside = file.aside.max(last.end().byte);
        }
        if last.taken < last.ends.len() && file.go_to(last.spot()).is_ok() {
            (file.skipping, self.more) = (false, true);
            self.rows = last.first_row + last.taken as u64;
        }
    }
}
