//! From measured models to the one that the policy asks for. Pure, so an edited policy chooses again without training.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::ir::{BinaryOp, Choice, Measures, Metric, Otherwise, Requirement};
use crate::model::{Confusion, Figures, metric_text};

use super::error::{LeftOut, error_of_difference};
use super::{KeyScores, Measured};

/// A model as the choice sees it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// Where the policy validates: what requirements are held against.
    pub figures: Figures,
    /// Over earlier stretches, too: what the goal goes by. Empty in what earlier versions have kept.
    #[serde(default)]
    pub overall: Figures,
    pub measured: Measured,
    /// Of classes; what metrics of one class are read from that nobody had asked for.
    pub confusion: Option<Confusion>,
    /// Of single keys, where they have models of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<KeyScores>,
    /// The figures without each block of the judging rows in turn, the same blocks for all members of a training.
    pub left_out: LeftOut,
}

/// How one requirement stands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// As the author wrote it.
    pub text: String,
    /// In the metric's own unit; None where nothing could be measured, which counts as not met.
    pub measured: Option<f64>,
    pub bound: f64,
    pub met: bool,
}

/// How the choice came about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// The champion meets every requirement.
    Met,
    /// Nothing does; the nearest is used and warned of.
    Nearest,
    /// Nothing does; rows get no prediction.
    Abstains,
    /// Nothing does; whoever was champion before stays.
    KeepsChampion,
    /// Nothing does, and nothing is to run.
    Stops,
    /// There is nothing to choose from.
    Empty,
}

/// What was chosen, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chosen {
    pub standing: Standing,
    pub champion: Option<usize>,
    /// Those that no other member beats in everything, best first.
    pub pareto: Vec<usize>,
    /// The champion, else whoever misses by least.
    pub nearest: Option<usize>,
    /// Of `nearest`, one per requirement.
    pub verdicts: Vec<Verdict>,
    /// The requirement whose absence alone would help most, and who would win without it.
    pub costliest: Option<(usize, usize)>,
    /// Why the champion is not whoever scored best, where it is not.
    pub spared: Option<Spared>,
}

/// A dearer model whose better score does not mean enough.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Spared {
    /// Who scored best among those that meet the requirements.
    pub best: usize,
    /// Who is cheapest within one standard error of it.
    pub within: usize,
    /// That standard error, of the difference of the two, in the unit of the goal.
    pub error: f64,
}

/// Latencies within a tenth of each other are the same: the clock is no finer.
const LATENCY_STEP: f64 = 1.1;
/// Files of like size cost the same: a class of cost begins at so many times the size of the one before.
const SIZE_STEP: f64 = 2.0;
/// A difference that comes from one block alone is as large as its standard error, but for blocks that are not quite alike; it
/// says nothing, and is not to hang on that.
const ERROR_SLACK: f64 = 1.01;

/// Of those that meet the requirements, the best among those that cost no more than the cheapest within one standard error of
/// the best (the one-standard-error rule; Breiman et al., Classification and Regression Trees, 1984, with the error of the
/// paired difference). Cost is the size of the file, and never a time, so that equal jobs crown equal models. `current` is the
/// champion so far, where it is among the members; it stays on a draw.
pub fn choose(members: &[Member], choice: &Choice, current: Option<usize>) -> Chosen {
    let choosing = Choosing { members, choice, current };
    let mut pareto: Vec<usize> = (0..members.len()).filter(|at| !is_beaten(members, choice, *at)).collect();
    pareto.sort_by(|a, b| choosing.order(*a, *b));
    let crowned = choosing.best(None);
    let winner = crowned.map(|(winner, _)| winner);
    let nearest = winner.or_else(|| choosing.nearest());
    let standing = match (winner, nearest) {
        (Some(_), _) => Standing::Met,
        (None, Some(nearest)) => gravest(&members[nearest], choice),
        (None, None) => Standing::Empty,
    };
    let champion = match standing {
        Standing::Met | Standing::Nearest => nearest,
        Standing::KeepsChampion => current,
        Standing::Abstains | Standing::Stops | Standing::Empty => None,
    };
    let verdicts = nearest.map(|at| verdicts(&members[at], choice)).unwrap_or_default();
    let costliest = choosing.costliest(winner, nearest);
    Chosen { standing, champion, pareto, nearest, verdicts, costliest, spared: crowned.and_then(|(_, spared)| spared) }
}

struct Choosing<'a> {
    members: &'a [Member],
    choice: &'a Choice,
    current: Option<usize>,
}

