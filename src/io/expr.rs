//! The small expressions at the edge: `time @2020-01-01T00:00:00Z + t_ms * 1ms`, and the columns of a simulation.
//!
//! Worked out with Arrow's kernels over whole blocks. Literals, params, columns, slots, `not`, unary minus, all binary
//! operators, `if`, `else`, `is null`, `in`, conversions and casts are known, and the functions of numbers; functions of
//! text and of the calendar are not, and are refused before anything is read.

mod arithmetic;
mod math;

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Datum, DurationMicrosecondArray, Float64Array, Int64Array, RecordBatch,
    StringArray, TimestampMicrosecondArray, new_null_array,
};
use arrow::compute::kernels::{boolean, cmp, zip::zip};
use arrow::compute::{cast, is_not_null, is_null};
use arrow::datatypes::{DataType, Float64Type, TimeUnit};

use crate::diag::Code;
use crate::ir::{BinaryOp, Expr, ExprKind, Type, Value};
use crate::node::data_type;

use super::error::{IoError, arrow_refuses};
use super::sheet::repeat;

/// Is it made of what this evaluator knows?
pub(super) fn check(expr: &Expr) -> Result<(), IoError> {
    let mut unknown = None;
    expr.walk(&mut |part| {
        if let ExprKind::Call(function, _) = &part.kind
            && !math::knows(*function)
        {
            unknown.get_or_insert((*function, part.span));
        }
    });
    match unknown {
        None => Ok(()),
        Some((function, span)) => {
            let message = format!("`{}` cannot be used in the time or the simulation of a source", function.name());
            Err(IoError::new(Code::E0717, message).at(span).help("work it out in a stream: `| set { … }`"))
        }
    }
}

/// One value per row of `rows`. Results that are no finite numbers are null.
pub(super) fn evaluate(expr: &Expr, rows: &RecordBatch, slots: &[ArrayRef]) -> Result<ArrayRef, IoError> {
    let scope = Scope { rows, slots };
    let array = scope.value(expr)?.array(rows.num_rows())?;
    Ok(match array.data_type() {
        DataType::Float64 => finite(array.as_primitive::<Float64Type>()),
        _ => array,
    })
}

fn finite(values: &Float64Array) -> ArrayRef {
    if values.values().iter().all(|value| value.is_finite()) {
        return Arc::new(values.clone());
    }
    Arc::new(Float64Array::from_iter(values.iter().map(|value| value.filter(|value| value.is_finite()))))
}

/// A column of values, or one value for all rows.
#[derive(Clone)]
struct Operand {
    values: ArrayRef,
    one: bool,
}

impl Datum for Operand {
    fn get(&self) -> (&dyn Array, bool) {
        (self.values.as_ref(), self.one)
    }
}

impl Operand {
    fn array(self, rows: usize) -> Result<ArrayRef, IoError> {
        if self.one { repeat(&self.values, rows) } else { Ok(self.values) }
    }

    fn as_floats(&self) -> Result<Operand, IoError> {
        Ok(Operand { values: cast(&self.values, &DataType::Float64).map_err(arrow_refuses)?, one: self.one })
    }

    fn is_duration(&self) -> bool {
        matches!(self.values.data_type(), DataType::Duration(_))
    }
}

struct Scope<'a> {
    rows: &'a RecordBatch,
    slots: &'a [ArrayRef],
}

