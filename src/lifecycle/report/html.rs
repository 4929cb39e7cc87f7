//! Reports as one page of HTML that needs nothing beside itself: no script, no font, no picture from elsewhere.

mod plots;
mod svg;
mod tables;

use std::fmt::Write;

use crate::base::grouped;
use crate::ir::{Better, MetricKind};

use super::super::Evidence;
use super::{ChampionReport, Report, show, text};

const STYLE: &str = include_str!("html/page.css");

/// All tasks of a replay. `title` is the pipeline; `books` are lines about its rows.
pub fn page(title: &str, reports: &[&Report], books: &[String]) -> String {
    let mut out = String::from("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
    out.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
    let _ = write!(out, "<title>{} · mliot</title><style>\n{STYLE}</style></head><body><main>", escaped(title));
    let _ = write!(out, "<h1>{}</h1><p class=\"soft\">What a replay has learned.</p>", escaped(title));
    if reports.len() > 1 {
        let links = reports.iter().map(|report| format!("<a href=\"#{0}\">{0}</a>", escaped(&report.task)));
        let _ = write!(out, "<nav>{}</nav>", links.collect::<String>());
    }
    if reports.is_empty() {
        out.push_str("<p>The file has no task, so nothing was learned.</p>");
    }
    reports.iter().for_each(|report| out.push_str(&section(report)));
    let lines: String = books.iter().map(|line| format!("{}<br>", escaped(line))).collect();
    let _ = writeln!(out, "<footer>{lines}mliot {}</footer></main></body></html>", env!("CARGO_PKG_VERSION"));
    out
}

/// Text as text.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

fn section(report: &Report) -> String {
    let mut out = format!("<h2 id=\"{0}\">{0}: {1}</h2>", escaped(&report.task), escaped(&report.goal));
    let _ = write!(out, "<p class=\"soft\">{}</p>", escaped(&learned(report)));
    out.push_str(&cards(report));
    report.why.iter().for_each(|why| _ = write!(out, "<p>{}</p>", escaped(why)));
    report.sensitivity_words().iter().for_each(|words| _ = write!(out, "<p>{}</p>", escaped(words)));
    out.push_str(&tables::requirements(report.requirements()));
    out.push_str(&tables::hold_out(report));
    out.push_str(&pictures(report));
    let _ = write!(out, "<h3>Candidates, judged on {}</h3>{}", escaped(&report.split), tables::candidates(report));
    let notes: String = report.notes.iter().map(|note| format!("<li>{}</li>", escaped(note))).collect();
    let _ = write!(out, "<h3>Notes</h3><ul class=\"soft small\">{notes}</ul>");
    out
}

fn learned(report: &Report) -> String {
    let rows = &report.rows;
    let unlabelled = rows.all - rows.labelled;
    let without = if unlabelled > 0 { format!(", {} without a label", grouped(unlabelled as u64)) } else { String::new() };
    format!(
        "{} rows{without}. Learned from {}, {}; {}. Seed {}.",
        grouped(rows.all as u64),
        grouped(rows.trained as u64),
        report.judged_on(),
        report.search_words(),
        report.seed
    )
}

/// The headline first: the hold-out where there is one.
fn cards(report: &Report) -> String {
    let Some(champion) = &report.champion else {
        return "<div class=\"cards\"><div class=\"card\"><div class=\"name\">champion</div><div class=\"value bad\">none</div>\
                <div class=\"below\">no candidate meets the requirements</div></div></div>"
            .to_owned();
    };
    let is_unseen = report.hold_out.contains_key(&report.metric);
    let (figures, where_from) = match is_unseen {
        true => (&report.hold_out, report.unseen_words()),
        false => (&champion.metrics, report.split.clone()),
    };
    let evidence = if is_unseen { &report.hold_out_evidence } else { &report.evidence };
    let mut out = String::from("<div class=\"cards\">");
    out.push_str(&card(
        &report.metric,
        &text::cell(&report.metric, figures),
        &format!("{}{where_from}", interval(evidence.as_ref())),
    ));
    if let Some((name, best)) = best_baseline(report, is_unseen) {
        // Of a forecast it is a value of before, which anybody may know.
        let is_reference = name == "persistence" && !report.goal.starts_with("forecast");
        let below = if is_reference { "a reference: it knows the true label of the row before" } else { "what must be beaten" };
        out.push_str(&card(&format!("best baseline: {name}"), &best, below));
    }
    let settings = text::changed(&champion.family, &champion.config).to_string();
    let version = if champion.version.is_empty() { settings } else { format!("{} {settings}", champion.version) };
    out.push_str(&card("champion", &champion.family, &version));
    out.push_str(&costs(champion));
    out + "</div>"
}

fn costs(champion: &ChampionReport) -> String {
    let measured = &champion.measured;
    let value = |kind, value| show::value(kind, value);
    let below = format!(
        "memory {}, file {}",
        value(MetricKind::Memory, measured.memory as f64),
        value(MetricKind::ModelSize, measured.size as f64)
    );
    card("latency of one row, p99", &value(MetricKind::LatencyP99, measured.latency_p99), &below)
}

/// `name`, `value`, and what is to be said of it; all are text.
fn card(name: &str, value: &str, below: &str) -> String {
    let [name, value, below] = [name, value, below].map(escaped);
    format!(
        "<div class=\"card\"><div class=\"name\">{name}</div><div class=\"value\">{value}</div><div class=\"below\">{below}</div></div>"
    )
}

/// `97.1% to 98.4% (95% of resamples), `.
fn interval(evidence: Option<&Evidence>) -> String {
    let Some(interval) = evidence.and_then(|evidence| evidence.interval.as_ref()) else { return String::new() };
    let value =
        |value: f64| text::kind_of(&interval.metric).map_or_else(|| show::digits(value), |kind| show::value(kind, value));
    format!("{} to {} in {:.0}% of resamples; on ", value(interval.low), value(interval.high), interval.level * 100.0)
}

fn best_baseline(report: &Report, is_unseen: bool) -> Option<(&str, String)> {
    let baselines = if is_unseen { &report.hold_out_baselines } else { &report.baselines };
    let scored = baselines.iter().filter_map(|(name, figures)| Some((name, *figures.get(&report.metric)?, figures)));
    let sign = if report.maximize { 1.0 } else { -1.0 };
    let (name, _, figures) = scored.max_by(|a, b| (sign * a.1).total_cmp(&(sign * b.1)))?;
    Some((name, text::cell(&report.metric, figures)))
}

/// Confusion, calibration or scatter, search and keys, two in a row where there is room.
fn pictures(report: &Report) -> String {
    let evidence = report.hold_out_evidence.as_ref().or(report.evidence.as_ref());
    let judged = if report.hold_out_evidence.is_some() { report.unseen_words() } else { report.split.clone() };
    let keys = report.champion.as_ref().and_then(|champion| champion.keys.as_ref());
    let sections = [
        (
            "Truth and answers".to_owned(),
            report.confusion.as_ref().map(tables::confusion).unwrap_or_default(),
            format!("of the champion on {judged}"),
        ),
        (
            "Is it as sure as it is right?".to_owned(),
            evidence.map(plots::calibration).unwrap_or_default(),
            sureness(evidence, &judged),
        ),
        (
            "Truth and answers".to_owned(),
            evidence.map(plots::scatter).unwrap_or_default(),
            format!("of the champion on {judged}"),
        ),
        ("Step by step".to_owned(), plots::steps(report), format!("the champion (solid) and the baselines on {judged}")),
        (
            "The search".to_owned(),
            plots::search(report),
            "each dot a trial with its standard error; the line is the best so far, the champion is marked".to_owned(),
        ),
        (
            keys.map(|keys| format!("Per {}", keys.by.join(", "))).unwrap_or_default(),
            keys.map(plots::keys).unwrap_or_default(),
            keys.map(key_words).unwrap_or_default(),
        ),
    ];
    let drawn = sections.iter().filter(|(_, picture, _)| !picture.is_empty());
    let section = |(head, picture, words): &(String, String, String)| {
        format!("<section><h3>{}</h3>{picture}<p class=\"soft small\">{}</p></section>", escaped(head), escaped(words))
    };
    format!("<div class=\"pair\">{}</div>", drawn.map(section).collect::<String>())
}

fn sureness(evidence: Option<&Evidence>, judged: &str) -> String {
    let error = evidence.and_then(|evidence| evidence.calibration_error);
    let error = error.map(|error| format!("; off by {:.1} points on average", error * 100.0)).unwrap_or_default();
    format!("on the dashed line it is; larger dots are more rows of {judged}{error}")
}

fn key_words(keys: &super::super::KeyScores) -> String {
    let side = match text::kind_of(&keys.metric).map(|kind| kind.facts().better) {
        Some(Better::Lower) => "below",
        Some(Better::Higher) | None => "above",
    };
    format!(
        "{} of {} have a model of their own, learned from {} rows or more (filled dots); {side} the dashed line it does better than \
         the shared one",
        keys.own,
        keys.keys,
        grouped(keys.after)
    )
}

#[cfg(test)]
mod tests;
