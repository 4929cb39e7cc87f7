//! One row on its way through the running graph, for whoever asks: what the engine has seen, in the words of the file.

mod recorded;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel};
use std::time::Duration;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::TimestampMicrosecondType;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::base::{Name, Sources, Span, Time};
use crate::diag::{Code, Diagnostic};
use crate::io::cells;
use crate::ir::{self, Outlet};
use crate::node::Ordinal;
use crate::plan::{Input, NodeKey, NodeOp, NodeSpec, Slot};
use crate::runtime::{Engine, Parts, RowFate, Sought, Trace, TraceStep};

use super::engine::{Order, See};
use super::outside::Conditions;
use super::said::Messages;
use super::taps::filter;

pub use recorded::recorded;

/// Between two looks whether anybody still wants the row.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Which row somebody wants to follow.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wanted {
    Ordinal(u64),
    /// The next row of a source that meets a condition; without one, the next row. Without a source, the only one.
    Next {
        source: Option<String>,
        condition: Option<String>,
    },
}

/// A row, and each thing that was done because of it, in the order of the graph.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Followed {
    pub at: u64,
    pub source: String,
    /// As it left the source; of a record that could not be read, `reason`, `raw` and `origin`.
    pub row: Vec<Cell>,
    /// Could it be read?
    pub read: bool,
    pub steps: Vec<Step>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    pub column: String,
    pub value: Value,
}

/// What one stage, sink or task did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// `air/where`
    pub node: String,
    /// As the file has it, on one line.
    pub text: String,
    /// The nodes whose rows came in.
    pub from: Vec<String>,
    pub fate: RowFate,
    /// For what it is kept or waits, where it is.
    pub where_kept: Option<String>,
    /// Of a row that passed alone: the columns that were not there before, or have other values.
    pub made: Vec<Cell>,
    /// All rows that left because of it.
    pub rows: Vec<Vec<Cell>>,
    /// Those of them that were too late or could not be read.
    pub aside: Vec<Vec<Cell>>,
    /// Rows that left and are not listed.
    pub more: u64,
    pub noted: Vec<String>,
}

/// What the engine's thread knows of a trace.
#[derive(Debug)]
pub struct Found {
    pub trace: Trace,
    /// Of the nodes in it.
    pub specs: BTreeMap<NodeKey, (NodeSpec, Option<Span>)>,
    pub sources: Sources,
}

/// The way back to whoever waits for a row.
pub struct Following {
    to: SyncSender<Found>,
    is_gone: Arc<dyn Fn() -> bool + Send + Sync>,
}

impl Following {
    /// Does anybody still wait?
    pub fn is_there(&self) -> bool {
        !(self.is_gone)()
    }

    pub fn tell(&self, found: Found) {
        let _ = self.to.try_send(found);
    }
}

/// Where a source's rows come in, as it runs.
#[derive(Debug)]
pub struct Spot {
    pub place: Input,
    pub schema: ir::Schema,
    pub sources: Sources,
}

/// Waits for the row on a thread of its own, and says what became of it; nothing where `is_gone` comes true before.
///
/// # Errors
/// If there is no thread.
pub fn follow(
    wanted: Wanted,
    orders: SyncSender<Order>,
    conditions: Arc<dyn Conditions>,
    is_gone: impl Fn() -> bool + Send + Sync + 'static,
    done: impl FnOnce(Result<Followed, Messages>) + Send + 'static,
) -> std::io::Result<()> {
    let is_gone: Arc<dyn Fn() -> bool + Send + Sync> = Arc::new(is_gone);
    std::thread::Builder::new().name("trace".into()).spawn(move || {
        let found = wait(&wanted, &orders, conditions.as_ref(), is_gone);
        if let Some(found) = found.transpose() {
            done(found);
        }
    })?;
    Ok(())
}

