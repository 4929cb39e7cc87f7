//! The dead letter: the first records of each source that could not be read, with the reason and the place of each. All of
//! them are counted by the nodes that refused them; what is kept here is for the person who wants to know why.

use std::collections::BTreeMap;

use arrow::array::{AsArray, RecordBatch};
use serde::{Deserialize, Serialize};

use crate::base::Name;

/// Records that are kept of one source.
pub const DEAD_RECORDS_MAX: usize = 100;

/// By source, in the order in which they were met.
pub type DeadLetter = BTreeMap<Name, Vec<DeadRecord>>;

/// A record that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadRecord {
    pub reason: String,
    /// Its bytes, cut off where there are many.
    pub raw: String,
    /// `file:line`, or as near as the format tells.
    pub origin: String,
}

/// Keeps the first of these rows of a `.bad` outlet (columns `reason`, `raw` and `origin`).
pub(super) fn note(letter: &mut DeadLetter, source: &Name, bad: &RecordBatch) {
    let kept = letter.entry(source.clone()).or_default();
    for row in 0..bad.num_rows().min(DEAD_RECORDS_MAX.saturating_sub(kept.len())) {
        let column = |name: &str| bad.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
        let text = |name: &str| column(name).map_or("", |texts| texts.value(row)).to_owned();
        kept.push(DeadRecord { reason: text("reason"), raw: text("raw"), origin: text("origin") });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::StringArray;

    use super::*;

    #[test]
    fn it_keeps_the_first_records_and_no_more() {
        let reasons = StringArray::from_iter_values((0..70).map(|row| format!("reason {row}")));
        let bad = RecordBatch::try_from_iter([("reason", Arc::new(reasons) as arrow::array::ArrayRef)]).unwrap();
        let mut letter = DeadLetter::new();
        for _ in 0..3 {
            note(&mut letter, &"room".into(), &bad);
        }
        let kept = &letter["room"];
        assert_eq!(kept.len(), DEAD_RECORDS_MAX);
        assert_eq!((kept[69].reason.as_str(), kept[70].reason.as_str()), ("reason 69", "reason 0"));
    }
}
