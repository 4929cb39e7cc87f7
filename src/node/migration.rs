//! What a new node takes over from the one in whose place it comes, where their states have different shapes.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::base::Name;
use crate::plan::NodeSpec;

use super::State;

/// The state of a running node, on its way into the node that takes its place. Entries are known by their names.
#[derive(Clone, Debug)]
pub struct Migration {
    /// The node that `running` is of.
    pub before: Arc<NodeSpec>,
    pub running: State,
    /// Entries of the new node that take nothing over from the running one.
    pub anew: BTreeSet<Name>,
    /// The state that the new node would have, had it been there from the start. The entries that are anew are found here;
    /// without it they begin empty.
    pub rebuilt: Option<State>,
}
