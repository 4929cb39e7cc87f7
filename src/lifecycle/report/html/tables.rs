//! The tables of a report.

use std::fmt::Write;

use crate::base::grouped;
use crate::ir::MetricKind;
use crate::model::{Confusion, Figures};

use super::super::{CandidateReport, Report, RequirementReport, show, text};
use super::escaped;

/// Beyond so many classes a matrix is no picture any more.
const CLASSES_MAX: usize = 24;
/// Candidates that are listed.
const CANDIDATES_MAX: usize = 60;

pub fn requirements(requirements: &[RequirementReport]) -> String {
    if requirements.is_empty() {
        return String::new();
    }
    let row = |one: &RequirementReport| {
        let (class, word) = if one.met { ("good", "met") } else { ("bad", "not met") };
        format!(
            "<tr><td><span class=\"tag {class}\">{word}</span></td><td>{}</td><td>{}</td></tr>",
            escaped(&one.text),
            escaped(&one.words)
        )
    };
    let rows: String = requirements.iter().map(row).collect();
    format!(
        "<h3>Requirements</h3><div class=\"scroll\"><table><tr><th></th><th>required</th><th>measured</th></tr>{rows}</table></div>"
    )
}

/// Baselines first, then candidates, best first.
pub fn candidates(report: &Report) -> String {
    let metrics = report.shown_metrics();
    let mut out = String::from("<div class=\"scroll\"><table><tr><th>model</th><th>settings</th>");
    if report.rows.stretches > 0 {
        out.push_str("<th class=\"n\">overall</th>");
    }
    out.push_str("<th class=\"n\">±1 se</th>");
    metrics.iter().for_each(|metric| _ = write!(out, "<th class=\"n\">{}</th>", escaped(metric)));
    out.push_str("<th class=\"n\">p99</th><th class=\"n\">memory</th><th class=\"n\">size</th></tr>");
    for (name, figures) in &report.baselines {
        let dashes = if report.rows.stretches > 0 { "<td></td><td></td>" } else { "<td></td>" };
        let _ = write!(
            out,
            "<tr class=\"baseline\"><td>{}</td><td>baseline</td>{dashes}{}<td></td><td></td><td></td></tr>",
            escaped(name),
            cells(&metrics, figures)
        );
    }
    let ranked = report.ranked();
    ranked.iter().take(CANDIDATES_MAX).for_each(|one| out.push_str(&candidate(report, one, &metrics)));
    out.push_str("</table></div>");
    if let Some(hidden) = ranked.len().checked_sub(CANDIDATES_MAX).filter(|hidden| *hidden > 0) {
        let _ = write!(out, "<p class=\"soft small\">and {hidden} more, which the JSON beside this page has</p>");
    }
    out
}

fn candidate(report: &Report, one: &CandidateReport, metrics: &[String]) -> String {
    let class = if one.champion { " class=\"champion\"" } else { "" };
    let settings = text::changed(&one.family, &one.config).to_string();
    let mark = if one.champion { " <span class=\"tag good\">champion</span>" } else { "" };
    let mut out = format!("<tr{class}><td>{}{mark}</td><td>{}</td>", escaped(&one.family), escaped(&settings));
    if let Some(why) = &one.failed {
        let _ = write!(out, "<td colspan=\"9\" class=\"bad\">failed: {}</td></tr>", escaped(why));
        return out;
    }
    if report.rows.stretches > 0 {
        let _ = write!(out, "<td class=\"n\">{}</td>", text::cell(&report.metric, &one.overall));
    }
    let error = text::kind_of(&report.metric).zip(one.errors.get(&report.metric));
    let error = error.map(|(kind, error)| show::plus_minus(kind, *error)).unwrap_or_default();
    let _ = write!(out, "<td class=\"n\">{error}</td>{}", cells(metrics, &one.metrics));
    let measured = one.measured.unwrap_or_default();
    for (kind, value) in [
        (MetricKind::LatencyP99, measured.latency_p99),
        (MetricKind::Memory, measured.memory as f64),
        (MetricKind::ModelSize, measured.size as f64),
    ] {
        let _ = write!(out, "<td class=\"n\">{}</td>", show::value(kind, value));
    }
    out + "</tr>"
}

fn cells(metrics: &[String], figures: &Figures) -> String {
    metrics.iter().map(|metric| format!("<td class=\"n\">{}</td>", text::cell(metric, figures))).collect()
}

/// The champion on rows that nobody had seen, beside the baselines there.
pub fn hold_out(report: &Report) -> String {
    if report.hold_out.is_empty() {
        return String::new();
    }
    let metrics: Vec<String> =
        report.shown_metrics().into_iter().filter(|metric| report.hold_out.contains_key(metric)).collect();
    let head: String = metrics.iter().map(|metric| format!("<th class=\"n\">{}</th>", escaped(metric))).collect();
    let row = |class: &str, name: &str, figures: &Figures| {
        format!("<tr class=\"{class}\"><td>{}</td>{}</tr>", escaped(name), cells(&metrics, figures))
    };
    let baselines: String = report.hold_out_baselines.iter().map(|(name, figures)| row("baseline", name, figures)).collect();
    let champion = row("champion", "champion", &report.hold_out);
    format!(
        "<h3>On {}</h3><div class=\"scroll\"><table><tr><th></th>{head}</tr>{baselines}{champion}</table></div>",
        report.unseen_words()
    )
}

/// Truth in rows, answers in columns; shaded by the share of its row.
pub fn confusion(confusion: &Confusion) -> String {
    let classes = &confusion.classes;
    if classes.len() > CLASSES_MAX {
        return format!(
            "<p class=\"soft\">{} classes are too many for a picture; the JSON beside this page has all counts.</p>",
            classes.len()
        );
    }
    let head: String = classes.iter().map(|class| format!("<th>{}</th>", escaped(class))).collect();
    let mut out =
        format!("<div class=\"scroll\"><table class=\"confusion\"><tr><th class=\"side\">truth \\ answer</th>{head}</tr>");
    for (class, counts) in classes.iter().zip(&confusion.counts) {
        let all: u64 = counts.iter().sum();
        let _ = write!(out, "<tr><th class=\"side\">{}</th>", escaped(class));
        for count in counts {
            let share = *count as f64 / all.max(1) as f64;
            let below = if all > 0 && *count > 0 {
                format!("<br><span class=\"small soft\">{:.0}%</span>", share * 100.0)
            } else {
                String::new()
            };
            let _ =
                write!(out, "<td style=\"background: rgba(var(--heat), {:.2})\">{}{below}</td>", share * 0.55, grouped(*count));
        }
        out.push_str("</tr>");
    }
    out + "</table></div>"
}
