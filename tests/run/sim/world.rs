//! The parts of a simulated graph: real nodes under observation, and scripted sources.

use std::collections::BTreeMap;
use std::sync::Arc;

use mliot::diag::Code;
use mliot::io::{Keep, Position};
use mliot::ir::{self, Connector, Type};
use mliot::node::{Node, NodeError};
use mliot::plan::NodeSpec;
use mliot::runtime::{Deliver, Feed, Kept, Parts, Side, SourceSpec};

use super::feed::SimFeed;
use super::ledger::{Fault, Ledger, MADE};
use super::rows::Arrival;
use super::watch::Watched;

/// Scripts by the path that a source names.
pub type Scripts = BTreeMap<String, Arc<[Arrival]>>;

pub struct SimWorld {
    pub ledger: Ledger,
    pub scripts: Scripts,
}

impl Parts for SimWorld {
    fn node(&self, spec: &NodeSpec, inputs: &[ir::Schema]) -> Result<Box<dyn Node>, NodeError> {
        if self.ledger.fails(Fault::Build) {
            return Err(NodeError::new(Code::R0001, MADE));
        }
        Ok(Box::new(Watched::new(mliot::ops::build(spec, inputs)?, spec, &self.ledger)))
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
        let path = path(connector);
        self.ledger.book().opened.push((source.name().clone(), side, path.as_str().into()));
        let script = self.scripts.get(&path).cloned().unwrap_or_else(|| Arc::from([]));
        Ok(Some(Box::new(SimFeed::open(&self.ledger, side, script, source, bad(), from))))
    }
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
