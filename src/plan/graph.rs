//! The graph: nodes by identity, each with its meaning, its hashes and its inputs.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::{Hash, Name, Span};
use crate::ir;

/// Who a node is, over all edits of the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeKey {
    pub decl: Name,
    pub slot: Slot,
    pub owner: Owner,
}

/// Which part of its declaration. A source is three nodes (connection, decode, gate), and one more where it keeps its rows; a
/// sink ends in `Accept`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Slot {
    Connection,
    Decode,
    Gate,
    Keep,
    Stage { kind: ir::StageKind, label: Label },
    Task,
    Accept,
    Serve,
}

/// `id NAME`, or the stage's count among those of its kind without one in the declaration, from 0.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Label {
    Id(Name),
    Nth(u32),
    /// Inside uses of transforms, outermost first, where stages are counted on their own.
    Within {
        uses: Vec<ir::Use>,
        label: Box<Label>,
    },
}

/// The file, a model version that keeps the feature definitions that it was trained with (a shadow), or a former version of
/// the file that is on hand in case a plan is taken back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Owner {
    File,
    Model {
        task: Name,
        version: Name,
    },
    /// With the number of the plan that took its place.
    Former {
        plan: u64,
    },
}

/// Hashes of canonical bytes of the IR, never of a library's forms, so that an upgrade changes none of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hashes {
    /// Its normalised typed meaning, with values of params and versions of functions.
    pub sem: Hash,
    /// What shapes its state.
    pub state: Hash,
    /// Where its rows come from.
    pub wire: Hash,
    /// The transitive definition of the column values that reach it.
    pub flow: Hash,
}

/// A node's meaning.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NodeSpec {
    pub key: NodeKey,
    pub op: NodeOp,
    pub inputs: Vec<Input>,
    /// What comes out at its rows outlet; of a task, what it learns from; of `Accept`, what is written. Empty for a
    /// connection, from which nothing typed comes, and for `Serve`.
    pub schema: ir::Schema,
    pub on_change: ir::OnChange,
    pub hashes: Hashes,
    /// One per output column that the node itself makes, of a task one per feature; a node's class is the heaviest of
    /// its entries.
    pub entries: BTreeMap<Name, Hashes>,
}

/// An edge: an outlet of another node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Input {
    pub node: NodeKey,
    pub outlet: ir::Outlet,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum NodeOp {
    /// Bytes or rows come in here. Which of the two is read depends on what runs the graph.
    Connection(Box<Connection>),
    Decode(Decode),
    Gate(Box<Gate>),
    Stage(Box<ir::Op>),
    /// Collects what its task learns from.
    Task(Box<Learn>),
    Accept(Box<Accept>),
    Serve(Box<ir::Serve>),
}

/// The other end of a source, as the file declares it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Connection {
    pub recorded: Option<ir::Connector>,
    pub live: Option<ir::Connector>,
    pub keep: Option<ir::Connector>,
    /// The declared columns: readers of columnar files read no others.
    pub columns: Vec<ir::SourceColumn>,
}

/// A task with the policy that it follows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Learn {
    pub task: ir::Task,
    pub policy: ir::Policy,
}

/// Fields to typed columns; what does not fit goes to the bad outlet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decode {
    pub columns: Vec<ir::SourceColumn>,
}

/// Gives rows their event time and draws their ordinals.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gate {
    pub time: ir::TimeSpec,
    pub limits: ir::Limits,
}

/// The end of a sink inside the graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Accept {
    pub connector: ir::Connector,
    /// Rows of a source as they came in, for a later recording: their hidden columns are written too, and a replay writes none.
    #[serde(default)]
    pub keeps: bool,
}

impl Accept {
    /// The columns that are written.
    pub fn columns<'a>(&self, schema: &'a ir::Schema) -> impl Iterator<Item = &'a ir::Column> {
        let keeps = self.keeps;
        schema.columns.iter().filter(move |column| keeps || !column.is_hidden())
    }
}

/// All nodes by identity, and beside them what belongs to the text only: a moved line is no change.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Graph {
    #[serde(with = "as_list")]
    pub nodes: BTreeMap<NodeKey, NodeSpec>,
    /// Where the rows of a declared source or stream come out, also of a stream without stages, which has no node.
    pub outlets: BTreeMap<Name, Input>,
    /// `stream new (was old)`: new to old.
    #[serde(skip)]
    pub was: BTreeMap<Name, Name>,
    #[serde(skip)]
    pub spans: BTreeMap<NodeKey, Span>,
}

