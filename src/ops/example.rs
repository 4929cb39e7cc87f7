//! Built-in functions on constant arguments, as the examples of the standard library and its documentation need them.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::Schema;

use crate::base::Span;
use crate::ir::{self, Expr, ExprKind, Scalar, Type, Value};
use crate::node::NodeError;

use super::error::failed;
use super::expr::{Expression, Scope, value_at};

/// `function(args…)`, as `result`.
pub fn evaluate_scalar(function: Scalar, args: &[(Value, Type)], result: &Type) -> Result<Value, NodeError> {
    let args = args.iter().map(|(value, ty)| constant(value, ty)).collect();
    let call = Expr { kind: ExprKind::Call(function, args), ty: result.clone(), nullable: true, span: Span::default() };
    evaluate_constant(&call)
}

/// The value of an expression without columns.
pub fn evaluate_constant(expr: &Expr) -> Result<Value, NodeError> {
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let one_row = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options).map_err(failed)?;
    let value = Expression::compile(expr, &Scope::of(&ir::Schema::default()))?.evaluate(&one_row)?;
    Ok(value_at(&value, 0))
}

fn constant(value: &Value, ty: &Type) -> Expr {
    Expr { kind: ExprKind::Literal(value.clone()), ty: ty.clone(), nullable: *value == Value::Null, span: Span::default() }
}
