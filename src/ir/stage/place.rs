//! Which use of a transform a stage stands in.

use serde::{Deserialize, Serialize};

use crate::base::Name;

/// One use of a transform on the way from a declaration to a stage. Who the stage is hangs on the names alone: stages that
/// stand elsewhere in the pipeline do not count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Use {
    pub transform: Name,
    /// `id NAME` behind the use.
    pub id: Option<Name>,
    /// Without one: which of the uses of this transform without an `id`, from 0.
    pub nth: u32,
}
