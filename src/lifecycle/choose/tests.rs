//! Tables of members and what is chosen from them.

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
fn a_draw_goes_to_the_smaller_file_then_to_the_champion_and_never_to_the_faster() {
    let mut draw = vec![member(97.0, 0.2, 10, 10), member(97.0, 0.1, 20, 20), member(97.0, 0.101, 20, 20)];
    assert_eq!(choose(&draw, &most_accurate(vec![]), Some(1)).champion, Some(0));
    draw[0].measured.size = 20;
    assert_eq!(choose(&draw, &most_accurate(vec![]), None).champion, Some(0));
    assert_eq!(choose(&draw, &most_accurate(vec![]), Some(2)).champion, Some(2));
    let goal = Goal { maximize: false, metric: metric(MetricKind::LatencyP99) };
    let fastest = Choice { goal, requirements: vec![] };
    assert_eq!(choose(&draw, &fastest, None).champion, Some(1), "unless latency is what is asked for");
}

/// Accuracy in percent, and by how much it varies over two blocks of rows.
fn unsure(accuracy: f64, spread: f64, size: u64) -> Member {
    let left_out = vec![(accuracy - spread) / 100.0, (accuracy + spread) / 100.0];
    Member { left_out: [("accuracy".to_owned(), left_out)].into(), ..member(accuracy, 1.0, 10, size) }
}

#[test]
fn of_two_that_differ_by_no_more_than_a_standard_error_the_cheaper_wins() {
    // Of two blocks the standard error of the difference is the difference of the spreads.
    for (other, champion, why) in [
        (unsure(98.0, 1.5, 1_000), 1, "1 point of 1.5"),
        (unsure(98.0, 0.5, 1_000), 0, "1 point of 0.5"),
        (unsure(98.0, 1.0, 1_000), 1, "1 point of 1, as where one block makes all of it"),
        (unsure(98.0, 1.5, 380_000), 0, "its file is of the same class"),
        (unsure(98.0, 1.5, 900_000), 0, "its file is larger"),
        (unsure(99.0, 0.0, 1_000), 1, "a draw"),
        (member(98.9, 1.0, 10, 1_000), 0, "nobody knows the error"),
    ] {
        let members = [unsure(99.0, 0.0, 400_000), other];
        let chosen = choose(&members, &most_accurate(vec![]), None);
        assert_eq!(chosen.champion, Some(champion), "{why}");
        assert_eq!(chosen.spared.is_some(), champion == 1 && why != "a draw", "{why}");
    }
    let members = [unsure(99.0, 0.0, 400_000), unsure(98.0, 1.5, 1_000)];
    let spared = choose(&members, &most_accurate(vec![]), None).spared.unwrap();
    assert_eq!((spared.best, spared.within), (0, 1));
    assert!((spared.error - 0.015).abs() < 1e-12);
}

/// The goal goes by all stretches; what is required is held against the one that validates.
#[test]
fn one_good_stretch_crowns_nobody_and_still_meets_what_is_required() {
    let over_all = |accuracy: f64, overall: f64| Member {
        overall: [("accuracy".to_owned(), overall / 100.0)].into(),
        ..member(accuracy, 1.0, 10, 10)
    };
    let members = [over_all(99.4, 95.0), over_all(95.7, 98.2)];
    assert_eq!(choose(&members, &most_accurate(vec![]), None).champion, Some(1));
    let strict = most_accurate(vec![require(MetricKind::Accuracy, BinaryOp::Ge, 0.99, Otherwise::Warn)]);
    assert_eq!(choose(&members, &strict, None).champion, Some(0));
}

#[test]
fn among_what_costs_no_more_the_best_score_wins() {
    // The third is within an error of the first, the second is not, and better than the third.
    let members = [unsure(99.0, 0.0, 400_000), unsure(98.0, 0.1, 1_000), unsure(97.0, 3.0, 1_100)];
    let chosen = choose(&members, &most_accurate(vec![]), None);
    assert_eq!((chosen.champion, chosen.spared.map(|spared| spared.within)), (Some(1), Some(2)));
    let exact = require(MetricKind::Accuracy, BinaryOp::Ge, 0.985, Otherwise::Warn);
    assert_eq!(choose(&members, &most_accurate(vec![exact]), None).champion, Some(0), "requirements go before");
}

#[test]
fn whoever_is_chosen_was_never_dispensable() {
    let numbers = |seed: u64, of: u64| (seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33) % of;
    for round in 0..200 {
        let member = |nth: u64| {
            let seed = round * 16 + nth;
            let (accuracy, spread) = (90.0 + numbers(seed, 8) as f64, numbers(seed + 7_000, 4) as f64);
            let mut member = unsure(accuracy, spread, 100 << numbers(seed + 9_000, 5));
            member.measured.latency_p99 = numbers(seed + 5_000, 9) as f64 / 1e3;
            member
        };
        let members: Vec<Member> = (0..12).map(member).collect();
        for requirements in [vec![], vec![small(1)], vec![fast(3.0)], vec![fast(0.0)]] {
            let choice = most_accurate(requirements);
            let chosen = choose(&members, &choice, None);
            let kept = chosen.pareto.iter().chain(chosen.champion.iter());
            assert!(kept.into_iter().all(|at| !is_dispensable(&members, &choice, *at)), "round {round}");
        }
    }
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
