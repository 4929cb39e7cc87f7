//! Policies and triggers.

use crate::base::Span;
use crate::syntax::ast::{
    Bound, Comparison, Kept, MarginSign, Metric, ObjectiveDirection, OtherwiseKind, Policy, PolicyClauses, PriorityLevel,
    Promote, Requirement, Search, Trigger, TriggerKind, ValidateKind, When,
};
use crate::syntax::ast::{Expr, ExprKind, Number};

use super::Formatter;
use super::clause::Clauses;
use super::doc::{Doc, all, group, indent, text};
use super::expr::comma_list;

impl Formatter<'_> {
    pub fn policy(&mut self, policy: &Policy, span: Span) -> Doc {
        let head = text(format!("policy {} ", self.head(&policy.head)));
        let mut clauses = self.policy_clauses(&policy.clauses);
        for when in &policy.whens {
            clauses.add_body("when", when.span, move |f| f.when(when));
        }
        all([head, self.clauses(clauses, span.end as usize - 1)])
    }

    fn when(&mut self, when: &When) -> Doc {
        let condition = self.trigger(&when.condition);
        let clauses = self.policy_clauses(&when.clauses);
        all([condition, text(" "), self.clauses(clauses, when.span.end as usize - 1)])
    }

    fn policy_clauses<'c>(&self, it: &'c PolicyClauses) -> Clauses<'c> {
        let mut clauses = Clauses::default();
        quality_clauses(&mut clauses, it);
        self.required(&mut clauses, it);
        action_clauses(&mut clauses, it);
        clauses
    }

    /// Requirements of one `require` stay together.
    fn required<'c>(&self, clauses: &mut Clauses<'c>, it: &'c PolicyClauses) {
        let same = |a: &Requirement, b: &Requirement| self.joined_by_comma(a.span, b.span);
        for run in it.requirements.chunk_by(same) {
            clauses.add("require", run[0].span.to(run[run.len() - 1].span), move |f| {
                let docs = run.iter().map(|requirement| f.requirement(requirement)).collect();
                comma_list(docs)
            });
        }
        for run in it.allow.chunk_by(|a, b| self.joined_by_comma(a.span, b.span)) {
            clauses.add("allow", run[0].span.to(run[run.len() - 1].span), move |f| f.calls(run));
        }
    }

    fn joined_by_comma(&self, a: Span, b: Span) -> bool {
        self.text[a.end as usize..].trim_start().starts_with(',') && a.end <= b.start
    }

    fn requirement(&mut self, requirement: &Requirement) -> Doc {
        let otherwise = match requirement.otherwise.as_ref().map(|otherwise| otherwise.kind) {
            None => "",
            Some(OtherwiseKind::Warn) => " otherwise warn",
            Some(OtherwiseKind::Abstain) => " otherwise abstain",
            Some(OtherwiseKind::KeepChampion) => " otherwise keep champion",
            Some(OtherwiseKind::Stop) => " otherwise stop",
        };
        all([self.comparison(&requirement.comparison), text(otherwise)])
    }

    pub fn comparison(&mut self, comparison: &Comparison) -> Doc {
        let metric = self.metric(&comparison.metric);
        let op = text(format!(" {} ", comparison.op.text()));
        let bound = self.bound(&comparison.bound);
        all([metric, op, bound, self.maybe(" for ", comparison.held_for.as_ref(), "")])
    }

    pub fn bound(&mut self, bound: &Bound) -> Doc {
        let margin = match bound {
            Bound::Value(value) => return self.expr(value),
            Bound::Champion { margin, .. } => margin,
        };
        let Some(margin) = margin else { return text("champion") };
        let sign = match margin.sign {
            MarginSign::Plus => "+",
            MarginSign::Minus => "-",
        };
        all([text(format!("champion {sign} ")), self.expr(&margin.by)])
    }

    pub fn metric(&mut self, metric: &Metric) -> Doc {
        let name = text(self.dotted(&metric.path));
        let name_end = metric.path.last().map_or(metric.span.end, |last| last.span.end) as usize;
        let called = self.text[name_end..].trim_start().starts_with('(') && name_end < metric.span.end as usize;
        let args = if called { self.metric_args(metric, name_end) } else { text("") };
        let per = self.maybe(" per ", metric.per.as_ref(), "");
        let over = match &metric.over {
            Some(over) => all([text(" over "), self.extent(over)]),
            None => text(""),
        };
        all([name, args, per, over])
    }

    fn metric_args(&mut self, metric: &Metric, name_end: usize) -> Doc {
        let open = self.text[name_end..].find('(').map_or(name_end, |at| name_end + at + 1);
        let close = self.close_after(open);
        self.args(&metric.args, Span { end: close as u32 + 1, ..metric.span })
    }

    fn search(&mut self, search: &Search) -> Doc {
        let counted = |f: &mut Self, amount: &Expr, one: &str, many: &str| {
            let word = if matches!(amount.kind, ExprKind::Number(Number::Int(1))) { one } else { many };
            all([f.expr(amount), text(format!(" {word}"))])
        };
        let mut parts = Vec::new();
        parts.extend(search.trials.as_ref().map(|it| counted(self, it, "trial", "trials")));
        parts.extend(search.time.as_ref().map(|it| self.expr(it)));
        parts.extend(search.cores.as_ref().map(|it| counted(self, it, "core", "cores")));
        comma_list(parts)
    }

    fn validate(&mut self, kind: &ValidateKind) -> Doc {
        match kind {
            ValidateKind::Last(share) => all([text("last "), self.expr(share)]),
            ValidateKind::Random(share) => all([text("random "), self.expr(share)]),
            ValidateKind::Folds(count) => all([text("folds "), self.expr(count)]),
            ValidateKind::Prequential => text("prequential"),
        }
    }

    fn promote(&mut self, promote: &Promote) -> Doc {
        let by = self.maybe(" by ", promote.by.as_ref(), "");
        let over = match &promote.over {
            Some(over) => all([text(" over "), self.extent(over)]),
            None => text(""),
        };
        all([text("when better"), by, over, self.maybe(" with confidence ", promote.confidence.as_ref(), "")])
    }

    pub fn trigger(&mut self, trigger: &Trigger) -> Doc {
        match &trigger.kind {
            TriggerKind::Or(parts) => self.joined(parts, "or "),
            TriggerKind::And(parts) => self.joined(parts, "and "),
            TriggerKind::Drift(args) if args.is_empty() => text("drift"),
            TriggerKind::Drift(args) => all([text("drift"), self.args(args, trigger.span)]),
            TriggerKind::Every(length) => all([text("every "), self.expr(length)]),
            TriggerKind::Compare(comparison) => self.comparison(comparison),
            TriggerKind::Paren(inner) => all([text("("), self.trigger(inner), text(")")]),
        }
    }

    fn joined(&mut self, parts: &[Trigger], word: &'static str) -> Doc {
        let mut docs = Vec::new();
        for (nth, part) in parts.iter().enumerate() {
            docs.extend((nth > 0).then(|| all([Doc::Line, text(word)])));
            docs.push(self.trigger(part));
        }
        group(indent(2, all(docs)))
    }
}

