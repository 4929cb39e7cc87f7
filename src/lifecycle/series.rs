//! Values of a series at a time: what a forecast is about, and what was so a season before.

use std::collections::BTreeMap;

use arrow::array::{Array, ArrayRef, UInt64Array};
use arrow::compute::take;

/// How much older than the usual distance of rows a value may be to stand for a time: clocks of sensors jitter.
const SLACK: f64 = 1.5;

/// Rows of one series, or of several apart, by their times; rows without a time are in none.
pub struct Series<'a> {
    times: &'a [i64],
    /// Which series each row belongs to; of one where there is none.
    keys: Option<&'a [u32]>,
    of: BTreeMap<u32, One>,
}

/// A series.
struct One {
    /// Rows that have a value, by time; of one time the last row.
    at: BTreeMap<i64, usize>,
    /// The latest time of all rows, whether they have a value or not.
    reached: i64,
    /// In the clock of the times.
    patience: i64,
}

impl<'a> Series<'a> {
    /// `has_value` is asked of every row.
    pub fn of(times: &'a [i64], keys: Option<&'a [u32]>, has_value: impl Fn(usize) -> bool) -> Series<'a> {
        let mut of: BTreeMap<u32, One> = BTreeMap::new();
        for (row, time) in times.iter().enumerate().filter(|(_, time)| **time != i64::MIN) {
            let fresh = || One { at: BTreeMap::new(), reached: *time, patience: 0 };
            let one = of.entry(keys.map_or(0, |keys| keys[row])).or_insert_with(fresh);
            one.reached = one.reached.max(*time);
            if has_value(row) {
                one.at.insert(*time, row);
            }
        }
        of.values_mut().for_each(|one| one.patience = patience(&one.at));
        Series { times, keys, of }
    }

    /// The row whose value holds so much later than `row` (or earlier, if negative): the last one then, unless it is older
    /// than rows usually are apart. None where that time has not come yet.
    pub fn after(&self, row: usize, later: i64) -> Option<usize> {
        let one = self.of.get(&self.keys.map_or(0, |keys| keys[row]))?;
        let wanted = Some(self.times[row]).filter(|time| *time != i64::MIN)?.checked_add(later)?;
        let (time, found) = one.at.range(..=wanted).next_back()?;
        (wanted <= one.reached && wanted - time <= one.patience).then_some(*found)
    }

    /// From the first value to the last, in the longest of the series.
    pub fn span(&self) -> i64 {
        let ends = |one: &One| Some(one.at.keys().next_back()? - one.at.keys().next()?);
        self.of.values().filter_map(ends).max().unwrap_or(0)
    }
}

/// Half as much again as the median distance of rows.
fn patience(at: &BTreeMap<i64, usize>) -> i64 {
    let times: Vec<i64> = at.keys().copied().collect();
    let mut steps: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    if steps.is_empty() {
        return 0;
    }
    let middle = steps.len() / 2;
    let (_, median, _) = steps.select_nth_unstable(middle);
    (*median as f64 * SLACK) as i64
}

/// Each row's value so much later; null where nobody knows it yet, or where nothing was measured between.
pub fn shifted(values: &ArrayRef, times: &[i64], keys: Option<&[u32]>, later: i64) -> ArrayRef {
    let series = Series::of(times, keys, |row| values.is_valid(row));
    let target = |row: usize| series.after(row, later).filter(|found| times[*found] > times[row]).map(|found| found as u64);
    let rows: UInt64Array = (0..times.len()).map(target).collect();
    take(values, &rows, None).expect("the rows are the column's own")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{AsArray, Float64Array};
    use arrow::datatypes::Float64Type;

    use super::*;

    fn shift(values: Vec<Option<f64>>, times: &[i64], later: i64) -> Vec<Option<f64>> {
        let values: ArrayRef = Arc::new(Float64Array::from(values));
        shifted(&values, times, None, later).as_primitive::<Float64Type>().iter().collect()
    }

    fn all(values: &[f64]) -> Vec<Option<f64>> {
        values.iter().copied().map(Some).collect()
    }

    #[test]
    fn the_target_is_the_value_that_much_later_and_unknown_at_the_end() {
        let found = shift(all(&[1.0, 2.0, 3.0, 4.0]), &[0, 10, 20, 30], 20);
        assert_eq!(found, [Some(3.0), Some(4.0), None, None]);
    }

    #[test]
    fn between_rows_the_value_before_holds_and_after_a_gap_none() {
        let times = [0, 10, 20, 30, 100, 110, 120];
        let found = shift(all(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]), &times, 12);
        assert_eq!(found, [Some(2.0), Some(3.0), Some(4.0), None, Some(6.0), None, None]);
        let found = shift(all(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]), &times, 50);
        assert_eq!(found, [None; 7], "nothing was measured then, or it has not come yet");
    }

    #[test]
    fn a_missing_value_is_no_value() {
        let found = shift(vec![Some(1.0), None, Some(3.0)], &[0, 10, 20], 10);
        assert_eq!(found, [None, Some(3.0), None], "its own value is no later one");
        assert_eq!(shift(all(&[1.0, 2.0, 3.0, 4.0]), &[0, 0, 10, 10], 10), [Some(4.0), Some(4.0), None, None]);
        assert_eq!(shift(all(&[1.0, 2.0]), &[i64::MIN, 0], 1), [None, None]);
    }

    #[test]
    fn series_do_not_mix() {
        let values: ArrayRef = Arc::new(Float64Array::from(vec![1.0, 2.0, 3.0, 4.0]));
        let found = shifted(&values, &[0, 0, 10, 10], Some(&[0, 1, 1, 0]), 10);
        assert_eq!(found.as_primitive::<Float64Type>().iter().collect::<Vec<_>>(), [Some(4.0), Some(3.0), None, None]);
    }

    #[test]
    fn rows_out_of_order_are_found_by_their_time() {
        assert_eq!(shift(all(&[3.0, 1.0, 2.0]), &[20, 0, 10], 10), [None, Some(2.0), Some(3.0)]);
    }
}
