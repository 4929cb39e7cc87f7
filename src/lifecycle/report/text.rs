//! The report as a terminal shows it.

use crate::base::grouped;
use crate::ir::MetricKind;
use crate::model::{Config, ConfigValue, Confusion, Figures};

use super::super::{Measured, Standing, Stopped};
use super::{CandidateReport, Report, show};

/// Metrics that are shown beside the one that was aimed at.
pub(super) const SHOWN: [&str; 6] = ["accuracy", "macro_f1", "log_loss", "mae", "rmse", "r2"];
const CANDIDATES_SHOWN: usize = 12;
/// Of a path.
const STEPS_SHOWN: usize = 8;

impl Report {
    /// Several lines, aligned, each ending in a newline; no colours.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let mut line = |text: String| {
            out.push_str(text.trim_end());
            out.push('\n');
        };
        line(format!("{}: {}", self.task, self.goal));
        line(format!("  learned from {} rows, {}, seed {}", grouped(self.rows.trained as u64), self.judged_on(), self.seed));
        line(format!("  {}", self.search_words()));
        line(String::new());
        table(&self.rows_of_candidates()).into_iter().for_each(&mut line);
        self.why.iter().flat_map(|why| [String::new(), format!("  {why}")]).for_each(&mut line);
        self.key_lines().into_iter().for_each(&mut line);
        self.step_lines().into_iter().for_each(&mut line);
        self.requirement_lines().into_iter().for_each(&mut line);
        self.hold_out_lines().into_iter().for_each(&mut line);
        if let Some(confusion) = &self.confusion {
            confusion_lines(confusion).into_iter().for_each(&mut line);
        }
        self.sensitivity_words().map(|words| format!("  {words}")).into_iter().for_each(&mut line);
        self.notes.iter().map(|note| format!("  note: {note}")).for_each(&mut line);
        out
    }

    pub(super) fn judged_on(&self) -> String {
        let judged = format!("judged on {} ({} rows)", self.split, grouped(self.rows.judged as u64));
        match self.rows.stretches {
            0 => judged,
            1 => format!("{judged} and a stretch before ({} rows)", grouped(self.rows.earlier as u64)),
            many => format!("{judged} and {many} stretches before ({} rows)", grouped(self.rows.earlier as u64)),
        }
    }

    pub(super) fn search_words(&self) -> String {
        let why = match self.trials.stopped {
            Stopped::Trials => "as many as the policy allows",
            Stopped::Time => "then the time was over",
            Stopped::Exhausted => "every configuration was tried",
        };
        let failed = if self.trials.failed > 0 { format!(", {} failed", self.trials.failed) } else { String::new() };
        format!("{} of {} trials{failed}: {why}", self.trials.done, self.trials.allowed)
    }

    /// The head, the baselines, then the candidates, best first.
    fn rows_of_candidates(&self) -> Vec<Vec<String>> {
        let metrics = self.shown_metrics();
        let overall = (self.rows.stretches > 0).then(|| "overall".to_owned());
        let head = ["", ""].iter().map(ToString::to_string).chain(with_error(metrics.clone(), overall, "±1se".to_owned()));
        let mut rows = vec![head.chain(["p99", "memory", "size", ""].map(str::to_owned)).collect()];
        for (name, figures) in &self.baselines {
            let none = Figures::new();
            let line = Line { name, config: "", figures, overall: self.overall(&none), errors: &none, measured: None };
            rows.push(line.cells(&metrics, "baseline"));
        }
        let ranked = self.ranked();
        let hidden = ranked.len().saturating_sub(CANDIDATES_SHOWN);
        for (at, candidate) in ranked.into_iter().enumerate() {
            if at < CANDIDATES_SHOWN || candidate.champion {
                rows.push(self.candidate_row(candidate, &metrics));
            }
        }
        if hidden > 0 {
            rows.push(vec![format!("and {hidden} more")]);
        }
        rows
    }

    /// Best first; of equals the champion.
    pub(super) fn ranked(&self) -> Vec<&CandidateReport> {
        let mut ranked: Vec<&CandidateReport> = self.candidates.iter().collect();
        ranked.sort_by(|a, b| self.rank(b).total_cmp(&self.rank(a)).then(b.champion.cmp(&a.champion)));
        ranked
    }

    fn candidate_row(&self, candidate: &CandidateReport, metrics: &[String]) -> Vec<String> {
        let version = self.champion.as_ref().map(|champion| champion.version.clone()).unwrap_or_default();
        let mark = match (&candidate.failed, candidate.champion) {
            (Some(why), _) => format!("failed: {why}"),
            (None, true) => format!("<- champion {version}"),
            (None, false) => String::new(),
        };
        let line = Line {
            name: &candidate.family,
            config: &changed(&candidate.family, &candidate.config).to_string(),
            figures: &candidate.metrics,
            overall: self.overall(&candidate.overall),
            errors: &candidate.errors,
            measured: candidate.measured.as_ref(),
        };
        line.cells(metrics, &mark)
    }

    /// Figures over all stretches are shown where there are several.
    fn overall<'f>(&self, figures: &'f Figures) -> Option<&'f Figures> {
        (self.rows.stretches > 0).then_some(figures)
    }

    fn rank(&self, candidate: &CandidateReport) -> f64 {
        match candidate.overall.get(&self.metric).or_else(|| candidate.metrics.get(&self.metric)) {
            Some(value) if self.maximize => *value,
            Some(value) => -*value,
            None => f64::NEG_INFINITY,
        }
    }

    pub(super) fn shown_metrics(&self) -> Vec<String> {
        let others = SHOWN.into_iter().filter(|metric| *metric != self.metric).map(str::to_owned);
        let all = std::iter::once(self.metric.clone()).chain(others);
        let measured = |metric: &String| self.candidates.iter().any(|candidate| candidate.metrics.contains_key(metric));
        all.filter(measured).take(3).collect()
    }

    fn requirement_lines(&self) -> Vec<String> {
        let requirements = self.requirements();
        let mut lines = match self.standing {
            Standing::Met | Standing::Nearest | Standing::Empty => Vec::new(),
            Standing::Abstains => {
                vec![String::new(), "  no candidate meets the requirements: rows get no prediction".to_owned()]
            }
            Standing::KeepsChampion => {
                vec![String::new(), "  no candidate meets the requirements: the champion stays as it is".to_owned()]
            }
            Standing::Stops => vec![String::new(), "  no candidate meets the requirements".to_owned()],
        };
        if !requirements.is_empty() {
            lines.push(String::new());
            let row = |requirement: &super::RequirementReport| {
                let mark = if requirement.met { "ok" } else { "no" };
                vec![mark.to_owned(), requirement.text.clone(), requirement.words.clone()]
            };
            lines.extend(table(&requirements.iter().map(row).collect::<Vec<_>>()));
        }
        lines
    }

    /// `accuracy is 97.1% to 97.4% with 5 other seeds, 97.3% to 97.3% from its rows in 5 other orders`.
    pub(super) fn sensitivity_words(&self) -> Option<String> {
        let sensitivity = self.sensitivity.as_ref()?;
        let value =
            |value: f64| kind_of(&sensitivity.metric).map_or_else(|| show::digits(value), |kind| show::value(kind, value));
        let of = |values: &[f64], what: &str| {
            let [low, high] = sensitivity.range(values)?;
            Some(format!("{} to {} {what}", value(low), value(high)))
        };
        let (seeds, orders) = (&sensitivity.seeds, &sensitivity.orders);
        let seeds = of(seeds, &format!("with {} other seeds", seeds.len()));
        let orders = of(orders, &format!("from its rows in {} other orders", orders.len()));
        let both: Vec<String> = seeds.into_iter().chain(orders).collect();
        (!both.is_empty()).then(|| format!("{} is {}", sensitivity.metric, both.join(", ")))
    }

    /// The steps of a path, or some of them evenly spread, with the last.
    fn step_lines(&self) -> Vec<String> {
        let Some(last) = self.steps.last() else { return Vec::new() };
        let names: Vec<&String> = last.baselines.keys().collect();
        let heads = [format!("{} by step", self.metric), "champion".to_owned()];
        let mut rows = vec![heads.into_iter().chain(names.iter().map(ToString::to_string)).collect::<Vec<_>>()];
        let every = self.steps.len().div_ceil(STEPS_SHOWN);
        for step in self.steps.iter().enumerate().filter(|(nth, _)| (nth + 1).is_multiple_of(every)).map(|(_, step)| step) {
            let none = Figures::new();
            let of = |name: &String| cell(&self.metric, step.baselines.get(name).unwrap_or(&none));
            let own = [step.ahead.to_string(), cell(&self.metric, &step.metrics)];
            rows.push(own.into_iter().chain(names.iter().map(|name| of(name))).collect());
        }
        std::iter::once(String::new()).chain(table(&rows)).collect()
    }

    /// How many keys have a model of their own, and how these do.
    fn key_lines(&self) -> Vec<String> {
        let Some(keys) = self.champion.as_ref().and_then(|champion| champion.keys.as_ref()) else { return Vec::new() };
        let value = |value: f64| kind_of(&keys.metric).map_or_else(|| show::digits(value), |kind| show::value(kind, value));
        let (own, all) = (grouped(keys.own as u64), grouped(keys.keys as u64));
        let head = format!(
            "  per {}: {own} of {all} have a model of their own, learned from {} rows or more",
            keys.by.join(", "),
            grouped(keys.after)
        );
        let spread = keys.spread().map(|[least, middle, most]| {
            let (by, same) = (keys.own_score.map(value), keys.shared_score.map(value));
            let beside = by.zip(same).map(|(by, same)| format!("; together {by}, the shared model on the same rows {same}"));
            format!(
                "    their {}: {} to {}, median {}{}",
                keys.metric,
                value(least),
                value(most),
                value(middle),
                beside.unwrap_or_default()
            )
        });
        [String::new(), head].into_iter().chain(spread).collect()
    }

    /// Which rows nobody had seen.
    pub(super) fn unseen_words(&self) -> String {
        match self.rows.held_out {
            0 => format!("behind the start, {} rows", grouped(self.rows.later as u64)),
            held_out => format!("hold-out, {} rows", grouped(held_out as u64)),
        }
    }

    fn hold_out_lines(&self) -> Vec<String> {
        if self.hold_out.is_empty() {
            return Vec::new();
        }
        let metrics = self.shown_metrics();
        let mut rows = vec![std::iter::once(self.unseen_words()).chain(metrics.iter().cloned()).collect()];
        let plain = |name: &str, figures: &Figures| {
            std::iter::once(name.to_owned()).chain(metrics.iter().map(|metric| cell(metric, figures))).collect::<Vec<_>>()
        };
        rows.extend(self.hold_out_baselines.iter().map(|(name, figures)| plain(name, figures)));
        rows.push(plain("champion", &self.hold_out));
        std::iter::once(String::new()).chain(table(&rows)).collect()
    }
}

