//! The elements of one JSON array, one at a time, in bounded memory.

use std::io::{self, BufRead};

use crate::io::lines::{LINE_BYTES_MAX, too_long};

/// Stands between two elements.
pub(in crate::io) struct Items {
    /// An array; else one object, which is its own only element.
    array: bool,
    done: bool,
    /// Of the last element's beginning.
    line: u64,
    /// Newlines passed.
    lines: u64,
}

impl Items {
    /// At the opening bracket; what stands there instead, where it is another sign.
    pub fn begin(bytes: &mut impl BufRead) -> Result<Items, String> {
        let mut items = Items { array: false, done: false, line: 1, lines: 0 };
        match items.peek(bytes).map_err(|error| error.to_string())? {
            Some(b'[') => {
                bytes.consume(1);
                Ok(Items { array: true, ..items })
            }
            Some(b'{') => Ok(items),
            None => Ok(Items { done: true, ..items }),
            Some(other) => Err(char::from(other).to_string()),
        }
    }

    /// The line on which the last element began.
    pub fn line(&self) -> u64 {
        self.line
    }

    /// The next element as it stands; false at the end.
    pub fn next(&mut self, bytes: &mut impl BufRead, item: &mut Vec<u8>) -> io::Result<bool> {
        item.clear();
        while !self.done {
            match self.peek(bytes)? {
                Some(b',') if self.array => bytes.consume(1),
                Some(b']') if self.array => self.done = true,
                None if self.array => return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the array is not closed")),
                None => self.done = true,
                Some(_) => {
                    self.line = self.lines + 1;
                    self.done = !self.array;
                    self.element(bytes, item)?;
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// The next sign that is not blank, left where it is.
    fn peek(&mut self, bytes: &mut impl BufRead) -> io::Result<Option<u8>> {
        loop {
            let Some(byte) = bytes.fill_buf()?.first().copied() else { return Ok(None) };
            if !byte.is_ascii_whitespace() {
                return Ok(Some(byte));
            }
            self.lines += u64::from(byte == b'\n');
            bytes.consume(1);
        }
    }

    /// Up to the comma or bracket that ends it.
    fn element(&mut self, bytes: &mut impl BufRead, item: &mut Vec<u8>) -> io::Result<()> {
        let (mut depth, mut in_text, mut escaped) = (0usize, false, false);
        loop {
            let Some(byte) = bytes.fill_buf()?.first().copied() else { return Ok(()) };
            match byte {
                _ if escaped => escaped = false,
                b'\\' if in_text => escaped = true,
                b'"' => in_text = !in_text,
                _ if in_text => {}
                b',' | b']' if depth == 0 => return Ok(()),
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.lines += u64::from(byte == b'\n');
            item.push(byte);
            bytes.consume(1);
            if item.len() > LINE_BYTES_MAX {
                return Err(too_long());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Result<Vec<(u64, String)>, String> {
        let mut bytes = text.as_bytes();
        let mut items = Items::begin(&mut bytes)?;
        let (mut item, mut out) = (Vec::new(), Vec::new());
        while items.next(&mut bytes, &mut item).map_err(|error| error.to_string())? {
            out.push((items.line(), String::from_utf8(item.clone()).unwrap().trim().to_owned()));
        }
        Ok(out)
    }

    #[test]
    fn elements_of_an_array_or_one_object() {
        let text = "[\n {\"a\": \"],{\\\"\"},\n\n [1, 2],\n 3 ]\n";
        let items = [(2, "{\"a\": \"],{\\\"\"}"), (4, "[1, 2]"), (5, "3")].map(|(line, text)| (line, text.to_owned()));
        assert_eq!(all(text).unwrap(), items);
        assert_eq!(all("{\"a\": 1}").unwrap(), [(1, "{\"a\": 1}".to_owned())]);
        assert_eq!(all(" [] ").unwrap(), []);
        assert_eq!(all("").unwrap(), []);
        assert_eq!(all("a,b\n").unwrap_err(), "a");
        assert!(all("[{\"a\": 1}").unwrap_err().contains("not closed"));
    }
}
