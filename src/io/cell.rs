//! One field of text to one value, without an allocation.

use crate::base::{Duration, Time};

/// Powers of ten that a double holds exactly.
const EXACT_TENS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21,
    1e22,
];

/// Digits of a number in which the decimal sign may be replaced; longer ones are no measurements.
const NUMBER_BYTES_MAX: usize = 64;

/// A field as a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    Finite(f64),
    /// Is read as null.
    Nan,
    Infinite,
}

/// `decimal` is the sign before the fraction; a point is read too.
pub(super) fn number(field: &[u8], decimal: u8) -> Option<Number> {
    if let Some(exact) = short_number(field, decimal) {
        return Some(Number::Finite(exact));
    }
    let value: f64 = if decimal == b'.' {
        std::str::from_utf8(field).ok()?.parse().ok()?
    } else {
        let mut copy = [0; NUMBER_BYTES_MAX];
        let copy = copy.get_mut(..field.len())?;
        copy.copy_from_slice(field);
        copy.iter_mut().filter(|byte| **byte == decimal).for_each(|byte| *byte = b'.');
        std::str::from_utf8(copy).ok()?.parse().ok()?
    };
    Some(match value {
        value if value.is_nan() => Number::Nan,
        value if value.is_infinite() => Number::Infinite,
        value => Number::Finite(value),
    })
}

/// Up to 15 digits with at most 22 behind the point: both the digits and the power of ten are exact doubles, so one division
/// rounds as the full algorithm does (Clinger 1990).
fn short_number(field: &[u8], decimal: u8) -> Option<f64> {
    let (negative, digits) = match field.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, field),
    };
    if digits.len() > 16 {
        return None;
    }
    let (mut whole, mut behind, mut seen_point) = (0u64, 0usize, false);
    for byte in digits {
        match byte {
            b'0'..=b'9' => {
                whole = whole * 10 + u64::from(byte - b'0');
                behind += usize::from(seen_point);
            }
            _ if (*byte == b'.' || *byte == decimal) && !seen_point => seen_point = true,
            _ => return None,
        }
    }
    let count = digits.len() - usize::from(seen_point);
    if count == 0 || count > 15 {
        return None;
    }
    let value = whole as f64 / EXACT_TENS[behind];
    Some(if negative { -value } else { value })
}

/// A whole number, also when it is written `3.0`.
pub(super) fn int(field: &[u8], decimal: u8) -> Option<i64> {
    if let Some(whole) = std::str::from_utf8(field).ok().and_then(|text| text.parse().ok()) {
        return Some(whole);
    }
    match number(field, decimal)? {
        Number::Finite(value) => whole(value),
        Number::Nan | Number::Infinite => None,
    }
}

/// The integer that a double stands for, where it stands for one exactly.
pub(super) fn whole(value: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (value.fract() == 0.0 && value.abs() <= EXACT).then_some(value as i64)
}

/// `true false 1 0 1.0 0.0`.
pub(super) fn boolean(field: &[u8]) -> Option<bool> {
    match field {
        b"1" | b"1.0" => Some(true),
        b"0" | b"0.0" => Some(false),
        _ if field.eq_ignore_ascii_case(b"true") => Some(true),
        _ if field.eq_ignore_ascii_case(b"false") => Some(false),
        _ => None,
    }
}

/// ISO 8601; see [`Time::parse`].
pub(super) fn time(field: &[u8]) -> Option<Time> {
    plain_time(field).or_else(|| Time::parse(std::str::from_utf8(field).ok()?).ok())
}

/// `YYYY-MM-DD HH:MM:SS`, with a blank or a `T`, with or without a `Z` behind it.
fn plain_time(field: &[u8]) -> Option<Time> {
    let field = field.strip_suffix(b"Z").unwrap_or(field);
    let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b' ' | b'T', h0, h1, b':', n0, n1, b':', s0, s1] = *field else {
        return None;
    };
    let (year, month, day) = (pair(y0, y1)? * 100 + pair(y2, y3)?, pair(m0, m1)?, pair(d0, d1)?);
    let (hour, minute, second) = (pair(h0, h1)?, pair(n0, n1)?, pair(s0, s1)?);
    if !(1..=12).contains(&month) || day < 1 || day > days_of(year, month) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    Some(Time(seconds * 1_000_000))
}

