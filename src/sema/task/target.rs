//! What a task predicts.

use std::collections::BTreeSet;

use crate::base::{Duration, Name, Span};
use crate::diag::{Code, Diagnostic};
use crate::ir::{Column, Expr, ExprKind, PATH_STEPS_MAX, Target, TaskKind, Type, Value};
use crate::sema::checker::Checker;
use crate::sema::columns;
use crate::sema::expr::{Place, phrase};
use crate::sema::findings::not_yet;
use crate::sema::shape::Shape;
use crate::syntax::ast;

use super::Aim;

/// What is flagged where nothing else is said.
const FLAG_DEFAULT: f64 = 0.01;

impl<'a> Checker<'a> {
    /// None after a message.
    pub(super) fn aim(&mut self, task: &'a ast::Task, shape: &mut Shape) -> Option<Aim> {
        match &task.goal {
            ast::Goal::Classify(target) => self.learned(target, TaskKind::Classify, shape),
            ast::Goal::Regress(target) => self.learned(target, TaskKind::Regress, shape),
            ast::Goal::Forecast(forecast) => self.forecast(forecast, task, shape),
            ast::Goal::Detect => self.detect(task, shape),
            ast::Goal::Rank(target) => {
                self.report(not_yet("a `rank` task", task.goal_span, "regress the score instead"));
                self.learned(target, TaskKind::Rank, shape);
                None
            }
        }
    }

    fn learned(&mut self, target: &'a ast::Target, kind: TaskKind, shape: &mut Shape) -> Option<Aim> {
        self.later_was(target.was.as_ref());
        let aim = match &target.value {
            None => {
                let name = columns::one(&target.name, shape, &mut self.findings)?;
                let column = shape.get(&name)?.clone();
                let ids = shape.lineage.get(&name).map(|lineage| lineage.now.clone()).unwrap_or_default();
                Aim { kind, target: Target { column, value: None }, ids, span: target.span }
            }
            Some(value) => self.computed(target, value, kind, shape)?,
        };
        let fits = match kind {
            TaskKind::Classify => aim.target.column.ty.is_discrete(),
            _ => aim.target.column.ty.is_number(),
        };
        if !fits {
            self.report(wrong_target(&aim));
            return None;
        }
        Some(aim)
    }

    /// `name = EXPR`: every column in it is the target.
    fn computed(&mut self, target: &'a ast::Target, value: &'a ast::Expr, kind: TaskKind, shape: &Shape) -> Option<Aim> {
        let typed = self.typer(shape, Place::Row).expr(value);
        let free = self.is_free(&target.name, shape);
        let value = typed.and_then(|typed| self.settled(typed))?;
        if !free {
            return None;
        }
        let from: BTreeSet<Name> = value.columns().into_iter().collect();
        let ids = shape.now_of(&from).collect();
        let column =
            Column { name: target.name.name.clone(), ty: value.ty.clone(), nullable: value.nullable, span: target.name.span };
        Some(Aim { kind, target: Target { column, value: Some(value) }, ids, span: target.span })
    }

    fn forecast(&mut self, forecast: &'a ast::Forecast, task: &'a ast::Task, shape: &Shape) -> Option<Aim> {
        const WHAT: &str = "how far ahead the forecast looks";
        let kind = match &forecast.horizon {
            ast::Horizon::Ahead(ahead) => {
                self.positive_duration(ahead, WHAT).map(|ahead| TaskKind::Forecast { ahead, every: None })
            }
            ast::Horizon::Next { length, every } => {
                let ahead = self.positive_duration(length, WHAT);
                let step = self.positive_duration(every, "the distance of the steps");
                ahead.zip(step).and_then(|(ahead, step)| self.path(ahead, step, length.span.to(every.span)))
            }
        };
        let name = columns::one(&forecast.column, shape, &mut self.findings)?;
        let column = shape.get(&name)?.clone();
        if shape.schema.time.is_none() && !shape.open {
            self.report(forecast_without_time(task.goal_span));
        }
        let aim = Aim { kind: kind?, target: Target { column, value: None }, ids: BTreeSet::new(), span: forecast.column.span };
        if !aim.target.column.ty.is_number() {
            self.report(wrong_target(&aim));
            return None;
        }
        Some(aim)
    }

    /// E0309 where the steps do not end where the path does, are too many, or only one.
    fn path(&mut self, ahead: Duration, every: Duration, span: Span) -> Option<TaskKind> {
        let steps = ahead.0 / every.0;
        if ahead.0 % every.0 != 0 {
            self.report(uneven_path(ahead, every, span));
            return None;
        }
        if steps == 1 {
            self.report(one_step(ahead, span));
            return None;
        }
        if steps > PATH_STEPS_MAX as i64 {
            self.report(long_path(steps, span));
            return None;
        }
        Some(TaskKind::Forecast { ahead, every: Some(every) })
    }

