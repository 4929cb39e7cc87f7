//! Tasks with their policies, in the parts that change for different reasons.

use serde_json::json;

use crate::base::{Hash, Name};
use crate::ir::{Choice, Column, Expr, HoldOut, Override, Per, Policy, Requirement, Start, Target, Task, TaskKind};
use crate::plan::{Graph, Hashes, Learn, NodeKey, NodeOp, NodeSpec, Slot};

use super::Marks;
use super::form::{self, Form};
use super::values::{Columns, Values};

/// A task in parts; `plan` names those that differ. The names of the task, its stream and its policy are in none.
#[derive(Clone, PartialEq, serde::Serialize)]
pub struct Forms {
    /// What kind of answer it gives: models of another kind cannot be read.
    pub answer: Form,
    /// What it predicts, by name.
    pub target: Form,
    pub features: Form,
    /// From which rows it learns, and how.
    pub rows: Form,
    pub models: Form,
    /// Goal and requirements, also those of `when` clauses.
    pub choice: Form,
    pub search: Form,
    pub validate: Form,
    /// When it retrains, promotes and rolls back.
    pub acts: Form,
}

pub fn forms(learn: &Learn) -> Forms {
    let Learn { task, policy } = learn;
    let Task {
        name: _,
        kind,
        target,
        from: _,
        series,
        features,
        hold_out,
        group,
        start,
        balance,
        weights,
        per,
        models,
        history,
        policy: _,
        span: _,
    } = task;
    let Policy { name: _, choice, search, validate, seed, retrain, promote, rollback, overrides, span: _, places: _ } = policy;
    let see = &form::by_name;
    Forms {
        answer: answer(kind, target),
        target: json!([ahead(kind), target.column.name, target.value.as_ref().map(|value| form::expr(value, see))]),
        features: json!(features.iter().map(form::column).collect::<Vec<_>>()),
        rows: json!([
            series,
            hold_out_form(hold_out),
            group,
            start_form(start),
            balance,
            weights,
            per_form(per),
            history,
            flag(kind)
        ]),
        models: json!(models),
        choice: json!([choice_form(choice), overrides.iter().map(override_form).collect::<Vec<_>>()]),
        search: json!([search, seed]),
        validate: json!(validate),
        acts: json!([retrain, promote, rollback]),
    }
}

fn answer(kind: &TaskKind, target: &Target) -> Form {
    let kind = match kind {
        TaskKind::Classify => "classify",
        TaskKind::Regress => "regress",
        TaskKind::Forecast { every: None, .. } => "forecast",
        TaskKind::Forecast { every: Some(_), .. } => "forecast path",
        TaskKind::Detect { .. } => "detect",
        TaskKind::Rank => "rank",
    };
    json!([kind, form::ty(&target.column.ty)])
}

fn ahead(kind: &TaskKind) -> Form {
    match kind {
        TaskKind::Forecast { ahead, every: None } => json!(ahead),
        TaskKind::Forecast { ahead, every: Some(every) } => json!([ahead, every]),
        TaskKind::Classify | TaskKind::Regress | TaskKind::Detect { .. } | TaskKind::Rank => Form::Null,
    }
}

fn flag(kind: &TaskKind) -> Form {
    match kind {
        TaskKind::Detect { flag } => json!(flag),
        TaskKind::Classify | TaskKind::Regress | TaskKind::Forecast { .. } | TaskKind::Rank => Form::Null,
    }
}

fn hold_out_form(hold_out: &Option<HoldOut>) -> Form {
    match hold_out {
        None => Form::Null,
        Some(HoldOut::Where(condition)) => json!({ "where": form::expr(condition, &form::by_name) }),
        Some(HoldOut::Last(share)) => json!({ "last": share }),
    }
}

/// The keys by name; the rows stand beside them where there are any, so that tasks without keys hash as they always did.
fn per_form(per: &Option<Per>) -> Form {
    match per {
        None => json!([]),
        Some(Per { columns, rows }) => json!([columns.iter().map(|column| &column.name).collect::<Vec<_>>(), rows]),
    }
}

fn start_form(start: &Option<Start>) -> Form {
    match start {
        None => Form::Null,
        Some(Start::Where(condition)) => json!({ "where": form::expr(condition, &form::by_name) }),
        Some(Start::First { rows, by }) => json!({ "first": [json!(rows), json!(by)] }),
    }
}

fn override_form(clause: &Override) -> Form {
    let Override { when, choice } = clause;
    json!([when, choice_form(choice)])
}

fn choice_form(choice: &Choice) -> Form {
    let Choice { goal, requirements } = choice;
    json!([goal, requirements.iter().map(requirement_form).collect::<Vec<_>>()])
}

/// How the author wrote it does not count.
fn requirement_form(requirement: &Requirement) -> Form {
    let Requirement { metric, op, bound, otherwise, text: _, span: _ } = requirement;
    json!([metric, op, bound, otherwise])
}

/// Its entries are its features. Its state, the models, is readable as long as it gives the same kind of answer.
pub fn task(learn: &Learn, input: &Columns) -> Marks {
    let forms = forms(learn);
    let feature = |column: &Column| {
        let sem = Hash::of(&form::column(column));
        (column.name.clone(), Hashes { sem, flow: input.of(&column.name), ..Hashes::default() })
    };
    let entries: Vec<(Name, Hashes)> = learn.task.door().map(feature).collect();
    let features: Vec<(&Name, Hash, Hash)> = entries.iter().map(|(name, hashes)| (name, hashes.sem, hashes.flow)).collect();
    let hashes = Hashes {
        sem: Hash::of(&forms),
        state: Hash::of(&("task", &forms.answer)),
        flow: Hash::of(&(features, target(learn, input))),
        wire: Hash::ZERO,
    };
    Marks { hashes, entries: entries.into_iter().collect(), made: Columns::default() }
}

/// What a task predicts, defined back to the source.
pub fn target(learn: &Learn, input: &Columns) -> Hash {
    let Target { column, value } = &learn.task.target;
    let definition = value.as_ref().map_or_else(|| input.of(&column.name), |value: &Expr| input.define(value));
    Hash::of(&(answer(&learn.task.kind, &learn.task.target), ahead(&learn.task.kind), definition))
}

/// The same, seen from a stage that predicts.
pub fn target_at(graph: &Graph, values: &Values, task: &Name) -> Hash {
    let node = graph.nodes.get(&NodeKey::of_file(task, Slot::Task));
    if let Some(NodeSpec { op: NodeOp::Task(learn), inputs, .. }) = node {
        let input = inputs.first().map(|input| values.at(graph, input)).unwrap_or_default();
        return target(learn, &input);
    }
    Hash::of(&("task", task))
}
