//! Types of values and the schemas made of them.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::base::{Name, Span, Unit};

/// The type of a value; whether it may be null is said beside it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Type {
    Bool,
    /// 64 bits, without a unit.
    Int,
    /// 64 bits, in this unit.
    Float(Unit),
    Text,
    /// Microseconds since 1970, UTC.
    Time,
    /// Microseconds.
    Duration,
    Bytes,
    /// One of these texts; kept as text.
    Enum(Arc<[EnumItem]>),
    /// f32, this shape, row-major: the last index runs fastest. At most [`TENSOR_NUMBERS_MAX`] numbers, all of them finite.
    Tensor(Vec<u32>),
    /// Samples per second; f32 samples.
    Signal(u32),
    List(Box<Type>),
}

/// A value of an enum, with the number that stands for it in the data (`enum(1: "walking")`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnumItem {
    pub code: Option<i64>,
    pub text: Name,
}

/// So many numbers one tensor may hold: 64 MiB of f32.
pub const TENSOR_NUMBERS_MAX: u64 = 16 * 1024 * 1024;

/// How many numbers a tensor of this shape holds; none where they are more than [`TENSOR_NUMBERS_MAX`].
pub fn tensor_numbers(shape: &[u32]) -> Option<usize> {
    let within = |numbers: u64, size: &u32| numbers.checked_mul(u64::from(*size)).filter(|all| *all <= TENSOR_NUMBERS_MAX);
    shape.iter().try_fold(1, within).and_then(|numbers| usize::try_from(numbers).ok())
}

/// A column of a stream.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Column {
    pub name: Name,
    pub ty: Type,
    pub nullable: bool,
    /// Where it was declared or made.
    #[serde(skip)]
    pub span: Span,
}

/// The columns of a stream, in order. Hidden ones (whose name begins with `@`) travel with the rows and are seen by no one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    pub columns: Vec<Column>,
    /// The column that holds the row's event time; none under `time none`.
    pub time: Option<Name>,
    /// The keys that have clocks of their own (`time … by K`); empty where one clock serves all.
    pub clock_by: Vec<Name>,
}

impl Type {
    pub const NUMBER: fn() -> Type = || Type::Float(Unit::one());

    pub fn is_number(&self) -> bool {
        matches!(self, Type::Int | Type::Float(_))
    }

    /// Is one value of it a run of numbers of its own?
    pub fn is_samples(&self) -> bool {
        matches!(self, Type::Tensor(_) | Type::Signal(_))
    }

    /// Does one of two values come first?
    pub fn has_order(&self) -> bool {
        !self.is_samples() && !matches!(self, Type::List(_))
    }

    /// Can its values be the classes of a classifier?
    pub fn is_discrete(&self) -> bool {
        matches!(self, Type::Bool | Type::Int | Type::Text | Type::Enum(_))
    }
}

impl Schema {
    pub fn get(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == *name)
    }

    /// What people see of it.
    pub fn visible(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| !column.is_hidden())
    }
}

impl Column {
    pub fn is_hidden(&self) -> bool {
        self.name.starts_with('@')
    }
}

/// Where it stands in the text does not count.
impl PartialEq for Column {
    fn eq(&self, other: &Column) -> bool {
        self.name == other.name && self.ty == other.ty && self.nullable == other.nullable
    }
}

/// As the language writes it.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Type::Bool => f.write_str("bool"),
            Type::Int => f.write_str("int"),
            Type::Float(unit) if unit.is_one() => f.write_str("float"),
            Type::Float(unit) => write!(f, "float<{unit}>"),
            Type::Text => f.write_str("text"),
            Type::Time => f.write_str("time"),
            Type::Duration => f.write_str("duration"),
            Type::Bytes => f.write_str("bytes"),
            Type::Enum(items) => {
                let items: Vec<String> = items.iter().map(ToString::to_string).collect();
                write!(f, "enum({})", items.join(", "))
            }
            Type::Tensor(shape) => {
                let shape: Vec<String> = shape.iter().map(ToString::to_string).collect();
                write!(f, "tensor[{}]", shape.join(", "))
            }
            Type::Signal(rate) => write!(f, "signal<{rate}Hz>"),
            Type::List(item) => write!(f, "list<{item}>"),
        }
    }
}

impl fmt::Display for EnumItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "{code}: {:?}", self.text),
            None => write!(f, "{:?}", self.text),
        }
    }
}
