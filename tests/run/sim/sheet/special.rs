//! Stages that only cases of the second family have: what shapes rows, brings columns of other rows, or waits with rows.

use std::fmt::{self, Display, Formatter};

use super::{Columns, Folded, Kind, Num, OnChange, Quarters};
use crate::sim::write::{block, keys, list};

/// What its stage does, and what it says about state that cannot be kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Special {
    pub what: What,
    /// Stands behind those that remember something.
    pub on_change: OnChange,
}

#[derive(Clone, Debug, PartialEq)]
pub enum What {
    Fill {
        column: String,
        value: Num,
    },
    /// A column of lists.
    Unnest(String),
    Limit(i64),
    /// Percent.
    Sample(i64),
    Dedupe {
        by: Vec<String>,
        within_s: i64,
    },
    Throttle {
        rows: i64,
        per_s: i64,
        by: Vec<String>,
    },
    Asof(Partner),
    Join(Partner),
    Lookup {
        required: bool,
        area: String,
    },
    Summarize {
        by: Vec<String>,
        every_s: i64,
        entries: Vec<Folded>,
    },
    Top {
        rows: i64,
        of: Num,
        within_s: i64,
    },
    Use(Transform),
}

/// The other stream of a join.
#[derive(Clone, Debug, PartialEq)]
pub struct Partner {
    pub with: String,
    pub on: Vec<String>,
    /// Seconds; an interval join has always some.
    pub within_s: Option<i64>,
    pub take: Vec<Brought>,
    pub required: bool,
}

/// A column of the other stream under a name of its own.
#[derive(Clone, Debug, PartialEq)]
pub struct Brought {
    pub name: String,
    pub from: String,
    pub kind: Kind,
}

/// `transform t(s) = s | where v > bound | scan by key { name = cumulative(sum(v)) * factor }`, used once in a stream. Every
/// use carries it, and all uses of one name are the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Transform {
    pub name: String,
    pub bound: Quarters,
    pub column: String,
    pub factor: Quarters,
}

impl Special {
    pub fn columns(&self, mut columns: Columns) -> Columns {
        match &self.what {
            What::Fill { .. }
            | What::Limit(_)
            | What::Sample(_)
            | What::Dedupe { .. }
            | What::Throttle { .. }
            | What::Top { .. } => columns,
            What::Unnest(list) => {
                columns.iter_mut().filter(|(name, _)| name == list).for_each(|(_, kind)| *kind = Kind::Exact);
                columns
            }
            What::Asof(partner) | What::Join(partner) => {
                columns.extend(partner.take.iter().map(|brought| (brought.name.clone(), brought.kind)));
                columns
            }
            What::Lookup { area, .. } => {
                columns.push((area.clone(), Kind::Exact));
                columns
            }
            What::Summarize { by, entries, .. } => {
                let key = |name: &String| columns.iter().find(|(column, _)| column == name).cloned();
                let keys: Columns = by.iter().filter_map(key).collect();
                let made = entries.iter().map(|entry| (entry.name.clone(), entry.function.kind()));
                keys.into_iter().chain(made).chain([("window_end".to_owned(), Kind::Time)]).collect()
            }
            What::Use(transform) => {
                columns.push((transform.column.clone(), Kind::Exact));
                columns
            }
        }
    }

    pub fn partner(&self) -> Option<&Partner> {
        match &self.what {
            What::Asof(partner) | What::Join(partner) => Some(partner),
            _ => None,
        }
    }

    pub fn partner_mut(&mut self) -> Option<&mut Partner> {
        match &mut self.what {
            What::Asof(partner) | What::Join(partner) => Some(partner),
            _ => None,
        }
    }

    pub fn remembers(&self) -> bool {
        !matches!(self.what, What::Fill { .. } | What::Unnest(_) | What::Lookup { .. } | What::Use(_))
    }
}

impl Display for Special {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Fill { column, value } => write!(f, "fill {{ {column} = {value} }}")?,
            What::Unnest(list) => write!(f, "unnest {list}")?,
            What::Limit(rows) => write!(f, "limit {rows}")?,
            What::Sample(percent) => write!(f, "sample {percent}%")?,
            What::Dedupe { by, within_s } => write!(f, "dedupe{} within {within_s}s", keys(by))?,
            What::Throttle { rows, per_s, by } => write!(f, "throttle {rows} per {per_s}s{}", keys(by))?,
            What::Asof(partner) => write!(f, "asof {partner}")?,
            What::Join(partner) => write!(f, "join {partner}")?,
            What::Lookup { required, area } => {
                write!(f, "lookup places on key take [{area} = area]{}", if *required { " required" } else { "" })?;
            }
            What::Summarize { by, every_s, entries } => write!(f, "summarize{} every {every_s}s{}", keys(by), block(entries))?,
            What::Top { rows, of, within_s } => write!(f, "top {rows} by {of} within {within_s}s")?,
            What::Use(transform) => write!(f, "{}()", transform.name)?,
        }
        if self.remembers() { write!(f, "{}", self.on_change) } else { Ok(()) }
    }
}

impl Display for Partner {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Partner { with, on, within_s, take, required } = self;
        let within = within_s.map(|within| format!(" within {within}s")).unwrap_or_default();
        let take: Vec<String> = take.iter().map(|brought| format!("{} = {}", brought.name, brought.from)).collect();
        let required = if *required { " required" } else { "" };
        write!(f, "{with} on {}{within} take [{}]{required}", list(on), take.join(", "))
    }
}

impl Display for Transform {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Transform { name, bound, column, factor } = self;
        let (bound, factor) = (Num::Quarters(*bound), Num::Quarters(*factor));
        writeln!(f, "transform {name}(s) = s")?;
        writeln!(f, "  | where (v else 0.0) > {bound}")?;
        writeln!(f, "  | scan by key {{ {column} = cumulative(sum(v)) * {factor} }}")
    }
}

/// What stands in the table `places`: by key, the area in quarters. Each version has rows that others lack.
pub fn places(version: u8) -> Vec<(char, Quarters)> {
    let rows = ['a', 'b', 'c'].into_iter().zip(1..);
    rows.filter(|(_, nth)| (*nth + i64::from(version)) % 4 != 0).map(|(key, nth)| (key, 4 * nth + i64::from(version))).collect()
}

/// The version of a table by the name of its file.
pub fn version_of(path: &str) -> Option<u8> {
    path.rsplit('/').next()?.strip_prefix("places-")?.strip_suffix(".csv")?.parse().ok()
}
