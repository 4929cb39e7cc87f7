//! The parts of a simulated graph: real nodes under observation, and scripted sources.

use std::collections::BTreeMap;
use std::sync::Arc;

use mliot::base::Name;
use mliot::diag::Code;
use mliot::io::{Keep, Position};
use mliot::ir::{self, Connector, JoinKind, Op, Table, Type, Value};
use mliot::node::{Batch, Node, NodeError, Ordinal, Out, Port, State};
use mliot::plan::{NodeOp, NodeSpec};
use mliot::runtime::{Deliver, Feed, Kept, Parts, Row, Side, SourceSpec, to_table};

use super::feed::SimFeed;
use super::ledger::{Aside, Fault, Ledger, MADE};
use super::rows::Arrival;
use super::sheet;
use super::watch::Watched;

/// Scripts by the path that a source names.
pub type Scripts = BTreeMap<String, Arc<[Arrival]>>;

pub struct SimWorld {
    pub ledger: Ledger,
    pub scripts: Arc<Scripts>,
    /// Can sources be read once more?
    pub rereads: bool,
}

impl Parts for SimWorld {
    fn node(&self, spec: &NodeSpec, inputs: &[ir::Schema]) -> Result<Box<dyn Node>, NodeError> {
        if self.ledger.fails(Fault::Build) {
            return Err(NodeError::new(Code::R0001, MADE));
        }
        Ok(Box::new(Watched::new(built(spec, inputs)?, spec, &self.ledger)))
    }

    fn bad(&self) -> ir::Schema {
        bad()
    }

    fn deliver(&self, _: &NodeSpec, _: Option<&Keep>) -> Result<Box<dyn Deliver>, NodeError> {
        Ok(Box::new(Kept::default()))
    }

    fn feed(&self, source: &SourceSpec, side: Side, from: Option<&Position>) -> Result<Option<Box<dyn Feed>>, NodeError> {
        let Some(connector) = source.end(side) else { return Ok(None) };
        if self.ledger.fails(Fault::Open) {
            return Err(NodeError::new(Code::R0711, MADE));
        }
        self.ledger.book().opened.push((source.name().clone(), side, path(connector).as_str().into()));
        Ok(Some(Box::new(SimFeed::open(&self.ledger, side, self.script(connector), source, bad(), from))))
    }

    fn reread(&self, source: &SourceSpec, side: Side) -> Result<Option<Box<dyn Feed>>, NodeError> {
        let Some(connector) = source.end(side).filter(|_| self.rereads) else { return Ok(None) };
        if self.ledger.fails(Fault::Reread) {
            return Err(NodeError::new(Code::R0711, MADE));
        }
        Ok(Some(Box::new(SimFeed::again(&self.ledger, side, self.script(connector), source, bad()))))
    }
}

impl SimWorld {
    /// For whoever rebuilds beside the running graph.
    pub fn aside(&self) -> AsideWorld<'_> {
        AsideWorld(self)
    }

    /// What a source reads at one of its ends.
    pub fn script(&self, connector: &Connector) -> Arc<[Arrival]> {
        self.scripts.get(&path(connector)).cloned().unwrap_or_else(|| Arc::from([]))
    }
}

/// The same parts, but that nobody watches what is rebuilt: it is no part of the running graph.
pub struct AsideWorld<'a>(&'a SimWorld);

impl Parts for AsideWorld<'_> {
    fn node(&self, spec: &NodeSpec, inputs: &[ir::Schema]) -> Result<Box<dyn Node>, NodeError> {
        let _alive = Aside::new(&self.0.ledger);
        Ok(Box::new(Unwatched { inner: built(spec, inputs)?, _alive }))
    }

    fn bad(&self) -> ir::Schema {
        bad()
    }

    fn deliver(&self, _: &NodeSpec, _: Option<&Keep>) -> Result<Box<dyn Deliver>, NodeError> {
        Err(NodeError::new(Code::R0001, "what is rebuilt has no sinks"))
    }

    fn feed(&self, _: &SourceSpec, _: Side, _: Option<&Position>) -> Result<Option<Box<dyn Feed>>, NodeError> {
        Err(NodeError::new(Code::R0001, "what is rebuilt opens no connection"))
    }

    fn reread(&self, source: &SourceSpec, side: Side) -> Result<Option<Box<dyn Feed>>, NodeError> {
        self.0.reread(source, side)
    }
}

/// Counts as long as it lives, and nothing else.
struct Unwatched {
    inner: Box<dyn Node>,
    _alive: Aside,
}

impl Node for Unwatched {
    fn batch(&mut self, port: Port, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        self.inner.batch(port, batch, out)
    }

    fn end(&mut self, at: Ordinal, out: &mut Out) -> Result<(), NodeError> {
        self.inner.end(at, out)
    }

    fn save(&mut self) -> Result<State, NodeError> {
        self.inner.save()
    }

    fn load(&mut self, state: State) -> Result<(), NodeError> {
        self.inner.load(state)
    }
}

/// The real node of a spec; a table is what its file says.
pub fn built(spec: &NodeSpec, inputs: &[ir::Schema]) -> Result<Box<dyn Node>, NodeError> {
    match table_of(spec) {
        Some(table) => mliot::ops::lookup(spec, inputs, &to_table(&table.schema, &table_rows(table))?),
        None => mliot::ops::build(spec, inputs),
    }
}

fn table_of(spec: &NodeSpec) -> Option<&Table> {
    let NodeOp::Stage(op) = &spec.op else { return None };
    let Op::Join(join) = &**op else { return None };
    if let JoinKind::Lookup { table } = &join.kind { Some(table) } else { None }
}

/// What stands in the file of a table.
pub fn table_rows(table: &Table) -> Vec<Row> {
    let version = sheet::version_of(&path(&table.recorded)).expect("the only table of the simulator");
    let row = |(key, area): (char, i64)| -> Row {
        let key = Value::Text(key.to_string().as_str().into());
        [(Name::from("key"), key), (Name::from("area"), Value::Float(area as f64 / 4.0))].into()
    };
    sheet::places(version).into_iter().map(row).collect()
}

/// The columns of what could not be read.
pub fn bad() -> ir::Schema {
    let text = |name: &str| ir::Column { name: name.into(), ty: Type::Text, nullable: false, span: Default::default() };
    ir::Schema { columns: vec![text("reason"), text("raw"), text("origin")], ..ir::Schema::default() }
}

/// Where a source reads, or a sink writes.
pub fn path(connector: &Connector) -> String {
    match connector {
        Connector::File(file) => file.path.to_string(),
        other => panic!("{other:?} is not written by the simulator"),
    }
}
