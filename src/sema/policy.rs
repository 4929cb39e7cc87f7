//! Policies: what counts as good for a task, with the language's defaults where nothing is said.
//!
//! Bounds are in the unit of the task's target and some defaults depend on the task, so a policy is resolved for each
//! task that follows it. Where two tasks get the same it is kept once, under its own name.

mod metric;
mod trigger;

use crate::base::{Duration, Hash, Name, Span};
use crate::diag::{Code, Diagnostic};
use crate::ir::{self, Choice, Goal, Metric, MetricKind, Otherwise, Search, Share, TaskKind, Type, Validate};
use crate::syntax::ast;

use super::checker::Checker;
use super::findings::{not_yet, unknown};
use super::index::Space;
use super::task::Aim;
use super::task::models::all_online;

/// What a policy judges.
#[derive(Clone, Debug, Default)]
pub struct Judged {
    pub task: Option<Name>,
    pub kind: Option<TaskKind>,
    pub target: Option<Type>,
    /// Labels tell how good an answer was.
    pub has_truth: bool,
    pub is_grouped: bool,
    pub is_online: bool,
    /// How long a row waits before it is answered, as declared.
    pub waits: Duration,
}

impl Judged {
    pub fn of(aim: Option<&Aim>, task: &ast::Task, models: &Option<ir::Models>) -> Judged {
        Judged {
            task: Some(task.head.name.name.clone()),
            kind: aim.map(|aim| aim.kind),
            target: aim.map(|aim| aim.target.column.ty.clone()),
            has_truth: !matches!(task.goal, ast::Goal::Detect) || task.truth.is_some(),
            is_grouped: task.group.is_some(),
            is_online: models.as_ref().is_some_and(all_online),
            waits: Duration::ZERO,
        }
    }
}

const TRIALS_DEFAULT: u32 = 20;
const SEARCH_TIME_DEFAULT: Duration = Duration(60_000_000);
const FOLDS_DEFAULT: u32 = 5;
const VALIDATE_SHARE_DEFAULT: f64 = 0.2;

impl<'a> Checker<'a> {
    /// The name of the policy that the task follows. [`Checker::settle_policies`] puts it into the program.
    pub(super) fn policy_of(&mut self, task: &'a ast::Task, judged: &Judged) -> Name {
        let named = task.policy.as_ref().and_then(|ident| self.named_policy(ident));
        let policy = match named {
            Some(policy) => self.policy(policy, judged),
            None => default_policy(judged, task.head.name.span),
        };
        let name = policy.name.clone();
        self.followed.entry(name.clone()).or_default().push((task.head.name.name.clone(), policy));
        name
    }

    /// A policy that no task follows is checked all the same.
    pub(super) fn unused_policy(&mut self, policy: &'a ast::Policy) {
        let policy = self.policy(policy, &Judged { has_truth: true, ..Judged::default() });
        self.program.policies.entry(policy.name.clone()).or_insert(policy);
    }

