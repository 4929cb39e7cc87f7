//! What the simulator knows of everything that it has handed to the engine: one ledger, shared by all feeds and nodes.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mliot::base::Name;
use mliot::node::Batch;
use mliot::runtime::{Row, Side};

/// Clones are the same ledger.
#[derive(Clone, Debug, Default)]
pub struct Ledger(Arc<Mutex<Book>>);

#[derive(Debug, Default)]
pub struct Book {
    /// The virtual clock, in milliseconds.
    pub now_ms: i64,
    /// When the next waiting feed has something.
    pub wake_ms: Option<i64>,
    /// Nothing more comes live.
    pub closing: bool,
    /// What was seen once is made again after a crash, and not written down twice.
    pub recovering: bool,
    /// Which plan runs: how many cuts there have been.
    pub plan: u64,
    /// Drawn and not yet told to the oracle.
    pub draws: Vec<Draw>,
    pub seen: Vec<Seen>,
    /// Nodes that failed because they were told to.
    pub failures: Vec<Failure>,
    pub opened: Vec<(Name, Side, Name)>,
    /// Nodes that were built and have not been dropped, with their names.
    pub nodes: BTreeMap<u64, String>,
    pub built: u64,
    pub feeds: u64,
    /// Ends that are read once more, and the nodes that get their rows: all of them belong to a change that is prepared.
    pub aside: u64,
    pub armed: Option<Armed>,
    /// The node that fails at its next row, and whether it panics.
    pub breaking: Option<(String, bool)>,
}

/// What a source gave at one turn.
#[derive(Clone, Debug, PartialEq)]
pub struct Draw {
    pub source: Name,
    pub first: u64,
    pub upto: u64,
    pub rows: Vec<Row>,
    pub bad: Vec<Row>,
    /// Where silence moved the watermark.
    pub silence_us: Option<i64>,
}

/// A batch that a node was given.
#[derive(Clone, Debug)]
pub struct Seen {
    pub node: String,
    pub instance: u64,
    pub plan: u64,
    pub port: usize,
    /// What comes in at its other ports is of the same span as its rows.
    pub pairs: bool,
    /// Of its first and last row.
    pub ordinals: Option<(u64, u64)>,
    pub upto: u64,
    pub rows: usize,
    /// Do its ordinals rise?
    pub rises: bool,
    pub clock: (i64, i64),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    pub node: String,
    /// Rows that it had taken under this plan before.
    pub after: u64,
}

/// A fault of a change: the nth call of its kind fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Armed {
    pub fault: Fault,
    pub nth: u64,
    pub panics: bool,
    pub hit: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A node cannot be built.
    Build,
    /// A source cannot be opened.
    Open,
    /// No source can be read once more.
    Reread,
    /// A state that could be read when it was tried cannot be read in the cut.
    Load,
    /// A node refuses its new meaning at the last moment.
    Retune,
    /// A source refuses its new meaning at the last moment.
    Feed,
    /// The line of a cut cannot be made durable.
    Confirm,
}

impl Ledger {
    pub fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Is this the call that fails? The lock is not held when it panics.
    pub fn fails(&self, fault: Fault) -> bool {
        let mut book = self.book();
        let Some(armed) = book.armed.as_mut().filter(|armed| armed.fault == fault) else { return false };
        if armed.hit {
            // What cannot be read again cannot be read again by anybody.
            return fault == Fault::Reread;
        }
        if armed.nth > 0 {
            armed.nth -= 1;
            return false;
        }
        armed.hit = true;
        let panics = armed.panics;
        drop(book);
        assert!(!panics, "{MADE}: a part that panics");
        true
    }

    pub fn see(&self, instance: u64, (port, pairs): (usize, bool), batch: &Batch) {
        let ordinals = batch.ordinals.to_column(batch.len());
        let mut book = self.book();
        if book.recovering {
            return;
        }
        let seen = Seen {
            node: book.nodes[&instance].clone(),
            instance,
            plan: book.plan,
            port,
            pairs,
            ordinals: ordinals.first().copied().zip(ordinals.last().copied()),
            upto: batch.upto.0,
            rows: batch.len(),
            rises: ordinals.windows(2).all(|pair| pair[0] <= pair[1]),
            clock: (batch.clock.start().0, batch.clock.after().0),
        };
        book.seen.push(seen);
    }
}

/// Counts what belongs to a change that is prepared, as long as it lives.
#[derive(Debug)]
pub struct Aside(Ledger);

impl Aside {
    pub fn new(ledger: &Ledger) -> Aside {
        ledger.book().aside += 1;
        Aside(ledger.clone())
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        self.0.book().aside -= 1;
    }
}

/// In every message of a fault that the simulator has made.
pub const MADE: &str = "the simulator made this";
