//! Lines of the log as bytes: a short JSON text, and behind it the rows that it speaks of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::{Name, Time};
use crate::io::{Draw, FileMark, InputPosition, Kept, SinkMark};
use crate::node::Ordinal;
use crate::plan::{Graph, Patch};
use crate::runtime::{CutRecord, DrawRecord, OutboxId, Record, RoundRecord, SavedError, Standing, Wanted};

use super::tables;

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub enum Entry {
    /// What happened in the engine.
    Record(Record),
    /// A sink begins to write to a file that the last epoch does not name: this much of it stood there before.
    Begun(FileMark),
    /// The epoch was committed, and with it what its sinks had written.
    Settled { epoch: u64, sinks: Vec<Settled> },
    /// So the sources stood here.
    Stands(Box<Standing>),
}

/// How far one sink's rows are accounted for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settled {
    pub id: OutboxId,
    pub settled: u64,
    pub mark: SinkMark,
}

/// The first line of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    pub format: u64,
    /// Of the epoch that it follows.
    pub number: u64,
    pub at: Ordinal,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Written {
    Round(Round),
    WentLive(Ordinal),
    /// With the whole graph, as former versions wrote it.
    Cut(Box<Cut<Graph>>),
    /// With what is different.
    Changed(Box<Cut<Patch>>),
    Assigned(Name, Ordinal, Option<String>),
    Begun(FileMark),
    Settled(u64, Vec<Settled>),
    Stands(Box<Standing>),
}

/// Source, first ordinal, rows, bad records, read at, silence, and whether rows and bad records stand behind the text.
type WrittenDraw = (usize, u64, u64, u64, i64, Option<i64>, bool, bool);

#[derive(Serialize, Deserialize)]
struct Round {
    upto: Ordinal,
    /// Draws name them by number.
    sources: Vec<Name>,
    draws: Vec<WrittenDraw>,
    /// By number of a draw whose rows stand behind the text: where the source's input stood after it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    stands: Vec<(usize, InputPosition)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ended: Vec<Name>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    failed: Vec<(Name, SavedError)>,
}

#[derive(Serialize, Deserialize)]
struct Cut<G> {
    at: Ordinal,
    graph: G,
    opened: Vec<(Name, crate::runtime::Side, crate::io::Position)>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    not_rebuilt: Vec<(crate::plan::NodeKey, String)>,
}

impl Entry {
    /// # Errors
    /// In words: rows that do not go into a file.
    pub fn bytes(&self) -> Result<Vec<u8>, String> {
        let mut rows = Vec::new();
        let written = match self {
            Entry::Record(Record::Round(round)) => Written::Round(write_round(round, &mut rows)?),
            Entry::Record(Record::WentLive { at }) => Written::WentLive(*at),
            Entry::Record(Record::Cut(cut)) => {
                let CutRecord { at, wanted, opened, not_rebuilt } = (**cut).clone();
                match wanted {
                    Wanted::Changed(change) => Written::Changed(Box::new(Cut { at, graph: change, opened, not_rebuilt })),
                    Wanted::Whole(graph) => Written::Cut(Box::new(Cut { at, graph, opened, not_rebuilt })),
                }
            }
            Entry::Record(Record::Assigned { task, at, version }) => Written::Assigned(task.clone(), *at, version.clone()),
            Entry::Begun(mark) => Written::Begun(mark.clone()),
            Entry::Settled { epoch, sinks } => Written::Settled(*epoch, sinks.clone()),
            Entry::Stands(standing) => Written::Stands(standing.clone()),
        };
        let text = serde_json::to_vec(&written).expect("plain data always serialises");
        let mut out = (text.len() as u32).to_le_bytes().to_vec();
        out.extend_from_slice(&text);
        out.append(&mut rows);
        Ok(out)
    }

    /// # Errors
    /// In words: bytes that this version does not read.
    pub fn read(bytes: &[u8]) -> Result<Entry, String> {
        let (text, mut rows) = piece(bytes)?;
        let written = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        Ok(match written {
            Written::Round(round) => Entry::Record(Record::Round(read_round(round, &mut rows)?)),
            Written::WentLive(at) => Entry::Record(Record::WentLive { at }),
            Written::Cut(cut) => {
                let Cut { at, graph, opened, not_rebuilt } = *cut;
                Entry::Record(Record::Cut(Box::new(CutRecord { at, wanted: Wanted::Whole(graph), opened, not_rebuilt })))
            }
            Written::Changed(cut) => {
                let Cut { at, graph, opened, not_rebuilt } = *cut;
                Entry::Record(Record::Cut(Box::new(CutRecord { at, wanted: Wanted::Changed(graph), opened, not_rebuilt })))
            }
            Written::Assigned(task, at, version) => Entry::Record(Record::Assigned { task, at, version }),
            Written::Begun(mark) => Entry::Begun(mark),
            Written::Settled(epoch, sinks) => Entry::Settled { epoch, sinks },
            Written::Stands(standing) => Entry::Stands(standing),
        })
    }
}