impl Scope<'_> {
    fn value(&self, expr: &Expr) -> Result<Operand, IoError> {
        match &expr.kind {
            ExprKind::Literal(value) | ExprKind::Param(_, value) => literal(value, &expr.ty),
            ExprKind::Column(name) => match self.rows.column_by_name(name) {
                Some(values) => Ok(Operand { values: values.clone(), one: false }),
                None => Err(IoError::new(Code::R0001, format!("the column `{name}` is not there")).at(expr.span)),
            },
            ExprKind::Slot(nth) => match self.slots.get(*nth) {
                Some(values) => Ok(Operand { values: values.clone(), one: false }),
                None => Err(IoError::new(Code::R0001, format!("the value number {nth} is not there")).at(expr.span)),
            },
            ExprKind::Not(one) => {
                self.mapped(one, |value| boolean::not(value.as_boolean()).map(|out| Arc::new(out) as ArrayRef))
            }
            ExprKind::IsNull(one) => self.mapped(one, |value| is_null(value).map(|out| Arc::new(out) as ArrayRef)),
            ExprKind::Negate(one) => self.mapped(one, |value| arrow::compute::kernels::numeric::neg_wrapping(value)),
            ExprKind::Binary(op, left, right) => self.binary(*op, left, right),
            ExprKind::Call(function, args) => {
                let args = args.iter().map(|arg| self.value(arg)).collect::<Result<Vec<_>, _>>()?;
                math::call(*function, &args)
            }
            ExprKind::If(condition, then, otherwise) => self.choice(condition, then, otherwise),
            ExprKind::Coalesce(first, second) => {
                let first = self.value(first)?;
                let there = is_not_null(&first.values).map_err(arrow_refuses)?;
                self.chosen(Operand { values: Arc::new(there), one: first.one }, first, self.value(second)?)
            }
            ExprKind::In(one, constants) => self.among(one, constants),
            ExprKind::Convert { value, scale, shift } => {
                let value = self.value(value)?.as_floats()?;
                let scaled = value.values.as_primitive::<Float64Type>().unary::<_, Float64Type>(|value| value * scale + shift);
                Ok(Operand { values: Arc::new(scaled), one: value.one })
            }
            ExprKind::Cast(one) => {
                let value = self.value(one)?;
                Ok(Operand { values: cast_to(&value.values, &expr.ty)?, one: value.one })
            }
        }
    }

    fn mapped(
        &self,
        expr: &Expr,
        map: impl Fn(&dyn Array) -> Result<ArrayRef, arrow::error::ArrowError>,
    ) -> Result<Operand, IoError> {
        let value = self.value(expr)?;
        Ok(Operand { values: map(value.values.as_ref()).map_err(arrow_refuses)?, one: value.one })
    }

    fn binary(&self, op: BinaryOp, left: &Expr, right: &Expr) -> Result<Operand, IoError> {
        let (left, right) = (self.value(left)?, self.value(right)?);
        match op {
            BinaryOp::And => self.logic(left, right, boolean::and_kleene),
            BinaryOp::Or => self.logic(left, right, boolean::or_kleene),
            BinaryOp::Eq | BinaryOp::Ne | BinaryOp::Lt | BinaryOp::Le | BinaryOp::Gt | BinaryOp::Ge => {
                compare(op, &left, &right)
            }
            BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div | BinaryOp::Pow => {
                arithmetic::binary(op, &left, &right)
            }
        }
    }

    fn logic(
        &self,
        left: Operand,
        right: Operand,
        op: fn(&BooleanArray, &BooleanArray) -> Result<BooleanArray, arrow::error::ArrowError>,
    ) -> Result<Operand, IoError> {
        let rows = self.rows.num_rows();
        let (left, right) = (left.array(rows)?, right.array(rows)?);
        let out = op(left.as_boolean(), right.as_boolean()).map_err(arrow_refuses)?;
        Ok(Operand { values: Arc::new(out), one: false })
    }

    fn choice(&self, condition: &Expr, then: &Expr, otherwise: &Expr) -> Result<Operand, IoError> {
        let condition = self.value(condition)?;
        let (then, otherwise) = (self.value(then)?, self.value(otherwise)?);
        self.chosen(condition, then, otherwise)
    }

    /// A null condition takes the second.
    fn chosen(&self, condition: Operand, then: Operand, otherwise: Operand) -> Result<Operand, IoError> {
        let condition = condition.array(self.rows.num_rows())?;
        let condition = BooleanArray::from_iter(condition.as_boolean().iter().map(|holds| Some(holds == Some(true))));
        let (then, otherwise) = alike(then, otherwise)?;
        Ok(Operand { values: zip(&condition, &then, &otherwise).map_err(arrow_refuses)?, one: false })
    }

    fn among(&self, one: &Expr, constants: &[Value]) -> Result<Operand, IoError> {
        let value = self.value(one)?;
        let mut found: Option<BooleanArray> = None;
        for constant in constants {
            let same = compare(BinaryOp::Eq, &value, &literal(constant, &one.ty)?)?.values;
            let same = same.as_boolean();
            found = Some(match found {
                Some(before) => boolean::or_kleene(&before, same).map_err(arrow_refuses)?,
                None => same.clone(),
            });
        }
        let found = found.unwrap_or_else(|| BooleanArray::from(vec![false; value.values.len()]));
        Ok(Operand { values: Arc::new(found), one: value.one })
    }
}

