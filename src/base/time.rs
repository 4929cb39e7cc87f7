//! Instants and spans of time, in whole microseconds.

use std::fmt;
use std::ops::{Add, Sub};

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat};
use serde::{Deserialize, Serialize};

/// An instant: microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Time(pub i64);

/// A span of time in microseconds; may be negative.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Duration(pub i64);

/// A text that is no instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimeError(pub String);

const FORMS_WITHOUT_ZONE: [&str; 4] = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];

impl Time {
    /// Before every instant: the watermark of a clock that has seen nothing.
    pub const MIN: Time = Time(i64::MIN);
    /// Behind every instant: the watermark of a clock that has ended.
    pub const MAX: Time = Time(i64::MAX);

    /// Reads ISO 8601 with `T` or a blank, with or without a zone (none means UTC), or a date alone. A year has four digits:
    /// nobody knows the century of `26-1-1`.
    pub fn parse(text: &str) -> Result<Time, TimeError> {
        let text = text.trim();
        if !matches!(text.as_bytes(), [a, b, c, d, b'-', ..] if [a, b, c, d].iter().all(|digit| digit.is_ascii_digit())) {
            return Err(TimeError(text.to_owned()));
        }
        if let Ok(zoned) = DateTime::parse_from_rfc3339(text) {
            return Ok(Time(zoned.timestamp_micros()));
        }
        let naive = FORMS_WITHOUT_ZONE
            .iter()
            .find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())
            .or_else(|| NaiveDate::parse_from_str(text, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0));
        match naive {
            Some(time) => Ok(Time(time.and_utc().timestamp_micros())),
            None => Err(TimeError(text.to_owned())),
        }
    }
}

impl Duration {
    pub const ZERO: Duration = Duration(0);
    pub const SECOND: Duration = Duration(1_000_000);

    pub fn from_seconds(seconds: f64) -> Duration {
        Duration((seconds * 1e6).round() as i64)
    }

    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1e6
    }
}

impl Add<Duration> for Time {
    type Output = Time;
    fn add(self, by: Duration) -> Time {
        Time(self.0.saturating_add(by.0))
    }
}

impl Sub<Duration> for Time {
    type Output = Time;
    fn sub(self, by: Duration) -> Time {
        Time(self.0.saturating_sub(by.0))
    }
}

impl Sub for Time {
    type Output = Duration;
    fn sub(self, other: Time) -> Duration {
        Duration(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::from_timestamp_micros(self.0) {
            Some(time) => f.pad(&time.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            None => f.pad(if self.0 < 0 { "before all time" } else { "after all time" }),
        }
    }
}

/// In the largest unit that keeps it whole, as the language writes it: `1.5s` is `1500ms`.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(i64, &str); 6] =
            [(86_400_000_000, "d"), (3_600_000_000, "h"), (60_000_000, "min"), (1_000_000, "s"), (1_000, "ms"), (1, "us")];
        if self.0 == 0 {
            return f.pad("0s");
        }
        let (size, unit) = UNITS.iter().find(|(size, _)| self.0 % size == 0).expect("every number is whole in microseconds");
        f.pad(&format!("{}{unit}", self.0 / size))
    }
}

impl fmt::Display for TimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is no time such as 2026-11-23T10:00:00Z, with four digits of the year", self.0)
    }
}

impl std::error::Error for TimeError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_spellings_of_an_instant_are_read() {
        let noon = Time(1_767_268_800_000_000);
        for text in ["2026-01-01T12:00:00Z", "2026-01-01 12:00:00", "2026-01-01T13:00:00+01:00", "2026-01-01 12:00"] {
            assert_eq!(Time::parse(text), Ok(noon), "{text}");
        }
        assert_eq!(Time::parse("2026-01-01").unwrap() + Duration(43_200_000_000), noon);
        for text in ["yesterday", "26-1-1", "026-01-01", "12026-01-01", "+2026-01-01", "-026-01-01", "2026"] {
            assert!(Time::parse(text).is_err(), "{text}");
        }
        assert_eq!(Time::parse("2026-1-1"), Time::parse("2026-01-01"));
        assert_eq!(noon.to_string(), "2026-01-01T12:00:00Z");
    }

    #[test]
    fn durations_print_in_the_largest_whole_unit() {
        for (micros, text) in [(0, "0s"), (1_500_000, "1500ms"), (60_000_000, "1min"), (7 * 86_400_000_000, "7d"), (-1, "-1us")]
        {
            assert_eq!(Duration(micros).to_string(), text);
        }
    }
}