/// The settings that are not at their family's defaults.
pub fn changed(family: &str, config: &Config) -> Config {
    let defaults = crate::model::defaults_of(family);
    let differs = |(name, value): &(&String, &ConfigValue)| defaults.0.get(*name) != Some(*value);
    Config(config.0.iter().filter(differs).map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// A model in the table.
struct Line<'a> {
    name: &'a str,
    config: &'a str,
    figures: &'a Figures,
    overall: Option<&'a Figures>,
    errors: &'a Figures,
    measured: Option<&'a Measured>,
}

impl Line<'_> {
    fn cells(&self, metrics: &[String], mark: &str) -> Vec<String> {
        let goal = metrics.first().map(String::as_str).unwrap_or_default();
        let error = kind_of(goal).zip(self.errors.get(goal));
        let error = error.map(|(kind, error)| show::plus_minus(kind, *error)).unwrap_or_default();
        let overall = self.overall.map(|overall| cell(goal, overall));
        let figures = metrics.iter().map(|metric| cell(metric, self.figures)).collect();
        let costs = match self.measured {
            Some(measured) => [
                show::value(MetricKind::LatencyP99, measured.latency_p99),
                show::value(MetricKind::Memory, measured.memory as f64),
                show::value(MetricKind::ModelSize, measured.size as f64),
            ],
            None => Default::default(),
        };
        let names = [self.name.to_owned(), self.config.to_owned()];
        names.into_iter().chain(with_error(figures, overall, error)).chain(costs).chain([mark.to_owned()]).collect()
    }
}

