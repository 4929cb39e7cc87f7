//! Short ways to write typed programs in Rust.

use mliot::base::{Name, Span, Unit};
use mliot::ir::*;

pub fn float(unit: &str) -> Type {
    Type::Float(if unit.is_empty() { Unit::one() } else { Unit::base(unit.into()) })
}

pub fn column(name: &str, ty: Type) -> Column {
    Column { name: name.into(), ty, nullable: false, span: Span::default() }
}

pub fn nullable(name: &str, ty: Type) -> Column {
    Column { nullable: true, ..column(name, ty) }
}

pub fn field(column: Column, origin: &str) -> SourceColumn {
    SourceColumn { column, origin: Origin::Field(origin.into()), sentinels: vec![], bounds: None }
}

pub fn expr(kind: ExprKind, ty: Type) -> Expr {
    Expr { kind, ty, nullable: false, span: Span::default() }
}

pub fn read(column: &Column) -> Expr {
    Expr { nullable: column.nullable, ..expr(ExprKind::Column(column.name.clone()), column.ty.clone()) }
}

pub fn number(value: f64, ty: Type) -> Expr {
    expr(ExprKind::Literal(Value::Float(value)), ty)
}

pub fn param(name: &str, value: f64, ty: Type) -> Expr {
    expr(ExprKind::Param(name.into(), Value::Float(value)), ty)
}

pub fn slot(nth: usize, ty: Type) -> Expr {
    Expr { nullable: true, ..expr(ExprKind::Slot(nth), ty) }
}

pub fn compare(op: BinaryOp, left: Expr, right: Expr) -> Expr {
    let nullable = left.nullable || right.nullable;
    Expr { nullable, ..expr(ExprKind::Binary(op, left.into(), right.into()), Type::Bool) }
}

pub fn minus(left: Expr, right: Expr) -> Expr {
    let ty = left.ty.clone();
    expr(ExprKind::Binary(BinaryOp::Sub, left.into(), right.into()), ty)
}

pub fn otherwise(left: Expr, right: Expr) -> Expr {
    let ty = left.ty.clone();
    expr(ExprKind::Coalesce(left.into(), right.into()), ty)
}

pub fn entry(name: &str, value: Expr) -> Entry {
    Entry { name: name.into(), value, span: Span::default() }
}

pub fn from(name: &str) -> Read {
    Read { from: name.into(), outlet: Outlet::Rows }
}

pub fn schema(columns: &[Column]) -> Schema {
    Schema { columns: columns.to_vec(), time: Some("at".into()), clock_by: vec![] }
}

pub fn stage(kind: StageKind, op: Op, columns: &[Column]) -> Stage {
    Stage { kind, op, id: None, within: vec![], on_change: OnChange::Backfill, schema: schema(columns), span: Span::default() }
}

pub fn stream(name: &str, input: &str, stages: Vec<Stage>) -> Stream {
    let schema = stages.last().map(|stage| stage.schema.clone()).unwrap_or_default();
    Stream { name: name.into(), was: None, input: from(input), stages, schema, span: Span::default() }
}

pub fn by_name<T>(all: impl IntoIterator<Item = T>, name: impl Fn(&T) -> &Name) -> std::collections::BTreeMap<Name, T> {
    all.into_iter().map(|one| (name(&one).clone(), one)).collect()
}

pub fn jsonl(path: &str) -> Connector {
    Connector::File(FileConnector { path: path.into(), format: FileFormat::Jsonl })
}
