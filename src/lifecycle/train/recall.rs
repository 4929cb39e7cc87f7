//! A training that was made before and need not be made again: the same rows, features, split, seed and budget. Only who is
//! champion of it is chosen anew, where the policy asks for something else.

use arrow::array::RecordBatch;

use crate::base::Hash;
use crate::diag::Diagnostic;
use crate::model::{kind_of, metric_text};
use crate::plan::{Graph, Learn};

use super::super::again::{Again, Decision};
use super::super::candidates::covers;
use super::super::choose::{choose, is_beaten};
use super::super::complaint::{not_met, stops};
use super::super::registry::RegistryError;
use super::super::report::{Scorer, why};
use super::super::{ChampionReport, Identity, InProcess, Manifest, Registry, RequirementReport, Standing, Stored, Version};
use super::chosen::HeldOut;
use super::{Chosen, Context, Data, Member, Report, Split, digests, split};

/// What is known of an earlier training, by the policy of now.
#[derive(Clone, Debug)]
pub struct Recalled {
    /// None where nothing that was kept may answer.
    pub champion: Option<Stored>,
    pub split: Split,
    /// Of the table's rows.
    pub ordinals: Vec<u64>,
    /// Of the data, whatever its order, and of its order.
    pub digests: (Hash, Hash),
    pub report: Report,
    pub warnings: Vec<Diagnostic>,
    /// The version that stays whatever else was learned; the champion, where that is one of this training.
    pub pinned: Option<Version>,
}

/// The newest training on the rows of `table` that a new one would only repeat, or None where there is none, where its search
/// has not looked at all that `models` names, or where nothing of it is allowed.
///
/// # Errors
/// If nothing meets the requirements and the policy says stop, or if the state folder cannot be written.
pub fn recall(
    registry: &Registry,
    learn: &Learn,
    closure: &Graph,
    table: &RecordBatch,
) -> Result<Option<Recalled>, Vec<Diagnostic>> {
    let Some(purpose) = kind_of(learn.task.kind) else { return Ok(None) };
    let failed = |error: RegistryError| vec![error.diagnostic()];
    let data = Data::new(&learn.task, purpose, table)?;
    let identity = Identity::of(learn, closure, digests(&data.batch));
    let wanted = |manifest: &Manifest| manifest.identity.learns_as(&identity) && covers(&manifest.models, &learn.task.models);
    let kept = registry.generation(&learn.task.name, &wanted).map_err(failed)?;
    let Some(again) = Again::among(registry, learn, kept).map_err(failed)? else { return Ok(None) };
    // What cannot be read any more is learned anew.
    let Ok(report) = registry.report(&again.kept[0]) else { return Ok(None) };
    let champion = match again.champion().map(|champion| registry.open(&champion.version)) {
        Some(Ok(stored)) => Some(stored),
        Some(Err(_)) => return Ok(None),
        None => None,
    };
    if again.decision == Decision::Search {
        return Ok(None);
    }
    let split = split(&data.table, &learn.task, &learn.policy, purpose)?;
    let recalling = Recalling { learn, chosen: again.chosen(learn).unwrap_or_else(|| nobody(&again, learn)), again: &again };
    if recalling.chosen.standing == Standing::Stops {
        return Err(vec![stops(&learn.task, &learn.policy, &recalling.chosen, &|at| &again.kept[at].family)]);
    }
    let (split, held_out, ordinals) = held_out(learn, data, split, &report, champion.as_ref())?;
    if let Some(stored) = &champion {
        registry.set_champion(&stored.manifest.version, identity.training.choice).map_err(failed)?;
    }
    let digests = (identity.data, identity.order);
    let report = recalling.report(report, champion.as_ref(), held_out);
    let mut warnings = split.warnings.clone();
    warnings.extend(recalling.warning());
    Ok(Some(Recalled { champion, split, ordinals, digests, report, warnings, pinned: again.pinned }))
}

/// What these models would be chosen for, if none were pinned; nobody of them answers.
fn nobody(again: &Again, learn: &Learn) -> Chosen {
    let members: Vec<Member> = again.kept.iter().map(|manifest| manifest.member.clone()).collect();
    Chosen { champion: None, ..choose(&members, &learn.policy.choice, None) }
}

