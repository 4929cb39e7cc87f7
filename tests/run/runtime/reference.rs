//! Nodes that act row by row on plain values.

use std::collections::BTreeMap;

use mliot::base::{Duration, Hash, Name, Time};
use mliot::diag::Code;
use mliot::ir::{self, BinaryOp, Expr, ExprKind, Op, Outlet, Schema, Value, WindowShape};
use mliot::node::{
    Assignment, Batch, Clock, Migration, Node, NodeError, Ordinal, Ordinals, Out, Port, Predicts, Retune, State,
};
use mliot::plan::{NodeOp, NodeSpec};
use mliot::runtime::{Row, from_table, to_table};

/// The reference node of a spec. A value above `breaks` makes a `where` fail.
pub fn build(spec: &NodeSpec, inputs: &[Schema]) -> Result<Box<dyn Node>, NodeError> {
    let spec = spec.clone();
    match &spec.op {
        NodeOp::Task(_) => Ok(Box::new(Collect { spec, rows: vec![] })),
        NodeOp::Stage(op) => match &**op {
            Op::Where { .. } | Op::Set { .. } | Op::Project { .. } => Ok(Box::new(Simple { spec })),
            Op::Union { .. } => Ok(Box::new(Union { spec, inputs: inputs.len() })),
            Op::Scan { .. } => Ok(Box::new(Scan { spec, sums: BTreeMap::new() })),
            Op::Window(_) => Ok(Box::new(Window { spec, open: BTreeMap::new(), late: inputs[0].clone() })),
            Op::Predict(_) => Ok(Box::new(Predict { spec, models: Assignment::default() })),
            Op::Fill { .. } | Op::Unnest { .. } | Op::Keep(_) | Op::Join(_) | Op::Rank(_) | Op::Resample(_) => {
                Err(broken("not used here"))
            }
        },
        _ => Err(broken("no stage")),
    }
}

fn broken(why: &str) -> NodeError {
    NodeError::new(Code::R0001, why)
}

/// As plain as three-valued logic gets.
pub fn evaluate(expr: &Expr, row: &Row, slots: &[Value]) -> Value {
    match &expr.kind {
        ExprKind::Literal(value) | ExprKind::Param(_, value) => value.clone(),
        ExprKind::Column(name) => row.get(name).cloned().unwrap_or(Value::Null),
        ExprKind::Slot(nth) => slots[*nth].clone(),
        ExprKind::Binary(op, left, right) => {
            let (left, right) = (evaluate(left, row, slots), evaluate(right, row, slots));
            let (Some(left), Some(right)) = (left.as_f64(), right.as_f64()) else { return Value::Null };
            match op {
                BinaryOp::Gt => Value::Bool(left > right),
                BinaryOp::Mul => Value::Float(left * right),
                BinaryOp::Add => Value::Float(left + right),
                other => panic!("{other:?} is not used here"),
            }
        }
        other => panic!("{other:?} is not used here"),
    }
}

fn op(spec: &NodeSpec) -> &Op {
    match &spec.op {
        NodeOp::Stage(op) => op,
        other => panic!("{other:?} is no stage"),
    }
}

/// The rows of a batch with their ordinals.
fn rows(batch: &Batch) -> Vec<(Ordinal, Row)> {
    let ordinals = batch.ordinals.to_column(batch.len());
    ordinals.iter().map(|at| Ordinal(*at)).zip(from_table(&batch.rows)).collect()
}

fn table(schema: &Schema, rows: Vec<(Ordinal, Row)>, upto: Ordinal, clock: Clock) -> Result<Batch, NodeError> {
    let (ordinals, rows): (Vec<u64>, Vec<Row>) = rows.into_iter().map(|(at, row)| (at.0, row)).unzip();
    Ok(Batch { rows: to_table(schema, &rows)?, ordinals: Ordinals::Column(ordinals.into()), upto, clock })
}

/// Every row on its own.
struct Simple {
    spec: NodeSpec,
}

/// Above this a `where` fails, as a calculation may.
pub const BREAKS: f64 = 1e9;

