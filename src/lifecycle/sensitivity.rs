//! How much of a figure is chance: the champion's configuration learned again with other seeds, and from the same rows in other
//! orders, judged on the same rows.

use arrow::array::RecordBatch;
use serde::{Deserialize, Serialize};

use crate::diag::Diagnostic;
use crate::model::{Config, Stream, kind_of, metric_text, seed_of};
use crate::plan::Learn;

use super::pool::run_all;
use super::split::split;
use super::{Data, Job, Round, Trials};

/// Of the metric that the policy aims at, where it validates.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Sensitivity {
    pub metric: String,
    /// As it was learned.
    pub own: Option<f64>,
    /// With other seeds, and from rows in other orders; a run that failed is not in it.
    pub seeds: Vec<f64>,
    pub orders: Vec<f64>,
}

/// Of a configuration, `runs` times with another seed and as often in another order.
///
/// # Errors
/// If the rows cannot be divided as the policy says.
pub fn sensitivity(
    learn: &Learn,
    table: &RecordBatch,
    (family, config): (&str, &Config),
    runs: usize,
    trials: &dyn Trials,
) -> Result<Option<Sensitivity>, Vec<Diagnostic>> {
    let Learn { task, policy } = learn;
    let Some(purpose) = kind_of(task.kind) else { return Ok(None) };
    let metric = &policy.choice.goal.metric;
    if metric.kind.is_cost() {
        return Ok(None);
    }
    let data = Data::new(task, purpose, table)?;
    let split = split(&data.table, task, policy, purpose)?;
    let job = |seed: u64, rounds: Vec<Round>| Job {
        family: family.to_owned(),
        config: config.clone(),
        seed,
        rounds,
        earlier: Vec::new(),
        metrics: vec![metric.clone()],
        baseline_mae: None,
        goal: None,
        measured: false,
    };
    let fit_seed = seed_of(policy.seed, "fit");
    let other_seed = |nth: usize| job(seed_of(policy.seed, &format!("fit/{nth}")), split.rounds.clone());
    let other_order = |nth: usize| {
        let mut stream = Stream::for_purpose(policy.seed, &format!("order/{nth}"));
        let shuffled = |round: &Round| {
            let mut round = round.clone();
            stream.shuffle(&mut round.train);
            round
        };
        job(fit_seed, split.rounds.iter().map(shuffled).collect())
    };
    let mut jobs = vec![job(fit_seed, split.rounds.clone())];
    jobs.extend((0..runs).map(other_seed));
    jobs.extend((0..runs).map(other_order));
    let results = run_all(trials, &data, &jobs, None, &mut |_, _| {});
    let name = metric_text(metric);
    let figure = |result: &Result<super::Done, super::TrialError>| result.as_ref().ok()?.figures.get(&name).copied();
    let of = |results: &[Result<super::Done, super::TrialError>]| results.iter().filter_map(figure).collect::<Vec<f64>>();
    let (own, others) = results.split_first().map_or((None, &[][..]), |(own, others)| (figure(own), others));
    let (seeds, orders) = others.split_at(runs.min(others.len()));
    Ok(Some(Sensitivity { metric: name.clone(), own, seeds: of(seeds), orders: of(orders) }))
}

impl Sensitivity {
    /// From the least to the greatest, with the one as it was learned; None of nothing.
    pub fn range(&self, values: &[f64]) -> Option<[f64; 2]> {
        let all = || values.iter().copied().chain(self.own);
        let (low, high) = (all().min_by(f64::total_cmp)?, all().max_by(f64::total_cmp)?);
        (!values.is_empty()).then_some([low, high])
    }
}