fn quality_clauses<'c>(clauses: &mut Clauses<'c>, it: &'c PolicyClauses) {
    if let Some(objective) = &it.objective {
        let word = match objective.direction {
            ObjectiveDirection::Maximize => "maximize",
            ObjectiveDirection::Minimize => "minimize",
        };
        clauses.add(word, objective.span, move |f| f.metric(&objective.metric));
    }
    if let Some(search) = &it.search {
        clauses.add("search", search.span, move |f| f.search(search));
    }
    if let Some(validate) = &it.validate {
        clauses.add("validate", validate.span, move |f| f.validate(&validate.kind));
    }
    if let Some(seed) = &it.seed {
        clauses.add("seed", seed.span, move |f| f.expr(seed));
    }
}

fn action_clauses<'c>(clauses: &mut Clauses<'c>, it: &'c PolicyClauses) {
    for (word, trigger) in [("retrain", &it.retrain), ("rollback", &it.rollback)] {
        if let Some(trigger) = trigger {
            clauses.add(word, trigger.span, move |f| all([text("when "), f.trigger(trigger)]));
        }
    }
    if let Some(promote) = &it.promote {
        clauses.add("promote", promote.span, move |f| f.promote(promote));
    }
    if let Some(priority) = &it.priority {
        let level = match priority.level {
            PriorityLevel::High => "high",
            PriorityLevel::Normal => "normal",
            PriorityLevel::Low => "low",
        };
        clauses.add("priority", priority.span, move |_| text(level));
    }
    if let Some(share) = &it.share {
        clauses.add("share", share.span, move |f| f.expr(share));
    }
    for keep in &it.keep {
        let what = match keep.what {
            Kept::Previous => "previous ",
            Kept::Removed => "removed ",
        };
        clauses.add("keep", keep.span, move |f| all([text(what), f.expr(&keep.length)]));
    }
}
