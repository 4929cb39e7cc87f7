//! Parts of a time, in UTC. Null for times too far away for a calendar.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, cast::AsArray};
use arrow::datatypes::{DataType, TimestampMicrosecondType};
use chrono::{DateTime, Datelike, Timelike, Utc};

use super::own::Outcome;

pub(super) fn year(args: &[ArrayRef], _: &DataType) -> Outcome<ArrayRef> {
    part(&args[0], |time| time.year().into())
}

pub(super) fn month(args: &[ArrayRef], _: &DataType) -> Outcome<ArrayRef> {
    part(&args[0], |time| time.month().into())
}

/// Of the month.
pub(super) fn day(args: &[ArrayRef], _: &DataType) -> Outcome<ArrayRef> {
    part(&args[0], |time| time.day().into())
}

/// Monday is 1, Sunday 7.
pub(super) fn weekday(args: &[ArrayRef], _: &DataType) -> Outcome<ArrayRef> {
    part(&args[0], |time| time.weekday().number_from_monday().into())
}

pub(super) fn hour(args: &[ArrayRef], _: &DataType) -> Outcome<ArrayRef> {
    part(&args[0], |time| time.hour().into())
}

pub(super) fn minute(args: &[ArrayRef], _: &DataType) -> Outcome<ArrayRef> {
    part(&args[0], |time| time.minute().into())
}

pub(super) fn second(args: &[ArrayRef], _: &DataType) -> Outcome<ArrayRef> {
    part(&args[0], |time| time.second().into())
}

fn part(times: &ArrayRef, of: impl Fn(DateTime<Utc>) -> i64) -> Outcome<ArrayRef> {
    let times = times.as_primitive::<TimestampMicrosecondType>();
    let parts: Int64Array = times.unary_opt(|micros| DateTime::from_timestamp_micros(micros).map(&of));
    Ok(Arc::new(parts))
}
