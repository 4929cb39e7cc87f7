//! Looks at a place for somebody outside, on a thread of its own: takes what has passed, keeps what meets the condition, and
//! tells it. The engine waits for none of it.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::time::{Duration, Instant};

use arrow::array::BooleanArray;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::base::Sources;
use crate::diag::{Code, Diagnostic};
use crate::io::cells;
use crate::ir;
use crate::node::Batch;
use crate::ops::{Expression, Scope};
use crate::plan::Input;
use crate::runtime::TapId;

use super::super::engine::{Order, See};
use super::super::outside::Conditions;
use super::super::said::Messages;
use super::super::stop::{Stop, Wanted};
use super::{Piece, Seen};

/// Between two looks.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Rows that are told of one look, where nobody wants fewer.
const ROWS_PER_LOOK: usize = 2_000;
/// Rows of one telling.
const ROWS_PER_TELLING: usize = 200;
/// Between two words that nothing has passed, by which a lost connection is noticed.
const STILL_THERE: Duration = Duration::from_secs(5);

/// What somebody wants to see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Look {
    /// As people call it: `air`, `room.bad`, `air/scan`.
    pub place: String,
    /// Only rows that meet it.
    pub condition: Option<String>,
    /// So many rows, then it is over.
    pub limit: Option<u64>,
    /// At most so many rows a second are told.
    pub rows_per_s: Option<u32>,
}

/// What is told of it, in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "tap", rename_all = "snake_case")]
pub enum TapWord {
    /// Rows with these columns follow. `again`: they came with others before.
    Columns { columns: Vec<Column>, again: bool },
    /// Cells in the order of the columns, and the ordinal of each row.
    Rows { at: Vec<u64>, rows: Vec<Vec<Value>> },
    /// So many rows passed that are not told.
    Skipped { rows: u64 },
    /// An edit took the place away; it is told when it is there again.
    Gone,
    /// An edit changed the columns so that the condition does not fit them; rows are told when it does again.
    Unfit { text: String, diagnostics: Value },
    /// Nothing has passed for a while.
    Quiet,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    pub name: String,
    /// As the language writes it.
    #[serde(rename = "type")]
    pub ty: String,
}

/// Where it is told. Never waits.
pub trait Teller: Send {
    /// False: not now; `is_gone` says whether ever.
    fn tell(&self, told: &TapWord) -> bool;

    /// Nobody wants to hear more.
    fn is_gone(&self) -> bool;

    /// It is over. Why, where it did not end as it was asked to.
    fn end(&self, wrong: Option<Messages>);
}

/// Begins to look. The first telling are the columns.
///
/// # Errors
/// If there is no thread.
pub fn look_on(
    look: Look,
    orders: SyncSender<Order>,
    conditions: Arc<dyn Conditions>,
    teller: Box<dyn Teller>,
    stop: Stop,
) -> std::io::Result<()> {
    std::thread::Builder::new().name("tap".into()).spawn(move || {
        let (done, answer) = sync_channel(1);
        let place = look.place.clone();
        let opened = orders.send(Order::See(See::Tap { place, done })).ok().and_then(|()| answer.recv().ok());
        let wrong = match opened {
            None => Some(ending()),
            Some(Err(found)) => Some(Messages::of(found)),
            Some(Ok(id)) => {
                let mut looking = Looking::new(look, conditions, teller.as_ref(), stop);
                let wrong = looking.run(id, &orders);
                let _ = orders.send(Order::See(See::Untap { id }));
                wrong
            }
        };
        teller.end(wrong);
    })?;
    Ok(())
}

/// One who looks.
struct Looking<'a> {
    look: Look,
    conditions: Arc<dyn Conditions>,
    teller: &'a dyn Teller,
    /// Only to wait with.
    stop: Stop,
    /// What is told at the next chance, in order.
    outbox: std::collections::VecDeque<TapWord>,
    schema: ir::Schema,
    filter: Filter,
    begun: bool,
    told: u64,
    skipped: u64,
    /// Rows that may be told now, of those that somebody wants a second.
    allowance: f64,
    last: Instant,
}

enum Filter {
    All,
    Only(Box<Expression>),
    /// The condition does not fit the columns.
    Nothing,
}

