//! Typed expressions, compiled once to DataFusion's physical expressions and evaluated per batch.
//!
//! Values never make an expression fail. What does not exist in its type is null: a division by zero, the root of a
//! negative number, an int, time or duration that leaves its 64 bits, NaN and infinity from wherever they come. So a float
//! that an expression gives is finite or null. Comparisons follow IEEE 754: the two zeros are equal.

mod arithmetic;
mod binary;
mod float;
mod literal;
mod lower;
mod own;
mod scalar;
mod signal;
mod text;
mod time;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, cast::AsArray};
use arrow::compute::prep_null_mask_filter;
use arrow::datatypes::{DataType, Field, SchemaRef};
use datafusion::physical_expr::PhysicalExpr;

use crate::ir;
use crate::node::{self, NodeError};

use super::error::{failed, ill_formed};

pub(super) use literal::{literal_array, scalar_value, value_at};

/// What an expression can see: the columns of a batch, of which the last may be slots.
#[derive(Clone, Debug)]
pub struct Scope {
    fields: Vec<Field>,
    slots: Option<usize>,
}

/// An expression that is ready to be evaluated on batches with the columns of its [`Scope`].
#[derive(Clone, Debug)]
pub struct Expression {
    physical: Arc<dyn PhysicalExpr>,
    data_type: DataType,
}

impl Scope {
    pub fn of(schema: &ir::Schema) -> Scope {
        Scope { fields: schema.columns.iter().map(node::field).collect(), slots: None }
    }

    /// One more column at the end, as an entry sees those before it.
    pub fn with(mut self, name: &str, ty: &ir::Type) -> Scope {
        self.fields.push(Field::new(name, node::data_type(ty), true));
        self
    }

    /// The columns from here on are the slots of an entry, from 0.
    pub fn with_slots<'a>(mut self, types: impl IntoIterator<Item = &'a ir::Type>) -> Scope {
        self.slots = Some(self.fields.len());
        types.into_iter().enumerate().fold(self, |scope, (at, ty)| scope.with(&format!("@slot{at}"), ty))
    }

    /// Of the batches that its expressions are evaluated on.
    pub fn schema(&self) -> SchemaRef {
        Arc::new(arrow::datatypes::Schema::new(self.fields.clone()))
    }

    fn column(&self, name: &str) -> Result<usize, NodeError> {
        let seen = &self.fields[..self.slots.unwrap_or(self.fields.len())];
        seen.iter().position(|field| field.name() == name).ok_or_else(|| ill_formed(format!("no column `{name}` comes in")))
    }

    fn slot(&self, nth: usize) -> Result<usize, NodeError> {
        let at = self.slots.map(|first| first + nth).filter(|at| *at < self.fields.len());
        at.ok_or_else(|| ill_formed(format!("no call gives slot {nth}")))
    }
}

impl Expression {
    /// Fails where the types do not fit, which the checker refuses first.
    pub fn compile(expr: &ir::Expr, scope: &Scope) -> Result<Expression, NodeError> {
        let data_type = node::data_type(&expr.ty);
        let lowered = lower::lower(expr, scope)?.coerced(&data_type)?.clean();
        Ok(Expression { physical: lowered.expr, data_type })
    }

    /// A column as a part of a key: NaN is null, and the two zeros are one.
    pub(super) fn key(column: &ir::Column, scope: &Scope) -> Result<Expression, NodeError> {
        let lowered = binary::one_zero(lower::column(scope, scope.column(&column.name)?).clean());
        Ok(Expression { physical: lowered.expr, data_type: lowered.ty })
    }

    pub fn data_type(&self) -> &DataType {
        &self.data_type
    }

    /// One value per row.
    pub fn evaluate(&self, rows: &RecordBatch) -> Result<ArrayRef, NodeError> {
        let value = self.physical.evaluate(rows).map_err(failed)?;
        value.into_array(rows.num_rows()).map_err(failed)
    }

    /// Of a condition: which rows it is true for. Has no nulls.
    pub fn mask(&self, rows: &RecordBatch) -> Result<BooleanArray, NodeError> {
        let values = self.evaluate(rows)?;
        let mask = values.as_boolean_opt().ok_or_else(|| ill_formed("a condition is not a bool"))?;
        Ok(if mask.nulls().is_some() { prep_null_mask_filter(mask) } else { mask.clone() })
    }
}

/// Floats as whole numbers of this type, to the nearest; null where there is none.
pub(super) fn rounded(floats: &ArrayRef, ty: &DataType) -> Result<ArrayRef, NodeError> {
    float::rounded(&[Arc::clone(floats)], ty).map_err(failed)
}

#[cfg(test)]
mod tests;
