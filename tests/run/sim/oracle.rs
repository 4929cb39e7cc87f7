//! What a file means, one row at a time: plan A up to each cut, plan B from it on.
//!
//! The oracle is told what entered, in order, and when the graph was changed. It knows nothing of batches, edges, tasks,
//! saved states or hashes, and it decides for itself what a node goes on remembering (`meaning`).

mod again;
mod change;
mod fate;
mod flow;
mod join;
mod keep;
mod key;
mod meaning;
mod scan;
mod takeover;
mod top;
mod value;
mod window;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mliot::base::Name;
use mliot::ir::{Op, Outlet, Value};
use mliot::plan::{Graph, NodeKey, NodeOp, NodeSpec, Slot};
use mliot::runtime::{Life, Row};

use super::log::{Assigned, Happening};
use super::world::{Scripts, path};
use again::Reading;
use flow::{Flow, Free, Heard};
use join::Joining;
use keep::Keeping;
use meaning::{Entries, Meaning};
use scan::Scan;
use top::Ranking;
use window::{Came, Windows};

pub struct Oracle {
    life: Life,
    /// What stands in every file.
    scripts: Arc<Scripts>,
    /// How far every source has been read.
    reading: BTreeMap<Name, Reading>,
    /// Where rows are had once more: clocks that the running ones have not reached are not reached here.
    limits: BTreeMap<Name, i64>,
    /// The same of stages, and which of these have not ended.
    stands: BTreeMap<NodeKey, (i64, bool)>,
    /// All clocks go there.
    rises: bool,
    graph: Graph,
    order: Vec<NodeKey>,
    meaning: Meaning,
    cells: BTreeMap<NodeKey, Cell>,
    /// Everything that was to be written, by path and in order.
    pub written: BTreeMap<String, Vec<Row>>,
    /// Rows that left a node, from where it is first looked at.
    pub looked_at: BTreeMap<NodeKey, Vec<Row>>,
    /// Only warming up: sinks write nothing.
    mute: bool,
    models: Vec<Assigned>,
    resting: BTreeMap<NodeKey, Rested>,
    /// A clock may stand behind those that it follows until the next step.
    behind: bool,
}

/// What goes on from plan to plan under a name.
#[derive(Clone, Debug, Default)]
struct Cell {
    memory: Memory,
    /// How far its clock has got.
    clock: Option<i64>,
    /// By input: has it ended?
    inputs: Vec<(NodeKey, Outlet, bool)>,
    ended: bool,
    failed: bool,
    /// It fails after so many more rows of this plan.
    fails_after: Option<u64>,
    rows: u64,
}

/// What a removed name remembered.
#[derive(Debug)]
struct Rested {
    remembers: Entries,
    memory: Memory,
    /// The first ordinal that it has not seen.
    at: u64,
}

#[derive(Clone, Debug, Default)]
enum Memory {
    #[default]
    Nothing,
    Scan(Scan),
    Windows(Windows),
    Keep(Keeping),
    Join(Joining),
    Top(Ranking),
}

/// What enters at one step.
#[derive(Default)]
struct Entering<'a> {
    source: Option<&'a Name>,
    row: Option<&'a Row>,
    bad: Option<&'a Row>,
    /// Where silence moved the watermark of sources.
    silence: BTreeMap<&'a Name, i64>,
    ends: BTreeSet<&'a Name>,
    ordinal: u64,
}

impl Oracle {
    pub fn new(life: Life, scripts: Arc<Scripts>) -> Oracle {
        Oracle {
            life,
            scripts,
            reading: BTreeMap::new(),
            limits: BTreeMap::new(),
            stands: BTreeMap::new(),
            rises: false,
            graph: Graph::default(),
            order: Vec::new(),
            meaning: Meaning::default(),
            cells: BTreeMap::new(),
            written: BTreeMap::new(),
            looked_at: BTreeMap::new(),
            mute: life == Life::Run,
            models: Vec::new(),
            resting: BTreeMap::new(),
            behind: false,
        }
    }

