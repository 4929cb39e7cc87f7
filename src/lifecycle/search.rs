//! The search: a portfolio of good points first, then chance and small steps from what was best. The list of trials is a
//! function of the spaces, the seed and the results so far; time only ends it.

use std::collections::BTreeSet;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::base::Hash;
use crate::ir::{Choice, Goal, Metric};
use crate::model::{Config, Figures, Stream, metric_text, seed_of};

use super::choose::is_dispensable;
use super::pool::run_all;
use super::{Data, Done, Job, Member, Round, Space, TrialError, Trials};

/// Proposals that are made at once from the same results, however many run in parallel.
const PROPOSED_TOGETHER: usize = 4;
/// A search that keeps proposing what it tried is at its end.
const REPEATS_MAX: usize = 50;
/// The share of proposals that look anywhere.
const ANYWHERE: f64 = 0.3;
/// Families that are worth small steps.
const BEST_FAMILIES: usize = 2;

/// What is told while a training runs.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    Baselines(super::baselines::Baselines),
    /// A trial ended.
    Trial {
        done: u32,
        of: u32,
        family: String,
        config: String,
        result: Result<Figures, String>,
    },
    Refitting {
        done: usize,
        of: usize,
    },
}

/// What ended a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stopped {
    /// As many trials as the policy allows.
    Trials,
    Time,
    /// Every configuration was tried.
    Exhausted,
}

/// A configuration with what came of it.
#[derive(Clone, Debug)]
pub struct Trial {
    pub family: String,
    pub config: Config,
    pub result: Result<Done, TrialError>,
}

impl Trial {
    /// As the choice sees it.
    pub fn member(&self) -> Member {
        match &self.result {
            Ok(done) => Member {
                figures: done.figures.clone(),
                overall: done.overall.clone(),
                measured: done.measured.unwrap_or_default(),
                confusion: done.confusion.clone(),
                keys: done.keys.clone(),
                left_out: done.left_out.clone(),
            },
            Err(_) => Member::default(),
        }
    }
}

/// What a search may do.
pub struct Plan<'a> {
    pub spaces: &'a [Space],
    pub rounds: &'a [Round],
    pub earlier: &'a [Round],
    pub metrics: &'a [Metric],
    pub baseline_mae: Option<f64>,
    /// What the search climbs.
    pub goal: Goal,
    /// What will be chosen by: models that cannot be chosen any more are let go.
    pub choice: &'a Choice,
    pub seed: u64,
    pub trials: u32,
    pub deadline: Option<Instant>,
}

