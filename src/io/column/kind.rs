//! The values of one column, by their type.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryBuilder, BooleanBuilder, DurationMicrosecondBuilder, Float64Builder, Int64Builder, StringBuilder,
    TimestampMicrosecondBuilder,
};

use crate::ir::{EnumItem, Type};
use crate::node::data_type;

use super::super::list::{Flat, Nested};

pub(super) enum Kind {
    Bool(BooleanBuilder),
    Int(Int64Builder),
    Float(Float64Builder),
    Text(StringBuilder),
    Enum(Arc<[EnumItem]>, StringBuilder),
    Time(TimestampMicrosecondBuilder),
    Duration(DurationMicrosecondBuilder),
    Bytes(BinaryBuilder),
    Flat(Flat),
    Nested(Box<Nested>),
}

impl Kind {
    pub fn new(ty: &Type) -> Kind {
        match ty {
            Type::Bool => Kind::Bool(BooleanBuilder::new()),
            Type::Int => Kind::Int(Int64Builder::new()),
            Type::Float(_) => Kind::Float(Float64Builder::new()),
            Type::Text => Kind::Text(StringBuilder::new()),
            Type::Enum(items) => Kind::Enum(items.clone(), StringBuilder::new()),
            Type::Time => Kind::Time(TimestampMicrosecondBuilder::new().with_data_type(data_type(&Type::Time))),
            Type::Duration => Kind::Duration(DurationMicrosecondBuilder::new()),
            Type::Bytes => Kind::Bytes(BinaryBuilder::new()),
            Type::Tensor(shape) => Kind::Flat(Flat::tensors(shape)),
            Type::Signal(_) => Kind::Flat(Flat::signals()),
            Type::List(item) => Kind::Nested(Box::new(Nested::new(item))),
        }
    }

    pub fn word(&self) -> &'static str {
        match self {
            Kind::Bool(_) => "bool",
            Kind::Int(_) => "int",
            Kind::Float(_) => "float",
            Kind::Text(_) => "UTF-8 text",
            Kind::Enum(..) => "enum",
            Kind::Time(_) => "time",
            Kind::Duration(_) => "duration",
            Kind::Bytes(_) => "bytes",
            Kind::Flat(_) => "list of numbers",
            Kind::Nested(_) => "list",
        }
    }

    pub fn push_null(&mut self) {
        match self {
            Kind::Bool(values) => values.append_null(),
            Kind::Int(values) => values.append_null(),
            Kind::Float(values) => values.append_null(),
            Kind::Text(values) | Kind::Enum(_, values) => values.append_null(),
            Kind::Time(values) => values.append_null(),
            Kind::Duration(values) => values.append_null(),
            Kind::Bytes(values) => values.append_null(),
            Kind::Flat(flat) => flat.append_null(),
            Kind::Nested(nested) => nested.append_null(),
        }
    }

    /// What was gathered; the builder is empty afterwards.
    pub fn finish(&mut self) -> ArrayRef {
        match self {
            Kind::Bool(values) => Arc::new(values.finish()),
            Kind::Int(values) => Arc::new(values.finish()),
            Kind::Float(values) => Arc::new(values.finish()),
            Kind::Text(values) | Kind::Enum(_, values) => Arc::new(values.finish()),
            Kind::Time(values) => Arc::new(values.finish()),
            Kind::Duration(values) => Arc::new(values.finish()),
            Kind::Bytes(values) => Arc::new(values.finish()),
            Kind::Flat(flat) => flat.finish(),
            Kind::Nested(nested) => nested.finish(),
        }
    }
}
