//! The parts of a graph that only remembers: nodes as they are, sources opened in a way of their own, and nothing that is written.

use crate::diag::Code;
use crate::io::{Keep, Position};
use crate::ir;
use crate::node::{Node, NodeError};
use crate::plan::NodeSpec;
use crate::runtime::feed::{Deliver, Feed, Parts, Side, SourceSpec};

/// How the sources of such a graph are opened.
pub(super) trait Sources {
    /// None where this end has nothing to tell.
    fn open(
        &self,
        parts: &dyn Parts,
        source: &SourceSpec,
        side: Side,
        from: Option<&Position>,
    ) -> Result<Option<Box<dyn Feed>>, NodeError>;
}

pub(super) struct Silent<'a, S> {
    pub parts: &'a dyn Parts,
    pub sources: S,
}

impl<S: Sources> Parts for Silent<'_, S> {
    fn node(&self, spec: &NodeSpec, inputs: &[ir::Schema]) -> Result<Box<dyn Node>, NodeError> {
        self.parts.node(spec, inputs)
    }

    fn bad(&self) -> ir::Schema {
        self.parts.bad()
    }

    fn deliver(&self, sink: &NodeSpec, _: Option<&Keep>) -> Result<Box<dyn Deliver>, NodeError> {
        Err(NodeError::new(Code::R0001, format!("nothing is written for `{}` while it is rebuilt", sink.key)))
    }

    fn feed(&self, source: &SourceSpec, side: Side, from: Option<&Position>) -> Result<Option<Box<dyn Feed>>, NodeError> {
        self.sources.open(self.parts, source, side, from)
    }
}
