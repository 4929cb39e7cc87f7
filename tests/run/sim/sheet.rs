//! A file as the simulator thinks of it: few words, but those that make a graph interesting. It is written out as text, and
//! the real compiler reads that.

mod special;

pub use special::{Brought, Partner, Special, Transform, What, places, version_of};

/// What a column can be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Time,
    Text,
    Int,
    Bool,
    /// Whole quarters: sums of these are exact in any order.
    Exact,
    /// Numbers that are rounded; only compared and passed on.
    Rough,
    /// What a task learns; no feature may be made of it.
    Target,
    /// Lists of whole quarters.
    List,
}

/// Numbers in text are whole quarters.
pub type Quarters = i64;

#[derive(Clone, Debug, PartialEq)]
pub struct Sheet {
    /// `param limit`.
    pub limit: Quarters,
    pub sources: Vec<Source>,
    pub streams: Vec<Stream>,
    pub sinks: Vec<Sink>,
    /// The stream that `task level` learns from, and its features.
    pub task: Option<Task>,
    /// Which version of its file `table places` reads.
    pub places: u8,
    /// Of the second family: stages of every kind.
    pub many: bool,
    /// Comments and blank lines, which change nothing.
    pub remarks: u32,
    /// For names that were never used before.
    pub serial: u32,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    pub name: String,
    /// Which of its files it reads.
    pub path: u8,
    pub lateness_s: i64,
    pub idle_s: Option<i64>,
    /// The field that its column `v` comes from.
    pub field: char,
    /// Does it declare the column `c` too?
    pub wide: bool,
    /// Does it declare the column `l` of lists?
    pub lists: bool,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    pub from: String,
    pub features: Vec<String>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Stream {
    pub name: String,
    /// `(was old)`.
    pub was: Option<String>,
    pub input: String,
    pub stages: Vec<Stage>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Sink {
    pub name: String,
    pub input: String,
    pub outlet: Outlet,
    pub bound: Option<Test>,
    /// Which of its files it writes.
    pub path: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outlet {
    Rows,
    Late,
    Bad,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    Where(Test),
    Set {
        name: String,
        value: Num,
    },
    /// Only what every source has.
    Narrow,
    Drop(String),
    Scan {
        id: Option<u32>,
        by: Vec<String>,
        entries: Vec<Scanned>,
        on_change: OnChange,
    },
    Window {
        id: Option<u32>,
        shape: Shape,
        by: Vec<String>,
        entries: Vec<Folded>,
        on_change: OnChange,
    },
    Union(Vec<String>),
    Predict,
    Special(Special),
}

/// What a stage says about state that cannot be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnChange {
    /// Nothing, which is `backfill`.
    Unsaid,
    Empty,
    Reject,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Seconds: how long, and how often.
    Time {
        size: i64,
        every: i64,
    },
    Rows {
        size: i64,
        every: i64,
        partial: bool,
    },
    /// Seconds.
    Session {
        gap: i64,
    },
}

#[derive(Clone, Debug, PartialEq)]
pub struct Scanned {
    pub name: String,
    pub of: Num,
    pub function: Running,
    /// What it is multiplied by afterwards.
    pub factor: Option<Quarters>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Running {
    Previous,
    Lag(i64),
    Sum,
    Count,
    Max,
    Changed,
    /// Seconds.
    Ewma(i64),
    Hysteresis(Quarters, Quarters),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Folded {
    pub name: String,
    pub of: Num,
    pub function: Fold,
    pub only: Option<Test>,
    pub factor: Option<Quarters>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fold {
    Count,
    Sum,
    Mean,
    Min,
    Max,
    First,
    Last,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Num {
    Column(String),
    Quarters(Quarters),
    Limit,
    Times(Box<Num>, Quarters),
    Plus(Box<Num>, Box<Num>),
    Minus(Box<Num>, Box<Num>),
    /// Where the first is null.
    Else(Box<Num>, Quarters),
    If(Box<Test>, Box<Num>, Box<Num>),
}

#[derive(Clone, Debug, PartialEq)]
pub enum Test {
    Above(Num, Num),
    AtMost(Num, Num),
    Null(String),
    Known(String),
    Key(char),
    Both(Box<Test>, Box<Test>),
    Either(Box<Test>, Box<Test>),
    Not(Box<Test>),
}

/// The columns that every source has.
pub const NARROW: [(&str, Kind); 6] =
    [("at", Kind::Time), ("id", Kind::Int), ("key", Kind::Text), ("g", Kind::Int), ("v", Kind::Exact), ("y", Kind::Target)];

pub type Columns = Vec<(String, Kind)>;

impl Sheet {
    pub fn fresh(&mut self, letter: &str) -> String {
        self.serial += 1;
        format!("{letter}{}", self.serial)
    }

    /// What comes out of a source or stream; empty for a name that nobody declares.
    pub fn columns(&self, name: &str) -> Columns {
        self.columns_within(name, self.streams.len() + 1)
    }

    fn columns_within(&self, name: &str, depth: usize) -> Columns {
        if let Some(source) = self.sources.iter().find(|source| source.name == name) {
            return source.columns();
        }
        let Some(stream) = self.streams.iter().find(|stream| stream.name == name).filter(|_| depth > 0) else { return vec![] };
        stream.stages.iter().fold(self.columns_within(&stream.input, depth - 1), |columns, stage| stage.columns(columns))
    }

    /// What reaches the stage at this place of a stream.
    pub fn reaching(&self, stream: usize, stage: usize) -> Columns {
        let stream = &self.streams[stream];
        stream.stages[..stage].iter().fold(self.columns(&stream.input), |columns, stage| stage.columns(columns))
    }

    /// Everything that rows can be read from.
    pub fn readable(&self) -> Vec<String> {
        let sources = self.sources.iter().map(|source| source.name.clone());
        sources.chain(self.streams.iter().map(|stream| stream.name.clone())).collect()
    }
}

impl Source {
    pub fn columns(&self) -> Columns {
        let wide = self.wide.then(|| ("c".to_owned(), Kind::Exact));
        let lists = self.lists.then(|| ("l".to_owned(), Kind::List));
        narrow().into_iter().chain(wide).chain(lists).collect()
    }
}

pub fn narrow() -> Columns {
    NARROW.iter().map(|(name, kind)| ((*name).to_owned(), *kind)).collect()
}

pub fn of_kind(columns: &Columns, wanted: &[Kind]) -> Vec<String> {
    columns.iter().filter(|(_, kind)| wanted.contains(kind)).map(|(name, _)| name.clone()).collect()
}

impl Stage {
    pub fn columns(&self, mut columns: Columns) -> Columns {
        match self {
            Stage::Where(_) | Stage::Union(_) => columns,
            Stage::Set { name, .. } => {
                columns.push((name.clone(), Kind::Exact));
                columns
            }
            Stage::Narrow => narrow(),
            Stage::Drop(name) => {
                columns.retain(|(column, _)| column != name);
                columns
            }
            Stage::Scan { entries, .. } => {
                columns.extend(entries.iter().map(|entry| (entry.name.clone(), entry.function.kind())));
                columns
            }
            Stage::Window { shape, by, entries, .. } => windowed(&columns, *shape, by, entries),
            Stage::Predict => {
                columns.push(("guess".into(), Kind::Rough));
                columns.push(("guess_version".into(), Kind::Text));
                columns
            }
            Stage::Special(special) => special.columns(columns),
        }
    }

    pub fn remembers(&self) -> bool {
        matches!(self, Stage::Scan { .. } | Stage::Window { .. })
    }

    /// Other streams that it reads.
    pub fn others(&self) -> &[String] {
        match self {
            Stage::Union(with) => with,
            Stage::Special(special) => special.partner().map_or(&[], |partner| std::slice::from_ref(&partner.with)),
            _ => &[],
        }
    }

    pub fn others_mut(&mut self) -> &mut [String] {
        match self {
            Stage::Union(with) => with,
            Stage::Special(special) => special.partner_mut().map_or(&mut [], |partner| std::slice::from_mut(&mut partner.with)),
            _ => &mut [],
        }
    }
}

fn windowed(before: &Columns, shape: Shape, by: &[String], entries: &[Folded]) -> Columns {
    let key = |name: &String| before.iter().find(|(column, _)| column == name).cloned();
    let mut columns: Columns = by.iter().filter_map(key).collect();
    columns.extend(entries.iter().map(|entry| (entry.name.clone(), entry.function.kind())));
    if !matches!(shape, Shape::Rows { .. }) {
        columns.extend(["window_start", "window_end"].map(|name| (name.to_owned(), Kind::Time)));
    }
    columns
}

impl Running {
    pub fn kind(self) -> Kind {
        match self {
            Running::Previous | Running::Lag(_) | Running::Sum | Running::Max => Kind::Exact,
            Running::Count => Kind::Int,
            Running::Changed | Running::Hysteresis(..) => Kind::Bool,
            Running::Ewma(_) => Kind::Rough,
        }
    }
}

impl Fold {
    pub fn kind(self) -> Kind {
        match self {
            Fold::Count => Kind::Int,
            Fold::Mean => Kind::Rough,
            Fold::Sum | Fold::Min | Fold::Max | Fold::First | Fold::Last => Kind::Exact,
        }
    }
}
