//! Where rows come from: columns and their origins, connectors, time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::{Duration, Name, Span, Time};

use super::{Column, Expr, Generator, Schema, Value};

/// A declared source.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    pub name: Name,
    /// As declared, in order.
    pub columns: Vec<SourceColumn>,
    pub recorded: Option<Connector>,
    pub live: Option<Connector>,
    /// What comes in live is appended here and is the recording of the next replay.
    pub keep: Option<Connector>,
    pub time: TimeSpec,
    pub limits: Limits,
    /// The declared columns, then the hidden `@time` where `time` is neither a plain column nor `none`.
    pub schema: Schema,
    #[serde(skip)]
    pub span: Span,
}

/// A declared column and how its values are found in the data.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SourceColumn {
    pub column: Column,
    pub origin: Origin,
    /// Values in the data that mean null.
    pub sentinels: Vec<Value>,
    /// Both ends included; a value outside makes the row bad.
    pub bounds: Option<(f64, f64)>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Origin {
    /// A header, a field of an object, a column of a table; also, without `from`, the column's own name. Under
    /// `header: false` columns that no pattern fills bind by position instead, which `sema` resolves.
    Field(Name),
    /// Counted from 1.
    Position(u32),
    /// A JSON path such as `$.acc[0]`.
    Path(Name),
    /// Filled from `{name}` in the connector's path or topic.
    Pattern(Name),
    /// The row's number in its recording, from 1.
    Row,
    /// When it arrived.
    Arrival,
}

/// How a row gets its event time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum TimeSpec {
    /// Row order is the only time.
    None,
    /// When it arrived (`live` alone, without `time`).
    Arrival,
    Every {
        every: Duration,
        from: Time,
    },
    /// A plain column, when `expr` is `ExprKind::Column`, or computed into the hidden column `@time`.
    Column {
        expr: Expr,
        by: Vec<Name>,
    },
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Limits {
    /// How much older than the newest row a row may be before windows refuse it.
    pub lateness: Duration,
    /// After this much silence the watermark goes on without the source.
    pub idle: Option<Duration>,
    /// Rows further ahead of now are bad.
    pub ahead: Option<Duration>,
}

/// The other end of a source or a sink.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Connector {
    File(FileConnector),
    Simulate(Simulate),
    Stdin {
        format: FileFormat,
    },
    Stdout {
        format: FileFormat,
    },
    /// `tail(…)`: files that grow by lines.
    Tail(TailConnector),
    Http(HttpConnector),
    /// `http("http://…")`: rows that are posted to somebody.
    Post(PostConnector),
    /// Known to the language, not carried out by this version: refused with `E0199` when it is needed.
    Later {
        name: Name,
        options: BTreeMap<Name, Value>,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FileConnector {
    /// Relative to the `.mliot` file; may hold globs (`*`, `**`, `?`) and patterns (`{column}`).
    pub path: Name,
    pub format: FileFormat,
}

/// Where rows are posted to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PostConnector {
    pub host: Name,
    pub port: u16,
    /// With its query.
    pub path: Name,
    /// Rows of one request at most.
    pub rows_max: u32,
    /// For one request, its answer included.
    pub timeout: Duration,
}

/// Files that are followed while lines are added to them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TailConnector {
    /// As of a [`FileConnector`]; files that fit it later are followed from their beginning.
    pub path: Name,
    /// `Csv` or `Jsonl`.
    pub format: FileFormat,
    pub from: TailFrom,
}

/// Where a file is taken up that is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum TailFrom {
    Start,
    End,
}

/// `http(port: …)`, on loopback where no `host` is given.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HttpConnector {
    pub host: Name,
    pub port: u16,
    /// Where a source takes its rows; none where a task is served.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<Name>,
}

