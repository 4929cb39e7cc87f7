//! What a training found out, as data and as calm text. The data's names are part of the contract of `--json`.

mod html;
mod scored;
pub(super) mod show;
pub(super) mod text;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ir::{Metric, MetricKind};
use crate::model::{Config, Confusion, Figures, metric_text};

use super::choose::figure;
use super::{Evidence, KeyScores, Measured, Member, Sensitivity, Spared, Standing, StepReport, Stopped};

/// Of one task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    pub task: String,
    /// `classify occupied`.
    pub goal: String,
    /// The metric that was aimed at, as the policy writes it.
    pub metric: String,
    pub maximize: bool,
    pub rows: RowCounts,
    /// `the last 20% of the rows`: where the figures of candidates and baselines come from.
    pub split: String,
    pub seed: u64,
    pub baselines: BTreeMap<String, Figures>,
    pub champion: Option<ChampionReport>,
    /// The nearest candidate's requirements, where there is no champion.
    pub missed: Vec<RequirementReport>,
    /// Of the champion, refitted, on rows that nobody had seen: the hold-out, else what is behind the start; empty without.
    pub hold_out: Figures,
    pub hold_out_baselines: BTreeMap<String, Figures>,
    /// Every trial in its order, and behind them the constant where it is a candidate.
    pub candidates: Vec<CandidateReport>,
    pub trials: TrialCounts,
    pub standing: Standing,
    /// Why the champion is not whoever scored best, where it is not.
    pub why: Option<String>,
    /// Of the champion: on the hold-out where there is one, else where it was judged.
    pub confusion: Option<Confusion>,
    /// Sentences that qualify the figures.
    pub notes: Vec<String>,
    /// How far the champion's figures can be trusted, where it was judged and on rows that nobody had seen.
    #[serde(default)]
    pub evidence: Option<Evidence>,
    #[serde(default)]
    pub hold_out_evidence: Option<Evidence>,
    /// Of a path, on the hold-out where there is one, else where the champion was judged.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepReport>,
    /// How much of the champion's figure is chance, where somebody asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitivity: Option<Sensitivity>,
}

/// Labelled rows by their part; `all` has those without a label too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCounts {
    pub all: usize,
    pub labelled: usize,
    pub trained: usize,
    pub judged: usize,
    /// Rows of earlier stretches, which were judged to choose.
    #[serde(default)]
    pub earlier: usize,
    /// Of these stretches.
    #[serde(default)]
    pub stretches: usize,
    pub held_out: usize,
    pub later: usize,
    /// Judged rows that the champion could not answer (a missing tensor).
    pub unanswered: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TrialCounts {
    pub allowed: u32,
    pub done: usize,
    pub failed: usize,
    pub stopped: Stopped,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ChampionReport {
    pub family: String,
    /// Empty until the registry has given one.
    pub version: String,
    pub config: Config,
    /// Of the unrefitted twin on rows that it had not seen.
    pub metrics: Figures,
    pub requirements: Vec<RequirementReport>,
    pub measured: Measured,
    /// Of single keys, where they have models of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<KeyScores>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequirementReport {
    pub text: String,
    /// In the metric's own unit (shares in 0..1, seconds, bytes).
    pub measured: Option<f64>,
    pub met: bool,
    /// `6.2MiB, missed by 55%`.
    pub words: String,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CandidateReport {
    pub family: String,
    pub config: Config,
    /// Where the policy validates.
    pub metrics: Figures,
    /// What it was chosen by: over earlier stretches, too.
    #[serde(default)]
    pub overall: Figures,
    /// Standard errors of these, over blocks of the judged rows; those that have one.
    pub errors: Figures,
    /// Over each earlier stretch alone, earliest first.
    #[serde(default)]
    pub stretches: Vec<Figures>,
    pub measured: Option<Measured>,
    pub champion: bool,
    /// Does nothing beat it in everything?
    pub pareto: bool,
    pub failed: Option<String>,
}

/// A model by its family and what is known of it.
pub struct Scorer<'a> {
    pub family: &'a str,
    pub member: &'a Member,
}

/// Why a dearer model was passed over, if one was.
pub fn why<'a>(chosen: &super::Chosen, metric: &Metric, of: &dyn Fn(usize) -> Scorer<'a>) -> Option<String> {
    let Spared { best, within, error } = chosen.spared?;
    let (best, within) = (of(best), of(within));
    let overall = best.member.overall.get(&metric_text(metric)).copied();
    let score = overall.or_else(|| figure(best.member, metric))?;
    let (score, error) = (show::value(metric.kind, score), show::difference(metric.kind, error));
    let (size, least) = (within.member.measured.size as f64, best.member.measured.size as f64);
    let [size, least] = [size, least].map(|size| show::value(MetricKind::ModelSize, size));
    Some(format!(
        "{} scored best ({score}, {least}), but {} is within one standard error of it ({error}) at {size}: of what is no larger, the best was taken",
        best.family, within.family
    ))
}

impl Report {
    /// As one page of HTML that needs nothing beside itself; `title` is the pipeline, `books` are lines about its rows.
    pub fn page(title: &str, reports: &[&Report], books: &[String]) -> String {
        html::page(title, reports, books)
    }

    /// Of the champion, or of whoever came nearest.
    fn requirements(&self) -> &[RequirementReport] {
        self.champion.as_ref().map_or(&self.missed, |champion| &champion.requirements)
    }

    /// Is it this version that the report calls champion?
    pub(super) fn champion_is(&self, stored: Option<&super::Stored>) -> bool {
        let same = |(own, stored): (&ChampionReport, &super::Stored)| {
            own.family == stored.manifest.family && own.config == stored.manifest.config
        };
        self.champion.as_ref().zip(stored).is_some_and(same)
    }
}

impl RequirementReport {
    /// Of whoever was chosen, or came nearest.
    pub fn all(chosen: &super::Chosen, policy: &crate::ir::Policy) -> Vec<RequirementReport> {
        let pairs = chosen.verdicts.iter().zip(&policy.choice.requirements);
        pairs.map(|(verdict, requirement)| RequirementReport::new(verdict, &requirement.metric)).collect()
    }

    pub fn new(verdict: &super::Verdict, metric: &crate::ir::Metric) -> RequirementReport {
        let words = match (verdict.measured, verdict.met) {
            (None, _) => "not measured".to_owned(),
            (Some(value), true) => format!("{}, met", show::value(metric.kind, value)),
            (Some(value), false) => {
                format!("{}, missed by {}", show::value(metric.kind, value), show::miss(metric.kind, value, verdict.bound))
            }
        };
        RequirementReport { text: verdict.text.clone(), measured: verdict.measured, met: verdict.met, words }
    }
}
