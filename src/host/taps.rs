//! Taps on a run: who looks at which place, and what has passed there since he looked last.
//!
//! This is the engine's side. A tap costs it the counting of rows; they are kept in a ring, which whoever looks empties. A
//! tap belongs to a *name*: after a change of the graph it sits wherever the rows of that name come out now.

mod looking;

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use crate::base::Sources;
use crate::diag::Diagnostic;
use crate::ir;
use crate::node::Batch;
use crate::plan::Input;
use crate::runtime::{Engine, Parts, TapId, Tapped};

pub use looking::{Column, Look, TapWord, Teller, filter, look_on};

/// Rows that a tap keeps for whoever looks; of more the newest.
pub const TAP_ROWS_MAX: usize = 65_536;
/// Taps at the same time.
pub const TAPS_MAX: usize = 16;
/// A tap at which nobody has looked for so long is taken away.
const ABANDONED: Duration = Duration::from_secs(30);

/// All taps of a run, on the engine's thread.
#[derive(Debug, Default)]
pub struct Taps {
    last: u64,
    open: BTreeMap<TapId, Tap>,
}

#[derive(Debug)]
struct Tap {
    name: String,
    /// None while nothing is called so.
    place: Option<Input>,
    schema: ir::Schema,
    /// What was taken from the engine and not looked at yet.
    waiting: VecDeque<Piece>,
    missed: u64,
    looked: Instant,
}

/// What happened at a place, in order.
#[derive(Clone, Debug)]
pub enum Piece {
    Rows(Batch),
    /// Rows with these columns pass from here on: at the beginning, after an edit, or because the name is there again.
    Begins {
        place: Input,
        schema: ir::Schema,
        sources: Sources,
    },
    /// An edit took the name away.
    Gone,
}

/// What one look brings.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub pieces: Vec<Piece>,
    /// Rows that passed before these and were not kept.
    pub missed: u64,
}

impl Taps {
    /// # Errors
    /// If nothing is called so, or too many look already.
    pub fn open(&mut self, engine: &mut Engine, parts: &dyn Parts, sources: &Sources, name: &str) -> Result<TapId, Diagnostic> {
        let place = engine.graph().place(name)?;
        if self.open.len() >= TAPS_MAX {
            return Err(looking::too_many(TAPS_MAX));
        }
        self.last += 1;
        let (id, schema) = (TapId(self.last), engine.columns_at(&place, parts));
        if !engine.tap_as(id, &place, TAP_ROWS_MAX) {
            return Err(looking::no_rows_there(name));
        }
        let begins = Piece::Begins { place: place.clone(), schema: schema.clone(), sources: sources.clone() };
        let waiting = VecDeque::from([begins]);
        let name = name.to_owned();
        self.open.insert(id, Tap { name, place: Some(place), schema, waiting, missed: 0, looked: Instant::now() });
        Ok(id)
    }

    /// What has happened since the last look. None if there is no such tap (any more).
    pub fn look(&mut self, engine: &mut Engine, id: TapId) -> Option<Seen> {
        let tap = self.open.get_mut(&id)?;
        tap.looked = Instant::now();
        if let Some(place) = &tap.place {
            let tapped = engine.tapped_as(id, &crate::runtime::origin(place).node).unwrap_or_default();
            tap.keep(tapped);
        }
        Some(Seen { pieces: tap.waiting.drain(..).collect(), missed: std::mem::take(&mut tap.missed) })
    }

    pub fn close(&mut self, engine: &mut Engine, id: TapId) {
        if let Some(place) = self.open.remove(&id).and_then(|tap| tap.place) {
            engine.untap(id, &crate::runtime::origin(&place).node);
        }
    }

    /// Those whose owners have gone without a word.
    pub fn close_abandoned(&mut self, engine: &mut Engine) {
        let gone: Vec<TapId> =
            self.open.iter().filter(|(_, tap)| tap.looked.elapsed() > ABANDONED).map(|(id, _)| *id).collect();
        gone.into_iter().for_each(|id| self.close(engine, id));
    }

    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// To be called before a change of the graph: rows that have passed are taken in, for their node may go.
    pub fn before_a_change(&mut self, engine: &mut Engine) {
        for (id, tap) in &mut self.open {
            if let Some(place) = &tap.place {
                let tapped = engine.tapped_as(*id, &crate::runtime::origin(place).node).unwrap_or_default();
                tap.keep(tapped);
            }
        }
    }

    /// To be called after it, before the next row: each tap sits where its name is now.
    pub fn after_a_change(&mut self, engine: &mut Engine, parts: &dyn Parts, sources: &Sources) {
        for (id, tap) in &mut self.open {
            let now = engine.graph().place(&tap.name).ok();
            let passed = engine.untap_anywhere(*id).unwrap_or_default();
            let now = now.filter(|place| engine.tap_as(*id, place, TAP_ROWS_MAX));
            let schema = now.as_ref().map(|place| engine.columns_at(place, parts));
            match (&now, schema) {
                (None, _) | (_, None) => {
                    tap.keep(passed);
                    if tap.place.is_some() {
                        tap.waiting.push_back(Piece::Gone);
                    }
                }
                (Some(place), Some(schema)) => {
                    if tap.place.is_none() || !is_alike(&schema, &tap.schema) {
                        let begins = Piece::Begins { place: place.clone(), schema: schema.clone(), sources: sources.clone() };
                        tap.waiting.push_back(begins);
                        tap.schema = schema;
                    }
                    // What windows let go at the change itself has the new columns.
                    tap.keep(passed);
                }
            }
            tap.place = now;
        }
    }
}

impl Tap {
    /// Only so many rows wait; the oldest are missed first.
    fn keep(&mut self, tapped: Tapped) {
        let Tapped { batches, missed } = tapped;
        self.missed += missed;
        self.waiting.extend(batches.into_iter().map(|(_, batch)| Piece::Rows(batch)));
        let rows = |piece: &Piece| if let Piece::Rows(batch) = piece { batch.len() } else { 0 };
        let mut surplus = self.waiting.iter().map(rows).sum::<usize>().saturating_sub(TAP_ROWS_MAX);
        self.waiting.retain(|piece| {
            let gone = surplus > 0 && matches!(piece, Piece::Rows(_));
            if gone {
                surplus = surplus.saturating_sub(rows(piece));
                self.missed += rows(piece) as u64;
            }
            !gone
        });
    }
}

/// The same columns, wherever in the text they are made.
fn is_alike(a: &ir::Schema, b: &ir::Schema) -> bool {
    let columns = |schema: &ir::Schema| -> Vec<_> {
        schema.columns.iter().map(|column| (column.name.clone(), column.ty.clone(), column.nullable)).collect()
    };
    columns(a) == columns(b)
}

#[cfg(test)]
mod tests;