impl<'a> Looking<'a> {
    fn new(look: Look, conditions: Arc<dyn Conditions>, teller: &'a dyn Teller, stop: Stop) -> Looking<'a> {
        Looking {
            look,
            conditions,
            teller,
            stop,
            outbox: Default::default(),
            schema: ir::Schema::default(),
            filter: Filter::All,
            begun: false,
            told: 0,
            skipped: 0,
            allowance: 0.0,
            last: Instant::now(),
        }
    }

    /// Until nobody wants more. The messages of what kept it from beginning.
    fn run(&mut self, id: TapId, orders: &SyncSender<Order>) -> Option<Messages> {
        let mut heard = Instant::now();
        loop {
            let (done, answer) = sync_channel(1);
            let seen = orders.send(Order::See(See::Look { id, done })).ok().and_then(|()| answer.recv().ok());
            let Some(seen) = seen else { return Some(ending()) };
            let Some(seen) = seen else { return Some(Messages::of(abandoned())) };
            self.allow();
            if let Err(wrong) = self.take(seen) {
                return Some(wrong);
            }
            if self.outbox.is_empty() && heard.elapsed() > STILL_THERE {
                self.outbox.push_back(TapWord::Quiet);
            }
            while let Some(told) = self.outbox.pop_front() {
                heard = Instant::now();
                if !self.teller.tell(&told) {
                    self.outbox.push_front(told);
                    break;
                }
            }
            if self.teller.is_gone() || self.is_over() {
                return None;
            }
            self.stop.wait(LOOK_EVERY, Wanted::Hurry);
        }
    }

    fn is_over(&self) -> bool {
        self.outbox.is_empty() && self.look.limit.is_some_and(|limit| self.told >= limit)
    }

    /// More rows may be told as time goes on, but no more at once than one look may bring.
    fn allow(&mut self) {
        let since = std::mem::replace(&mut self.last, Instant::now()).elapsed().as_secs_f64();
        self.allowance = match self.look.rows_per_s {
            None => ROWS_PER_LOOK as f64,
            Some(rate) => (self.allowance + since * f64::from(rate)).min(f64::from(rate).max(1.0)),
        };
    }

    fn take(&mut self, Seen { pieces, missed }: Seen) -> Result<(), Messages> {
        // A reader that is behind: what passes meanwhile is counted, not gathered.
        let is_behind = self.outbox.len() > 2 * ROWS_PER_LOOK / ROWS_PER_TELLING;
        self.skipped += missed;
        for piece in pieces {
            match piece {
                Piece::Begins { place, schema, sources } => self.begin(&place, schema, &sources)?,
                Piece::Gone => {
                    self.own_up();
                    self.outbox.push_back(TapWord::Gone);
                }
                Piece::Rows(batch) if is_behind => self.skipped += batch.len() as u64,
                Piece::Rows(batch) => self.rows(batch),
            }
        }
        if !is_behind {
            self.own_up();
        }
        Ok(())
    }

    /// Says how many rows were skipped.
    fn own_up(&mut self) {
        if self.skipped > 0 {
            self.outbox.push_back(TapWord::Skipped { rows: std::mem::take(&mut self.skipped) });
        }
    }

    /// At the very beginning a condition that does not fit is refused; later an edit may make it fit again.
    fn begin(&mut self, place: &Input, schema: ir::Schema, sources: &Sources) -> Result<(), Messages> {
        self.own_up();
        let again = std::mem::replace(&mut self.begun, true);
        let columns = schema.visible().map(|column| Column { name: column.name.to_string(), ty: column.ty.to_string() });
        self.outbox.push_back(TapWord::Columns { columns: columns.collect(), again });
        self.schema = schema;
        let Some(condition) = &self.look.condition else { return Ok(()) };
        match filter(self.conditions.as_ref(), sources, place, condition, &self.schema) {
            Ok(expression) => self.filter = Filter::Only(Box::new(expression)),
            Err(wrong) if again => {
                let text = wrong.text();
                self.outbox.push_back(TapWord::Unfit { text, diagnostics: wrong.to_json() });
                self.filter = Filter::Nothing;
            }
            Err(wrong) => return Err(wrong),
        }
        Ok(())
    }

    fn rows(&mut self, batch: Batch) {
        let Some(batch) = self.wanted(batch) else { return };
        let left = self.look.limit.map_or(u64::MAX, |limit| limit.saturating_sub(self.told));
        let room = usize::try_from(left).unwrap_or(usize::MAX);
        let take = batch.len().min(room).min(self.allowance as usize);
        // Beyond the limit rows are not skipped: nobody asked for them.
        self.skipped += (batch.len().min(room) - take) as u64;
        self.allowance -= take as f64;
        self.told += take as u64;
        // The newest are shown: they are what passes now.
        let from = if self.look.limit.is_some() { 0 } else { batch.len() - take };
        let rows = cells(&batch.rows.slice(from, take));
        let at: Vec<u64> = (from..from + take).map(|row| batch.ordinals.get(row).0).collect();
        for (at, rows) in at.chunks(ROWS_PER_TELLING).zip(rows.chunks(ROWS_PER_TELLING)) {
            self.outbox.push_back(TapWord::Rows { at: at.to_vec(), rows: rows.to_vec() });
        }
    }

    fn wanted(&self, batch: Batch) -> Option<Batch> {
        let expression = match &self.filter {
            Filter::All => return Some(batch),
            Filter::Nothing => return None,
            Filter::Only(expression) => expression,
        };
        let mask: BooleanArray = expression.mask(&batch.rows).ok()?;
        batch.filter(&mask).ok().filter(|batch| !batch.is_empty())
    }
}

/// The condition, ready to be asked of rows with these columns.
pub fn filter(
    conditions: &dyn Conditions,
    sources: &Sources,
    place: &Input,
    condition: &str,
    schema: &ir::Schema,
) -> Result<Expression, Messages> {
    let predicate = conditions.condition(sources, place, condition)?;
    Expression::compile(&predicate, &Scope::of(schema)).map_err(|error| Messages::of(error.diagnostic("the condition")))
}

fn ending() -> Messages {
    Messages::of(Diagnostic::new(Code::R0006, "the pipeline is ending"))
}

fn abandoned() -> Diagnostic {
    Diagnostic::new(Code::R0006, "nobody looked for so long that the run took the tap away").help("begin again")
}

pub(super) fn too_many(most: usize) -> Diagnostic {
    Diagnostic::new(Code::R0006, format!("{most} others look at this run already")).help("end one of them")
}

pub(super) fn no_rows_there(name: &str) -> Diagnostic {
    Diagnostic::new(Code::E0201, format!("no rows pass `{name}`")).help("name a source, a stream, one of its stages, or a sink")
}
