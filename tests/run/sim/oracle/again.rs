//! What stages would remember, had the new plan been there from the beginning: it is run over the rows so far.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use mliot::base::Name;
use mliot::ir::Op;
use mliot::plan::{Connection, Graph, NodeKey, NodeOp, Slot};
use mliot::runtime::{Life, Row, Side};

use super::super::feed::decoded;
use super::super::log::{CutLog, Happening};
use super::super::rows::{Arrival, Raw, What};
use super::super::world::path;
use super::fate::{Fate, fates};
use super::meaning::Meaning;
use super::takeover::Again;
use super::{Entering, Oracle};

/// How far a source has been read, at the end that is read now.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reading {
    /// Rows, and what could not be read.
    records: usize,
    live: bool,
}

impl Oracle {
    /// Sources that are new or read from elsewhere begin here.
    pub(super) fn read_on(&mut self, cut: &CutLog) {
        let sources: BTreeSet<Name> = sources(&cut.graph).collect();
        self.reading.retain(|name, _| sources.contains(name) && !cut.reconnected.contains(name));
        let live = self.is_live();
        for name in sources {
            self.reading.entry(name).or_insert(Reading { records: 0, live });
        }
    }

    pub(super) fn go_live(&mut self) {
        self.reading.values_mut().for_each(|reading| *reading = Reading { records: 0, live: true });
    }

    pub(super) fn read(&mut self, source: &Name, records: usize) {
        self.reading.entry(source.clone()).or_default().records += records;
    }

    fn is_live(&self) -> bool {
        self.life == Life::Run && !self.mute
    }

    /// Of all stages that ask for it and can have it.
    pub(super) fn again(&self, cut: &CutLog, meaning: &Meaning) -> Again {
        let asking: Vec<&NodeKey> = cut.graph.nodes.keys().filter(|key| self.asks(key, cut, meaning)).collect();
        if self.graph.nodes.is_empty() || !cut.again || asking.is_empty() {
            return Again::new();
        }
        let part = above(&cut.graph, &asking);
        // One source that dies on the way takes all of it with it.
        if self.is_live() && sources(&part).any(|source| dies(&self.script(&part, &source, Side::Recorded))) {
            return Again::new();
        }
        let keys: BTreeSet<NodeKey> = asking.into_iter().cloned().collect();
        let stands = part.nodes.keys().filter_map(|key| {
            let cell = self.cells.get(&cut.before(key)?).filter(|_| matches!(key.slot, Slot::Stage { .. }))?;
            Some((key.clone(), (cell.clock?, !cell.ended)))
        });
        let stands = stands.collect();
        let mut again = self.run_again(part, stands);
        keys.into_iter().map(|key| (key.clone(), again.cells.remove(&key).expect("a node that ran").memory)).collect()
    }

    fn asks(&self, key: &NodeKey, cut: &CutLog, meaning: &Meaning) -> bool {
        let spec = &cut.graph.nodes[key];
        let from = cut.before(key).filter(|from| self.cells.contains_key(from));
        let old = from.as_ref().map(|from| (&self.graph.nodes[from], &self.meaning.entries[from]));
        let fates = fates(old, (spec, &meaning.entries[key]), true);
        let above = above(&cut.graph, &[key]);
        let predicts = above.nodes.values().any(|spec| matches!(&spec.op, NodeOp::Stage(op) if matches!(**op, Op::Predict(_))));
        let elsewhere = sources(&above).any(|source| cut.reconnected.contains(&source));
        let says_empty = spec.on_change == mliot::ir::OnChange::Empty;
        fates.values().any(|fate| *fate == Fate::Again) && !predicts && !elsewhere && !says_empty
    }

    /// `stands` are the clocks of stages that run: windows that they have told are told, and the others are still to come.
    fn run_again(&self, graph: Graph, stands: BTreeMap<NodeKey, (i64, bool)>) -> Oracle {
        let mut again = Oracle::new(self.life, self.scripts.clone());
        again.stands = stands;
        let clock = |name: &Name| Some((name.clone(), self.gate_of(name)?.clock?));
        let clocks: BTreeMap<Name, i64> = self.reading.keys().filter_map(clock).collect();
        again.limits = clocks.clone();
        again.mute = false;
        let start = CutLog { at: 0, graph: graph.clone(), again: false, ..CutLog::default() };
        again.cut(&start);
        let mut ordinal = 0;
        if self.is_live() {
            let recorded = |name: Name| (name.clone(), Rest::of(self.all(&graph, &name), false));
            again.merge(sources(&graph).map(recorded).collect(), &graph, &mut ordinal);
        }
        let now = |name: Name| (name.clone(), self.so_far(&graph, &name));
        again.merge(sources(&graph).map(now).collect(), &graph, &mut ordinal);
        let clocks = clocks.iter().filter(|(name, _)| graph.nodes.contains_key(&gate(name)));
        let silence = clocks.map(|(name, clock)| (name, *clock)).collect();
        again.step(&Entering { silence, ordinal, ..Entering::default() });
        again.rises = true;
        again.pass(&Entering { ordinal, ..Entering::default() });
        again
    }