impl Choosing<'_> {
    /// Best first: the goal, then the smaller file, then whoever is champion, then whoever was tried first.
    fn order(&self, a: usize, b: usize) -> Ordering {
        let goal = |at: usize| goal(&self.members[at], self.choice);
        let size = |at: usize| self.members[at].measured.size;
        let stays = |at: usize| self.current != Some(at);
        goal(b).total_cmp(&goal(a)).then(size(a).cmp(&size(b))).then(stays(a).cmp(&stays(b))).then(a.cmp(&b))
    }

    /// Among those that meet the requirements, but for this one.
    fn best(&self, without: Option<usize>) -> Option<(usize, Option<Spared>)> {
        let all = 0..self.members.len();
        let fit: Vec<usize> = all.filter(|at| misses(&self.members[*at], self.choice, without) == 0.0).collect();
        let first = |among: &[usize]| among.iter().copied().min_by(|a, b| self.order(*a, *b));
        let best = first(&fit)?;
        let class = |at: usize| cost_class(&self.members[at]);
        let within = fit.iter().copied().filter(|at| self.error_to(best, *at).is_some());
        let within = within.min_by(|a, b| class(*a).cmp(&class(*b)).then_with(|| self.order(*a, *b)))?;
        let cheap: Vec<usize> = fit.into_iter().filter(|at| class(*at) <= class(within)).collect();
        let winner = first(&cheap)?;
        let spared = || Spared { best, within, error: self.error_to(best, within).unwrap_or_default() };
        Some((winner, (winner != best).then(spared)))
    }

    /// The standard error of the difference, if the difference is no greater: then nobody knows who is better.
    fn error_to(&self, best: usize, at: usize) -> Option<f64> {
        let (best, at) = (&self.members[best], &self.members[at]);
        let gap = goal(best, self.choice) - goal(at, self.choice);
        if gap <= 0.0 {
            return Some(0.0);
        }
        let metric = &self.choice.goal.metric;
        // What was measured by a clock or by counting has no rows to leave out.
        if metric.kind.is_cost() {
            return None;
        }
        let name = metric_text(metric);
        let error = error_of_difference(best.left_out.get(&name)?, at.left_out.get(&name)?)?;
        (gap <= error * ERROR_SLACK).then_some(error)
    }

    /// Whoever misses by least.
    fn nearest(&self) -> Option<usize> {
        let miss = |at: usize| misses(&self.members[at], self.choice, None);
        (0..self.members.len()).min_by(|a, b| miss(*a).total_cmp(&miss(*b)).then_with(|| self.order(*a, *b)))
    }

    /// Without which requirement would the best that is left be best, and better than now?
    fn costliest(&self, winner: Option<usize>, nearest: Option<usize>) -> Option<(usize, usize)> {
        let best = |without: usize| self.best(Some(without)).map(|(best, _)| best);
        let without = (0..self.choice.requirements.len()).filter_map(|at| Some((at, best(at)?)));
        let goal = |at: usize| goal(&self.members[at], self.choice);
        let helps = |(_, then): &(usize, usize)| winner.is_none_or(|now| goal(*then) > goal(now));
        let single = without.filter(helps).min_by(|(_, a), (_, b)| self.order(*a, *b));
        if single.is_some() || winner.is_some() {
            return single;
        }
        // No single one would do: the one that is missed by most.
        let nearest = nearest?;
        let verdicts = verdicts(&self.members[nearest], self.choice);
        let missed = verdicts.iter().map(miss).enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b));
        missed.map(|(at, _)| (at, nearest))
    }
}

/// Of a model's file.
fn cost_class(member: &Member) -> i64 {
    (libm::log(member.measured.size.max(1) as f64) / libm::log(SIZE_STEP)).round() as i64
}

/// Of every requirement.
pub fn verdicts(member: &Member, choice: &Choice) -> Vec<Verdict> {
    choice.requirements.iter().map(|requirement| verdict(member, requirement)).collect()
}

/// A member's figure, whether of quality or of cost.
pub fn figure(member: &Member, metric: &Metric) -> Option<f64> {
    let of_class = || member.confusion.as_ref().and_then(|confusion| confusion.measure(metric));
    member.measured.figure(metric).or_else(|| member.figures.get(&metric_text(metric)).copied()).or_else(of_class)
}

/// How a model stands that is used whatever else there is.
pub fn standing_of(member: &Member, choice: &Choice) -> Standing {
    if misses(member, choice, None) == 0.0 { Standing::Met } else { gravest(member, choice) }
}

fn verdict(member: &Member, requirement: &Requirement) -> Verdict {
    let measured = figure(member, &requirement.metric);
    let met = measured.is_some_and(|measured| holds(requirement.op, measured, requirement.bound));
    Verdict { text: requirement.text.to_string(), measured, bound: requirement.bound, met }
}

