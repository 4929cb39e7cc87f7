//! Triggers: when to act. A small grammar of its own, over metrics and host figures.

use crate::base::Span;
use crate::diag::{Code, Diagnostic};
use crate::ir::{BinaryOp, Choice, HostFigure, Measures, MetricKind, Override, Trigger};
use crate::sema::checker::Checker;
use crate::sema::findings::{not_yet, unknown};
use crate::syntax::ast;

use super::Judged;
use super::metric::path;

/// Detectors of drift by their names.
const DETECTORS: [&str; 5] = ["adwin", "ddm", "page_hinkley", "ks", "psi"];

impl<'a> Checker<'a> {
    /// None after a message.
    pub(super) fn trigger(&mut self, trigger: &'a ast::Trigger, judged: &Judged) -> Option<Trigger> {
        match &trigger.kind {
            ast::TriggerKind::Or(parts) => self.triggers(parts, judged).map(Trigger::Any),
            ast::TriggerKind::And(parts) => self.triggers(parts, judged).map(Trigger::All),
            ast::TriggerKind::Paren(inner) => self.trigger(inner, judged),
            ast::TriggerKind::Every(every) => self.positive_duration(every, "`every`").map(Trigger::Every),
            ast::TriggerKind::Drift(args) => self.drift(args),
            ast::TriggerKind::Compare(comparison) => self.measured(comparison, judged),
        }
    }

    /// `when TRIGGER { … }`: another objective or other requirements while it holds.
    pub(super) fn override_of(&mut self, when: &'a ast::When, usual: &Choice, judged: &Judged) -> Option<Override> {
        let trigger = self.trigger(&when.condition, judged);
        let mut choice = self.choice(&when.clauses, judged);
        if when.clauses.objective.is_none() {
            choice.goal = usual.goal.clone();
        }
        if let Some((word, span)) = foreign_clause(&when.clauses) {
            let help = "inside `when` stand an objective and requirements; write this one outside";
            self.report(not_yet(format!("`{word}` inside `when`"), span, help));
        }
        self.later_clauses_of_policy(&when.clauses);
        Some(Override { when: trigger?, choice })
    }

    fn triggers(&mut self, parts: &'a [ast::Trigger], judged: &Judged) -> Option<Vec<Trigger>> {
        let parts: Vec<Option<Trigger>> = parts.iter().map(|part| self.trigger(part, judged)).collect();
        parts.into_iter().collect()
    }

    fn drift(&mut self, args: &'a [ast::Arg]) -> Option<Trigger> {
        let Some((first, rest)) = args.split_first() else { return Some(Trigger::Drift { detector: None }) };
        if let Some(arg) = rest.first() {
            self.report(not_yet("an option of `drift`", arg.span, "leave it out: the documented defaults are used"));
        }
        match (&first.name, &first.value.kind) {
            (None, ast::ExprKind::Name(ident)) if DETECTORS.contains(&&*ident.name) => {
                Some(Trigger::Drift { detector: Some(ident.name.clone()) })
            }
            (None, ast::ExprKind::Name(ident)) => {
                self.report(unknown("drift detector", &ident.name, ident.span, DETECTORS));
                None
            }
            _ => {
                self.report(not_yet(
                    "an option of `drift`",
                    first.span,
                    "name a detector first, such as `drift(adwin)`, or leave it out",
                ));
                None
            }
        }
    }

