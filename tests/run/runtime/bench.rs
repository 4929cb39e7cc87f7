//! A graph on the bench: sources in memory, sinks that keep what they get, and the two together for any edit.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use mliot::base::{Name, Time};
use mliot::io::{Keep, Position};
use mliot::ir;
use mliot::node::{Node, NodeError, Ordinal, State};
use mliot::plan::{Graph, NodeKey, NodeSpec};
use mliot::runtime::{
    Deliver, Drawn, Engine, Feed, FeedCounts, Head, Kept, MemoryFeed, Parts, Progress, Row, Rows, Settings, Side, SourceSpec,
    from_table, to_table,
};

use super::reference;

/// Which nodes are on the bench.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Nodes {
    /// As plain as can be.
    #[default]
    Reference,
    Real,
}

pub type Build = fn() -> Box<dyn Node>;

/// Parts of the bench. Rows outlive the engines that read them only as long as nobody has.
#[derive(Default)]
pub struct World {
    pub nodes: Nodes,
    /// A node that is built in the place of the one that is called so.
    pub instead: Option<(&'static str, Build)>,
    pub recorded: RefCell<BTreeMap<Name, Rows>>,
    pub live: RefCell<BTreeMap<Name, Rows>>,
    /// Nodes that cannot be built: a fault in preparing.
    pub refuses: RefCell<Option<String>>,
    /// A source that fails after so many rows.
    pub breaks: RefCell<Option<(Name, usize)>>,
    /// Feeds and nodes that were made, to see what an edit touches.
    pub opened: Cell<usize>,
    /// Can no source be read again?
    pub forgets: Cell<bool>,
    pub built: RefCell<Vec<String>>,
}

impl World {
    pub fn rows(&self, source: &str, side: Side) -> Rows {
        let all = match side {
            Side::Recorded => &self.recorded,
            Side::Live => &self.live,
        };
        all.borrow_mut().entry(source.into()).or_insert_with(Rows::kept).clone()
    }

    /// A world whose recordings are these rows, in batches of their own.
    pub fn with(recordings: &BTreeMap<Name, Vec<Row>>, nodes: Nodes) -> World {
        let world = World { nodes, ..World::default() };
        for (source, rows) in recordings {
            world.give(source, rows);
            world.rows(source, Side::Recorded).close();
        }
        world
    }

    pub fn give(&self, source: &str, rows: &[Row]) {
        let schema = super::program::Pipe::new().columns();
        self.rows(source, Side::Recorded).give(to_table(&schema, rows).expect("rows of the bench are well formed"));
    }
}

impl Parts for World {
    fn node(&self, spec: &NodeSpec, inputs: &[ir::Schema]) -> Result<Box<dyn Node>, NodeError> {
        if self.refuses.borrow().as_ref().is_some_and(|key| *key == spec.key.to_string()) {
            return Err(NodeError::new(mliot::diag::Code::R0001, "this node cannot be built"));
        }
        self.built.borrow_mut().push(spec.key.to_string());
        if let Some((_, build)) = self.instead.filter(|(key, _)| *key == spec.key.to_string()) {
            return Ok(build());
        }
        match self.nodes {
            Nodes::Reference => reference::build(spec, inputs),
            Nodes::Real => Ok(Box::new(reference::Refusing(mliot::ops::build(spec, inputs)?))),
        }
    }

    fn bad(&self) -> ir::Schema {
        ir::Schema::default()
    }

    fn deliver(&self, _: &NodeSpec, _: Option<&Keep>) -> Result<Box<dyn Deliver>, NodeError> {
        Ok(Box::new(Kept::default()))
    }

    fn feed(&self, source: &SourceSpec, side: Side, _: Option<&Position>) -> Result<Option<Box<dyn Feed>>, NodeError> {
        if source.end(side).is_none() {
            return Ok(None);
        }
        self.opened.set(self.opened.get() + 1);
        let feed = MemoryFeed::new(self.rows(source.name(), side), source.gate);
        match &*self.breaks.borrow() {
            Some((name, after)) if name == source.name() => Ok(Some(Box::new(Breaking { feed, left: *after }))),
            _ => Ok(Some(Box::new(feed))),
        }
    }

