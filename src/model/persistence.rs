//! The baseline that repeats what was last known. It wins on many streams of sensors, so it stands beside every result.
//! It needs the true labels as they arrive, so it is a reference and no model that could be served.

use std::collections::BTreeMap;

/// When a row's label is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LabelDelay {
    /// Before the next row of the same group.
    NextRow,
    /// This much later, in the clock of `times` (a forecast's label is the future itself).
    After(i64),
}

/// For each row, the row whose label it repeats: the last of its group that is labelled and known by then.
/// `groups` and `times` are of every row where they are given; `After` without times knows nothing.
pub fn persistence(labelled: &[bool], groups: Option<&[u32]>, times: Option<&[i64]>, delay: LabelDelay) -> Vec<Option<usize>> {
    let group = |row: usize| groups.map_or(0, |groups| groups[row]);
    match delay {
        LabelDelay::NextRow => {
            let mut last: BTreeMap<u32, usize> = BTreeMap::new();
            let mut repeated = Vec::with_capacity(labelled.len());
            for (row, labelled) in labelled.iter().enumerate() {
                repeated.push(last.get(&group(row)).copied());
                if *labelled {
                    last.insert(group(row), row);
                }
            }
            repeated
        }
        LabelDelay::After(delay) => {
            let Some(times) = times else { return vec![None; labelled.len()] };
            let mut known: BTreeMap<u32, Vec<(i64, usize)>> = BTreeMap::new();
            for row in (0..labelled.len()).filter(|row| labelled[*row]) {
                known.entry(group(row)).or_default().push((times[row].saturating_add(delay), row));
            }
            known.values_mut().for_each(|rows| rows.sort_unstable());
            let last = |row: usize| {
                let rows = known.get(&group(row))?;
                let count = rows.partition_point(|(at, _)| *at <= times[row]);
                rows[..count].last().map(|(_, row)| *row)
            };
            (0..labelled.len()).map(last).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_previous_label_of_the_same_group_is_repeated() {
        let labelled = [true, true, false, true, true];
        let all = persistence(&labelled, None, None, LabelDelay::NextRow);
        assert_eq!(all, [None, Some(0), Some(1), Some(1), Some(3)]);
        let apart = persistence(&labelled, Some(&[0, 1, 0, 1, 0]), None, LabelDelay::NextRow);
        assert_eq!(apart, [None, None, Some(0), Some(1), Some(0)]);
    }

    #[test]
    fn a_forecast_repeats_only_what_has_come_true() {
        let repeated = persistence(&[true; 5], None, Some(&[0, 10, 20, 30, 45]), LabelDelay::After(20));
        assert_eq!(repeated, [None, None, Some(0), Some(1), Some(2)]);
        assert_eq!(persistence(&[true; 2], None, None, LabelDelay::After(1)), [None, None]);
    }
}
