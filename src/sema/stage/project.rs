//! `select`, `drop`, `rename`: exactly these columns, under these names.

use std::collections::BTreeSet;

use crate::base::{Name, Span};
use crate::diag::{Code, Diagnostic};
use crate::ir::{Column, Entry, Expr, ExprKind, Op, StageKind};
use crate::sema::checker::Checker;
use crate::sema::columns::{self, Chosen};
use crate::sema::expr::Place;
use crate::sema::shape::{HIDDEN_TIME, Lineage, Shape};
use crate::syntax::ast;

use super::Flow;

impl<'a> Checker<'a> {
    pub(super) fn select_stage(&mut self, it: &'a ast::Select, stage: &'a ast::Stage, flow: &mut Flow) {
        let mut out = Projection::of(&flow.shape);
        match &it.selection {
            ast::Selection::Set(set) => {
                let chosen = columns::resolve(set, &flow.shape, &mut self.findings);
                self.keep_columns(chosen, &mut out, flow);
            }
            ast::Selection::Items(items) => {
                for item in items {
                    match item {
                        ast::SelectItem::Columns(item) => {
                            let chosen = columns::item(item, &flow.shape, &mut self.findings);
                            if let (ast::ColumnItem::One(ident), true) = (item, chosen.is_empty()) {
                                out.shape.broken.insert(ident.name.clone());
                            }
                            self.keep_columns(chosen, &mut out, flow);
                        }
                        ast::SelectItem::Assign(assign) => self.make_column(assign, &mut out, flow),
                    }
                }
            }
        }
        out.finish(StageKind::Select, stage, flow);
    }

    pub(super) fn drop_stage(&mut self, it: &'a ast::Drop, stage: &'a ast::Stage, flow: &mut Flow) {
        let dropped = columns::resolve(&it.columns, &flow.shape, &mut self.findings);
        let dropped: BTreeSet<Name> = dropped.into_iter().map(|(name, _)| name).collect();
        let mut out = Projection::of(&flow.shape);
        let rest = flow.shape.schema.visible().filter(|column| !dropped.contains(&column.name));
        let rest: Vec<Chosen> = rest.map(|column| (column.name.clone(), column.span)).collect();
        self.keep_columns(rest, &mut out, flow);
        out.shape.broken = flow.shape.broken.clone();
        out.finish(StageKind::Drop, stage, flow);
    }

    pub(super) fn rename_stage(&mut self, it: &'a ast::Rename, stage: &'a ast::Stage, flow: &mut Flow) {
        let mut renamed: Vec<(&ast::Renaming, Name)> = Vec::new();
        for renaming in &it.renamings {
            if let Some(old) = columns::one(&renaming.old, &flow.shape, &mut self.findings) {
                self.check_shadowing(&renaming.new);
                renamed.push((renaming, old));
            }
        }
        let mut out = Projection::of(&flow.shape);
        for column in flow.shape.schema.visible() {
            let renaming = renamed.iter().find(|(_, old)| *old == column.name).map(|(renaming, _)| *renaming);
            let (name, span) = renaming.map_or((&column.name, column.span), |it| (&it.new.name, it.new.span));
            match out.shape.schema.get(name) {
                Some(before) => {
                    let ident = ast::Ident { name: name.clone(), span: renaming.map_or(column.span, |it| it.new.span) };
                    let diagnostic = name_taken(&ident, before.span);
                    self.findings.report(diagnostic);
                }
                None => out.keep(name, &column.name, span, &flow.shape),
            }
        }
        out.shape.broken = flow.shape.broken.clone();
        out.finish(StageKind::Rename, stage, flow);
    }

    fn keep_columns(&mut self, chosen: Vec<Chosen>, out: &mut Projection, flow: &Flow) {
        for (name, span) in chosen {
            match out.shape.schema.get(&name) {
                Some(before) => self.findings.report(name_taken(&ast::Ident { name: name.clone(), span }, before.span)),
                None => out.keep(&name, &name, span, &flow.shape),
            }
        }
    }

