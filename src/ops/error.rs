//! What can go wrong in a relational node, each a small named function.

use std::fmt::Display;

use crate::diag::Code;
use crate::node::NodeError;

/// Arrow or DataFusion refused a calculation. Values never cause this: what does not exist is null.
pub(super) fn failed(error: impl Display) -> NodeError {
    NodeError::new(Code::R0001, error.to_string())
}

/// The graph asks for something that does not fit together, which the checker should have refused.
pub(super) fn ill_formed(what: impl Into<String>) -> NodeError {
    NodeError::new(Code::R0001, what.into())
}

pub(super) fn not_in_this_version(what: impl Display) -> NodeError {
    NodeError::new(Code::E0199, format!("{what} is not in this version"))
}

pub(super) fn unreadable(why: impl Display) -> NodeError {
    NodeError::new(Code::R0002, format!("a saved state cannot be read: {why}"))
}

pub(super) fn too_many(what: &str, limit: usize) -> NodeError {
    NodeError::new(Code::R0010, format!("more than {limit} {what} at once"))
}