impl Node for Simple {
    fn batch(&mut self, _: Port, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        let mut kept = Vec::new();
        let (all, upto, clock) = (batch.len(), batch.upto, batch.clock.clone());
        for (at, mut row) in rows(&batch) {
            let keeps = match op(&self.spec) {
                Op::Where { predicate } => {
                    if row.get("v").and_then(Value::as_f64).is_some_and(|v| v > BREAKS) {
                        return Err(broken("the value is out of all bounds"));
                    }
                    evaluate(predicate, &row, &[]) == Value::Bool(true)
                }
                Op::Set { entries } | Op::Project { entries } => {
                    for entry in entries {
                        row.insert(entry.name.clone(), evaluate(&entry.value, &row, &[]));
                    }
                    true
                }
                _ => true,
            };
            if keeps {
                kept.push((at, row));
            }
        }
        out.passed(kept.len());
        out.dropped("where", all - kept.len());
        out.send(table(&self.spec.schema, kept, upto, clock)?);
        Ok(())
    }

    fn end(&mut self, _: Ordinal, _: &mut Out) -> Result<(), NodeError> {
        Ok(())
    }

    fn save(&mut self) -> Result<State, NodeError> {
        Ok(State::empty(1, self.spec.hashes.state))
    }

    fn load(&mut self, _: State) -> Result<(), NodeError> {
        Ok(())
    }

    fn retune(&mut self) -> Option<&mut dyn Retune> {
        Some(self)
    }
}

/// A `where` above this bound cannot be retuned to: a fault at the last moment.
pub const REFUSED: f64 = 777.0;

fn refuse(spec: &NodeSpec) -> Result<(), NodeError> {
    match op(spec) {
        Op::Where { predicate }
            if predicate.parts().iter().any(|part| part.kind == ExprKind::Literal(Value::Float(REFUSED))) =>
        {
            Err(broken("this bound is refused at the last moment"))
        }
        _ => Ok(()),
    }
}

impl Retune for Simple {
    fn to(&mut self, spec: &NodeSpec) -> Result<(), NodeError> {
        refuse(spec)?;
        self.spec = spec.clone();
        Ok(())
    }
}

/// A real node that refuses like a reference node.
pub struct Refusing(pub Box<dyn Node>);

impl Node for Refusing {
    fn batch(&mut self, port: Port, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        self.0.batch(port, batch, out)
    }

    fn end(&mut self, at: Ordinal, out: &mut Out) -> Result<(), NodeError> {
        self.0.end(at, out)
    }

    fn save(&mut self) -> Result<State, NodeError> {
        self.0.save()
    }

    fn load(&mut self, state: State) -> Result<(), NodeError> {
        self.0.load(state)
    }

    fn migrate(&mut self, migration: Migration) -> Result<(), NodeError> {
        self.0.migrate(migration)
    }

    fn retune(&mut self) -> Option<&mut dyn Retune> {
        self.0.retune().is_some().then_some(self as &mut dyn Retune)
    }

    fn predicts(&mut self) -> Option<&mut dyn Predicts> {
        self.0.predicts()
    }
}

impl Retune for Refusing {
    fn to(&mut self, spec: &NodeSpec) -> Result<(), NodeError> {
        refuse(spec)?;
        self.0.retune().ok_or_else(|| broken("it was asked before"))?.to(spec)
    }
}

struct Union {
    spec: NodeSpec,
    inputs: usize,
}

impl Node for Union {
    fn batch(&mut self, port: Port, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        assert!(port < self.inputs, "it was built for fewer inputs");
        let (upto, clock) = (batch.upto, batch.clock.clone());
        out.passed(batch.len());
        out.send(table(&self.spec.schema, rows(&batch), upto, clock)?);
        Ok(())
    }

    fn end(&mut self, _: Ordinal, _: &mut Out) -> Result<(), NodeError> {
        Ok(())
    }

    fn save(&mut self) -> Result<State, NodeError> {
        Ok(State::empty(1, self.spec.hashes.state))
    }

    fn load(&mut self, _: State) -> Result<(), NodeError> {
        Ok(())
    }
}

/// A running sum per key, with the newest time seen for it: older rows pass with null.
struct Scan {
    spec: NodeSpec,
    sums: BTreeMap<String, (Time, f64)>,
}

fn state_of(hash: Hash, rows: &[Row], schema: &Schema) -> Result<State, NodeError> {
    let mut state = State::empty(1, hash);
    state.tables.insert("state".into(), to_table(schema, rows)?);
    Ok(state)
}