impl Plan<'_> {
    pub fn job(&self, family: &str, config: &Config) -> Job {
        Job {
            family: family.to_owned(),
            config: config.clone(),
            seed: seed_of(self.seed, "fit"),
            rounds: self.rounds.to_vec(),
            earlier: self.earlier.to_vec(),
            metrics: self.metrics.to_vec(),
            baseline_mae: self.baseline_mae,
            goal: Some(self.goal.metric.clone()),
            measured: true,
        }
    }

    /// Runs until trials, time or configurations end. Trials stand in the order in which they were proposed; what time cut
    /// off, and all behind it, is left out, so equally many trials are equal trials.
    pub fn search(&self, trials: &dyn Trials, data: &Data, progress: &mut dyn FnMut(Progress)) -> (Vec<Trial>, Stopped) {
        let mut tried: Vec<Trial> = Vec::new();
        let mut seen = BTreeSet::new();
        let mut batch = portfolio(self.spaces);
        batch.retain(|(space, config)| seen.insert(Hash::of(&(self.spaces[*space].family.name(), config))));
        loop {
            batch.truncate((self.trials as usize).saturating_sub(tried.len()));
            let ran = self.run(trials, data, &batch, tried.len(), progress);
            let whole = ran.len() == batch.len();
            tried.extend(ran);
            self.let_go(&mut tried);
            if !whole {
                return (tried, Stopped::Time);
            }
            if tried.len() >= self.trials as usize {
                return (tried, Stopped::Trials);
            }
            batch = self.propose(&tried, &mut seen);
            if batch.is_empty() {
                return (tried, Stopped::Exhausted);
            }
        }
    }

    /// The results of the first of `batch` that all ended by themselves.
    fn run(
        &self,
        trials: &dyn Trials,
        data: &Data,
        batch: &[(usize, Config)],
        before: usize,
        progress: &mut dyn FnMut(Progress),
    ) -> Vec<Trial> {
        let jobs: Vec<Job> = batch.iter().map(|(space, config)| self.job(self.spaces[*space].family.name(), config)).collect();
        let mut ended = before as u32;
        let mut tell = |at: usize, result: &Result<Done, TrialError>| {
            ended += 1;
            progress(Progress::Trial {
                done: ended,
                of: self.trials,
                family: jobs[at].family.clone(),
                config: jobs[at].config.to_string(),
                result: result.as_ref().map(|done| done.figures.clone()).map_err(ToString::to_string),
            });
        };
        let results = run_all(trials, data, &jobs, self.deadline, &mut tell);
        let ended = results.into_iter().zip(jobs).take_while(|(result, _)| result != &Err(TrialError::Cancelled));
        ended.map(|(result, job)| Trial { family: job.family, config: job.config, result }).collect()
    }

    /// Drops the bundles of those that nobody will choose, as another is better whatever is asked: a search holds little more
    /// than its Pareto set.
    fn let_go(&self, tried: &mut [Trial]) {
        let members: Vec<Member> = tried.iter().map(Trial::member).collect();
        for (at, trial) in tried.iter_mut().enumerate() {
            if let Ok(done) = &mut trial.result
                && is_dispensable(&members, self.choice, at)
            {
                done.bundles.clear();
            }
        }
    }

    /// The next points, from all results so far.
    fn propose(&self, tried: &[Trial], seen: &mut BTreeSet<Hash>) -> Vec<(usize, Config)> {
        let open: Vec<usize> = (0..self.spaces.len()).filter(|at| !self.spaces[*at].dimensions.is_empty()).collect();
        if open.is_empty() {
            return Vec::new();
        }
        let leaders = self.leaders(tried, &open);
        let mut stream = Stream::for_purpose(self.seed, &format!("search/{}", tried.len()));
        let mut proposed = Vec::new();
        for _ in 0..REPEATS_MAX {
            let (space, config) = if leaders.is_empty() || stream.unit() < ANYWHERE {
                let space = open[stream.below(open.len())];
                (space, self.spaces[space].anywhere(&mut stream))
            } else {
                let (space, config) = leaders[stream.below(leaders.len())];
                (space, self.spaces[space].near(config, &mut stream))
            };
            if seen.insert(Hash::of(&(self.spaces[space].family.name(), &config))) {
                proposed.push((space, config));
            }
            if proposed.len() == PROPOSED_TOGETHER {
                break;
            }
        }
        proposed
    }

    /// The best point of each of the best families.
    fn leaders<'t>(&self, tried: &'t [Trial], open: &[usize]) -> Vec<(usize, &'t Config)> {
        let best_of = |space: usize| {
            let name = self.spaces[space].family.name();
            let own = tried.iter().filter(|trial| trial.family == name);
            let scored = own.filter_map(|trial| Some((self.score(trial)?, &trial.config)));
            scored.reduce(|best, next| if next.0 > best.0 { next } else { best }).map(|(score, config)| (score, space, config))
        };
        let mut best: Vec<(f64, usize, &Config)> = open.iter().filter_map(|space| best_of(*space)).collect();
        best.sort_by(|(a, a_space, _), (b, b_space, _)| b.total_cmp(a).then(a_space.cmp(b_space)));
        best.into_iter().take(BEST_FAMILIES).map(|(_, space, config)| (space, config)).collect()
    }

    /// Higher is better.
    fn score(&self, trial: &Trial) -> Option<f64> {
        let done = trial.result.as_ref().ok()?;
        let name = metric_text(&self.goal.metric);
        let value = *done.overall.get(&name).or_else(|| done.figures.get(&name))?;
        Some(if self.goal.maximize { value } else { -value })
    }
}

/// The first point of each family, then the second of each, and so on.
fn portfolio(spaces: &[Space]) -> Vec<(usize, Config)> {
    let most = spaces.iter().map(|space| space.first.len()).max().unwrap_or_default();
    let nth = |nth: usize| spaces.iter().enumerate().filter_map(move |(at, space)| Some((at, space.first.get(nth)?.clone())));
    (0..most).flat_map(nth).collect()
}
