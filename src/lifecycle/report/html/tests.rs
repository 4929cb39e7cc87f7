//! The page as a whole: everything is in it, and nothing comes from elsewhere.

use std::collections::BTreeMap;

use super::super::super::{Bin, Interval, KeyScore, KeyScores, Measured, Standing, Stopped};
use super::super::{CandidateReport, RequirementReport, RowCounts, TrialCounts};
use super::*;
use crate::model::{Config, Confusion, Figures};

fn figures(accuracy: f64) -> Figures {
    BTreeMap::from([("accuracy".to_owned(), accuracy)])
}

fn candidate(family: &str, accuracy: f64, champion: bool) -> CandidateReport {
    CandidateReport {
        family: family.into(),
        config: Config::default(),
        metrics: figures(accuracy),
        overall: figures(accuracy),
        errors: figures(0.01),
        stretches: Vec::new(),
        measured: Some(Measured { latency_p50: 1e-5, latency_p99: 2e-5, memory: 10_000, size: 2_000 }),
        champion,
        pareto: true,
        failed: None,
    }
}

fn evidence() -> Evidence {
    Evidence {
        rows: 200,
        interval: Some(Interval { metric: "accuracy".into(), value: 0.97, low: 0.951, high: 0.983, level: 0.95, draws: 400 }),
        calibration: vec![Bin { rows: 20, confidence: 0.7, right: 0.6 }, Bin { rows: 180, confidence: 0.95, right: 0.98 }],
        calibration_error: Some(0.037),
        points: Vec::new(),
    }
}

fn report() -> Report {
    let requirement = |met: bool| RequirementReport {
        text: "accuracy >= 95% <now>".into(),
        measured: Some(0.97),
        met,
        words: "97.0%, met".into(),
    };
    let key =
        |key: &str, own: bool, score: f64| KeyScore { key: key.into(), rows: 100, own, score: Some(score), shared: Some(0.9) };
    Report {
        task: "occupancy".into(),
        goal: "classify occupied".into(),
        metric: "accuracy".into(),
        maximize: true,
        rows: RowCounts { all: 1_000, labelled: 990, trained: 790, judged: 200, held_out: 100, ..RowCounts::default() },
        split: "the last 20% of the rows".into(),
        seed: 7,
        baselines: BTreeMap::from([("constant".to_owned(), figures(0.91)), ("persistence".to_owned(), figures(0.2))]),
        champion: Some(ChampionReport {
            family: "logistic".into(),
            version: "occupancy-3".into(),
            config: Config::default(),
            metrics: figures(0.97),
            requirements: vec![requirement(true), requirement(false)],
            measured: Measured::default(),
            keys: Some(KeyScores {
                by: vec!["device".into()],
                after: 500,
                metric: "accuracy".into(),
                keys: 3,
                own: 2,
                own_score: Some(0.95),
                shared_score: Some(0.9),
                of: vec![key("a", true, 0.96), key("b", true, 0.94), key("c", false, 0.9)],
            }),
        }),
        missed: Vec::new(),
        hold_out: figures(0.961),
        hold_out_baselines: BTreeMap::from([("constant".to_owned(), figures(0.9))]),
        candidates: vec![candidate("logistic", 0.97, true), candidate("tree", 0.95, false)],
        trials: TrialCounts { allowed: 2, done: 2, failed: 0, stopped: Stopped::Trials },
        standing: Standing::Met,
        why: None,
        confusion: Some(Confusion { classes: vec!["no".into(), "yes".into()], counts: vec![vec![90, 3], vec![1, 106]] }),
        notes: vec!["a <note>".into()],
        evidence: Some(evidence()),
        hold_out_evidence: None,
        steps: Vec::new(),
        sensitivity: None,
    }
}

/// Every element is closed where it has to be, in the right order.
#[track_caller]
fn is_well_formed(page: &str) {
    let mut open: Vec<&str> = Vec::new();
    for tag in page.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        if tag.starts_with('!') || tag.ends_with('/') || ["meta", "br"].contains(&name) {
            continue;
        }
        if tag.starts_with('/') {
            assert_eq!(open.pop(), Some(name), "in {page}");
        } else {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "{open:?} stay open");
}

#[test]
fn a_page_has_everything_and_needs_nothing_from_elsewhere() {
    let page = page("room.mliot", &[&report(), &Report { task: "other".into(), ..report() }], &["1,000 rows in 0.1s".into()]);
    is_well_formed(&page);
    for part in [
        "96.1%",
        "hold-out, 100 rows",
        "best baseline: constant",
        "occupancy-3",
        "accuracy &gt;= 95% &lt;now&gt;",
        "not met",
        "truth \\ answer",
        "Is it as sure as it is right?",
        "off by 3.7 points",
        "The search",
        "Per device",
        "2 of 3 have a model of their own",
        "the last 20% of the rows",
        "a &lt;note&gt;",
        "Seed 7",
        "href=\"#other\"",
        "1,000 rows in 0.1s",
    ] {
        assert!(page.contains(part), "{part} is missing");
    }
    for part in ["<script", "src=", "url(", "@import", "http://", "https://", "<link"] {
        assert!(!page.contains(part), "{part} comes from elsewhere");
    }
}

#[test]
fn an_interval_is_that_of_the_rows_of_the_headline() {
    let alone = Report { hold_out: Figures::new(), ..report() };
    assert!(section(&alone).contains("95.1% to 98.3% in 95% of resamples; on the last 20% of the rows"));
    assert!(!section(&report()).contains("95.1% to"), "the headline is the hold-out's");
}

#[test]
fn a_report_without_a_champion_and_one_without_a_task_are_pages_too() {
    let nobody = Report {
        champion: None,
        evidence: None,
        confusion: None,
        hold_out: Figures::new(),
        candidates: Vec::new(),
        ..report()
    };
    for page in [page("<x>", &[&nobody], &[]), page("x", &[], &[])] {
        is_well_formed(&page);
        assert!(page.contains("none</div>") || page.contains("no task"), "{page}");
    }
}

#[test]
fn a_baseline_far_away_does_not_press_the_plot_flat() {
    let plot = plots::search(&report());
    assert!(plot.contains("constant") && !plot.contains("persistence"), "{plot}");
    assert!(plots::search(&Report { candidates: vec![candidate("tree", 0.9, true)], ..report() }).is_empty());
}