/// How bytes become fields. Compression is told by the file's ending (`.gz`).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FileFormat {
    Csv(CsvOptions),
    /// One JSON object a line.
    Jsonl,
    /// One JSON array of objects, or one object.
    Json,
    Parquet,
    /// Arrow IPC, file or stream.
    Arrow,
    /// MessagePack values, one after the other.
    Msgpack,
    /// Sounds, one row a file.
    Wav,
    /// PNG and JPEG pictures, one row a file.
    Images,
    /// An array whose first dimension counts the rows, and beside it a file of labels.
    Idx {
        /// Its path, in which patterns of the data's path may stand.
        labels: Option<Name>,
    },
}

impl FileFormat {
    /// As the language calls it; the ending of its files, where they have one.
    pub fn word(&self) -> &'static str {
        match self {
            FileFormat::Csv(_) => "csv",
            FileFormat::Jsonl => "jsonl",
            FileFormat::Json => "json",
            FileFormat::Parquet => "parquet",
            FileFormat::Arrow => "arrow",
            FileFormat::Msgpack => "msgpack",
            FileFormat::Wav => "wav",
            FileFormat::Images => "images",
            FileFormat::Idx { .. } => "idx",
        }
    }

    /// Does a file of it grow record by record, without an end?
    pub fn grows(&self) -> bool {
        match self {
            FileFormat::Csv(_) | FileFormat::Jsonl => true,
            FileFormat::Json
            | FileFormat::Parquet
            | FileFormat::Arrow
            | FileFormat::Msgpack
            | FileFormat::Wav
            | FileFormat::Images
            | FileFormat::Idx { .. } => false,
        }
    }

    /// Is a file of it text, record by record?
    pub fn is_text(&self) -> bool {
        self.grows() || *self == FileFormat::Json
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CsvOptions {
    pub header: bool,
    /// A field of blanks of any length counts as one separator if `None` (`separator: whitespace`).
    pub separator: Option<char>,
    /// Rows have one field more than the header: a running number in front, which is ignored.
    pub index: bool,
    pub decimal: char,
    pub quote: char,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self { header: true, separator: Some(','), index: false, decimal: '.', quote: '"' }
    }
}

/// A seeded generator of rows, for tutorials, tests and load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Simulate {
    /// So many rows per so much time, spread evenly, for each key.
    pub rows: u64,
    pub per: Duration,
    /// The key column and its values.
    pub by: Option<(Name, Vec<Value>)>,
    pub seed: u64,
    /// How much virtual time a recording covers, and where it begins.
    pub span: Option<Duration>,
    /// Declared source columns by name, in the order in which they are computed; later ones may use earlier ones.
    pub columns: Vec<GeneratedColumn>,
    pub faults: Vec<Fault>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GeneratedColumn {
    pub name: Name,
    /// Referred to by [`ExprKind::Slot`](super::ExprKind::Slot) in `value`.
    pub calls: Vec<GeneratorCall>,
    /// Over these slots and earlier columns, and the key column.
    pub value: Expr,
}

/// `step(every, values)`, `walk(range, step)`, `sine(period, range)`, `noise(sd)`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GeneratorCall {
    pub function: Generator,
    /// `Step`: how long one value holds. `Sine`: its period.
    pub every: Option<Duration>,
    /// `Step`: the values in turn.
    pub values: Vec<Value>,
    /// `Walk`, `Sine`: lowest and highest.
    pub range: Option<(f64, f64)>,
    /// `Walk`: largest step. `Noise`: standard deviation.
    pub size: Option<f64>,
}

/// What goes wrong in the field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Fault {
    /// From `after` the start on, `add` is added and `times` multiplied.
    Drift {
        column: Name,
        add: f64,
        times: f64,
        after: Duration,
    },
    Late {
        share: f64,
        by: Duration,
    },
    Drop {
        share: f64,
    },
    Duplicate {
        share: f64,
    },
    Spike {
        column: Name,
        times: f64,
        share: f64,
    },
    Gap {
        length: Duration,
        every: Duration,
    },
    /// The column's value arrives this much later than its row; null until then.
    Delay {
        column: Name,
        by: Duration,
    },
}

/// A number of rows or a span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Amount {
    Rows(u64),
    Time(Duration),
}
