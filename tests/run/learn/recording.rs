//! Recordings of `MLIOT_DATA` as a task node would collect them, and the tasks over them.

use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, RecordBatch, UInt64Array};
use arrow::datatypes::{Field, Schema};
use mliot::base::Duration;
use mliot::ir::{
    Candidate, Choice, Choices, Column, Dimension, Goal, Metric, MetricKind, Models, Outlet, Policy, Read as Input, Search,
    Share, Target, Task, TaskKind, Type, Validate, Value,
};

/// Where the recordings are; says that a test is skipped where nobody has told.
pub fn data() -> Option<PathBuf> {
    let folder = std::env::var_os("MLIOT_DATA").map(PathBuf::from);
    if folder.is_none() {
        eprintln!("skipped: MLIOT_DATA names no folder of recordings");
    }
    folder
}

/// The rows of a gzipped CSV file with a header, as texts.
pub fn read_csv(path: PathBuf) -> Vec<Vec<String>> {
    read(path, true)
}

/// Of one without a header.
pub fn read_plain(path: PathBuf) -> Vec<Vec<String>> {
    read(path, false)
}

fn read(path: PathBuf, has_header: bool) -> Vec<Vec<String>> {
    let mut text = String::new();
    let file = std::fs::File::open(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    flate2::read::GzDecoder::new(file).read_to_string(&mut text).unwrap();
    let mut reader = csv::ReaderBuilder::new().flexible(true).has_headers(has_header).from_reader(text.as_bytes());
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

pub fn numbers(rows: &[Vec<String>], at: usize) -> ArrayRef {
    Arc::new(rows.iter().map(|row| row[at].trim().parse::<f64>().ok()).collect::<Float64Array>())
}

pub fn trues(rows: &[Vec<String>], at: usize) -> ArrayRef {
    Arc::new(rows.iter().map(|row| Some(row[at].trim() == "1")).collect::<BooleanArray>())
}

/// `columns` behind `@ordinal`.
pub fn table(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let rows = columns[0].1.len();
    let ordinals: ArrayRef = Arc::new(UInt64Array::from_iter_values(0..rows as u64));
    let columns: Vec<(&str, ArrayRef)> = std::iter::once(("@ordinal", ordinals)).chain(columns).collect();
    let field = |(name, array): &(&str, ArrayRef)| Field::new(*name, array.data_type().clone(), true);
    let fields: Vec<Field> = columns.iter().map(field).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.into_iter().map(|(_, array)| array).collect()).unwrap()
}

pub fn column(name: &str, ty: Type) -> Column {
    Column { name: name.into(), ty, nullable: true, span: Default::default() }
}

pub fn task(name: &str, kind: TaskKind, target: Column, features: Vec<Column>, families: &[&str]) -> Task {
    let candidate = |family: &&str| Candidate {
        family: (*family).into(),
        settings: Default::default(),
        network: None,
        span: Default::default(),
    };
    Task {
        name: name.into(),
        kind,
        target: Target { column: target, value: None },
        from: Input { from: "rows".into(), outlet: Outlet::Rows },
        features,
        hold_out: None,
        group: None,
        start: None,
        balance: false,
        weights: None,
        series: None,
        per: None,
        models: if families.is_empty() { Models::Auto } else { Models::Listed(families.iter().map(candidate).collect()) },
        history: None,
        policy: "policy".into(),
        span: Default::default(),
    }
}

/// The task with one setting of a listed family fixed.
pub fn with(mut task: Task, family: &str, setting: &str, value: i64) -> Task {
    let Models::Listed(candidates) = &mut task.models else { panic!("its families are listed") };
    let candidate = candidates.iter_mut().find(|candidate| candidate.family == *family).unwrap();
    candidate.settings.insert(setting.into(), Choices::One(Dimension::Fixed(Value::Int(value))));
    task
}

pub fn policy(maximize: bool, metric: MetricKind, trials: u32) -> Policy {
    Policy {
        name: "policy".into(),
        choice: Choice { goal: Goal { maximize, metric: Metric { kind: metric, class: None } }, requirements: Vec::new() },
        search: Search { trials, time: Duration::from_seconds(600.0), cores: None },
        validate: Validate::Last(Share(0.2)),
        seed: 7,
        retrain: None,
        promote: None,
        rollback: None,
        overrides: Vec::new(),
        span: Default::default(),
        places: Default::default(),
    }
}

/// The room of LANGUAGE.md section 1 with its five sensors.
pub fn occupancy(file: &str) -> Option<RecordBatch> {
    let rows = read_csv(data()?.join("occupancy").join(file));
    let sensors = ["temperature", "humidity", "light", "co2", "humidity_ratio"];
    // The first field is a row number without a name in the header.
    let mut columns: Vec<(&str, ArrayRef)> =
        sensors.iter().enumerate().map(|(at, name)| (*name, numbers(&rows, at + 2))).collect();
    columns.push(("@target", trues(&rows, 7)));
    Some(table(columns))
}

pub fn occupancy_task(families: &[&str]) -> Task {
    let sensors = ["temperature", "humidity", "light", "co2", "humidity_ratio"];
    let features = sensors.iter().map(|name| column(name, Type::NUMBER())).collect();
    task("occupancy", TaskKind::Classify, column("occupied", Type::Bool), features, families)
}
