//! Commands that ask a run: `mliot undo`, `mliot confirm`, and `mliot plan` against what runs.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use crate::base::{Sources, grouped};
use crate::diag::{Code, Diagnostic};
use crate::host::REBUILD_MAX;
use crate::host::control::{Answer, Applied, Refused, Request, ask};

use super::Outcome;
use super::args::{ConfirmArgs, PlanArgs, UndoArgs};
use super::place;
use super::terminal::{ended, note, say, unusable};

/// For a question that is answered at once.
const ANSWER_MAX: Duration = Duration::from_secs(20);
/// For a change: its sources may have to be read again.
const CHANGE_MAX: Duration = REBUILD_MAX.saturating_add(Duration::from_secs(60));

pub fn undo(args: &UndoArgs) -> Outcome {
    let state = place::state(&args.file, args.state.state.as_ref());
    changed(&state, &Request::Undo { to: args.to }, args.json)
}

pub fn confirm(args: &ConfirmArgs) -> Outcome {
    let state = place::state(&args.file, args.state.state.as_ref());
    changed(&state, &Request::Confirm { accept: !args.no }, args.json)
}

/// None: nothing runs, and nobody has asked for what runs in so many words.
pub fn plan(args: &PlanArgs) -> Option<Outcome> {
    let state = place::state(&args.file.file, args.state.state.as_ref());
    let is_meant = args.against.as_deref() == Some(Path::new("running"));
    if !is_meant && (args.against.is_some() || !args.file.set.is_empty() || !runs(&state)) {
        return None;
    }
    if !args.file.set.is_empty() {
        return Some(ended(&[own_params()], &Sources::default(), args.json));
    }
    Some(match fs::read_to_string(&args.file.file) {
        Ok(text) => against_running(&state, text, args.json),
        Err(error) => ended(&[unusable(&args.file.file, "read", &error)], &Sources::default(), args.json),
    })
}

fn against_running(state: &Path, text: String, json: bool) -> Outcome {
    let answer = match asked(state, &Request::Plan { text }, ANSWER_MAX, json) {
        Ok(answer) => answer,
        Err(outcome) => return outcome,
    };
    match answer {
        Answer::Planned { plan, .. } if json => say(&format!("{plan}\n")),
        Answer::Planned { text, .. } => say(&text),
        Answer::Word { .. } | Answer::Running(_) | Answer::Applied(_) | Answer::Nothing { .. } | Answer::Refused(_) => {}
        Answer::Tap { .. } | Answer::Traced { .. } | Answer::Models { .. } | Answer::Done => {}
    }
    Outcome::Good
}

pub fn runs(state: &Path) -> bool {
    ask(state, &Request::Running, ANSWER_MAX, |_| {}).is_ok()
}

/// What the run has done with its models; a refusal has been said.
pub fn asked_for_models(state: &Path, request: &Request, json: bool) -> Result<Answer, Outcome> {
    asked(state, request, CHANGE_MAX, json)
}

fn changed(state: &Path, request: &Request, json: bool) -> Outcome {
    let answer = match asked(state, request, CHANGE_MAX, json) {
        Ok(answer) => answer,
        Err(outcome) => return outcome,
    };
    match answer {
        answer if json => say(&format!("{}\n", json!(answer))),
        Answer::Applied(applied) => say(&applied_text(&applied)),
        Answer::Nothing { why } => say(&format!("{why}\n")),
        Answer::Word { .. } | Answer::Running(_) | Answer::Planned { .. } | Answer::Refused(_) => {}
        Answer::Tap { .. } | Answer::Traced { .. } | Answer::Models { .. } | Answer::Done => {}
    }
    Outcome::Good
}

fn applied_text(applied: &Applied) -> String {
    let Applied { plan, at, words, pause_us, took_us: _ } = applied;
    let plan = plan.map(|plan| format!("plan {plan} ")).unwrap_or_default();
    let mut text =
        format!("{plan}runs from row {} on, nothing was processed for {:.1} ms\n", grouped(at.0), *pause_us as f64 / 1e3);
    words.iter().for_each(|word| text.push_str(&format!("  {word}\n")));
    text
}

/// What the run answers; a refusal has been said.
fn asked(state: &Path, request: &Request, wait: Duration, json: bool) -> Result<Answer, Outcome> {
    let on_the_way = |answer: &Answer| {
        if let Answer::Word { text } = answer {
            note(text);
        }
    };
    match ask(state, request, wait, on_the_way) {
        Ok(Answer::Refused(refused)) => Err(told(&refused, json)),
        Ok(answer) => Ok(answer),
        Err(wrong) => Err(ended(&[wrong], &Sources::default(), json)),
    }
}

/// Says why a run does not do what it was asked.
pub fn told(refused: &Refused, json: bool) -> Outcome {
    let Refused { text, diagnostics } = refused;
    note(text.trim_end());
    if json {
        say(&format!("{}\n", json!({ "diagnostics": diagnostics })));
    }
    let code = |found: &Value| found["code"].as_str().and_then(|code| code.parse::<Code>().ok());
    let of_the_world = diagnostics.as_array().is_some_and(|all| all.iter().filter_map(code).all(Code::is_of_the_world));
    if of_the_world { Outcome::Failed } else { Outcome::Refused }
}

pub fn own_params() -> Diagnostic {
    Diagnostic::new(Code::R0202, "a run was started with params of its own, and `--set` changes none of them")
        .help("leave out `--set`, or compare two files with `--against FILE`")
}