    pub fn tell(&mut self, happening: &Happening) {
        match happening {
            Happening::Draw(draw) => {
                let step = || Entering { source: Some(&draw.source), ordinal: draw.first, ..Entering::default() };
                self.read(&draw.source, draw.rows.len() + draw.bad.len());
                for bad in &draw.bad {
                    self.step(&Entering { bad: Some(bad), ..step() });
                }
                for (row, ordinal) in draw.rows.iter().zip(draw.first..) {
                    self.step(&Entering { row: Some(row), ordinal, ..step() });
                }
                if let Some(to) = draw.silence_us {
                    self.step(&Entering { silence: BTreeMap::from([(&draw.source, to)]), ..step() });
                }
            }
            Happening::Ends { sources, at } => {
                self.step(&Entering { ends: sources.iter().collect(), ordinal: *at, ..Entering::default() });
                self.behind = true;
            }
            Happening::WentLive => {
                self.mute = false;
                self.go_live();
            }
            Happening::Failed(failure) => {
                let cell = self.cells.iter_mut().find(|(key, _)| key.to_string() == failure.node);
                cell.expect("a node that runs").1.fails_after = Some(failure.after);
            }
            Happening::Assigned(assigned) => self.assign(assigned.clone()),
            Happening::Cut(cut) => self.cut(cut),
        }
    }

    /// What was to come later is overruled.
    fn assign(&mut self, assigned: Assigned) {
        self.models.retain(|earlier| earlier.from < assigned.from);
        self.models.push(assigned);
    }

    /// Does anybody answer for the next row or a later one?
    pub fn model(&self, ordinal: u64) -> Option<&Assigned> {
        self.models.iter().rev().find(|assigned| assigned.from <= ordinal)
    }

    fn step(&mut self, entering: &Entering) {
        if std::mem::take(&mut self.behind) {
            self.pass(&Entering { ordinal: entering.ordinal, ..Entering::default() });
        }
        self.pass(entering);
    }

    fn pass(&mut self, entering: &Entering) {
        let mut flows: BTreeMap<NodeKey, Flow> = BTreeMap::new();
        for key in self.order.clone() {
            let flow = match key.slot {
                Slot::Gate => self.gate(&key, entering),
                Slot::Stage { .. } | Slot::Accept => self.node(&key, entering, &flows),
                Slot::Connection | Slot::Decode | Slot::Keep | Slot::Task | Slot::Serve => continue,
            };
            if let Some(looked_at) = self.looked_at.get_mut(&key) {
                looked_at.extend(flow.all().map(seen));
            }
            flows.insert(key, flow);
        }
    }

    fn gate(&mut self, key: &NodeKey, entering: &Entering) -> Flow {
        let NodeOp::Gate(gate) = &self.graph.nodes[key].op else { panic!("a gate") };
        let lateness = gate.limits.lateness.0;
        let cell = self.cells.get_mut(key).expect("a cell for each node");
        if cell.ended {
            return Flow::default();
        }
        let before = cell.clock.unwrap_or(i64::MIN);
        let own = entering.source == Some(&key.decl);
        let rows: Vec<Row> = entering.row.filter(|_| own).cloned().into_iter().collect();
        let silence = entering.silence.get(&key.decl).copied();
        let mark = rows.iter().map(|row| time_of(row, "at") - lateness).chain(silence).max();
        let mark = mark.map(|mark| self.limits.get(&key.decl).map_or(mark, |limit| mark.min(*limit)));
        let after = before.max(mark.unwrap_or(i64::MIN));
        (cell.clock, cell.ended) = (Some(after), entering.ends.contains(&key.decl));
        Flow { rows, clock: Some((before, after)), ends: cell.ended, ..Flow::default() }
    }

    fn node(&mut self, key: &NodeKey, entering: &Entering, flows: &BTreeMap<NodeKey, Flow>) -> Flow {
        let mut cell = self.cells.remove(key).expect("a cell for each node");
        let spec = self.graph.nodes[key].clone();
        let flow = self.through(&spec, &mut cell, entering, flows);
        self.cells.insert(key.clone(), cell);
        flow
    }

    fn through(&mut self, spec: &NodeSpec, cell: &mut Cell, entering: &Entering, flows: &BTreeMap<NodeKey, Flow>) -> Flow {
        let heard = Heard::of(cell, entering, flows);
        let is_kept_open = self.stands.get(&spec.key).is_some_and(|(_, open)| *open);
        let floor = cell.clock.unwrap_or(i64::MIN);
        let Some((stood, before, after)) = heard.clocks.or(is_kept_open.then_some((floor, floor, floor))) else {
            return Flow::default();
        };
        let clock = self.clock(spec, floor, (before, after));
        let stood = self.clock(spec, floor, (stood, stood)).0;
        let mut first = Flow::default();
        // Behind an input that held it back, time goes on by itself, before the rows.
        self.act(spec, cell, vec![], (stood, stood), entering.ordinal, &mut first);
        self.act(spec, cell, heard.free, (stood, clock.0), entering.ordinal, &mut first);
        let free = Free { rows: first.rows, late: first.late, from: behind(spec, (floor, floor)).0 };
        let mut out = Flow { clock: Some(behind(spec, clock)), free: Some(free), ..Flow::default() };
        self.act(spec, cell, heard.rows, clock, entering.ordinal, &mut out);
        cell.clock = Some(clock.1);
        if !is_kept_open && cell.inputs.iter().all(|(.., ended)| *ended) {
            self.end(spec, cell, &mut out);
        }
        out
    }

