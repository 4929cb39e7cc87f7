//! Tasks: what is learned, from which columns, and how it is split.

mod features;
mod later;
pub(super) mod models;
mod split;
mod target;
mod train;

use std::collections::BTreeSet;
use std::rc::Rc;

use crate::base::{Name, Span};
use crate::diag::{Code, Diagnostic};
use crate::ir::{self, Column, TaskKind, Type};
use crate::syntax::ast;

use super::checker::Checker;
use super::columns;
use super::findings::{not_yet, unknown};
use super::index::Space;
use super::network::Wanted;
use super::policy::Judged;
use super::shape::{ColumnId, Shape};

/// What predictions need to know of a task.
#[derive(Clone, Debug)]
pub struct TaskShape {
    pub name: Name,
    pub kind: TaskKind,
    /// Of what it predicts.
    pub target: Type,
    /// The stream that it learns from.
    pub from: Name,
    /// What a row has to carry: the features, then what makes its key.
    pub door: Vec<(Column, ColumnId)>,
    /// Whose rows it is made of.
    pub sources: BTreeSet<Name>,
}

/// What is to be learned, before features are chosen.
pub(super) struct Aim {
    pub kind: TaskKind,
    pub target: ir::Target,
    /// Columns that are the target, or of which it is made.
    pub ids: BTreeSet<ColumnId>,
    /// Where the target is named.
    pub span: Span,
}

impl<'a> Checker<'a> {
    /// The task, resolved at the first call; none if it has a mistake.
    pub(super) fn task(&mut self, ident: &ast::Ident) -> Option<Rc<TaskShape>> {
        self.findings.mark_used(Space::Task, &ident.name);
        if let Some(task) = self.tasks.get(&ident.name) {
            return task.clone();
        }
        if self.is_circular(Space::Task, ident) {
            return None;
        }
        let Some((task, _)) = self.globals.index.tasks.get(&ident.name).copied() else {
            if !self.globals.index.broken.contains(&ident.name) {
                let known = self.globals.index.tasks.keys().map(Name::as_str);
                self.report(unknown("task", &ident.name, ident.span, known));
            }
            return None;
        };
        self.visiting.push((Space::Task, ident.name.clone(), task.head.name.span));
        let shape = self.resolve_task(task).map(Rc::new);
        self.visiting.pop();
        self.tasks.insert(ident.name.clone(), shape.clone());
        shape
    }

    fn resolve_task(&mut self, task: &'a ast::Task) -> Option<TaskShape> {
        let (from, mut shape) = self.read(&task.from);
        self.later_was(task.head.was.as_ref());
        self.later_clauses(task);
        if task.labels.is_some() {
            // The target comes from rows that this version does not join.
            shape.open = true;
        }
        self.check_kind_clauses(task);
        let aim = self.aim(task, &mut shape);
        let series = task.by.as_ref().and_then(|by| self.series(by, task, &shape));
        let group = task.group.as_ref().and_then(|group| self.group(group, &shape));
        let per = task.per.as_ref().and_then(|per| self.per(per, &shape));
        let weights = task.weights.as_ref().and_then(|weights| self.weights(weights, &shape));
        let hold_out = task.hold_out.as_ref().map(|hold_out| self.hold_out(hold_out, &shape));
        if let (Some(group), Some(Some(split)), Some(clause)) = (&group, &hold_out, &task.hold_out) {
            self.warn_of_divided_groups(group, split, clause);
        }
        let start = task.start.as_ref().map(|start| self.start(start, &shape));
        let history = task.history.as_ref().and_then(|history| self.history(history));
        let keys = per.iter().flat_map(|per: &ir::Per| &per.columns).map(|column| &column.name);
        let not_features =
            [series.as_ref(), group.as_ref(), weights.as_ref()].into_iter().flatten().chain(keys).cloned().collect();
        let features = aim.as_ref().and_then(|aim| self.features(task, aim, &shape, not_features));
        let columns: Option<Vec<Column>> =
            features.as_ref().map(|features| features.iter().map(|(column, _)| column.clone()).collect());
        let wanted =
            aim.as_ref().map(|aim| Wanted { kind: &aim.kind, target: &aim.target.column.ty, features: columns.as_deref() });
        let models = self.models(task, wanted);
        let judged = Judged { waits: shape.waits, ..Judged::of(aim.as_ref(), task, &models) };
        let policy = self.policy_of(task, &judged);
        let (aim, features) = (aim?, features?);
        let name = task.head.name.name.clone();
        let predicted = predicted_type(&aim);
        let keys = per.iter().flat_map(|per| &per.columns);
        let keys = keys.filter_map(|column| Some((column.clone(), shape.id_of(&column.name)?.clone())));
        let door = features.iter().cloned().chain(keys).collect();
        let ir_task = ir::Task {
            name: name.clone(),
            kind: aim.kind,
            target: aim.target,
            from: from.clone(),
            series,
            features: features.iter().map(|(column, _)| column.clone()).collect(),
            hold_out: hold_out.flatten(),
            group,
            start: start.flatten(),
            balance: task.balance.is_some(),
            weights,
            per,
            models: models?,
            history,
            policy,
            span: task.head.name.span,
        };
        self.program.tasks.insert(name.clone(), ir_task);
        Some(TaskShape { name, kind: aim.kind, target: predicted, from: from.from, door, sources: shape.sources })
    }

