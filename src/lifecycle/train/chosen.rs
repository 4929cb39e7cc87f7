//! The end of a training: choice, refit of what was chosen, hold-out, report.

use crate::base::Time;
use crate::diag::{Code, Diagnostic};
use crate::ir::TaskKind;
use crate::model::{Confusion, Figures, Fitted, Purpose, confusion, figures};

use super::super::baselines::{Baselines, of_alarms, repeaters_on, with_skill};
use super::super::complaint::{not_met, stops};
use super::super::error::{blocks, standard_error};
use super::super::evidence::{Evidence, evidence};
use super::super::judge::{Judged, judge};
use super::super::report::{Scorer, TrialCounts, why};
use super::super::steps::{StepReport, steps};
use super::super::{
    CandidateReport, ChampionReport, Done, Member, Progress, Report, RequirementReport, RowCounts, Standing, Stopped, Table,
};
use super::{Chosen, Context, Generation, MEMBERS_MAX, TrainedMember, Trial, choose, digests};

/// What the champion did on rows that nobody had seen.
#[derive(Default)]
pub struct HeldOut {
    pub figures: Figures,
    pub baselines: Baselines,
    pub confusion: Option<Confusion>,
    pub evidence: Option<Evidence>,
    pub steps: Vec<StepReport>,
}

