//! `join S on K within D`, `asof S on K`, `lookup T on K`: columns of rows with an equal key.

use std::collections::BTreeSet;

use crate::base::{Duration, Name, Span};
use crate::diag::{Code, Diagnostic};
use crate::ir::{Column, JoinKind, JoinOp, Op, StageKind, Taken, Type};
use crate::sema::checker::Checker;
use crate::sema::columns;
use crate::sema::findings::unknown;
use crate::sema::index::{Rows, Space};
use crate::sema::shape::{Lineage, Shape};
use crate::syntax::ast;

use super::Flow;

/// What the three stages have in common.
struct Bringing<'a> {
    on: &'a ast::Keys,
    take: Option<&'a ast::Take>,
    required: bool,
    /// Of the other side's name in the text.
    span: Span,
    /// May a partner be the row itself, or one that comes after it?
    sees_its_own_time: bool,
}

impl<'a> Checker<'a> {
    pub(super) fn join_stage(&mut self, it: &'a ast::Join, stage: &'a ast::Stage, flow: &mut Flow) {
        let within = self.positive_duration(&it.within, "how far apart two rows may be");
        let (with, other) = self.read(&it.other);
        self.both_need_time("join … within", it.other.span, stage.span, flow, &other);
        let bringing = Bringing {
            on: &it.on,
            take: it.take.as_ref(),
            required: it.required.is_some(),
            span: it.other.span,
            sees_its_own_time: true,
        };
        let op = self.brought(&bringing, &other, stage, flow);
        flow.shape.sources.extend(other.sources.iter().cloned());
        let waits = Duration(flow.shape.waits.max(other.waits).0.saturating_add(within.unwrap_or(Duration::ZERO).0));
        flow.shape.waits = waits;
        flow.shape.live |= other.live;
        if let (Some(within), Some((on, take, required))) = (within, op) {
            let kind = JoinKind::Interval { with, within };
            flow.push(StageKind::Join, Op::Join(JoinOp { kind, on, take, required }), stage);
        }
    }

    pub(super) fn asof_stage(&mut self, it: &'a ast::Asof, stage: &'a ast::Stage, flow: &mut Flow) {
        let within = it.within.as_ref().map(|within| self.positive_duration(within, "how old the other row may be"));
        let (with, other) = self.read(&it.other);
        if it.within.is_some() {
            self.both_need_time("asof … within", it.other.span, stage.span, flow, &other);
        }
        let bringing = Bringing {
            on: &it.on,
            take: it.take.as_ref(),
            required: it.required.is_some(),
            span: it.other.span,
            sees_its_own_time: false,
        };
        let op = self.brought(&bringing, &other, stage, flow);
        flow.shape.live |= other.live;
        if let (Some((on, take, required)), false) = (op, matches!(within, Some(None))) {
            let kind = JoinKind::Asof { with, within: within.flatten() };
            flow.push(StageKind::Asof, Op::Join(JoinOp { kind, on, take, required }), stage);
        }
    }

    pub(super) fn lookup_stage(&mut self, it: &'a ast::Lookup, stage: &'a ast::Stage, flow: &mut Flow) {
        self.findings.mark_used(Space::Rows, &it.table.name);
        let Some((table, other)) = self.table_named(&it.table) else {
            flow.shape.open = true;
            return;
        };
        let on: BTreeSet<&Name> = it.on.columns.iter().map(|ident| &ident.name).collect();
        if on != table.key.iter().collect() {
            self.report(other_key(&it.on, &table));
        }
        let bringing = Bringing {
            on: &it.on,
            take: it.take.as_ref(),
            required: it.required.is_some(),
            span: it.table.span,
            sees_its_own_time: false,
        };
        if let Some((on, take, required)) = self.brought(&bringing, &other, stage, flow) {
            let kind = JoinKind::Lookup { table: Box::new(table) };
            flow.push(StageKind::Lookup, Op::Join(JoinOp { kind, on, take, required }), stage);
        }
    }

