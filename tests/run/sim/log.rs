//! What happened, in order: enough to tell the oracle, and to do it all again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{Array, Float64Array, RecordBatch, cast::AsArray};
use arrow::datatypes::Float64Type;
use mliot::base::Name;
use mliot::ir::{StageKind, Value};
use mliot::node::{NodeError, Predictions, Predictor};
use mliot::plan::{Diff, Graph, NodeKey, Slot};

use super::ledger::{Draw, Failure};

#[derive(Clone, Debug)]
pub enum Happening {
    Cut(Box<CutLog>),
    Draw(Draw),
    /// These sources ended together.
    Ends {
        sources: Vec<Name>,
        at: u64,
    },
    WentLive,
    Assigned(Assigned),
    /// Told before the rows at which it happens.
    Failed(Failure),
}

/// A change of the graph.
#[derive(Clone, Debug, Default)]
pub struct CutLog {
    pub at: u64,
    pub graph: Graph,
    /// Streams that go on under another name, old to new.
    pub renames: BTreeMap<Name, Name>,
    pub stateless: BTreeMap<NodeKey, NodeKey>,
    /// Sources that are read from elsewhere.
    pub reconnected: BTreeSet<Name>,
    /// Sources could be read once more.
    pub again: bool,
}

impl CutLog {
    /// The key under which a node ran before. A stage that remembers is known by its stream, kind, and `id` or count; which
    /// other stage it is, where a mistake costs nothing, the engine may say.
    pub fn before(&self, key: &NodeKey) -> Option<NodeKey> {
        if is_stateless(key) {
            return self.stateless.get(key).cloned();
        }
        let old = self.renames.iter().find(|(_, new)| **new == key.decl).map(|(old, _)| old.clone());
        Some(NodeKey { decl: old.unwrap_or_else(|| key.decl.clone()), ..key.clone() })
    }

    pub fn after(&self, key: &NodeKey) -> Option<NodeKey> {
        if is_stateless(key) {
            return self.stateless.iter().find(|(_, from)| *from == key).map(|(to, _)| to.clone());
        }
        let new = self.renames.get(&key.decl).cloned();
        Some(NodeKey { decl: new.unwrap_or_else(|| key.decl.clone()), ..key.clone() })
    }
}

fn is_stateless(key: &NodeKey) -> bool {
    matches!(&key.slot, Slot::Stage { kind, .. } if !remembers(*kind))
}

fn remembers(kind: StageKind) -> bool {
    match kind {
        StageKind::Scan
        | StageKind::Window
        | StageKind::Summarize
        | StageKind::Limit
        | StageKind::Sample
        | StageKind::Dedupe
        | StageKind::Throttle
        | StageKind::Join
        | StageKind::Asof
        | StageKind::Top
        | StageKind::Sort
        | StageKind::Resample => true,
        StageKind::Where
        | StageKind::Set
        | StageKind::Select
        | StageKind::Drop
        | StageKind::Rename
        | StageKind::Union
        | StageKind::Predict
        | StageKind::Fill
        | StageKind::Unnest
        | StageKind::Lookup => false,
    }
}

/// Of stages that remember nothing: the running one that each goes on from.
pub fn stateless(diff: &Diff) -> BTreeMap<NodeKey, NodeKey> {
    let pairs = diff.nodes.iter().filter(|(key, _)| is_stateless(key));
    pairs.filter_map(|(key, change)| Some((key.clone(), change.from.clone()?))).collect()
}

/// From this ordinal on a model answers, or nobody does.
#[derive(Clone, Debug)]
pub struct Assigned {
    pub from: u64,
    pub model: Option<Arc<Model>>,
}

/// Answers so many times the sum of its features; null where one of them is.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    pub version: String,
    pub features: Vec<Name>,
    pub factor: i64,
}

impl Model {
    pub fn guess<'a>(&self, features: impl Iterator<Item = &'a Value>) -> Value {
        let sum: Option<f64> = features.map(Value::as_f64).sum();
        sum.map_or(Value::Null, |sum| Value::Float(sum * self.factor as f64))
    }
}

impl Predictor for Model {
    fn predict(&self, rows: &RecordBatch) -> Result<Predictions, NodeError> {
        let names: Vec<Name> = rows.schema().fields().iter().map(|field| field.name().as_str().into()).collect();
        assert_eq!(names, self.features, "model {} is fed by the features that it knows", self.version);
        let columns: Vec<&Float64Array> = rows.columns().iter().map(|column| column.as_primitive::<Float64Type>()).collect();
        let cell = |column: &&Float64Array, row: usize| column.is_valid(row).then(|| column.value(row));
        let sum = |row: usize| columns.iter().map(|column| cell(column, row)).sum::<Option<f64>>();
        let values: Float64Array = (0..rows.num_rows()).map(|row| sum(row).map(|sum| sum * self.factor as f64)).collect();
        Ok(Predictions { values: Arc::new(values), scores: None })
    }

    fn version(&self) -> &str {
        &self.version
    }
}