impl Context<'_> {
    /// `tried` has at least one success.
    pub fn finish(
        self,
        tried: Vec<Trial>,
        trials_done: usize,
        stopped: Stopped,
        progress: &mut dyn FnMut(Progress),
    ) -> Result<Generation, Vec<Diagnostic>> {
        let fitted: Vec<usize> = (0..tried.len()).filter(|at| tried[*at].result.is_ok()).collect();
        let members: Vec<Member> = fitted.iter().map(|at| tried[*at].member()).collect();
        let chosen = choose(&members, &self.policy.choice, None);
        if chosen.standing == Standing::Stops {
            return Err(vec![stops(self.task, self.policy, &chosen, &|at| &tried[fitted[at]].family)]);
        }
        let kept = kept(&chosen);
        let bundles = self.refit(&kept, &fitted, &tried, progress).map_err(|error| vec![error])?;
        let keep = |(at, bundle): (&usize, Vec<u8>)| self.trained(&tried[fitted[*at]], &members[*at], bundle);
        let trained: Vec<TrainedMember> = kept.iter().zip(bundles).map(keep).collect();
        let champion = chosen.champion.map(|_| 0);
        let held_out = match champion {
            Some(at) if !self.split.unseen().is_empty() => {
                let broken = |error: crate::model::BundleError| {
                    vec![Diagnostic::new(Code::R0501, format!("the champion that was just trained: {error}"))]
                };
                self.held_out(&Fitted::from_bytes(&trained[at].bundle, "").map_err(broken)?)?
            }
            Some(_) | None => HeldOut::default(),
        };
        let champion_trial = chosen.champion.map(|at| fitted[at]);
        let twins = champion.map(|at| trained[at].twins.as_slice());
        let mut report = self.report(&tried, &fitted, &chosen, champion_trial, held_out);
        let of = |at: usize| Scorer { family: &tried[fitted[at]].family, member: &members[at] };
        if let Some((evidence, steps)) = twins.and_then(|twins| self.evidence(twins)) {
            report.evidence = Some(evidence);
            report.steps = if report.steps.is_empty() { steps } else { report.steps };
        }
        report.why = why(&chosen, &self.policy.choice.goal.metric, &of);
        report.trials =
            TrialCounts { allowed: self.policy.search.trials, done: trials_done, failed: failures(&tried), stopped };
        let mut warnings = self.split.warnings.clone();
        if chosen.standing != Standing::Met {
            warnings.push(not_met(self.task, self.policy, &chosen, &|at| &tried[fitted[at]].family));
        }
        let until = until(&self.data.table, &self.split.refit);
        Ok(Generation {
            members: trained,
            champion,
            split: self.split,
            ordinals: self.data.table.ordinals.clone(),
            digests: digests(&self.data.batch),
            until,
            seed: self.policy.seed,
            chosen,
            report,
            warnings,
            trials_done,
            stopped,
        })
    }

    fn trained(&self, trial: &Trial, member: &Member, bundle: Vec<u8>) -> TrainedMember {
        let seed = self.plan(&[], &[], None).job(&trial.family, &trial.config).seed;
        TrainedMember {
            family: trial.family.clone(),
            config: trial.config.clone(),
            seed,
            member: member.clone(),
            bundle,
            twins: trial.result.as_ref().map(|done| done.bundles.clone()).unwrap_or_default(),
        }
    }

    pub fn held_out(&self, champion: &Fitted) -> Result<HeldOut, Vec<Diagnostic>> {
        let (table, rows) = (&self.data.table, self.split.unseen());
        let (baselines, mae) = match self.data.purpose {
            Purpose::Classify | Purpose::Regress => self.held_out_baselines(rows)?,
            Purpose::Detect => (of_alarms(table, rows), None),
        };
        let judged = judge(&[(champion, rows)], table, mae);
        let mut own = figures(&judged.outcome);
        for metric in self.metrics() {
            own.extend(
                crate::model::measure(&metric, &judged.outcome).map(|value| (crate::model::metric_text(&metric), value)),
            );
        }
        let evidence = Some(self.evidence_of(&judged));
        let steps = steps(self.task.kind, &[(champion, rows)], table);
        Ok(HeldOut { figures: own, baselines, confusion: confusion(&judged.outcome), evidence, steps })
    }

    /// Of the champion's twins, each on the rows that it has not seen. None where they cannot be opened.
    fn evidence(&self, twins: &[Vec<u8>]) -> Option<(Evidence, Vec<StepReport>)> {
        let twins = twins.iter().map(|twin| Fitted::from_bytes(twin, "").ok()).collect::<Option<Vec<_>>>()?;
        let rounds = self.split.rounds.iter().map(|round| round.validate.as_slice());
        let asked: Vec<(&Fitted, &[usize])> = twins.iter().zip(rounds).collect();
        let table = &self.data.table;
        let found = || (self.evidence_of(&judge(&asked, table, self.baseline_mae)), steps(self.task.kind, &asked, table));
        (!asked.is_empty()).then(found)
    }

    fn evidence_of(&self, judged: &Judged) -> Evidence {
        let blocks = blocks(&judged.rows, &judged.outcome, self.data.table.groups.as_deref());
        evidence(&judged.outcome, &blocks, &self.search_goal().metric, self.policy.seed)
    }

    /// With what skill is measured against.
    fn held_out_baselines(&self, rows: &[usize]) -> Result<(Baselines, Option<f64>), Vec<Diagnostic>> {
        let broken = |error: crate::model::BundleError| {
            vec![Diagnostic::new(Code::R0501, format!("the constant that was just trained: {error}"))]
        };
        let constant = self.refit_one("constant", &crate::model::Config::default()).map_err(|error| vec![error])?;
        let constant = Fitted::from_bytes(&constant, "").map_err(broken)?;
        let table = &self.data.table;
        let repeaters = repeaters_on(table, self.task.kind, self.data.purpose, rows);
        Ok(with_skill(judge(&[(&constant, rows)], table, None).outcome, repeaters))
    }

    fn report(&self, tried: &[Trial], fitted: &[usize], chosen: &Chosen, champion: Option<usize>, held_out: HeldOut) -> Report {
        let pareto: Vec<usize> = chosen.pareto.iter().map(|at| fitted[*at]).collect();
        let candidate = |(at, trial): (usize, &Trial)| {
            let done = trial.result.as_ref().ok();
            CandidateReport {
                family: trial.family.clone(),
                config: trial.config.clone(),
                metrics: done.map(|done| done.figures.clone()).unwrap_or_default(),
                overall: done.map(overall).unwrap_or_default(),
                errors: done.map(errors).unwrap_or_default(),
                stretches: done.map(|done| done.stretches.clone()).unwrap_or_default(),
                measured: done.and_then(|done| done.measured),
                champion: champion == Some(at),
                pareto: pareto.contains(&at),
                failed: trial.result.as_ref().err().map(ToString::to_string),
            }
        };
        let requirements = RequirementReport::all(chosen, self.policy);
        let done = champion.and_then(|at| tried[at].result.as_ref().ok());
        let report = |at: usize| ChampionReport {
            family: tried[at].family.clone(),
            version: String::new(),
            config: tried[at].config.clone(),
            metrics: done.map(|done| done.figures.clone()).unwrap_or_default(),
            requirements: requirements.clone(),
            measured: done.and_then(|done| done.measured).unwrap_or_default(),
            keys: done.and_then(|done| done.keys.clone()),
        };
        let goal = &self.policy.choice.goal;
        Report {
            task: self.task.name.to_string(),
            goal: self.goal_words(),
            metric: crate::model::metric_text(&goal.metric),
            maximize: goal.maximize,
            rows: self.row_counts(done.map_or(0, |done| done.unanswered)),
            split: self.split.words.clone(),
            seed: self.policy.seed,
            baselines: self.baselines.clone(),
            champion: champion.map(report),
            missed: if champion.is_none() { requirements } else { Vec::new() },
            hold_out: held_out.figures,
            hold_out_baselines: held_out.baselines,
            candidates: tried.iter().enumerate().map(candidate).collect(),
            trials: TrialCounts { allowed: 0, done: 0, failed: 0, stopped: Stopped::Exhausted },
            standing: chosen.standing.clone(),
            why: None,
            confusion: held_out.confusion.or_else(|| done.and_then(|done| done.confusion.clone())),
            notes: self.notes(),
            evidence: None,
            hold_out_evidence: held_out.evidence,
            steps: held_out.steps,
            sensitivity: None,
        }
    }

    fn goal_words(&self) -> String {
        let target = &self.task.target.column.name;
        match self.task.kind {
            TaskKind::Classify => format!("classify {target}"),
            TaskKind::Regress => format!("regress {target}"),
            TaskKind::Forecast { ahead, every: None } => format!("forecast {target} {ahead} ahead"),
            TaskKind::Forecast { ahead, every: Some(every) } => format!("forecast {target} of the next {ahead} every {every}"),
            TaskKind::Detect { .. } => "detect anomalies".to_owned(),
            TaskKind::Rank => format!("rank {target}"),
        }
    }

    fn row_counts(&self, unanswered: usize) -> RowCounts {
        let judged = self.split.rounds.iter().map(|round| round.validate.len()).sum();
        let folds = self.split.rounds.len() > 1;
        RowCounts {
            all: self.data.table.rows(),
            labelled: self.data.table.labelled_rows().len(),
            trained: if folds { self.split.refit.len() } else { self.split.rounds[0].train.len() },
            judged,
            earlier: self.split.earlier.iter().map(|round| round.validate.len()).sum(),
            stretches: self.split.earlier.len(),
            held_out: self.split.hold_out.len(),
            later: self.split.later.len(),
            unanswered,
        }
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.split.unseen().is_empty() {
            notes.push("there is no hold-out, so these figures chose the model and flatter it a little".to_owned());
        }
        notes.push(match self.task.kind {
            TaskKind::Forecast { .. } => "persistence is the last value that is known when the forecast is made".to_owned(),
            TaskKind::Classify | TaskKind::Regress | TaskKind::Rank => {
                "persistence knows the true label of the row before: a reference, not a model that could serve".to_owned()
            }
            TaskKind::Detect { .. } => "a score is the share of the rows learned from that are no more unusual".to_owned(),
        });
        notes
    }
}

/// The champion (or who comes nearest), then the rest of the Pareto set, best first.
fn kept(chosen: &Chosen) -> Vec<usize> {
    let first = chosen.champion.or(chosen.nearest);
    let rest = chosen.pareto.iter().copied().filter(|at| Some(*at) != first);
    first.into_iter().chain(rest).take(MEMBERS_MAX).collect()
}

fn failures(tried: &[Trial]) -> usize {
    tried.iter().filter(|trial| trial.result.is_err()).count()
}

/// The latest time of these rows.
fn until(table: &Table, rows: &[usize]) -> Option<Time> {
    let times = table.times.as_ref()?;
    rows.iter().map(|row| times[*row]).max().map(Time)
}

/// Of the figures that are reported.
fn overall(done: &Done) -> Figures {
    let reported = done.overall.iter().filter(|(name, _)| done.figures.contains_key(*name));
    reported.map(|(name, value)| (name.clone(), *value)).collect()
}

/// Of the figures that are reported.
fn errors(done: &Done) -> Figures {
    let reported = done.left_out.iter().filter(|(name, _)| done.figures.contains_key(*name));
    reported.filter_map(|(name, left_out)| Some((name.clone(), standard_error(left_out)?))).collect()
}
