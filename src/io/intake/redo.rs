//! Draws made again after a restart, exactly as they were written down.
//!
//! A draw is told by its counts of rows and of records beside them. Blocks of a source that was resumed in the middle may end
//! elsewhere than before, so what stands aside is given out by count, too, and what is too much for one draw waits for the next.

use std::mem;
use std::sync::Arc;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::buffer::ScalarBuffer;
use arrow::compute::concat_batches;
use arrow::datatypes::TimestampMicrosecondType;

use crate::io::block::{Aside, At, SourceCounts, bad_rows};
use crate::io::error::{IoError, arrow_refuses};
use crate::io::place::Mode;
use crate::ir::{Origin, TimeSpec};
use crate::node::Ordinal;

use super::draw::Held;
use super::input::Step;
use super::{Draw, Intake, Kept, Taken};

/// What one draw is put together from.
#[derive(Default)]
struct Gathered {
    rows: Vec<RecordBatch>,
    time: Vec<i64>,
    at: Vec<At>,
    aside: Aside,
}

/// What is still to be gathered of a draw.
#[derive(Clone, Copy)]
enum Wanted {
    RowsAndBad(usize, usize),
    /// Whichever they become.
    Records(usize),
}

impl Wanted {
    fn is_nothing(self) -> bool {
        match self {
            Wanted::RowsAndBad(rows, bad) => rows == 0 && bad == 0,
            Wanted::Records(records) => records == 0,
        }
    }
}

impl Gathered {
    fn wanted(&self, draw: &Draw, by_records: bool) -> Wanted {
        let (rows, bad) = (self.at.len() as u64, self.aside.bad.len() as u64);
        match by_records {
            true => Wanted::Records((draw.rows + draw.bad).saturating_sub(rows + bad) as usize),
            false => Wanted::RowsAndBad((draw.rows - rows) as usize, (draw.bad - bad) as usize),
        }
    }
}

/// How many rows and how many bad ones the next so many records of a block are, in the order in which they stood.
fn shares(at: &[At], aside: &mut Aside, records: usize) -> (usize, usize) {
    aside.bad.sort_by_key(|bad| bad.at);
    let (mut rows, mut bad) = (0, 0);
    while rows + bad < records {
        match (at.get(rows), aside.bad.get(bad).map(|bad| &bad.at)) {
            (Some(row), Some(refused)) if refused < row => bad += 1,
            (Some(_), _) => rows += 1,
            (None, Some(_)) => bad += 1,
            (None, None) => break,
        }
    }
    (rows, bad)
}

impl Intake {
    /// Takes again what was taken once from where this intake stands, with ordinals from `first` on. Fewer rows come where the
    /// source has changed since; the caller compares.
    pub fn redo(&mut self, draw: &Draw, first: Ordinal) -> Result<Taken, IoError> {
        let wall = mem::replace(&mut self.place.now, Arc::new(Held(draw.read)));
        let taken = match (&draw.kept, draw.silence) {
            (Some(kept), _) => Ok(self.take_kept(kept, draw, first)),
            (None, Some(to)) => {
                let rows = RecordBatch::new_empty(self.spec.whole.clone());
                let batch = self.progress.move_on(rows, to, first, self.spec.limits.lateness);
                Ok(Taken { batch, bad: None, counts: SourceCounts::default(), read: draw.read })
            }
            (None, None) => self.take_again(draw, first),
        };
        self.place.now = wall;
        self.progress.arrived = self.place.now.now();
        taken
    }

