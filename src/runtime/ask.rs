//! A request: rows of one source run through copies of the nodes between that source and a task, which forget them again.
//!
//! The running nodes are only read: their state is saved, which leaves them as they were, and loaded into copies. So the rows
//! of a request see what the stream has seen, see each other in their order, and leave no trace.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, TimestampMicrosecondArray, UInt32Array, new_null_array};
use arrow::compute::take;

use crate::base::{Name, Time};
use crate::diag::Code;
use crate::ir;
use crate::node::{self, Batch, Clock, Node, NodeError, Ordinal, Ordinals, Out};
use crate::plan::{Graph, NodeKey, NodeOp, NodeSpec, Slot};

use super::engine::Engine;
use super::feed::{Parts, SourceSpec};
use super::guard::Guarded;
use super::layout::origin;

/// The way of a request's rows, for one graph.
#[derive(Clone, Debug, PartialEq)]
pub struct Way {
    pub task: Name,
    pub source: Name,
    /// What a row of a request has: the source's declared columns.
    pub columns: Vec<ir::SourceColumn>,
    /// The source's event time and what is predicted, where each is a declared column.
    pub time: Option<Name>,
    pub target: Option<Name>,
    /// The stages between the gate and the task, in order.
    stages: Vec<NodeKey>,
    features: Vec<Name>,
    value: ir::Column,
    /// Rows are the features themselves, and pass no stage.
    direct: bool,
    /// Why rows cannot be answered on this way, in a sentence; then all of them are null.
    barred: Option<String>,
}

/// Copies of the nodes on the way, good until the graph changes.
pub struct Asker {
    way: Way,
    generation: u64,
    /// The source's computed time, where it has one.
    clock: Option<Box<dyn Node>>,
    copies: Vec<Copy>,
}

struct Copy {
    key: NodeKey,
    node: Box<dyn Node>,
    remembers: bool,
}

/// Row for row; null for rows that have no answer.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Of the model that answered; none if there is none, or the way is barred.
    pub version: Option<String>,
    pub values: ArrayRef,
    pub scores: Option<Float64Array>,
    /// Why rows are null, if any are.
    pub reason: Option<String>,
}

/// Why there is no answer at all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unasked {
    NoModel,
    Failed(NodeError),
}

impl From<NodeError> for Unasked {
    fn from(error: NodeError) -> Unasked {
        Unasked::Failed(error)
    }
}

impl Way {
    /// As the graph serves the task: from its source's rows, or from features where it `accepts features`. None if the graph
    /// has no such task.
    pub fn of(graph: &Graph, task: &Name) -> Option<Way> {
        let serve = graph.nodes.get(&NodeKey::of_file(task, Slot::Serve)).map(|spec| &spec.op);
        match serve {
            Some(NodeOp::Serve(serve)) if serve.accepts_features => Way::of_features(graph, task),
            Some(_) | None => Way::of_rows(graph, task),
        }
    }

    fn of_features(graph: &Graph, task: &Name) -> Option<Way> {
        let way = Way::of_rows(graph, task)?;
        let NodeOp::Task(learn) = &graph.door(task)?.op else { return None };
        let feature = |column: &ir::Column| ir::SourceColumn {
            column: column.clone(),
            origin: ir::Origin::Field(column.name.clone()),
            sentinels: Vec::new(),
            bounds: None,
        };
        let columns = learn.task.door().map(feature).collect();
        Some(Way { columns, time: None, target: None, stages: Vec::new(), direct: true, barred: None, ..way })
    }

