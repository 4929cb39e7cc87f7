//! Sources and tables.

use crate::base::Span;
use crate::syntax::ast::{
    Column, ColumnNames, Columns, DriftChange, Expr, ExprKind, Fault, FaultKind, Feed, FeedKind, Keys, NullValues, OriginKind,
    Simulate, SimulatedRows, Source, Table, TimeBasis, TimeClause,
};

use super::Formatter;
use super::block::{BRACES, Item, item};
use super::clause::Clauses;
use super::doc::{Doc, all, text};

/// Longer types do not push the column behind them to the right.
const TYPE_WIDTH_MAX: usize = 20;

impl Formatter<'_> {
    pub fn source_declaration(&mut self, source: &Source, span: Span) -> Doc {
        let Source { head, columns, recorded, live, keep, time } = source;
        let mut clauses = Clauses::default();
        add_columns(&mut clauses, columns);
        add_feed(&mut clauses, "recorded", recorded);
        add_feed(&mut clauses, "live", live);
        if let Some(keep) = keep {
            clauses.add("keep", keep.span, move |f| f.connector(keep));
        }
        if let Some(time) = time {
            clauses.add("time", time.span, move |f| f.time_clause(time));
        }
        let head = text(format!("source {} ", self.head(head)));
        all([head, self.clauses(clauses, span.end as usize - 1)])
    }

    pub fn table(&mut self, table: &Table, span: Span) -> Doc {
        let Table { head, columns, recorded, key } = table;
        let mut clauses = Clauses::default();
        add_columns(&mut clauses, columns);
        add_feed(&mut clauses, "recorded", recorded);
        if let Some(key) = key {
            clauses.add("key", key.span, move |f| text(f.keys(key)));
        }
        let head = text(format!("table {} ", self.head(head)));
        all([head, self.clauses(clauses, span.end as usize - 1)])
    }

    fn columns(&mut self, columns: &Columns) -> Doc {
        let names: Vec<String> = columns.columns.iter().map(|column| self.column_name(column)).collect();
        let types: Vec<String> = columns.columns.iter().map(|column| self.type_name(&column.ty)).collect();
        let name_width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let type_widths = types.iter().map(|ty| ty.chars().count()).filter(|width| *width <= TYPE_WIDTH_MAX);
        let widths = (name_width, type_widths.max().unwrap_or(0));
        let items: Vec<Item<'_>> =
            columns.columns.iter().map(|column| item(column.span, move |f| f.column(column, widths))).collect();
        self.enclosed(&BRACES, items, columns.span.end as usize - 1)
    }

    fn column_name(&self, column: &Column) -> String {
        let names = match &column.names {
            ColumnNames::One(name) => self.name(name),
            ColumnNames::Many { items, .. } => {
                let items: Vec<String> = items.iter().map(|item| self.column_range(item)).collect();
                format!("[{}]", items.join(", "))
            }
        };
        format!("{names}{}:", self.was(column.was.as_ref()))
    }

    fn column(&mut self, column: &Column, (name_width, type_width): (usize, usize)) -> Doc {
        let (name, ty) = (self.column_name(column), self.type_name(&column.ty));
        let name_pad = Doc::Pad(name_width - name.chars().count() + 1);
        let type_pad = Doc::Pad(type_width.saturating_sub(ty.chars().count()) + 1);
        let tail = self.column_tail(column);
        let behind = if tail.is_empty() { text("") } else { all([type_pad, text(tail.join(" "))]) };
        all([text(name), name_pad, text(ty), behind])
    }

    /// `null […]`, `in …`, `from …`
    fn column_tail(&self, column: &Column) -> Vec<String> {
        let null = column.null.as_ref().map(|null| self.null_values(null));
        let bounds = column.bounds.as_ref().map(|bounds| format!("in {}", self.unblanked(bounds.span)));
        let origin = column.origin.as_ref().map(|origin| match &origin.kind {
            OriginKind::Field(field) => format!("from {}", self.source(field.span)),
            OriginKind::Position(position) => format!("from {position}"),
            OriginKind::Row => "from row".to_owned(),
            OriginKind::Arrival => "from arrival".to_owned(),
        });
        [null, bounds, origin].into_iter().flatten().collect()
    }

    fn null_values(&self, null: &NullValues) -> String {
        let values: Vec<String> = null.values.iter().map(|value| self.null_value(value)).collect();
        format!("null [{}]", values.join(", "))
    }

    fn null_value(&self, value: &Expr) -> String {
        let is_text = matches!(value.kind, ExprKind::Text(_));
        if is_text { self.source(value.span).to_owned() } else { self.unblanked(value.span) }
    }

    /// Literals without the blanks that may stand around their signs.
    fn unblanked(&self, span: Span) -> String {
        self.tidy(span).replace(' ', "")
    }

    fn feed(&mut self, feed: &Feed) -> Doc {
        match &feed.kind {
            FeedKind::Connector(connector) => self.connector(connector),
            FeedKind::Simulate(simulate) => all([text("simulate "), self.simulate(simulate)]),
        }
    }

    fn time_clause(&mut self, time: &TimeClause) -> Doc {
        let mut parts = match &time.basis {
            TimeBasis::None => vec![text("none")],
            TimeBasis::Every { every, from, by } => {
                vec![text("every "), self.expr(every), text(" from "), self.expr(from), text(self.by_behind(by))]
            }
            TimeBasis::At { time, by } => vec![self.expr(time), text(self.by_behind(by))],
        };
        for (word, option) in [(", lateness ", &time.lateness), (", idle ", &time.idle), (", ahead ", &time.ahead)] {
            parts.push(self.maybe(word, option.as_ref(), ""));
        }
        all(parts)
    }

    fn by_behind(&self, by: &Option<Keys>) -> String {
        by.as_ref().map(|by| format!(" by {}", self.keys(by))).unwrap_or_default()
    }

    fn simulate(&mut self, simulate: &Simulate) -> Doc {
        let mut clauses = Clauses::default();
        if let Some(rows) = &simulate.rows {
            clauses.add_body("rows", rows.span, move |f| f.simulated_rows(rows));
        }
        if let Some(seed) = &simulate.seed {
            clauses.add_body("seed", seed.span, move |f| f.expr(seed));
        }
        if let Some(length) = &simulate.length {
            clauses.add_body("span", length.span, move |f| f.expr(length));
        }
        if let (Some(first), Some(last)) = (simulate.columns.first(), simulate.columns.last()) {
            let from = first.span.start as usize;
            clauses.add_body("columns", first.span.to(last.span), move |f| f.assigns(&simulate.columns, from));
        }
        for fault in &simulate.faults {
            clauses.add_body(fault_word(&fault.kind), fault.span, move |f| f.fault(fault));
        }
        self.clauses(clauses, simulate.span.end as usize - 1)
    }

    fn simulated_rows(&mut self, rows: &SimulatedRows) -> Doc {
        let (count, per) = (self.expr(&rows.count), self.expr(&rows.per));
        let by = match &rows.by {
            Some(key) => all([text(format!(" by {} in ", self.name(&key.column))), self.expr(&key.values)]),
            None => text(""),
        };
        all([count, text(" per "), per, by])
    }

    /// What stands behind the word of a fault.
    fn fault(&mut self, fault: &Fault) -> Doc {
        match &fault.kind {
            FaultKind::Drift { column, change, by, after } => {
                let head = text(format!("{} {} ", self.name(column), drift_sign(*change)));
                all([head, self.expr(by), text(" after "), self.expr(after)])
            }
            FaultKind::Late { share, by } => all([self.expr(share), text(" by "), self.expr(by)]),
            FaultKind::Drop { share } | FaultKind::Duplicate { share } => self.expr(share),
            FaultKind::Spike { column, factor, share } => {
                all([text(format!("{} x ", self.name(column))), self.expr(factor), text(" "), self.expr(share)])
            }
            FaultKind::Gap { length, every } => all([self.expr(length), text(" every "), self.expr(every)]),
            FaultKind::Delay { column, by } => all([text(format!("{} ", self.name(column))), self.expr(by)]),
        }
    }
}

fn add_columns<'c>(clauses: &mut Clauses<'c>, columns: &'c Option<Columns>) {
    if let Some(columns) = columns {
        clauses.add_body("columns", columns.span, move |f| f.columns(columns));
    }
}

fn add_feed<'c>(clauses: &mut Clauses<'c>, word: &'static str, feed: &'c Option<Feed>) {
    if let Some(feed) = feed {
        clauses.add(word, feed.span, move |f| f.feed(feed));
    }
}

fn fault_word(fault: &FaultKind) -> &'static str {
    match fault {
        FaultKind::Drift { .. } => "drift",
        FaultKind::Late { .. } => "late",
        FaultKind::Drop { .. } => "drop",
        FaultKind::Duplicate { .. } => "duplicate",
        FaultKind::Spike { .. } => "spike",
        FaultKind::Gap { .. } => "gap",
        FaultKind::Delay { .. } => "delay",
    }
}

fn drift_sign(change: DriftChange) -> &'static str {
    match change {
        DriftChange::Add => "+",
        DriftChange::Subtract => "-",
        DriftChange::Multiply => "x",
    }
}