    fn table_named(&mut self, ident: &ast::Ident) -> Option<(crate::ir::Table, Shape)> {
        let index = &self.globals.index;
        match index.rows.get(&ident.name) {
            Some((Rows::Table(table), _)) => self.table(table),
            Some(_) => {
                self.report(no_table(ident));
                None
            }
            None if index.broken.contains(&ident.name) => None,
            None => {
                let tables = index.rows.iter().filter(|(_, (rows, _))| matches!(rows, Rows::Table(_)));
                let known: Vec<&str> = tables.map(|(name, _)| name.as_str()).collect();
                self.report(unknown("table", &ident.name, ident.span, known));
                None
            }
        }
    }

    fn both_need_time(&mut self, word: &str, other_span: Span, span: Span, flow: &Flow, other: &Shape) {
        self.stage_needs_time(word, span, flow);
        if other.schema.time.is_none() && !other.open {
            self.report(other_has_no_time(word, other_span));
        }
    }

    /// Keys and brought columns, which the flow has from now on; none after a message.
    fn brought(
        &mut self,
        bringing: &Bringing<'a>,
        other: &Shape,
        stage: &'a ast::Stage,
        flow: &mut Flow,
    ) -> Option<(Vec<Name>, Vec<Taken>, bool)> {
        if other.open {
            flow.shape.open = true;
        }
        let on = self.keys(Some(bringing.on), stage, flow)?;
        let fits = self.keys_agree(&on, bringing, other, flow);
        if let Some(clock) = other.schema.clock_by.iter().find(|clock| !on.contains(clock)) {
            self.report(other_clocks(clock, bringing.span));
        }
        let chosen = self.chosen(bringing, &on, other);
        let mut take = Vec::new();
        for (name, from) in chosen {
            let Some(column) = other.get(&from).cloned() else { continue };
            if let Some(before) = flow.shape.schema.get(&name.name) {
                let diagnostic = collides(&name, &from, before.span, bringing.span);
                // Where the keys do not fit, it is not sure that this side is meant.
                if fits {
                    self.report(diagnostic);
                }
                continue;
            }
            self.check_shadowing(&name);
            bring(&name, &column, other, bringing.sees_its_own_time, flow);
            take.push(Taken { name: name.name, from, ty: column.ty });
        }
        (fits && !other.open).then_some((on, take, bringing.required))
    }

    fn keys_agree(&mut self, on: &[Name], bringing: &Bringing<'a>, other: &Shape, flow: &Flow) -> bool {
        let mut fits = true;
        for (name, ident) in on.iter().zip(&bringing.on.columns) {
            let (Some(own), theirs) = (flow.shape.get(name), other.get(name)) else { continue };
            match theirs {
                Some(column) if column.ty == own.ty => continue,
                Some(column) => {
                    let diagnostic = keys_differ(ident, own, column);
                    self.report(diagnostic);
                }
                None if other.is_silent_about(name) => {}
                None => self.report(no_key_there(ident, bringing.span, other)),
            }
            fits = false;
        }
        fits
    }

    /// What is brought, each under its new name: all but keys and time, or what `take` says.
    fn chosen(&mut self, bringing: &Bringing<'a>, on: &[Name], other: &Shape) -> Vec<(ast::Ident, Name)> {
        let named = |name: &Name, span: Span| (ast::Ident { name: name.clone(), span }, name.clone());
        let Some(take) = bringing.take else {
            let is_brought = |column: &&Column| !on.contains(&column.name) && other.schema.time.as_ref() != Some(&column.name);
            return other.schema.visible().filter(is_brought).map(|column| named(&column.name, bringing.span)).collect();
        };
        let mut chosen = Vec::new();
        for item in &take.items {
            match item {
                ast::TakeItem::Columns(item) => {
                    let found = columns::item(item, other, &mut self.findings);
                    chosen.extend(found.iter().map(|(name, span)| named(name, *span)));
                }
                ast::TakeItem::Renamed(renaming) => {
                    let old = columns::one(&renaming.old, other, &mut self.findings);
                    chosen.extend(old.map(|old| (renaming.new.clone(), old)));
                }
            }
        }
        chosen
    }
}

