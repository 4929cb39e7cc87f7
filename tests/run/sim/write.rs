//! A sheet as the text of a `.mliot` file.

use std::fmt::{self, Display, Formatter};

use super::sheet::*;

impl Display for Sheet {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for nth in 0..self.remarks {
            writeln!(f, "# Remark {nth}, which changes nothing.\n")?;
        }
        writeln!(f, "param limit: float = {}\n", number(self.limit))?;
        self.sources.iter().try_for_each(|source| writeln!(f, "{source}"))?;
        self.reads_places().then(|| self.table(f)).transpose()?;
        self.transforms().iter().try_for_each(|transform| writeln!(f, "{transform}"))?;
        self.streams.iter().try_for_each(|stream| writeln!(f, "{stream}"))?;
        if let Some(task) = &self.task {
            writeln!(f, "{task}")?;
        }
        self.sinks.iter().try_for_each(|sink| writeln!(f, "{sink}"))
    }
}

impl Sheet {
    fn specials(&self) -> impl Iterator<Item = &Special> {
        let stages = self.streams.iter().flat_map(|stream| &stream.stages);
        stages.filter_map(|stage| if let Stage::Special(special) = stage { Some(special) } else { None })
    }

    fn reads_places(&self) -> bool {
        self.specials().any(|special| matches!(special.what, What::Lookup { .. }))
    }

    fn table(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "table places {{ columns {{ key: text; area: float }}; recorded csv(\"places-{}.csv\"); key key }}\n",
            self.places
        )
    }

    /// Each once, in the order of their names.
    fn transforms(&self) -> Vec<&Transform> {
        let used =
            self.specials().filter_map(|special| if let What::Use(transform) = &special.what { Some(transform) } else { None });
        let by_name: std::collections::BTreeMap<&String, &Transform> =
            used.map(|transform| (&transform.name, transform)).collect();
        by_name.into_values().collect()
    }
}

impl Display for Source {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Source { name, path, lateness_s, idle_s, field, wide, lists } = self;
        let wide = if *wide { "    c:   float?\n" } else { "" };
        let lists = if *lists { "    l:   list<float>?\n" } else { "" };
        let idle = idle_s.map(|idle| format!(", idle {idle}s")).unwrap_or_default();
        writeln!(f, "source {name} {{\n  columns {{\n    at:  time\n    id:  int\n    key: text?\n    g:   int?")?;
        writeln!(f, "    v:   float? from \"{field}\"\n    y:   float?\n{wide}{lists}  }}")?;
        writeln!(f, "  recorded jsonl(\"{name}-{path}.jsonl\")\n  live     jsonl(\"{name}-{path}-live.jsonl\")")?;
        writeln!(f, "  time     at, lateness {lateness_s}s{idle}\n}}")
    }
}

impl Display for Stream {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Stream { name, was, input, stages } = self;
        let was = was.as_ref().map(|was| format!(" (was {was})")).unwrap_or_default();
        write!(f, "stream {name}{was} = {input}")?;
        stages.iter().try_for_each(|stage| write!(f, "\n  | {stage}"))?;
        writeln!(f)
    }
}

impl Display for Sink {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Sink { name, input, outlet, bound, path } = self;
        let outlet = match outlet {
            Outlet::Rows => "",
            Outlet::Late => ".late",
            Outlet::Bad => ".bad",
        };
        let bound = bound.as_ref().map(|bound| format!(" | where {bound}")).unwrap_or_default();
        writeln!(f, "sink {name} = {input}{outlet}{bound} | to jsonl(\"{name}-{path}.jsonl\")")
    }
}

impl Display for Task {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Task { from, features } = self;
        writeln!(f, "task level = regress y from {from} {{\n  features [{}]\n  policy   plain\n}}\n", features.join(", "))?;
        writeln!(f, "policy plain {{\n  minimize mae\n  search   1 trials, 1s\n  validate last 20%\n}}")
    }
}

impl Display for Stage {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Stage::Where(test) => write!(f, "where {test}"),
            Stage::Set { name, value } => write!(f, "set {{ {name} = {value} }}"),
            Stage::Narrow => write!(f, "select [{}]", NARROW.map(|(name, _)| name).join(", ")),
            Stage::Drop(name) => write!(f, "drop [{name}]"),
            Stage::Scan { id, by, entries, on_change } => {
                write!(f, "scan{}{}{}{on_change}", keys(by), block(entries), known_as(*id))
            }
            Stage::Window { id, shape, by, entries, on_change } => {
                write!(f, "window {shape}{}{}{}{on_change}", keys(by), block(entries), known_as(*id))
            }
            Stage::Union(with) => write!(f, "union [{}]", with.join(", ")),
            Stage::Predict => f.write_str("predict level as guess"),
            Stage::Special(special) => write!(f, "{special}"),
        }
    }
}