fn pair(tens: u8, ones: u8) -> Option<i64> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens < 10 && ones < 10).then_some(i64::from(tens * 10 + ones))
}

fn days_of(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Of the Gregorian calendar; years are counted from March, so that the leap day stands last (Hinnant, "chrono-compatible
/// low-level date algorithms").
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let (era, month) = (year.div_euclid(400), (month + 9) % 12);
    let in_era = year - era * 400;
    let in_year = (153 * month + 2) / 5 + day - 1;
    era * 146_097 + in_era * 365 + in_era / 4 - in_era / 100 + in_year - 719_468
}

/// A number of seconds, or as the language writes it: `1.5s`, `20min`.
pub(super) fn duration(field: &[u8], decimal: u8) -> Option<Duration> {
    const UNITS: [(&[u8], f64); 7] =
        [(b"us", 1.0), (b"ms", 1e3), (b"min", 6e7), (b"s", 1e6), (b"h", 3.6e9), (b"d", 8.64e10), (b"", 1e6)];
    let (digits, micros) = UNITS.iter().find_map(|(unit, micros)| Some((field.strip_suffix(*unit)?, *micros)))?;
    match number(digits, decimal)? {
        Number::Finite(value) => whole((value * micros).round()).map(Duration),
        Number::Nan | Number::Infinite => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_read_with_either_decimal_sign() {
        assert_eq!(number(b"21,5", b','), Some(Number::Finite(21.5)));
        assert_eq!(number(b"-200", b','), Some(Number::Finite(-200.0)));
        assert_eq!(number(b"0,00476416302416414012345", b','), Some(Number::Finite(0.004_764_163_024_164_14)));
        assert_eq!(number(b"1.234,5", b','), None);
        assert_eq!(number(b"NaN", b'.'), Some(Number::Nan));
        assert_eq!(number(b"1e999", b'.'), Some(Number::Infinite));
        for wrong in ["", "-", ".", "1.2.3", "12a", "1,5"] {
            assert_eq!(number(wrong.as_bytes(), b'.'), None, "{wrong}");
        }
    }

    #[test]
    fn ints_may_be_written_as_floats_and_lose_nothing() {
        assert_eq!(int(b"9223372036854775807", b'.'), Some(i64::MAX));
        assert_eq!(int(b"3.0", b'.'), Some(3));
        assert_eq!((int(b"3.5", b'.'), int(b"", b'.'), int(b"1e300", b'.')), (None, None, None));
    }

    #[test]
    fn impossible_times_are_none() {
        for wrong in ["2026-02-29 00:00:00", "2026-13-01 00:00:00", "2026-01-01 24:00:00", "2026-01-00 00:00:00"] {
            assert_eq!(time(wrong.as_bytes()), None, "{wrong}");
        }
        assert!(time(b"2024-02-29 23:59:59").is_some());
    }

    #[test]
    fn durations_are_seconds_or_as_the_language_writes_them() {
        for (text, micros) in
            [("1.5", 1_500_000), ("20min", 1_200_000_000), ("250ms", 250_000), ("-1s", -1_000_000), ("7d", 604_800_000_000)]
        {
            assert_eq!(duration(text.as_bytes(), b'.'), Some(Duration(micros)), "{text}");
        }
        assert_eq!(duration(b"soon", b'.'), None);
    }

    proptest! {
        #[test]
        fn short_numbers_are_rounded_as_the_standard_library_rounds(text in "[+-]?[0-9]{0,10}(\\.[0-9]{0,8})?") {
            let fast = short_number(text.as_bytes(), b'.');
            if let Some(fast) = fast {
                prop_assert_eq!(fast.to_bits(), text.parse::<f64>().unwrap().to_bits());
            }
        }

        #[test]
        fn the_short_way_to_a_time_agrees_with_the_long_one(seconds in -62_000_000_000i64..200_000_000_000) {
            let at = Time(seconds * 1_000_000);
            let text = at.to_string();
            prop_assert_eq!(plain_time(text.as_bytes()), Some(at));
            prop_assert_eq!(plain_time(text.replace('T', " ").trim_end_matches('Z').as_bytes()), Some(at));
        }
    }
}
