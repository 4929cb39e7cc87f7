//! Rows as JSON values, for people and scripts who look at them: written as sinks write them.

use arrow::array::RecordBatch;
use serde_json::Value;

use super::value::{Style, write};

/// By row the visible columns, in their order.
pub fn cells(rows: &RecordBatch) -> Vec<Vec<Value>> {
    let schema = rows.schema();
    let visible = || schema.fields().iter().zip(rows.columns()).filter(|(field, _)| !field.name().starts_with('@'));
    let mut text = Vec::new();
    let mut cell = |column: &dyn arrow::array::Array, row: usize| {
        text.clear();
        write(&mut text, column, row, Style::Json);
        serde_json::from_slice(&text).unwrap_or(Value::Null)
    };
    (0..rows.num_rows()).map(|row| visible().map(|(_, column)| cell(column, row)).collect()).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Float64Array, Int64Array, StringArray};
    use serde_json::json;

    use super::*;

    #[test]
    fn cells_stand_in_the_order_of_the_columns_without_hidden_ones() {
        let columns: [(&str, ArrayRef); 4] = [
            ("word", Arc::new(StringArray::from(vec![Some("a\"b"), None]))),
            ("@time", Arc::new(Int64Array::from(vec![1, 2]))),
            ("x", Arc::new(Float64Array::from(vec![Some(0.1), None]))),
            ("n", Arc::new(Int64Array::from(vec![7, -7]))),
        ];
        let rows = RecordBatch::try_from_iter_with_nullable(columns.map(|(name, column)| (name, column, true))).unwrap();
        assert_eq!(json!(cells(&rows)), json!([["a\"b", 0.1, 7], [null, null, -7]]));
    }
}
