//! `mliot worker`: one trial, for a training that runs elsewhere.

use std::io::{stdin, stdout};

use crate::lifecycle::serve_worker;

use super::Outcome;
use super::terminal::note;

pub fn worker() -> Outcome {
    match serve_worker(&mut stdin().lock(), &mut stdout().lock()) {
        Ok(()) => Outcome::Good,
        Err(error) => {
            note(&format!("the trial could not be carried out: {error}"));
            Outcome::Failed
        }
    }
}