/// A brought column may be null, and depends on what it is made of in its own row where that may be this row, or a later one.
fn bring(name: &ast::Ident, column: &Column, other: &Shape, sees_its_own_time: bool, flow: &mut Flow) {
    let span = if column.span.is_empty() { name.span } else { column.span };
    let made = Column { name: name.name.clone(), ty: column.ty.clone(), nullable: true, span };
    let id = flow.id(&name.name);
    let mut now = BTreeSet::from([id.clone()]);
    if sees_its_own_time {
        now.extend(other.now_of(&BTreeSet::from([column.name.clone()])));
    }
    if other.id_of(&column.name).is_some_and(|id| other.aside.contains(id)) || column.ty == Type::Time {
        flow.shape.aside.insert(id.clone());
    }
    flow.shape.lineage.insert(name.name.clone(), Lineage { id, now });
    flow.shape.schema.columns.push(made);
}

/// E0203.
fn collides(name: &ast::Ident, from: &str, before: Span, other: Span) -> Diagnostic {
    let message = format!("both sides have a column `{}`", name.name);
    let out = Diagnostic::new(Code::E0203, message).at(name.span, "brought here");
    let out = if before.is_empty() || before == name.span { out } else { out.at(before, "there already") };
    let out = if other == name.span { out } else { out.at(other, "of this side") };
    out.help(format!("choose what is brought, under another name: `take [other_{from} = {from}]`"))
}

/// E0313.
fn keys_differ(ident: &ast::Ident, own: &Column, theirs: &Column) -> Diagnostic {
    let message = format!("the two sides disagree about the key `{}`", ident.name);
    let mut out = Diagnostic::new(Code::E0313, message).at(ident.span, "compared here");
    for (column, side) in [(own, "here"), (theirs, "on the other side")] {
        if !column.span.is_empty() {
            out = out.at(column.span, format!("`{}` {side}", column.ty));
        }
    }
    out.help("give both the same type and unit")
}

/// E0313.
fn no_key_there(ident: &ast::Ident, span: Span, other: &Shape) -> Diagnostic {
    let names: Vec<&str> = other.names().collect();
    Diagnostic::new(Code::E0313, format!("the other side has no column `{}`", ident.name))
        .at(ident.span, "the key")
        .at(span, format!("has {}", names.join(", ")))
        .help(format!("rename it on one side first, such as `| rename {{ {} = … }}`", ident.name))
}

/// E0313.
fn other_key(on: &ast::Keys, table: &crate::ir::Table) -> Diagnostic {
    let key: Vec<&str> = table.key.iter().map(Name::as_str).collect();
    let key = if key.len() == 1 { key[0].to_owned() } else { format!("[{}]", key.join(", ")) };
    Diagnostic::new(Code::E0313, format!("rows of `{}` are found by `{key}`", table.name))
        .at(on.span, "looked up by something else")
        .at(table.span, "the table")
        .help(format!("write `on {key}`, or change the table's `key`"))
}

/// E0313.
fn no_table(ident: &ast::Ident) -> Diagnostic {
    let name = &ident.name;
    Diagnostic::new(Code::E0313, format!("`{name}` is no table"))
        .at(ident.span, "rows that keep coming")
        .help(format!("write `asof {name} on …` for the newest row that has arrived, or `join {name} on … within 5s`"))
}

/// E0402.
fn other_has_no_time(word: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0402, format!("`{word}` needs to know when each row happened, on both sides"))
        .at(span, "these rows have no time")
        .help("give its source a `time`, or use a `table` and `lookup`")
}

/// E0404.
fn other_clocks(key: &str, span: Span) -> Diagnostic {
    Diagnostic::new(
        Code::E0404,
        format!("on the other side each `{key}` has a clock of its own, and this stage would mix them"),
    )
    .at(span, "")
    .help(format!("add `{key}` to the keys behind `on`"))
}