    fn of_rows(graph: &Graph, task: &Name) -> Option<Way> {
        // Where the model that answers has features of its own, requests go through them.
        let spec = graph.door(task)?;
        let NodeOp::Task(learn) = &spec.op else { return None };
        let (mut stages, mut barred) = (Vec::new(), None);
        let mut input = origin(spec.inputs.first()?);
        while let Some(stage) = graph.nodes.get(&input.node).filter(|stage| stage.key.slot != Slot::Gate) {
            barred = barred.or_else(|| bar(stage, &input));
            // Which rows of a stream are looked at is no question to a request.
            if !is_kept(stage) {
                stages.push(stage.key.clone());
            }
            input = origin(stage.inputs.first()?);
        }
        stages.reverse();
        let source = SourceSpec::of(graph, &input.node.decl)?;
        let NodeOp::Decode(decode) = &source.decode.op else { return None };
        let declared = |name: &Name| decode.columns.iter().any(|column| column.column.name == *name);
        Some(Way {
            task: task.clone(),
            source: source.name().clone(),
            columns: decode.columns.clone(),
            time: source.gate.schema.time.clone().filter(declared),
            target: Some(learn.task.target.column.name.clone()).filter(declared),
            stages,
            features: learn.task.door().map(|column| column.name.clone()).collect(),
            value: learn.task.target.column.clone(),
            direct: false,
            barred,
        })
    }

    fn all_null(&self, rows: usize, reason: &str) -> Asked {
        let values = new_null_array(&node::data_type(&self.value.ty), rows);
        Asked { version: None, values, scores: None, reason: Some(reason.to_owned()) }
    }
}

/// Why single rows cannot pass this stage in this version.
fn bar(stage: &NodeSpec, read: &crate::plan::Input) -> Option<String> {
    let NodeOp::Stage(op) = &stage.op else { return Some(format!("`{}` takes no rows of a request", stage.key)) };
    if read.outlet != ir::Outlet::Rows {
        return Some(format!("the task reads what leaves `{}` aside, which requests do not have", stage.key));
    }
    match &**op {
        ir::Op::Where { .. }
        | ir::Op::Set { .. }
        | ir::Op::Project { .. }
        | ir::Op::Scan { .. }
        | ir::Op::Predict(_)
        | ir::Op::Fill { .. }
        | ir::Op::Keep(_) => None,
        ir::Op::Join(join) => match join.kind {
            ir::JoinKind::Asof { .. } | ir::JoinKind::Lookup { .. } => None,
            ir::JoinKind::Interval { .. } => {
                Some(format!("`{}` waits for rows of another stream, and a request does not", stage.key))
            }
        },
        ir::Op::Unnest { .. } => Some(format!("`{}` makes several rows of one, and an answer belongs to one", stage.key)),
        ir::Op::Resample(_) => Some(format!("`{}` waits for other rows, and a request has its own only", stage.key)),
        ir::Op::Rank(_) => Some(format!("`{}` compares rows of a time, and a request has its own only", stage.key)),
        ir::Op::Window(_) => Some(format!("`{}` answers when a window ends, not for single rows", stage.key)),
        ir::Op::Union { .. } => Some(format!("`{}` joins several streams, and a request has rows of one source", stage.key)),
    }
}

impl Asker {
    /// Builds the copies.
    pub fn new(engine: &Engine, way: Way, parts: &dyn Parts) -> Result<Asker, NodeError> {
        let (mut copies, mut clock) = (Vec::new(), None);
        if way.barred.is_none() && !way.direct {
            let source = SourceSpec::of(&engine.graph, &way.source).ok_or_else(|| gone(&way.source))?;
            clock = computed_time(&source)
                .map(|spec| parts.node(&spec, std::slice::from_ref(&source.decode.schema)).map(Guarded::over))
                .transpose()?;
            for key in &way.stages {
                let spec = engine.graph.nodes.get(key).ok_or_else(|| gone(&key.decl))?;
                let schema = |input: &crate::plan::Input| {
                    let input = origin(input);
                    let found = engine.graph.nodes.get(&input.node).ok_or_else(|| gone(&input.node.decl))?;
                    Ok(found.schema.clone())
                };
                let inputs = spec.inputs.iter().map(schema).collect::<Result<Vec<_>, NodeError>>()?;
                let node = Guarded::over(parts.node(spec, &inputs)?);
                copies.push(Copy { key: key.clone(), node, remembers: remembers(spec) });
            }
        }
        Ok(Asker { way, generation: engine.generation, clock, copies })
    }

    /// Does it belong to the graph that runs?
    pub fn is_current(&self, engine: &Engine) -> bool {
        self.generation == engine.generation
    }
}

