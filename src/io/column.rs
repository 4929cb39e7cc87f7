//! One declared column while its values are gathered: type, sentinels, bounds, nullability.

mod kind;

use arrow::array::ArrayRef;

use crate::ir::{EnumItem, SourceColumn, Type, Value};
use crate::node::Unfit;

use super::cell::{self, Number};

use kind::Kind;

/// A value as the data has it.
#[derive(Clone, Debug)]
pub(super) enum Cell<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(&'a [u8]),
    /// An array or object of JSON.
    Tree(serde_json::Value),
}

/// Gathers the values of one column. Every `append` adds exactly one value, a null where it answers with an error, so that
/// columns keep step and bad rows are filtered out at the end of a block.
pub(super) struct ColumnBuilder {
    name: String,
    nullable: bool,
    null_numbers: Vec<f64>,
    null_texts: Vec<Vec<u8>>,
    bounds: Option<(f64, f64)>,
    decimal: u8,
    kind: Kind,
}

/// Why a value does not fit, for the dead letter.
pub(super) type Reason = String;

impl ColumnBuilder {
    /// `decimal` is the sign before the fraction in texts.
    pub fn new(column: &SourceColumn, decimal: u8) -> ColumnBuilder {
        let (mut null_numbers, mut null_texts) = (Vec::new(), Vec::new());
        for sentinel in &column.sentinels {
            match sentinel {
                Value::Text(text) => null_texts.push(text.as_bytes().to_vec()),
                Value::Int(_) | Value::Float(_) => null_numbers.extend(sentinel.as_f64()),
                Value::Bool(_) | Value::Time(_) | Value::Duration(_) => null_texts.push(bare(sentinel).into_bytes()),
                Value::Null | Value::List(_) => {}
            }
        }
        let kind = Kind::new(&column.column.ty);
        let (name, nullable) = (column.column.name.to_string(), column.column.nullable);
        ColumnBuilder { name, nullable, null_numbers, null_texts, bounds: column.bounds, decimal, kind }
    }

    /// An element of a list, which has no name, bounds or sentinels of its own.
    pub fn element(name: &str, ty: &Type) -> ColumnBuilder {
        let kind = Kind::new(ty);
        let (null_numbers, null_texts) = (Vec::new(), Vec::new());
        ColumnBuilder { name: name.to_owned(), nullable: true, null_numbers, null_texts, bounds: None, decimal: b'.', kind }
    }

    pub fn append(&mut self, cell: Cell<'_>) -> Result<(), Reason> {
        match cell {
            Cell::Null => self.append_null(),
            Cell::Text(text) => self.append_text(text),
            Cell::Bool(value) => self.append_bool(value),
            Cell::Int(value) => self.append_int(value),
            Cell::Float(value) => self.append_float(value),
            Cell::Tree(tree) => self.append_tree(&tree),
        }
    }

    /// The data has nothing here.
    pub fn append_null(&mut self) -> Result<(), Reason> {
        self.push_null();
        if self.nullable { Ok(()) } else { Err(format!("`{}` is missing", self.name)) }
    }

    /// A field of a text format.
    pub fn append_text(&mut self, field: &[u8]) -> Result<(), Reason> {
        let trimmed = field.trim_ascii();
        if self.null_texts.iter().any(|text| text == trimmed) {
            return self.append_null();
        }
        let empty_counts = !self.nullable && matches!(self.kind, Kind::Text(_) | Kind::Bytes(_));
        if trimmed.is_empty() && !empty_counts {
            return self.append_null();
        }
        let decimal = self.decimal;
        match &mut self.kind {
            Kind::Float(_) => match cell::number(trimmed, decimal) {
                Some(Number::Finite(value)) => self.append_float(value),
                Some(Number::Nan) => self.append_null(),
                Some(Number::Infinite) | None => self.wrong(trimmed),
            },
            Kind::Int(_) => match cell::int(trimmed, decimal) {
                Some(value) => self.append_int(value),
                None => self.int_like_null(trimmed),
            },
            Kind::Bool(values) => match cell::boolean(trimmed) {
                Some(value) => {
                    values.append_value(value);
                    Ok(())
                }
                None if self.is_null_number(trimmed) => self.append_null(),
                None => self.wrong(trimmed),
            },
            Kind::Time(values) => match cell::time(trimmed) {
                Some(at) => {
                    values.append_value(at.0);
                    Ok(())
                }
                None if self.is_null_number(trimmed) => self.append_null(),
                None => self.wrong(trimmed),
            },
            Kind::Duration(_) => match cell::duration(trimmed, decimal) {
                Some(_) if self.is_null_number(trimmed) => self.append_null(),
                Some(length) => self.append_micros(length.0),
                None => self.wrong(trimmed),
            },
            Kind::Text(values) => match std::str::from_utf8(field) {
                Ok(text) => {
                    values.append_value(text);
                    Ok(())
                }
                Err(_) => self.wrong(trimmed),
            },
            Kind::Enum(..) => self.append_enum(trimmed),
            Kind::Bytes(values) => {
                values.append_value(field);
                Ok(())
            }
            Kind::Flat(_) | Kind::Nested(_) => match serde_json::from_slice(trimmed) {
                Ok(tree) => self.append_tree(&tree),
                Err(_) => self.wrong(trimmed),
            },
        }
    }

