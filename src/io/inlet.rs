//! Rows that a client hands over: read, tried, and put into the source's journal, whole bodies or nothing of them.
//!
//! The server knows connections, the journal knows the disk; between them stands an inlet, which knows what a row is.

mod body;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use crate::ir::HttpConnector;

use super::block::Block;
use super::error::IoError;
use super::gate::{self, Arrival};
use super::journal::{Journal, NotAppended, Onced, Records, RequestKey};
use super::json::JsonDecoder;
use super::path::Found;
use super::place::Now;
use super::resources::Lease;
use super::sheet::FileAt;
use super::spec::Spec;

/// Bad rows of one body that are told.
pub const BAD_ROWS_TOLD: usize = 100;

/// Where a source takes its rows.
pub struct Inlet {
    spec: RwLock<Arc<Spec>>,
    journal: Lease<Journal>,
    now: Arc<dyn Now>,
}

/// Rows that are kept: they will be worked on, whatever happens to the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub rows: usize,
    /// The number of the first one among all that the source has received, from 0.
    pub first: u64,
    /// Had they been brought before, by a request with the same key?
    pub again: bool,
}

/// Why nothing of a body was taken.
#[derive(Clone, Debug, PartialEq)]
pub enum NotTaken {
    /// It does not read as rows, from this one on.
    NoRows {
        row: usize,
        why: String,
    },
    TooManyRows {
        rows_max: usize,
    },
    /// These rows do not fit the source, of so many; the first ones with their reasons, rows counted from 0.
    BadRows {
        bad: Vec<(usize, String)>,
        count: usize,
        rows: usize,
    },
    /// More than the journal takes at once.
    TooLarge,
    /// The journal has reached its limit.
    Full {
        bytes_max: u64,
    },
    Busy,
    /// Another body has come with this key before.
    AnotherBody,
    /// The disk refuses.
    Failed {
        code: String,
        message: String,
    },
    Stopping,
}

/// Told once, from any thread.
pub type Taken = Box<dyn FnOnce(Result<Receipt, NotTaken>) + Send>;

impl Inlet {
    pub(in crate::io) fn new(spec: &Arc<Spec>, journal: Lease<Journal>, now: Arc<dyn Now>) -> Inlet {
        Inlet { spec: RwLock::new(spec.clone()), journal, now }
    }

    /// Rows are tried as they are read from now on.
    pub(in crate::io) fn retune(&self, spec: &Arc<Spec>) {
        *self.spec.write().unwrap_or_else(PoisonError::into_inner) = spec.clone();
    }

    /// One object, several after each other, an array of them, or `{"rows": […]}`. `taken` is called once all of it is on the
    /// disk, or nothing of it is. A request with a `key` that has been taken before is told so, and nothing of it is taken.
    pub fn put(&self, body: &[u8], key: Option<&[u8]>, rows_max: usize, taken: Taken) {
        let spec = self.spec.read().unwrap_or_else(PoisonError::into_inner).clone();
        let key = key.map(|key| RequestKey::of(key, body));
        // What was taken once is not tried again: the source may read its rows differently by now.
        let is_known = key.as_ref().is_some_and(|key| self.journal.knows(key));
        let records = match is_known {
            true => Ok(Records::default()),
            false => body::records(body, rows_max, &spec).and_then(|records| self.tried(&spec, records)),
        };
        let records = match records {
            Ok(records) if records.is_empty() && !is_known => {
                return taken(Ok(Receipt { rows: 0, first: self.journal.next(), again: false }));
            }
            Ok(records) => records,
            Err(not_taken) => return taken(Err(not_taken)),
        };
        // The journal answers from its own thread, or at once; either way the one call is used up once.
        let taken = Arc::new(Mutex::new(Some(taken)));
        let tell = |taken: &Mutex<Option<Taken>>, told: Result<Receipt, NotTaken>| {
            if let Some(taken) = taken.lock().unwrap_or_else(PoisonError::into_inner).take() {
                taken(told);
            }
        };
        let later = taken.clone();
        let done = move |Onced { span, again }: Onced| {
            let receipt = span.map(|span| Receipt { rows: (span.end - span.start) as usize, first: span.start, again });
            tell(&later, receipt.map_err(|error| NotTaken::Failed { code: error.code.to_string(), message: error.message }));
        };
        let appended = match key {
            Some(key) => self.journal.append_once(self.now.now(), key, records, Box::new(done)),
            None => {
                let done = move |span| done(Onced { span, again: false });
                self.journal.append(self.now.now(), b"", records, Box::new(done))
            }
        };
        if let Err(refused) = appended {
            tell(&taken, Err(refused.into()));
        }
    }

    /// The same records, if every one of them becomes a row.
    fn tried(&self, spec: &Arc<Spec>, records: Records) -> Result<Records, NotTaken> {
        let failed = |error: IoError| NotTaken::Failed { code: error.code.to_string(), message: error.message };
        let mut bad = self.decoded(spec, &records).map_err(failed)?.aside.bad;
        if bad.is_empty() {
            return Ok(records);
        }
        bad.sort_by_key(|bad| bad.at);
        let count = bad.len();
        let bad = bad.into_iter().take(BAD_ROWS_TOLD).map(|bad| (bad.at.row as usize, bad.reason)).collect();
        Err(NotTaken::BadRows { bad, count, rows: records.len() })
    }

    fn decoded(&self, spec: &Arc<Spec>, records: &Records) -> Result<Block, IoError> {
        let mut decoder = JsonDecoder::new(spec, &nowhere())?;
        for nth in 0..records.len() {
            decoder.decode(records.get(nth), nth as u64, nth as u64 + 1);
        }
        let now = self.now.now();
        let from = gate::From { name: "body", rows_before: 0, arrival: Arrival::All(now) };
        let block = gate::timed(spec, decoder.sheet.finish()?, &from)?;
        gate::without_ahead(spec, block, now, &spec.source)
    }
}

fn nowhere() -> FileAt {
    let found = Found::of("body".into(), "body".into());
    FileAt { found, index: 0, rows_before: 0, fixed: vec![] }
}

impl From<NotAppended> for NotTaken {
    fn from(refused: NotAppended) -> NotTaken {
        match refused {
            NotAppended::Full { bytes_max } => NotTaken::Full { bytes_max },
            NotAppended::Busy => NotTaken::Busy,
            NotAppended::AnotherBody => NotTaken::AnotherBody,
            NotAppended::TooLarge => NotTaken::TooLarge,
            NotAppended::Closed => NotTaken::Stopping,
        }
    }
}

impl fmt::Debug for Inlet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let spec = self.spec.read().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("Inlet").field("source", &spec.source).finish_non_exhaustive()
    }
}

/// The inlets that are open, by where clients find them.
#[derive(Debug, Default)]
pub struct Inlets(Mutex<BTreeMap<HttpConnector, Vec<Weak<Inlet>>>>);

impl Inlets {
    /// An inlet that is open at the same place stays the one that is asked for as long as it is held.
    pub(in crate::io) fn open(&self, at: &HttpConnector, inlet: &Arc<Inlet>) {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, inlets| {
            inlets.retain(|inlet| inlet.strong_count() > 0);
            !inlets.is_empty()
        });
        open.entry(at.clone()).or_default().push(Arc::downgrade(inlet));
    }

    /// None while no source takes rows there.
    pub fn get(&self, at: &HttpConnector) -> Option<Arc<Inlet>> {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.get(at)?.iter().find_map(Weak::upgrade)
    }
}

#[cfg(test)]
mod tests;
