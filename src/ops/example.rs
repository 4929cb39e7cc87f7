//! Built-in functions on constant arguments, as the examples of the standard library and its documentation need them.

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::Schema;

use crate::base::{Duration, Span, Time};
use crate::ir::{self, Aggregate, Expr, ExprKind, Scalar, Type, Value};
use crate::node::{self, NodeError, data_type};

use super::error::failed;
use super::expr::{Expression, Scope, literal_array, value_at};
use super::table::table;
use super::window;

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

/// `function(columns…)` over rows that are given column by column. Row n, from 0, has the time of n seconds after 1970.
pub fn evaluate_aggregate(
    function: Aggregate,
    settings: &[Value],
    columns: &[(Vec<Value>, Type)],
    result: &Type,
) -> Result<Value, NodeError> {
    let rows = columns.first().map_or(0, |(values, _)| values.len());
    let mut schema = ir::Schema { columns: vec![column("@time", Type::Time)], time: Some("@time".into()), clock_by: vec![] };
    let times: Vec<Value> = (0..rows as i64).map(|row| Value::Time(Time(row * Duration::SECOND.0))).collect();
    let mut arrays = vec![literal_array(&times, &data_type(&Type::Time))?];
    let mut args = Vec::new();
    for (nth, (values, ty)) in columns.iter().enumerate() {
        let column = column(&format!("arg{nth}"), ty.clone());
        args.push(Expr { kind: ExprKind::Column(column.name.clone()), ty: ty.clone(), nullable: true, span: Span::default() });
        schema.columns.push(column);
        arrays.push(literal_array(values, &data_type(ty))?);
    }
    let call = ir::AggregateCall { function, args, settings: settings.to_vec(), filter: None, ty: result.clone() };
    let value = window::of_constants(&call, &table(&node::schema(&schema), arrays, rows)?, &schema)?;
    Ok(value_at(&value, 0))
}

fn column(name: &str, ty: Type) -> ir::Column {
    ir::Column { name: name.into(), ty, nullable: true, span: Span::default() }
}

fn constant(value: &Value, ty: &Type) -> Expr {
    Expr { kind: ExprKind::Literal(value.clone()), ty: ty.clone(), nullable: *value == Value::Null, span: Span::default() }
}
