//! Small sources for the tests of this floor.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arrow::array::RecordBatch;

use crate::base::{Span, Time, Unit};
use crate::diag::Diagnostic;
use crate::ir::{
    Column, Connector, CsvOptions, Expr, ExprKind, FileConnector, FileFormat, Limits, Origin, Schema, SourceColumn, TimeSpec,
    Type,
};
use crate::node::Ordinal;
use crate::plan::{Connection, Decode, Gate};

use super::deliver::lines_of;
use super::{End, Intake, IoError, Mode, Now, Pending, Place, Position, Taken};

/// A column that reads the field of its own name.
pub(super) fn column(name: &str, ty: Type, nullable: bool) -> SourceColumn {
    let column = Column { name: name.into(), ty, nullable, span: Span::default() };
    SourceColumn { column, origin: Origin::Field(name.into()), sentinels: vec![], bounds: None }
}

pub(super) fn float() -> Type {
    Type::Float(Unit::one())
}

/// A source under test.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub connection: Connection,
    pub columns: Vec<SourceColumn>,
    pub time: TimeSpec,
    pub limits: Limits,
}

/// A clock that stands until it is moved.
#[derive(Clone, Debug, Default)]
pub(super) struct Hand(Arc<AtomicI64>);

impl Hand {
    pub fn set(&self, at: Time) {
        self.0.store(at.0, Ordering::Relaxed);
    }
}

impl Now for Hand {
    fn now(&self) -> Time {
        Time(self.0.load(Ordering::Relaxed))
    }
}

impl Source {
    /// A recording in files, without a time.
    pub fn file(path: &str, format: FileFormat, columns: Vec<SourceColumn>) -> Source {
        let connector = Connector::File(FileConnector { path: path.into(), format });
        Source::of(Some(connector), None, columns)
    }

    pub fn of(recorded: Option<Connector>, live: Option<Connector>, columns: Vec<SourceColumn>) -> Source {
        let connection = Connection { recorded, live, keep: None, columns: columns.clone() };
        Source { connection, columns, time: TimeSpec::None, limits: Limits::default() }
    }

    pub fn csv(path: &str, columns: Vec<SourceColumn>) -> Source {
        Source::file(path, FileFormat::Csv(CsvOptions::default()), columns)
    }

    pub fn time(mut self, column: &str) -> Source {
        let kind = ExprKind::Column(column.into());
        let expr = Expr { kind, ty: Type::Time, nullable: false, span: Span::default() };
        self.time = TimeSpec::Column { expr, by: vec![] };
        self
    }

    pub fn schema(&self) -> Schema {
        let mut columns: Vec<Column> = self.columns.iter().map(|column| column.column.clone()).collect();
        let time = match &self.time {
            TimeSpec::None => None,
            TimeSpec::Column { expr: Expr { kind: ExprKind::Column(name), .. }, .. } => Some(name.clone()),
            TimeSpec::Column { .. } | TimeSpec::Arrival | TimeSpec::Every { .. } => {
                columns.push(Column { name: "@time".into(), ty: Type::Time, nullable: false, span: Span::default() });
                Some("@time".into())
            }
        };
        Schema { columns, time, clock_by: vec![] }
    }

    pub fn open(&self, mode: Mode, place: &Place) -> Result<Intake, Diagnostic> {
        let (decode, gate) = (self.decode(), self.gate());
        Intake::open(&"room".into(), &self.connection, &decode, &gate, &self.schema(), place, End { mode, from: None })
    }

    /// Behind a position.
    pub fn open_from(&self, mode: Mode, place: &Place, from: &Position) -> Result<Intake, Diagnostic> {
        let (decode, gate) = (self.decode(), self.gate());
        Intake::open(&"room".into(), &self.connection, &decode, &gate, &self.schema(), place, End { mode, from: Some(from) })
    }

    pub fn decode(&self) -> Decode {
        Decode { columns: self.columns.clone() }
    }

    pub fn gate(&self) -> Gate {
        Gate { time: self.time.clone(), limits: self.limits.clone() }
    }

    /// Of a recording in this folder, with everything that it gives.
    pub fn read(&self, folder: &Path, batch: usize) -> All {
        let mut intake = self.open(Mode::Recorded, &Place::beside(folder)).unwrap_or_else(|error| panic!("{error:?}"));
        drain(&mut intake, batch)
    }

    /// The error of a recording that cannot be opened.
    pub fn refused(&self, folder: &Path) -> Diagnostic {
        self.open(Mode::Recorded, &Place::beside(folder)).map(|_| ()).expect_err("it must not open")
    }
}

/// What an intake gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct All {
    /// Rows as CSV lines without a header, hidden columns included.
    pub rows: Vec<String>,
    /// Reason and origin.
    pub bad: Vec<(String, String)>,
    pub batches: usize,
}

impl All {
    pub fn put(&mut self, taken: &Taken) {
        self.batches += 1;
        self.rows.extend(lines(&taken.batch.rows));
        self.bad.extend(taken.bad.iter().flat_map(bad));
    }
}

/// Until its end, or until it has nothing for now.
pub(super) fn drain(intake: &mut Intake, batch: usize) -> All {
    let mut all = All::default();
    take_some(intake, batch, usize::MAX, &mut all).unwrap();
    assert_balanced(intake);
    all
}

/// At most so many times.
pub(super) fn take_some(intake: &mut Intake, batch: usize, times: usize, all: &mut All) -> Result<(), IoError> {
    for _ in 0..times {
        if !matches!(intake.pending()?, Pending::Rows { .. }) {
            break;
        }
        let taken = intake.take(batch, None, Ordinal(7))?;
        assert!(taken.batch.len() <= batch, "{} rows were taken", taken.batch.len());
        all.put(&taken);
    }
    Ok(())
}

pub(super) fn assert_balanced(intake: &Intake) {
    let counts = intake.counts();
    for node in [&counts.connection, &counts.decode, &counts.gate] {
        assert!(node.balance(), "{node:?}");
    }
    assert_eq!(counts.connection.output, counts.decode.input);
    assert_eq!(counts.decode.output, counts.gate.input);
    assert_eq!(counts.gate.output, intake.rows());
}

pub(super) fn lines(rows: &RecordBatch) -> Vec<String> {
    let text = lines_of(rows);
    text.lines().map(str::to_owned).collect()
}

fn bad(rows: &RecordBatch) -> Vec<(String, String)> {
    use arrow::array::AsArray;
    let text = |nth: usize, row: usize| rows.column(nth).as_string::<i32>().value(row).to_owned();
    (0..rows.num_rows()).map(|row| (text(0, row), text(2, row))).collect()
}
