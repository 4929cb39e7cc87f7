//! Sources: their columns, both ends, and time.

mod columns;
mod keep;
mod simulate;
mod table;
mod time;

use std::collections::BTreeSet;

use crate::base::{Duration, Name, Span};
use crate::diag::{Code, Diagnostic};
use crate::ir::{self, Connector, Origin, SourceColumn, TimeSpec};
use crate::syntax::ast;

use super::checker::Checker;
use super::connector::{Side, patterns};
use super::findings::unknown;
use super::shape::{ColumnId, Lineage, Shape, hidden_time};

impl<'a> Checker<'a> {
    /// Puts the source into the program and gives the shape of its rows.
    pub(super) fn source(&mut self, source: &'a ast::Source, span: Span) -> Shape {
        let ast::Source { head, columns, recorded, live, keep, time: _ } = source;
        self.later_was(head.was.as_ref());
        let mut declared = match columns {
            Some(columns) => self.source_columns(columns),
            None => {
                self.report(no_columns(&head.name));
                columns::Declared::broken()
            }
        };
        let shape = plain_shape(&head.name.name, &declared);
        let recorded_end = recorded.as_ref().and_then(|feed| self.feed(feed, Side::Recorded, &head.name.name, &shape));
        let live_end = live.as_ref().and_then(|feed| self.feed(feed, Side::Live, &head.name.name, &shape));
        let keep_end = keep.as_ref().and_then(|connector| self.connector(connector, Side::Keep, &head.name.name));
        if recorded.is_none() && live.is_none() && keep.is_none() {
            self.report(no_end(&head.name));
        }
        if let (Some(connector), Some(Connector::File(file))) = (keep, &keep_end) {
            self.check_keep(connector, file);
        }
        if let (Some(feed), Some(end)) = (live, &live_end) {
            self.check_own_end(feed, end);
        }
        let feeds = [recorded, live].into_iter().flatten();
        let ends: Vec<(&ast::Connector, &Connector)> = feeds
            .filter_map(|feed| if let ast::FeedKind::Connector(connector) = &feed.kind { Some(connector) } else { None })
            .zip([&recorded_end, &live_end].into_iter().flatten().filter(|end| !matches!(end, Connector::Simulate(_))))
            .collect();
        self.bind_patterns(&ends, &mut declared);
        bind_positions(&ends, &mut declared.columns);
        let mut shape = plain_shape(&head.name.name, &declared);
        shape.live = live.is_some() || keep.is_some();
        let (time_spec, limits) = self.time(source, &mut shape, span);
        shape.waits = limits.lateness;
        let schema = shape.schema.clone();
        self.program.sources.insert(
            head.name.name.clone(),
            ir::Source {
                name: head.name.name.clone(),
                columns: declared.columns,
                recorded: recorded_end,
                live: live_end,
                keep: keep_end,
                time: time_spec,
                limits,
                schema,
                span: head.name.span,
            },
        );
        shape
    }

    fn feed(&mut self, feed: &'a ast::Feed, side: Side, of: &Name, shape: &Shape) -> Option<Connector> {
        match &feed.kind {
            ast::FeedKind::Connector(connector) => self.connector(connector, side, of),
            ast::FeedKind::Simulate(simulate) => self.simulate(simulate, shape).map(Connector::Simulate),
        }
    }

    /// What comes in at one place cannot go to two sources.
    fn check_own_end(&mut self, feed: &'a ast::Feed, end: &Connector) {
        let same = |other: &Connector| match (other, end) {
            (Connector::Stdin { .. }, Connector::Stdin { .. }) => true,
            (Connector::Http(one), Connector::Http(other)) => one == other,
            _ => false,
        };
        let other = self.program.sources.values().find(|source| source.live.as_ref().is_some_and(same));
        if let (Some(other), ast::FeedKind::Connector(connector)) = (other, &feed.kind) {
            let found = two_sources(&other.name, other.span, connector.span);
            self.report(found);
        }
    }

