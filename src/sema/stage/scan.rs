//! `scan by K { … }`: running expressions per key.

use std::collections::BTreeSet;

use crate::base::Name;
use crate::diag::{Code, Diagnostic};
use crate::ir::{Expr, ExprKind, Op, Running, RunningCall, ScanEntry, StageKind};
use crate::sema::checker::Checker;
use crate::sema::columns;
use crate::sema::expr::{Place, Typed};
use crate::sema::shape::Shape;
use crate::syntax::ast;

use super::{Flow, add_column};

impl<'a> Checker<'a> {
    pub(super) fn scan_stage(&mut self, it: &'a ast::Scan, stage: &'a ast::Stage, flow: &mut Flow) {
        let by = self.keys(it.by.as_ref(), stage, flow);
        let mut entries = Vec::new();
        for entry in &it.entries {
            match entry {
                ast::Entry::Assign(assign) => {
                    self.later_was(assign.was.as_ref());
                    let mut typer = self.typer(&flow.shape, Place::Scan);
                    let typed = typer.expr(&assign.value);
                    let calls = std::mem::take(&mut typer.calls).running;
                    self.scan_entry(&assign.name, typed, calls, flow, &mut entries);
                }
                ast::Entry::Across(across) => {
                    for made in self.across(across, &flow.shape) {
                        let mut typer = self.typer(&flow.shape, Place::Scan);
                        let typed = typer.call_on(made.column.clone(), made.function);
                        let calls = std::mem::take(&mut typer.calls).running;
                        self.scan_entry(&made.name, typed, calls, flow, &mut entries);
                    }
                }
            }
        }
        if let Some(by) = by {
            flow.push(StageKind::Scan, Op::Scan { by, entries }, stage);
        }
    }

    fn scan_entry(
        &mut self,
        name: &ast::Ident,
        typed: Option<Typed>,
        calls: Vec<RunningCall>,
        flow: &mut Flow,
        entries: &mut Vec<ScanEntry>,
    ) {
        if !self.is_free(name, &flow.shape) {
            return;
        }
        let Some(value) = typed.and_then(|typed| self.settled(typed)) else {
            flow.shape.broken.insert(name.name.clone());
            return;
        };
        let from = now_columns(&value, &calls);
        add_column(flow, name, &value, &from);
        entries.push(ScanEntry { name: name.name.clone(), calls, value, span: name.span });
    }

    /// The columns behind `by`, which become keys of the pipeline.
    pub(super) fn keys(&mut self, by: Option<&'a ast::Keys>, stage: &ast::Stage, flow: &mut Flow) -> Option<Vec<Name>> {
        let keys = match by {
            Some(by) => columns::keys(by, &flow.shape, &mut self.findings)?,
            None => Vec::new(),
        };
        for key in &keys {
            let id = flow.shape.id_of(key).cloned();
            flow.shape.keys.extend(id);
        }
        self.keeps_clocks_apart(&keys, by, stage, flow);
        Some(keys)
    }

    /// E0404 where a key that has a clock of its own is missing.
    pub(super) fn keeps_clocks_apart(&mut self, keys: &[Name], by: Option<&ast::Keys>, stage: &ast::Stage, flow: &Flow) {
        if let Some(missing) = flow.shape.schema.clock_by.iter().find(|clock| !keys.contains(clock)) {
            let diagnostic = clocks_mixed(missing, by, stage, &flow.shape);
            self.report(diagnostic);
        }
    }
}

/// The columns whose value of the *same row* is part of the result. What an earlier row had is not.
fn now_columns(value: &Expr, calls: &[RunningCall]) -> BTreeSet<Name> {
    let mut out = BTreeSet::new();
    let mut slots = Vec::new();
    collect(value, &mut out, &mut slots);
    while let Some(nth) = slots.pop() {
        let Some(call) = calls.get(nth) else { continue };
        if !looks_back(call.function) {
            call.args.iter().for_each(|arg| collect(arg, &mut out, &mut slots));
        }
    }
    out
}

fn collect(expr: &Expr, columns: &mut BTreeSet<Name>, slots: &mut Vec<usize>) {
    expr.walk(&mut |part| match &part.kind {
        ExprKind::Column(name) => {
            columns.insert(name.clone());
        }
        ExprKind::Slot(nth) => slots.push(*nth),
        _ => {}
    });
}

/// Does it give what earlier rows had, and nothing of this one?
fn looks_back(function: Running) -> bool {
    match function {
        Running::Previous | Running::Lag => true,
        Running::Ewma
        | Running::Rate
        | Running::Since
        | Running::Changed
        | Running::For
        | Running::Hysteresis
        | Running::CumulativeCount
        | Running::CumulativeSum
        | Running::CumulativeMean
        | Running::CumulativeMin
        | Running::CumulativeMax => false,
    }
}

/// E0404.
fn clocks_mixed(key: &str, by: Option<&ast::Keys>, stage: &ast::Stage, shape: &Shape) -> Diagnostic {
    let span = by.map_or(stage.span, |by| by.span);
    let out = Diagnostic::new(Code::E0404, format!("each `{key}` has a clock of its own, and this stage would mix them"))
        .at(span, if by.is_some() { "without it" } else { "no `by`" });
    let out = match shape.schema.get(key) {
        Some(column) => out.at(column.span, "the source's `time … by` names it"),
        None => out,
    };
    match by {
        None => out.help(format!("write `by {key}`")),
        Some(_) => out.help(format!("add `{key}` to the keys")),
    }
}
