//! Short ways to write typed expressions, stages and specs.

use std::collections::BTreeMap;

use mliot::base::{Hash, Span};
use mliot::ir::{self, BinaryOp, Column, Entry, Expr, ExprKind, Op, Schema, StageKind, Type, Value};
use mliot::plan::{Hashes, Label, NodeKey, NodeOp, NodeSpec, Slot};

pub fn float() -> Type {
    Type::NUMBER()
}

pub fn expr(kind: ExprKind, ty: Type) -> Expr {
    Expr { kind, ty, nullable: true, span: Span::default() }
}

pub fn column(name: &str, ty: Type) -> Expr {
    expr(ExprKind::Column(name.into()), ty)
}

pub fn slot(nth: usize, ty: Type) -> Expr {
    expr(ExprKind::Slot(nth), ty)
}

pub fn literal(value: Value, ty: Type) -> Expr {
    expr(ExprKind::Literal(value), ty)
}

pub fn binary(op: BinaryOp, left: Expr, right: Expr, ty: Type) -> Expr {
    expr(ExprKind::Binary(op, Box::new(left), Box::new(right)), ty)
}

/// `name > 0`.
pub fn positive(name: &str) -> Expr {
    binary(BinaryOp::Gt, column(name, float()), literal(Value::Float(0.0), float()), Type::Bool)
}

pub fn entry(name: &str, value: Expr) -> Entry {
    Entry { name: name.into(), value, span: Span::default() }
}

pub fn field(name: &str, ty: Type) -> Column {
    Column { name: name.into(), ty, nullable: true, span: Span::default() }
}

/// `input` with these columns more.
pub fn with(input: &Schema, more: &[(&str, Type)]) -> Schema {
    let mut schema = input.clone();
    schema.columns.extend(more.iter().map(|(name, ty)| field(name, ty.clone())));
    schema
}

pub fn stage(kind: StageKind, op: Op, schema: Schema) -> NodeSpec {
    spec(Slot::Stage { kind, label: Label::Nth(0) }, NodeOp::Stage(Box::new(op)), schema)
}

pub fn spec(slot: Slot, op: NodeOp, schema: Schema) -> NodeSpec {
    NodeSpec {
        key: NodeKey::of_file(&"air".into(), slot),
        op,
        inputs: vec![],
        schema,
        on_change: ir::OnChange::Backfill,
        hashes: Hashes { state: Hash::of("state"), ..Hashes::default() },
        entries: BTreeMap::new(),
    }
}
