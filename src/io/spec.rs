//! What a source is, gathered from its three nodes, for readers of any format.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};

use crate::base::{Name, Span, nearest};
use crate::diag::Code;
use crate::ir::{self, Expr, ExprKind, Limits, Origin, SourceColumn, TimeSpec, Type};
use crate::node;
use crate::plan::{Decode, Gate};

use super::block::BLOCK_ROWS;
use super::error::IoError;
use super::expr;
use super::place::Mode;

/// Shared by everything that reads one source.
#[derive(Clone, Debug)]
pub(super) struct Spec {
    pub source: Name,
    pub mode: Mode,
    pub columns: Vec<SourceColumn>,
    pub time: TimeSpec,
    pub limits: Limits,
    /// The declared columns in Arrow.
    pub declared: SchemaRef,
    /// And with `@time` where there is one.
    pub whole: SchemaRef,
    /// Which column of `whole` holds the event time.
    pub time_at: Option<usize>,
    /// Rows were written by `keep`: they stand in the order of their arrival, and are read in it.
    pub kept: bool,
}

impl Spec {
    pub fn new(source: &Name, mode: Mode, decode: &Decode, gate: &Gate, schema: &ir::Schema) -> Result<Spec, IoError> {
        let columns = decode.columns.clone();
        let declared = Arc::new(Schema::new(columns.iter().map(|column| node::field(&column.column)).collect::<Vec<_>>()));
        let whole = node::schema(schema);
        let time_at = schema.time.as_ref().and_then(|name| whole.index_of(name).ok());
        let Gate { time, limits } = gate.clone();
        if let TimeSpec::Column { expr, .. } = &time {
            expr::check(expr)?;
        }
        Ok(Spec { source: source.clone(), mode, columns, time, limits, declared, whole, time_at, kept: false })
    }

    /// Records that are read and decoded at once: fewer where each holds many numbers.
    pub fn block_rows(&self) -> usize {
        let numbers = |column: &SourceColumn| match &column.column.ty {
            Type::Tensor(shape) => ir::tensor_numbers(shape).unwrap_or(1),
            Type::Signal(_) | Type::List(_) => SIGNAL_NUMBERS,
            Type::Bool
            | Type::Int
            | Type::Float(_)
            | Type::Text
            | Type::Time
            | Type::Duration
            | Type::Bytes
            | Type::Enum(_) => 1,
        };
        let all: usize = self.columns.iter().map(numbers).sum();
        (BLOCK_NUMBERS / all.max(1)).clamp(1, BLOCK_ROWS)
    }

    /// Rows of a recording are put in the order of their event time where one clock tells it.
    pub fn by_time(&self) -> bool {
        let one_clock = matches!(&self.time, TimeSpec::Column { by, .. } if by.is_empty());
        self.mode == Mode::Recorded && one_clock && !self.kept
    }

    /// The same source as `keep` writes it: every column under its own name, as it was after decode and gate.
    pub fn kept(&self) -> Spec {
        let plain = |column: &ir::Column| SourceColumn {
            column: column.clone(),
            origin: Origin::Field(column.name.clone()),
            sentinels: vec![],
            bounds: None,
        };
        let mut columns: Vec<SourceColumn> = self.columns.iter().map(|column| plain(&column.column)).collect();
        let mut time = self.time.clone();
        if self.whole.fields().len() > self.declared.fields().len() {
            let name = Name::from(self.whole.field(columns.len()).name().as_str());
            let hidden = ir::Column { name: name.clone(), ty: Type::Time, nullable: false, span: Span::default() };
            columns.push(plain(&hidden));
            let expr = Expr { kind: ExprKind::Column(name), ty: Type::Time, nullable: false, span: Span::default() };
            time = TimeSpec::Column { expr, by: vec![] };
        }
        Spec { columns, time, declared: self.whole.clone(), kept: true, ..self.clone() }
    }

