//! Floor 4: the graph that a program means, and the difference of two graphs. Plain data and pure functions; no Arrow.

mod fingerprint;
mod graph;
mod lower;
mod order;

pub use graph::{Accept, Connection, Decode, Gate, Graph, Hashes, Input, Label, Learn, NodeKey, NodeOp, NodeSpec, Owner, Slot};
pub use lower::lower;
