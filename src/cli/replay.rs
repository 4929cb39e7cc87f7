//! `mliot replay FILE`.

use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Value, json};

use crate::diag::{Code, Diagnostic};
use crate::host::{Studied, Study, learns};
use crate::lifecycle::{Registry, Report};
use crate::plan::{self, Graph};
use crate::runtime::{self, Replay, Replayed, Settings};

use super::Outcome;
use super::args::ReplayArgs;
use super::books;
use super::inputs::replace;
use super::load::{Loaded, load};
use super::place::{machines, make_state, spoken, state};
use super::progress::Line;
use super::terminal::{complain, ended, listed, say};

/// Learns, then runs the whole file with each row predicted by a model that has not seen it.
pub fn replay(args: &ReplayArgs) -> Outcome {
    match loaded(args) {
        Ok(loaded) => run(args, &loaded),
        Err(outcome) => outcome,
    }
}

fn loaded(args: &ReplayArgs) -> Result<Loaded, Outcome> {
    let mut loaded = load(&args.file, args.json)?;
    let replaced = replace(&mut loaded.compiled.program, &args.inputs);
    replaced.map_err(|wrong| ended(&wrong, &loaded.compiled.sources, args.json))?;
    loaded.graph = plan::lower(&loaded.compiled.program);
    Ok(loaded)
}

fn run(args: &ReplayArgs, loaded: &Loaded) -> Outcome {
    let mut line = Line::new(args.json);
    let done = learn_and_replay(args, &loaded.graph, &mut line);
    line.clear();
    match done {
        Ok((studied, replayed)) => {
            let messages = [&loaded.compiled.diagnostics[..], &studied.warnings, &replayed.findings].concat();
            let json = to_json(&studied, &replayed, &listed(&messages, &loaded.compiled.sources));
            if let Some(wrong) = args.report.as_ref().and_then(|folder| report(args, folder, &studied, &replayed, &json).err())
            {
                return ended(&[wrong], &loaded.compiled.sources, args.json);
            }
            complain(&studied.warnings, &loaded.compiled.sources);
            complain(&replayed.findings, &loaded.compiled.sources);
            say(&if args.json { format!("{json}\n") } else { to_text(&studied, &replayed) });
            if replayed.findings.is_empty() { Outcome::Good } else { Outcome::Failed }
        }
        Err(wrong) => ended(&wrong, &loaded.compiled.sources, args.json),
    }
}

fn learn_and_replay(args: &ReplayArgs, graph: &Graph, line: &mut Line) -> Result<(Studied, Replayed), Vec<Diagnostic>> {
    let parts = spoken(machines(&args.file.file), args.json);
    let state = state(&args.file.file, args.state.state.as_ref());
    if !learns(graph).is_empty() {
        make_state(&state).map_err(|wrong| vec![wrong])?;
    }
    let registry = Registry::at(&state);
    let mut told = |told| {
        line.told(&told);
        true
    };
    let studied =
        Study { graph, parts: &parts, registry: &registry, anew: args.anew, sensitivity: args.sensitivity, told: &mut told }
            .learn()?;
    let mut progress = |status| {
        line.replaying(&status);
        true
    };
    let assignments = studied.assignments.clone();
    let run = Replay { parts: &parts, settings: Settings::default(), assignments, progress: &mut progress };
    let replayed = runtime::replay(graph, run)?;
    Ok((studied, replayed))
}

/// Writes the JSON that `--json` prints, and the page beside it.
fn report(args: &ReplayArgs, folder: &Path, studied: &Studied, replayed: &Replayed, json: &Value) -> Result<(), Diagnostic> {
    let title = args
        .file
        .file
        .file_name()
        .map_or_else(|| args.file.file.display().to_string(), |name| name.to_string_lossy().into_owned());
    let reports: Vec<&Report> = studied.reports.values().collect();
    let books: Vec<String> = books::text(replayed).lines().map(|line| line.trim().to_owned()).collect();
    let page = Report::page(&title, &reports, &books);
    let json = serde_json::to_vec_pretty(json).expect("plain data always serialises");
    let write = || -> io::Result<()> {
        fs::create_dir_all(folder)?;
        fs::write(folder.join("report.json"), json)?;
        fs::write(folder.join("report.html"), page)
    };
    write().map_err(|error| unwritten(folder, &error))
}

/// E0719.
fn unwritten(folder: &Path, error: &io::Error) -> Diagnostic {
    Diagnostic::new(Code::E0719, format!("no report can be written to `{}`: {error}", folder.display()))
        .help("name a folder that this user may write, with `--report DIR`")
}

fn to_text(studied: &Studied, replayed: &Replayed) -> String {
    let reports: Vec<String> = studied.reports.values().map(|report| report.text()).collect();
    let mut out = reports.join("\n");
    if !out.is_empty() {
        out.push('\n');
    }
    out.push_str(&books::text(replayed));
    out
}

/// As `docs/json.md` describes it.
fn to_json(studied: &Studied, replayed: &Replayed, messages: &[Value]) -> Value {
    let mut value = books::json(replayed);
    value["tasks"] = json!(studied.reports);
    value["diagnostics"] = json!(messages);
    value
}
