//! What a listener answers: tasks by name, opened and closed while it runs.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use crate::base::Name;
use crate::ir::SourceColumn;

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

/// The open doors of one listener. Clones are the same doors.
#[derive(Clone, Debug, Default)]
pub struct Doors(Arc<RwLock<Opened>>);

#[derive(Debug, Default)]
struct Opened {
    next: u64,
    doors: BTreeMap<Name, (u64, Arc<Door>)>,
}

/// Keeps its door open; a door that was opened later for the same task stays when this one goes.
#[derive(Debug)]
pub struct DoorKey {
    doors: Doors,
    task: Name,
    nth: u64,
}

impl Doors {
    /// Takes the place of an older door of the same task at once: no request finds none.
    pub fn open(&self, door: Door) -> DoorKey {
        let mut opened = self.0.write().unwrap_or_else(PoisonError::into_inner);
        opened.next += 1;
        let (nth, task) = (opened.next, door.task.clone());
        opened.doors.insert(task.clone(), (nth, Arc::new(door)));
        DoorKey { doors: self.clone(), task, nth }
    }

    pub fn get(&self, task: &str) -> Option<Arc<Door>> {
        let opened = self.0.read().unwrap_or_else(PoisonError::into_inner);
        opened.doors.get(task).map(|(_, door)| door.clone())
    }

    pub fn tasks(&self) -> Vec<Name> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).doors.keys().cloned().collect()
    }
}

impl DoorKey {
    pub fn task(&self) -> &Name {
        &self.task
    }
}

impl Drop for DoorKey {
    fn drop(&mut self) {
        let mut opened = self.doors.0.write().unwrap_or_else(PoisonError::into_inner);
        if opened.doors.get(&self.task).is_some_and(|(nth, _)| *nth == self.nth) {
            opened.doors.remove(&self.task);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_newer_door_survives_the_older_ones_end() {
        let doors = Doors::default();
        let old = doors.open(Door { task: "occupancy".into(), columns: Vec::new() });
        let new = doors.open(Door { task: "occupancy".into(), columns: Vec::new() });
        drop(old);
        assert!(doors.get("occupancy").is_some());
        drop(new);
        assert!(doors.get("occupancy").is_none());
    }
}
