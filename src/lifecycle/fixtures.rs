//! Small tasks, policies and tables for tests.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, TimestampMicrosecondArray, UInt64Array};
use arrow::datatypes::{Field, Schema};

use crate::base::Duration;
use crate::ir::{
    Candidate, Choice, Choices, Column, Goal, Metric, MetricKind, Models, Outlet, Policy, Read, Search, Share, Target, Task,
    TaskKind, Type, Validate,
};

pub fn column(name: &str, ty: Type) -> Column {
    Column { name: name.into(), ty, nullable: true, span: Default::default() }
}

/// Classifies `y` by `a` and `b`.
pub fn task() -> Task {
    Task {
        name: "t".into(),
        kind: TaskKind::Classify,
        target: Target { column: column("y", Type::Bool), value: None },
        from: Read { from: "s".into(), outlet: Outlet::Rows },
        series: None,
        features: vec![column("a", Type::NUMBER()), column("b", Type::NUMBER())],
        hold_out: None,
        group: None,
        start: None,
        balance: false,
        weights: None,
        per: None,
        models: Models::Auto,
        history: None,
        policy: "p".into(),
        span: Default::default(),
    }
}

pub fn policy() -> Policy {
    let accuracy = Metric { kind: MetricKind::Accuracy, class: None };
    Policy {
        name: "p".into(),
        choice: Choice { goal: Goal { maximize: true, metric: accuracy }, requirements: Vec::new() },
        search: Search { trials: 6, time: Duration::from_seconds(60.0), cores: None },
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

pub fn candidate(family: &str, settings: Vec<(&str, Choices)>) -> Candidate {
    let settings = settings.into_iter().map(|(name, choices)| (name.into(), choices)).collect();
    Candidate { family: family.into(), settings, network: None, span: Default::default() }
}

/// Columns of a table under construction.
pub struct Rows {
    pub labels: Vec<Option<bool>>,
    pub ordinals: Vec<u64>,
    pub times: Option<Vec<i64>>,
    pub groups: Option<Vec<i64>>,
    pub hold_out: Option<Vec<bool>>,
    pub start: Option<Vec<bool>>,
}

impl Rows {
    /// Labels alternate.
    pub fn of(rows: usize) -> Rows {
        Rows {
            labels: (0..rows).map(|row| Some(row % 2 == 1)).collect(),
            ordinals: (0..rows as u64).collect(),
            times: None,
            groups: None,
            hold_out: None,
            start: None,
        }
    }

    /// `a` says the label, with a little noise; `b` says nothing.
    pub fn table(&self) -> RecordBatch {
        let noise = |row: usize, scale: f64| ((row * 7919 % 101) as f64 / 50.0 - 1.0) * scale;
        let a = self.labels.iter().enumerate().map(|(row, label)| f64::from(label.unwrap_or(false)) + noise(row, 0.8));
        let b = (0..self.labels.len()).map(|row| noise(row + 3, 1.0));
        let mut columns: Vec<(&str, ArrayRef)> = vec![
            ("@ordinal", Arc::new(UInt64Array::from(self.ordinals.clone()))),
            ("a", Arc::new(a.collect::<Float64Array>())),
            ("b", Arc::new(b.collect::<Float64Array>())),
            ("@target", Arc::new(BooleanArray::from(self.labels.clone()))),
        ];
        if let Some(times) = &self.times {
            columns.push(("@time", Arc::new(TimestampMicrosecondArray::from(times.clone()).with_timezone("UTC"))));
        }
        if let Some(groups) = &self.groups {
            columns.push(("@group", Arc::new(Int64Array::from(groups.clone()))));
        }
        if let Some(hold_out) = &self.hold_out {
            columns.push(("@hold_out", Arc::new(BooleanArray::from(hold_out.clone()))));
        }
        if let Some(start) = &self.start {
            columns.push(("@start", Arc::new(BooleanArray::from(start.clone()))));
        }
        let field = |(name, array): &(&str, ArrayRef)| Field::new(*name, array.data_type().clone(), true);
        let fields: Vec<Field> = columns.iter().map(field).collect();
        let arrays = columns.into_iter().map(|(_, array)| array).collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).expect("columns are equally long")
    }
}
