//! From a typed expression to a physical one.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};
use arrow::compute::is_not_null;
use arrow::compute::kernels::zip::zip;
use arrow::datatypes::DataType;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{
    BinaryExpr, CaseExpr, CastExpr, Column, InListExpr, IsNullExpr, NegativeExpr, NotExpr, lit,
};
use datafusion::scalar::ScalarValue;

use crate::ir::{self, ExprKind, Value};
use crate::node::{self, NodeError};

use super::super::error::{failed, ill_formed};
use super::own::{Outcome, over_arrays};
use super::{Scope, arithmetic, binary, float, scalar, scalar_value, text};

/// A physical expression with what its makers must know of it.
#[derive(Clone, Debug)]
pub(super) struct Lowered {
    pub expr: Arc<dyn PhysicalExpr>,
    pub ty: DataType,
    /// Are its floats known to be finite or null? Sums and products pass infinities on, so that one check at their end is
    /// enough; everything else wants clean values.
    pub finite: bool,
}

impl Lowered {
    pub fn new(expr: Arc<dyn PhysicalExpr>, ty: DataType) -> Lowered {
        Lowered { expr, ty, finite: true }
    }

    pub fn unsure(expr: Arc<dyn PhysicalExpr>, ty: DataType) -> Lowered {
        Lowered { expr, ty, finite: false }
    }

    /// NaN and infinities read as null.
    pub fn clean(self) -> Lowered {
        if self.finite || self.ty != DataType::Float64 {
            return self;
        }
        Lowered::new(over_arrays("finite", vec![self.expr], &self.ty, float::finite), self.ty)
    }

    /// Ints serve as floats; else types must be equal.
    pub fn coerced(self, to: &DataType) -> Result<Lowered, NodeError> {
        match (&self.ty, to) {
            (from, to) if from == to => Ok(self),
            (DataType::Int64, DataType::Float64) => Ok(self.cast(to)),
            (from, to) => Err(ill_formed(format!("a value of Arrow type {from} stands where {to} is expected"))),
        }
    }

    pub fn cast(self, to: &DataType) -> Lowered {
        Lowered::new(Arc::new(CastExpr::new(self.expr, to.clone(), None)), to.clone())
    }

    pub fn literal(&self) -> Option<&ScalarValue> {
        let literal = self.expr.downcast_ref::<datafusion::physical_expr::expressions::Literal>();
        literal.map(|literal| literal.value())
    }
}

pub(super) fn lower(expr: &ir::Expr, scope: &Scope) -> Result<Lowered, NodeError> {
    let ty = node::data_type(&expr.ty);
    match &expr.kind {
        ExprKind::Literal(value) | ExprKind::Param(_, value) => constant(value, &ty),
        ExprKind::Column(name) => Ok(column(scope, scope.column(name)?)),
        ExprKind::Slot(nth) => Ok(column(scope, scope.slot(*nth)?)),
        ExprKind::Not(one) => Ok(Lowered::new(Arc::new(NotExpr::new(lower(one, scope)?.expr)), DataType::Boolean)),
        ExprKind::Negate(one) => Ok(negate(lower(one, scope)?)),
        ExprKind::Binary(op, left, right) => binary::lower(*op, lower(left, scope)?, lower(right, scope)?),
        ExprKind::Call(function, args) => {
            let args = args.iter().map(|arg| Ok(lower(arg, scope)?.clean())).collect::<Result<Vec<_>, NodeError>>()?;
            scalar::call(*function, args, &ty)
        }
        ExprKind::If(condition, then, otherwise) => {
            choose(lower(condition, scope)?, lower(then, scope)?, lower(otherwise, scope)?, &ty)
        }
        ExprKind::Coalesce(first, second) => coalesce(lower(first, scope)?, lower(second, scope)?, &ty),
        ExprKind::IsNull(one) => {
            let one = lower(one, scope)?.clean();
            Ok(Lowered::new(Arc::new(IsNullExpr::new(one.expr)), DataType::Boolean))
        }
        ExprKind::In(one, values) => is_in(lower(one, scope)?.clean(), values, scope),
        ExprKind::Convert { value, scale, shift } => convert(lower(value, scope)?, *scale, *shift),
        ExprKind::Cast(one) => cast(lower(one, scope)?, &one.ty, &ty),
    }
}

fn constant(value: &Value, ty: &DataType) -> Result<Lowered, NodeError> {
    Ok(Lowered::new(lit(scalar_value(value, ty)?), ty.clone()))
}

