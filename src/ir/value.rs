//! Values that are known when the file is compiled.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::{Duration, Name, Time};

/// A constant, in the unit of the type beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Value {
    Null,
    Bool(bool),
    Int(i64),
    /// Always finite.
    Float(f64),
    Text(Name),
    Time(Time),
    Duration(Duration),
    List(Vec<Value>),
}

impl Value {
    /// Numbers only.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Int(int) => Some(*int as f64),
            Value::Float(float) => Some(*float),
            Value::Null | Value::Bool(_) | Value::Text(_) | Value::Time(_) | Value::Duration(_) | Value::List(_) => None,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Bool(bool) => write!(f, "{bool}"),
            Value::Int(int) => write!(f, "{int}"),
            Value::Float(float) => write!(f, "{float}"),
            Value::Text(text) => write!(f, "{text:?}"),
            Value::Time(time) => write!(f, "@{time}"),
            Value::Duration(duration) => write!(f, "{duration}"),
            Value::List(items) => {
                let items: Vec<String> = items.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", items.join(", "))
            }
        }
    }
}
