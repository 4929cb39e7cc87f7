//! Metrics: which there are, of which tasks, and in which unit their bounds are.

use crate::base::{Duration, Name, Span, Unit};
use crate::diag::{Code, Diagnostic};
use crate::ir::{BinaryOp, Measures, Metric, MetricKind, TaskKind, Type, Value};
use crate::sema::checker::Checker;
use crate::sema::expr::not_an_item;
use crate::sema::findings::unknown;
use crate::syntax::ast;

use super::Judged;

impl<'a> Checker<'a> {
    pub(super) fn metric(&mut self, metric: &'a ast::Metric, judged: &Judged) -> Option<Metric> {
        let name = path(metric);
        let Some(kind) = MetricKind::named(&name) else {
            let span = metric.path.first()?.span.to(metric.path.last()?.span);
            self.report(unknown_metric(&name, span));
            return None;
        };
        if let Some(diagnostic) = unsuitable(kind, judged, metric.span) {
            self.report(diagnostic);
            return None;
        }
        let class = self.metric_class(metric, kind, judged)?;
        Some(Metric { kind, class })
    }

    /// `recall("fall")`: a class of the target.
    fn metric_class(&mut self, metric: &'a ast::Metric, kind: MetricKind, judged: &Judged) -> Option<Option<Name>> {
        let Some(arg) = metric.args.first() else { return Some(None) };
        if !kind.is_of_a_class() || metric.args.len() > 1 {
            self.report(no_class_here(kind, arg.span));
            return None;
        }
        match judged.target.clone() {
            None => Some(Some(self.globals.text(arg.span).trim_matches('"').into())),
            Some(Type::Enum(items)) => {
                let Value::Text(text) = self.constant(&arg.value, &Type::Text, "a class")? else { return None };
                if items.iter().any(|item| item.text == text) {
                    return Some(Some(text));
                }
                let mut diagnostic = not_an_item(&text, &items, arg.value.span);
                diagnostic.code = Code::E0602;
                diagnostic.message = format!("the target has no class {text:?}");
                self.report(diagnostic);
                None
            }
            Some(ty) => match self.constant(&arg.value, &ty, "a class")? {
                Value::Text(text) => Some(Some(text)),
                other => Some(Some(other.to_string().into())),
            },
        }
    }

    /// A bound in the metric's own unit: shares in 0..1, seconds, bytes, the unit of the target.
    pub(super) fn bound(&mut self, expr: &'a ast::Expr, kind: Option<MetricKind>, judged: &Judged) -> Option<f64> {
        let Some(kind) = kind else {
            self.constant_typed(expr, "a bound");
            return None;
        };
        match kind.facts().measures {
            Measures::Time => match self.constant(expr, &Type::Duration, "this bound")? {
                Value::Duration(bound) => Some(bound.seconds()),
                _ => None,
            },
            Measures::Bytes => {
                let bytes = self.globals.library.units.get("B").cloned().unwrap_or_else(Unit::one);
                self.constant(expr, &Type::Float(bytes), "this bound")?.as_f64()
            }
            Measures::Error => match &judged.target {
                Some(ty @ Type::Float(unit)) => {
                    // An error is a difference: K for degC.
                    let ty = if unit.has_offset() { Type::Float(unit.of_difference()) } else { ty.clone() };
                    self.constant(expr, &ty, "this bound")?.as_f64()
                }
                _ => self.any_figure(expr),
            },
            Measures::Alarms | Measures::Other => self.any_figure(expr),
            Measures::Classes | Measures::Probabilities | Measures::RelativeError => self.number(expr, "this bound"),
        }
    }

    /// Where the unit is not known, the figure as it is written.
    fn any_figure(&mut self, expr: &'a ast::Expr) -> Option<f64> {
        let typed = self.constant_typed(expr, "a bound")?;
        match crate::sema::expr::value_of(&typed.expr)? {
            Value::Duration(duration) => Some(duration.seconds()),
            value => value.as_f64(),
        }
    }

    /// `false_alarms per 1d`: bounds are kept per day.
    pub(super) fn alarms_per_day(&mut self, metric: &'a ast::Metric) -> f64 {
        const DAY: Duration = Duration(86_400_000_000);
        let per = metric.per.as_ref().and_then(|per| self.positive_duration(per, "`per`"));
        per.map_or(1.0, |per| DAY.seconds() / per.seconds())
    }
}

