//! Floor 4: the graph that a program means, and the difference of two graphs. Plain data and pure functions; no Arrow.

mod diff;
mod fingerprint;
mod former;
mod graph;
mod lower;
mod order;
mod patch;
mod place;
mod shadow;
mod show;
mod training;

pub use diff::{
    Again, Change, Class, Component, Diff, EntryChange, Listed, Loss, Memory, NotAgain, ParamEdit, Reach, Rename, TaskEdit,
    Why, again, diff, task_edits,
};
pub use former::{Former, former};
pub use graph::{Accept, Connection, Decode, Gate, Graph, Hashes, Input, Label, Learn, NodeKey, NodeOp, NodeSpec, Owner, Slot};
pub use lower::lower;
pub use patch::Patch;
pub use shadow::shadow;
pub use show::{dot, graph_json, graph_text, plan_json, plan_text};
pub use training::Training;