    /// `b = E` in a `select`.
    fn make_column(&mut self, assign: &'a ast::Assign, out: &mut Projection, flow: &mut Flow) {
        self.later_was(assign.was.as_ref());
        let typed = self.typer(&flow.shape, Place::Row).expr(&assign.value);
        self.check_shadowing(&assign.name);
        if let Some(before) = out.shape.schema.get(&assign.name.name) {
            let before = before.span;
            self.report(name_taken(&assign.name, before));
            return;
        }
        match typed.and_then(|typed| self.settled(typed)) {
            Some(value) => out.make(&assign.name, value, flow),
            None => drop(out.shape.broken.insert(assign.name.name.clone())),
        }
    }
}

/// The new list of columns while it grows.
struct Projection {
    shape: Shape,
    entries: Vec<Entry>,
}

impl Projection {
    fn of(shape: &Shape) -> Projection {
        Projection { shape: shape.emptied(), entries: Vec::new() }
    }

    /// The column `old` of the input, under another name or its own.
    fn keep(&mut self, name: &Name, old: &Name, span: Span, before: &Shape) {
        let Some(column) = before.schema.get(old) else { return };
        if let Some(lineage) = before.lineage.get(old) {
            self.shape.lineage.insert(name.clone(), lineage.clone());
        }
        self.shape.schema.columns.push(Column {
            name: name.clone(),
            span: if column.span.is_empty() { span } else { column.span },
            ..column.clone()
        });
        let value = Expr { kind: ExprKind::Column(old.clone()), ty: column.ty.clone(), nullable: column.nullable, span };
        self.entries.push(Entry { name: name.clone(), value, span });
    }

    fn make(&mut self, name: &ast::Ident, value: Expr, flow: &Flow) {
        let column = Column { name: name.name.clone(), ty: value.ty.clone(), nullable: value.nullable, span: name.span };
        let copied = match &value.kind {
            ExprKind::Column(of) => flow.shape.lineage.get(of).cloned(),
            _ => None,
        };
        let lineage = copied.unwrap_or_else(|| {
            let id = flow.id(&name.name);
            let from: BTreeSet<Name> = value.columns().into_iter().collect();
            let now = flow.shape.now_of(&from).chain([id.clone()]).collect();
            Lineage { id, now }
        });
        self.shape.lineage.insert(name.name.clone(), lineage);
        self.shape.schema.columns.push(column);
        self.entries.push(Entry { name: name.name.clone(), value, span: name.span });
    }

    /// Time and clocks travel on, hidden where no one keeps their columns.
    fn finish(mut self, kind: StageKind, stage: &ast::Stage, flow: &mut Flow) {
        if let Some(time) = flow.shape.schema.time.clone() {
            let name = self.carry(&time, HIDDEN_TIME, stage.span, &flow.shape);
            self.shape.schema.time = Some(name);
        }
        let clocks = flow.shape.schema.clock_by.clone();
        self.shape.schema.clock_by = clocks
            .iter()
            .map(|clock| self.carry(clock, &format!("@{}", clock.trim_start_matches('@')), stage.span, &flow.shape))
            .collect();
        flow.shape = self.shape;
        flow.push(kind, Op::Project { entries: self.entries }, stage);
    }

    /// The name under which this column of the input goes on.
    fn carry(&mut self, old: &Name, hidden: &str, span: Span, before: &Shape) -> Name {
        let kept = self.entries.iter().find(|entry| entry.value.kind == ExprKind::Column(old.clone()));
        if let Some(entry) = kept {
            return entry.name.clone();
        }
        let hidden = Name::from(hidden);
        self.keep(&hidden, old, span, before);
        hidden
    }
}

/// E0203.
fn name_taken(name: &ast::Ident, before: Span) -> Diagnostic {
    let out = Diagnostic::new(Code::E0203, format!("there would be two columns `{}`", name.name)).at(name.span, "once more");
    let out = if before.is_empty() || before == name.span { out } else { out.at(before, "the other one") };
    out.help("give one of them another name, or leave one out")
}
