//! `mliot graph FILE`.

use crate::plan::{dot, graph_json, graph_text};

use super::Outcome;
use super::args::GraphArgs;
use super::load::load;
use super::terminal::say;

pub fn graph(args: &GraphArgs) -> Outcome {
    let graph = match load(&args.file, args.json) {
        Ok(loaded) => loaded.graph,
        Err(outcome) => return outcome,
    };
    let text = if args.json {
        format!("{}\n", graph_json(&graph))
    } else if args.dot {
        dot(&graph)
    } else {
        graph_text(&graph)
    };
    say(&text);
    Outcome::Good
}