fn write_round(record: &RoundRecord, rows: &mut Vec<u8>) -> Result<Round, String> {
    let RoundRecord { draws, ended, failed, upto } = record;
    let mut sources: Vec<Name> = Vec::new();
    let (mut written, mut stands) = (Vec::with_capacity(draws.len()), Vec::new());
    for DrawRecord { source, first, draw } in draws {
        let at = sources.iter().position(|known| known == source).unwrap_or_else(|| {
            sources.push(source.clone());
            sources.len() - 1
        });
        let Draw { rows: count, bad, read, silence, kept } = draw;
        let refused = kept.as_ref().and_then(|kept| kept.bad.as_ref());
        stands.extend(kept.as_ref().and_then(|kept| Some((written.len(), kept.stands.clone()?))));
        for table in kept.iter().map(|kept| &kept.rows).chain(refused) {
            let bytes = tables::to_bytes(std::slice::from_ref(table)).map_err(|error| error.to_string())?;
            rows.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
            rows.extend_from_slice(&bytes);
        }
        written.push((at, first.0, *count, *bad, read.0, silence.map(|to| to.0), kept.is_some(), refused.is_some()));
    }
    let failed = failed.iter().map(|(name, error)| (name.clone(), error.into())).collect();
    Ok(Round { upto: *upto, sources, draws: written, stands, ended: ended.clone(), failed })
}

fn read_round(round: Round, behind: &mut &[u8]) -> Result<RoundRecord, String> {
    let Round { upto, sources, draws, stands, ended, failed } = round;
    let mut stands: BTreeMap<usize, InputPosition> = stands.into_iter().collect();
    let mut table = || -> Result<_, String> {
        let (bytes, rest) = piece(behind)?;
        *behind = rest;
        tables::one(bytes).map_err(|error| error.to_string())
    };
    let mut read = Vec::with_capacity(draws.len());
    for (nth, (at, first, rows, bad, when, silence, has_rows, has_bad)) in draws.into_iter().enumerate() {
        let source = sources.get(at).cloned().ok_or("a draw of no source")?;
        let kept = match has_rows {
            true => {
                let (rows, bad) = (table()?, if has_bad { Some(table()?) } else { None });
                Some(Kept { rows, bad, stands: stands.remove(&nth) })
            }
            false => None,
        };
        let draw = Draw { rows, bad, read: Time(when), silence: silence.map(Time), kept };
        read.push(DrawRecord { source, first: Ordinal(first), draw });
    }
    let failed = failed.iter().map(|(name, error)| (name.clone(), error.into())).collect();
    Ok(RoundRecord { draws: read, ended, failed, upto })
}

/// A length, so many bytes, and the rest.
fn piece(bytes: &[u8]) -> Result<(&[u8], &[u8]), String> {
    let (length, rest) = bytes.split_first_chunk::<4>().ok_or("it ends in the middle")?;
    rest.split_at_checked(u32::from_le_bytes(*length) as usize).ok_or_else(|| "it ends in the middle".to_owned())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, RecordBatch};

    use super::*;
    use crate::diag::Code;
    use crate::node::NodeError;

    fn rows(values: Vec<i64>) -> RecordBatch {
        RecordBatch::try_from_iter([("v", Arc::new(Int64Array::from(values)) as ArrayRef)]).unwrap()
    }

    #[test]
    fn what_is_read_is_what_was_written() {
        let draw = |rows: u64, kept| Draw { rows, bad: 0, read: Time(-5), silence: None, kept };
        let stands = Some(InputPosition::Stream { records: 4 });
        let kept = Some(Kept { rows: rows(vec![1, 2]), bad: Some(rows(vec![3])), stands });
        let silent = Draw { silence: Some(Time(i64::MAX)), ..draw(0, None) };
        let one = |source: &str, first, draw| DrawRecord { source: source.into(), first: Ordinal(first), draw };
        let round = RoundRecord {
            draws: vec![one("a", 7, draw(2, kept)), one("b", 9, silent), one("a", 10, draw(4, None))],
            ended: vec!["b".into()],
            failed: vec![("a".into(), NodeError::new(Code::R0711, "gone").help("look"))],
            upto: Ordinal(14),
        };
        let mark = FileMark::Grown { path: "out.jsonl".into(), bytes: 7, identity: Some((1, 2)) };
        let settled = Settled { id: OutboxId(3), settled: 9, mark: SinkMark { files: vec![mark.clone()] } };
        let entries = [
            Entry::Record(Record::Round(round)),
            Entry::Record(Record::WentLive { at: Ordinal(3) }),
            Entry::Record(Record::Assigned { task: "t".into(), at: Ordinal(4), version: None }),
            Entry::Record(Record::Cut(Box::new(CutRecord {
                at: Ordinal(5),
                wanted: Default::default(),
                opened: vec![],
                not_rebuilt: vec![(
                    crate::plan::NodeKey::of_file(&"air".into(), crate::plan::Slot::Gate),
                    "it took too long".into(),
                )],
            }))),
            Entry::Record(Record::Cut(Box::new(CutRecord {
                at: Ordinal(5),
                wanted: Wanted::Whole(Graph::default()),
                opened: vec![],
                not_rebuilt: vec![],
            }))),
            Entry::Begun(mark),
            Entry::Settled { epoch: 4, sinks: vec![settled] },
            Entry::Stands(Box::new(Standing {
                at: Ordinal(6),
                taken: Time(7),
                phase: crate::runtime::Phase::Live,
                last: Some("a".into()),
                sources: vec![],
                live: vec![("b".into(), None)],
                meanings: vec![],
            })),
        ];
        for entry in entries {
            let bytes = entry.bytes().unwrap();
            assert_eq!(Entry::read(&bytes).unwrap(), entry);
            for cut in 0..bytes.len() {
                assert!(Entry::read(&bytes[..cut]).is_err() || cut == bytes.len(), "{entry:?} cut at {cut}");
            }
        }
    }
}
