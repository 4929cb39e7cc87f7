//! What every format's reader can do.

use serde::{Deserialize, Serialize};

use super::error::IoError;
use super::sheet::Decoded;

/// One open file, read from front to back. What it gives does not depend on how often it is asked, but for where blocks end.
pub(super) trait Records: Send {
    /// The next records, at most `BLOCK_ROWS`; none at the end.
    fn read(&mut self) -> Result<Option<Decoded>, IoError>;

    /// Where the next record stands.
    fn mark(&self) -> Mark;

    /// Fields that the file has and no column reads.
    fn ignored(&self) -> &Ignored;

    /// Nullable columns that the file does not have, each as a sentence.
    fn absent(&self) -> &[String];
}

/// A place between two records of a file, as near as its format can find it again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Records before it.
    pub row: u64,
    /// Of the next record; none where the file is packed or columnar, and records before it are passed over instead.
    pub byte: Option<u64>,
    /// Of the next record, from 1.
    pub line: u64,
}

/// Fields that the data has and no column reads: counted, and the first names kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ignored {
    pub fields: u64,
    /// At most [`Ignored::NAMES_MAX`].
    pub names: Vec<String>,
}

impl Ignored {
    pub const NAMES_MAX: usize = 64;

    pub(super) fn name(&mut self, name: &str) {
        if self.names.len() < Ignored::NAMES_MAX && !self.names.iter().any(|known| known == name) {
            self.names.push(name.to_owned());
        }
    }

    pub(super) fn add(&mut self, other: &Ignored) {
        self.fields += other.fields;
        other.names.iter().for_each(|name| self.name(name));
    }
}
