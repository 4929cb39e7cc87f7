//! `mliot explain CODE`, and `mliot explain FILE [NETWORK]`.

mod network;

use std::path::Path;

use crate::base::nearest;
use crate::compile::{Disk, compile};
use crate::diag::Code;

use super::Outcome;
use super::args::ExplainArgs;
use super::terminal::{complain, note, outcome, say};

pub fn explain(args: &ExplainArgs) -> Outcome {
    if let Ok(code) = args.what.parse::<Code>() {
        say(code.page());
        return Outcome::Good;
    }
    if Path::new(&args.what).extension().is_some_and(|extension| extension == "mliot") {
        return explain_file(args);
    }
    note(&format!("`{}` is no code of mliot", args.what));
    match nearest(&args.what, Code::ALL.iter().map(|code| code.as_str())) {
        Some(code) => note(&format!("  help: did you mean {code}?")),
        None => {
            note("  help: codes look like E0301, W0001 or R0001; they stand at the beginning of each message");
            note("  help: the layers of a network are shown by `mliot explain FILE.mliot NETWORK`");
        }
    }
    Outcome::Refused
}

fn explain_file(args: &ExplainArgs) -> Outcome {
    let compiled = compile(Path::new(&args.what), &Disk, &args.set);
    complain(&compiled.diagnostics, &compiled.sources);
    if compiled.has_errors() {
        return outcome(&compiled.diagnostics);
    }
    let networks = network::of(&compiled.program);
    let shown: Vec<String> = networks.iter().filter(|found| is_asked_for(args, found)).map(network::text).collect();
    if !shown.is_empty() {
        say(&shown.join("\n"));
        return Outcome::Good;
    }
    let known: Vec<&str> = networks.iter().map(|found| &*found.network.name).collect();
    match &args.network {
        Some(name) => note(&format!("no task of {} lists a network `{name}`", args.what)),
        None => note(&format!("no task of {} lists a network", args.what)),
    }
    match args.network.as_deref().and_then(|name| nearest(name, known.iter().copied())) {
        Some(near) => note(&format!("  help: did you mean `{near}`?")),
        None if known.is_empty() => note("  help: a `network` is joined to features where a task says `models [its name]`"),
        None => note(&format!("  help: there are {}", known.join(", "))),
    }
    Outcome::Refused
}

fn is_asked_for(args: &ExplainArgs, found: &network::Found<'_>) -> bool {
    args.network.as_ref().is_none_or(|name| found.network.name == **name)
}