pub(super) fn path(metric: &ast::Metric) -> String {
    metric.path.iter().map(|part| part.name.as_str()).collect::<Vec<_>>().join(".")
}

/// E0201.
fn unknown_metric(name: &str, span: Span) -> Diagnostic {
    let known = MetricKind::all().map(MetricKind::name);
    let mut out = unknown("metric", name, span, known);
    out.help.get_or_insert_with(|| match name {
        "latency" => "write `latency.p99` or `latency.p50`".to_owned(),
        "size" => "write `model.size`".to_owned(),
        "error" => "write `mae`, `rmse` or `log_loss`".to_owned(),
        _ => "such as `accuracy`, `macro_f1`, `recall(\"c\")`, `mae`, `rmse`, `latency.p99`, `memory`, `model.size`".to_owned(),
    });
    out
}

/// E0601: the metric measures another kind of task.
fn unsuitable(kind: MetricKind, judged: &Judged, span: Span) -> Option<Diagnostic> {
    let task_kind = judged.kind?;
    let of_classes = matches!(task_kind, TaskKind::Classify | TaskKind::Detect { .. });
    let (fits, instead) = match kind.facts().measures {
        Measures::Classes => (of_classes, "`mae`, `rmse`, `r2` or `skill`"),
        Measures::Probabilities => (task_kind == TaskKind::Classify, "`mae`, `rmse`, `r2` or `skill`"),
        Measures::Error | Measures::RelativeError => (!of_classes, "`accuracy`, `macro_f1`, `recall(…)` or `log_loss`"),
        Measures::Alarms => (matches!(task_kind, TaskKind::Detect { .. }), "a metric of the answers"),
        Measures::Time | Measures::Bytes | Measures::Other => (true, ""),
    };
    let task = judged.task.as_ref().map_or(String::new(), |task| format!(" `{task}`"));
    if !fits {
        let message = format!("`{}` does not measure the task{task}, which predicts {}", kind.name(), predicts(&task_kind));
        return Some(Diagnostic::new(Code::E0601, message).at(span, "").help(format!("use {instead}")));
    }
    let needs_truth = matches!(kind.facts().measures, Measures::Classes | Measures::Alarms);
    if needs_truth && !judged.has_truth {
        let message = format!("`{}` needs to know what was true, and the task{task} has no `truth`", kind.name());
        return Some(Diagnostic::new(Code::E0601, message).at(span, "").help("add `truth COLUMN` to the task"));
    }
    None
}

fn predicts(kind: &TaskKind) -> &'static str {
    match kind {
        TaskKind::Classify => "classes",
        TaskKind::Regress | TaskKind::Forecast { .. } => "numbers",
        TaskKind::Detect { .. } => "anomalies",
        TaskKind::Rank => "an order",
    }
}

/// E0602.
fn no_class_here(kind: MetricKind, span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0602, format!("`{}` is not of one class", kind.name()))
        .at(span, "")
        .help("remove it; `f1`, `precision` and `recall` take a class, such as `recall(\"fall\")`")
}

/// W0601.
pub(super) fn never_broken(metric: &Metric, op: BinaryOp, bound: f64, span: Span) -> Option<Diagnostic> {
    let highest = match metric.kind.facts().measures {
        Measures::Classes => 1.0,
        Measures::Probabilities
        | Measures::Error
        | Measures::RelativeError
        | Measures::Time
        | Measures::Bytes
        | Measures::Alarms
        | Measures::Other => f64::INFINITY,
    };
    let lowest = if matches!(metric.kind, MetricKind::R2 | MetricKind::Skill) { f64::NEG_INFINITY } else { 0.0 };
    let holds = match op {
        BinaryOp::Ge => bound <= lowest,
        BinaryOp::Gt => bound < lowest,
        BinaryOp::Le => bound >= highest,
        BinaryOp::Lt => bound > highest,
        BinaryOp::Eq
        | BinaryOp::Ne
        | BinaryOp::Or
        | BinaryOp::And
        | BinaryOp::Add
        | BinaryOp::Sub
        | BinaryOp::Mul
        | BinaryOp::Div
        | BinaryOp::Pow => false,
    };
    holds.then(|| {
        Diagnostic::new(Code::W0601, format!("`{}` can never break this requirement", metric.kind.name()))
            .at(span, "always true")
            .help("remove it, or write a bound that means something")
    })
}