/// The error stands behind the figure that the choice goes by: the one over all stretches, or else the first.
fn with_error(mut cells: Vec<String>, overall: Option<String>, error: String) -> Vec<String> {
    match overall {
        Some(overall) => drop(cells.splice(0..0, [overall, error])),
        None => cells.insert(cells.len().min(1), error),
    }
    cells
}

pub fn kind_of(metric: &str) -> Option<MetricKind> {
    MetricKind::named(metric.split('(').next().unwrap_or_default())
}

pub fn cell(metric: &str, figures: &Figures) -> String {
    match (figures.get(metric), kind_of(metric)) {
        (Some(value), Some(kind)) => show::value(kind, *value),
        (Some(value), None) => show::digits(*value),
        (None, _) => "-".to_owned(),
    }
}

/// Columns as wide as their widest cell, indented; texts left, figures right.
pub fn table(rows: &[Vec<String>]) -> Vec<String> {
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let cells = rows.iter().filter(|row| row.len() > 1).filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let figures = |cell: &str| cell == "-" || cell.starts_with(|first: char| first.is_ascii_digit() || "-±".contains(first));
    let right: Vec<bool> = (0..columns)
        .map(|column| column > 0 && rows.iter().skip(1).filter_map(|row| row.get(column)).any(|cell| figures(cell)))
        .collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().enumerate().map(|(column, cell)| match right[column] {
            true => format!("{cell:>width$}", width = widths[column]),
            false => format!("{cell:<width$}", width = widths[column]),
        });
        format!("  {}", cells.collect::<Vec<_>>().join("  "))
    };
    rows.iter().map(line).collect()
}

/// Truth in rows, answers in columns.
pub(super) fn confusion_lines(confusion: &Confusion) -> Vec<String> {
    const CLASSES_SHOWN: usize = 12;
    if confusion.classes.len() > CLASSES_SHOWN {
        return Vec::new();
    }
    let mut rows = vec![std::iter::once("truth \\ answer".to_owned()).chain(confusion.classes.iter().cloned()).collect()];
    for (class, counts) in confusion.classes.iter().zip(&confusion.counts) {
        let counts = counts.iter().map(|count| grouped(*count));
        rows.push(std::iter::once(class.clone()).chain(counts).collect::<Vec<_>>());
    }
    std::iter::once(String::new()).chain(table(&rows)).collect()
}