fn is_kept(spec: &NodeSpec) -> bool {
    matches!(&spec.op, NodeOp::Stage(op) if matches!(**op, ir::Op::Keep(_)))
}

fn remembers(spec: &NodeSpec) -> bool {
    match &spec.op {
        NodeOp::Stage(op) => match &**op {
            ir::Op::Where { .. }
            | ir::Op::Set { .. }
            | ir::Op::Project { .. }
            | ir::Op::Scan { .. }
            | ir::Op::Window(_)
            | ir::Op::Union { .. }
            | ir::Op::Predict(_)
            | ir::Op::Fill { .. }
            | ir::Op::Unnest { .. }
            | ir::Op::Keep(_)
            | ir::Op::Join(_)
            | ir::Op::Rank(_)
            | ir::Op::Resample(_) => op.remembers(),
        },
        NodeOp::Connection(_)
        | NodeOp::Decode(_)
        | NodeOp::Gate(_)
        | NodeOp::Task(_)
        | NodeOp::Accept(_)
        | NodeOp::Serve(_) => false,
    }
}

/// The gate computes some times from columns; the same is done by a stage that sets the hidden column.
fn computed_time(source: &SourceSpec) -> Option<NodeSpec> {
    let NodeOp::Gate(gate) = &source.gate.op else { return None };
    let ir::TimeSpec::Column { expr, .. } = &gate.time else { return None };
    let name = source.gate.schema.time.clone().filter(|name| source.decode.schema.get(name).is_none())?;
    let entry = ir::Entry { name, value: expr.clone(), span: Default::default() };
    Some(NodeSpec {
        op: NodeOp::Stage(Box::new(ir::Op::Set { entries: vec![entry] })),
        schema: source.gate.schema.clone(),
        ..source.gate.clone()
    })
}

impl Engine {
    /// Answers for `rows`, which have the way's columns in their order; `now` is the time of rows that have none of their
    /// own. Nothing of the running graph changes.
    pub fn ask(&mut self, asker: &mut Asker, rows: RecordBatch, now: Time) -> Result<Asked, Unasked> {
        let asked = rows.num_rows();
        fits(&asker.way, &rows)?;
        if let Some(reason) = &asker.way.barred {
            return Ok(asker.way.all_null(asked, reason));
        }
        let model = self.assignments.get(&asker.way.task).and_then(|assignment| assignment.at(self.next())).cloned();
        let model = model.ok_or(Unasked::NoModel)?;
        let first = self.next();
        let batch = if asker.way.direct { entered(rows, first, now) } else { self.gate(asker, rows, now)? };
        let batch = self.through(asker, batch)?;
        let predictions = model.predict(&features(&asker.way, &batch.rows)?)?;
        // Rows that a stage dropped have no answer; the others know by their ordinals which they were.
        let mut places: Vec<Option<u32>> = vec![None; asked];
        for (nth, ordinal) in batch.ordinals.to_column(batch.len()).iter().enumerate() {
            places[(ordinal - first.0) as usize] = u32::try_from(nth).ok();
        }
        let dropped = places.iter().filter(|place| place.is_none()).count();
        let places = UInt32Array::from(places);
        let values = take(&predictions.values, &places, None).map_err(failed)?;
        let scores = predictions.scores.map(|scores| take(&scores, &places, None)).transpose().map_err(failed)?;
        let scores = scores.map(|scores| scores.to_data().into());
        let reason = (dropped > 0).then(|| format!("{dropped} of {asked} rows are dropped on the way to `{}`", asker.way.task));
        Ok(Asked { version: Some(model.version().to_owned()), values, scores, reason })
    }