/// JSON keys are texts, so a map by key is written as the list of its nodes.
mod as_list {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::{NodeKey, NodeSpec};

    pub fn serialize<S: Serializer>(nodes: &BTreeMap<NodeKey, NodeSpec>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(nodes.values())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<NodeKey, NodeSpec>, D::Error> {
        let list = Vec::<NodeSpec>::deserialize(deserializer)?;
        Ok(list.into_iter().map(|spec| (spec.key.clone(), spec)).collect())
    }
}

/// Equal in meaning: `op` counts by its hash, so places in the text and names of params do not.
impl PartialEq for NodeSpec {
    fn eq(&self, other: &NodeSpec) -> bool {
        let NodeSpec { key, op: _, inputs, schema, on_change, hashes, entries } = self;
        (key, inputs, schema, on_change) == (&other.key, &other.inputs, &other.schema, &other.on_change)
            && (hashes, entries) == (&other.hashes, &other.entries)
    }
}

/// Where it stands in the text does not count.
impl PartialEq for Graph {
    fn eq(&self, other: &Graph) -> bool {
        self.nodes == other.nodes && self.outlets == other.outlets
    }
}

impl NodeKey {
    pub fn of_file(decl: &Name, slot: Slot) -> NodeKey {
        NodeKey { decl: decl.clone(), slot, owner: Owner::File }
    }

    /// Is it of a version of the file that a plan has replaced?
    pub fn is_former(&self) -> bool {
        match self.owner {
            Owner::Former { .. } => true,
            Owner::File | Owner::Model { .. } => false,
        }
    }

    /// Is it the file's own, and no copy?
    pub fn is_of_file(&self) -> bool {
        match self.owner {
            Owner::File => true,
            Owner::Model { .. } | Owner::Former { .. } => false,
        }
    }
}

/// `room/gate`, `air/where`, `air/set#1`, `air/window:slow`, `air/smooth.scan` inside a transform, `air/set @occupancy-3` for
/// a model's own, and `air/scan @before-7` for what plan 7 has replaced.
impl fmt::Display for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.decl, self.slot)?;
        match &self.owner {
            Owner::File => Ok(()),
            Owner::Model { task, version } => write!(f, " @{task}-{version}"),
            Owner::Former { plan } => write!(f, " @before-{plan}"),
        }
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Slot::Connection => f.write_str("connection"),
            Slot::Decode => f.write_str("decode"),
            Slot::Gate => f.write_str("gate"),
            Slot::Stage { kind, label } => write_stage(f, *kind, label),
            Slot::Task => f.write_str("task"),
            Slot::Accept => f.write_str("accept"),
            Slot::Keep => f.write_str("keep"),
            Slot::Serve => f.write_str("serve"),
        }
    }
}

fn write_stage(f: &mut fmt::Formatter<'_>, kind: ir::StageKind, label: &Label) -> fmt::Result {
    match label {
        Label::Nth(0) => f.write_str(kind.word()),
        Label::Nth(nth) => write!(f, "{}#{nth}", kind.word()),
        Label::Id(id) => write!(f, "{}:{id}", kind.word()),
        Label::Within { uses, label } => {
            for ir::Use { transform, id, nth } in uses {
                match (id, nth) {
                    (Some(id), _) => write!(f, "{transform}:{id}.")?,
                    (None, 0) => write!(f, "{transform}.")?,
                    (None, nth) => write!(f, "{transform}#{nth}.")?,
                }
            }
            write_stage(f, kind, label)
        }
    }
}

impl Label {
    /// The uses of transforms that the stage stands in, outermost first.
    pub fn uses(&self) -> &[ir::Use] {
        match self {
            Label::Id(_) | Label::Nth(_) => &[],
            Label::Within { uses, .. } => uses,
        }
    }

    /// Did the author name the stage?
    pub fn is_id(&self) -> bool {
        match self {
            Label::Id(_) => true,
            Label::Nth(_) => false,
            Label::Within { label, .. } => label.is_id(),
        }
    }
}
