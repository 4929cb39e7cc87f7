//! Which records of a file were delivered, and where to take it up again.

use std::collections::{BTreeMap, VecDeque};

use arrow::array::BooleanArray;
use arrow::compute::filter_record_batch;
use serde::{Deserialize, Serialize};

use crate::base::Name;
use crate::io::error::{IoError, arrow_refuses};
use crate::io::records::Mark;
use crate::io::sheet::Decoded;

/// How far one file of a recording was delivered.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FilePosition {
    pub name: Name,
    /// Delivered records, as ranges from..to counted from 0; more than one only where the file is not in time order.
    pub delivered: Vec<(u64, u64)>,
    /// A place at or before the first record that was not delivered.
    pub mark: Mark,
    /// How many records the file has, once its end was seen.
    pub rows: Option<u64>,
}

/// Places kept of the blocks that are read and not delivered yet.
const MARKS: usize = 8;

/// Delivered records of one file, as ranges that do not touch.
#[derive(Clone, Debug, Default)]
pub(super) struct Done {
    /// Start and end.
    ranges: BTreeMap<u64, u64>,
    marks: VecDeque<Mark>,
    rows: Option<u64>,
}

impl Done {
    pub fn from(position: &FilePosition) -> Done {
        let FilePosition { name: _, delivered, mark, rows } = position;
        Done { ranges: delivered.iter().copied().collect(), marks: [*mark].into(), rows: *rows }
    }

    pub fn began(&self) -> bool {
        !self.ranges.is_empty()
    }

    /// Records in front of which all were delivered.
    fn prefix(&self) -> u64 {
        self.ranges.get(&0).copied().unwrap_or(0)
    }

    pub fn is_whole(&self) -> bool {
        self.rows == Some(self.prefix())
    }

    pub fn rows(&self) -> Option<u64> {
        self.rows
    }

    /// Records `from..to` were delivered.
    pub fn insert(&mut self, from: u64, to: u64) {
        if let Some(mut last) = self.ranges.last_entry()
            && *last.get() == from
        {
            *last.get_mut() = to;
            return;
        }
        let (mut start, mut end) = (from, to);
        if let Some((before, reach)) = self.ranges.range(..=from).next_back().filter(|(_, reach)| **reach >= from) {
            (start, end) = (*before, end.max(*reach));
        }
        while let Some((next, reach)) = self.ranges.range(start..=end).next().map(|(next, reach)| (*next, *reach)) {
            self.ranges.remove(&next);
            end = end.max(reach);
        }
        self.ranges.insert(start, end);
    }

    fn holds(&self, row: u64) -> bool {
        self.ranges.range(..=row).next_back().is_some_and(|(_, end)| *end > row)
    }

    /// A place between two blocks, in rising order.
    pub fn note(&mut self, mark: Mark) {
        if self.marks.len() == MARKS {
            self.marks.pop_front();
        }
        self.marks.push_back(mark);
    }

    pub fn end(&mut self, rows: u64) {
        self.rows = Some(rows);
    }

    /// Where to begin reading so that nothing is missed.
    pub fn mark(&mut self) -> Option<Mark> {
        let prefix = self.prefix();
        let best = self.marks.iter().copied().filter(|mark| mark.row <= prefix).max_by_key(|mark| mark.row);
        self.marks.clear();
        match best {
            // Without a byte to go to, records are passed over one by one.
            Some(mark) if mark.byte.is_some() => Some(mark),
            Some(_) | None => (prefix > 0).then_some(Mark { row: prefix, byte: None, line: 0 }),
        }
    }

    pub fn position(&self, name: &Name) -> FilePosition {
        let delivered = self.ranges.iter().map(|(from, to)| (*from, *to)).collect();
        let mark = self.clone().mark().unwrap_or_default();
        FilePosition { name: name.clone(), delivered, mark, rows: self.rows }
    }

    /// Leaves what is still to come.
    pub fn drop_delivered(&self, decoded: &mut Decoded) -> Result<(), IoError> {
        if self.ranges.is_empty() {
            return Ok(());
        }
        let kept: Vec<bool> = decoded.at.iter().map(|at| !self.holds(at.row)).collect();
        if kept.iter().any(|kept| !kept) {
            let kept = BooleanArray::from(kept);
            decoded.rows = filter_record_batch(&decoded.rows, &kept).map_err(arrow_refuses)?;
            decoded.at.retain(|at| !self.holds(at.row));
        }
        decoded.aside.bad.retain(|bad| !self.holds(bad.at.row));
        decoded.aside.empty.retain(|at| !self.holds(at.row));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_record_is_delivered_once_it_was_put_in(rows in prop::collection::vec((0u64..40, 1u64..5), 0..30)) {
            let mut done = Done::default();
            rows.iter().for_each(|(from, count)| done.insert(*from, from + count));
            for row in 0..50 {
                prop_assert_eq!(done.holds(row), rows.iter().any(|(from, count)| (*from..from + count).contains(&row)));
            }
            let ranges: Vec<(u64, u64)> = done.position(&"f".into()).delivered;
            prop_assert!(ranges.windows(2).all(|pair| pair[0].1 < pair[1].0), "{:?}", ranges);
        }
    }
}
