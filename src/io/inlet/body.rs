//! The body of a request to records: one JSON object, several after each other, an array of them, or `{"rows": […]}`.

use serde::de::IgnoredAny;

use crate::io::journal::Records;
use crate::io::json::Items;
use crate::io::spec::Spec;
use crate::ir::Origin;

use super::NotTaken;

/// The records as they stand, not yet tried.
pub(super) fn records(body: &[u8], rows_max: usize, spec: &Spec) -> Result<Records, NotTaken> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii();
    match body.first() {
        None => Err(no_rows(0, "it is empty")),
        Some(b'[') => items(body, b"", rows_max),
        Some(b'{') => match wrapped(body).filter(|_| !reads_rows(spec)) {
            Some(array) => items(array, b"}", rows_max),
            None => values(body, rows_max),
        },
        Some(other) => Err(no_rows(0, &format!("it begins with `{}`", char::from(*other)))),
    }
}

/// Behind `{"rows":`, where an array begins there.
fn wrapped(body: &[u8]) -> Option<&[u8]> {
    let rest = body.strip_prefix(b"{")?.trim_ascii_start().strip_prefix(br#""rows""#)?;
    let array = rest.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
    array.starts_with(b"[").then_some(array)
}

/// A source whose own rows have a field of that name takes it as that.
fn reads_rows(spec: &Spec) -> bool {
    spec.columns.iter().any(|column| match &column.origin {
        Origin::Field(name) => *name == "rows",
        Origin::Path(path) => path.starts_with("$.rows") || path.starts_with("$[\"rows\"]"),
        Origin::Position(_) | Origin::Pattern(_) | Origin::Row | Origin::Arrival => false,
    })
}

/// The elements of an array that is closed by `]` and what else must follow.
fn items(mut bytes: &[u8], behind: &[u8], rows_max: usize) -> Result<Records, NotTaken> {
    let (mut out, mut item) = (Records::default(), Vec::new());
    let mut items = Items::begin(&mut bytes).map_err(|found| no_rows(0, &format!("it begins with `{found}`")))?;
    while items.next(&mut bytes, &mut item).map_err(|error| no_rows(out.len(), &error.to_string()))? {
        put(&mut out, item.trim_ascii_end(), rows_max)?;
    }
    let rest = bytes.trim_ascii_start().strip_prefix(b"]").unwrap_or(bytes);
    if rest.trim_ascii() != behind {
        return Err(no_rows(out.len(), "something stands behind the rows"));
    }
    Ok(out)
}

/// JSON values that follow each other, a line each or not.
fn values(body: &[u8], rows_max: usize) -> Result<Records, NotTaken> {
    let mut out = Records::default();
    let mut values = serde_json::Deserializer::from_slice(body).into_iter::<IgnoredAny>();
    let mut from = 0;
    while let Some(value) = values.next() {
        value.map_err(|error| no_rows(out.len(), &error.to_string()))?;
        put(&mut out, body[from..values.byte_offset()].trim_ascii(), rows_max)?;
        from = values.byte_offset();
    }
    Ok(out)
}

fn put(out: &mut Records, record: &[u8], rows_max: usize) -> Result<(), NotTaken> {
    if out.len() == rows_max {
        return Err(NotTaken::TooManyRows { rows_max });
    }
    out.push(record);
    Ok(())
}

fn no_rows(row: usize, why: &str) -> NotTaken {
    NotTaken::NoRows { row, why: why.to_owned() }
}
