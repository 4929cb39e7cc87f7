//! What a change loses for good: what going back could not bring back.

use std::fmt;

use crate::ir::OnChange;
use crate::plan::Slot;

use super::{Change, Class, Diff, Listed, Memory, Reach, Why};

/// One thing that is lost, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Loss {
    /// As [`Listed`] names it.
    pub name: String,
    pub why: String,
}

impl Diff {
    /// Everything that the running graph remembers, or does, and that is lost with this change. A removed name's memory rests
    /// for a while, and is not lost; what is rebuilt is not lost either.
    pub fn losses(&self) -> Vec<Loss> {
        let listed = self.listed();
        let mut all: Vec<Loss> = listed.iter().filter_map(|listed| self.loss(listed)).collect();
        all.dedup();
        all
    }

    fn loss(&self, listed: &Listed) -> Option<Loss> {
        let lost = |why: &str| Some(Loss { name: listed.name.clone(), why: why.to_owned() });
        if listed.class == Class::Removed {
            let collects = listed.node.slot == Slot::Task && !self.nodes.contains_key(&listed.node);
            return if collects { lost("the rows that it has collected to learn from are gone") } else { None };
        }
        let change = self.nodes.get(&listed.node).filter(|change| change.from.is_some())?;
        if listed.class == Class::Added {
            return None;
        }
        match (&listed.memory, listed.node.slot.clone()) {
            (Memory::Empty(_), _) => lost(&listed.memory.to_string()),
            (Memory::Recalled(Reach::Since(_)), _) => lost(&listed.memory.to_string()),
            (Memory::PutTogether, _) => lost("its open windows are put together, and the first ones do not come"),
            (_, Slot::Connection) if change.class == Class::Reset(OnChange::Empty) => {
                lost("it reads from elsewhere, and where it stood is forgotten")
            }
            (_, Slot::Task) if change.class.forgets() => {
                lost("its models and the rows that it has collected are of no use any more")
            }
            (_, Slot::Task) if is_mute(change) => lost("nobody answers until a new model has been learned"),
            (
                Memory::Kept
                | Memory::Converted
                | Memory::Rebuilt
                | Memory::Recalled(Reach::All | Reach::Unknown)
                | Memory::Aged(_)
                | Memory::Returned,
                Slot::Connection
                | Slot::Decode
                | Slot::Gate
                | Slot::Keep
                | Slot::Stage { .. }
                | Slot::Task
                | Slot::Accept
                | Slot::Serve,
            ) => None,
        }
    }
}

/// Can the task's model not go on with the features that it was trained with?
fn is_mute(change: &Change) -> bool {
    let is_so = |why: &Why| matches!(why, Why::NoOldRows | Why::NoOldColumns | Why::OldPredictions | Why::OtherAnswer);
    change.why.iter().any(is_so)
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.name, self.why)
    }
}
