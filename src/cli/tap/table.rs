//! Rows under each other in a terminal: columns keep their places, and a line is never longer than the terminal is wide.

use serde_json::Value;

use crate::diag::Style;
use crate::host::Column;

use super::quiet;

/// Longest text of one cell, in characters.
const CELL_MAX: usize = 40;
/// Between two columns.
const GAP: &str = "  ";
/// Rows after which the names of the columns are said again.
const ROWS_PER_HEAD: usize = 40;
/// Digits of a number that are shown.
const DIGITS: usize = 6;

pub struct Table {
    style: Style,
    /// Of the terminal, in characters.
    width: usize,
    columns: Vec<Cells>,
    /// Rows since the names were said.
    since: usize,
    has_head: bool,
}

/// One column.
struct Cells {
    name: String,
    is_number: bool,
    width: usize,
}

impl Table {
    pub fn new(style: Style, width: usize) -> Table {
        Table { style, width, columns: Vec::new(), since: 0, has_head: false }
    }

    /// Other columns from here on. Their names are said with the first row, when it is known how wide they are.
    pub fn begin(&mut self, columns: &[Column]) {
        let is_number = |ty: &str| ty.starts_with("int") || ty.starts_with("float") || ty.starts_with("duration");
        let cells = |column: &Column| Cells {
            name: column.name.clone(),
            is_number: is_number(&column.ty),
            width: column.name.chars().count().min(CELL_MAX),
        };
        self.columns = columns.iter().map(cells).collect();
        self.has_head = false;
    }

    pub fn rows(&mut self, rows: &[Vec<Value>]) -> String {
        let texts: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(text).collect()).collect();
        self.widen(&texts);
        let mut out = String::new();
        for row in &texts {
            if !self.has_head || self.since >= ROWS_PER_HEAD {
                out.push_str(&self.head());
            }
            out.push_str(&self.line(row.iter().map(String::as_str)));
            self.since += 1;
        }
        out
    }

    /// What is no row.
    pub fn word(&self, words: &str) -> String {
        words.lines().map(|line| format!("{}\n", quiet(line, self.style))).collect()
    }

    /// Columns only get wider, so that what stands above still fits.
    fn widen(&mut self, rows: &[Vec<String>]) {
        for row in rows {
            for (column, cell) in self.columns.iter_mut().zip(row) {
                column.width = column.width.max(cell.chars().count());
            }
        }
    }

    fn head(&mut self) -> String {
        (self.has_head, self.since) = (true, 0);
        let names: Vec<String> = self.columns.iter().map(|column| column.name.clone()).collect();
        let line = self.line(names.iter().map(String::as_str));
        let left_out = self.columns.len() - self.fitting();
        let more = if left_out == 0 { String::new() } else { format!("{GAP}(+{left_out})") };
        format!("{}\n", quiet(&format!("{}{more}", line.trim_end()), self.style))
    }

    /// How many columns a line has room for; one in any case.
    fn fitting(&self) -> usize {
        let mut used = 0;
        let fits = |column: &&Cells| {
            used += column.width + if used == 0 { 0 } else { GAP.len() };
            used <= self.width
        };
        self.columns.iter().take_while(fits).count().max(1).min(self.columns.len())
    }

    fn line<'a>(&self, cells: impl Iterator<Item = &'a str>) -> String {
        let cell = |(column, text): (&Cells, &'a str)| {
            let text: String = text.chars().take(column.width).map(|c| if c.is_control() { ' ' } else { c }).collect();
            let width = column.width;
            if column.is_number { format!("{text:>width$}") } else { format!("{text:<width$}") }
        };
        let cells: Vec<String> = self.columns.iter().take(self.fitting()).zip(cells).map(cell).collect();
        let line: String = cells.join(GAP).chars().take(self.width).collect();
        format!("{}\n", line.trim_end())
    }
}

/// A cell as a person reads it: null is a dash, and of a number as much as counts.
fn text(value: &Value) -> String {
    let whole = match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => short(number.as_f64().unwrap_or_default()),
        other => other.to_string(),
    };
    match whole.chars().count() > CELL_MAX {
        true => whole.chars().take(CELL_MAX - 1).chain(['…']).collect(),
        false => whole,
    }
}

/// Six digits, and no zeros behind the point.
pub fn short(number: f64) -> String {
    let size = number.abs();
    if size != 0.0 && !(1e-4..1e9).contains(&size) {
        return format!("{number:.*e}", DIGITS - 1);
    }
    let whole = if size < 1.0 { 1 } else { size.log10().floor() as usize + 1 };
    let text = format!("{number:.*}", DIGITS.saturating_sub(whole));
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn columns(of: &[(&str, &str)]) -> Vec<Column> {
        of.iter().map(|(name, ty)| Column { name: (*name).to_owned(), ty: (*ty).to_owned() }).collect()
    }

    fn row(cells: &Value) -> Vec<Value> {
        cells.as_array().unwrap().clone()
    }

    #[test]
    fn columns_keep_their_places_and_numbers_stand_to_the_right() {
        let mut table = Table::new(Style::Plain, 80);
        table.begin(&columns(&[("device", "text"), ("co2", "float<ppm>"), ("on", "bool")]));
        let first = table.rows(&[row(&json!(["lab", 412.5, true])), row(&json!(["hall", 1200, null]))]);
        assert_eq!(first, "device    co2  on\nlab     412.5  true\nhall     1200  -\n");
        assert_eq!(table.rows(&[row(&json!(["lab", 0.1 + 0.2, false]))]), "lab       0.3  false\n");
    }

    #[test]
    fn a_line_is_never_longer_than_the_terminal() {
        let mut table = Table::new(Style::Plain, 20);
        table.begin(&columns(&[("at", "time"), ("word", "text"), ("more", "text")]));
        let text = table.rows(&[row(&json!(["2026-01-01", "much too long a text to stand there", "x"]))]);
        assert!(text.lines().all(|line| line.chars().count() <= 20 || line.ends_with("(+2)")), "{text}");
        assert_eq!(text.lines().next(), Some("at  (+2)"));
    }

    #[test]
    fn six_digits_are_enough() {
        let texts = [0.0, 1.0, -2.5, 1234.5678, 123_456_789.0, 1e-5, 0.00123456789, 1e12].map(short);
        assert_eq!(texts, ["0", "1", "-2.5", "1234.57", "123456789", "1.00000e-5", "0.00123", "1.00000e12"]);
    }
}
