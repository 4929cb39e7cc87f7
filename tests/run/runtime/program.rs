//! Small programs, written in Rust and lowered like any other.

use std::collections::BTreeMap;

use mliot::base::{Duration, Name, Span, Unit};
use mliot::ir::*;
use mliot::plan::{Graph, lower};

pub fn float() -> Type {
    Type::Float(Unit::one())
}

pub fn column(name: &str, ty: Type) -> Column {
    Column { name: name.into(), ty, nullable: true, span: Span::default() }
}

pub fn expr(kind: ExprKind, ty: Type) -> Expr {
    Expr { kind, ty, nullable: true, span: Span::default() }
}

pub fn read(name: &str) -> Expr {
    expr(ExprKind::Column(name.into()), float())
}

pub fn number(value: f64) -> Expr {
    expr(ExprKind::Literal(Value::Float(value)), float())
}

pub fn above(name: &str, bound: f64) -> Expr {
    expr(ExprKind::Binary(BinaryOp::Gt, read(name).into(), number(bound).into()), Type::Bool)
}

pub fn times(name: &str, factor: f64) -> Expr {
    expr(ExprKind::Binary(BinaryOp::Mul, read(name).into(), number(factor).into()), float())
}

pub fn from(name: &str) -> Read {
    Read { from: name.into(), outlet: Outlet::Rows }
}

/// Stages in a row, each knowing the columns before it.
#[derive(Clone)]
pub struct Pipe {
    pub stages: Vec<Stage>,
    columns: Vec<Column>,
}

impl Pipe {
    /// Begins with the columns of every source here: `at`, `key`, `v`.
    pub fn new() -> Pipe {
        let columns = vec![column("at", Type::Time), column("key", Type::Text), column("v", float())];
        Pipe { stages: vec![], columns }
    }

    /// Begins with the columns of a window.
    pub fn windowed() -> Pipe {
        Pipe { stages: vec![], ..Pipe::new().window(1, "v") }
    }

    pub fn columns(&self) -> Schema {
        Schema { columns: self.columns.clone(), time: Some("at".into()), clock_by: vec![] }
    }

    fn stage(mut self, kind: StageKind, op: Op) -> Pipe {
        let has = |name: &&str| self.columns.iter().any(|column| column.name == *name);
        let time = ["at", "window_end", "@time"].into_iter().find(has).expect("rows have a time");
        let schema = Schema { columns: self.columns.clone(), time: Some(time.into()), clock_by: vec![] };
        let span = Span::default();
        self.stages.push(Stage { kind, op, id: None, within: vec![], on_change: OnChange::Backfill, schema, span });
        self
    }

    pub fn filter(self, predicate: Expr) -> Pipe {
        self.stage(StageKind::Where, Op::Where { predicate })
    }

    pub fn set(mut self, name: &str, value: Expr) -> Pipe {
        self.columns.push(column(name, float()));
        self.stage(StageKind::Set, Op::Set { entries: vec![Entry { name: name.into(), value, span: Span::default() }] })
    }

    /// A running sum per key.
    pub fn sum(mut self, name: &str, of: &str) -> Pipe {
        self.columns.push(column(name, float()));
        let call = RunningCall { function: Running::CumulativeSum, args: vec![read(of)], settings: vec![], ty: float() };
        let value = expr(ExprKind::Slot(0), float());
        let entry = ScanEntry { name: name.into(), calls: vec![call], value, span: Span::default() };
        self.stage(StageKind::Scan, Op::Scan { by: vec!["key".into()], entries: vec![entry] })
    }

    /// A tumbling window of this many seconds: count and sum per key.
    pub fn window(self, seconds: i64, of: &str) -> Pipe {
        self.hop(seconds, seconds, of)
    }

    /// The same every so many seconds.
    pub fn hop(self, seconds: i64, every: i64, of: &str) -> Pipe {
        let (size, every) = (Duration(seconds * 1_000_000), Duration(every * 1_000_000));
        let time = vec![column("window_start", Type::Time), column("window_end", Type::Time)];
        self.fold(WindowShape::Time { size, every }, time, of)
    }

    /// The same of so many rows, every so many rows.
    pub fn rows(self, size: u64, every: u64, of: &str) -> Pipe {
        self.fold(WindowShape::Rows { size, every }, vec![column("@time", Type::Time)], of)
    }

    fn fold(mut self, shape: WindowShape, time: Vec<Column>, of: &str) -> Pipe {
        let entry = |name: &str, function, args: Vec<Expr>, ty: Type| AggregateEntry {
            name: name.into(),
            calls: vec![AggregateCall { function, args, settings: vec![], filter: None, ty: ty.clone() }],
            value: expr(ExprKind::Slot(0), ty),
            span: Span::default(),
        };
        let entries =
            vec![entry("n", Aggregate::Count, vec![], Type::Int), entry("total", Aggregate::Sum, vec![read(of)], float())];
        self.columns = vec![column("key", Type::Text), column("n", Type::Int), column("total", float())];
        self.columns.extend(time);
        let op = WindowOp { shape, partial: false, by: vec!["key".into()], entries };
        self.stage(StageKind::Window, Op::Window(op))
    }