/// What comes from outside may hold anything that a float can.
pub(super) fn column(scope: &Scope, at: usize) -> Lowered {
    let field = &scope.fields[at];
    Lowered::unsure(Arc::new(Column::new(field.name(), at)), field.data_type().clone())
}

fn negate(one: Lowered) -> Lowered {
    match &one.ty {
        DataType::Float64 => Lowered { expr: Arc::new(NegativeExpr::new(one.expr)), ..one },
        ty => Lowered::new(over_arrays("negate", vec![one.expr], ty, arithmetic::negate), ty.clone()),
    }
}

/// DataFusion evaluates each branch on its own rows only; a null condition takes the last one.
fn choose(condition: Lowered, then: Lowered, otherwise: Lowered, ty: &DataType) -> Result<Lowered, NodeError> {
    let (then, otherwise) = (then.coerced(ty)?, otherwise.coerced(ty)?);
    let finite = then.finite && otherwise.finite;
    let case = CaseExpr::try_new(None, vec![(condition.expr, then.expr)], Some(otherwise.expr)).map_err(failed)?;
    Ok(Lowered { expr: Arc::new(case), ty: ty.clone(), finite })
}

pub(super) fn coalesce(first: Lowered, second: Lowered, ty: &DataType) -> Result<Lowered, NodeError> {
    let (first, second) = (first.coerced(ty)?.clean(), second.coerced(ty)?.clean());
    Ok(Lowered::new(over_arrays("coalesce", vec![first.expr, second.expr], ty, first_present), ty.clone()))
}

fn first_present(args: &[ArrayRef], _: &DataType) -> Outcome<ArrayRef> {
    if args[0].null_count() == 0 {
        return Ok(Arc::clone(&args[0]));
    }
    let present: BooleanArray = is_not_null(&args[0])?;
    Ok(zip(&present, &args[0], &args[1])?)
}

/// A null in the list is nothing that a value could be equal to.
fn is_in(one: Lowered, values: &[Value], scope: &Scope) -> Result<Lowered, NodeError> {
    let one = binary::one_zero(one);
    let present = values.iter().filter(|value| **value != Value::Null);
    let list =
        present.map(|value| Ok(binary::one_zero(constant(value, &one.ty)?).expr)).collect::<Result<Vec<_>, NodeError>>()?;
    let schema = scope.schema();
    if list.is_empty() {
        return Ok(Lowered::new(over_arrays("in_nothing", vec![one.expr], &DataType::Boolean, never), DataType::Boolean));
    }
    let expr = InListExpr::try_new(one.expr, list, false, &schema).map_err(failed)?;
    Ok(Lowered::new(Arc::new(expr), DataType::Boolean))
}

fn never(args: &[ArrayRef], _: &DataType) -> Outcome<ArrayRef> {
    let none = arrow::buffer::BooleanBuffer::new_unset(args[0].len());
    Ok(Arc::new(BooleanArray::new(none, args[0].nulls().cloned())))
}

fn convert(value: Lowered, scale: f64, shift: f64) -> Result<Lowered, NodeError> {
    let value = value.coerced(&DataType::Float64)?;
    let step = |expr: Arc<dyn PhysicalExpr>, op, by: f64, neutral: f64| -> Arc<dyn PhysicalExpr> {
        if by == neutral { expr } else { Arc::new(BinaryExpr::new(expr, op, lit(by))) }
    };
    let scaled = step(value.expr, Operator::Multiply, scale, 1.0);
    Ok(Lowered::unsure(step(scaled, Operator::Plus, shift, 0.0), DataType::Float64))
}

fn cast(one: Lowered, from: &ir::Type, to: &DataType) -> Result<Lowered, NodeError> {
    let one = one.clean();
    match (&one.ty, to) {
        (from, to) if from == to => Ok(one),
        (DataType::Int64, DataType::Float64) => Ok(one.cast(to)),
        (DataType::Int64, DataType::Duration(_)) => Ok(one.cast(to)),
        (DataType::Float64, DataType::Int64 | DataType::Duration(_)) => {
            Ok(Lowered::new(over_arrays("whole", vec![one.expr], to, float::whole), to.clone()))
        }
        (_, DataType::Utf8) if text::can_print(&one.ty) => {
            Ok(Lowered::new(over_arrays("text", vec![one.expr], to, text::print), to.clone()))
        }
        _ => Err(ill_formed(format!("a value of type {from} cannot become Arrow's {to}"))),
    }
}