fn holds(op: BinaryOp, measured: f64, bound: f64) -> bool {
    match op {
        BinaryOp::Lt => measured < bound,
        BinaryOp::Le => measured <= bound,
        BinaryOp::Gt => measured > bound,
        BinaryOp::Ge => measured >= bound,
        BinaryOp::Eq => measured == bound,
        BinaryOp::Ne => measured != bound,
        BinaryOp::Or | BinaryOp::And | BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div | BinaryOp::Pow => {
            unreachable!("a requirement compares")
        }
    }
}

/// The sum of what is missed, each relative to its bound; infinite where something was not measured.
fn misses(member: &Member, choice: &Choice, without: Option<usize>) -> f64 {
    let counted = choice.requirements.iter().enumerate().filter(|(at, _)| Some(*at) != without);
    counted.map(|(_, requirement)| miss(&verdict(member, requirement))).sum()
}

/// Something is missed by something at least, also where the bound itself is excluded.
fn miss(verdict: &Verdict) -> f64 {
    const LEAST: f64 = 1e-9;
    match (verdict.met, verdict.measured) {
        (true, _) => 0.0,
        (false, None) => f64::INFINITY,
        (false, Some(measured)) => ((measured - verdict.bound).abs() / verdict.bound.abs().max(LEAST)).max(LEAST),
    }
}

/// What the unmet requirements say is to happen; the gravest counts.
fn gravest(member: &Member, choice: &Choice) -> Standing {
    let unmet = choice.requirements.iter().filter(|requirement| !verdict(member, requirement).met);
    let said: Vec<Otherwise> = unmet.map(|requirement| requirement.otherwise).collect();
    match () {
        () if said.contains(&Otherwise::Stop) => Standing::Stops,
        () if said.contains(&Otherwise::KeepChampion) => Standing::KeepsChampion,
        () if said.contains(&Otherwise::Abstain) => Standing::Abstains,
        () => Standing::Nearest,
    }
}

/// Higher is better; what was not measured is worst.
fn goal(member: &Member, choice: &Choice) -> f64 {
    let metric = &choice.goal.metric;
    let overall = member.overall.get(&metric_text(metric)).copied();
    let value = match overall.or_else(|| figure(member, metric)) {
        Some(value) if metric.kind.facts().measures == Measures::Time => coarse(value),
        Some(value) => value,
        None => return f64::NEG_INFINITY,
    };
    // Differences below this are rounding.
    let value = (value * 1e9).round() / 1e9;
    if choice.goal.maximize { value } else { -value }
}

fn costs(member: &Member) -> [f64; 3] {
    let Measured { latency_p99, latency_p50: _, memory, size } = member.measured;
    [coarse(latency_p99), size as f64, memory as f64]
}

fn coarse(seconds: f64) -> f64 {
    if seconds > 0.0 { (seconds.ln() / LATENCY_STEP.ln()).round() } else { f64::NEG_INFINITY }
}

/// Everything that counts, higher being better: the goal, the costs, and what the requirements are about.
fn merits(member: &Member, choice: &Choice) -> Vec<f64> {
    let required = choice.requirements.iter().map(|requirement| {
        let value = figure(member, &requirement.metric);
        match (value, requirement.op) {
            (None, _) => f64::NEG_INFINITY,
            (Some(value), BinaryOp::Lt | BinaryOp::Le) => -value,
            (Some(value), BinaryOp::Gt | BinaryOp::Ge) => value,
            (Some(value), op) => f64::from(holds(op, value, requirement.bound)),
        }
    });
    let costs = costs(member).map(|cost| -cost);
    std::iter::once(goal(member, choice)).chain(costs).chain(required).collect()
}

/// Is another at least as good in everything and better in something? Of equals the first is not beaten.
pub fn is_beaten(members: &[Member], choice: &Choice, at: usize) -> bool {
    let own = merits(&members[at], choice);
    members.iter().enumerate().any(|(other, member)| {
        let theirs = merits(member, choice);
        let better = theirs.iter().zip(&own).any(|(theirs, own)| theirs > own);
        no_worse(&theirs, &own) && (better || other < at)
    })
}

/// Is it beaten by one that would be taken before it whatever was measured by a clock? Then it will never be champion.
pub fn is_dispensable(members: &[Member], choice: &Choice, at: usize) -> bool {
    let own = merits(&members[at], choice);
    let choosing = Choosing { members, choice, current: None };
    (0..members.len()).any(|other| choosing.order(other, at).is_lt() && no_worse(&merits(&members[other], choice), &own))
}

fn no_worse(theirs: &[f64], own: &[f64]) -> bool {
    theirs.iter().zip(own).all(|(theirs, own)| theirs >= own)
}

#[cfg(test)]
mod tests;
