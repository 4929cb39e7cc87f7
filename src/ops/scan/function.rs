//! The running functions: which there are, what each remembers, and where each is carried out.
//!
//! Null is skipped by all of them: the row gets the last result again.

use arrow::datatypes::DataType;

use crate::ir::{self, Running, Value};
use crate::node::NodeError;

use super::super::cell::Cell;
use super::super::error::{ill_formed, too_many};
use super::{hold, past, smooth, total};

/// How far back `lag` reaches, in rows.
pub(super) const LAG_MAX: usize = 1_000;

/// A running function with its settings. Durations are in microseconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Function {
    Previous,
    Lag(usize),
    Ewma { half_life: f64 },
    Rate,
    Since,
    Changed,
    For(i64),
    Hysteresis { on: f64, off: f64 },
    Count,
    Sum,
    Mean,
    Min,
    Max,
}

impl Function {
    pub fn of(call: &ir::RunningCall) -> Result<Function, NodeError> {
        let settings = &call.settings;
        Ok(match call.function {
            Running::Previous => Function::Previous,
            Running::Lag => Function::Lag(rows(call)?),
            Running::Ewma => Function::Ewma { half_life: duration(call)?.max(1) as f64 },
            Running::Rate => Function::Rate,
            Running::Since => Function::Since,
            Running::Changed => Function::Changed,
            Running::For => Function::For(duration(call)?),
            Running::Hysteresis => match (settings.first().and_then(Value::as_f64), settings.get(1).and_then(Value::as_f64)) {
                (Some(on), Some(off)) => Function::Hysteresis { on, off },
                _ => return Err(unset(call)),
            },
            Running::CumulativeCount => Function::Count,
            Running::CumulativeSum => Function::Sum,
            Running::CumulativeMean => Function::Mean,
            Running::CumulativeMin => Function::Min,
            Running::CumulativeMax => Function::Max,
        })
    }

    pub fn needs_time(&self) -> bool {
        matches!(self, Function::Ewma { .. } | Function::Rate | Function::Since | Function::For(_))
    }

    /// What it remembers per key besides its last result, by name and type.
    pub fn memory(&self, arg: &DataType) -> Vec<(String, DataType)> {
        let cell = |name: &str, ty: DataType| (name.to_owned(), ty);
        let time = || cell("time", DataType::Int64);
        match self {
            Function::Previous | Function::Changed => vec![cell("last", arg.clone())],
            Function::Lag(rows) => {
                let slots = (0..*rows).map(|nth| cell(&format!("row{nth}"), arg.clone()));
                [cell("next", DataType::Int64)].into_iter().chain(slots).collect()
            }
            Function::Ewma { .. } => vec![cell("sum", DataType::Float64), cell("weight", DataType::Float64), time()],
            Function::Rate => vec![cell("last", DataType::Float64), time()],
            Function::Since | Function::For(_) => vec![time()],
            Function::Hysteresis { .. } | Function::Count | Function::Min | Function::Max => vec![],
            Function::Sum => vec![cell("overflowed", DataType::Boolean)],
            Function::Mean => vec![cell("sum", DataType::Float64), cell("rows", DataType::Int64)],
        }
    }

    /// Of a key that has seen nothing.
    pub fn first_result(&self) -> Cell {
        if *self == Function::Count { Cell::Int(0) } else { Cell::Null }
    }

    /// The result of one row whose argument is not null, at `time` in microseconds. `memory[0]` is the result before it.
    pub fn step(&self, memory: &mut [Cell], arg: Cell, time: i64, result: &DataType) -> Cell {
        match self {
            Function::Previous => past::previous(memory, arg),
            Function::Lag(_) => past::lag(memory, arg),
            Function::Changed => past::changed(memory, arg),
            Function::Ewma { half_life } => smooth::ewma(memory, arg, time, *half_life),
            Function::Rate => smooth::rate(memory, arg, time),
            Function::Since => hold::since(memory, arg, time),
            Function::For(duration) => hold::held(memory, arg, time, *duration),
            Function::Hysteresis { on, off } => hold::hysteresis(memory, arg, *on, *off),
            Function::Count => total::count(memory),
            Function::Sum => total::sum(memory, arg),
            Function::Mean => total::mean(memory, arg, result),
            Function::Min => total::least(memory, arg),
            Function::Max => total::greatest(memory, arg),
        }
    }

    /// What it is, whatever its settings are.
    pub fn kind_name(&self) -> std::mem::Discriminant<Function> {
        std::mem::discriminant(self)
    }
}

fn rows(call: &ir::RunningCall) -> Result<usize, NodeError> {
    match call.settings.first() {
        Some(Value::Int(rows)) if *rows > LAG_MAX as i64 => Err(too_many("rows of `lag`", LAG_MAX)),
        Some(Value::Int(rows)) if *rows > 0 => Ok(*rows as usize),
        _ => Err(unset(call)),
    }
}

fn duration(call: &ir::RunningCall) -> Result<i64, NodeError> {
    match call.settings.first() {
        Some(Value::Duration(duration)) => Ok(duration.0),
        _ => Err(unset(call)),
    }
}

fn unset(call: &ir::RunningCall) -> NodeError {
    ill_formed(format!("`{}` lacks a setting", call.function.name()))
}
