//! Rows that no split may part: those of one group, or else those of one time or one position.

use std::collections::BTreeMap;

use super::Table;

/// The unit of each row, numbered in order of appearance.
pub fn units(table: &Table) -> Vec<u32> {
    match (&table.groups, &table.times) {
        (Some(groups), _) => groups.clone(),
        (None, times) => moments(&table.ordinals, times.as_deref()),
    }
}

/// Rows that share a time or an ordinal, joined over both.
fn moments(ordinals: &[u64], times: Option<&[i64]>) -> Vec<u32> {
    let mut leader: Vec<usize> = (0..ordinals.len()).collect();
    let mut at_time: BTreeMap<i64, usize> = BTreeMap::new();
    for row in 0..ordinals.len() {
        if row > 0 && ordinals[row] == ordinals[row - 1] {
            join(&mut leader, row - 1, row);
        }
        if let Some(time) = times.map(|times| times[row]).filter(|time| *time != i64::MIN) {
            let first = *at_time.entry(time).or_insert(row);
            join(&mut leader, first, row);
        }
    }
    let mut numbers: BTreeMap<usize, u32> = BTreeMap::new();
    let mut unit = |row: usize| {
        let next = numbers.len() as u32;
        *numbers.entry(find(&mut leader, row)).or_insert(next)
    };
    (0..ordinals.len()).map(&mut unit).collect()
}

fn find(leader: &mut [usize], mut row: usize) -> usize {
    while leader[row] != row {
        leader[row] = leader[leader[row]];
        row = leader[row];
    }
    row
}

/// The earlier row leads.
fn join(leader: &mut [usize], a: usize, b: usize) {
    let (a, b) = (find(leader, a), find(leader, b));
    leader[a.max(b)] = a.min(b);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_one_time_or_one_position_stay_together() {
        assert_eq!(moments(&[1, 2, 3], None), [0, 1, 2]);
        assert_eq!(moments(&[1, 2, 2, 3, 4], Some(&[10, 20, 30, 30, 10])), [0, 1, 1, 1, 0]);
    }
}
