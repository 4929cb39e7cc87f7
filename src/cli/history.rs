//! `mliot history FILE`: what a run has carried out, as a person wants to read it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::base::{Sources, grouped};
use crate::diag::{Code, Diagnostic};
use crate::host::control::{Answer, Request, Running, ask};
use crate::host::state::Disk;
use crate::host::state::plans::{Cause, Plan, Plans, WholePlan};

use super::Outcome;
use super::args::HistoryArgs;
use super::place;
use super::terminal::{complain, counted, ended, say};

/// For the run to say what runs; without an answer the folder has to do.
const ANSWER_MAX: Duration = Duration::from_secs(5);

pub fn history(args: &HistoryArgs) -> Outcome {
    let state = place::state(&args.file, args.state.state.as_ref());
    let mut damaged = Vec::new();
    let opened = Plans::open(&state, Arc::new(Disk), |path, why| damaged.push(unreadable(path, &why)));
    let plans = match opened {
        Ok(plans) => plans,
        Err(error) => return ended(&[unreadable(&state, &error.to_string())], &Sources::default(), args.json),
    };
    complain(&damaged, &Sources::default());
    if let Some(number) = args.show {
        return match plans.load(number) {
            Ok(whole) => shown(&whole, args.json),
            Err(why) => ended(&[no_plan(number, &why)], &Sources::default(), args.json),
        };
    }
    let running = match ask(&state, &Request::Running, ANSWER_MAX, |_| {}) {
        Ok(Answer::Running(running)) => Some(running),
        Ok(_) | Err(_) => None,
    };
    let all: Vec<&Plan> = plans.all().collect();
    if args.json {
        let plans: Vec<Value> = all.iter().map(|plan| plan_json(plan)).collect();
        say(&format!("{}\n", json!({ "plans": plans, "running": running })));
    } else if all.is_empty() {
        say(&format!("no plan is kept in {}; `mliot run` keeps each one that it carries out\n", state.display()));
    } else {
        say(&text(&all, running.as_ref()));
    }
    Outcome::Good
}

fn shown(whole: &WholePlan, json: bool) -> Outcome {
    if json {
        let mut json = plan_json(&whole.plan);
        json["text"] = json!(whole.text);
        say(&format!("{json}\n"));
    } else {
        say(&whole.text);
    }
    Outcome::Good
}

/// With its time as people write it.
fn plan_json(plan: &Plan) -> Value {
    let mut json = json!(plan);
    json["time"] = json!(plan.time.to_string());
    json
}

/// Oldest first, so that the last one stands where the eye is.
fn text(all: &[&Plan], running: Option<&Running>) -> String {
    let mut out = String::new();
    for plan in all {
        out.push_str(&head(plan));
        plan.changes.iter().for_each(|line| {
            let why = if line.why.is_empty() { String::new() } else { format!("  {}", line.why) };
            out.push_str(&format!("        {} {}{why}\n", line.name, line.class));
        });
        if plan.more > 0 {
            out.push_str(&format!("        and {} more\n", grouped(plan.more as u64)));
        }
    }
    out.push_str(&now(all, running));
    out
}

fn head(plan: &Plan) -> String {
    let at = plan.at.map_or("not known to have taken place".to_owned(), |at| format!("from row {}", grouped(at.0)));
    let pause = if plan.pause_us == 0 { String::new() } else { format!(", paused {:.1} ms", plan.pause_us as f64 / 1e3) };
    format!("{:>5}  {}  {}, {at}{pause}\n", plan.number, second(&plan.time.to_string()), cause(&plan.cause))
}

/// Without what is smaller than a second.
fn second(time: &str) -> String {
    let at = time.find('.').unwrap_or(time.len().min(19));
    format!("{}Z", time[..at].trim_end_matches('Z').replace('T', " "))
}

fn cause(cause: &Cause) -> String {
    match cause {
        Cause::Started => "started".to_owned(),
        Cause::Edited => "edited".to_owned(),
        Cause::Undone { to } => format!("back to plan {to}"),
        Cause::Promoted { task, version: Some(version) } => format!("`{version}` promoted for `{task}`"),
        Cause::Promoted { task, version: None } => format!("no model answers for `{task}`"),
        Cause::RolledBack { to, why } => format!("back to plan {to} by itself ({why})"),
    }
}

fn now(all: &[&Plan], running: Option<&Running>) -> String {
    let kept = counted(all.len(), "plan");
    let Some(running) = running else { return format!("{kept}; nothing runs just now\n") };
    let back = running.back_to.map(|to| format!(" (plan {to} again)")).unwrap_or_default();
    let plan = running.plan.map(|plan| format!("; plan {plan} runs{back}")).unwrap_or_default();
    let mut text = format!("{kept}{plan}, {} rows so far\n", grouped(running.rows));
    if let Some(how) = &running.differs {
        text.push_str(&format!("the file: {how}\n"));
    }
    text
}

fn unreadable(path: &Path, why: &str) -> Diagnostic {
    Diagnostic::new(Code::R0203, format!("`{}` cannot be read: {why}", path.display()))
        .help("the other plans are not touched by that")
}

fn no_plan(number: u64, why: &str) -> Diagnostic {
    Diagnostic::new(Code::R0203, format!("plan {number} cannot be shown: {why}"))
        .help("leave out `--show` to list the plans that are kept")
}
