//! How the language's types look in Arrow. Every floor above uses these, so a column has one physical type everywhere.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use crate::ir;

/// Enums are text; times and durations are in microseconds; tensors and signals are flat lists of f32.
pub fn data_type(ty: &ir::Type) -> DataType {
    match ty {
        ir::Type::Bool => DataType::Boolean,
        ir::Type::Int => DataType::Int64,
        ir::Type::Float(_) => DataType::Float64,
        ir::Type::Text | ir::Type::Enum(_) => DataType::Utf8,
        ir::Type::Time => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        ir::Type::Duration => DataType::Duration(TimeUnit::Microsecond),
        ir::Type::Bytes => DataType::Binary,
        ir::Type::Tensor(shape) => {
            let size = shape.iter().product::<u32>();
            let item = Arc::new(Field::new_list_field(DataType::Float32, false));
            DataType::FixedSizeList(item, i32::try_from(size).expect("the checker bounds a tensor's size"))
        }
        ir::Type::Signal(_) => DataType::List(Arc::new(Field::new_list_field(DataType::Float32, false))),
        ir::Type::List(item) => DataType::List(Arc::new(Field::new_list_field(data_type(item), true))),
    }
}

/// Every field may hold nulls, whatever the column's type promises: a calculation whose result does not exist (an overflow,
/// NaN) is null, and so are the running columns of a row that came too late for them.
pub fn field(column: &ir::Column) -> Field {
    Field::new(column.name.as_str(), data_type(&column.ty), true)
}

pub fn schema(schema: &ir::Schema) -> SchemaRef {
    Arc::new(Schema::new(schema.columns.iter().map(field).collect::<Vec<_>>()))
}