    fn append_bool(&mut self, value: bool) -> Result<(), Reason> {
        match &mut self.kind {
            Kind::Bool(values) => {
                values.append_value(value);
                Ok(())
            }
            Kind::Int(_) => self.append_int(i64::from(value)),
            Kind::Float(_) => self.append_float(f64::from(u8::from(value))),
            Kind::Text(_) | Kind::Enum(..) => self.append_text(if value { b"true" } else { b"false" }),
            Kind::Time(_) | Kind::Duration(_) | Kind::Bytes(_) | Kind::Flat(_) | Kind::Nested(_) => self.wrong_value(&value),
        }
    }

    pub fn append_int(&mut self, value: i64) -> Result<(), Reason> {
        if self.is_sentinel(value as f64) {
            return self.append_null();
        }
        match &mut self.kind {
            Kind::Int(values) => {
                if outside(self.bounds, value as f64) {
                    return self.out_of_bounds(&value);
                }
                values.append_value(value);
                Ok(())
            }
            Kind::Float(_) => self.append_float(value as f64),
            Kind::Bool(values) if value == 0 || value == 1 => {
                values.append_value(value == 1);
                Ok(())
            }
            Kind::Duration(_) => self.append_seconds(value as f64),
            Kind::Text(values) => {
                values.append_value(value.to_string());
                Ok(())
            }
            Kind::Enum(..) => self.append_enum(value.to_string().as_bytes()),
            Kind::Bool(_) | Kind::Time(_) | Kind::Bytes(_) | Kind::Flat(_) | Kind::Nested(_) => self.wrong_value(&value),
        }
    }

    pub fn append_float(&mut self, value: f64) -> Result<(), Reason> {
        if value.is_nan() || self.is_sentinel(value) {
            return self.append_null();
        }
        if !value.is_finite() {
            return self.wrong_value(&value);
        }
        match &mut self.kind {
            Kind::Float(values) => {
                if outside(self.bounds, value) {
                    return self.out_of_bounds(&value);
                }
                values.append_value(value);
                Ok(())
            }
            Kind::Text(values) => {
                values.append_value(value.to_string());
                Ok(())
            }
            Kind::Duration(_) => self.append_seconds(value),
            Kind::Int(_) | Kind::Bool(_) | Kind::Enum(..) => match cell::whole(value) {
                Some(whole) => self.append_int(whole),
                None => self.wrong_value(&value),
            },
            Kind::Time(_) | Kind::Bytes(_) | Kind::Flat(_) | Kind::Nested(_) => self.wrong_value(&value),
        }
    }

    /// Numbers that need no reading: samples, or the elements of a picture.
    pub fn append_numbers(&mut self, numbers: &[f32]) -> Result<(), Reason> {
        let Kind::Flat(flat) = &mut self.kind else {
            self.push_null();
            return Err(format!("`{}` is a {}, which does not hold {} numbers", self.name, self.kind.word(), numbers.len()));
        };
        let wrong = numbers.iter().find(|number| !number.is_finite());
        let done = flat.add(|out| match wrong {
            Some(number) if number.is_nan() => Err(Unfit::Null),
            Some(_) => Err(Unfit::Wrong("holds an infinite number".to_owned())),
            None => {
                out.extend_from_slice(numbers);
                Ok(())
            }
        });
        self.flat_done(done)
    }

    fn flat_done(&self, done: Result<(), Unfit>) -> Result<(), Reason> {
        match done {
            Err(Unfit::Null) if self.nullable => Ok(()),
            Err(Unfit::Null) => Err(format!("`{}` holds a null, and may not be null", self.name)),
            Err(Unfit::Wrong(why)) => Err(format!("`{}` {why}", self.name)),
            Ok(()) => Ok(()),
        }
    }

