//! `table rooms { columns { … }; recorded csv("rooms.csv"); key room }`: reference data, read as a whole.

use crate::base::Name;
use crate::diag::{Code, Diagnostic};
use crate::ir::{self, Connector};
use crate::sema::checker::Checker;
use crate::sema::columns as sets;
use crate::sema::connector::{Side, patterns};
use crate::sema::shape::Shape;
use crate::syntax::ast;

use super::{bind_positions, columns, plain_shape};

impl<'a> Checker<'a> {
    /// The table with the shape of its rows, resolved at the first call; none after a message.
    pub(in crate::sema) fn table(&mut self, table: &'a ast::Table) -> Option<(ir::Table, Shape)> {
        let name = &table.head.name.name;
        if let Some(known) = self.tables.get(name) {
            return known.clone();
        }
        let found = self.resolve_table(table);
        self.tables.insert(name.clone(), found.clone());
        found
    }

    fn resolve_table(&mut self, table: &'a ast::Table) -> Option<(ir::Table, Shape)> {
        let ast::Table { head, columns, recorded, key } = table;
        self.later_was(head.was.as_ref());
        for (given, clause) in [(columns.is_some(), "columns"), (recorded.is_some(), "recorded"), (key.is_some(), "key")] {
            if !given {
                self.report(lacks(&head.name, clause));
            }
        }
        let (columns, recorded, key) = (columns.as_ref()?, recorded.as_ref()?, key.as_ref()?);
        let mut declared = self.source_columns(columns);
        let end = self.table_file(recorded, &head.name.name, &mut declared);
        let shape = plain_shape(&head.name.name, &declared);
        let key = sets::keys(key, &shape, &mut self.findings);
        let (recorded, key) = (end?, key?);
        let found = ir::Table {
            name: head.name.name.clone(),
            columns: declared.columns,
            recorded,
            key,
            schema: shape.schema.clone(),
            digest: None,
            span: head.name.span,
        };
        (!shape.open && shape.broken.is_empty()).then_some((found, shape))
    }

    /// One file, whose fields bind as those of a source do.
    fn table_file(&mut self, feed: &'a ast::Feed, of: &Name, declared: &mut columns::Declared) -> Option<Connector> {
        let ast::FeedKind::Connector(connector) = &feed.kind else {
            self.report(no_file(feed.span));
            return None;
        };
        let end = self.connector(connector, Side::Recorded, of)?;
        let is_one_file = |path: &str| !path.contains(['*', '?', '[']);
        let fits = if let Connector::File(file) = &end { is_one_file(&file.path) && patterns(&end).is_empty() } else { false };
        if !fits {
            self.report(no_file(connector.span));
            return None;
        }
        bind_positions(&[(connector, &end)], &mut declared.columns);
        Some(end)
    }
}

/// E0704.
fn lacks(name: &ast::Ident, clause: &str) -> Diagnostic {
    let help = match clause {
        "columns" => "add `columns { room: text; area: float<m^2> }`",
        "recorded" => "add `recorded csv(\"rooms.csv\")`",
        _ => "add `key room`: the column by which its rows are found",
    };
    Diagnostic::new(Code::E0704, format!("the table `{}` has no `{clause}`", name.name)).at(name.span, "").help(help)
}

/// E0701.
fn no_file(span: crate::base::Span) -> Diagnostic {
    Diagnostic::new(Code::E0701, "a table is read from one file, as a whole")
        .at(span, "")
        .help("write `recorded csv(\"rooms.csv\")`; rows that keep coming are a `source`, and `asof` brings the newest of them")
}
