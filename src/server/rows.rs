//! The rows of a request to columns, as the source's own decoder would have read them.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::Schema;
use serde_json::{Map, Value};

use crate::base::Time;
use crate::ir::{self, SourceColumn};
use crate::node::field;

use super::cell::Cells;
use super::door::{Door, Missing};
use super::error::BadValue;

/// Longest piece of a value that a message repeats, in characters.
const GOT_CHARACTERS_MAX: usize = 60;

/// Rows with the door's columns, in its order, and the fields that no column reads.
#[derive(Debug)]
pub struct Read {
    pub rows: RecordBatch,
    pub ignored: BTreeSet<String>,
}

/// `now` stands for a time that a row does not have.
pub fn read(door: &Door, rows: &[Map<String, Value>], now: Time) -> Result<Read, BadValue> {
    let mut arrays = Vec::new();
    for (column, missing) in &door.columns {
        let mut cells = Cells::new(&column.column.ty);
        for (nth, row) in rows.iter().enumerate() {
            put(&mut cells, column, *missing, row.get(column.column.name.as_str()), now)
                .map_err(|(expected, got)| BadValue { row: nth, column: column.column.name.clone(), expected, got })?;
        }
        arrays.push(cells.finish());
    }
    let schema = Schema::new(door.columns.iter().map(|(column, _)| field(&column.column)).collect::<Vec<_>>());
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows.len()));
    let batch = RecordBatch::try_new_with_options(Arc::new(schema), arrays, &options);
    Ok(Read { rows: batch.expect("every column was gathered by its own type"), ignored: ignored(door, rows) })
}

fn put(
    cells: &mut Cells,
    column: &SourceColumn,
    missing: Missing,
    value: Option<&Value>,
    now: Time,
) -> Result<(), (String, String)> {
    match value {
        Some(value) if !value.is_null() && !is_sentinel(column, value) => {
            in_bounds(column, value).and_then(|()| cells.put(value)).map_err(|expected| (expected, shown(value)))
        }
        value => match missing {
            Missing::Refuse => Err((format!("a value of type {}", column.column.ty), said(value))),
            Missing::Null => {
                cells.null();
                Ok(())
            }
            Missing::Now => {
                cells.time(now);
                Ok(())
            }
            Missing::Any => {
                cells.any();
                Ok(())
            }
        },
    }
}

/// Does it mean null, as the source declares?
fn is_sentinel(column: &SourceColumn, value: &Value) -> bool {
    column.sentinels.iter().any(|sentinel| match sentinel {
        ir::Value::Int(_) | ir::Value::Float(_) => value.as_f64().is_some_and(|number| sentinel.as_f64() == Some(number)),
        ir::Value::Text(text) => value.as_str() == Some(text),
        ir::Value::Bool(bool) => value.as_bool() == Some(*bool),
        ir::Value::Null | ir::Value::Time(_) | ir::Value::Duration(_) | ir::Value::List(_) => false,
    })
}

fn in_bounds(column: &SourceColumn, value: &Value) -> Result<(), String> {
    match (column.bounds, value.as_f64()) {
        (Some((low, high)), Some(number)) if number < low || number > high => Err(format!("a number in {low}..{high}")),
        (Some(_) | None, _) => Ok(()),
    }
}

fn ignored(door: &Door, rows: &[Map<String, Value>]) -> BTreeSet<String> {
    let known: BTreeSet<&str> = door.columns.iter().map(|(column, _)| column.column.name.as_str()).collect();
    rows.iter().flat_map(Map::keys).filter(|key| !known.contains(key.as_str())).cloned().collect()
}

fn said(value: Option<&Value>) -> String {
    if value.is_some() { "null".into() } else { "missing".into() }
}

fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(GOT_CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::{Float64Type, TimestampMicrosecondType};
    use serde_json::json;

    use super::*;
    use crate::base::{Span, Unit};
    use crate::ir::{Column, EnumItem, Origin, Type};

    fn column(name: &str, ty: Type, nullable: bool) -> SourceColumn {
        let column = Column { name: name.into(), ty, nullable, span: Span::default() };
        SourceColumn { column, origin: Origin::Field(name.into()), sentinels: Vec::new(), bounds: None }
    }

    fn door() -> Door {
        let item = |code, text: &str| EnumItem { code: Some(code), text: text.into() };
        let mut co2 = column("co2", Type::Float(Unit::one()), true);
        co2.bounds = Some((0.0, 5000.0));
        co2.sentinels = vec![ir::Value::Int(-200)];
        let columns = [
            column("at", Type::Time, false),
            co2,
            column("device", Type::Text, false),
            column("mood", Type::Enum([item(1, "calm"), item(2, "busy")].into()), false),
            column("shape", Type::Tensor(vec![2, 2]), true),
            column("tags", Type::List(Box::new(Type::Int)), true),
        ];
        Door::new("t".into(), &columns, Some(&"mood".into()), Some(&"at".into()))
    }

    fn rows(value: Value) -> Vec<Map<String, Value>> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_row_is_read_by_type_and_what_is_missing_has_its_stand_in() {
        let given = json!([
            {"device": "lab", "co2": 400, "mood": 2, "shape": [[1, 2], [3, 4]], "tags": [1, null], "colour": "red"},
            {"device": "hall", "co2": -200, "at": "2026-01-01T00:00:00Z", "shape": [1, 2, 3, 4]},
        ]);
        let read = read(&door(), &rows(given), Time(7)).unwrap();
        assert_eq!(read.ignored, BTreeSet::from(["colour".to_owned()]));
        let times = read.rows.column(0).as_primitive::<TimestampMicrosecondType>();
        assert_eq!(times.values().to_vec(), [7, 1_767_225_600_000_000]);
        let co2 = read.rows.column(1).as_primitive::<Float64Type>();
        assert_eq!(co2.iter().collect::<Vec<_>>(), [Some(400.0), None]);
        assert_eq!(read.rows.column(3).as_string::<i32>().iter().flatten().collect::<Vec<_>>(), ["busy", "calm"]);
        assert_eq!(read.rows.column(4).as_fixed_size_list().null_count(), 0);
        assert_eq!(read.rows.column(5).null_count(), 1);
    }

    use arrow::array::Array;

    #[test]
    fn a_value_that_does_not_fit_is_named_with_its_row_and_column() {
        let cases = [
            (json!({"device": 7}), "device", "a text", "7"),
            (json!({}), "device", "a value of type text", "missing"),
            (json!({"device": "lab", "co2": "high"}), "co2", "a number", "\"high\""),
            (json!({"device": "lab", "co2": 9000}), "co2", "a number in 0..5000", "9000"),
            (json!({"device": "lab", "mood": "sad"}), "mood", "one of \"calm\", \"busy\"", "\"sad\""),
            (json!({"device": "lab", "shape": [1, 2]}), "shape", "tensor[2, 2] (4 numbers)", "[1,2]"),
            (json!({"device": "lab", "tags": [1, "x"]}), "tags", "a list, each of it a whole number", "[1,\"x\"]"),
            (json!({"device": "lab", "at": 5}), "at", "a time such as \"2026-11-23T10:00:00Z\"", "5"),
        ];
        for (row, name, expected, got) in cases {
            let good = json!({"device": "lab"});
            let bad = read(&door(), &rows(json!([good, row])), Time(0)).unwrap_err();
            let wanted = BadValue { row: 1, column: name.into(), expected: expected.into(), got: got.into() };
            assert_eq!(bad, wanted);
        }
    }
}
