//! What fits a declared column, and the reason where it does not.

use arrow::array::{Array, AsArray};
use arrow::datatypes::Float64Type;

use crate::base::Unit;
use crate::io::testing::column;

use super::*;

fn read(column: &SourceColumn, fields: &[&str]) -> (ArrayRef, Vec<Reason>) {
    let mut builder = ColumnBuilder::new(column, b'.');
    let bad = fields.iter().filter_map(|field| builder.append_text(field.as_bytes()).err()).collect();
    (builder.finish(), bad)
}

#[test]
fn sentinels_are_null_and_bounds_are_kept() {
    let mut co = column("co", Type::Float(Unit::one()), true);
    co.sentinels = vec![Value::Int(-200), Value::Text("?".into())];
    co.bounds = Some((0.0, 10.0));
    let (values, bad) = read(&co, &["2.5", "-200", "-200.0", "?", "", "NaN", "10", "10.5", "x"]);
    let values = values.as_primitive::<Float64Type>();
    assert_eq!((values.value(0), values.value(6), values.null_count()), (2.5, 10.0, 7));
    assert_eq!(bad, ["`co` is 10.5, outside 0..10", "`co` is \"x\", which is no float"]);
}

#[test]
fn a_value_that_must_be_there_is_missed() {
    let (values, bad) = read(&column("n", Type::Int, false), &["3", "", "3.0", "3.5"]);
    assert_eq!((values.len(), values.null_count()), (4, 2));
    assert_eq!(bad, ["`n` is missing", "`n` is \"3.5\", which is no int"]);
}

#[test]
fn enums_take_their_code_or_their_text() {
    let item = |code, text: &str| EnumItem { code, text: text.into() };
    let ty = Type::Enum([item(Some(1), "walking"), item(Some(2), "sitting")].into());
    let (values, bad) = read(&column("activity", ty, false), &["1", "sitting", " 2.0", "3"]);
    let texts: Vec<Option<&str>> = values.as_string::<i32>().iter().collect();
    assert_eq!(texts, [Some("walking"), Some("sitting"), Some("sitting"), None]);
    assert_eq!(bad, ["`activity` is \"3\", not one of \"walking\", \"sitting\""]);
}

#[test]
fn bools_are_read_in_six_spellings() {
    let (values, bad) = read(&column("b", Type::Bool, false), &["true", "False", "1", "0", "1.0", "0.0", "yes"]);
    let values: Vec<Option<bool>> = values.as_boolean().iter().collect();
    assert_eq!(values, [Some(true), Some(false), Some(true), Some(false), Some(true), Some(false), None]);
    assert_eq!(bad.len(), 1);
}

#[test]
fn tensors_are_flattened_and_their_size_is_kept() {
    let (values, bad) = read(&column("x", Type::Tensor(vec![2, 2]), false), &["[[1,2],[3,4]]", "[1,2,3]", "[1,2,3,\"a\"]"]);
    assert_eq!((values.len(), values.null_count()), (3, 2));
    assert_eq!(bad, ["`x` has 3 numbers instead of 4", "`x` holds \"a\", which is no number"]);
}

#[test]
fn a_null_in_a_tensor_makes_it_null_where_it_may_be() {
    let fields = ["[1,null]", "[3,4]"];
    let (values, bad) = read(&column("x", Type::Tensor(vec![2]), true), &fields);
    assert_eq!((values.null_count(), bad), (1, vec![]));
    let (_, bad) = read(&column("x", Type::Tensor(vec![2]), false), &fields);
    assert_eq!(bad, ["`x` holds a null, and may not be null"]);
}