    /// The same source with fewer columns: those from which its time is worked out.
    pub fn with_columns(&self, columns: Vec<SourceColumn>) -> Spec {
        let declared: Vec<_> = columns.iter().map(|column| node::field(&column.column)).collect();
        let mut whole = declared.clone();
        if self.whole.fields().len() > self.declared.fields().len() {
            whole.extend(self.whole.fields().last().map(|field| field.as_ref().clone()));
        }
        let whole = Arc::new(Schema::new(whole));
        let time_at = self.time_at.and_then(|at| whole.index_of(self.whole.field(at).name()).ok());
        Spec { columns, declared: Arc::new(Schema::new(declared)), whole, time_at, ..self.clone() }
    }

    /// The plain column that holds the event time.
    pub fn time_column(&self) -> Option<&Name> {
        match &self.time {
            TimeSpec::Column { expr, .. } => match &expr.kind {
                ExprKind::Column(name) => Some(name),
                _ => None,
            },
            TimeSpec::None | TimeSpec::Arrival | TimeSpec::Every { .. } => None,
        }
    }

    /// Files know no arrival, so a recording's arrival columns follow the event time, which then cannot follow them.
    pub fn check_arrival(&self) -> Result<(), IoError> {
        if self.mode == Mode::Live {
            return Ok(());
        }
        let arrives =
            |name: &Name| self.columns.iter().any(|column| column.column.name == *name && column.origin == Origin::Arrival);
        match &self.time {
            TimeSpec::Column { expr, .. } => match expr.columns().iter().find(|name| arrives(name)) {
                Some(name) => Err(no_arrival(&format!("the time is taken from `{name}`")).at(expr.span)),
                None => Ok(()),
            },
            TimeSpec::Arrival => Err(no_arrival(&format!("the time of `{}` is when its rows arrive", self.source))),
            TimeSpec::None | TimeSpec::Every { .. } => Ok(()),
        }
    }
}

fn no_arrival(what: &str) -> IoError {
    IoError::new(Code::E0717, format!("{what}, and a recording does not say when that was"))
        .help("take the time from a column that the recording has, or write `time every …`")
}

/// `there is no column "Temprature"`, with those that are there.
pub(super) fn no_column(column: &SourceColumn, wanted: &str, file: &str, there: &[String]) -> IoError {
    let known: Vec<&str> = there.iter().map(String::as_str).filter(|name| !name.is_empty()).collect();
    let message = format!("`{file}` has no column {wanted:?}, from which `{}` is read", column.column.name);
    let shown = known.iter().take(SHOWN_COLUMNS).map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    let more = if known.len() > SHOWN_COLUMNS { format!(" and {} more", known.len() - SHOWN_COLUMNS) } else { String::new() };
    let help = match nearest(wanted, known.iter().copied()).or_else(|| same_letters(wanted, &known)) {
        Some(name) => format!("write `from {name:?}`; the file has {shown}{more}"),
        None => format!("the file has {shown}{more}"),
    };
    IoError::new(Code::E0714, message).at(column.column.span).help(help)
}

/// Of a nullable column that a file does not have.
pub(super) fn absent(column: &SourceColumn, wanted: &str, file: &str, there: &[String]) -> String {
    let known: Vec<&str> = there.iter().map(String::as_str).collect();
    let meant = nearest(wanted, known.iter().copied()).or_else(|| same_letters(wanted, &known));
    let meant = meant.map(|name| format!("; is {name:?} meant?")).unwrap_or_default();
    format!("`{file}` has no column {wanted:?}, so `{}` is null there{meant}", column.column.name)
}

/// Numbers of one block, about.
const BLOCK_NUMBERS: usize = 8 * 1024 * 1024;

/// So many samples a signal is reckoned to have.
const SIGNAL_NUMBERS: usize = 16 * 1024;

/// Columns that a message lists at most.
const SHOWN_COLUMNS: usize = 24;

/// `temperature` for `Temperature [K]`.
fn same_letters<'a>(wanted: &str, known: &[&'a str]) -> Option<&'a str> {
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    let wanted = letters(wanted);
    let found = known.iter().find(|name| letters(name).starts_with(&wanted));
    found.copied().filter(|_| !wanted.is_empty())
}
