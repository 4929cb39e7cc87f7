//! The end of the process at any moment between two steps, and its return: an epoch, and the log from it on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use mliot::base::Name;
use mliot::node::{NodeError, Predictor};
use mliot::plan::{Graph, diff};
use mliot::runtime::{Engine, Epoch, Log, Record, Row, Settings};

use super::ledger::{Fault, Ledger, MADE};
use super::log::Model;
use super::world::SimWorld;

/// What would stand in the state folder.
#[derive(Default)]
pub struct Disk {
    epoch: Option<Epoch>,
    records: Records,
    /// How many rows of each outbox had been written when the epoch was taken.
    written: BTreeMap<(String, u64), usize>,
    pub models: BTreeMap<String, Arc<Model>>,
}

#[derive(Clone, Default)]
struct Records(Arc<Mutex<Vec<Record>>>);

impl Records {
    fn all(&self) -> std::sync::MutexGuard<'_, Vec<Record>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A log whose disk may be full at the worst moment: then the line of a cut does not stand there.
struct SimLog(Records, Ledger);

impl Log for SimLog {
    fn append(&mut self, record: Record) {
        self.0.all().push(record);
    }

    fn confirm(&mut self) -> Result<(), NodeError> {
        if self.1.fails(Fault::Confirm) {
            self.0.all().pop();
            return Err(NodeError::new(mliot::diag::Code::R0711, MADE));
        }
        Ok(())
    }
}

/// Rows by where they are written and through which outbox.
pub type Written = BTreeMap<(String, u64), Vec<Row>>;

impl Disk {
    /// Everything is written down from here on.
    pub fn keep(&self, engine: &mut Engine, ledger: &Ledger) {
        engine.keep(Box::new(SimLog(self.records.clone(), ledger.clone())));
    }

    pub fn save(&mut self, engine: &mut Engine, written: &Written) {
        let Some(epoch) = engine.epoch().expect("every node can save") else { return };
        self.epoch = Some(epoch);
        self.records.all().clear();
        self.written = written.iter().map(|(outbox, rows)| (outbox.clone(), rows.len())).collect();
    }

    /// The engine that goes on from what stands on the disk; none if nothing does. What has been written since the epoch is
    /// cut off, as a sink that writes every row once does with its file.
    pub fn recover(&self, settings: Settings, world: &SimWorld, written: &mut Written) -> Option<(Engine, Vec<String>)> {
        let epoch = self.epoch.clone()?;
        written.retain(|outbox, _| self.written.contains_key(outbox));
        written.iter_mut().for_each(|(outbox, rows)| rows.truncate(self.written[outbox]));
        let mut models =
            |_: &Name, version: &str| self.models.get(version).map(|model| Arc::clone(model) as Arc<dyn Predictor>);
        world.ledger.book().recovering = true;
        let restored = Engine::restore(settings, epoch, world, &mut models).unwrap_or_else(|found| panic!("{found:?}"));
        let (mut engine, mut findings) = (restored.engine, restored.findings);
        let records = self.records.all().clone();
        for record in records {
            let graph = engine.graph().clone();
            if let Record::Cut(cut) = &record {
                rename(world, &graph, &cut.wanted.on(&graph));
            }
            engine.redo(record, world, &mut models).unwrap_or_else(|found| findings.extend(found));
        }
        findings.extend(engine.take_findings());
        engine.take_events();
        let mut book = world.ledger.book();
        book.recovering = false;
        book.opened.clear();
        drop(book);
        self.keep(&mut engine, &world.ledger);
        let told = findings.into_iter().map(|found| found.message).filter(|message| !message.contains(MADE));
        Some((engine, told.collect()))
    }
}

/// Nodes go on under the names that a cut gives them.
fn rename(world: &SimWorld, before: &Graph, after: &Graph) {
    let diff = diff(before, after);
    let moved: BTreeMap<String, String> = diff.moved().map(|(from, to)| (from.to_string(), to.to_string())).collect();
    let mut book = world.ledger.book();
    book.nodes.values_mut().for_each(|name| *name = moved.get(name).unwrap_or(name).clone());
}
