//! A node under observation: everything that it is given is written down, and it fails when it is told to.

use mliot::diag::Code;
use mliot::node::{Batch, Migration, Node, NodeError, Ordinal, Out, Port, Predicts, Retune, State};
use mliot::plan::{NodeOp, NodeSpec};

use super::ledger::{Failure, Fault, Ledger, MADE};

pub struct Watched {
    inner: Box<dyn Node>,
    ledger: Ledger,
    instance: u64,
    /// Does it take what comes in at its other ports beside its rows?
    pairs: bool,
    plan: u64,
    /// Rows taken under this plan.
    rows: u64,
    loads: u32,
}

impl Watched {
    pub fn new(inner: Box<dyn Node>, spec: &NodeSpec, ledger: &Ledger) -> Watched {
        let mut book = ledger.book();
        book.built += 1;
        let instance = book.built;
        book.nodes.insert(instance, spec.key.to_string());
        drop(book);
        let pairs = matches!(&spec.op, NodeOp::Stage(op) if op.pairs_inputs());
        Watched { inner, ledger: ledger.clone(), instance, pairs, plan: 0, rows: 0, loads: 0 }
    }

    /// Counts the rows, and says whether it is this node's time to fail.
    fn fails(&mut self, rows: usize) -> Option<bool> {
        let mut book = self.ledger.book();
        if book.plan != self.plan {
            (self.plan, self.rows) = (book.plan, 0);
        }
        let node = book.nodes[&self.instance].clone();
        let told = book.breaking.as_ref().filter(|(name, _)| *name == node && rows > 0).map(|(_, panics)| *panics);
        if told.is_some() {
            book.breaking = None;
            book.failures.push(Failure { node, after: self.rows });
        }
        self.rows += rows as u64;
        told
    }

    /// Prepared changes try the state once; only then it is a fault of the cut.
    fn takes_state(&mut self) -> Result<(), NodeError> {
        self.loads += 1;
        if self.loads > 1 && self.ledger.fails(Fault::Load) { Err(made()) } else { Ok(()) }
    }
}

fn made() -> NodeError {
    NodeError::new(Code::R0001, MADE)
}

impl Node for Watched {
    fn batch(&mut self, port: Port, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        self.ledger.see(self.instance, (port, self.pairs), &batch);
        match self.fails(batch.len()) {
            Some(true) => panic!("{MADE}: a node that panics"),
            Some(false) => Err(made()),
            None => self.inner.batch(port, batch, out),
        }
    }

    fn end(&mut self, at: Ordinal, out: &mut Out) -> Result<(), NodeError> {
        self.inner.end(at, out)
    }

    fn save(&mut self) -> Result<State, NodeError> {
        self.inner.save()
    }

    fn load(&mut self, state: State) -> Result<(), NodeError> {
        self.takes_state()?;
        self.inner.load(state)
    }

    fn migrate(&mut self, migration: Migration) -> Result<(), NodeError> {
        self.takes_state()?;
        self.inner.migrate(migration)
    }

    fn retune(&mut self) -> Option<&mut dyn Retune> {
        self.inner.retune().is_some().then_some(self as &mut dyn Retune)
    }

    fn predicts(&mut self) -> Option<&mut dyn Predicts> {
        self.inner.predicts()
    }
}

impl Retune for Watched {
    fn to(&mut self, spec: &NodeSpec) -> Result<(), NodeError> {
        if self.ledger.fails(Fault::Retune) {
            return Err(made());
        }
        self.inner.retune().ok_or_else(made)?.to(spec)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.ledger.book().nodes.remove(&self.instance);
    }
}