    fn reread(&self, source: &SourceSpec, side: Side) -> Result<Option<Box<dyn Feed>>, NodeError> {
        Ok(again(self, source, side).map(|feed| Box::new(feed) as Box<dyn Feed>))
    }
}

fn again(world: &World, source: &SourceSpec, side: Side) -> Option<MemoryFeed> {
    source.end(side)?;
    (!world.forgets.get()).then(|| MemoryFeed::again(world.rows(source.name(), side), source.gate)).flatten()
}

/// Reads so many rows, then fails for good.
struct Breaking {
    feed: MemoryFeed,
    left: usize,
}

impl Feed for Breaking {
    fn head(&mut self) -> Result<Head, NodeError> {
        self.feed.head()
    }

    fn take(&mut self, rows_max: usize, until: Option<Time>, first: Ordinal) -> Result<Drawn, NodeError> {
        if self.left == 0 {
            return Err(NodeError::new(mliot::diag::Code::R0711, "the line is dead"));
        }
        let drawn = self.feed.take(rows_max.min(self.left), until, first)?;
        self.left -= drawn.rows.len();
        Ok(drawn)
    }

    fn retune(&mut self, source: &SourceSpec) -> Result<(), NodeError> {
        self.feed.retune(source)
    }

    fn counts(&self) -> FeedCounts {
        self.feed.counts()
    }

    fn position(&self) -> Option<mliot::io::Position> {
        self.feed.position()
    }

    fn follow(&mut self, before: &mliot::io::Position) {
        self.feed.follow(before);
    }
}

/// A running graph and all that its sinks have accepted so far.
pub struct Bench<'a> {
    pub world: &'a World,
    pub engine: Engine,
    pub sinks: BTreeMap<Name, Vec<Row>>,
}

impl<'a> Bench<'a> {
    pub fn start(world: &'a World, graph: &Graph, batch_rows_max: usize) -> Bench<'a> {
        Bench::with(world, graph, Settings { batch_rows_max, ..Settings::default() })
    }

    pub fn with(world: &'a World, graph: &Graph, settings: Settings) -> Bench<'a> {
        let engine = Engine::start(settings, graph, world).expect("the graph starts");
        Bench { world, engine, sinks: BTreeMap::new() }
    }

    /// To the end, or until nothing more comes.
    pub fn finish(&mut self) {
        while matches!(self.step(None), Progress::Rows(_) | Progress::Blocked) {}
    }

    /// Up to this ordinal, which may lie inside a batch.
    pub fn run_to(&mut self, at: u64) {
        let stop = Ordinal(at);
        while self.engine.next() < stop && matches!(self.step(Some(stop)), Progress::Rows(_) | Progress::Blocked) {}
    }

    fn step(&mut self, stop: Option<Ordinal>) -> Progress {
        let progress = self.engine.step_until(stop);
        for outbox in self.engine.outboxes_mut() {
            while let Some(rows) = outbox.take() {
                self.sinks.entry(outbox.sink.clone()).or_default().extend(from_table(&rows));
            }
        }
        assert_eq!(self.engine.in_flight(), 0, "between two steps nothing is under way");
        progress
    }

    /// The books of every node and edge balance, and nothing failed.
    pub fn check(&mut self) {
        let findings = self.engine.take_findings();
        assert!(findings.is_empty(), "{findings:?}");
        for node in self.engine.node_reports() {
            let accounted = node.passed + node.absorbed + node.dropped.values().sum::<u64>();
            assert_eq!(node.input, accounted, "{node:?}");
        }
        for edge in self.engine.edge_reports() {
            assert_eq!(edge.sent, edge.received, "{edge:?}");
        }
    }

    pub fn states(&mut self) -> BTreeMap<NodeKey, State> {
        let keys: Vec<NodeKey> = self.engine.slots().map(|slot| slot.key.clone()).collect();
        let save = |key: NodeKey| {
            let slot = self.engine.slot_mut(&key).expect("a node that runs");
            let state = slot.node.save().expect("nodes of the bench can save");
            (key, state)
        };
        keys.into_iter().map(save).collect()
    }
}
