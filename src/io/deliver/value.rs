//! One value of an Arrow column as text.

use std::io::Write;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, DurationMicrosecondType, Float32Type, Float64Type, Int64Type, TimestampMicrosecondType};

use crate::base::Time;

/// How texts and numbers look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Texts and times in quotes; null is `null`.
    Json,
    /// Bare; null is nothing. Lists are JSON all the same.
    Bare,
}

/// Appends row `row` of a column that has one of the types of [`data_type`](crate::node::data_type).
pub(super) fn write(out: &mut Vec<u8>, column: &dyn Array, row: usize, style: Style) {
    if column.is_null(row) {
        return if style == Style::Json {
            out.extend_from_slice(b"null")
        };
    }
    match column.data_type() {
        DataType::Boolean => put(out, format_args!("{}", column.as_boolean().value(row))),
        DataType::Int64 => put(out, format_args!("{}", column.as_primitive::<Int64Type>().value(row))),
        DataType::Float64 => number(out, column.as_primitive::<Float64Type>().value(row), style),
        DataType::Float32 => short_number(out, column.as_primitive::<Float32Type>().value(row), style),
        DataType::Utf8 => text(out, column.as_string::<i32>().value(row), style),
        DataType::Timestamp(..) => {
            quote(out, style);
            time(out, Time(column.as_primitive::<TimestampMicrosecondType>().value(row)));
            quote(out, style);
        }
        DataType::Duration(_) => {
            let micros = column.as_primitive::<DurationMicrosecondType>().value(row);
            put(out, format_args!("{}", micros as f64 / 1e6));
        }
        DataType::Binary => {
            quote(out, style);
            column.as_binary::<i32>().value(row).iter().for_each(|byte| put(out, format_args!("{byte:02x}")));
            quote(out, style);
        }
        DataType::List(_) => list(out, column.as_list::<i32>().value(row).as_ref()),
        DataType::FixedSizeList(..) => list(out, column.as_fixed_size_list().value(row).as_ref()),
        _ => out.extend_from_slice(b"null"),
    }
}

fn list(out: &mut Vec<u8>, items: &dyn Array) {
    out.push(b'[');
    for row in 0..items.len() {
        if row > 0 {
            out.push(b',');
        }
        write(out, items, row, Style::Json);
    }
    out.push(b']');
}

fn put(out: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a vector takes every byte");
}

fn quote(out: &mut Vec<u8>, style: Style) {
    if style == Style::Json {
        out.push(b'"');
    }
}

fn text(out: &mut Vec<u8>, text: &str, style: Style) {
    match style {
        Style::Json => serde_json::to_writer(out, text).expect("a vector takes every byte"),
        Style::Bare => out.extend_from_slice(text.as_bytes()),
    }
}

/// The shortest digits that read as the same number; JSON has no infinity.
fn number(out: &mut Vec<u8>, value: f64, style: Style) {
    match style {
        Style::Json => serde_json::to_writer(out, &value).expect("a vector takes every byte"),
        Style::Bare if value.is_finite() => put(out, format_args!("{value}")),
        Style::Bare => {}
    }
}

fn short_number(out: &mut Vec<u8>, value: f32, style: Style) {
    match style {
        Style::Json => serde_json::to_writer(out, &value).expect("a vector takes every byte"),
        Style::Bare if value.is_finite() => put(out, format_args!("{value}")),
        Style::Bare => {}
    }
}

/// `2026-01-01T10:00:00Z`, with as many digits of the second as are not zero, in groups of three.
fn time(out: &mut Vec<u8>, at: Time) {
    let (days, in_day) = (at.0.div_euclid(DAY), at.0.rem_euclid(DAY));
    let (year, month, day) = date(days);
    if !(0..=9999).contains(&year) {
        return put(out, format_args!("{at}"));
    }
    let (seconds, micros) = (in_day / 1_000_000, in_day % 1_000_000);
    pair(out, year / 100);
    pair(out, year % 100);
    for (sign, part) in [(b'-', month), (b'-', day), (b'T', seconds / 3600), (b':', seconds / 60 % 60), (b':', seconds % 60)] {
        out.push(sign);
        pair(out, part);
    }
    match micros {
        0 => {}
        millis if millis % 1_000 == 0 => put(out, format_args!(".{:03}", millis / 1_000)),
        micros => put(out, format_args!(".{micros:06}")),
    }
    out.push(b'Z');
}

const DAY: i64 = 86_400_000_000;

fn pair(out: &mut Vec<u8>, number: i64) {
    out.extend_from_slice(&[b'0' + (number / 10) as u8, b'0' + (number % 10) as u8]);
}

/// Year, month and day of the Gregorian calendar from days since 1970 (Hinnant, "chrono-compatible low-level date algorithms").
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, in_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (in_era - in_era / 1_460 + in_era / 36_524 - in_era / 146_096) / 365;
    let in_year = in_era - (365 * year + year / 4 - year / 100);
    let month = (5 * in_year + 2) / 153;
    let (day, month) = (in_year - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    (era * 400 + year + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn times_read_as_chrono_writes_them(micros in -60_000_000_000_000_000i64..250_000_000_000_000_000, coarse in 0i64..7) {
            let unit = 10i64.pow(coarse as u32);
            let at = Time(micros / unit * unit);
            let mut out = Vec::new();
            time(&mut out, at);
            prop_assert_eq!(String::from_utf8(out).unwrap(), at.to_string());
        }
    }
}