/// None: nobody wants it any more.
fn wait(
    wanted: &Wanted,
    orders: &SyncSender<Order>,
    conditions: &dyn Conditions,
    is_gone: Arc<dyn Fn() -> bool + Send + Sync>,
) -> Result<Option<Followed>, Messages> {
    let (sought, unfit) = sought(wanted, orders, conditions)?;
    let (to, waiting) = sync_channel(1);
    let (nobody, other) = (is_gone.clone(), unfit.clone());
    let found = Following { to, is_gone: Arc::new(move || nobody() || other.load(Relaxed)) };
    asked(orders, |done| Order::See(See::Trace { sought, found, done }))?.map_err(Messages::of)?;
    loop {
        match waiting.recv_timeout(LOOK_EVERY) {
            Ok(found) => return Ok(Some(followed(&found))),
            Err(_) if unfit.load(Relaxed) => return Err(Messages::of(other_columns())),
            Err(_) if is_gone() => return Ok(None),
            Err(RecvTimeoutError::Disconnected) => return Err(ending()),
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// One order and its answer.
fn asked<T>(orders: &SyncSender<Order>, order: impl FnOnce(SyncSender<T>) -> Order) -> Result<T, Messages> {
    let (done, answer) = sync_channel(1);
    orders.send(order(done)).ok().and_then(|()| answer.recv().ok()).ok_or_else(ending)
}

/// With whether an edit has given the source other columns than the condition knows.
fn sought(
    wanted: &Wanted,
    orders: &SyncSender<Order>,
    conditions: &dyn Conditions,
) -> Result<(Sought, Arc<AtomicBool>), Messages> {
    match wanted {
        Wanted::Ordinal(at) => Ok((Sought::At(Ordinal(*at)), Arc::default())),
        Wanted::Next { source, condition } => {
            let spot = asked(orders, |done| Order::See(See::Spot { source: source.clone(), done }))?.map_err(Messages::of)?;
            next_at(spot, condition.as_deref(), conditions)
        }
    }
}

fn next_at(spot: Spot, condition: Option<&str>, conditions: &dyn Conditions) -> Result<(Sought, Arc<AtomicBool>), Messages> {
    let Spot { place, schema, sources } = spot;
    let (source, unfit) = (place.node.decl.clone(), Arc::new(AtomicBool::new(false)));
    let Some(condition) = condition else {
        let any = Box::new(|rows: &RecordBatch| (rows.num_rows() > 0).then_some(0));
        return Ok((Sought::Next { source, is_it: any }, unfit));
    };
    let expression = filter(conditions, &sources, &place, condition, &schema)?;
    let (columns, told) = (crate::node::schema(&schema), unfit.clone());
    let is_it = move |rows: &RecordBatch| {
        if rows.schema().fields() != columns.fields() {
            told.store(true, Relaxed);
            return None;
        }
        let mask = expression.mask(rows).ok()?;
        (0..mask.len()).find(|row| mask.value(*row))
    };
    Ok((Sought::Next { source, is_it: Box::new(is_it) }, unfit))
}

/// Where the rows of this source come in; of the only one, where none is named.
pub(super) fn spot(engine: &Engine, parts: &dyn Parts, sources: &Sources, source: Option<&str>) -> Result<Spot, Diagnostic> {
    let gates = engine.graph().nodes.keys().filter(|key| key.slot == Slot::Gate && key.is_of_file());
    let names: Vec<Name> = gates.map(|key| key.decl.clone()).collect();
    let name = match (source, names.as_slice()) {
        (None, [only]) => only.clone(),
        (None, _) => return Err(which_source(&names)),
        (Some(name), _) => names.into_iter().find(|known| *known == name).ok_or_else(|| no_source(name))?,
    };
    let place = Input { node: NodeKey::of_file(&name, Slot::Gate), outlet: Outlet::Rows };
    Ok(Spot { schema: engine.columns_at(&place, parts), place, sources: sources.clone() })
}

/// With what the graph says of the nodes in it.
pub(super) fn found(engine: &Engine, trace: Trace, sources: &Sources) -> Found {
    let graph = engine.graph();
    let of = |key: &NodeKey| Some((key.clone(), (graph.nodes.get(key)?.clone(), graph.spans.get(key).copied())));
    let specs = trace.steps.iter().filter_map(|step| of(&step.node)).collect();
    Found { trace, specs, sources: sources.clone() }
}

/// In the words of the file.
pub fn followed(found: &Found) -> Followed {
    let Found { trace, specs, sources } = found;
    let is_gate = |step: &&TraceStep| step.node.slot == Slot::Gate;
    let row = trace.row.as_ref().or(trace.bad.as_ref());
    Followed {
        at: trace.at.0,
        source: trace.source.to_string(),
        row: row.and_then(|row| rows_of(row).into_iter().next()).unwrap_or_default(),
        read: trace.row.is_some(),
        steps: trace.steps.iter().filter(|step| !is_gate(step)).map(|one| step(one, trace, specs, sources)).collect(),
    }
}

type Specs = BTreeMap<NodeKey, (NodeSpec, Option<Span>)>;

fn step(step: &TraceStep, trace: &Trace, specs: &Specs, sources: &Sources) -> Step {
    let TraceStep { node, from, fate, out, more, noted } = step;
    let input = from.first().and_then(|from| left(trace, from));
    let of = |wanted: fn(Outlet) -> bool| -> Vec<Vec<Cell>> {
        out.iter().filter(|(outlet, _)| wanted(*outlet)).flat_map(|(_, rows)| rows_of(rows)).collect()
    };
    let rows = of(|outlet| outlet == Outlet::Rows);
    let spec = specs.get(node).map(|(spec, _)| spec);
    let made = match (fate, rows.as_slice(), &input) {
        (RowFate::Passed, [row], Some(input)) if input.num_rows() == 1 => made(row, input),
        _ => Vec::new(),
    };
    Step {
        node: node.to_string(),
        text: specs.get(node).and_then(|(_, span)| *span).map(|span| one_line(sources, span)).unwrap_or_default(),
        from: from.iter().map(|from| from.node.to_string()).collect(),
        fate: fate.clone(),
        where_kept: spec.zip(input.as_ref()).and_then(|(spec, input)| where_kept(spec, fate, input)),
        made,
        rows,
        aside: of(|outlet| outlet != Outlet::Rows),
        more: *more,
        noted: noted.clone(),
    }
}

/// What left there because of the row.
fn left(trace: &Trace, from: &Input) -> Option<RecordBatch> {
    let step = trace.steps.iter().find(|step| step.node == from.node)?;
    step.out.iter().find(|(outlet, _)| *outlet == from.outlet).map(|(_, rows)| rows.clone())
}

fn rows_of(rows: &RecordBatch) -> Vec<Vec<Cell>> {
    let schema = rows.schema();
    let names: Vec<&String> = schema.fields().iter().map(|field| field.name()).filter(|name| !name.starts_with('@')).collect();
    let cell = |(name, value): (&&String, Value)| Cell { column: (*name).clone(), value };
    cells(rows).into_iter().map(|row| names.iter().zip(row).map(cell).collect()).collect()
}

/// The columns of the row that were not in the input, or had other values there.
fn made(row: &[Cell], input: &RecordBatch) -> Vec<Cell> {
    let before = rows_of(input).into_iter().next().unwrap_or_default();
    row.iter().filter(|cell| !before.contains(cell)).cloned().collect()
}

/// The first line of the text there, without its bar.
fn one_line(sources: &Sources, span: Span) -> String {
    let text = sources.text(span).trim_start_matches(['|', ' ']);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// For which windows the row is kept, and under which key.
fn where_kept(spec: &NodeSpec, fate: &RowFate, input: &RecordBatch) -> Option<String> {
    if *fate != RowFate::Absorbed {
        return None;
    }
    match &spec.op {
        NodeOp::Task(_) => Some("to learn from".to_owned()),
        NodeOp::Stage(op) => match &**op {
            ir::Op::Window(window) => Some(format!("{}{}", windows(window, input), key(&window.by, input))),
            _ => None,
        },
        NodeOp::Connection(_) | NodeOp::Decode(_) | NodeOp::Gate(_) | NodeOp::Accept(_) | NodeOp::Serve(_) => None,
    }
}

/// At most so many windows are named.
const WINDOWS_NAMED_MAX: usize = 3;

fn windows(window: &ir::WindowOp, input: &RecordBatch) -> String {
    match window.shape {
        ir::WindowShape::Time { size, every } => match time_of(input) {
            Some(time) => named(starts(time, size.0, every.0), size.0),
            None => "for its windows".to_owned(),
        },
        ir::WindowShape::Rows { size, every: _ } => format!("for a window of {size} rows"),
        ir::WindowShape::Session { gap: _ } => "for its session".to_owned(),
        ir::WindowShape::Whole => "for the end of its recording".to_owned(),
        ir::WindowShape::Cumulative { every: _ } => "for the summary of all rows so far".to_owned(),
    }
}

/// Starts of the windows that hold this time, the first one first, in microseconds.
fn starts(time: i64, size: i64, every: i64) -> Vec<i64> {
    let last = time - time.rem_euclid(every);
    let back = (0..).map(|back| last - back * every).take_while(|start| start + size > time);
    let mut starts: Vec<i64> = back.take(WINDOWS_NAMED_MAX + 1).collect();
    starts.reverse();
    starts
}

fn named(starts: Vec<i64>, size: i64) -> String {
    let one = |start: &i64| format!("{} to {}", Time(*start), Time(start + size));
    let all: Vec<String> = starts.iter().take(WINDOWS_NAMED_MAX).map(one).collect();
    let more = if starts.len() > WINDOWS_NAMED_MAX { " and later ones" } else { "" };
    match all.as_slice() {
        [one] => format!("for the window from {one}"),
        several => format!("for the windows from {}{more}", several.join(", from ")),
    }
}

/// Of the hidden column if there is one, else of the first that holds times.
fn time_of(input: &RecordBatch) -> Option<i64> {
    let schema = input.schema();
    let is_time = |field: &&arrow::datatypes::FieldRef| matches!(field.data_type(), arrow::datatypes::DataType::Timestamp(..));
    let name = schema.fields().iter().find(|field| field.name() == "@time").or_else(|| schema.fields().iter().find(is_time))?;
    let column = input.column_by_name(name.name())?.as_primitive_opt::<TimestampMicrosecondType>()?.clone();
    (!column.is_empty() && column.is_valid(0)).then(|| column.value(0))
}

fn key(by: &[Name], input: &RecordBatch) -> String {
    let row = rows_of(input).into_iter().next().unwrap_or_default();
    let of = |name: &Name| row.iter().find(|cell| *name == cell.column.as_str()).map(|cell| format!("{name} {}", cell.value));
    let parts: Vec<String> = by.iter().filter_map(of).collect();
    if parts.is_empty() { String::new() } else { format!(", {}", parts.join(", ")) }
}

fn ending() -> Messages {
    Messages::of(Diagnostic::new(Code::R0006, "the pipeline is ending"))
}

fn other_columns() -> Diagnostic {
    Diagnostic::new(Code::R0006, "an edit has given the source other columns while the row was waited for").help("ask again")
}

pub(super) fn passed(next: Ordinal) -> Diagnostic {
    Diagnostic::new(Code::R0006, format!("this row has passed already; the next one is {}", next.0))
        .help("ask for the next row that meets a condition, with `--where`")
}

pub(super) fn another_waits() -> Diagnostic {
    Diagnostic::new(Code::R0006, "somebody else waits for a row of this run").help("wait, or end that trace")
}

fn which_source(names: &[Name]) -> Diagnostic {
    let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    Diagnostic::new(Code::E0201, "the file has several sources, and a row comes from one")
        .help(format!("say which one with `--source`: {}", names.join(", ")))
}

fn no_source(name: &str) -> Diagnostic {
    Diagnostic::new(Code::E0201, format!("no source is called `{name}`")).help("a row is found where it comes in")
}
