//! The real parts of a running graph: nodes from `ops`, sources and sinks from `io`.

use crate::base::{Name, Time};
use crate::diag::Diagnostic;
use crate::io::{self, End, Intake, IoError, Mode, Pending, Place};
use crate::ir::{self, Type};
use crate::node::{Node, NodeError, Ordinal};
use crate::ops;
use crate::plan::{Connection, Decode, Gate, NodeOp, NodeSpec};
use crate::runtime::{Again, Deliver, Drawn, Feed, FeedCounts, Head, History, Parts, Side, SourceSpec};

use super::state::LogHistory;

/// Builds everything for real, in one place of the world.
#[derive(Clone, Debug)]
pub struct Machines {
    pub place: Place,
    /// Are files of sinks written anew, or appended to?
    pub sinks: Mode,
}

impl Parts for Machines {
    fn node(&self, spec: &NodeSpec, inputs: &[ir::Schema]) -> Result<Box<dyn Node>, NodeError> {
        match table_of(spec) {
            Some(table) => ops::lookup(spec, inputs, &io::table(table, &self.place)?),
            None => ops::build(spec, inputs),
        }
    }

    fn bad(&self) -> ir::Schema {
        let text = |name: &str| ir::Column { name: name.into(), ty: Type::Text, nullable: false, span: Default::default() };
        ir::Schema { columns: vec![text("reason"), text("raw"), text("origin")], ..ir::Schema::default() }
    }

    fn deliver(&self, sink: &NodeSpec, keep: Option<&io::Keep>) -> Result<Box<dyn Deliver>, NodeError> {
        let NodeOp::Accept(accept) = &sink.op else { return Err(no_such_part(sink)) };
        let outer = io::deliver(&sink.key.decl, accept, &sink.schema, &self.place, self.sinks, keep)?;
        Ok(Box::new(Outer(outer)))
    }

    fn feed(&self, source: &SourceSpec, side: Side, from: Option<&io::Position>) -> Result<Option<Box<dyn Feed>>, NodeError> {
        if source.end(side).is_none() {
            return Ok(None);
        }
        let Described { name, connection, decode, gate, schema } = Described::of(source)?;
        let end = End { mode: mode(side), from };
        let intake = Intake::open(name, connection, decode, gate, schema, &self.place, end)?;
        Ok(Some(Box::new(Door(intake))))
    }

    fn past(&self, source: &SourceSpec, side: Side, from: &io::Position) -> Result<Option<Box<dyn Feed>>, NodeError> {
        if source.end(side).is_none() {
            return Ok(None);
        }
        let Described { name, connection, decode, gate, schema } = Described::of(source)?;
        let intake = Intake::again(name, connection, decode, gate, schema, &self.place, (mode(side), from))?;
        Ok(Some(Box::new(Door(intake))))
    }

    fn history(&self) -> Option<Box<dyn History>> {
        let live = self.place.live.as_ref()?;
        Some(Box::new(LogHistory::of(live.state())))
    }

    fn reread(&self, source: &SourceSpec, side: Side) -> Result<Option<Box<dyn Feed>>, NodeError> {
        match source.end(side) {
            Some(ir::Connector::File(_) | ir::Connector::Simulate(_)) => self.feed(source, side, None),
            Some(
                ir::Connector::Tail(_)
                | ir::Connector::Stdin { .. }
                | ir::Connector::Stdout { .. }
                | ir::Connector::Http { .. }
                | ir::Connector::Post(_)
                | ir::Connector::Later { .. },
            )
            | None => Ok(None),
        }
    }
}

/// The reference data that a stage looks up.
fn table_of(spec: &NodeSpec) -> Option<&ir::Table> {
    let NodeOp::Stage(op) = &spec.op else { return None };
    let ir::Op::Join(join) = &**op else { return None };
    if let ir::JoinKind::Lookup { table } = &join.kind { Some(table) } else { None }
}