    pub fn union(self, with: &[&str]) -> Pipe {
        self.stage(StageKind::Union, Op::Union { with: with.iter().map(|name| from(name)).collect() })
    }

    pub fn predict(mut self, task: &str) -> Pipe {
        self.columns.push(column("guess", float()));
        self.columns.push(column("guess_version", Type::Text));
        let op = PredictOp {
            task: task.into(),
            name: "guess".into(),
            features: vec!["v".into()],
            probabilities: false,
            ahead: None,
            every: None,
        };
        self.stage(StageKind::Predict, Op::Predict(op))
    }

    pub fn on_change(mut self, on_change: OnChange) -> Pipe {
        if let Some(stage) = self.stages.last_mut() {
            stage.on_change = on_change;
        }
        self
    }
}

/// A whole file.
#[derive(Clone, Default)]
pub struct File(pub Program);

impl File {
    pub fn source(mut self, name: &str, lateness_s: i64) -> File {
        let columns = [column("at", Type::Time), column("key", Type::Text), column("v", float())];
        let columns = columns.map(|column| SourceColumn {
            origin: Origin::Field(column.name.clone()),
            column,
            sentinels: vec![],
            bounds: None,
        });
        let source = Source {
            name: name.into(),
            columns: columns.into(),
            recorded: Some(file(&format!("{name}.jsonl"))),
            live: None,
            keep: None,
            time: TimeSpec::Column { expr: expr(ExprKind::Column("at".into()), Type::Time), by: vec![] },
            limits: Limits { lateness: Duration(lateness_s * 1_000_000), idle: None, ahead: None },
            schema: Pipe::new().columns(),
            span: Span::default(),
        };
        self.0.sources.insert(name.into(), source);
        self
    }

    pub fn live(mut self, name: &str) -> File {
        let source = self.0.sources.get_mut(name).expect("a source of this file");
        source.live = Some(Connector::Stdin { format: FileFormat::Jsonl });
        self
    }

    /// Its recording is another file.
    pub fn elsewhere(mut self, name: &str) -> File {
        self.0.sources.get_mut(name).expect("a source of this file").recorded = Some(file(&format!("other-{name}.jsonl")));
        self
    }

    pub fn stream(mut self, name: &str, input: &str, pipe: Pipe) -> File {
        let schema = pipe.stages.last().map_or_else(|| pipe.columns(), |stage| stage.schema.clone());
        let Pipe { stages, columns: _ } = pipe;
        let stream = Stream { name: name.into(), was: None, input: from(input), stages, schema, span: Span::default() };
        self.0.streams.insert(name.into(), stream);
        self
    }

    pub fn renamed(mut self, from: &str, to: &str) -> File {
        let mut stream = self.0.streams.remove(from).expect("a stream of this file");
        (stream.name, stream.was) = (to.into(), Some(from.into()));
        self.0.streams.insert(to.into(), stream);
        self.0.sinks.values_mut().filter(|sink| sink.input.from == *from).for_each(|sink| sink.input.from = to.into());
        self
    }

    pub fn sink(mut self, name: &str, input: &str) -> File {
        let schema = self.0.streams.get(input).map_or_else(|| Pipe::new().columns(), |stream| stream.schema.clone());
        let connector = file(&format!("{name}.jsonl"));
        let (input, span) = (from(input), Span::default());
        self.0.sinks.insert(name.into(), Sink { name: name.into(), input, stages: vec![], schema, connector, span });
        self
    }

    pub fn task(mut self, name: &str, stream: &str, features: &[&str]) -> File {
        let task = Task {
            name: name.into(),
            kind: TaskKind::Regress,
            target: Target { column: column("v", float()), value: None },
            from: from(stream),
            features: features.iter().map(|feature| column(feature, float())).collect(),
            hold_out: None,
            group: None,
            start: None,
            balance: false,
            weights: None,
            series: None,
            per: None,
            models: Models::Auto,
            history: None,
            policy: "plain".into(),
            span: Span::default(),
        };
        self.0.tasks.insert(name.into(), task);
        self.0.policies.insert("plain".into(), plain_policy());
        self
    }

    pub fn graph(&self) -> Graph {
        lower(&self.0)
    }
}

fn plain_policy() -> Policy {
    let metric = Metric { kind: MetricKind::Mae, class: None };
    Policy {
        name: "plain".into(),
        choice: Choice { goal: Goal { maximize: false, metric }, requirements: vec![] },
        search: Search { trials: 1, time: Duration::SECOND, cores: None },
        validate: Validate::Last(Share(0.2)),
        seed: 1,
        retrain: None,
        promote: None,
        rollback: None,
        overrides: vec![],
        span: Span::default(),
        places: Default::default(),
    }
}

fn file(path: &str) -> Connector {
    Connector::File(FileConnector { path: path.into(), format: FileFormat::Jsonl })
}

/// A row of every source here: seconds, key, value.
pub fn row(at: f64, key: &str, v: f64) -> BTreeMap<Name, Value> {
    let at = Value::Time(mliot::base::Time((at * 1e6) as i64));
    [("at".into(), at), ("key".into(), Value::Text(key.into())), ("v".into(), Value::Float(v))].into()
}
