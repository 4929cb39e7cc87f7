//! The champion of before, in a replay that does not replace it: it is pinned, or the training found nothing good enough and
//! the policy says `keep champion`.

use std::sync::Arc;

use arrow::array::RecordBatch;

use crate::base::Hash;
use crate::diag::{Code, Diagnostic};
use crate::lifecycle::{self, Identity, Registry, RegistryError, Split, Stored, Table};
use crate::node::{Assignment, Predictor};
use crate::plan::{Graph, Learn};

/// What it answers, with what its owner should know.
pub struct Former {
    pub stored: Stored,
    /// None where no row is known to be new to it.
    pub assignment: Option<Assignment>,
    pub notes: Vec<Diagnostic>,
    /// Has somebody pinned it?
    pub pinned: bool,
}

/// The rows of now, as the training has divided them.
pub struct Rows<'a> {
    pub table: &'a RecordBatch,
    pub split: &'a Split,
    pub ordinals: &'a [u64],
    /// Of the data, whatever its order, and of its order.
    pub digests: (Hash, Hash),
}

/// None where there never was one.
///
/// # Errors
/// If there is one and it cannot be read.
pub fn former(registry: &Registry, learn: &Learn, closure: &Graph, rows: &Rows) -> Result<Option<Former>, Diagnostic> {
    let task = &learn.task;
    let Some(version) = registry.champion(&task.name).map_err(RegistryError::diagnostic)? else { return Ok(None) };
    let stored = registry.open(&version).map_err(RegistryError::diagnostic)?;
    let pinned = registry.pinned(&task.name).map_err(RegistryError::diagnostic)?.as_ref() == Some(&version);
    let now = Identity::of(learn, closure, rows.digests);
    if stored.manifest.identity.features != now.features {
        let why = "it was trained on other features or another target";
        return Ok(Some(Former {
            notes: vec![answers_nothing(learn, &stored, pinned, why)],
            assignment: None,
            stored,
            pinned,
        }));
    }
    let champion: Arc<dyn Predictor> = stored.fitted.clone();
    if stored.manifest.identity.has_rows_of(&now) {
        let (assignment, _) = lifecycle::assignment_of(&stored, rows.split, rows.ordinals);
        return Ok(Some(Former { stored, assignment: Some(assignment), notes: Vec::new(), pinned }));
    }
    let table = Table::read(task, rows.table).map_err(|mut found| found.remove(0))?;
    let (Some(until), Some(times)) = (stored.manifest.until, &table.times) else {
        let why = "its rows have no time, so nobody knows which of these it has learned from";
        return Ok(Some(Former {
            notes: vec![answers_nothing(learn, &stored, pinned, why)],
            assignment: None,
            stored,
            pinned,
        }));
    };
    let (assignment, _) = lifecycle::assignment_after(until, times, &table.ordinals, &champion);
    let seen = times.iter().filter(|time| **time <= until.0).count();
    let notes = if seen > 0 { vec![answers_later(learn, &stored, seen)] } else { Vec::new() };
    Ok(Some(Former { stored, assignment: Some(assignment), notes, pinned }))
}

/// W0652.
fn answers_nothing(learn: &Learn, stored: &Stored, pinned: bool, why: &str) -> Diagnostic {
    let (task, version) = (&learn.task.name, &stored.manifest.version);
    let message = format!("`{version}` stays champion of `{task}` but answers none of these rows: {why}");
    let help = match pinned {
        true => format!("unpin it: mliot models FILE unpin {task}"),
        false => "relax a requirement, or take `keep champion` out".to_owned(),
    };
    Diagnostic::new(Code::W0652, message).at(learn.policy.span, "").help(help)
}

/// W0652.
fn answers_later(learn: &Learn, stored: &Stored, seen: usize) -> Diagnostic {
    let (task, version) = (&learn.task.name, &stored.manifest.version);
    let message = format!(
        "`{version}` stays champion of `{task}`; {seen} rows that are no later than those it learned from get no prediction"
    );
    Diagnostic::new(Code::W0652, message)
        .at(learn.policy.span, "")
        .help("nothing is wrong with that: no row is predicted by a model that may have seen it")
}