    /// The rows as if they had just come in: with their time, at the next ordinals.
    fn gate(&mut self, asker: &mut Asker, rows: RecordBatch, now: Time) -> Result<Batch, Unasked> {
        let first = self.next();
        let count = rows.num_rows();
        let batch = entered(rows, first, now);
        if let Some(clock) = &mut asker.clock {
            return one(clock.as_mut(), batch).map_err(Unasked::from);
        }
        let gate = SourceSpec::of(&self.graph, &asker.way.source).ok_or_else(|| gone(&asker.way.source))?.gate;
        let schema = node::schema(&gate.schema);
        let mut columns = batch.rows.columns().to_vec();
        for field in schema.fields().iter().skip(columns.len()) {
            let time: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![now.0; count]).with_timezone("UTC"));
            columns.push(if field.data_type() == time.data_type() { time } else { new_null_array(field.data_type(), count) });
        }
        let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(count));
        let rows = RecordBatch::try_new_with_options(schema, columns, &options).map_err(failed)?;
        Ok(batch.with_rows(rows))
    }

    /// Through all copies, each with the state of the node that it is a copy of.
    fn through(&mut self, asker: &mut Asker, mut batch: Batch) -> Result<Batch, NodeError> {
        for copy in &mut asker.copies {
            let slot = self.slot_mut(&copy.key).ok_or_else(|| gone(&copy.key.decl))?;
            if let Some(error) = &slot.failed {
                return Err(error.clone());
            }
            if copy.remembers {
                let state = slot.node.save()?;
                copy.node.load(state)?;
            }
            let task = slot.spec.predicts_by().cloned();
            let assignment = task.and_then(|task| self.assignments.get(&task));
            if let (Some(assignment), Some(predicts)) = (assignment, copy.node.predicts()) {
                predicts.assign(assignment.clone());
            }
            batch = one(copy.node.as_mut(), batch)?;
        }
        Ok(batch)
    }
}

/// A request that was read for another version of the source's columns is refused, not misread.
fn fits(way: &Way, rows: &RecordBatch) -> Result<(), NodeError> {
    let schema = rows.schema();
    let same = |(column, field): (&ir::SourceColumn, &Arc<arrow::datatypes::Field>)| {
        column.column.name == **field.name() && node::data_type(&column.column.ty) == *field.data_type()
    };
    let fits = way.columns.len() == schema.fields().len() && way.columns.iter().zip(schema.fields()).all(same);
    let changed = || NodeError::new(Code::R0006, format!("the columns of `{}` have just changed; ask again", way.source));
    fits.then_some(()).ok_or_else(changed)
}

fn entered(rows: RecordBatch, first: Ordinal, now: Time) -> Batch {
    let upto = first.plus(rows.num_rows());
    Batch { rows, ordinals: Ordinals::Range(first), upto, clock: Clock::still(now) }
}

/// The columns that the model reads, in its order.
fn features(way: &Way, rows: &RecordBatch) -> Result<RecordBatch, NodeError> {
    let schema = rows.schema();
    let place = |feature: &Name| schema.index_of(feature).map_err(failed);
    let wanted = way.features.iter().map(place).collect::<Result<Vec<usize>, NodeError>>()?;
    rows.project(&wanted).map_err(failed)
}

/// What one node makes of one batch.
fn one(node: &mut dyn Node, batch: Batch) -> Result<Batch, NodeError> {
    let mut out = Out::default();
    node.batch(0, batch, &mut out)?;
    let mut rows = out.batches.into_iter().filter(|(outlet, _)| *outlet == ir::Outlet::Rows).map(|(_, batch)| batch);
    rows.next().ok_or_else(|| NodeError::new(Code::R0001, "a stage sent nothing on"))
}

fn gone(name: &Name) -> NodeError {
    NodeError::new(Code::R0001, format!("`{name}` is not in the graph that runs"))
}

fn failed(error: arrow::error::ArrowError) -> NodeError {
    NodeError::new(Code::R0001, error.to_string())
}

/// Askers by task, made anew when the graph has changed.
#[derive(Default)]
pub struct Askers(BTreeMap<Name, Asker>);

impl Askers {
    pub fn ask(
        &mut self,
        engine: &mut Engine,
        parts: &dyn Parts,
        task: &Name,
        rows: RecordBatch,
        now: Time,
    ) -> Result<Asked, Unasked> {
        if self.0.get(task).is_none_or(|asker| !asker.is_current(engine)) {
            let way = Way::of(engine.graph(), task).ok_or_else(|| gone(task))?;
            self.0.insert(task.clone(), Asker::new(engine, way, parts)?);
        }
        let asker = self.0.get_mut(task).expect("it has just been made");
        engine.ask(asker, rows, now)
    }
}
