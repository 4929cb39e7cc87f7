//! What is said where no model meets the requirements: the nearest one, by how much it misses, and what to relax first.

use crate::diag::{Code, Diagnostic};
use crate::ir::{Policy, Task};

use super::{Chosen, RequirementReport};

/// W0651. `family` gives the name of a member's family.
pub fn not_met<'f>(task: &Task, policy: &Policy, chosen: &Chosen, family: &dyn Fn(usize) -> &'f str) -> Diagnostic {
    said(Code::W0651, task, policy, chosen, family)
}

/// E0652.
pub fn stops<'f>(task: &Task, policy: &Policy, chosen: &Chosen, family: &dyn Fn(usize) -> &'f str) -> Diagnostic {
    said(Code::E0652, task, policy, chosen, family)
}

fn said<'f>(code: Code, task: &Task, policy: &Policy, chosen: &Chosen, family: &dyn Fn(usize) -> &'f str) -> Diagnostic {
    let nearest = chosen.nearest.map_or("nothing", family);
    let reports = RequirementReport::all(chosen, policy);
    let missed = reports.iter().filter(|report| !report.met).map(|report| format!("`{}` is {}", report.text, report.words));
    let missed = missed.collect::<Vec<_>>().join(", ");
    let message = format!("no candidate of `{}` meets the requirements; the nearest is {nearest}: {missed}", task.name);
    let help = match chosen.costliest {
        Some((requirement, then)) => {
            format!("relax `{}` first: without it {} would do best", policy.choice.requirements[requirement].text, family(then))
        }
        None => "relax a requirement, or give the search more trials".to_owned(),
    };
    Diagnostic::new(code, message).at(policy.span, "").help(help)
}