    /// Of a node, before and after, given that of what it reads. It never goes back.
    fn clock(&self, spec: &NodeSpec, floor: i64, (before, after): (i64, i64)) -> (i64, i64) {
        let stands = self.stands.get(&spec.key).map(|(clock, _)| *clock);
        let held = |clock: i64| stands.map_or(clock, |stands| clock.min(stands)).max(floor);
        let after = if self.rises { stands.unwrap_or(after) } else { after };
        (held(before), held(after))
    }

    fn end(&mut self, spec: &NodeSpec, cell: &mut Cell, out: &mut Flow) {
        (cell.ended, out.ends) = (true, true);
        let NodeOp::Stage(op) = &spec.op else { return };
        match (&**op, &mut cell.memory) {
            _ if cell.failed => {}
            (Op::Window(op), Memory::Windows(windows)) => windows.end(op, &spec.schema, &mut out.rows),
            (Op::Join(op), Memory::Join(joining)) => joining.let_go(i64::MAX, op, &mut out.rows),
            (Op::Rank(op), Memory::Top(ranking)) => ranking.let_go(i64::MAX, op, &mut out.rows),
            _ => {}
        }
        out.rows.iter_mut().for_each(|row| complete(row, spec));
    }

    /// Rows with the number of the input that they come in at.
    fn act(
        &mut self,
        spec: &NodeSpec,
        cell: &mut Cell,
        rows: Vec<(usize, Row)>,
        clock: (i64, i64),
        ordinal: u64,
        out: &mut Flow,
    ) {
        for (port, row) in rows {
            cell.failed |= cell.fails_after.is_some_and(|after| cell.rows >= after);
            cell.rows += 1;
            if !cell.failed {
                self.row(spec, cell, (port, row), clock.0, ordinal, out);
            }
        }
        if !cell.failed {
            cell.memory.fire(spec, clock, &mut out.rows);
        }
        if spec.inputs.len() > 1 || cell.memory.waits() {
            out.rows.iter_mut().for_each(|row| complete(row, spec));
        }
    }

    fn row(
        &mut self,
        spec: &NodeSpec,
        cell: &mut Cell,
        (port, mut row): (usize, Row),
        before: i64,
        ordinal: u64,
        out: &mut Flow,
    ) {
        let NodeOp::Stage(op) = &spec.op else { return self.accept(spec, row) };
        match (&**op, &mut cell.memory) {
            (Op::Where { predicate }, _) => {
                if value::evaluate(predicate, &row, &[]) == Value::Bool(true) {
                    out.rows.push(row);
                }
            }
            (Op::Set { entries }, _) => {
                for entry in entries {
                    row.insert(entry.name.clone(), value::evaluate(&entry.value, &row, &[]));
                }
                out.rows.push(row);
            }
            (Op::Project { entries }, _) => {
                let entry = |entry: &mliot::ir::Entry| (entry.name.clone(), value::evaluate(&entry.value, &row, &[]));
                out.rows.push(entries.iter().map(entry).collect());
            }
            (Op::Union { .. }, _) => out.rows.push(row),
            (Op::Predict(predict), _) => {
                let model = self.model(ordinal).and_then(|assigned| assigned.model.as_ref());
                let guess = model.map_or(Value::Null, |model| model.guess(predict.features.iter().map(|name| &row[name])));
                let version = model.map_or(Value::Null, |model| Value::Text(model.version.as_str().into()));
                row.extend([("guess".into(), guess), ("guess_version".into(), version)]);
                out.rows.push(row);
            }
            (Op::Scan { by, entries }, Memory::Scan(scan)) => {
                let time = time_of(&row, spec.schema.time.as_deref().expect("rows have a time"));
                scan.row(&mut row, time, by, entries);
                out.rows.push(row);
            }
            (Op::Window(op), Memory::Windows(windows)) => {
                let time = time_of(&row, &self.time_before(spec));
                match windows.row(&row, time, before, op, &spec.schema, &mut out.rows) {
                    Came::Late => out.late.push(row),
                    Came::In | Came::Nowhere => {}
                }
            }
            (Op::Fill { entries }, _) => {
                let filled: Vec<Value> = entries.iter().map(|entry| value::evaluate(&entry.value, &row, &[])).collect();
                row.extend(entries.iter().map(|entry| entry.name.clone()).zip(filled));
                out.rows.push(row);
            }
            (Op::Unnest { column }, _) => {
                let Value::List(items) = row[column].clone() else { return };
                out.rows.extend(
                    items.into_iter().map(|item| row.clone().into_iter().chain([(column.clone(), item)]).collect::<Row>()),
                );
            }
            (Op::Keep(op), Memory::Keep(keeping)) => {
                let time = spec.schema.time.as_deref().map(|time| time_of(&row, time));
                if keeping.passes(&row, time, before, op) {
                    out.rows.push(row);
                }
            }
            (Op::Join(op), Memory::Join(joining)) => {
                let time = time_of(&row, &self.time_at(spec, port));
                match port {
                    0 => joining.left(row, time, before, op, &mut out.rows),
                    _ => joining.right(&row, time, before, op, &mut out.rows),
                }
            }
            (Op::Rank(op), Memory::Top(ranking)) => {
                let time = time_of(&row, &self.time_before(spec));
                ranking.row(row, time, before, op);
            }
            (Op::Resample(_), _) => panic!("no case resamples"),
            (Op::Scan { .. } | Op::Window(_) | Op::Keep(_) | Op::Join(_) | Op::Rank(_), _) => panic!("{} remembers", spec.key),
        }
    }

