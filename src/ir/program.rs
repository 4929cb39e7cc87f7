//! A whole checked file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::{Name, Span};

use super::{Connector, Expr, Policy, Read, Schema, Source, Stage, Task, Type, Value};

/// Everything that a file declares, by name. The order of declarations does not count.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Program {
    pub params: BTreeMap<Name, Param>,
    pub sources: BTreeMap<Name, Source>,
    pub streams: BTreeMap<Name, Stream>,
    pub tasks: BTreeMap<Name, Task>,
    pub policies: BTreeMap<Name, Policy>,
    pub sinks: BTreeMap<Name, Sink>,
    pub serves: BTreeMap<Name, Serve>,
    pub tests: Vec<Test>,
}

/// A value that the caller may set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Param {
    pub name: Name,
    pub ty: Type,
    /// After `--set`, else the file's own.
    pub value: Value,
    #[serde(skip)]
    pub span: Span,
}

/// A named pipeline.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stream {
    pub name: Name,
    /// `(was old)`.
    pub was: Option<Name>,
    pub input: Read,
    pub stages: Vec<Stage>,
    /// What comes out of the last stage.
    pub schema: Schema,
    #[serde(skip)]
    pub span: Span,
}

/// A pipeline that ends outside.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sink {
    pub name: Name,
    pub input: Read,
    pub stages: Vec<Stage>,
    /// What is written: the visible columns.
    pub schema: Schema,
    pub connector: Connector,
    #[serde(skip)]
    pub span: Span,
}

/// Predictions on request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Serve {
    pub task: Name,
    /// A request carries features instead of source rows.
    pub accepts_features: bool,
    pub connector: Connector,
    #[serde(skip)]
    pub span: Span,
}

/// A `test` block: what must hold, step by step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Test {
    pub name: Name,
    pub steps: Vec<Given>,
    #[serde(skip)]
    pub span: Span,
}

/// A step of a test. Rows are lists of (column, value) in the source's units; columns that are missing were given defaults.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Given {
    Rows {
        source: Name,
        rows: Vec<BTreeMap<Name, Value>>,
    },
    /// Rows `from..=to` of the recording, counted from 1.
    Recorded {
        source: Name,
        from: u64,
        to: u64,
    },
    EditParam {
        name: Name,
        value: Value,
    },
    Apply {
        path: Name,
    },
    ExpectRows {
        stream: Read,
        rows: Vec<BTreeMap<Name, Value>>,
        within: f64,
        #[serde(skip)]
        span: Span,
    },
    /// `low..=high` rows have passed since the test began.
    ExpectCount {
        stream: Read,
        low: u64,
        high: u64,
        #[serde(skip)]
        span: Span,
    },
    /// By entry (`air.stuffy`), the class that the last edit gave it, as the language names it.
    ExpectChanges {
        classes: BTreeMap<Name, Name>,
        #[serde(skip)]
        span: Span,
    },
    ExpectLost {
        lost: u64,
        doubled: u64,
        #[serde(skip)]
        span: Span,
    },
    ExpectThat {
        condition: Expr,
        #[serde(skip)]
        span: Span,
    },
}
