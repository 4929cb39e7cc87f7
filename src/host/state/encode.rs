//! An epoch to named parts and back: plain data as JSON, tables as Arrow IPC files.

use std::collections::BTreeMap;

use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::base::{Hash, Name};
use crate::node::State;
use crate::plan::NodeKey;
use crate::runtime::{Epoch, SavedOutbox};

use super::tables;

pub const GRAPH: &str = "graph.json";
pub const BOOKS: &str = "books.json";
pub const NODES: &str = "nodes.json";
pub const SINKS: &str = "sinks.json";

/// By file name.
pub type Parts = BTreeMap<String, Vec<u8>>;

/// What a node remembers: which parts hold its tables.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct NodePart {
    pub key: NodeKey,
    pub format: u16,
    pub hash: Hash,
    /// By table: its part, and how many rows it has.
    pub tables: BTreeMap<Name, (String, u64)>,
}

/// A sink with the parts that hold its waiting rows, oldest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SinkPart {
    pub saved: SavedOutbox,
    pub tables: Vec<String>,
    /// Rows of each batch of each table: they go on as they came, so that who is sent them again is sent the same.
    #[serde(default)]
    pub cuts: Vec<Vec<usize>>,
}

/// # Errors
/// In words: a table that does not go into a file.
pub fn encode(epoch: &Epoch) -> Result<Parts, String> {
    let Epoch { books, graph, states, outboxes } = epoch;
    let mut parts = Parts::from([(GRAPH.into(), json(graph)), (BOOKS.into(), json(books))]);
    let nodes = states.iter().enumerate().map(|(nth, (key, state))| node(nth, key, state, &mut parts));
    let nodes = nodes.collect::<Result<Vec<NodePart>, String>>()?;
    parts.insert(NODES.into(), json(&nodes));
    let sinks = outboxes.iter().enumerate().map(|(nth, saved)| sink(nth, saved, &mut parts));
    let sinks = sinks.collect::<Result<Vec<SinkPart>, String>>()?;
    parts.insert(SINKS.into(), json(&sinks));
    Ok(parts)
}

fn node(nth: usize, key: &NodeKey, state: &State, parts: &mut Parts) -> Result<NodePart, String> {
    let State { format, hash, tables } = state;
    let mut named = BTreeMap::new();
    for (at, (name, table)) in tables.iter().enumerate() {
        let part = format!("node-{nth:03}-{at}.arrow");
        parts.insert(part.clone(), table_bytes(std::slice::from_ref(table))?);
        named.insert(name.clone(), (part, table.num_rows() as u64));
    }
    Ok(NodePart { key: key.clone(), format: *format, hash: *hash, tables: named })
}

/// One part for each stretch of rows with the same columns.
fn sink(nth: usize, saved: &SavedOutbox, parts: &mut Parts) -> Result<SinkPart, String> {
    let (mut tables, mut cuts) = (Vec::new(), Vec::new());
    for (at, run) in saved.rows.chunk_by(|a, b| a.schema_ref() == b.schema_ref()).enumerate() {
        let part = format!("sink-{nth:03}-{at:03}.arrow");
        // Many small batches would be mostly their own frames.
        let rows = concat_batches(run[0].schema_ref(), run).map_err(|error| error.to_string())?;
        parts.insert(part.clone(), table_bytes(std::slice::from_ref(&rows))?);
        tables.push(part);
        cuts.push(run.iter().map(RecordBatch::num_rows).collect());
    }
    Ok(SinkPart { saved: SavedOutbox { rows: Vec::new(), ..saved.clone() }, tables, cuts })
}

/// # Errors
/// In words: a part that is missing or is not what it should be.
pub fn decode(parts: &Parts) -> Result<Epoch, String> {
    let mut states = BTreeMap::new();
    for NodePart { key, format, hash, tables } in from_json::<Vec<NodePart>>(parts, NODES)? {
        let table = |(name, (part, _)): (Name, (String, u64))| Ok((name, one_table(parts, &part)?));
        let tables = tables.into_iter().map(table).collect::<Result<_, String>>()?;
        states.insert(key, State { format, hash, tables });
    }
    let mut outboxes = Vec::new();
    for SinkPart { mut saved, tables, cuts } in from_json::<Vec<SinkPart>>(parts, SINKS)? {
        for (nth, part) in tables.iter().enumerate() {
            let rows = tables::from_bytes(part_of(parts, part)?).map_err(|error| format!("{part}: {error}"))?;
            saved.rows.extend(cut(rows, cuts.get(nth)));
        }
        outboxes.push(saved);
    }
    Ok(Epoch { books: from_json(parts, BOOKS)?, graph: from_json(parts, GRAPH)?, states, outboxes })
}

/// One table as the batches that it was put together from; as it is where that is not known.
fn cut(rows: Vec<RecordBatch>, cuts: Option<&Vec<usize>>) -> Vec<RecordBatch> {
    let (Some(cuts), [whole]) = (cuts, rows.as_slice()) else { return rows };
    if cuts.iter().sum::<usize>() != whole.num_rows() {
        return rows;
    }
    let from = cuts.iter().scan(0, |from, rows| Some(std::mem::replace(from, *from + rows)));
    from.zip(cuts).map(|(from, rows)| whole.slice(from, *rows)).collect()
}

fn json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("plain data always serialises")
}

pub fn from_json<T: DeserializeOwned>(parts: &Parts, name: &str) -> Result<T, String> {
    serde_json::from_slice(part_of(parts, name)?).map_err(|error| format!("{name}: {error}"))
}

fn part_of<'a>(parts: &'a Parts, name: &str) -> Result<&'a [u8], String> {
    parts.get(name).map(Vec::as_slice).ok_or_else(|| format!("{name} is missing"))
}

fn one_table(parts: &Parts, name: &str) -> Result<RecordBatch, String> {
    tables::one(part_of(parts, name)?).map_err(|error| format!("{name}: {error}"))
}

fn table_bytes(batches: &[RecordBatch]) -> Result<Vec<u8>, String> {
    tables::to_bytes(batches).map_err(|error| error.to_string())
}