fn rows_of(state: &State, hash: Hash) -> Result<Vec<Row>, NodeError> {
    if state.hash != hash {
        return Err(NodeError::new(Code::R0002, "shaped by another definition"));
    }
    Ok(from_table(&state.tables["state"]))
}

fn text(row: &Row, column: &str) -> String {
    match row.get(column) {
        Some(Value::Text(text)) => text.to_string(),
        _ => String::new(),
    }
}

fn state_schema(numbers: &[&str]) -> Schema {
    let key = super::program::column("key", ir::Type::Text);
    let numbers = numbers.iter().map(|name| super::program::column(name, super::program::float()));
    Schema { columns: std::iter::once(key).chain(numbers).collect(), time: None, clock_by: vec![] }
}

impl Node for Scan {
    fn batch(&mut self, _: Port, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        let Op::Scan { by: _, entries } = op(&self.spec) else { panic!("a scan") };
        let (upto, clock) = (batch.upto, batch.clock.clone());
        let mut all = rows(&batch);
        for (_, row) in &mut all {
            let Some(Value::Time(at)) = row.get("at").cloned() else { return Err(broken("no time")) };
            let (newest, sum) = self.sums.entry(text(row, "key")).or_insert((at, 0.0));
            if at >= *newest {
                *newest = at;
                *sum += evaluate(&entries[0].calls[0].args[0], row, &[]).as_f64().unwrap_or(0.0);
                row.insert(entries[0].name.clone(), Value::Float(*sum));
            }
        }
        out.passed(all.len());
        out.send(table(&self.spec.schema, all, upto, clock)?);
        Ok(())
    }

    fn end(&mut self, _: Ordinal, _: &mut Out) -> Result<(), NodeError> {
        Ok(())
    }

    fn save(&mut self) -> Result<State, NodeError> {
        let row = |(key, (newest, sum)): (&String, &(Time, f64))| {
            Row::from([
                ("key".into(), Value::Text(key.as_str().into())),
                ("newest".into(), Value::Float(newest.0 as f64)),
                ("sum".into(), Value::Float(*sum)),
            ])
        };
        let rows: Vec<Row> = self.sums.iter().map(row).collect();
        state_of(self.spec.hashes.state, &rows, &state_schema(&["newest", "sum"]))
    }

    fn load(&mut self, state: State) -> Result<(), NodeError> {
        let rows = rows_of(&state, self.spec.hashes.state)?;
        let number = |row: &Row, name: &str| row.get(name).and_then(Value::as_f64).unwrap_or(0.0);
        let sum = |row: &Row| (Time(number(row, "newest") as i64), number(row, "sum"));
        self.sums = rows.iter().map(|row| (text(row, "key"), sum(row))).collect();
        Ok(())
    }
}

/// Count and sum per pane and key, fired in order of (end, key).
struct Window {
    spec: NodeSpec,
    open: BTreeMap<(i64, String), (i64, f64)>,
    late: Schema,
}

impl Window {
    fn size(&self) -> Duration {
        let Op::Window(window) = op(&self.spec) else { panic!("a window") };
        let WindowShape::Time { size, .. } = window.shape else { panic!("a time window") };
        size
    }

    fn fire(&mut self, upto_end: Time, at: impl Fn(Time) -> Ordinal, fired: &mut Vec<(Ordinal, Row)>) {
        let size = self.size();
        while let Some(((end, key), (count, total))) = self.open.first_key_value().map(|(key, value)| (key.clone(), *value)) {
            if Time(end) > upto_end {
                break;
            }
            self.open.pop_first();
            let row = Row::from([
                ("key".into(), Value::Text(key.as_str().into())),
                ("n".into(), Value::Int(count)),
                ("total".into(), Value::Float(total)),
                ("window_start".into(), Value::Time(Time(end) - size)),
                ("window_end".into(), Value::Time(Time(end))),
            ]);
            fired.push((at(Time(end)), row));
        }
    }
}