    /// The time column of what a node reads.
    fn time_before(&self, spec: &NodeSpec) -> Name {
        self.time_at(spec, 0)
    }

    fn time_at(&self, spec: &NodeSpec, port: usize) -> Name {
        let mut input = &spec.inputs[port];
        while input.outlet == Outlet::Late {
            input = &self.graph.nodes[&input.node].inputs[0];
        }
        self.graph.nodes[&input.node].schema.time.clone().expect("rows have a time")
    }

    fn accept(&mut self, spec: &NodeSpec, row: Row) {
        let NodeOp::Accept(accept) = &spec.op else { panic!("{} takes no rows", spec.key) };
        if self.mute {
            return;
        }
        let visible = spec.schema.visible().map(|column| (column.name.clone(), row.get(&column.name).cloned()));
        let row = visible.map(|(name, value)| (name, value.unwrap_or(Value::Null))).collect();
        self.written.entry(path(&accept.connector)).or_default().push(row);
    }
}

impl Memory {
    fn of(spec: &NodeSpec) -> Memory {
        match &spec.op {
            NodeOp::Stage(op) if matches!(**op, Op::Scan { .. }) => Memory::Scan(Scan::default()),
            NodeOp::Stage(op) => match &**op {
                Op::Window(window) => Memory::Windows(Windows::of(window)),
                Op::Keep(_) => Memory::Keep(Keeping::default()),
                Op::Join(_) => Memory::Join(Joining::default()),
                Op::Rank(_) => Memory::Top(Ranking::default()),
                _ => Memory::Nothing,
            },
            _ => Memory::Nothing,
        }
    }

    /// Do rows leave it later than they came?
    fn waits(&self) -> bool {
        matches!(self, Memory::Join(_) | Memory::Top(_))
    }

    /// What time lets go. Rows that wait as they came in wait for time to move.
    fn fire(&mut self, spec: &NodeSpec, (before, after): (i64, i64), out: &mut Vec<Row>) {
        let NodeOp::Stage(op) = &spec.op else { return };
        match (&**op, self) {
            (Op::Window(op), Memory::Windows(windows)) => windows.fire(after, after > before, op, out),
            (Op::Join(op), Memory::Join(joining)) if after > before => joining.let_go(after, op, out),
            (Op::Rank(op), Memory::Top(ranking)) if after > before => ranking.let_go(after, op, out),
            _ => {}
        }
    }
}

/// Behind a stage that lets rows go so much later than their time.
fn behind(spec: &NodeSpec, (before, after): (i64, i64)) -> (i64, i64) {
    let by = match &spec.op {
        NodeOp::Stage(op) => match &**op {
            Op::Join(op) => join::reach(op),
            Op::Rank(op) => op.within.0,
            _ => 0,
        },
        _ => 0,
    };
    let back = |time: i64| if time == i64::MIN { time } else { time - by };
    (back(before), back(after))
}

/// What waited while columns came or went has null in those that it did not have.
fn complete(row: &mut Row, spec: &NodeSpec) {
    for column in &spec.schema.columns {
        row.entry(column.name.clone()).or_insert(Value::Null);
    }
}

/// Hidden columns are seen by no one.
fn seen(row: &Row) -> Row {
    row.iter().filter(|(name, _)| !name.starts_with('@')).map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn time_of(row: &Row, column: &str) -> i64 {
    match row.get(column) {
        Some(Value::Time(time)) => time.0,
        other => panic!("{column} is {other:?}, no time, in {row:?}"),
    }
}
