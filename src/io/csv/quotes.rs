//! Where a record with quotes ends, so that a quote that is never closed costs one line and not the rest of the file.
//!
//! [`Mended`] stands between the bytes and the reader of separated values, and looks ahead from every quote that opens a
//! field. Where it is not closed within the limits, the record ends with its line: the reader gets the line without its
//! quotes, so that no byte changes its place, and the line as it was is kept for whoever sets it aside.

use std::collections::VecDeque;
use std::io::{self, Read};

use crate::io::lines::{LINE_BYTES_MAX, too_long};

/// Lines that a record may have, and bytes if it has several; a text that is longer is no field but an open quote.
pub(super) const RECORD_LINES_MAX: usize = 100;
pub(super) const RECORD_BYTES_MAX: usize = 1024 * 1024;
/// Bytes that are asked for at once.
const PIECE_BYTES: usize = 64 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The signs that matter.
#[derive(Clone, Copy, Debug)]
pub(in crate::io) struct Signs {
    pub quote: u8,
    pub separator: u8,
}

/// What a text begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::io) enum Begins {
    /// A record of so many bytes, its end included.
    Record(usize),
    /// A line of so many bytes in which a quote is opened and not closed.
    Unclosed(usize),
    /// A record whose end has not come yet.
    More,
}

/// Where the reader stands within a record.
#[derive(Clone, Copy, PartialEq)]
enum At {
    FieldStart,
    Field,
    Quoted,
    /// Behind a quote within quotes: the end of the field, or the first half of a quote that is meant.
    Quote,
}

impl Signs {
    /// `over`: nothing comes behind the text.
    pub fn first(self, text: &[u8], over: bool) -> Begins {
        let mut at = At::FieldStart;
        // Of the line breaks within the record: how many, and where the first ends.
        let (mut lines, mut line_end) = (0, None);
        for (nth, byte) in text.iter().copied().enumerate() {
            at = match (at, byte) {
                (At::FieldStart | At::Field | At::Quote, b'\n' | b'\r') => return Begins::Record(nth + 1),
                (At::FieldStart, byte) if byte == self.quote => At::Quoted,
                (At::FieldStart | At::Field | At::Quote, byte) if byte == self.separator => At::FieldStart,
                (At::FieldStart | At::Field, _) => At::Field,
                (At::Quoted, byte) if byte == self.quote => At::Quote,
                (At::Quote, byte) if byte == self.quote => At::Quoted,
                // A quote that closes stands at the end of its field, so the one on another line was meant to open it.
                (At::Quote, _) => match line_end {
                    Some(end) => return Begins::Unclosed(end),
                    None => At::Field,
                },
                (At::Quoted, b'\n') => {
                    lines += 1;
                    let end = *line_end.get_or_insert(nth + 1);
                    if lines >= RECORD_LINES_MAX || nth >= RECORD_BYTES_MAX {
                        return Begins::Unclosed(end);
                    }
                    At::Quoted
                }
                (At::Quoted, _) => At::Quoted,
            };
        }
        match (at, line_end) {
            (At::Quoted, Some(end)) if over || text.len() > RECORD_BYTES_MAX => Begins::Unclosed(end),
            (At::Quoted, None) if over => Begins::Unclosed(text.len()),
            (At::FieldStart | At::Field | At::Quote, _) if over => Begins::Record(text.len()),
            (At::FieldStart | At::Field | At::Quoted | At::Quote, _) => Begins::More,
        }
    }
}

impl Signs {
    /// Takes the quotes out of a line, and gives the line as it was, without its end.
    pub fn mend(self, line: &mut [u8]) -> Vec<u8> {
        let was = line.trim_ascii_end().to_vec();
        line.iter_mut().filter(|byte| **byte == self.quote).for_each(|byte| *byte = b'_');
        was
    }
}

/// Bytes in which every quote is closed.
pub(super) struct Mended<R> {
    inner: R,
    signs: Signs,
    buffer: Vec<u8>,
    /// Bytes of the buffer that were handed on, and those that may be: whole records.
    given: usize,
    whole: usize,
    /// Where the buffer begins in the text.
    begin: u64,
    over: bool,
    unclosed: VecDeque<(u64, Vec<u8>)>,
}

impl<R: Read> Mended<R> {
    pub fn new(inner: R, signs: Signs) -> Mended<R> {
        let (buffer, unclosed) = (Vec::new(), VecDeque::new());
        Mended { inner, signs, buffer, given: 0, whole: 0, begin: 0, over: false, unclosed }
    }

    /// The line as it was that a record at these bytes is made of, if it was mended.
    pub fn unclosed(&mut self, from: u64, to: u64) -> Option<Vec<u8>> {
        while self.unclosed.front().is_some_and(|(at, _)| *at < from) {
            self.unclosed.pop_front();
        }
        self.unclosed.pop_front_if(|(at, _)| *at < to).map(|(_, line)| line)
    }

