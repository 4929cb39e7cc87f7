//! How far a sink has written, as plain data: what of its files stands for good.

use serde::{Deserialize, Serialize};

/// Of one sink. The empty mark is the beginning.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinkMark {
    pub files: Vec<FileMark>,
}

/// Of one of its files; paths are whole.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileMark {
    /// A file that grows line by line: so many bytes of it stand. `identity` tells it from another file of its name.
    Grown { path: String, bytes: u64, identity: Option<(u64, u64)> },
    /// A whole file that stands aside until the mark is committed, and then gets its name.
    Segment { aside: String, path: String },
}
