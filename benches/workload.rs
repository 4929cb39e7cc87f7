//! Rows in memory of a hundred devices, and the nodes of the workload: a filter, and a mean per device and second.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use mliot::base::{Duration, Span, Time};
use mliot::ir::{
    Aggregate, AggregateCall, AggregateEntry, BinaryOp, Column, Expr, ExprKind, OnChange, Op, Schema, StageKind, Type, Value,
    WindowOp, WindowShape,
};
use mliot::node::{self, Batch, Clock, Node, Ordinal, Ordinals};
use mliot::ops;
use mliot::plan::{Hashes, Label, NodeKey, NodeOp, NodeSpec, Slot};

pub const DEVICES: usize = 100;
const ROWS_PER_SECOND: i64 = 10_000;
const LATENESS: Duration = Duration(500_000);
/// Rows with less pass the filter.
pub const LIMIT: f64 = 50.0;

pub struct Rows {
    times: Vec<i64>,
    values: Vec<f64>,
    devices: StringArray,
}

impl Rows {
    pub fn make(count: usize) -> Rows {
        let names: Vec<String> = (0..DEVICES).map(|nth| format!("device-{nth:03}")).collect();
        // A multiplicative walk: every device comes up, in no order that a cache could guess.
        let device = |row: usize| (row.wrapping_mul(7_919) >> 3) % DEVICES;
        Rows {
            times: (0..count as i64).map(|row| row * 1_000_000 / ROWS_PER_SECOND).collect(),
            values: (0..count).map(|row| ((row.wrapping_mul(2_654_435_761) >> 7) % 5_500) as f64 / 100.0).collect(),
            devices: (0..count).map(|row| Some(names[device(row)].as_str())).collect(),
        }
    }

    /// In record batches of `size` rows.
    pub fn table(&self, size: usize) -> Vec<RecordBatch> {
        let slice = |from: usize| {
            let count = size.min(self.times.len() - from);
            let at = TimestampMicrosecondArray::from(self.times[from..from + count].to_vec()).with_timezone("UTC");
            let v = Float64Array::from(self.values[from..from + count].to_vec());
            let columns: Vec<ArrayRef> = vec![Arc::new(at), Arc::new(self.devices.slice(from, count)), Arc::new(v)];
            RecordBatch::try_new(node::schema(&schema()), columns).expect("the columns are of the schema")
        };
        (0..self.times.len()).step_by(size).map(slice).collect()
    }

    /// With the ordinals and the clock that a gate gives them.
    pub fn batches(&self, size: usize) -> Vec<Batch> {
        let mut from = 0;
        let batch = |rows: RecordBatch| {
            let time = &self.times[from..from + rows.num_rows()];
            let before = if from == 0 { Time::MIN } else { Time(self.times[from - 1]) - LATENESS };
            let after = Time(time[time.len() - 1]) - LATENESS;
            let base = Ordinal(from as u64);
            from += rows.num_rows();
            let clock = Clock::Gate { base, before, after, lateness: LATENESS, time: time.to_vec().into() };
            Batch { ordinals: Ordinals::Range(base), upto: base.plus(rows.num_rows()), rows, clock }
        };
        self.table(size).into_iter().map(batch).collect()
    }
}

fn schema() -> Schema {
    let column = |name: &str, ty| Column { name: name.into(), ty, nullable: false, span: Span::default() };
    let columns = vec![column("at", Type::Time), column("device", Type::Text), column("v", Type::NUMBER())];
    Schema { columns, time: Some("at".into()), clock_by: vec![] }
}

fn expr(kind: ExprKind, ty: Type) -> Expr {
    Expr { kind, ty, nullable: false, span: Span::default() }
}

fn v() -> Expr {
    expr(ExprKind::Column("v".into()), Type::NUMBER())
}

pub fn filter() -> Box<dyn Node> {
    let limit = expr(ExprKind::Literal(Value::Float(LIMIT)), Type::NUMBER());
    let predicate = expr(ExprKind::Binary(BinaryOp::Lt, Box::new(v()), Box::new(limit)), Type::Bool);
    node_of(StageKind::Where, Op::Where { predicate }, schema())
}

pub fn window() -> Box<dyn Node> {
    let call = AggregateCall { function: Aggregate::Mean, args: vec![v()], settings: vec![], filter: None, ty: Type::NUMBER() };
    let value = expr(ExprKind::Slot(0), Type::NUMBER());
    let entry = AggregateEntry { name: "mean".into(), calls: vec![call], value, span: Span::default() };
    let column = |name: &str, ty| Column { name: name.into(), ty, nullable: true, span: Span::default() };
    let columns = vec![
        column("device", Type::Text),
        column("mean", Type::NUMBER()),
        column("window_start", Type::Time),
        column("window_end", Type::Time),
    ];
    let shape = WindowShape::Time { size: Duration::SECOND, every: Duration::SECOND };
    let window = Op::Window(WindowOp { shape, partial: false, by: vec!["device".into()], entries: vec![entry] });
    node_of(StageKind::Window, window, Schema { columns, time: Some("window_end".into()), clock_by: vec![] })
}

fn node_of(kind: StageKind, op: Op, schema_out: Schema) -> Box<dyn Node> {
    let spec = NodeSpec {
        key: NodeKey::of_file(&"bench".into(), Slot::Stage { kind, label: Label::Nth(0) }),
        op: NodeOp::Stage(Box::new(op)),
        inputs: vec![],
        schema: schema_out,
        on_change: OnChange::Backfill,
        hashes: Hashes::default(),
        entries: BTreeMap::new(),
    };
    ops::build(&spec, &[schema()]).expect("the workload is well formed")
}