    fn take_again(&mut self, draw: &Draw, first: Ordinal) -> Result<Taken, IoError> {
        let mut gathered = Gathered::default();
        loop {
            let wanted = gathered.wanted(draw, self.by_records);
            if wanted.is_nothing() {
                break;
            }
            self.reread(draw)?;
            if !matches!(self.fill()?, Step::Ready) || !self.gather(wanted, &mut gathered) {
                break;
            }
        }
        let Gathered { rows, time, at, aside } = gathered;
        self.input.delivered(&at, &aside);
        self.rows += at.len() as u64;
        self.records += (at.len() + aside.places().count()) as u64;
        let rows = concat_batches(&self.spec.whole, &rows).map_err(arrow_refuses)?;
        let time = self.spec.time_at.map(|_| ScalarBuffer::from(time));
        let batch = self.progress.draw(rows, time, first, self.spec.limits.lateness);
        let counts = SourceCounts::of(at.len(), &aside);
        self.counts.add(&counts);
        Ok(Taken { batch, bad: bad_rows(&aside.bad), counts, read: draw.read })
    }

    /// From the block that is ready; false if it has nothing that is wanted.
    fn gather(&mut self, wanted: Wanted, gathered: &mut Gathered) -> bool {
        let Some((block, from)) = &mut self.ready else { return false };
        let (rows, bad) = match wanted {
            Wanted::RowsAndBad(rows, bad) => (rows, bad),
            Wanted::Records(records) => shares(&block.at[*from..], &mut block.aside, records),
        };
        let rows = rows.min(block.len() - *from);
        let Aside { bad: refused, empty, lost } = &mut block.aside;
        let bad = bad.min(refused.len());
        gathered.aside.bad.extend(refused.drain(..bad));
        gathered.aside.empty.append(empty);
        gathered.aside.lost.append(lost);
        gathered.rows.push(block.rows.slice(*from, rows));
        gathered.time.extend(block.time.iter().flat_map(|time| time[*from..*from + rows].iter().copied()));
        gathered.at.extend_from_slice(&block.at[*from..*from + rows]);
        *from += rows;
        if *from == block.len() {
            self.carried.append(mem::take(&mut block.aside));
            self.ready = None;
        }
        rows > 0 || bad > 0 || self.ready.is_none()
    }

    /// Where rows depend on when they are read, what was read at another time than the draw's is read again.
    fn reread(&mut self, draw: &Draw) -> Result<(), IoError> {
        if self.ready.is_some() && self.read != draw.read && self.depends_on_now() {
            self.input.resume(&self.input.position())?;
            self.ready = None;
        }
        Ok(())
    }

    fn depends_on_now(&self) -> bool {
        let arrives = self.spec.columns.iter().any(|column| column.origin == Origin::Arrival);
        let arrives = arrives || matches!(self.spec.time, TimeSpec::Arrival);
        self.spec.mode == Mode::Live && (arrives && !self.input.keeps_arrival() || self.spec.limits.ahead.is_some())
    }

    /// The rows are at hand; the source only counts them.
    fn take_kept(&mut self, kept: &Kept, draw: &Draw, first: Ordinal) -> Taken {
        let Kept { rows, bad, stands } = kept.clone();
        let refused = bad.as_ref().map_or(0, RecordBatch::num_rows) as u64;
        let passed = rows.num_rows() as u64;
        let time = self.spec.time_at.and_then(|at| rows.column(at).as_primitive_opt::<TimestampMicrosecondType>().cloned());
        let time = time.filter(|time| time.null_count() == 0).map(|time| time.values().clone());
        self.rows += passed;
        self.records += passed + refused;
        self.input.follow(self.records);
        if stands.is_some() {
            (self.ready, self.stands) = (None, stands);
        }
        let counts = SourceCounts::kept(passed, refused);
        self.counts.add(&counts);
        let batch = self.progress.draw(rows, time, first, self.spec.limits.lateness);
        Taken { batch, bad, counts, read: draw.read }
    }

    /// Can what was taken be read again from a position? If not, whoever wants to redo it has to keep the rows.
    pub fn rereads(&self) -> bool {
        self.input.rereads()
    }

    /// Nothing before this position will be asked for again.
    pub fn acknowledge(&mut self, upto: &super::Position) {
        self.input.acknowledge(&upto.input);
    }
}
