//! What a file means, one row at a time: plan A up to each cut, plan B from it on.
//!
//! The oracle is told what entered, in order, and when the graph was changed. It knows nothing of batches, edges, tasks,
//! saved states or hashes, and it decides for itself what a node goes on remembering (`meaning`).

mod again;
mod change;
mod fate;
mod key;
mod meaning;
mod scan;
mod takeover;
mod value;
mod window;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use mliot::base::Name;
use mliot::ir::{Op, Outlet, Value, WindowOp};
use mliot::plan::{Graph, NodeKey, NodeOp, NodeSpec, Slot};
use mliot::runtime::{Life, Row};

use super::log::{Assigned, Happening};
use super::world::{Scripts, path};
use again::Reading;
use meaning::{Entries, Meaning};
use scan::Scan;
use window::{Came, Windows};

pub struct Oracle {
    life: Life,
    /// What stands in every file.
    scripts: Arc<Scripts>,
    /// How far every source has been read.
    reading: BTreeMap<Name, Reading>,
    /// Where rows are had once more: clocks that the running ones have not reached are not reached here.
    limits: BTreeMap<Name, i64>,
    /// The same of stages.
    stands: BTreeMap<NodeKey, i64>,
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
}

/// What leaves a node at one step.
#[derive(Clone, Debug, Default)]
struct Flow {
    rows: Vec<Row>,
    late: Vec<Row>,
    /// Its clock before and after; none if nothing comes from it any more.
    clock: Option<(i64, i64)>,
    ends: bool,
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
                looked_at.extend(flow.rows.iter().map(seen));
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
        Flow { rows, late: vec![], clock: Some((before, after)), ends: cell.ended }
    }

    fn node(&mut self, key: &NodeKey, entering: &Entering, flows: &BTreeMap<NodeKey, Flow>) -> Flow {
        let mut cell = self.cells.remove(key).expect("a cell for each node");
        let spec = self.graph.nodes[key].clone();
        let flow = self.through(&spec, &mut cell, entering, flows);
        self.cells.insert(key.clone(), cell);
        flow
    }

    fn through(&mut self, spec: &NodeSpec, cell: &mut Cell, entering: &Entering, flows: &BTreeMap<NodeKey, Flow>) -> Flow {
        let mut rows: Vec<Row> = Vec::new();
        let (mut before, mut after) = (None::<i64>, None::<i64>);
        for (from, outlet, ended) in &mut cell.inputs {
            let flow = match outlet {
                Outlet::Bad => bad_of(from, entering, flows),
                Outlet::Rows | Outlet::Late => flows.get(from).cloned().unwrap_or_default(),
            };
            let Some(clock) = flow.clock.filter(|_| !*ended) else { continue };
            rows.extend(if *outlet == Outlet::Late { flow.late } else { flow.rows });
            before = Some(before.map_or(clock.0, |low| low.min(clock.0)));
            after = Some(after.map_or(clock.1, |low| low.min(clock.1)));
            *ended = flow.ends;
        }
        let (Some(before), Some(after)) = (before, after) else { return Flow::default() };
        let clock = self.clock(spec, cell, (before, after));
        let mut out = Flow { clock: Some(clock), ..Flow::default() };
        // Behind an input that held it back, time goes on by itself, before the rows.
        self.act(spec, cell, vec![], (clock.0, clock.0), entering.ordinal, &mut out);
        self.act(spec, cell, rows, clock, entering.ordinal, &mut out);
        cell.clock = Some(clock.1);
        if cell.inputs.iter().all(|(.., ended)| *ended) {
            self.end(spec, cell, &mut out);
        }
        out
    }

    /// Of a node, before and after, given that of what it reads. It never goes back.
    fn clock(&self, spec: &NodeSpec, cell: &Cell, (before, after): (i64, i64)) -> (i64, i64) {
        let floor = cell.clock.unwrap_or(i64::MIN);
        let stands = self.stands.get(&spec.key).copied();
        let held = |clock: i64| stands.map_or(clock, |stands| clock.min(stands)).max(floor);
        let after = if self.rises { stands.unwrap_or(after) } else { after };
        (held(before), held(after))
    }

    fn end(&mut self, spec: &NodeSpec, cell: &mut Cell, out: &mut Flow) {
        (cell.ended, out.ends) = (true, true);
        if let (Some(op), Memory::Windows(windows), false) = (window(spec), &mut cell.memory, cell.failed) {
            windows.end(op, &spec.schema, &mut out.rows);
        }
    }

    fn act(&mut self, spec: &NodeSpec, cell: &mut Cell, rows: Vec<Row>, clock: (i64, i64), ordinal: u64, out: &mut Flow) {
        for row in rows {
            cell.failed |= cell.fails_after.is_some_and(|after| cell.rows >= after);
            cell.rows += 1;
            if !cell.failed {
                self.row(spec, cell, row, clock.0, ordinal, out);
            }
        }
        if let (Some(op), Memory::Windows(windows), false) = (window(spec), &mut cell.memory, cell.failed) {
            windows.fire(clock.1, op, &mut out.rows);
        }
    }

    fn row(&mut self, spec: &NodeSpec, cell: &mut Cell, mut row: Row, before: i64, ordinal: u64, out: &mut Flow) {
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
            (Op::Scan { .. } | Op::Window(_), _) => panic!("{} remembers", spec.key),
            (Op::Fill { .. } | Op::Unnest { .. } | Op::Keep(_) | Op::Join(_) | Op::Rank(_) | Op::Resample(_), _) => {
                panic!("no case has such a stage")
            }
        }
    }

    /// The time column of what a node reads.
    fn time_before(&self, spec: &NodeSpec) -> Name {
        let mut input = &spec.inputs[0];
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
            NodeOp::Stage(op) if let Op::Window(window) = &**op => Memory::Windows(Windows::of(window)),
            _ => Memory::Nothing,
        }
    }
}

/// Hidden columns are seen by no one.
fn seen(row: &Row) -> Row {
    row.iter().filter(|(name, _)| !name.starts_with('@')).map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn window(spec: &NodeSpec) -> Option<&WindowOp> {
    match &spec.op {
        NodeOp::Stage(op) if let Op::Window(window) = &**op => Some(window),
        _ => None,
    }
}

fn bad_of(from: &NodeKey, entering: &Entering, flows: &BTreeMap<NodeKey, Flow>) -> Flow {
    let gate = flows.get(&NodeKey::of_file(&from.decl, Slot::Gate)).cloned().unwrap_or_default();
    let own = entering.source == Some(&from.decl);
    Flow { rows: entering.bad.filter(|_| own).cloned().into_iter().collect(), late: vec![], ..gate }
}

fn time_of(row: &Row, column: &str) -> i64 {
    match row.get(column) {
        Some(Value::Time(time)) => time.0,
        other => panic!("{column} is {other:?}, no time, in {row:?}"),
    }
}
