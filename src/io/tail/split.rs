//! Bytes of a file that grows to whole records: a line counts when its end has come.

use crate::io::csv::{Begins, Signs};
use crate::io::journal::Records;

/// Whole records, and where each stands among the bytes.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Whole {
    pub records: Records,
    /// On which line each begins, counted from 0.
    pub lines: Vec<u64>,
    /// Bytes and lines up to the end of each.
    pub behind: Vec<(usize, u64)>,
    /// All bytes that need not be read again, and the lines in them.
    pub bytes: usize,
    pub line_count: u64,
}

/// At most `rows_max` records from the beginning of these bytes.
pub(super) fn split(bytes: &[u8], signs: Option<Signs>, rows_max: usize) -> Whole {
    let mut out = Whole::default();
    while out.records.len() < rows_max
        && let Some((length, lines)) = record(&bytes[out.bytes..], signs)
    {
        let (record, line) = (&bytes[out.bytes..out.bytes + length], out.line_count);
        (out.bytes, out.line_count) = (out.bytes + length, line + lines);
        if !record.trim_ascii().is_empty() {
            out.records.push(record);
            out.lines.push(line);
            out.behind.push((out.bytes, out.line_count));
        }
    }
    out
}

/// The length of the first record and how many line breaks it has; none while its end has not come.
fn record(bytes: &[u8], signs: Option<Signs>) -> Option<(usize, u64)> {
    let Some(signs) = signs else {
        return bytes.iter().position(|byte| *byte == b'\n').map(|at| (at + 1, 1));
    };
    match signs.first(bytes, false) {
        Begins::Record(length) | Begins::Unclosed(length) => {
            let lines = bytes[..length].iter().filter(|byte| **byte == b'\n').count();
            Some((length, lines as u64))
        }
        Begins::More => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn texts(whole: &Whole) -> Vec<String> {
        (0..whole.records.len()).map(|nth| String::from_utf8_lossy(whole.records.get(nth)).trim().to_owned()).collect()
    }

    #[test]
    fn only_whole_lines_count() {
        let whole = split(b"a\n\n \nb\r\nhalf", None, 9);
        assert_eq!((texts(&whole).join("|"), whole.lines.clone()), ("a|b".to_owned(), vec![0, 3]));
        assert_eq!(whole.behind, [(2, 1), (8, 4)]);
        assert_eq!((whole.bytes, whole.line_count), (8, 4));
        assert_eq!(split(b"a\nb\nc\n", None, 2).bytes, 4);
        assert_eq!(split(b"half", None, 2), Whole::default());
    }

    const SIGNS: Option<Signs> = Some(Signs { quote: b'"', separator: b',' });

    #[test]
    fn a_quoted_line_break_belongs_to_its_record() {
        let whole = split(b"1,\"a\nb\"\r\n2,c\n3,\"open\n", SIGNS, 9);
        assert_eq!((texts(&whole).join("|"), whole.lines.clone()), ("1,\"a\nb\"|2,c".to_owned(), vec![0, 2]));
        let whole = split(b"1,\"\n\"2\",b\n", SIGNS, 2);
        assert_eq!(texts(&whole), ["1,\"", "\"2\",b"]);
    }

    proptest! {
        /// Wherever the bytes end at the moment, the same records come.
        #[test]
        fn records_do_not_depend_on_when_bytes_come(text in "[ab\"\n]{0,40}", at in 0usize..40) {
            let bytes = text.as_bytes();
            let whole = split(bytes, SIGNS, usize::MAX);
            let first = split(&bytes[..at.min(bytes.len())], SIGNS, usize::MAX);
            let rest = split(&bytes[first.bytes..], SIGNS, usize::MAX);
            prop_assert_eq!(texts(&whole), [texts(&first), texts(&rest)].concat());
            prop_assert_eq!(whole.bytes, first.bytes + rest.bytes);
            prop_assert_eq!(whole.line_count, first.line_count + rest.line_count);
        }
    }
}
