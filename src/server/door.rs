//! What a listener answers for: a task, and the columns of its rows.

use crate::base::Name;
use crate::ir::SourceColumn;

use super::named::{Key, Named};

/// A served task: which columns a row of a request has.
#[derive(Clone, Debug, PartialEq)]
pub struct Door {
    pub task: Name,
    pub columns: Vec<(SourceColumn, Missing)>,
}

/// What stands for a column that a row of a request does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// The row is refused.
    Refuse,
    Null,
    /// When the request came.
    Now,
    /// Any value of the type: no feature of the row reads the column (a target that is not nullable).
    Any,
}

impl Door {
    /// `target` is what is predicted, `time` the source's event time, where each is a plain column.
    pub fn new(task: Name, columns: &[SourceColumn], target: Option<&Name>, time: Option<&Name>) -> Door {
        let missing = |name: &Name, nullable: bool| {
            if time == Some(name) {
                Missing::Now
            } else if nullable {
                Missing::Null
            } else if target == Some(name) {
                Missing::Any
            } else {
                Missing::Refuse
            }
        };
        let columns = columns.iter().map(|column| (column.clone(), missing(&column.column.name, column.column.nullable)));
        Door { task, columns: columns.collect() }
    }
}

/// The open doors of one listener, by task.
pub type Doors = Named<Door>;

/// Keeps a door open.
pub type DoorKey = Key<Door>;