impl Node for Window {
    fn batch(&mut self, _: Port, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        let size = self.size();
        let (mut fired, mut late) = (Vec::new(), Vec::new());
        let upto = batch.upto;
        let fires_at = |end: Time| batch.clock.passes(end, upto).unwrap_or(upto);
        for (at, row) in rows(&batch) {
            let Some(Value::Time(time)) = row.get("at").cloned() else { return Err(broken("no time")) };
            let end = Time((time.0.div_euclid(size.0) + 1) * size.0);
            self.fire(batch.clock.before(at), fires_at, &mut fired);
            if end <= batch.clock.before(at) {
                late.push((at, row));
                continue;
            }
            let pane = self.open.entry((end.0, text(&row, "key"))).or_default();
            pane.0 += 1;
            pane.1 += row.get("v").and_then(Value::as_f64).unwrap_or(0.0);
            out.absorbed(1);
        }
        self.fire(batch.clock.after(), fires_at, &mut fired);
        out.dropped("late", late.len());
        out.send_aside(Outlet::Late, table(&self.late, late, upto, batch.clock.clone())?);
        out.send(table(&self.spec.schema, fired, upto, batch.clock)?);
        Ok(())
    }

    fn end(&mut self, at: Ordinal, out: &mut Out) -> Result<(), NodeError> {
        let mut fired = Vec::new();
        self.fire(Time::MAX, |_| at, &mut fired);
        out.send(table(&self.spec.schema, fired, at, Clock::still(Time::MAX))?);
        Ok(())
    }

    fn save(&mut self) -> Result<State, NodeError> {
        let row = |((end, key), (count, total)): (&(i64, String), &(i64, f64))| {
            Row::from([
                ("key".into(), Value::Text(key.as_str().into())),
                ("end".into(), Value::Float(*end as f64)),
                ("count".into(), Value::Float(*count as f64)),
                ("total".into(), Value::Float(*total)),
            ])
        };
        let rows: Vec<Row> = self.open.iter().map(row).collect();
        state_of(self.spec.hashes.state, &rows, &state_schema(&["end", "count", "total"]))
    }

    fn load(&mut self, state: State) -> Result<(), NodeError> {
        let number = |row: &Row, name: &str| row.get(name).and_then(Value::as_f64).unwrap_or(0.0);
        let rows = rows_of(&state, self.spec.hashes.state)?;
        let pane =
            |row: &Row| ((number(row, "end") as i64, text(row, "key")), (number(row, "count") as i64, number(row, "total")));
        self.open = rows.iter().map(pane).collect();
        Ok(())
    }
}

struct Predict {
    spec: NodeSpec,
    models: Assignment,
}

impl Node for Predict {
    fn batch(&mut self, _: Port, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        let (upto, clock) = (batch.upto, batch.clock.clone());
        let mut all = rows(&batch);
        for (at, row) in &mut all {
            let version = self.models.at(*at).map(|model| Value::Text(model.version().into()));
            row.insert("guess".into(), Value::Null);
            row.insert("guess_version".into(), version.unwrap_or(Value::Null));
        }
        out.passed(all.len());
        out.send(table(&self.spec.schema, all, upto, clock)?);
        Ok(())
    }

    fn end(&mut self, _: Ordinal, _: &mut Out) -> Result<(), NodeError> {
        Ok(())
    }

    fn save(&mut self) -> Result<State, NodeError> {
        Ok(State::empty(1, self.spec.hashes.state))
    }

    fn load(&mut self, _: State) -> Result<(), NodeError> {
        Ok(())
    }

    fn predicts(&mut self) -> Option<&mut dyn Predicts> {
        Some(self)
    }
}

impl Predicts for Predict {
    fn assign(&mut self, models: Assignment) {
        self.models = models;
    }
}

/// What a task learns from.
struct Collect {
    spec: NodeSpec,
    rows: Vec<Row>,
}

impl Node for Collect {
    fn batch(&mut self, _: Port, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        out.absorbed(batch.len());
        self.rows.extend(from_table(&batch.rows));
        Ok(())
    }

    fn end(&mut self, _: Ordinal, _: &mut Out) -> Result<(), NodeError> {
        Ok(())
    }

    fn save(&mut self) -> Result<State, NodeError> {
        let mut state = State::empty(1, self.spec.hashes.state);
        state.tables.insert(Name::from("history"), to_table(&self.spec.schema, &self.rows)?);
        Ok(state)
    }

    fn load(&mut self, state: State) -> Result<(), NodeError> {
        self.rows = from_table(&state.tables["history"]);
        Ok(())
    }
}
