//! Quantiles, which need every value of their window.

use arrow::datatypes::{DataType, Field};

use super::super::super::cell::Cell;
use super::Fold;

/// The value below which this share of the window's values lies, between two neighbours in proportion (type 7, the usual
/// one); 0.5 is the median.
#[derive(Clone)]
pub(in super::super) struct Quantile {
    pub share: f64,
    pub values: Vec<f64>,
}

impl Quantile {
    pub fn new(share: f64) -> Quantile {
        Quantile { share: share.clamp(0.0, 1.0), values: Vec::new() }
    }

    fn at(&self) -> Option<f64> {
        let mut sorted = self.values.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let last = sorted.len().checked_sub(1)?;
        let place = self.share * last as f64;
        let (low, high) = (place.floor() as usize, place.ceil() as usize);
        Some(if low == high { sorted[low] } else { between(sorted[low], sorted[high], place.fract()) })
    }
}

/// Halves do not overflow where the difference would.
fn between(low: f64, high: f64, share: f64) -> f64 {
    low * (1.0 - share) + high * share
}

impl Fold for Quantile {
    fn parts(_: &[DataType]) -> Vec<DataType> {
        vec![DataType::List(Field::new_list_field(DataType::Float64, true).into())]
    }

    fn update(&mut self, args: &[Cell]) {
        self.values.extend(args[0].as_f64());
    }

    fn merge(&mut self, later: Quantile) {
        self.values.extend(later.values);
    }

    fn save(&self) -> Vec<Cell> {
        vec![Cell::List(self.values.iter().map(|value| Cell::Float(*value)).collect())]
    }

    fn load(&self, parts: Vec<Cell>) -> Quantile {
        let values = match &parts[0] {
            Cell::List(items) => items.iter().filter_map(Cell::as_f64).collect(),
            Cell::Null | Cell::Bool(_) | Cell::Int(_) | Cell::Float(_) | Cell::Text(_) | Cell::Other(_) => Vec::new(),
        };
        Quantile { share: self.share, values }
    }

    fn value(&self, result: &DataType) -> Cell {
        self.at().map_or(Cell::Null, |value| Cell::number(value, result))
    }
}
