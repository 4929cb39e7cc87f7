//! What happens to state, in one word.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ir::OnChange;

/// From light to heavy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Class {
    /// Nothing that reaches it changed: not touched, not moved.
    Same,
    /// Only where its rows come from changed: kept.
    Rewired,
    /// Its meaning changed, what it remembers did not: kept.
    Retuned,
    /// What it remembers has another form and converts.
    Migrated,
    /// What it remembers can be read, but is of values of another meaning.
    Stale,
    /// Of a task and of who reads its predictions: the models were trained with other features or another target.
    Shadowed,
    /// What it remembers cannot be read.
    Reset(OnChange),
    Added,
    Removed,
}

impl Class {
    /// Is what it remembers unreadable?
    pub fn forgets(self) -> bool {
        matches!(self, Class::Reset(_))
    }

    /// As the language names it.
    pub fn word(self) -> &'static str {
        match self {
            Class::Same => "same",
            Class::Rewired => "rewired",
            Class::Retuned => "retuned",
            Class::Migrated => "migrated",
            Class::Stale => "stale",
            Class::Shadowed => "shadowed",
            Class::Reset(_) => "reset",
            Class::Added => "added",
            Class::Removed => "removed",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}