    fn append_tree(&mut self, tree: &serde_json::Value) -> Result<(), Reason> {
        let done = match &mut self.kind {
            Kind::Flat(flat) => {
                let done = flat.append(tree);
                return self.flat_done(done);
            }
            Kind::Nested(nested) => nested.append(tree),
            Kind::Text(values) => {
                values.append_value(tree.to_string());
                Ok(())
            }
            Kind::Bool(_)
            | Kind::Int(_)
            | Kind::Float(_)
            | Kind::Enum(..)
            | Kind::Time(_)
            | Kind::Duration(_)
            | Kind::Bytes(_) => {
                return self.wrong_value(tree);
            }
        };
        done.map_err(|why| format!("`{}` {why}", self.name))
    }

    fn append_enum(&mut self, field: &[u8]) -> Result<(), Reason> {
        let is_code = |code: i64| cell::int(field, b'.') == Some(code);
        let Kind::Enum(items, values) = &mut self.kind else { unreachable!("only called for enums") };
        let coded = |item: &&EnumItem| item.text.as_bytes() == field || item.code.is_some_and(is_code);
        match items.iter().find(coded) {
            Some(item) => {
                values.append_value(&*item.text);
                Ok(())
            }
            None => {
                let known: Vec<String> = items.iter().map(|item| format!("{:?}", item.text)).collect();
                self.not_one_of(field, &known.join(", "))
            }
        }
    }

    fn not_one_of(&mut self, field: &[u8], known: &str) -> Result<(), Reason> {
        if self.is_null_number(field) {
            return self.append_null();
        }
        self.push_null();
        Err(format!("`{}` is {}, not one of {known}", self.name, quoted(field)))
    }

    fn append_seconds(&mut self, seconds: f64) -> Result<(), Reason> {
        match cell::whole((seconds * 1e6).round()) {
            Some(micros) => self.append_micros(micros),
            None => self.wrong_value(&seconds),
        }
    }

    fn append_micros(&mut self, micros: i64) -> Result<(), Reason> {
        if outside(self.bounds, micros as f64) {
            return self.out_of_bounds(&crate::base::Duration(micros));
        }
        let Kind::Duration(values) = &mut self.kind else { unreachable!("only called for durations") };
        values.append_value(micros);
        Ok(())
    }

    fn int_like_null(&mut self, field: &[u8]) -> Result<(), Reason> {
        match cell::number(field, self.decimal) {
            Some(Number::Nan) => self.append_null(),
            Some(Number::Finite(value)) if self.is_sentinel(value) => self.append_null(),
            Some(Number::Finite(_) | Number::Infinite) | None => self.wrong(field),
        }
    }

    fn is_sentinel(&self, value: f64) -> bool {
        self.null_numbers.contains(&value)
    }

    fn is_null_number(&self, field: &[u8]) -> bool {
        !self.null_numbers.is_empty()
            && matches!(cell::number(field, self.decimal), Some(Number::Finite(value)) if self.is_sentinel(value))
    }

    fn wrong(&mut self, field: &[u8]) -> Result<(), Reason> {
        self.push_null();
        Err(format!("`{}` is {}, which is no {}", self.name, quoted(field), self.kind.word()))
    }

    fn wrong_value(&mut self, value: &impl std::fmt::Display) -> Result<(), Reason> {
        self.push_null();
        Err(format!("`{}` is {value}, which is no {}", self.name, self.kind.word()))
    }

    fn out_of_bounds(&mut self, value: &impl std::fmt::Display) -> Result<(), Reason> {
        let (low, high) = self.bounds.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
        self.push_null();
        Err(format!("`{}` is {value}, outside {low}..{high}", self.name))
    }

    fn push_null(&mut self) {
        self.kind.push_null();
    }

    /// What was gathered; the builder is empty afterwards.
    pub fn finish(&mut self) -> ArrayRef {
        self.kind.finish()
    }
}

fn outside(bounds: Option<(f64, f64)>, value: f64) -> bool {
    bounds.is_some_and(|(low, high)| value < low || value > high)
}

/// As it stands in data: without the signs of the language around it.
fn bare(value: &Value) -> String {
    value.to_string().trim_start_matches('@').to_owned()
}

fn quoted(field: &[u8]) -> String {
    const SHOWN: usize = 40;
    let text = String::from_utf8_lossy(field);
    if text.chars().count() <= SHOWN {
        return format!("{text:?}");
    }
    format!("{:?}…", text.chars().take(SHOWN).collect::<String>())
}

#[cfg(test)]
mod tests;