/// A source's three nodes, taken apart.
struct Described<'a> {
    name: &'a Name,
    connection: &'a Connection,
    decode: &'a Decode,
    gate: &'a Gate,
    schema: &'a ir::Schema,
}

impl<'a> Described<'a> {
    fn of(source: &SourceSpec<'a>) -> Result<Described<'a>, NodeError> {
        let NodeOp::Connection(connection) = &source.connection.op else { return Err(no_such_part(source.connection)) };
        let NodeOp::Decode(decode) = &source.decode.op else { return Err(no_such_part(source.decode)) };
        let NodeOp::Gate(gate) = &source.gate.op else { return Err(no_such_part(source.gate)) };
        Ok(Described { name: source.name(), connection, decode, gate, schema: &source.gate.schema })
    }
}

/// An intake as the engine sees it.
struct Door(Intake);

impl Feed for Door {
    fn head(&mut self) -> Result<Head, NodeError> {
        Ok(match self.0.pending().map_err(IoError::diagnostic)? {
            Pending::Rows { next } => Head::Row(next),
            Pending::Idle { .. } => Head::Waiting,
            Pending::End => Head::Ended,
        })
    }

    fn take(&mut self, rows_max: usize, until: Option<Time>, first: Ordinal) -> Result<Drawn, NodeError> {
        let taken = self.0.take(rows_max, until, first).map_err(IoError::diagnostic)?;
        Ok(drawn(taken))
    }

    fn retune(&mut self, source: &SourceSpec) -> Result<(), NodeError> {
        let Described { decode, gate, schema, .. } = Described::of(source)?;
        Ok(self.0.retune(decode, gate, schema)?)
    }

    fn counts(&self) -> FeedCounts {
        let counts = self.0.counts().clone();
        FeedCounts { connection: counts.connection, decode: counts.decode, gate: counts.gate }
    }

    fn position(&self) -> Option<io::Position> {
        Some(self.0.position())
    }

    fn follow(&mut self, before: &io::Position) {
        self.0.follow(before);
    }

    fn take_notes(&mut self) -> Vec<Diagnostic> {
        self.0.take_notes()
    }

    fn again(&mut self) -> Option<&mut dyn Again> {
        Some(self)
    }
}

impl Again for Door {
    fn rereads(&self) -> bool {
        self.0.rereads()
    }

    fn redo(&mut self, draw: &io::Draw, first: Ordinal) -> Result<Drawn, NodeError> {
        Ok(drawn(self.0.redo(draw, first).map_err(IoError::diagnostic)?))
    }

    fn acknowledge(&mut self, upto: &io::Position) {
        self.0.acknowledge(upto);
    }
}

fn drawn(taken: io::Taken) -> Drawn {
    Drawn { rows: taken.batch, bad: taken.bad, read: taken.read }
}

/// A writer as the engine sees it.
struct Outer(Box<dyn io::Deliver>);

impl Deliver for Outer {
    fn deliver(&mut self, rows: &arrow::array::RecordBatch) -> Result<(), NodeError> {
        Ok(self.0.deliver(rows).map_err(IoError::diagnostic)?)
    }

    fn finish(&mut self) -> Result<(), NodeError> {
        Ok(self.0.finish().map_err(IoError::diagnostic)?)
    }

    fn stands(&mut self, outbox: u64, next: u64) {
        self.0.stands(outbox, next);
    }

    fn part_done(&self) -> u64 {
        self.0.part_done()
    }

    fn take_refused(&mut self) -> Option<(u64, String)> {
        self.0.take_refused()
    }

    fn exact(&mut self) -> Option<&mut dyn io::Exact> {
        self.0.exact()
    }
}

fn mode(side: Side) -> Mode {
    match side {
        Side::Recorded => Mode::Recorded,
        Side::Live => Mode::Live,
    }
}

fn no_such_part(spec: &NodeSpec) -> NodeError {
    NodeError::new(crate::diag::Code::R0001, format!("`{}` is not what its place in the graph says", spec.key))
}