    /// `{name}` in a path or topic fills the column of that name.
    fn bind_patterns(&mut self, ends: &[(&'a ast::Connector, &Connector)], declared: &mut columns::Declared) {
        for (connector, end) in ends {
            for name in patterns(end) {
                match declared.columns.iter_mut().find(|column| column.column.name == name) {
                    Some(column) if declared.explicit.contains(&name) => {
                        let diagnostic = filled_twice(&name, column.column.span, connector.span);
                        self.report(diagnostic);
                    }
                    Some(column) => column.origin = Origin::Pattern(name),
                    None if declared.is_broken => {}
                    None => {
                        let known = declared.columns.iter().map(|column| column.column.name.as_str());
                        self.report(no_column_for_pattern(&name, connector.span, known));
                    }
                }
            }
        }
    }

    fn time(&mut self, source: &'a ast::Source, shape: &mut Shape, span: Span) -> (TimeSpec, ir::Limits) {
        match &source.time {
            Some(clause) => self.time_clause(clause, shape),
            None if source.live.is_some() && source.recorded.is_none() => {
                shape.schema.columns.push(hidden_time(span));
                shape.schema.time = Some(super::shape::HIDDEN_TIME.into());
                (TimeSpec::Arrival, ir::Limits::default())
            }
            None => {
                self.report(no_time(&source.head.name, shape));
                shape.open = true;
                (TimeSpec::None, ir::Limits { lateness: Duration::ZERO, idle: None, ahead: None })
            }
        }
    }
}

fn plain_shape(source: &Name, declared: &columns::Declared) -> Shape {
    let mut shape = Shape { open: declared.is_broken, broken: declared.broken.clone(), ..Shape::default() };
    shape.sources.insert(source.clone());
    for SourceColumn { column, .. } in &declared.columns {
        let id = ColumnId { decl: source.clone(), stage: 0, name: column.name.clone() };
        let now = BTreeSet::from([id.clone()]);
        shape.lineage.insert(column.name.clone(), Lineage { id, now });
        shape.schema.columns.push(column.clone());
    }
    shape
}

/// Under `header: false`, columns that nothing else fills bind by position, in declared order.
fn bind_positions(ends: &[(&ast::Connector, &Connector)], columns: &mut [SourceColumn]) {
    let by_position = |end: &Connector| {
        let format = match end {
            Connector::File(file) => Some(&file.format),
            Connector::Tail(tail) => Some(&tail.format),
            Connector::Stdin { format } => Some(format),
            Connector::Simulate(_)
            | Connector::Stdout { .. }
            | Connector::Http(_)
            | Connector::Post(_)
            | Connector::Later { .. } => None,
        };
        matches!(format, Some(ir::FileFormat::Csv(options)) if !options.header)
    };
    if ends.is_empty() || !ends.iter().all(|(_, end)| by_position(end)) {
        return;
    }
    let mut next = 1;
    for column in columns {
        match &column.origin {
            Origin::Field(_) => {
                column.origin = Origin::Position(next);
                next += 1;
            }
            Origin::Position(at) => next = at + 1,
            Origin::Path(_) | Origin::Pattern(_) | Origin::Row | Origin::Arrival => {}
        }
    }
}

/// E0704.
fn no_columns(name: &ast::Ident) -> Diagnostic {
    Diagnostic::new(Code::E0704, format!("the source `{}` declares no columns", name.name))
        .at(name.span, "")
        .help("add `columns { at: time; co2: float<ppm> }`")
}

/// E0704.
fn no_end(name: &ast::Ident) -> Diagnostic {
    Diagnostic::new(Code::E0704, format!("the source `{}` has nothing to read", name.name))
        .at(name.span, "")
        .help("add `recorded csv(\"file.csv\")` for what came before, or `live http(port: 8080)` for what comes now")
}

/// E0706.
fn two_sources(other: &Name, other_span: Span, span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0706, format!("what comes in here goes to `{other}` already"))
        .at(span, "the same place")
        .at(other_span, "read by this source")
        .help(format!("read from `{other}`, or give one of them another `path:` or `port:`"))
}

/// E0705.
fn filled_twice(name: &str, column: Span, connector: Span) -> Diagnostic {
    Diagnostic::new(Code::E0705, format!("`{name}` is filled from two places"))
        .at(column, "has a `from` of its own")
        .at(connector, format!("fills it from `{{{name}}}`"))
        .help("remove one of the two")
}

/// E0702.
fn no_column_for_pattern<'k>(name: &str, span: Span, known: impl Iterator<Item = &'k str>) -> Diagnostic {
    let mut out = unknown("column", name, span, known);
    out.code = Code::E0702;
    out.message = format!("`{{{name}}}` fills no column");
    out.fix = None;
    out.help.get_or_insert_with(|| format!("declare `{name}: text` in `columns`")).insert_str(0, "");
    out
}

/// E0401.
fn no_time(name: &ast::Ident, shape: &Shape) -> Diagnostic {
    let column = shape.schema.columns.iter().find(|column| column.ty == ir::Type::Time);
    let help = match column {
        Some(column) => {
            format!("add `time {}, lateness 1min`, or `time none` where the order of the rows is the time", column.name)
        }
        None => "add `time COLUMN`, `time every 1s from @2026-01-01T00:00:00Z`, or `time none`".to_owned(),
    };
    Diagnostic::new(Code::E0401, format!("the source `{}` does not say when its rows happened", name.name))
        .at(name.span, "")
        .help(help)
}
