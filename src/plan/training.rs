//! What a training depends on besides definitions and rows, and what an edit of a task asks for.

use serde::{Deserialize, Serialize};

use crate::base::Hash;

use super::Learn;
use super::fingerprint::learn::forms;

/// A task with its policy in the parts that decide whether a model has to be trained, as hashes. Names and places are in
/// none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Training {
    /// Which rows are learned from, how they are divided, and the seed of it all.
    pub split: Hash,
    /// Of the search, in trials and time; on how many cores it runs changes nothing.
    pub budget: Hash,
    /// Goal and requirements.
    pub choice: Hash,
}

impl Training {
    pub fn of(learn: &Learn) -> Training {
        let forms = forms(learn);
        Training {
            split: Hash::of(&(forms.rows, forms.validate, learn.policy.seed)),
            budget: Hash::of(&(learn.policy.search.trials, learn.policy.search.time)),
            choice: Hash::of(&forms.choice),
        }
    }
}
