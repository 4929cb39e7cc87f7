//! What a task learns from, and that nothing of it gives the target away.

use std::collections::BTreeSet;

use crate::base::{Name, Span};
use crate::diag::{Code, Diagnostic};
use crate::ir::{Column, TaskKind, Type};
use crate::sema::checker::Checker;
use crate::sema::columns;
use crate::sema::expr::phrase;
use crate::sema::shape::{ColumnId, Shape};
use crate::syntax::ast;

use super::Aim;

impl<'a> Checker<'a> {
    /// In the order of the stream's columns; none after a message.
    pub(super) fn features(
        &mut self,
        task: &'a ast::Task,
        aim: &Aim,
        shape: &Shape,
        not_features: BTreeSet<Name>,
    ) -> Option<Vec<(Column, ColumnId)>> {
        let chosen = match &task.features {
            Some(set) => self.named_features(set, aim, shape),
            None => self.default_features(task, aim, shape, &not_features),
        };
        let mut sound = true;
        for (name, span) in &chosen {
            let Some(column) = shape.get(name) else { continue };
            if let Some(diagnostic) = unusable(column, *span).or_else(|| leak(column, *span, aim, shape, task)) {
                self.report(diagnostic);
                sound = false;
            }
        }
        if chosen.is_empty() && !shape.open && shape.broken.is_empty() {
            self.report(no_features(task));
            return None;
        }
        let of_shape = shape.schema.visible().filter(|column| chosen.iter().any(|(name, _)| *name == column.name));
        let features = of_shape.filter_map(|column| Some((column.clone(), shape.id_of(&column.name)?.clone()))).collect();
        (sound && !shape.open).then_some(features)
    }

    /// A list means what it says; `all` and `matching` mean what may be a feature, so neither the target nor times.
    fn named_features(&mut self, set: &ast::ColumnSet, aim: &Aim, shape: &Shape) -> Vec<(Name, Span)> {
        let mut chosen = columns::resolve(set, shape, &mut self.findings);
        if !matches!(set.kind, ast::ColumnSetKind::List(_)) {
            let may_be = |column: &Column| can_be_learned_from(&column.ty) && !is_target(column, aim, shape);
            chosen.retain(|(name, _)| shape.get(name).is_some_and(may_be));
        }
        chosen
    }

    /// All but the target, the truth, times, keys and groups, and what cannot be learned from.
    fn default_features(&self, task: &ast::Task, aim: &Aim, shape: &Shape, not_features: &BTreeSet<Name>) -> Vec<(Name, Span)> {
        let is_default = |column: &&Column| {
            let Some(id) = shape.id_of(&column.name) else { return false };
            let is_key = shape.keys.contains(id) || shape.schema.clock_by.contains(&column.name);
            !is_target(column, aim, shape)
                && !is_key
                && !shape.aside.contains(id)
                && !not_features.contains(&column.name)
                && shape.schema.time.as_ref() != Some(&column.name)
                && can_be_learned_from(&column.ty)
        };
        shape.schema.visible().filter(is_default).map(|column| (column.name.clone(), task.from.span)).collect()
    }
}

/// Is it the target, or a part of it? Of a forecast the target is a later value, so its column is a feature.
fn is_target(column: &Column, aim: &Aim, shape: &Shape) -> bool {
    let is_part = shape.id_of(&column.name).is_some_and(|id| aim.ids.contains(id));
    is_part && !matches!(aim.kind, TaskKind::Forecast { .. })
}

fn can_be_learned_from(ty: &Type) -> bool {
    match ty {
        Type::Bool | Type::Int | Type::Float(_) | Type::Text | Type::Duration | Type::Enum(_) | Type::Tensor(_) => true,
        Type::Time | Type::Bytes | Type::Signal(_) | Type::List(_) => false,
    }
}

/// E0502.
fn unusable(column: &Column, span: Span) -> Option<Diagnostic> {
    if can_be_learned_from(&column.ty) {
        return None;
    }
    let name = &column.name;
    let help = match column.ty {
        Type::Time => format!("take a part of it first: `| set {{ hour = hour({name}) }}`"),
        _ => "leave it out".to_owned(),
    };
    let message = format!("nothing can be learned from `{name}`, which is {}", phrase(&column.ty));
    Some(Diagnostic::new(Code::E0502, message).at(span, "").help(help))
}

/// E0503: a value of the same row that holds the target, or a part of it.
fn leak(column: &Column, span: Span, aim: &Aim, shape: &Shape, task: &ast::Task) -> Option<Diagnostic> {
    let lineage = shape.lineage.get(&column.name)?;
    let shared = lineage.now.iter().find(|id| aim.ids.contains(*id))?;
    let (name, target) = (&column.name, &aim.target.column);
    let is_itself = *name == target.name && aim.target.value.is_none();
    let message = match is_itself {
        true => format!("`{name}` is the target, so it cannot be a feature"),
        false => format!("the feature `{name}` gives the target `{}` away", target.name),
    };
    let mut out = Diagnostic::new(Code::E0503, message);
    out = match (is_itself, task.features.is_some()) {
        (true, _) => out.at(span, "known only afterwards"),
        (false, true) => out.at(span, "not known before the target is"),
        (false, false) => out.at(task.head.name.span, "learns from all columns but the target"),
    };
    if !column.span.is_empty() && column.span != span && !is_itself {
        let made = match lineage.id == *shared {
            true => "the target is made of it".to_owned(),
            false => format!("made with `{}` of the same row", shared.name),
        };
        out = out.at(column.span, made);
    }
    out = out.at(aim.span, "the target");
    Some(out.help(match is_itself {
        true => "remove it; an earlier row's is allowed: `| scan { before = previous(…) }`".to_owned(),
        false => {
            format!("leave `{name}` out with `features all except [{name}]`, or use an earlier row's value with `previous`")
        }
    }))
}

/// E0508.
fn no_features(task: &ast::Task) -> Diagnostic {
    Diagnostic::new(Code::E0508, format!("the task `{}` has nothing to learn from", task.head.name.name))
        .at(task.features.as_ref().map_or(task.from.span, |features| features.span), "no column is left")
        .help("keys, times and the target are no features by themselves; name columns with `features [a, b]`")
}
