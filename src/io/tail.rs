//! Files that grow, followed through rotation: a line is a record once its end has come.
//!
//! A file is known by its number on the disk and by its first bytes, whatever it is called at the moment. One that was renamed
//! or removed is read to its end before the file that took its place; one that was emptied begins anew; one that appears is
//! read from its beginning. Everything is read from the files again after a restart, from the byte at which it was taken.

mod find;
mod followed;
mod identity;
mod position;
mod split;
mod watch;

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use crate::base::Time;
use crate::diag::Diagnostic;
use crate::ir::TailConnector;

use super::block::{Aside, At, BLOCK_ROWS, Bad, BadAt, Block};
use super::error::{IoError, reading_stopped};
use super::gate::Arrival;
use super::path::Template;
use super::place::Place;
use super::records::Ignored;
use super::spec::Spec;
use super::stdin::check_format;

use followed::{Chunk, Followed, Spot};
pub use identity::{FileId, Head};
use position::Last;
pub use position::TailPosition;
use watch::{Due, Watch};

/// How long a tail waits for what.
#[derive(Clone, Copy, Debug)]
pub(super) struct TailLimits {
    /// Between two looks without an event.
    pub poll: Duration,
    /// The same where the system sends no events.
    pub poll_without_events: Duration,
    /// How long a file to which no path leads any more is still read: its writer may not have noticed yet.
    pub linger: Duration,
}

impl Default for TailLimits {
    fn default() -> Self {
        let (poll, poll_without_events) = (Duration::from_secs(1), Duration::from_millis(250));
        TailLimits { poll, poll_without_events, linger: Duration::from_secs(5) }
    }
}

/// Files that are followed at once; each is held open.
const FOLLOWED_MAX: usize = 512;

/// Files that were left and are recognised when they come back.
const REMEMBERED_MAX: usize = 1_024;

/// Findings that wait to be told.
const NOTES_MAX: usize = 64;

pub(super) struct Tail {
    spec: Arc<Spec>,
    connector: TailConnector,
    template: Template,
    place: Place,
    limits: TailLimits,
    watch: Watch,
    files: Vec<Followed>,
    /// The file whose turn is next.
    turn: usize,
    /// Nobody reads it yet: files are taken up where it says, and one that cannot be is an error.
    opening: bool,
    /// The newest header that a file had.
    header: Option<Vec<u8>>,
    /// Files that were left.
    remembered: VecDeque<TailPosition>,
    rows_before: u64,
    /// Records read so far.
    rows: u64,
    /// Read and perhaps not wholly taken.
    last: Option<Last>,
    /// Something was found at the last look, so there may be more.
    more: bool,
    ignored: Ignored,
    notes: VecDeque<Diagnostic>,
    noted: BTreeSet<String>,
}

impl Tail {
    pub fn open(spec: &Arc<Spec>, connector: &TailConnector, place: &Place) -> Result<Tail, IoError> {
        Tail::with(spec, connector, place, TailLimits::default())
    }

    fn with(spec: &Arc<Spec>, connector: &TailConnector, place: &Place, limits: TailLimits) -> Result<Tail, IoError> {
        check_format(&connector.format)?;
        let mut tail = Tail {
            spec: spec.clone(),
            connector: connector.clone(),
            template: Template::parse(&find::whole_folder(connector))?,
            place: place.clone(),
            limits,
            watch: Watch::new(limits.poll, limits.poll_without_events),
            files: Vec::new(),
            turn: 0,
            opening: true,
            header: None,
            remembered: VecDeque::new(),
            rows_before: 0,
            rows: 0,
            last: None,
            more: true,
            ignored: Ignored::default(),
            notes: VecDeque::new(),
            noted: BTreeSet::new(),
        };
        tail.find()?;
        tail.opening = false;
        Ok(tail)
    }

    /// What was added since; asked only when all of the last block was taken.
    pub fn next(&mut self, place: &Place) -> Result<Option<Block>, IoError> {
        self.settle();
        match self.watch.due() {
            Due::Find => {
                self.find()?;
                self.more = true;
            }
            Due::Read => self.more = true,
            Due::Nothing if !self.more => return Ok(None),
            Due::Nothing => {}
        }
        let block = self.read(place.now.now())?;
        self.more = block.is_some();
        Ok(block)
    }

    /// All of the last block was taken.
    fn settle(&mut self) {
        let Some(last) = self.last.take() else { return };
        if let Some(file) = self.files.iter_mut().find(|file| file.id == last.id) {
            file.aside = file.aside.max(last.end().byte);
        }
    }

    /// From files that are gone first, so that what took their places comes behind; then from each in turn.
    fn read(&mut self, now: Time) -> Result<Option<Block>, IoError> {
        let count = self.files.len();
        let turn = std::mem::take(&mut self.turn);
        let mut order: Vec<usize> = (0..count).map(|nth| (turn + nth) % count).collect();
        order.sort_by_key(|nth| self.files[*nth].gone.is_none());
        let mut found = None;
        for nth in order {
            match self.read_file(nth) {
                Ok(Some(chunk)) => {
                    found = Some((nth, chunk));
                    break;
                }
                Ok(None) => {}
                Err(error) => self.leave(nth, &error),
            }
        }
        let Some((nth, (start, chunk))) = found else {
            self.leave_the_gone();
            self.turn = turn;
            return Ok(None);
        };
        self.turn = nth + 1;
        self.block(nth, start, chunk, now).map(|block| (!block.has_nothing()).then_some(block))
    }

