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
    /// What this version does in its place: it neither converts nor rebuilds state.
    pub fn carried_out(self) -> Class {
        match self {
            Class::Migrated | Class::Stale | Class::Reset(OnChange::Backfill) => Class::Reset(OnChange::Empty),
            Class::Same
            | Class::Rewired
            | Class::Retuned
            | Class::Shadowed
            | Class::Reset(OnChange::Empty | OnChange::Reject)
            | Class::Added
            | Class::Removed => self,
        }
    }

    /// What people should know about the difference, if there is one.
    pub fn limit(self) -> Option<&'static str> {
        match self {
            Class::Migrated => Some("migrated is treated as reset in this version: what converts begins empty"),
            Class::Stale => Some("stale is treated as reset in this version: what it remembers begins empty"),
            Class::Reset(OnChange::Backfill) => {
                Some("backfilling is treated as reset in this version: what it remembers begins empty")
            }
            Class::Same
            | Class::Rewired
            | Class::Retuned
            | Class::Shadowed
            | Class::Reset(OnChange::Empty | OnChange::Reject)
            | Class::Added
            | Class::Removed => None,
        }
    }

    /// Is what it remembers gone afterwards, in this version?
    pub fn forgets(self) -> bool {
        matches!(self.carried_out(), Class::Reset(_))
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
