//! Stages: each turns the shape that flows in into the one that flows out.

mod across;
mod fill;
mod join;
mod keep;
mod predict;
mod project;
mod rank;
mod resample;
mod scan;
mod summarize;
mod union;
mod uses;
mod window;

use std::collections::BTreeSet;

use crate::base::{Name, Span};
use crate::diag::{Code, Diagnostic};
use crate::ir::{Column, Entry, Expr, OnChange, Op, Stage, StageKind, Type};
use crate::syntax::ast;

use super::checker::Checker;
use super::expr::{Place, Typed};
use super::shape::{ColumnId, Shape};

/// A pipeline on its way through the stages.
pub(super) struct Flow {
    pub decl: Name,
    pub shape: Shape,
    pub stages: Vec<Stage>,
    /// The uses of transforms in which the next stage stands, outermost first.
    pub within: Vec<crate::ir::Use>,
}

impl Flow {
    /// Who the next stage's column is.
    fn id(&self, name: &Name) -> ColumnId {
        ColumnId { decl: self.decl.clone(), stage: self.stages.len() + 1, name: name.clone() }
    }

    /// Adds the stage; its output is the shape as it is now.
    fn push(&mut self, kind: StageKind, op: Op, stage: &ast::Stage) {
        let on_change = match stage.on_change.as_ref().map(|change| change.kind) {
            None => OnChange::default(),
            Some(ast::OnChangeKind::Backfill) => OnChange::Backfill,
            Some(ast::OnChangeKind::Empty) => OnChange::Empty,
            Some(ast::OnChangeKind::Reject) => OnChange::Reject,
        };
        let id = stage.id.as_ref().map(|id| id.name.clone());
        let (within, schema) = (self.within.clone(), self.shape.schema.clone());
        self.stages.push(Stage { kind, op, id, within, on_change, schema, span: stage.span });
    }
}

impl<'a> Checker<'a> {
    pub(super) fn stage(&mut self, stage: &'a ast::Stage, flow: &mut Flow) {
        self.check_stage_id(stage, flow);
        match &stage.kind {
            ast::StageKind::Where(it) => self.where_stage(it, stage, flow),
            ast::StageKind::Set(it) => self.set_stage(it, stage, flow),
            ast::StageKind::Select(it) => self.select_stage(it, stage, flow),
            ast::StageKind::Drop(it) => self.drop_stage(it, stage, flow),
            ast::StageKind::Rename(it) => self.rename_stage(it, stage, flow),
            ast::StageKind::Scan(it) => self.scan_stage(it, stage, flow),
            ast::StageKind::Window(it) => self.window_stage(it, stage, flow),
            ast::StageKind::Union(it) => self.union_stage(it, stage, flow),
            ast::StageKind::Predict(it) => self.predict_stage(it, stage, flow),
            ast::StageKind::Fill(it) => self.fill_stage(it, stage, flow),
            ast::StageKind::Unnest(it) => self.unnest_stage(it, stage, flow),
            ast::StageKind::Limit(it) => self.limit_stage(it, stage, flow),
            ast::StageKind::Sample(it) => self.sample_stage(it, stage, flow),
            ast::StageKind::Dedupe(it) => self.dedupe_stage(it, stage, flow),
            ast::StageKind::Throttle(it) => self.throttle_stage(it, stage, flow),
            ast::StageKind::Apply(it) => self.apply_stage(it, stage, flow),
            ast::StageKind::Join(it) => self.join_stage(it, stage, flow),
            ast::StageKind::Asof(it) => self.asof_stage(it, stage, flow),
            ast::StageKind::Lookup(it) => self.lookup_stage(it, stage, flow),
            ast::StageKind::Summarize(it) => self.summarize_stage(it, stage, flow),
            ast::StageKind::Top(it) => self.top_stage(it, stage, flow),
            ast::StageKind::Sort(it) => self.sort_stage(it, stage, flow),
            ast::StageKind::Resample(it) => self.resample_stage(it, stage, flow),
        }
        if !keeps_every_row(&stage.kind) {
            flow.shape.step = None;
        }
    }

    fn where_stage(&mut self, it: &'a ast::Where, stage: &'a ast::Stage, flow: &mut Flow) {
        let typed = self.typer(&flow.shape, Place::Row).expr_as(&it.condition, &Type::Bool, "`where`");
        if let Some(typed) = typed {
            flow.push(StageKind::Where, Op::Where { predicate: typed.expr }, stage);
        }
    }