    /// New records of one file, with where the first of them begins.
    fn read_file(&mut self, nth: usize) -> io::Result<Option<(Spot, Chunk)>> {
        let lingered = self.limits.linger;
        let file = &mut self.files[nth];
        if file.may_have_more()? {
            if file.is_cut()? {
                self.begin_anew(nth)?;
            }
            let file = &mut self.files[nth];
            let start = file.spot;
            if let Some(chunk) = file.read(BLOCK_ROWS)? {
                return Ok(self.headed(nth, chunk)?.map(|chunk| (start, chunk)));
            }
        }
        let file = &mut self.files[nth];
        let start = file.spot;
        if file.gone.is_some_and(|since| since.elapsed() >= lingered) {
            return Ok(file.rest()?.map(|chunk| (start, chunk)));
        }
        Ok(None)
    }

    /// The file was emptied: nothing of what was read stands in it any more.
    fn begin_anew(&mut self, nth: usize) -> io::Result<()> {
        let file = &mut self.files[nth];
        file.go_to(Spot { byte: 0, line: 1 })?;
        (file.aside, file.skipping) = (0, false);
        if let Ok(stream) = find::stream(&self.spec, &self.connector, &file.found, nth as u32) {
            self.ignored.add(&file.stream.ignored());
            file.stream = stream;
        }
        Ok(())
    }

    /// Without the header, which the file's first record is. A file that was emptied under a writer that does not know it has
    /// none; then the one that files had before counts.
    fn headed(&mut self, nth: usize, chunk: Chunk) -> io::Result<Option<Chunk>> {
        let known = self.header.clone();
        let file = &mut self.files[nth];
        if file.stream.is_headed() || chunk.wrong.is_some() {
            return Ok(Some(chunk));
        }
        let first = chunk.records.get(0).to_vec();
        let refused = match file.stream.head(&first) {
            Ok(()) if file.stream.has_header() => {
                self.header = Some(first);
                let chunk = chunk.without_first();
                return Ok((!chunk.records.is_empty()).then_some(chunk));
            }
            Ok(()) => return Ok(Some(chunk)),
            Err(error) => error,
        };
        if known.is_some_and(|known| file.stream.head(&known).is_ok()) {
            return Ok(Some(chunk));
        }
        let chunk = chunk.only_first(refused.message);
        file.go_to(chunk.ends[0])?;
        Ok(Some(chunk))
    }

    fn block(&mut self, nth: usize, start: Spot, chunk: Chunk, now: Time) -> Result<Block, IoError> {
        let Chunk { records, lines, ends, wrong } = chunk;
        let first_row = self.rows;
        self.rows += records.len() as u64;
        let file = &mut self.files[nth];
        let mut block = match wrong {
            Some(reason) => {
                let (at, origin) = (At { file: nth as u32, row: first_row }, format!("{}:{}", file.found.name, lines[0]));
                let bad = vec![Bad::new(at, BadAt::Decode, reason, records.get(0).trim_ascii_end(), origin)];
                Block { aside: Aside { bad, ..Aside::default() }, ..Block::empty(&self.spec) }
            }
            None => {
                file.stream.records(&records, 0, first_row, |nth| lines[nth])?;
                file.stream.finish(self.rows_before, |_| Arrival::All(now))?
            }
        };
        let told = ends.iter().take_while(|end| end.byte <= file.aside).count() as u64;
        block.aside.forget_before(first_row + told);
        let last_row = block.at.last().map(|at| at.row);
        self.last = Some(Last { id: file.id, start, ends, first_row, last_row, taken: 0, told: false });
        Ok(block)
    }

    pub fn ignored(&self) -> Ignored {
        let mut all = self.ignored.clone();
        self.files.iter().for_each(|file| all.add(&file.stream.ignored()));
        all
    }

    pub fn take_notes(&mut self) -> Vec<Diagnostic> {
        self.notes.drain(..).collect()
    }

    /// Once for each thing that it is about.
    fn note(&mut self, about: &str, found: IoError) {
        if self.notes.len() < NOTES_MAX && self.noted.len() < REMEMBERED_MAX && self.noted.insert(about.to_owned()) {
            self.notes.push_back(found.diagnostic());
        }
    }

    /// A file that does not let itself be read any more is left, and said so.
    fn leave(&mut self, nth: usize, error: &io::Error) {
        let (name, path) = (self.files[nth].found.name.clone(), self.files[nth].found.path.clone());
        self.note(&name, reading_stopped(&path, error));
        self.files[nth].gone.get_or_insert_with(std::time::Instant::now);
    }

    /// Files to which no path leads, once they have been silent for a while.
    fn leave_the_gone(&mut self) {
        let linger = self.limits.linger;
        let over = |file: &Followed| file.gone.is_some_and(|since| since.elapsed() >= linger);
        let left: Vec<TailPosition> = self.files.iter().filter(|file| over(file)).map(|file| self.position_of(file)).collect();
        if left.is_empty() {
            return;
        }
        self.remembered.extend(left);
        while self.remembered.len() > REMEMBERED_MAX {
            self.remembered.pop_front();
        }
        let (gone, stay) = std::mem::take(&mut self.files).into_iter().partition(over);
        self.files = stay;
        let gone: Vec<Followed> = gone;
        gone.iter().for_each(|file| self.ignored.add(&file.stream.ignored()));
    }
}

#[cfg(test)]
mod tests;