    fn detect(&mut self, task: &'a ast::Task, shape: &Shape) -> Option<Aim> {
        let flag = task.flag.as_ref().map_or(Some(FLAG_DEFAULT), |flag| self.share(flag, "the share to flag"));
        let kind = TaskKind::Detect { flag: flag? };
        let Some(truth) = &task.truth else {
            return Some(Aim { kind, target: no_truth(task.goal_span), ids: BTreeSet::new(), span: task.goal_span });
        };
        let name = columns::one(truth, shape, &mut self.findings)?;
        let column = shape.get(&name)?.clone();
        if column.ty != Type::Bool {
            self.report(truth_is_bool(truth, &column));
            return None;
        }
        let ids = shape.lineage.get(&name).map(|lineage| lineage.now.clone()).unwrap_or_default();
        Some(Aim { kind, target: Target { column, value: None }, ids, span: truth.span })
    }
}

/// Without `truth` the target is null for every row.
fn no_truth(span: Span) -> Target {
    let value = Expr { kind: ExprKind::Literal(Value::Null), ty: Type::Bool, nullable: true, span };
    Target { column: Column { name: "truth".into(), ty: Type::Bool, nullable: true, span }, value: Some(value) }
}

/// E0501.
fn wrong_target(aim: &Aim) -> Diagnostic {
    let Column { name, ty, span, .. } = &aim.target.column;
    let (verb, wants, help) = match aim.kind {
        TaskKind::Classify if ty.is_number() => {
            ("classify", "true or false, a text or an enum", format!("write `regress {name}` to predict the number"))
        }
        TaskKind::Classify => {
            ("classify", "true or false, a whole number, a text or an enum", "choose another target".to_owned())
        }
        TaskKind::Regress if ty.is_discrete() => {
            ("regress", "numbers", format!("write `classify {name}` to predict which it is"))
        }
        TaskKind::Regress => ("regress", "numbers", "choose another target".to_owned()),
        TaskKind::Forecast { .. } => {
            ("forecast", "numbers", "forecast a column of numbers, such as `if x then 1 else 0`".to_owned())
        }
        TaskKind::Rank => ("rank", "numbers", "choose another target".to_owned()),
        TaskKind::Detect { .. } => ("detect", "no target", "remove it".to_owned()),
    };
    let out = Diagnostic::new(Code::E0501, format!("`{verb}` predicts {wants}, and `{name}` is {}", phrase(ty)))
        .at(aim.span, "the target");
    let out = if span.is_empty() || *span == aim.span { out } else { out.at(*span, format!("`{ty}` here")) };
    out.help(help)
}

/// E0402.
fn forecast_without_time(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0402, "a forecast needs to know when each row happened")
        .at(span, "these rows have no time")
        .help("give the source a `time`, such as `time at` or `time every 30min from @2026-01-01T00:00:00Z`")
}

/// E0309.
fn uneven_path(ahead: Duration, every: Duration, span: Span) -> Diagnostic {
    let whole = Duration(ahead.0 / every.0 * every.0);
    let help = match whole.0 {
        0 => format!("write `next {every} every {every}`, or take shorter steps"),
        _ => format!("write `next {whole} every {every}`"),
    };
    Diagnostic::new(Code::E0309, format!("steps of {every} do not end at {ahead}")).at(span, "").help(help)
}

/// E0309.
fn one_step(ahead: Duration, span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0309, "a path of one step is one value").at(span, "").help(format!("write `{ahead} ahead`"))
}

/// E0309.
fn long_path(steps: i64, span: Span) -> Diagnostic {
    let message = format!("a path has at most {PATH_STEPS_MAX} steps, and this one has {steps}");
    Diagnostic::new(Code::E0309, message)
        .at(span, "each step has a model of its own")
        .help("take longer steps, or look less far ahead")
}

/// E0501.
fn truth_is_bool(truth: &ast::Ident, column: &Column) -> Diagnostic {
    Diagnostic::new(
        Code::E0501,
        format!("the truth of a detection is true or false, and `{}` is {}", truth.name, phrase(&column.ty)),
    )
    .at(truth.span, "")
    .at(column.span, format!("`{}` here", column.ty))
    .help(format!("declare it as `bool`, or make such a column first: `| set {{ odd = {} != 0 }}`", truth.name))
}
