//! The plots of a report.

use crate::model::Figures;

use super::super::super::{Evidence, KeyScores, StepReport};
use super::super::{CandidateReport, Report, show, text};
use super::svg::{Plot, Range};

/// How the best score rose from trial to trial, with the baselines as lines. Empty where fewer than two were scored.
pub fn search(report: &Report) -> String {
    // The constant stands among the baselines.
    let searched = report.candidates.iter().filter(|one| one.family != "constant" || one.champion);
    let scored = searched.enumerate().filter_map(|(nth, one)| Some((nth as f64 + 1.0, score(report, one)?, one)));
    let scored: Vec<(f64, f64, &CandidateReport)> = scored.collect();
    if scored.len() < 2 {
        return String::new();
    }
    let baselines: Vec<(&String, f64)> =
        report.baselines.iter().filter_map(|(name, figures)| Some((name, *figures.get(&report.metric)?))).collect();
    let ends = |(_, value, one): &(f64, f64, &CandidateReport)| {
        let error = error(report, one);
        [value - error, value + error]
    };
    // A baseline that is far away would press everything else flat.
    let own = Range::of(scored.iter().flat_map(ends));
    let near = |value: f64| (own.low - value).max(value - own.high) <= 1.5 * (own.high - own.low);
    let drawn: Vec<&(&String, f64)> = baselines.iter().filter(|(_, value)| near(*value)).collect();
    let y = limited(report, Range::of(scored.iter().flat_map(ends).chain(drawn.iter().map(|(_, value)| *value))));
    let x = Range { low: 0.5, high: scored[scored.len() - 1].0 + 0.5 };
    let label = format!("{} of every trial, in their order", report.metric);
    let names: Vec<&str> = drawn.iter().map(|(name, _)| name.as_str()).collect();
    let of_y = |at: f64| value(&report.metric, at);
    let mut plot = Plot::new(&label, (x, "trial"), (y, &report.metric), &whole, &of_y, &names);
    for (name, at) in drawn {
        plot.segment("baseline", (x.low, *at), (x.high, *at));
        plot.note(*at, name);
    }
    let mut best: Vec<(f64, f64)> = Vec::new();
    for (nth, value, _) in &scored {
        let before = best.last().map_or(*value, |(_, best)| *best);
        best.push((*nth, if report.maximize { before.max(*value) } else { before.min(*value) }));
    }
    best.push((x.high, best.last().map_or(0.0, |(_, best)| *best)));
    plot.path("main", &best, true);
    for (nth, own, one) in &scored {
        let error = error(report, one);
        plot.segment("error", (*nth, own - error), (*nth, own + error));
        let class = if one.champion { "warm" } else { "" };
        let title =
            format!("trial {nth}: {} {} {}", one.family, text::changed(&one.family, &one.config), value(&report.metric, *own));
        plot.dot(class, *nth, *own, if one.champion { 6.0 } else { 4.0 }, &title);
    }
    plot.finish()
}

/// How sure answers were, and how often these were right: on the diagonal is who is as sure as he is right.
pub fn calibration(evidence: &Evidence) -> String {
    if evidence.calibration.is_empty() {
        return String::new();
    }
    let least = evidence.calibration.iter().map(|bin| bin.confidence.min(bin.right)).fold(1.0, f64::min);
    let both = Range { low: (least * 10.0).floor() / 10.0, high: 1.0 };
    let both = if both.high - both.low < 0.2 { Range { low: 0.8, high: 1.0 } } else { both };
    let percent = |share: f64| format!("{:.0}%", share * 100.0);
    let label = "how often answers were right, by their confidence";
    let mut plot = Plot::new(label, (both, "confidence"), (both, "right"), &percent, &percent, &[]);
    plot.segment("dash", (both.low, both.low), (both.high, both.high));
    let points: Vec<(f64, f64)> = evidence.calibration.iter().map(|bin| (bin.confidence, bin.right)).collect();
    plot.path("main", &points, false);
    let most = evidence.calibration.iter().map(|bin| bin.rows).max().unwrap_or(1) as f64;
    for bin in &evidence.calibration {
        let title = format!("{} rows, {:.1}% sure, {:.1}% right", bin.rows, bin.confidence * 100.0, bin.right * 100.0);
        plot.dot("", bin.confidence, bin.right, 3.0 + 6.0 * (bin.rows as f64 / most).sqrt(), &title);
    }
    plot.finish()
}