    fn gate_of(&self, source: &Name) -> Option<&super::Cell> {
        self.cells.get(&gate(source))
    }

    /// All of a recording.
    fn all(&self, graph: &Graph, source: &Name) -> VecDeque<Raw> {
        raws(&self.script(graph, source, Side::Recorded))
    }

    /// What a source has given at the end that is read now; of one that is new, nothing.
    fn so_far(&self, graph: &Graph, source: &Name) -> Rest {
        let Some(reading) = self.reading.get(source) else { return Rest::default() };
        let script = self.script(graph, source, if reading.live { Side::Live } else { Side::Recorded });
        let ended = self.gate_of(source).is_some_and(|gate| gate.ended);
        Rest::of(raws(&script[..reading.records.min(script.len())]), ended)
    }

    fn script(&self, graph: &Graph, source: &Name, side: Side) -> Vec<Arrival> {
        let NodeOp::Connection(connection) = &graph.nodes[&NodeKey::of_file(source, Slot::Connection)].op else {
            panic!("a source has a connection")
        };
        let Connection { recorded, live, .. } = &**connection;
        let end = if side == Side::Live { live } else { recorded };
        let script = end.as_ref().and_then(|end| self.scripts.get(&path(end)));
        script.map_or_else(Vec::new, |script| script.to_vec())
    }

    /// The lowest head is next, ties by name; a source ends behind its last row.
    fn merge(&mut self, mut rest: BTreeMap<Name, Rest>, graph: &Graph, ordinal: &mut u64) {
        loop {
            let ends: Vec<Name> =
                rest.iter().filter(|(_, rest)| rest.ends && rest.rows.is_empty()).map(|(name, _)| name.clone()).collect();
            if !ends.is_empty() {
                ends.iter().for_each(|name| rest.get_mut(name).expect("it is there").ends = false);
                self.tell(&Happening::Ends { sources: ends, at: *ordinal });
            }
            let heads = rest.iter().filter_map(|(name, rest)| Some((rest.rows.front()?.at_ms, name.clone())));
            let Some((_, name)) = heads.min() else { return };
            let raw = rest.get_mut(&name).and_then(|rest| rest.rows.pop_front()).expect("a head");
            let row = row(graph, &name, &raw);
            self.step(&Entering { source: Some(&name), row: Some(&row), ordinal: *ordinal, ..Entering::default() });
            *ordinal += 1;
        }
    }
}

/// What is still to come from one source.
#[derive(Default)]
struct Rest {
    rows: VecDeque<Raw>,
    ends: bool,
}

impl Rest {
    fn of(rows: VecDeque<Raw>, ends: bool) -> Rest {
        Rest { rows, ends }
    }
}

fn gate(source: &Name) -> NodeKey {
    NodeKey::of_file(source, Slot::Gate)
}

fn sources(graph: &Graph) -> impl Iterator<Item = Name> {
    graph.nodes.keys().filter(|key| key.slot == Slot::Gate).map(|key| key.decl.clone())
}

fn row(graph: &Graph, source: &Name, raw: &Raw) -> Row {
    let NodeOp::Decode(decode) = &graph.nodes[&NodeKey::of_file(source, Slot::Decode)].op else { panic!("a source decodes") };
    decoded(raw, &decode.columns)
}

fn raws(script: &[Arrival]) -> VecDeque<Raw> {
    let raw = |arrival: &Arrival| if let What::Row(raw) = &arrival.what { Some(raw.clone()) } else { None };
    script.iter().filter_map(raw).collect()
}

fn dies(script: &[Arrival]) -> bool {
    script.iter().any(|arrival| matches!(arrival.what, What::Dies { .. }))
}

/// These nodes and all that their rows come from.
fn above(graph: &Graph, keys: &[&NodeKey]) -> Graph {
    let mut wanted: BTreeSet<NodeKey> = BTreeSet::new();
    let mut open: Vec<NodeKey> = keys.iter().map(|key| (*key).clone()).collect();
    while let Some(key) = open.pop() {
        if wanted.insert(key.clone()) {
            open.extend(graph.nodes[&key].inputs.iter().map(|input| input.node.clone()));
        }
    }
    let mut part = graph.clone();
    part.nodes.retain(|key, _| wanted.contains(key));
    part
}