    fn named_policy(&mut self, ident: &'a ast::Ident) -> Option<&'a ast::Policy> {
        self.findings.mark_used(Space::Policy, &ident.name);
        if let Some((policy, _)) = self.globals.index.policies.get(&ident.name) {
            return Some(policy);
        }
        if !self.globals.index.broken.contains(&ident.name) {
            let known = self.globals.index.policies.keys().map(Name::as_str);
            self.report(unknown("policy", &ident.name, ident.span, known));
        }
        None
    }

    /// Where tasks get different ones of one name, each keeps its own as `policy@task`, whatever the order of the text.
    pub(super) fn settle_policies(&mut self) {
        for (name, followed) in std::mem::take(&mut self.followed) {
            // Of their meaning: where they stand in the text does not count.
            let first = followed.first().map(|(_, policy)| Hash::of(policy));
            let agree = followed.iter().all(|(_, policy)| Some(Hash::of(policy)) == first);
            for (task, mut policy) in followed {
                if !agree {
                    policy.name = format!("{name}@{task}").into();
                }
                if let Some(task) = self.program.tasks.get_mut(&task) {
                    task.policy = policy.name.clone();
                }
                self.program.policies.insert(policy.name.clone(), policy);
            }
        }
    }

    fn policy(&mut self, policy: &'a ast::Policy, judged: &Judged) -> ir::Policy {
        let ast::Policy { head, clauses, whens } = policy;
        let choice = self.choice(clauses, judged);
        self.later_clauses_of_policy(clauses);
        let ast::PolicyClauses { search, validate, seed, retrain, promote, rollback, .. } = clauses;
        let search = search.as_ref().map(|search| self.search(search)).unwrap_or(search_default());
        let validate = validate.as_ref().and_then(|validate| self.validate(validate));
        let overrides = whens.iter().filter_map(|when| self.override_of(when, &choice, judged)).collect();
        ir::Policy {
            name: head.name.name.clone(),
            choice,
            search,
            validate: validate.unwrap_or_else(|| validate_default(judged)),
            seed: seed.as_ref().and_then(|seed| self.count(seed, 0, "the seed")).unwrap_or(0),
            retrain: retrain.as_ref().and_then(|trigger| self.trigger(trigger, judged)),
            promote: promote.as_ref().and_then(|promote| self.promote(promote)),
            rollback: rollback.as_ref().and_then(|trigger| self.trigger(trigger, judged)),
            overrides,
            span: head.name.span,
            places: places(policy),
        }
    }

    fn choice(&mut self, clauses: &'a ast::PolicyClauses, judged: &Judged) -> Choice {
        let goal = clauses.objective.as_ref().and_then(|objective| self.goal(objective, judged));
        let requirements =
            clauses.requirements.iter().filter_map(|requirement| self.requirement(requirement, judged)).collect();
        Choice { goal: goal.unwrap_or_else(|| goal_default(judged)), requirements }
    }

    fn goal(&mut self, objective: &'a ast::Objective, judged: &Judged) -> Option<Goal> {
        let metric = self.metric(&objective.metric, judged)?;
        let maximize = objective.direction == ast::ObjectiveDirection::Maximize;
        if maximize != metric.kind.higher_is_better() {
            self.report(wrong_direction(objective, metric.kind));
        }
        Some(Goal { maximize, metric })
    }

    fn requirement(&mut self, requirement: &'a ast::Requirement, judged: &Judged) -> Option<ir::Requirement> {
        let ast::Comparison { metric, op, bound, held_for, span, .. } = &requirement.comparison;
        if let Some(held_for) = held_for {
            self.report(no_duration_in_require(held_for.span));
        }
        if let Some(over) = &metric.over {
            let span = match over {
                ast::Extent::Duration(expr) | ast::Extent::Rows(expr) => expr.span,
            };
            self.report(not_yet(
                "`over` in a requirement",
                span,
                "leave it out: a requirement is measured on the validation rows",
            ));
        }
        let resolved = self.metric(metric, judged);
        let bound = match bound {
            ast::Bound::Value(expr) => self.bound(expr, resolved.as_ref().map(|metric| metric.kind), judged),
            ast::Bound::Champion { span, .. } => {
                self.report(no_champion_in_require(*span));
                None
            }
        };
        let (metric, mut bound) = (resolved?, bound?);
        if metric.kind == MetricKind::FalseAlarms {
            bound *= self.alarms_per_day(&requirement.comparison.metric);
        }
        let op = trigger::operator(*op);
        if let Some(diagnostic) = metric::never_broken(&metric, op, bound, *span) {
            self.report(diagnostic);
        }
        if metric.kind == MetricKind::Delay && bound < judged.waits.seconds() {
            self.report(delay_below_waiting(*span, judged.waits));
        }
        let text = self.globals.text(*span).split_whitespace().collect::<Vec<_>>().join(" ");
        let otherwise = requirement.otherwise.as_ref().map_or(Otherwise::default(), |otherwise| match otherwise.kind {
            ast::OtherwiseKind::Warn => Otherwise::Warn,
            ast::OtherwiseKind::Abstain => Otherwise::Abstain,
            ast::OtherwiseKind::KeepChampion => Otherwise::KeepChampion,
            ast::OtherwiseKind::Stop => Otherwise::Stop,
        });
        Some(ir::Requirement { metric, op, bound, otherwise, text: text.into(), span: *span })
    }

    fn search(&mut self, search: &'a ast::Search) -> Search {
        let default = search_default();
        let small = |count: Option<u64>| count.and_then(|count| u32::try_from(count).ok());
        let trials = search.trials.as_ref().and_then(|trials| small(self.count(trials, 1, "the number of trials")));
        let time = search.time.as_ref().and_then(|time| self.positive_duration(time, "the time of the search"));
        let cores = search.cores.as_ref().and_then(|cores| small(self.count(cores, 1, "the number of cores")));
        Search { trials: trials.unwrap_or(default.trials), time: time.unwrap_or(default.time), cores }
    }

    fn validate(&mut self, validate: &'a ast::Validate) -> Option<Validate> {
        Some(match &validate.kind {
            ast::ValidateKind::Last(share) => Validate::Last(self.proper_share(share)?),
            ast::ValidateKind::Random(share) => Validate::Random(self.proper_share(share)?),
            ast::ValidateKind::Folds(folds) => {
                let folds = self.count(folds, 2, "the number of folds")?;
                Validate::Folds(u32::try_from(folds).ok()?)
            }
            ast::ValidateKind::Prequential => Validate::Prequential,
        })
    }

    /// Neither nothing nor all.
    fn proper_share(&mut self, expr: &'a ast::Expr) -> Option<Share> {
        let share = self.share(expr, "the share to validate on")?;
        if share > 0.0 && share < 1.0 {
            return Some(Share(share));
        }
        self.report(
            Diagnostic::new(Code::E0309, "this leaves no rows to learn from, or none to validate on")
                .at(expr.span, "")
                .help("write a share such as `20%`"),
        );
        None
    }

    fn promote(&mut self, promote: &'a ast::Promote) -> Option<ir::Promote> {
        let by = promote.by.as_ref().map_or(Some(0.0), |by| self.share(by, "the margin"));
        let over = promote.over.as_ref().map_or(Some(None), |over| self.extent(over, "the stretch of rows").map(Some));
        let confidence = promote.confidence.as_ref().map_or(Some(None), |share| self.share(share, "the confidence").map(Some));
        Some(ir::Promote { better_by: by?, over: over?, confidence: confidence? })
    }

    fn later_clauses_of_policy(&mut self, clauses: &'a ast::PolicyClauses) {
        let ast::PolicyClauses { allow, priority, share, keep, .. } = clauses;
        for call in allow {
            self.report(not_yet(
                format!("`allow {}`", call.name.name),
                call.span,
                "leave it out: nothing is traded for accuracy",
            ));
        }
        if let Some(priority) = priority {
            self.report(not_yet("`priority`", priority.span, "leave it out: serving always goes before training"));
        }
        if let Some(share) = share {
            self.report(not_yet(
                "`share`",
                share.span,
                "leave it out, or bound the search with `search 20 trials, 60s, 1 core`",
            ));
        }
        for keep in keep {
            self.report(not_yet("`keep` in a policy", keep.span, "leave it out"));
        }
    }
}

fn default_policy(judged: &Judged, span: Span) -> ir::Policy {
    ir::Policy {
        name: "default".into(),
        choice: Choice { goal: goal_default(judged), requirements: Vec::new() },
        search: search_default(),
        validate: validate_default(judged),
        seed: 0,
        retrain: None,
        promote: None,
        rollback: None,
        overrides: Vec::new(),
        span,
        places: ir::ClausePlaces::default(),
    }
}

fn places(policy: &ast::Policy) -> ir::ClausePlaces {
    let ast::PolicyClauses { retrain, promote, rollback, .. } = &policy.clauses;
    let of = |span: Option<Span>| span.unwrap_or_default();
    ir::ClausePlaces {
        retrain: of(retrain.as_ref().map(|trigger| trigger.span)),
        promote: of(promote.as_ref().map(|promote| promote.span)),
        rollback: of(rollback.as_ref().map(|trigger| trigger.span)),
        when: of(policy.whens.first().map(|when| when.span)),
    }
}

fn search_default() -> Search {
    Search { trials: TRIALS_DEFAULT, time: SEARCH_TIME_DEFAULT, cores: None }
}

fn validate_default(judged: &Judged) -> Validate {
    match (judged.is_grouped, judged.is_online) {
        (true, _) => Validate::Folds(FOLDS_DEFAULT),
        (false, true) => Validate::Prequential,
        (false, false) => Validate::Last(Share(VALIDATE_SHARE_DEFAULT)),
    }
}

/// Accuracy for classes, the mean absolute error for numbers, f1 where truth tells about anomalies, else the quickest.
fn goal_default(judged: &Judged) -> Goal {
    let (maximize, kind) = match judged.kind {
        None | Some(TaskKind::Classify) => (true, MetricKind::Accuracy),
        Some(TaskKind::Regress | TaskKind::Forecast { .. } | TaskKind::Rank) => (false, MetricKind::Mae),
        Some(TaskKind::Detect { .. }) if judged.has_truth => (true, MetricKind::F1),
        Some(TaskKind::Detect { .. }) => (false, MetricKind::LatencyP99),
    };
    Goal { maximize, metric: Metric { kind, class: None } }
}

/// E0603.
fn wrong_direction(objective: &ast::Objective, kind: MetricKind) -> Diagnostic {
    let (is, word) = if kind.higher_is_better() { ("higher is better", "maximize") } else { ("lower is better", "minimize") };
    let verb = Span { end: objective.span.start + "maximize".len() as u32, ..objective.span };
    Diagnostic::new(Code::E0603, format!("of `{}`, {is}", kind.name()))
        .at(objective.span, "asks for the opposite")
        .help(format!("write `{word} {}`", kind.name()))
        .fix(verb, word)
}

/// E0604.
fn no_duration_in_require(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0604, "a requirement holds always, so it has no `for`")
        .at(span, "")
        .help("remove it, or write a trigger: `retrain when …`")
}

/// E0604.
fn no_champion_in_require(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0604, "a requirement compares with a number, since the champion must meet it, too")
        .at(span, "")
        .help("write a number, or compare with the champion in `promote` or `rollback`")
}

/// W0602.
fn delay_below_waiting(span: Span, waits: Duration) -> Diagnostic {
    Diagnostic::new(Code::W0602, format!("rows wait up to {waits} by what the file declares, so this cannot be met"))
        .at(span, "less than the declared waiting")
        .help("allow more, or shorten the windows and the lateness")
}