    fn set_stage(&mut self, it: &'a ast::SetColumns, stage: &'a ast::Stage, flow: &mut Flow) {
        let mut entries = Vec::new();
        for entry in &it.entries {
            match entry {
                ast::Entry::Assign(assign) => {
                    self.later_was(assign.was.as_ref());
                    let typed = self.typer(&flow.shape, Place::Row).expr(&assign.value);
                    self.add_entry(&assign.name, typed, flow, &mut entries);
                }
                ast::Entry::Across(across) => {
                    for made in self.across(across, &flow.shape) {
                        let typed = self.typer(&flow.shape, Place::Row).call_on(made.column.clone(), made.function);
                        self.add_entry(&made.name, typed, flow, &mut entries);
                    }
                }
            }
        }
        flow.push(StageKind::Set, Op::Set { entries }, stage);
    }

    fn add_entry(&mut self, name: &ast::Ident, typed: Option<Typed>, flow: &mut Flow, entries: &mut Vec<Entry>) {
        if !self.is_free(name, &flow.shape) {
            return;
        }
        let Some(expr) = typed.and_then(|typed| self.settled(typed)) else {
            flow.shape.broken.insert(name.name.clone());
            return;
        };
        let from: BTreeSet<Name> = expr.columns().into_iter().collect();
        add_column(flow, name, &expr, &from);
        entries.push(Entry { name: name.name.clone(), value: expr, span: name.span });
    }

    /// May a stage make a column of this name? Else there is a message.
    pub(super) fn is_free(&mut self, name: &ast::Ident, shape: &Shape) -> bool {
        self.check_shadowing(name);
        match shape.schema.get(&name.name) {
            Some(column) => {
                let before = column.span;
                self.report(exists_already(name, before));
                false
            }
            None => true,
        }
    }

    /// A column needs a type; a null alone has none.
    pub(super) fn settled(&mut self, typed: Typed) -> Option<Expr> {
        if typed.flex == super::expr::Flex::Null {
            self.report(null_alone(typed.span()));
            return None;
        }
        Some(typed.expr)
    }

    fn check_stage_id(&mut self, stage: &ast::Stage, flow: &Flow) {
        let Some(id) = &stage.id else { return };
        let is_called_so = |other: &&Stage| other.id.as_ref() == Some(&id.name) && other.within == flow.within;
        if let Some(other) = flow.stages.iter().find(is_called_so) {
            let before = other.span;
            self.report(
                Diagnostic::new(Code::E0202, format!("two stages have the id `{}`", id.name))
                    .at(id.span, "once more here")
                    .at(before, "first here")
                    .help("give one of them another id"),
            );
        }
    }
}

/// Does one row come out for every row that goes in? The stages of a transform say so for themselves.
fn keeps_every_row(kind: &ast::StageKind) -> bool {
    match kind {
        ast::StageKind::Set(_)
        | ast::StageKind::Select(_)
        | ast::StageKind::Drop(_)
        | ast::StageKind::Rename(_)
        | ast::StageKind::Scan(_)
        | ast::StageKind::Predict(_)
        | ast::StageKind::Fill(_)
        | ast::StageKind::Apply(_) => true,
        ast::StageKind::Asof(it) => it.required.is_none(),
        ast::StageKind::Lookup(it) => it.required.is_none(),
        ast::StageKind::Where(_)
        | ast::StageKind::Window(_)
        | ast::StageKind::Union(_)
        | ast::StageKind::Unnest(_)
        | ast::StageKind::Limit(_)
        | ast::StageKind::Sample(_)
        | ast::StageKind::Dedupe(_)
        | ast::StageKind::Throttle(_)
        | ast::StageKind::Join(_)
        | ast::StageKind::Summarize(_)
        | ast::StageKind::Top(_)
        | ast::StageKind::Resample(_)
        | ast::StageKind::Sort(_) => false,
    }
}

fn add_column(flow: &mut Flow, name: &ast::Ident, expr: &Expr, from: &BTreeSet<Name>) {
    let column = Column { name: name.name.clone(), ty: expr.ty.clone(), nullable: expr.nullable, span: name.span };
    let id = flow.id(&name.name);
    // A plain copy of a column stays that column.
    match &expr.kind {
        crate::ir::ExprKind::Column(of) if flow.shape.lineage.contains_key(of) => {
            let lineage = flow.shape.lineage[of].clone();
            flow.shape.lineage.insert(name.name.clone(), lineage);
            flow.shape.schema.columns.push(column);
        }
        _ => flow.shape.add(column, id, from),
    }
}

/// E0203.
fn exists_already(name: &ast::Ident, before: Span) -> Diagnostic {
    let out =
        Diagnostic::new(Code::E0203, format!("there is a column `{}` already", name.name)).at(name.span, "made again here");
    let out = if before.is_empty() { out } else { out.at(before, "made here") };
    out.help("give the new one another name; a column never changes on its way, so that a name means one thing")
}

/// E0303.
fn null_alone(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0303, "a column that is always null has no type").at(span, "").help("write a value")
}
