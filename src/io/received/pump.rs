//! Reads the standard input into a journal, on a thread of its own, for as long as the process lives.

use std::io::Read;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Acquire, Ordering::Release};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::io::csv::Signs;
use crate::io::error::{IoError, reading_stopped};
use crate::io::journal::{Journal, NotAppended, Records};
use crate::io::place::Now;
use crate::io::resources::Lease;
use crate::io::stdin::{gather, without_first};

/// Longest time between two tries while the journal has no room; whoever writes to the input waits as long.
const ROOM_WAIT: Duration = Duration::from_millis(200);

/// What the reading thread has to say.
#[derive(Debug, Default)]
pub(in crate::io) struct Pump {
    /// The input has ended, or nothing more is read of it.
    ended: AtomicBool,
    /// Chunks that are on their way to the disk.
    under_way: AtomicU64,
    failed: Mutex<Option<IoError>>,
}

impl Pump {
    /// Begins to read. `header`: the first record is put beside all that follow it.
    pub fn start(
        input: impl Read + Send + 'static,
        signs: Option<Signs>,
        header: bool,
        journal: Lease<Journal>,
        now: Arc<dyn Now>,
    ) -> Result<Arc<Pump>, IoError> {
        let pump = Arc::new(Pump::default());
        let reading = pump.clone();
        let run = move || {
            let mut first = (!header).then(Vec::new);
            gather(input, signs, |chunk| match chunk {
                Ok(chunk) => reading.put(chunk, &mut first, &journal, now.as_ref()),
                Err(error) => reading.fail(reading_stopped("stdin".as_ref(), error)),
            });
            reading.ended.store(true, Release);
        };
        let started = thread::Builder::new().name("stdin".into()).spawn(run);
        started.map(|_| pump).map_err(|error| reading_stopped("stdin".as_ref(), error))
    }

    /// False where nothing more can be kept.
    fn put(self: &Arc<Pump>, chunk: Records, first: &mut Option<Vec<u8>>, journal: &Journal, now: &dyn Now) -> bool {
        let (chunk, header) = match first {
            Some(header) => (chunk, &*header),
            None => (without_first(&chunk), &*first.insert(chunk.get(0).to_vec())),
        };
        if chunk.is_empty() {
            return true;
        }
        let arrived = now.now();
        loop {
            let pump = self.clone();
            let done = move |done: Result<_, IoError>| {
                if let Err(error) = done {
                    pump.fail(error);
                }
                pump.under_way.fetch_sub(1, Release);
            };
            self.under_way.fetch_add(1, Release);
            let room = journal.room();
            match journal.append(arrived, header, chunk.clone(), Box::new(done)) {
                Ok(()) => return true,
                Err(refused) => {
                    self.under_way.fetch_sub(1, Release);
                    match refused {
                        NotAppended::Full { .. } | NotAppended::Busy => journal.wait_for_room(room, ROOM_WAIT),
                        NotAppended::TooLarge => return self.fail(reading_stopped("stdin".as_ref(), "a record is too long")),
                        NotAppended::Closed | NotAppended::AnotherBody => return false,
                    }
                }
            }
        }
    }

    fn fail(&self, error: IoError) -> bool {
        self.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        false
    }

    /// # Errors
    /// Why nothing more is read, or could be kept.
    pub fn check(&self) -> Result<(), IoError> {
        match &*self.failed.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }

    /// The input has ended and all of it is on the disk.
    pub fn is_over(&self) -> bool {
        self.ended.load(Acquire) && self.under_way.load(Acquire) == 0
    }
}
