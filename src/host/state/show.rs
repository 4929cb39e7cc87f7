//! What a state folder holds, for `mliot state`. Reads only, also while a run writes.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::base::{Name, Time};
use crate::diag::Diagnostic;
use crate::io::FileMark;
use crate::node::Ordinal;
use crate::runtime::{Books, SavedSource, Side};

use super::encode::{BOOKS, NODES, NodePart, Parts, SINKS, SinkPart, from_json};
use super::log::{self, LogReader};
use super::manifest::Manifest;
use super::{epochs, wrong};

#[derive(Clone, Debug, Serialize)]
pub struct Shown {
    pub path: PathBuf,
    /// Oldest first.
    pub epochs: Vec<ShownEpoch>,
    pub logs: Vec<ShownLog>,
    /// Of the newest epoch that can be read.
    pub nodes: Vec<ShownNode>,
    pub sources: Vec<ShownSource>,
    pub sinks: Vec<ShownSink>,
    /// By task: the model that answers, and from which row on.
    pub models: Vec<(Name, Option<String>, Ordinal)>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ShownEpoch {
    pub number: u64,
    pub at: Option<Ordinal>,
    pub taken: Option<String>,
    pub mliot: Option<String>,
    pub bytes: u64,
    /// Why it cannot be used.
    pub damaged: Option<String>,
    #[serde(skip)]
    pub taken_at: Option<Time>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ShownLog {
    pub number: u64,
    pub bytes: u64,
}

#[derive(Clone, Debug, Serialize)]
pub struct ShownNode {
    pub name: String,
    pub format: u16,
    pub rows: u64,
    pub bytes: u64,
    pub tables: Vec<(Name, u64)>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ShownSource {
    pub name: Name,
    pub side: Side,
    pub ended: bool,
    pub rows: u64,
    pub records: u64,
    pub watermark: Option<String>,
    pub position: Option<crate::io::InputPosition>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ShownSink {
    pub name: Name,
    pub retired: bool,
    pub accepted: u64,
    pub settled: u64,
    pub waiting: u64,
    pub lost: u64,
    pub files: Vec<FileMark>,
}

/// # Errors
/// If the folder cannot be read, or is of another format.
pub fn show(path: &Path) -> Result<Shown, Diagnostic> {
    let unread = |error: std::io::Error| wrong::damaged(path, error);
    let mut shown = Shown {
        path: path.to_owned(),
        epochs: Vec::new(),
        logs: Vec::new(),
        nodes: Vec::new(),
        sources: Vec::new(),
        sinks: Vec::new(),
        models: Vec::new(),
    };
    for number in epochs::numbers(path).map_err(unread)? {
        let found = epochs::read(path, number);
        shown.epochs.push(epoch(number, &found));
        if let Ok((manifest, parts)) = found {
            shown.fill(&manifest, &parts).map_err(|why| wrong::damaged(&epochs::place(path, number), why))?;
        }
    }
    for number in log::numbers(path).map_err(unread)? {
        let bytes = fs::metadata(log::place(path, number)).map(|meta| meta.len()).map_err(unread)?;
        shown.logs.push(ShownLog { number, bytes });
    }
    Ok(shown)
}

fn epoch(number: u64, found: &Result<(Manifest, Parts), Diagnostic>) -> ShownEpoch {
    match found {
        Ok((manifest, _)) => ShownEpoch {
            number,
            at: Some(manifest.at),
            taken: Some(manifest.taken.to_string()),
            mliot: Some(manifest.mliot.clone()),
            bytes: manifest.size(),
            damaged: None,
            taken_at: Some(manifest.taken),
        },
        Err(why) => ShownEpoch {
            number,
            at: None,
            taken: None,
            mliot: None,
            bytes: 0,
            damaged: Some(why.message.clone()),
            taken_at: None,
        },
    }
}

impl Shown {
    fn fill(&mut self, manifest: &Manifest, parts: &Parts) -> Result<(), String> {
        let bytes = |part: &String| manifest.parts.get(part).map_or(0, |part| part.bytes);
        let nodes: Vec<NodePart> = from_json(parts, NODES)?;
        let node = |part: NodePart| ShownNode {
            name: part.key.to_string(),
            format: part.format,
            rows: part.tables.values().map(|(_, rows)| rows).sum(),
            bytes: part.tables.values().map(|(part, _)| bytes(part)).sum(),
            tables: part.tables.iter().map(|(name, (_, rows))| (name.clone(), *rows)).collect(),
        };
        self.nodes = nodes.into_iter().map(node).collect();
        let sinks: Vec<SinkPart> = from_json(parts, SINKS)?;
        self.sinks = sinks.into_iter().map(|part| sink(part.saved)).collect();
        let books: Books = from_json(parts, BOOKS)?;
        self.sources = books.sources.into_iter().map(source).collect();
        self.models = books.models.into_iter().map(|model| (model.task, model.version, model.from)).collect();
        Ok(())
    }

    /// Lines of the log behind the newest good epoch, as far as they are whole.
    pub fn lines(&self) -> usize {
        let newest = self.epochs.iter().rev().find(|epoch| epoch.damaged.is_none());
        newest.map_or(0, |epoch| LogReader::from(&self.path, epoch.number).count())
    }
}

fn sink(saved: crate::runtime::SavedOutbox) -> ShownSink {
    ShownSink {
        name: saved.sink,
        retired: saved.retired,
        accepted: saved.accepted,
        settled: saved.settled,
        waiting: saved.accepted - saved.settled,
        lost: saved.lost,
        files: saved.mark.files,
    }
}

fn source(saved: SavedSource) -> ShownSource {
    let position = saved.position.as_ref();
    let time = |time: Time| (time != Time::MIN).then(|| time.to_string());
    ShownSource {
        name: saved.name,
        side: saved.side,
        ended: saved.ended,
        rows: saved.counts.gate.out,
        records: saved.counts.connection.input,
        watermark: position.and_then(|position| time(position.watermark)),
        position: position.map(|position| position.input.clone()),
    }
}