    /// Until there is a whole record, or nothing more.
    fn fill(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.given);
        self.begin += self.given as u64;
        (self.given, self.whole) = (0, 0);
        while self.whole == 0 && !(self.over && self.buffer.is_empty()) {
            let before = self.buffer.len();
            if before > LINE_BYTES_MAX {
                return Err(too_long());
            }
            self.buffer.resize(before + PIECE_BYTES, 0);
            let read = self.inner.read(&mut self.buffer[before..]);
            self.buffer.truncate(before + *read.as_ref().unwrap_or(&0));
            self.over = read? == 0;
            self.look();
        }
        Ok(())
    }

    /// How far the buffer holds whole records.
    fn look(&mut self) {
        while self.whole < self.buffer.len() {
            let rest = &self.buffer[self.whole..];
            if !rest.contains(&self.signs.quote) {
                let end =
                    if self.over { Some(rest.len()) } else { rest.iter().rposition(|byte| *byte == b'\n').map(|at| at + 1) };
                self.whole += end.unwrap_or(0);
                return;
            }
            let mark = if self.begin == 0 && self.whole == 0 && rest.starts_with(BYTE_ORDER_MARK) { 3 } else { 0 };
            match self.signs.first(&rest[mark..], self.over) {
                Begins::Record(bytes) => self.whole += mark + bytes,
                Begins::Unclosed(bytes) => self.mend(mark + bytes),
                Begins::More => return,
            }
        }
    }

    fn mend(&mut self, bytes: usize) {
        let line = self.signs.mend(&mut self.buffer[self.whole..self.whole + bytes]);
        self.unclosed.push_back((self.begin + self.whole as u64, line));
        self.whole += bytes;
    }
}

impl<R: Read> Read for Mended<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.given == self.whole {
            self.fill()?;
        }
        let count = out.len().min(self.whole - self.given);
        out[..count].copy_from_slice(&self.buffer[self.given..self.given + count]);
        self.given += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use csv::{ByteRecord, ReaderBuilder};
    use proptest::prelude::*;

    use super::*;

    const SIGNS: Signs = Signs { quote: b'"', separator: b',' };

    /// Gives so many bytes at a time.
    struct Drops<'a>(&'a [u8], usize);

    impl Read for Drops<'_> {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let count = self.1.min(out.len()).min(self.0.len());
            out[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn mended(text: &[u8], drop: usize) -> (Vec<u8>, Vec<(u64, Vec<u8>)>) {
        let (mut reader, mut out) = (Mended::new(Drops(text, drop), SIGNS), Vec::new());
        reader.read_to_end(&mut out).unwrap();
        (out, reader.unclosed.into())
    }

    fn is_unclosed(text: &str) -> Vec<String> {
        let (out, unclosed) = mended(text.as_bytes(), 7);
        assert_eq!(out.len(), text.len(), "no byte changes its place");
        unclosed.into_iter().map(|(_, line)| String::from_utf8(line).unwrap()).collect()
    }

    #[test]
    fn an_open_quote_costs_its_line() {
        assert_eq!(is_unclosed("a,\"b\nc,d\ne,f\n"), ["a,\"b"]);
        assert_eq!(is_unclosed("\"a\",b\n\"c,d\n\"e\",f\n"), ["\"c,d"], "the next quote opens a field");
        assert_eq!(is_unclosed("a,\"b"), ["a,\"b"]);
        let long = format!("a,\"b\n{}", "c,d\n".repeat(RECORD_LINES_MAX));
        assert_eq!(is_unclosed(&(long.clone() + "\"")), ["a,\"b", "\""]);
    }

    #[test]
    fn fields_of_several_lines_and_quotes_that_are_meant_stay() {
        for text in
            ["\"a\nb\",c\n", "\"a \"\"b\"\" \r\n\",c\n", "a\"b,5\"\nc,d\n", "\"a\"b,c\n", "\u{feff}\"a\",b\n1,2", "\"\"", ""]
        {
            assert_eq!((is_unclosed(text), mended(text.as_bytes(), 3).0), (Vec::<String>::new(), text.as_bytes().to_vec()));
        }
    }

    #[test]
    fn a_text_without_an_end_is_refused() {
        let endless = io::repeat(b'x').take(LINE_BYTES_MAX as u64 + 100_000_000);
        assert!(Mended::new(endless, SIGNS).read_to_end(&mut Vec::new()).is_err());
    }

    proptest! {
        #[test]
        fn nothing_depends_on_how_the_bytes_come(text in "[ab\",\r\n]{0,60}", drop in 1usize..9) {
            prop_assert_eq!(mended(text.as_bytes(), drop), mended(text.as_bytes(), 1_000));
        }

        /// Records end where the reader of separated values sees their ends.
        #[test]
        fn whole_records_are_those_of_the_reader(text in "[ab\",\r\n]{0,60}") {
            let (mut rest, mut ours) = (text.as_bytes(), Vec::new());
            while let (false, Begins::Record(bytes)) = (rest.is_empty(), SIGNS.first(rest, true)) {
                ours.push(rest[..bytes].trim_ascii().len());
                rest = &rest[bytes..];
            }
            prop_assume!(rest.is_empty());
            let mut reader = ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text.as_bytes());
            let theirs = reader.byte_records().filter(|record| record.as_ref().is_ok_and(|record: &ByteRecord| !record.is_empty()));
            prop_assert_eq!(theirs.count(), ours.into_iter().filter(|length| *length > 0).count());
        }
    }
}
