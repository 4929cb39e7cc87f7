//! `fill { a = E }`, which replaces nulls, and `unnest c`, which makes a row of each value in a list.

use std::collections::BTreeSet;

use crate::base::{Name, Span};
use crate::diag::{Code, Diagnostic};
use crate::ir::{Column, Entry, Expr, ExprKind, Op, StageKind, Type};
use crate::sema::checker::Checker;
use crate::sema::columns;
use crate::sema::expr::{Place, phrase};
use crate::sema::shape::Lineage;
use crate::syntax::ast;

use super::Flow;

impl<'a> Checker<'a> {
    /// Values see the row as it came in, nulls and all; a filled column is a new one in the place of the old.
    pub(super) fn fill_stage(&mut self, it: &'a ast::Fill, stage: &'a ast::Stage, flow: &mut Flow) {
        let mut entries: Vec<Entry> = Vec::new();
        for assign in &it.entries {
            self.later_was(assign.was.as_ref());
            let Some(name) = columns::one(&assign.name, &flow.shape, &mut self.findings) else { continue };
            if let Some(before) = entries.iter().find(|entry| entry.name == name) {
                let diagnostic = filled_twice(&assign.name, before.span);
                self.report(diagnostic);
                continue;
            }
            let Some(column) = flow.shape.get(&name).cloned() else { continue };
            let typed = self.typer(&flow.shape, Place::Row).expr_as(&assign.value, &column.ty, "`fill`");
            if let Some(value) = typed.map(|typed| typed.expr) {
                entries.push(filled(&assign.name, &column, value));
            }
        }
        let made: Vec<(Column, Lineage)> = entries.iter().filter_map(|entry| flow.remade(&entry.name, &entry.value)).collect();
        made.into_iter().for_each(|(column, lineage)| flow.replace(column, lineage));
        flow.push(StageKind::Fill, Op::Fill { entries }, stage);
    }

    pub(super) fn unnest_stage(&mut self, it: &'a ast::Unnest, stage: &'a ast::Stage, flow: &mut Flow) {
        let Some(name) = columns::one(&it.column, &flow.shape, &mut self.findings) else { return };
        let Some(column) = flow.shape.get(&name).cloned() else { return };
        let Type::List(item) = column.ty.clone() else {
            self.report(no_list(&it.column, &column));
            flow.shape.broken.insert(name);
            return;
        };
        let value = Expr { kind: ExprKind::Column(name.clone()), ty: *item, nullable: true, span: it.column.span };
        if let Some((column, lineage)) = flow.remade(&name, &value) {
            flow.replace(column, lineage);
        }
        flow.push(StageKind::Unnest, Op::Unnest { column: name }, stage);
    }
}

impl Flow {
    /// The column as this stage makes it anew, of this type.
    pub(super) fn remade(&self, name: &Name, value: &Expr) -> Option<(Column, Lineage)> {
        let before = self.shape.schema.get(name)?;
        let column = Column { ty: value.ty.clone(), nullable: value.nullable, ..before.clone() };
        let (id, from) = (self.id(name), value.columns().into_iter().collect::<BTreeSet<Name>>());
        let now = self.shape.now_of(&from).chain([id.clone()]).collect();
        Some((column, Lineage { id, now }))
    }

    pub(super) fn replace(&mut self, column: Column, lineage: Lineage) {
        self.shape.lineage.insert(column.name.clone(), lineage);
        if let Some(place) = self.shape.schema.columns.iter_mut().find(|place| place.name == column.name) {
            *place = column;
        }
    }
}

fn filled(name: &ast::Ident, column: &Column, value: Expr) -> Entry {
    let old =
        Expr { kind: ExprKind::Column(column.name.clone()), ty: column.ty.clone(), nullable: column.nullable, span: name.span };
    let nullable = column.nullable && value.nullable;
    let kind = ExprKind::Coalesce(Box::new(old), Box::new(value));
    let value = Expr { kind, ty: column.ty.clone(), nullable, span: name.span };
    Entry { name: column.name.clone(), value, span: name.span }
}

/// E0202.
fn filled_twice(name: &ast::Ident, before: Span) -> Diagnostic {
    Diagnostic::new(Code::E0202, format!("`{}` is filled twice", name.name))
        .at(name.span, "once more")
        .at(before, "first here")
        .help(format!("say it in one: `{} = first else second`", name.name))
}

/// E0303.
fn no_list(name: &ast::Ident, column: &Column) -> Diagnostic {
    let message = format!("`unnest` needs a list, and `{}` is {}", name.name, phrase(&column.ty));
    let out = Diagnostic::new(Code::E0303, message).at(name.span, "one value a row already");
    let out = if column.span.is_empty() { out } else { out.at(column.span, format!("`{}` here", column.ty)) };
    out.help("declare the column as `list<…>`, or leave the stage out")
}
