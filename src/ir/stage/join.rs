//! Stages that bring columns of other rows.

use serde::{Deserialize, Serialize};

use crate::base::{Duration, Hash, Name, Span};
use crate::ir::{Connector, Schema, SourceColumn, Type};

use super::Read;

/// `join`, `asof`, `lookup`: adds columns of rows with an equal key; null where there is no such row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JoinOp {
    pub kind: JoinKind,
    /// Columns of these names on both sides.
    pub on: Vec<Name>,
    pub take: Vec<Taken>,
    /// Rows without a partner are dropped.
    pub required: bool,
}

/// Which rows of the other side are partners.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum JoinKind {
    /// All whose time is at most `within` away, before or after; one row for each.
    Interval { with: Read, within: Duration },
    /// The newest that has arrived; not if its time is more than `within` away.
    Asof { with: Read, within: Option<Duration> },
    /// The row of the table.
    Lookup { table: Box<Table> },
}

/// A column that is brought.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Taken {
    pub name: Name,
    /// What it is called on the other side.
    pub from: Name,
    pub ty: Type,
}

/// `table NAME { … }`: reference data, read as a whole.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Table {
    pub name: Name,
    pub columns: Vec<SourceColumn>,
    pub recorded: Connector,
    pub key: Vec<Name>,
    pub schema: Schema,
    /// Of the file's bytes when the text was compiled; none where there was no such file.
    pub digest: Option<Hash>,
    #[serde(skip)]
    pub span: Span,
}

impl JoinOp {
    /// The other stream; a table is none.
    pub fn other(&self) -> Option<&Read> {
        match &self.kind {
            JoinKind::Interval { with, .. } | JoinKind::Asof { with, .. } => Some(with),
            JoinKind::Lookup { .. } => None,
        }
    }
}