    fn measured(&mut self, comparison: &'a ast::Comparison, judged: &Judged) -> Option<Trigger> {
        let ast::Comparison { metric, op, bound, held_for, .. } = comparison;
        let op = operator(*op);
        let for_ = held_for.as_ref().map_or(Some(None), |length| self.duration(length, "`for`").map(Some));
        if metric.path.first().is_some_and(|part| part.name == "host") {
            return self.host(metric, op, bound, for_?);
        }
        let over = metric.over.as_ref().map_or(Some(None), |over| self.extent(over, "`over`").map(Some));
        let resolved = self.metric(metric, judged);
        match bound {
            ast::Bound::Value(expr) => {
                let bound = self.bound(expr, resolved.as_ref().map(|metric| metric.kind), judged);
                Some(Trigger::Measured { metric: resolved?, over: over?, op, bound: bound?, for_: for_? })
            }
            ast::Bound::Champion { margin, span } => {
                if held_for.is_some() {
                    self.report(not_yet(
                        "`for` after a comparison with the champion",
                        *span,
                        "use `over` for a longer stretch",
                    ));
                }
                let by = margin.as_ref().map_or(Some(0.0), |margin| self.margin(margin));
                let metric = resolved?;
                let worse = worse_than_champion(metric.kind, op, margin.as_ref().map(|margin| margin.sign));
                if !worse {
                    self.report(better_than_champion(comparison.span));
                    return None;
                }
                Some(Trigger::BelowChampion { metric, over: over?, by: by? })
            }
        }
    }

    fn margin(&mut self, margin: &'a ast::Margin) -> Option<f64> {
        self.share(&margin.by, "the margin")
    }

    /// `host.battery < 20%`
    fn host(
        &mut self,
        metric: &'a ast::Metric,
        op: BinaryOp,
        bound: &'a ast::Bound,
        for_: Option<crate::base::Duration>,
    ) -> Option<Trigger> {
        let name = path(metric);
        let figure = match name.as_str() {
            "host.cpu" => HostFigure::Cpu,
            "host.memory" => HostFigure::Memory,
            "host.battery" => HostFigure::Battery,
            _ => {
                self.report(unknown("host figure", &name, metric.span, ["host.cpu", "host.memory", "host.battery"]));
                return None;
            }
        };
        match bound {
            ast::Bound::Value(expr) => {
                let bound = self.share(expr, "a share of the host")?;
                Some(Trigger::Host { figure, op, bound, for_ })
            }
            ast::Bound::Champion { span, .. } => {
                self.report(
                    Diagnostic::new(Code::E0604, "the champion is no machine to compare with")
                        .at(*span, "")
                        .help("write a share such as `20%`"),
                );
                None
            }
        }
    }
}

/// Does it hold when the model is worse than the champion was?
fn worse_than_champion(kind: MetricKind, op: BinaryOp, sign: Option<ast::MarginSign>) -> bool {
    let less = matches!(op, BinaryOp::Lt | BinaryOp::Le);
    let more = matches!(op, BinaryOp::Gt | BinaryOp::Ge);
    let is_cost = matches!(kind.facts().measures, Measures::Time | Measures::Bytes);
    match kind.higher_is_better() && !is_cost {
        true => less && sign != Some(ast::MarginSign::Plus),
        false => more && sign != Some(ast::MarginSign::Minus),
    }
}

/// What of the clauses of a `when` has no place there.
fn foreign_clause(clauses: &ast::PolicyClauses) -> Option<(&'static str, Span)> {
    let ast::PolicyClauses { search, validate, seed, retrain, promote, rollback, .. } = clauses;
    let found = [
        search.as_ref().map(|it| ("search", it.span)),
        validate.as_ref().map(|it| ("validate", it.span)),
        seed.as_ref().map(|it| ("seed", it.span)),
        retrain.as_ref().map(|it| ("retrain", it.span)),
        promote.as_ref().map(|it| ("promote", it.span)),
        rollback.as_ref().map(|it| ("rollback", it.span)),
    ];
    found.into_iter().flatten().next()
}

pub(super) fn operator(op: ast::CompareOp) -> BinaryOp {
    match op {
        ast::CompareOp::Equal => BinaryOp::Eq,
        ast::CompareOp::NotEqual => BinaryOp::Ne,
        ast::CompareOp::Less => BinaryOp::Lt,
        ast::CompareOp::LessOrEqual => BinaryOp::Le,
        ast::CompareOp::Greater => BinaryOp::Gt,
        ast::CompareOp::GreaterOrEqual => BinaryOp::Ge,
    }
}

/// E0604.
fn better_than_champion(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0604, "this compares with the champion the wrong way round")
        .at(span, "holds while the model is better")
        .help("say when it is worse, such as `macro_f1 over 10min < champion - 5%` or `mae over 1h > champion + 5%`")
}
