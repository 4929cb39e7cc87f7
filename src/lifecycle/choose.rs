//! From measured models to the one that the policy asks for. Pure, so an edited policy chooses again without training.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::ir::{BinaryOp, Choice, Metric, Otherwise, Requirement};
use crate::model::{Confusion, Figures, metric_text};

use super::Measured;

/// A model as the choice sees it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Member {
    pub figures: Figures,
    pub measured: Measured,
    /// Of classes; what metrics of one class are read from that nobody had asked for.
    pub confusion: Option<Confusion>,
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
}

/// Latencies within a tenth of each other are the same: the clock is no finer.
const LATENCY_STEP: f64 = 1.1;

/// `current` is the champion so far, where it is among the members; it stays on a draw.
pub fn choose(members: &[Member], choice: &Choice, current: Option<usize>) -> Chosen {
    let order = |a: &usize, b: &usize| compare(members, choice, current, *a, *b);
    let mut pareto: Vec<usize> = (0..members.len()).filter(|at| !is_beaten(members, choice, *at)).collect();
    pareto.sort_by(order);
    let all: Vec<usize> = (0..members.len()).collect();
    let best = |without: Option<usize>| {
        all.iter().copied().filter(|at| misses(&members[*at], choice, without) == 0.0).min_by(|a, b| order(a, b))
    };
    let winner = best(None);
    let nearest = winner.or_else(|| {
        let miss = |at: &usize| misses(&members[*at], choice, None);
        all.iter().copied().min_by(|a, b| miss(a).total_cmp(&miss(b)).then_with(|| order(a, b)))
    });
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
    let costliest = costliest(choice, winner, nearest, members, &best, &|a, b| order(&a, &b));
    Chosen { standing, champion, pareto, nearest, verdicts, costliest }
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

/// The goal first, then what is cheaper: faster, smaller in the file, smaller in memory; then whoever is champion; then whoever
/// was tried first.
fn compare(members: &[Member], choice: &Choice, current: Option<usize>, a: usize, b: usize) -> Ordering {
    let goal = |at: usize| goal(&members[at], choice);
    let costs = |at: usize| costs(&members[at]);
    let stays = |at: usize| current != Some(at);
    let by_cost = costs(a).iter().zip(costs(b)).map(|(a, b)| a.total_cmp(&b)).find(|order| order.is_ne());
    goal(b).total_cmp(&goal(a)).then(by_cost.unwrap_or(Ordering::Equal)).then(stays(a).cmp(&stays(b))).then(a.cmp(&b))
}

/// Higher is better; what was not measured is worst.
fn goal(member: &Member, choice: &Choice) -> f64 {
    let metric = &choice.goal.metric;
    let value = match figure(member, metric) {
        Some(value) if member.measured.figure(metric).is_some() && metric.kind.name().starts_with("latency") => coarse(value),
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

/// Is another at least as good in everything and better in something? The champion is never beaten.
pub fn is_beaten(members: &[Member], choice: &Choice, at: usize) -> bool {
    let own = merits(&members[at], choice);
    members.iter().enumerate().any(|(other, member)| {
        let theirs = merits(member, choice);
        let no_worse = theirs.iter().zip(&own).all(|(theirs, own)| theirs >= own);
        let better = theirs.iter().zip(&own).any(|(theirs, own)| theirs > own);
        no_worse && (better || other < at)
    })
}

/// Without which requirement would the best that is left be best, and better than now?
fn costliest(
    choice: &Choice,
    winner: Option<usize>,
    nearest: Option<usize>,
    members: &[Member],
    best: &dyn Fn(Option<usize>) -> Option<usize>,
    order: &dyn Fn(usize, usize) -> Ordering,
) -> Option<(usize, usize)> {
    let without = (0..choice.requirements.len()).filter_map(|at| Some((at, best(Some(at))?)));
    let helps =
        |(_, then): &(usize, usize)| winner.is_none_or(|now| goal(&members[*then], choice) > goal(&members[now], choice));
    let single = without.filter(helps).min_by(|(_, a), (_, b)| order(*a, *b));
    if single.is_some() || winner.is_some() {
        return single;
    }
    // No single one would do: the one that is missed by most.
    let nearest = nearest?;
    let missed = verdicts(&members[nearest], choice).iter().map(miss).enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b));
    missed.map(|(at, _)| (at, nearest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::{Goal, MetricKind};

    /// Accuracy in percent, p99 in milliseconds, memory and size in bytes.
    fn member(accuracy: f64, p99_ms: f64, memory: u64, size: u64) -> Member {
        let measured = Measured { latency_p50: p99_ms / 2e3, latency_p99: p99_ms / 1e3, memory, size };
        Member { figures: [("accuracy".to_owned(), accuracy / 100.0)].into(), measured, ..Member::default() }
    }

    fn metric(kind: MetricKind) -> Metric {
        Metric { kind, class: None }
    }

    fn require(kind: MetricKind, op: BinaryOp, bound: f64, otherwise: Otherwise) -> Requirement {
        let text = format!("{} {op:?} {bound}", kind.name());
        Requirement { metric: metric(kind), op, bound, otherwise, text: text.into(), span: Default::default() }
    }

    fn fast(ms: f64) -> Requirement {
        require(MetricKind::LatencyP99, BinaryOp::Le, ms / 1e3, Otherwise::Warn)
    }

    fn small(bytes: u64) -> Requirement {
        require(MetricKind::Memory, BinaryOp::Le, bytes as f64, Otherwise::Warn)
    }

    fn most_accurate(requirements: Vec<Requirement>) -> Choice {
        Choice { goal: Goal { maximize: true, metric: metric(MetricKind::Accuracy) }, requirements }
    }

    fn generation() -> Vec<Member> {
        vec![
            member(90.0, 0.010, 1_000, 500),
            member(97.0, 0.100, 20_000, 9_000),
            member(99.0, 5.000, 900_000, 400_000),
            member(89.0, 6.000, 950_000, 450_000),
        ]
    }

    #[test]
    fn the_best_that_meets_the_requirements_wins() {
        for (requirements, champion) in
            [(vec![], 2), (vec![fast(1.0)], 1), (vec![fast(1.0), small(2_000)], 0), (vec![small(950_000)], 2)]
        {
            let chosen = choose(&generation(), &most_accurate(requirements.clone()), None);
            assert_eq!((chosen.champion, chosen.standing), (Some(champion), Standing::Met), "{requirements:?}");
            assert_eq!(chosen.pareto, [2, 1, 0], "whoever is worse in everything is out");
        }
    }

    #[test]
    fn the_requirement_that_costs_most_is_named() {
        let chosen = choose(&generation(), &most_accurate(vec![small(950_000), fast(1.0)]), None);
        assert_eq!(chosen.costliest, Some((1, 2)), "without the latency, the 99 % would win");
        let chosen = choose(&generation(), &most_accurate(vec![small(950_000)]), None);
        assert_eq!(chosen.costliest, None, "nothing better stands behind it");
    }

    #[test]
    fn when_nothing_meets_them_the_policy_says_what_happens() {
        let exact = |otherwise| require(MetricKind::Accuracy, BinaryOp::Ge, 0.98, otherwise);
        for (otherwise, standing, champion) in [
            (Otherwise::Warn, Standing::Nearest, Some(1)),
            (Otherwise::Abstain, Standing::Abstains, None),
            (Otherwise::KeepChampion, Standing::KeepsChampion, Some(3)),
            (Otherwise::Stop, Standing::Stops, None),
        ] {
            let chosen = choose(&generation(), &most_accurate(vec![exact(otherwise), fast(1.0)]), Some(3));
            assert_eq!((chosen.standing, chosen.champion, chosen.nearest), (standing, champion, Some(1)));
            let unmet: Vec<bool> = chosen.verdicts.iter().map(|verdict| verdict.met).collect();
            assert_eq!(unmet, [false, true]);
            assert_eq!(chosen.costliest, Some((1, 2)), "without the latency, the 99 % would do");
        }
    }

    #[test]
    fn the_gravest_consequence_counts_and_the_farthest_miss_is_named_if_no_single_one_helps() {
        let stop = require(MetricKind::Accuracy, BinaryOp::Ge, 0.999, Otherwise::Stop);
        let tiny = require(MetricKind::ModelSize, BinaryOp::Lt, 50.0, Otherwise::Warn);
        let chosen = choose(&generation(), &most_accurate(vec![stop, tiny]), None);
        assert_eq!((chosen.standing, chosen.nearest, chosen.costliest), (Standing::Stops, Some(0), Some((1, 0))));
    }

    #[test]
    fn a_draw_goes_to_the_cheaper_then_to_the_champion() {
        let draw = vec![member(97.0, 0.2, 10, 10), member(97.0, 0.1, 20, 20), member(97.0, 0.101, 20, 20)];
        assert_eq!(choose(&draw, &most_accurate(vec![]), None).champion, Some(1));
        assert_eq!(choose(&draw, &most_accurate(vec![]), Some(2)).champion, Some(2));
    }

    #[test]
    fn a_cost_can_be_the_goal_and_what_was_not_measured_is_not_met() {
        let goal = Goal { maximize: false, metric: metric(MetricKind::ModelSize) };
        let enough = require(MetricKind::Accuracy, BinaryOp::Ge, 0.95, Otherwise::Warn);
        let chosen = choose(&generation(), &Choice { goal, requirements: vec![enough] }, None);
        assert_eq!(chosen.champion, Some(1));
        let auc = require(MetricKind::Auc, BinaryOp::Ge, 0.5, Otherwise::Warn);
        let chosen = choose(&generation(), &most_accurate(vec![auc]), None);
        assert_eq!((chosen.standing, chosen.verdicts[0].measured), (Standing::Nearest, None));
        assert_eq!(choose(&[], &most_accurate(vec![]), None).standing, Standing::Empty);
    }
}
