//! `mliot plan FILE --against OTHER`, or against what runs.

use crate::plan::{Graph, diff, plan_json, plan_text};

use super::Outcome;
use super::args::PlanArgs;
use super::load::{load, load_from};
use super::terminal::say;

pub fn plan(args: &PlanArgs) -> Outcome {
    #[cfg(feature = "run")]
    if let Some(outcome) = super::control::plan(args) {
        return outcome;
    }
    match planned(args) {
        Ok(text) => {
            say(&text);
            Outcome::Good
        }
        Err(outcome) => outcome,
    }
}

fn planned(args: &PlanArgs) -> Result<String, Outcome> {
    let running = match &args.against {
        Some(path) => load_from(path, &args.file.set, args.json)?.graph,
        None => Graph::default(),
    };
    let wanted = load(&args.file, args.json)?.graph;
    let diff = diff(&running, &wanted);
    Ok(if args.json { format!("{}\n", plan_json(&diff)) } else { plan_text(&diff) })
}