/// A column of one row.
pub(super) fn constant(value: &Value, ty: &Type) -> Result<ArrayRef, IoError> {
    literal(value, ty).map(|one| one.values)
}

fn literal(value: &Value, ty: &Type) -> Result<Operand, IoError> {
    let values: ArrayRef = match value {
        Value::Null => new_null_array(&data_type(ty), 1),
        Value::Bool(value) => Arc::new(BooleanArray::from(vec![*value])),
        Value::Int(value) => Arc::new(Int64Array::from(vec![*value])),
        Value::Float(value) => Arc::new(Float64Array::from(vec![*value])),
        Value::Text(value) => Arc::new(StringArray::from(vec![value.as_str()])),
        Value::Time(at) => Arc::new(TimestampMicrosecondArray::from(vec![at.0]).with_timezone("UTC")),
        Value::Duration(length) => Arc::new(DurationMicrosecondArray::from(vec![length.0])),
        Value::List(_) => {
            return Err(IoError::new(Code::E0717, "a list has no place in the time or the simulation of a source"));
        }
    };
    let values = if matches!(ty, Type::Float(_)) { cast(&values, &DataType::Float64).map_err(arrow_refuses)? } else { values };
    Ok(Operand { values, one: true })
}

fn compare(op: BinaryOp, left: &Operand, right: &Operand) -> Result<Operand, IoError> {
    let (left, right) = alike(left.clone(), right.clone())?;
    let out = match op {
        BinaryOp::Eq => cmp::eq(&left, &right),
        BinaryOp::Ne => cmp::neq(&left, &right),
        BinaryOp::Lt => cmp::lt(&left, &right),
        BinaryOp::Le => cmp::lt_eq(&left, &right),
        BinaryOp::Gt => cmp::gt(&left, &right),
        BinaryOp::Ge => cmp::gt_eq(&left, &right),
        BinaryOp::Or | BinaryOp::And | BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div | BinaryOp::Pow => {
            unreachable!("only called for comparisons")
        }
    };
    Ok(Operand { values: Arc::new(out.map_err(arrow_refuses)?), one: left.one && right.one })
}

/// Both as floats where one of two numbers is.
fn alike(left: Operand, right: Operand) -> Result<(Operand, Operand), IoError> {
    let (a, b) = (left.values.data_type(), right.values.data_type());
    let mixed = matches!((a, b), (DataType::Int64, DataType::Float64) | (DataType::Float64, DataType::Int64));
    if mixed { Ok((left.as_floats()?, right.as_floats()?)) } else { Ok((left, right)) }
}

/// Numbers become durations as microseconds.
fn cast_to(values: &ArrayRef, ty: &Type) -> Result<ArrayRef, IoError> {
    let to = data_type(ty);
    let values = match (&to, values.data_type()) {
        (DataType::Duration(TimeUnit::Microsecond), DataType::Float64) => {
            let rounded = values.as_primitive::<Float64Type>().unary::<_, Float64Type>(f64::round);
            cast(&rounded, &DataType::Int64).map_err(arrow_refuses)?
        }
        _ => values.clone(),
    };
    cast(&values, &to).map_err(arrow_refuses)
}

#[cfg(test)]
mod tests;