fn held_out(
    learn: &Learn,
    data: Data,
    split: Split,
    report: &Report,
    champion: Option<&Stored>,
) -> Result<(Split, HeldOut, Vec<u64>), Vec<Diagnostic>> {
    let trials = InProcess { parallel: 1 };
    let Learn { task, policy } = learn;
    let baselines = report.baselines.clone();
    let context = Context { task, policy, data, split, baselines, baseline_mae: None, trials: &trials };
    let held_out = match champion {
        Some(stored) if !context.split.unseen().is_empty() => context.held_out(&stored.fitted)?,
        Some(_) | None => HeldOut::default(),
    };
    Ok((context.split, held_out, context.data.table.ordinals))
}

struct Recalling<'a> {
    learn: &'a Learn,
    again: &'a Again,
    chosen: Chosen,
}

impl Recalling<'_> {
    /// The training's own, with the champion of now.
    fn report(&self, before: Report, champion: Option<&Stored>, held_out: HeldOut) -> Report {
        let choice = &self.learn.policy.choice;
        let requirements = RequirementReport::all(&self.chosen, &self.learn.policy);
        let crowned = champion.map(|stored| ChampionReport {
            family: stored.manifest.family.clone(),
            version: stored.manifest.version.to_string(),
            config: stored.manifest.config.clone(),
            metrics: stored.manifest.member.figures.clone(),
            requirements: requirements.clone(),
            measured: stored.manifest.member.measured,
            keys: stored.manifest.member.keys.clone(),
        });
        let stays = matches!(self.again.decision, Decision::Stays(_)) && before.champion_is(champion);
        let before_why = before.why.clone().filter(|_| stays);
        let mut report = Report {
            metric: metric_text(&choice.goal.metric),
            maximize: choice.goal.maximize,
            missed: if crowned.is_none() { requirements } else { Vec::new() },
            champion: crowned,
            hold_out: held_out.figures,
            hold_out_baselines: held_out.baselines,
            standing: self.chosen.standing.clone(),
            why: self.why().or(before_why),
            evidence: before.evidence.clone().filter(|_| before.champion_is(champion)),
            hold_out_evidence: held_out.evidence,
            steps: if held_out.steps.is_empty() { before.steps.clone() } else { held_out.steps },
            confusion: held_out.confusion.or_else(|| champion?.manifest.member.confusion.clone()),
            ..before
        };
        self.mark(&mut report, champion);
        report.notes.push(self.note());
        report
    }

    fn mark(&self, report: &mut Report, champion: Option<&Stored>) {
        let fitted: Vec<usize> = (0..report.candidates.len()).filter(|at| report.candidates[*at].failed.is_none()).collect();
        let member = |at: &usize| {
            let candidate = &report.candidates[*at];
            Member {
                figures: candidate.metrics.clone(),
                overall: candidate.overall.clone(),
                measured: candidate.measured.unwrap_or_default(),
                ..Member::default()
            }
        };
        let members: Vec<Member> = fitted.iter().map(member).collect();
        for (nth, at) in fitted.into_iter().enumerate() {
            let beaten = is_beaten(&members, &self.learn.policy.choice, nth);
            let candidate = &mut report.candidates[at];
            candidate.pareto = !beaten;
            candidate.champion = champion
                .is_some_and(|stored| stored.manifest.family == candidate.family && stored.manifest.config == candidate.config);
        }
    }

    /// A champion that stays was chosen when the training was new, and is what it was.
    fn why(&self) -> Option<String> {
        let kept = |at: usize| &self.again.kept[at];
        let of = |at: usize| Scorer { family: kept(at).family.as_str(), member: &kept(at).member };
        why(&self.chosen, &self.learn.policy.choice.goal.metric, &of)
    }

    fn note(&self) -> String {
        format!("nothing was trained, for these rows were learned from before; {}", self.again.words())
    }

    fn warning(&self) -> Option<Diagnostic> {
        let Learn { task, policy } = self.learn;
        let family = |at: usize| self.again.kept[at].family.as_str();
        (self.chosen.standing != Standing::Met).then(|| not_met(task, policy, &self.chosen, &family))
    }
}
