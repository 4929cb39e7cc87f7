//! Fields between blanks of any length.

use std::io::{self, BufRead};

use csv::ByteRecord;

use crate::io::lines::read_line;

/// Splits lines at runs of blanks and tabs; blanks at both ends of a line do not count, nor do empty lines.
pub(super) struct BlankReader<R> {
    bytes: R,
    quote: u8,
    line: Vec<u8>,
    byte: u64,
    lines: u64,
}

impl<R: BufRead> BlankReader<R> {
    pub fn new(bytes: R, quote: u8) -> BlankReader<R> {
        BlankReader { bytes, quote, line: Vec::new(), byte: 0, lines: 0 }
    }

    /// The next line that is not empty; false at the end.
    pub fn next(&mut self, record: &mut ByteRecord) -> io::Result<bool> {
        record.clear();
        while record.is_empty() {
            let start = self.byte;
            if !read_line(&mut self.bytes, &mut self.line)? {
                return Ok(false);
            }
            self.byte += self.line.len() as u64;
            self.lines += 1;
            let mut position = csv::Position::new();
            position.set_byte(start).set_line(self.lines);
            let line = if start == 0 { self.line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&self.line) } else { &self.line };
            split(line, self.quote, record);
            record.set_position(Some(position));
        }
        Ok(true)
    }

    /// Byte and line of what comes next, the line from 1.
    pub fn position(&self) -> (u64, u64) {
        (self.byte, self.lines + 1)
    }
}

fn split(line: &[u8], quote: u8, record: &mut ByteRecord) {
    let mut rest = line.trim_ascii();
    while !rest.is_empty() {
        let quoted = rest[0] == quote;
        let end = match quoted {
            true => rest[1..].iter().position(|byte| *byte == quote).map_or(rest.len(), |at| at + 2),
            false => rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len()),
        };
        let field = &rest[..end];
        let inner = field.strip_prefix(&[quote]).and_then(|field| field.strip_suffix(&[quote])).filter(|_| quoted);
        record.push_field(inner.unwrap_or(field));
        rest = rest[end..].trim_ascii_start();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_of_any_length_separate() {
        let text = "\u{feff}1  21,5\tab \r\n\n  2 \"a b\" c  \n";
        let mut reader = BlankReader::new(text.as_bytes(), b'"');
        let mut record = ByteRecord::new();
        let mut rows = Vec::new();
        while reader.next(&mut record).unwrap() {
            let line = record.position().unwrap().line();
            rows.push((
                line,
                record.iter().map(|field| String::from_utf8_lossy(field).into_owned()).collect::<Vec<_>>().join("|"),
            ));
        }
        assert_eq!(rows, [(1, "1|21,5|ab".to_owned()), (3, "2|a b|c".to_owned())]);
        assert_eq!(reader.position(), (text.len() as u64, 4));
    }
}
