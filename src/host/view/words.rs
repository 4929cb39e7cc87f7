//! The log in words, one event at a time.

use crate::base::grouped;
use crate::diag::{Style, render};
use crate::runtime::Event;
use crate::server::SinkStatus;

use super::super::said::{HostEvent, Messages, Said};
use super::super::state::plans::Cause;
use super::edit;

/// Ends in a newline; empty for what is not worth a line.
pub fn of(said: &Said, style: Style) -> String {
    match said {
        Said::Engine(event) => engine(event),
        Said::Host(event) => host(event, style),
    }
}

fn engine(event: &Event) -> String {
    match event {
        // The shell says these in its own words, with what it knows besides.
        Event::Cut(_) | Event::Assigned { version: Some(_), .. } | Event::Failed { .. } => String::new(),
        Event::Assigned { task, version: None, .. } => {
            format!("{task}: no predictions until another model answers\n")
        }
        Event::WentLive { at } => format!("live, after {} recorded rows\n", grouped(at.0)),
        Event::SourceEnded { source, .. } => format!("{source} has ended\n"),
    }
}

pub fn host(event: &HostEvent, style: Style) -> String {
    match event {
        HostEvent::Started { pipeline, serving } if serving.is_empty() => format!("{pipeline} runs\n"),
        HostEvent::Started { pipeline, serving } => format!("{pipeline} runs, and answers at {}\n", serving.join(", ")),
        HostEvent::Recovered { epoch, at, lines, took_us } => {
            let took = time(*took_us);
            format!("goes on at row {}: epoch {epoch}, and {lines} lines of the log made again in {took}\n", grouped(at.0))
        }
        // Every few seconds; whoever wants to know reads the JSON, or asks `mliot state`.
        HostEvent::Epoch { .. } => String::new(),
        HostEvent::Rebuilding => "edit: its sources are read again, rows go on meanwhile\n".to_owned(),
        HostEvent::EditApplied { plan: _, cause, at, words, effect, pause_us, took_us } => {
            let what = format!("{} at row {}", applied(cause), grouped(at.0));
            edit::applied(&what, words, effect, &edit::times(*pause_us, *took_us, effect.waited), style)
        }
        HostEvent::EditWaiting { losses, words, wait_s, typed } => {
            let here = if *typed { ", or type y or n here" } else { "" };
            format!(
                "edit waits for a word: it would lose something\n{}it does this\n{}`mliot confirm` applies it, `mliot confirm --no` \
                 drops it{here}; after {wait_s} s without a word it is dropped\n",
                indented(losses),
                indented(words)
            )
        }
        HostEvent::EditDropped { why } => format!("edit dropped: {why}; what runs goes on\n"),
        HostEvent::OnProbation { plan, time_s, kept: _, bytes: _, left_out, too_large } => {
            let lost = if left_out.is_empty() { String::new() } else { format!(", but for {}", left_out.join(", ")) };
            let large = if *too_large { ": that is too much to be kept twice" } else { "" };
            format!("plan {plan} is on probation for {time_s} s, what it replaced is kept{lost}{large}\n")
        }
        HostEvent::ProbationPassed { plan } => format!("plan {plan} stays\n"),
        HostEvent::Hint { text } => format!("{text}\n"),
        HostEvent::EditUnchanged => "edit: same meaning, nothing to do\n".to_owned(),
        HostEvent::EditRefused(messages) => format!("{}edit refused; what runs goes on\n", rendered(messages, style)),
        HostEvent::FileTrouble { path, why } => format!("{path} {why}; what runs goes on\n"),
        HostEvent::Restored { task, version, family } => format!("{task}: {family} {version} of a former run answers\n"),
        HostEvent::ChosenAgain { at: Some(at), task, words, .. } => format!("{task}: {words}, from row {} on\n", grouped(at.0)),
        HostEvent::ChosenAgain { at: None, task, words, .. } => format!("{task}: {words}\n"),
        HostEvent::Training { task } => format!("{task}: learning\n"),
        HostEvent::Trained { at, task, version, family, metric } => {
            let measured = metric.as_ref().map(|(name, value)| format!(", {name} {value:.4}")).unwrap_or_default();
            format!("{task}: {family} {version} answers from row {} on{measured}\n", grouped(at.0))
        }
        HostEvent::TrainingFailed { task, why } => format!("{}{task}: goes on with what it has\n", rendered(why, style)),
        HostEvent::SinkTrouble { sink, message } => format!("{sink}: cannot be written, tried again ({message})\n"),
        HostEvent::SinkRecovered { sink } => format!("{sink}: is written again\n"),
        HostEvent::SinkLost { sink, rows, message } => format!("{sink}: {rows} rows given up ({message})\n"),
        HostEvent::Finding(messages) => rendered(messages, style),
        HostEvent::Forgotten { events } => format!("{events} events were forgotten\n"),
        HostEvent::Stopping => "stopping\n".to_owned(),
        HostEvent::Stopped { rows, undelivered, sinks } => {
            let left = if *undelivered == 0 { "all written".to_owned() } else { format!("{undelivered} not written") };
            format!("stopped after {rows} rows, {left}\n{}", sinks.iter().map(written).collect::<String>())
        }
    }
}

pub fn applied(cause: &Cause) -> String {
    match cause {
        Cause::Started | Cause::Edited | Cause::Promoted { .. } => "edit applied".to_owned(),
        Cause::Undone { to } => format!("back to plan {to}"),
        Cause::RolledBack { to, why } => format!("back to plan {to} by itself ({why})"),
    }
}

fn indented(lines: &[String]) -> String {
    lines.iter().map(|line| format!("  {line}\n")).collect()
}

fn written(sink: &SinkStatus) -> String {
    let lost = if sink.lost == 0 { String::new() } else { format!(", {} given up", sink.lost) };
    format!("  {}: {} rows written{lost}\n", sink.name, sink.delivered)
}

fn rendered(messages: &Messages, style: Style) -> String {
    messages.diagnostics.iter().map(|diagnostic| render(diagnostic, &messages.sources, style)).collect()
}

/// `850us`, `2.1ms`, `1.3s`.
pub fn time(us: u64) -> String {
    match us {
        0..1_000 => format!("{us}us"),
        1_000..1_000_000 => format!("{:.1}ms", us as f64 / 1e3),
        _ => format!("{:.1}s", us as f64 / 1e6),
    }
}
