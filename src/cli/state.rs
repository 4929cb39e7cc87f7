//! `mliot state FILE`: what a run has kept, for a person or a script.

use serde_json::json;

use crate::base::{Sources, grouped, size};
use crate::host::state::{Shown, ShownEpoch, ShownSink, ShownSource, show};
use crate::io::{InputPosition, Now, Wall};

use super::Outcome;
use super::args::ShowStateArgs;
use super::place;
use super::terminal::{complain, counted, say};

pub fn state(args: &ShowStateArgs) -> Outcome {
    let path = place::state(&args.file, args.state.state.as_ref());
    match show(&path) {
        Ok(shown) if args.json => say(&format!("{}\n", json!(shown))),
        Ok(shown) if shown.epochs.is_empty() => {
            say(&format!("no run is kept in {}; `mliot models` shows what has been learned\n", path.display()));
        }
        Ok(shown) => say(&text(&shown)),
        Err(wrong) => {
            complain(&[wrong], &Sources::default());
            return Outcome::Failed;
        }
    }
    Outcome::Good
}

fn text(shown: &Shown) -> String {
    let mut out = format!("{}\n", shown.path.display());
    shown.epochs.iter().for_each(|one| out.push_str(&epoch(one)));
    let bytes: u64 = shown.logs.iter().map(|log| log.bytes).sum();
    let lines = counted(shown.lines(), "line");
    out.push_str(&format!("log       {}, {lines} behind the newest epoch\n", size(bytes)));
    out.push_str("sources\n");
    shown.sources.iter().for_each(|one| out.push_str(&source(one)));
    out.push_str("nodes\n");
    for node in &shown.nodes {
        let (rows, bytes) = (grouped(node.rows), size(node.bytes));
        out.push_str(&format!("  {:<24} {rows:>12} rows  {bytes:>10}  format {}\n", node.name, node.format));
    }
    out.push_str("sinks\n");
    shown.sinks.iter().for_each(|one| out.push_str(&sink(one)));
    if !shown.models.is_empty() {
        out.push_str("models\n");
    }
    for (task, version, from) in &shown.models {
        let version = version.as_deref().unwrap_or("none");
        out.push_str(&format!("  {task:<24} {version} answers from row {} on\n", grouped(from.0)));
    }
    out
}

fn epoch(epoch: &ShownEpoch) -> String {
    let number = epoch.number;
    match (&epoch.damaged, epoch.at, epoch.taken_at) {
        (None, Some(at), Some(taken)) => {
            let age = ((Wall.now() - taken).0 / 1_000_000).max(0);
            format!("epoch {number:<3} at row {}, {} old, {}\n", grouped(at.0), seconds(age), size(epoch.bytes))
        }
        (why, _, _) => format!("epoch {number:<3} cannot be used: {}\n", why.as_deref().unwrap_or("it is damaged")),
    }
}

fn source(source: &ShownSource) -> String {
    let side = match source.side {
        crate::runtime::Side::Recorded => "recording",
        crate::runtime::Side::Live => "live",
    };
    let ended = if source.ended { ", ended" } else { "" };
    let at = source.position.as_ref().map(position).unwrap_or_default();
    format!("  {:<24} {:>12} rows  {side}{ended}{at}\n", source.name, grouped(source.rows))
}

fn position(position: &InputPosition) -> String {
    match position {
        InputPosition::Files(files) => match files.last() {
            Some(file) => format!(", in {} at record {}", file.name, grouped(file.delivered.last().map_or(0, |(_, to)| *to))),
            None => String::new(),
        },
        InputPosition::Simulated { tick, .. } => format!(", at tick {}", grouped(*tick)),
        InputPosition::Stream { records } => format!(", {} records", grouped(*records)),
        InputPosition::Journal { sequence, .. } => format!(", at record {} of its journal", grouped(*sequence)),
        InputPosition::Tail(files) => match files.last() {
            Some(file) => format!(", in {} at byte {}", file.name, grouped(file.byte)),
            None => String::new(),
        },
        InputPosition::InTurn(parts) => parts.last().map(self::position).unwrap_or_default(),
    }
}

fn sink(sink: &ShownSink) -> String {
    let retired = if sink.retired { ", gone from the file" } else { "" };
    let (settled, waiting) = (grouped(sink.settled), grouped(sink.waiting));
    format!("  {:<24} {settled:>12} rows written, {waiting} wait{retired}\n", sink.name)
}

/// `14s`, `3min`, `2h`, `5d`.
fn seconds(age: i64) -> String {
    match age {
        0..120 => format!("{age}s"),
        120..7_200 => format!("{}min", age / 60),
        7_200..172_800 => format!("{}h", age / 3_600),
        _ => format!("{}d", age / 86_400),
    }
}
