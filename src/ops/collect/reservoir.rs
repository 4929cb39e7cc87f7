//! A uniform sample of all rows so far: algorithm R (Vitter 1985), its chance a function of the seed and the row's number,
//! so that it is the same however rows are cut and whenever it is saved.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{RecordBatch, UInt64Array, cast::AsArray};
use arrow::compute::interleave_record_batch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt64Type};

use crate::base::Name;
use crate::node::NodeError;

use super::super::error::{failed, unreadable};
use super::super::table::{column_named, table};
use super::HISTORY;

/// Pieces are gathered when they hold this many rows more than twice what is kept, or are this many.
const SPARE_ROWS: usize = 8_192;
const PIECES_MAX: usize = 256;

pub(super) struct Reservoir {
    schema: SchemaRef,
    most: usize,
    seed: u64,
    pieces: Vec<RecordBatch>,
    held: usize,
    /// The piece and the row of each place; a new row takes the place of an old one.
    places: Vec<(usize, usize)>,
    /// Rows that have come by.
    seen: u64,
}

const SLOTS: &str = "reservoir";
const PLACE: &str = "place";
const COUNT: &str = "seen";

impl Reservoir {
    pub fn new(schema: SchemaRef, most: usize, seed: u64) -> Reservoir {
        Reservoir { schema, most, seed, pieces: Vec::new(), held: 0, places: Vec::new(), seen: 0 }
    }

    pub fn push(&mut self, rows: RecordBatch) -> Result<usize, NodeError> {
        let piece = self.pieces.len();
        let mut left = 0;
        for row in 0..rows.num_rows() {
            if self.places.len() < self.most {
                self.places.push((piece, row));
            } else {
                left += 1;
                let place = below(self.seed, self.seen, self.seen + 1) as usize;
                if let Some(kept) = self.places.get_mut(place) {
                    *kept = (piece, row);
                }
            }
            self.seen += 1;
        }
        self.held += rows.num_rows();
        self.pieces.push(rows);
        if self.held > 2 * self.places.len() + SPARE_ROWS || self.pieces.len() > PIECES_MAX {
            self.gather()?;
        }
        Ok(left)
    }

    /// One piece, in ordinal order, and each place's row in it.
    fn gather(&mut self) -> Result<(), NodeError> {
        let mut order: Vec<usize> = (0..self.places.len()).collect();
        order.sort_unstable_by_key(|place| self.places[*place]);
        let sorted: Vec<(usize, usize)> = order.iter().map(|place| self.places[*place]).collect();
        let gathered = match sorted.is_empty() {
            true => RecordBatch::new_empty(Arc::clone(&self.schema)),
            false => interleave_record_batch(&self.pieces.iter().collect::<Vec<_>>(), &sorted).map_err(failed)?,
        };
        order.iter().enumerate().for_each(|(row, place)| self.places[*place] = (0, row));
        self.held = gathered.num_rows();
        self.pieces = vec![gathered];
        Ok(())
    }

    pub fn save(&mut self, tables: &mut BTreeMap<Name, RecordBatch>) -> Result<(), NodeError> {
        self.gather()?;
        tables.insert(HISTORY.into(), self.pieces[0].clone());
        let places: UInt64Array = self.places.iter().map(|(_, row)| Some(*row as u64)).collect();
        let seen = UInt64Array::from(vec![self.seen; places.len()]);
        let fields = [PLACE, COUNT].map(|name| Field::new(name, DataType::UInt64, true));
        let slots = table(&Arc::new(Schema::new(fields.to_vec())), vec![Arc::new(places), Arc::new(seen)], self.places.len())?;
        tables.insert(SLOTS.into(), slots);
        Ok(())
    }

    /// A history without places, as another kind of history leaves it, fills them in its own order.
    pub fn load(&mut self, tables: &BTreeMap<Name, RecordBatch>) -> Result<(), NodeError> {
        let history = tables.get(HISTORY).ok_or_else(|| unreadable("it has no history"))?.clone();
        *self = Reservoir::new(Arc::clone(&self.schema), self.most, self.seed);
        let Some(slots) = tables.get(SLOTS) else { return self.push(history).map(|_| ()) };
        let number = |name: &str| {
            let column = column_named(slots, name)?.as_primitive_opt::<UInt64Type>().cloned();
            column.ok_or_else(|| unreadable(format!("`{name}` is no number")))
        };
        let (places, seen) = (number(PLACE)?, number(COUNT)?);
        if places.values().iter().any(|row| *row as usize >= history.num_rows()) {
            return Err(unreadable("a place of its sample holds no row"));
        }
        self.places = places.values().iter().map(|row| (0, *row as usize)).collect();
        self.places.truncate(self.most);
        self.seen = seen.values().first().copied().unwrap_or(0);
        self.held = history.num_rows();
        self.pieces = vec![history];
        Ok(())
    }
}

/// A number in `0..limit`, evenly, from the seed and a running number (SplitMix64).
fn below(seed: u64, nth: u64, limit: u64) -> u64 {
    let mut mixed = seed.wrapping_add((nth + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^= mixed >> 31;
    ((u128::from(mixed) * u128::from(limit)) >> 64) as u64
}
