//! What a node is to whatever steps it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch};

use crate::base::Span;
use crate::diag::{Code, Diagnostic};
use crate::ir::Outlet;
use crate::plan::NodeSpec;

use super::{Batch, Migration, Ordinal, State};

/// Which input of a node, from 0.
pub type Port = usize;

/// What travels on an edge.
#[derive(Clone, Debug)]
pub enum Message {
    Batch(Batch),
    /// Nothing more will come.
    End {
        at: Ordinal,
    },
}

/// The logic of one node. Batches arrive in ordinal order.
pub trait Node: Send {
    /// Takes a batch, with rows or without, and puts what follows from it into `out`: always exactly one batch at the rows
    /// outlet with the same `upto`, so that progress travels on, but for nodes without one (`Task`, `Accept`).
    fn batch(&mut self, port: Port, batch: Batch, out: &mut Out) -> Result<(), NodeError>;

    /// Its inputs have ended at `at`: what still waits is let go (a last batch into `out`) or dropped and counted.
    fn end(&mut self, at: Ordinal, out: &mut Out) -> Result<(), NodeError>;

    /// Its whole state; the node is as before afterwards, bit for bit.
    fn save(&mut self) -> Result<State, NodeError>;

    fn load(&mut self, state: State) -> Result<(), NodeError>;

    /// Takes over what a node of another shape remembers, entry by entry; whatever it remembered itself is forgotten. May be
    /// called more than once.
    ///
    /// # Errors
    /// Where the running state has nothing that this node can read; then it is as it was built, or is to be dropped.
    fn migrate(&mut self, migration: Migration) -> Result<(), NodeError> {
        let Migration { before, .. } = migration;
        Err(NodeError::new(Code::R0002, format!("{} takes over no state of another shape", before.key)))
    }

    /// Nodes whose meaning can change in place with their state kept.
    fn retune(&mut self) -> Option<&mut dyn Retune> {
        None
    }

    /// Nodes that predict.
    fn predicts(&mut self) -> Option<&mut dyn Predicts> {
        None
    }
}

/// A change of meaning that keeps the state.
pub trait Retune {
    /// On an error the node is as before.
    fn to(&mut self, spec: &NodeSpec) -> Result<(), NodeError>;
}

/// Where a node puts its results, and says what became of its input rows.
#[derive(Default)]
pub struct Out {
    /// In the order in which they are sent.
    pub batches: Vec<(Outlet, Batch)>,
    pub counts: Counts,
}

/// Of input rows: `input = passed + absorbed + dropped`, always; results are counted apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub input: u64,
    pub passed: u64,
    /// Kept in the state (a window's rows, a training set's).
    pub absorbed: u64,
    pub dropped: BTreeMap<&'static str, u64>,
    /// Rows sent at the rows outlet.
    pub output: u64,
    /// What happened besides, by reason, and is no part of the balance: rows that passed a `scan` with nulls because they
    /// were older than their key's newest, rows that left a full history.
    pub noted: BTreeMap<&'static str, u64>,
}

impl Out {
    /// Sends at the rows outlet.
    pub fn send(&mut self, batch: Batch) {
        self.counts.output += batch.len() as u64;
        self.batches.push((Outlet::Rows, batch));
    }

    /// Sends at the bad or late outlet.
    pub fn send_aside(&mut self, outlet: Outlet, batch: Batch) {
        self.batches.push((outlet, batch));
    }

    pub fn passed(&mut self, rows: usize) {
        self.counts.passed += rows as u64;
    }

    pub fn absorbed(&mut self, rows: usize) {
        self.counts.absorbed += rows as u64;
    }

    /// `reason` is one or two words for people: `where`, `late`, `bad`.
    pub fn dropped(&mut self, reason: &'static str, rows: usize) {
        if rows > 0 {
            *self.counts.dropped.entry(reason).or_default() += rows as u64;
        }
    }

    /// Something that a person should be able to see, of rows that are accounted for elsewhere.
    pub fn noted(&mut self, reason: &'static str, rows: usize) {
        if rows > 0 {
            *self.counts.noted.entry(reason).or_default() += rows as u64;
        }
    }
}

impl Counts {
    /// Is every input row accounted for?
    pub fn balance(&self) -> bool {
        self.input == self.passed + self.absorbed + self.dropped.values().sum::<u64>()
    }

    pub fn add(&mut self, other: &Counts) {
        self.input += other.input;
        self.passed += other.passed;
        self.absorbed += other.absorbed;
        self.output += other.output;
        for (reason, rows) in &other.dropped {
            *self.dropped.entry(reason).or_default() += rows;
        }
        for (reason, rows) in &other.noted {
            *self.noted.entry(reason).or_default() += rows;
        }
    }
}

/// The world's failure inside a node, with the code of its page. The node's key and place are added by whoever steps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeError {
    pub code: Code,
    pub message: String,
    /// What to do, where it is known.
    pub help: Option<String>,
    /// The declaration that is at fault, where it is another than the node's own.
    pub span: Option<Span>,
}

impl NodeError {
    pub fn new(code: Code, message: impl Into<String>) -> NodeError {
        NodeError { code, message: message.into(), help: None, span: None }
    }

    pub fn help(self, help: impl Into<String>) -> NodeError {
        NodeError { help: Some(help.into()), ..self }
    }

    /// What it says, after what could not be done because of it.
    pub fn diagnostic(&self, failed: &str) -> Diagnostic {
        let mut found = Diagnostic::new(self.code, format!("{failed}: {}", self.message));
        if let Some(span) = self.span {
            found = found.at(span, "");
        }
        found.help = self.help.clone();
        found
    }
}

impl fmt::Display for NodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

impl std::error::Error for NodeError {}

/// A message that is not about a place in a text.
impl From<Diagnostic> for NodeError {
    fn from(found: Diagnostic) -> NodeError {
        NodeError { span: found.span(), code: found.code, message: found.message, help: found.help }
    }
}

/// A model as the `predict` stage sees it: with its preprocessing, so that neither goes anywhere without the other.
pub trait Predictor: Send + Sync + fmt::Debug {
    /// One prediction per row of `rows`, whose columns are the task's features in order.
    fn predict(&self, rows: &RecordBatch) -> Result<Predictions, NodeError>;

    /// As it stands in the column `NAME_version`.
    fn version(&self) -> &str;
}

/// A node whose rows are predicted by models that come and go.
pub trait Predicts {
    /// Takes the place of the former assignment, for rows that are still to come.
    fn assign(&mut self, models: Assignment);
}

/// Which model predicts which row: from each ordinal on, until the next. Nothing before the first; `None` gives null.
#[derive(Clone, Debug, Default)]
pub struct Assignment {
    /// In rising order of ordinals.
    pub pieces: Vec<(Ordinal, Option<Arc<dyn Predictor>>)>,
}

impl Assignment {
    /// One model for every row.
    pub fn always(model: Arc<dyn Predictor>) -> Assignment {
        Assignment { pieces: vec![(Ordinal(0), Some(model))] }
    }

    pub fn at(&self, ordinal: Ordinal) -> Option<&Arc<dyn Predictor>> {
        let passed = self.pieces.partition_point(|(from, _)| *from <= ordinal);
        self.pieces[..passed].last()?.1.as_ref()
    }
}

/// Row for row; null where a row cannot be predicted (a missing tensor).
#[derive(Clone, Debug)]
pub struct Predictions {
    /// Of the target's Arrow type.
    pub values: ArrayRef,
    /// The probability of the chosen class, or the score of `detect` and `rank`, in 0..1; none for regressions.
    pub scores: Option<Float64Array>,
}