pub fn keys(by: &[String]) -> String {
    if by.is_empty() { String::new() } else { format!(" by {}", list(by)) }
}

/// A column, or several in brackets.
pub fn list(by: &[String]) -> String {
    match by {
        [one] => one.clone(),
        several => format!("[{}]", several.join(", ")),
    }
}

pub fn block<T: Display>(entries: &[T]) -> String {
    let entries: Vec<String> = entries.iter().map(ToString::to_string).collect();
    format!(" {{ {} }}", entries.join("; "))
}

fn known_as(id: Option<u32>) -> String {
    id.map(|id| format!(" id i{id}")).unwrap_or_default()
}

impl Display for OnChange {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            OnChange::Unsaid => Ok(()),
            OnChange::Empty => f.write_str(" on change empty"),
            OnChange::Reject => f.write_str(" on change reject"),
        }
    }
}

impl Display for Shape {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Shape::Time { size, every } if size == every => write!(f, "{size}s"),
            Shape::Time { size, every } => write!(f, "{size}s every {every}s"),
            Shape::Session { gap } => write!(f, "session gap {gap}s"),
            Shape::Rows { size, every, partial } => {
                write!(f, "{size} rows every {every} rows{}", if *partial { " partial" } else { "" })
            }
        }
    }
}

fn scaled(call: String, factor: Option<Quarters>) -> String {
    factor.map(|factor| format!("{call} * {}", number(factor))).unwrap_or(call)
}

impl Display for Scanned {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Scanned { name, of, function, factor } = self;
        let call = match function {
            Running::Previous => format!("previous({of})"),
            Running::Lag(rows) => format!("lag({of}, {rows})"),
            Running::Sum => format!("cumulative(sum({of}))"),
            Running::Count => format!("cumulative(count({of}))"),
            Running::Max => format!("cumulative(max({of}))"),
            Running::Changed => format!("changed({of})"),
            Running::Ewma(half) => format!("ewma({of}, {half}s)"),
            Running::Hysteresis(on, off) => format!("hysteresis({of}, on: {}, off: {})", number(*on), number(*off)),
        };
        let factor = factor.filter(|_| function.kind() == Kind::Exact);
        write!(f, "{name} = {}", scaled(call, factor))
    }
}

impl Display for Folded {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Folded { name, of, function, only, factor } = self;
        let word = match function {
            Fold::Count => "count",
            Fold::Sum => "sum",
            Fold::Mean => "mean",
            Fold::Min => "min",
            Fold::Max => "max",
            Fold::First => "first",
            Fold::Last => "last",
        };
        let of = if *function == Fold::Count { String::new() } else { of.to_string() };
        let only = only.as_ref().map(|only| format!("where: {only}"));
        let args: Vec<String> = [Some(of).filter(|of| !of.is_empty()), only].into_iter().flatten().collect();
        let factor = factor.filter(|_| function.kind() == Kind::Exact);
        write!(f, "{name} = {}", scaled(format!("{word}({})", args.join(", ")), factor))
    }
}

fn number(quarters: Quarters) -> String {
    let value = quarters as f64 / 4.0;
    if value < 0.0 { format!("({value:?})") } else { format!("{value:?}") }
}

impl Display for Num {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Num::Column(name) => f.write_str(name),
            Num::Quarters(value) => f.write_str(&number(*value)),
            Num::Limit => f.write_str("limit"),
            Num::Times(one, factor) => write!(f, "({one} * {})", number(*factor)),
            Num::Plus(left, right) => write!(f, "({left} + {right})"),
            Num::Minus(left, right) => write!(f, "({left} - {right})"),
            Num::Else(one, other) => write!(f, "({one} else {})", number(*other)),
            Num::If(test, then, otherwise) => write!(f, "(if {test} then {then} else {otherwise})"),
        }
    }
}

impl Display for Test {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Test::Above(left, right) => write!(f, "{left} > {right}"),
            Test::AtMost(left, right) => write!(f, "{left} <= {right}"),
            Test::Null(name) => write!(f, "{name} is null"),
            Test::Known(name) => write!(f, "{name} is not null"),
            Test::Key(letter) => write!(f, "key == \"{letter}\""),
            Test::Both(left, right) => write!(f, "({left}) and ({right})"),
            Test::Either(left, right) => write!(f, "({left}) or ({right})"),
            Test::Not(one) => write!(f, "not ({one})"),
        }
    }
}