    /// The column that tells the series of a forecast apart.
    fn series(&mut self, by: &'a ast::Keys, task: &'a ast::Task, shape: &Shape) -> Option<Name> {
        let keys = columns::keys(by, shape, &mut self.findings)?;
        if keys.len() > 1 {
            let help = "make one column of them first, with `| set { … }`";
            self.report(not_yet("`forecast … by` several columns", task.goal_span, help));
        }
        keys.into_iter().next()
    }

    fn group(&mut self, group: &'a ast::Group, shape: &Shape) -> Option<Name> {
        let keys = columns::keys(&group.by, shape, &mut self.findings)?;
        if keys.len() > 1 {
            self.report(not_yet("`group by` with several columns", group.span, "group by one of them"));
        }
        keys.into_iter().next()
    }

    fn per(&mut self, per: &'a ast::Per, shape: &Shape) -> Option<ir::Per> {
        let rows = match &per.after {
            Some(rows) => self.count(rows, 1, "the rows after which a key has a model of its own")?,
            None => ir::PER_ROWS,
        };
        let keys = self.task_keys(Some(&per.keys), shape);
        let columns: Vec<Column> = keys.iter().filter_map(|key| shape.get(key).cloned()).collect();
        (!columns.is_empty()).then_some(ir::Per { columns, rows })
    }

    fn task_keys(&mut self, keys: Option<&'a ast::Keys>, shape: &Shape) -> Vec<Name> {
        keys.and_then(|keys| columns::keys(keys, shape, &mut self.findings)).unwrap_or_default()
    }

    fn weights(&mut self, weights: &'a ast::Expr, shape: &Shape) -> Option<Name> {
        let ast::ExprKind::Name(ident) = &weights.kind else {
            self.report(not_yet("an expression for `weights`", weights.span, "make it a column first: `| set { weight = … }`"));
            return None;
        };
        let name = columns::one(ident, shape, &mut self.findings)?;
        let column = shape.get(&name)?;
        if !column.ty.is_number() {
            let diagnostic =
                Diagnostic::new(Code::E0303, "a weight is a number").at(ident.span, format!("this is `{}`", column.ty));
            self.report(diagnostic.help("use a column of numbers"));
            return None;
        }
        Some(name)
    }

    fn history(&mut self, history: &'a ast::History) -> Option<ir::History> {
        Some(match self.extent(&history.extent, "the history")? {
            ir::Amount::Rows(rows) => ir::History::Rows { rows, reservoir: history.reservoir.is_some() },
            ir::Amount::Time(time) => {
                if let Some(span) = history.reservoir {
                    self.report(reservoir_of_time(span));
                }
                ir::History::Time(time)
            }
        })
    }
}

/// A regression of whole numbers gives numbers; a path a list of them.
fn predicted_type(aim: &Aim) -> Type {
    match aim.kind {
        TaskKind::Classify => aim.target.column.ty.clone(),
        TaskKind::Detect { .. } => Type::Bool,
        TaskKind::Regress | TaskKind::Forecast { .. } | TaskKind::Rank => {
            let one = match &aim.target.column.ty {
                Type::Float(unit) => Type::Float(unit.clone()),
                _ => Type::NUMBER(),
            };
            if aim.kind.is_path() { Type::List(Box::new(one)) } else { one }
        }
    }
}

/// E0507.
fn reservoir_of_time(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0507, "a reservoir has a number of rows, not a length of time")
        .at(span, "")
        .help("write `history 1_000_000 rows reservoir`")
}