/// Answers over truth, of a regression.
pub fn scatter(evidence: &Evidence) -> String {
    if evidence.points.is_empty() {
        return String::new();
    }
    let both = Range::of(evidence.points.iter().flatten().copied());
    let mut plot = Plot::new(
        "the answer over the truth of single rows",
        (both, "truth"),
        (both, "answer"),
        &show::digits,
        &show::digits,
        &[],
    );
    plot.segment("dash", (both.low, both.low), (both.high, both.high));
    for [truth, answer] in &evidence.points {
        plot.dot("faint", *truth, *answer, 2.5, &format!("truth {}, answer {}", show::digits(*truth), show::digits(*answer)));
    }
    plot.finish()
}

/// The error of a path by how far it looks ahead, with the baselines.
pub fn steps(report: &Report) -> String {
    let of = |figures: &Figures| figures.get(&report.metric).copied();
    let hours = |step: &StepReport| step.ahead.0 as f64 / 3.6e9;
    let own: Vec<(f64, f64)> = report.steps.iter().filter_map(|step| Some((hours(step), of(&step.metrics)?))).collect();
    let Some(last) = report.steps.last().filter(|_| own.len() > 1) else { return String::new() };
    let baseline = |name: &String| -> Vec<(f64, f64)> {
        report.steps.iter().filter_map(|step| Some((hours(step), of(step.baselines.get(name)?)?))).collect()
    };
    let baselines: Vec<(&String, Vec<(f64, f64)>)> = last.baselines.keys().map(|name| (name, baseline(name))).collect();
    let all = own.iter().chain(baselines.iter().flat_map(|(_, points)| points)).map(|(_, value)| *value);
    let (x, y) = (Range::of(own.iter().map(|(hours, _)| *hours)), Range::of(all));
    let label = format!("{} by how far the path looks ahead", report.metric);
    let of_y = |at: f64| value(&report.metric, at);
    let names: Vec<&str> = baselines.iter().map(|(name, _)| name.as_str()).collect();
    let mut plot = Plot::new(&label, (x, "hours ahead"), (y, &report.metric), &show::digits, &of_y, &names);
    for (name, points) in &baselines {
        plot.path("baseline", points, false);
        points.last().iter().for_each(|(_, at)| plot.note(*at, name));
    }
    plot.path("main", &own, false);
    own.iter().for_each(|(hours, at)| plot.dot("", *hours, *at, 3.0, &format!("{} h: {}", show::digits(*hours), of_y(*at))));
    plot.finish()
}

/// The score of every key beside what the shared model would have scored.
pub fn keys(keys: &KeyScores) -> String {
    let scored: Vec<_> = keys.of.iter().filter_map(|one| Some((one, one.score?, one.shared?))).collect();
    if scored.len() < 2 {
        return String::new();
    }
    let both = Range::of(scored.iter().flat_map(|(_, score, shared)| [*score, *shared]));
    let of = |at: f64| value(&keys.metric, at);
    let (x_name, y_name) = (format!("{} of the shared model", keys.metric), keys.metric.clone());
    let mut plot = Plot::new("scores of single keys", (both, &x_name), (both, &y_name), &of, &of, &[]);
    plot.segment("dash", (both.low, both.low), (both.high, both.high));
    for (one, score, shared) in &scored {
        let class = if one.own { "" } else { "hollow" };
        let title = format!("{}: {} rows, {}, shared {}", one.key, one.rows, of(*score), of(*shared));
        plot.dot(class, *shared, *score, 4.0, &title);
    }
    plot.finish()
}

/// What the choice went by.
fn score(report: &Report, one: &CandidateReport) -> Option<f64> {
    one.overall.get(&report.metric).or_else(|| one.metrics.get(&report.metric)).copied()
}

fn error(report: &Report, one: &CandidateReport) -> f64 {
    one.errors.get(&report.metric).copied().unwrap_or_default()
}

/// Nothing stands between two trials.
fn whole(at: f64) -> String {
    if at.fract() == 0.0 { format!("{at:.0}") } else { String::new() }
}

fn value(metric: &str, at: f64) -> String {
    text::cell(metric, &Figures::from([(metric.to_owned(), at)]))
}

/// Shares are in 0..1, whatever air there is round them.
fn limited(report: &Report, range: Range) -> Range {
    let is_share = text::kind_of(&report.metric).is_some_and(|kind| kind.facts().reads == crate::ir::Reads::Percent);
    if is_share { range.within(0.0, 1.0) } else { range }
}
