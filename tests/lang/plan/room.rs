//! The occupancy example of the language's page, as the checker gives it.

use mliot::base::{Duration, Span};
use mliot::ir::*;

use super::build::*;

pub fn ppm() -> Type {
    float("ppm")
}

pub fn declared() -> Vec<SourceColumn> {
    vec![
        field(column("at", Type::Time), "date"),
        field(column("temperature", float("degC")), "Temperature"),
        field(column("humidity", float("percent")), "Humidity"),
        field(column("light", float("lux")), "Light"),
        field(column("co2", ppm()), "CO2"),
        field(nullable("occupied", Type::Bool), "Occupancy"),
    ]
}

pub fn source() -> Source {
    let columns = declared();
    let csv = CsvOptions { index: true, ..CsvOptions::default() };
    let recording = FileConnector { path: "occupancy/datatraining.txt.gz".into(), format: FileFormat::Csv(csv) };
    Source {
        name: "room".into(),
        schema: schema(&columns.iter().map(|declared| declared.column.clone()).collect::<Vec<_>>()),
        columns,
        recorded: Some(Connector::File(recording)),
        live: Some(mqtt("rooms/lab/air")),
        keep: None,
        time: TimeSpec::Column { expr: read(&column("at", Type::Time)), by: vec![] },
        limits: Limits { lateness: Duration(60_000_000), idle: Some(Duration(30_000_000)), ahead: None },
        span: Span::default(),
    }
}

pub fn mqtt(topic: &str) -> Connector {
    let options = [("url", "mqtt://localhost:1883"), ("topic", topic)];
    Connector::Later {
        name: "mqtt".into(),
        options: options.map(|(name, value)| (name.into(), Value::Text(value.into()))).into(),
    }
}

pub fn keep_if_measured(least: f64) -> Stage {
    let above = compare(BinaryOp::Gt, read(&column("co2", ppm())), number(least, ppm()));
    stage(StageKind::Where, Op::Where { predicate: above }, &source().schema.columns)
}

pub fn rise(function: Running, settings: Vec<Value>) -> ScanEntry {
    let co2 = || read(&column("co2", ppm()));
    ScanEntry {
        name: "rise".into(),
        calls: vec![RunningCall { function, args: vec![co2()], settings, ty: ppm() }],
        value: minus(co2(), otherwise(slot(0, ppm()), co2())),
        span: Span::default(),
    }
}

pub fn scan(entry: ScanEntry) -> Stage {
    let mut columns = source().schema.columns;
    columns.push(column("rise", ppm()));
    stage(StageKind::Scan, Op::Scan { by: vec![], entries: vec![entry] }, &columns)
}

pub fn stuffy(fresh: f64) -> Entry {
    entry("stuffy", compare(BinaryOp::Gt, read(&column("co2", ppm())), param("fresh", fresh, ppm())))
}

pub fn air_columns() -> Vec<Column> {
    let mut columns = source().schema.columns;
    columns.extend([column("rise", ppm()), column("stuffy", Type::Bool)]);
    columns
}

pub fn set(entries: Vec<Entry>) -> Stage {
    let mut columns = air_columns();
    columns.retain(|column| column.name != "stuffy");
    columns.extend(entries.iter().map(|entry| column(&entry.name, entry.value.ty.clone())));
    stage(StageKind::Set, Op::Set { entries }, &columns)
}

pub fn air() -> Stream {
    stream("air", "room", vec![keep_if_measured(0.0), scan(rise(Running::Previous, vec![])), set(vec![stuffy(450.0)])])
}

pub fn task() -> Task {
    let features = ["temperature", "humidity", "light", "co2", "rise"];
    Task {
        name: "occupancy".into(),
        kind: TaskKind::Classify,
        target: Target { column: nullable("occupied", Type::Bool), value: None },
        from: from("air"),
        features: air_columns().into_iter().filter(|column| features.contains(&column.name.as_str())).collect(),
        hold_out: None,
        group: None,
        start: None,
        balance: false,
        weights: None,
        series: None,
        per: None,
        models: Models::Auto,
        history: None,
        policy: "frugal".into(),
        span: Span::default(),
    }
}

pub fn requirement(kind: MetricKind, bound: f64) -> Requirement {
    Requirement {
        metric: Metric { kind, class: None },
        op: BinaryOp::Le,
        bound,
        otherwise: Otherwise::Warn,
        text: format!("{} <= {bound}", kind.name()).into(),
        span: Span::default(),
    }
}

pub fn policy() -> Policy {
    Policy {
        name: "frugal".into(),
        choice: Choice {
            goal: Goal { maximize: true, metric: Metric { kind: MetricKind::Accuracy, class: None } },
            requirements: vec![requirement(MetricKind::LatencyP99, 0.002), requirement(MetricKind::Memory, 4_194_304.0)],
        },
        search: Search { trials: 40, time: Duration(30_000_000), cores: None },
        validate: Validate::Last(Share(0.2)),
        seed: 0,
        retrain: Some(Trigger::Any(vec![Trigger::Drift { detector: None }, Trigger::Every(Duration(604_800_000_000))])),
        promote: Some(Promote { better_by: 0.005, over: Some(Amount::Rows(500)), confidence: None }),
        rollback: None,
        overrides: vec![],
        span: Span::default(),
        places: Default::default(),
    }
}

pub fn now_columns() -> Vec<Column> {
    let mut columns = air_columns();
    columns.push(nullable("guess", Type::Bool));
    columns.push(nullable("guess_confidence", float("")));
    columns.push(nullable("guess_version", Type::Text));
    columns
}

pub fn now() -> Stream {
    let predict = PredictOp {
        task: "occupancy".into(),
        name: "guess".into(),
        features: task().features.iter().map(|column| column.name.clone()).collect(),
        probabilities: false,
        ahead: None,
        every: None,
    };
    stream("now", "air", vec![stage(StageKind::Predict, Op::Predict(predict), &now_columns())])
}

pub fn record() -> Sink {
    let wanted = ["at", "guess", "guess_confidence", "guess_version"];
    let columns: Vec<Column> = now_columns().into_iter().filter(|column| wanted.contains(&column.name.as_str())).collect();
    let entries = columns.iter().map(|column| entry(&column.name, read(column))).collect();
    Sink {
        name: "record".into(),
        input: from("now"),
        stages: vec![stage(StageKind::Select, Op::Project { entries }, &columns)],
        schema: schema(&columns),
        connector: jsonl("occupancy.jsonl"),
        span: Span::default(),
    }
}

pub fn serve() -> Serve {
    Serve {
        task: "occupancy".into(),
        accepts_features: false,
        connector: Connector::Http(HttpConnector { host: "127.0.0.1".into(), port: 8080, path: None }),
        span: Span::default(),
    }
}

pub fn room() -> Program {
    Program {
        sources: by_name([source()], |source| &source.name),
        streams: by_name([air(), now()], |stream| &stream.name),
        tasks: by_name([task()], |task| &task.name),
        policies: by_name([policy()], |policy| &policy.name),
        sinks: by_name([record()], |sink| &sink.name),
        serves: by_name([serve()], |serve| &serve.task),
        ..Program::default()
    }
}
