//! Two kept versions side by side.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::ir::{Better, MetricKind, Policy};
use crate::model::{Config, ConfigValue, Figures};

use super::choose::verdicts;
use super::registry::Version;
use super::report::{show, text};
use super::{Manifest, RequirementReport};

/// What differs and what does not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    pub versions: [Version; 2],
    pub families: [String; 2],
    /// Figures where the policy validated, then those of the hold-out, then costs, by name.
    pub figures: Vec<Pair>,
    /// Held against the policy of now.
    pub requirements: [Vec<RequirementReport>; 2],
    /// Settings that are not the same in both; none where one of them does not have it.
    pub settings: Vec<(String, [Option<String>; 2])>,
    /// Sentences that qualify the figures.
    pub notes: Vec<String>,
}

/// One figure of both.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pair {
    pub name: String,
    /// In the metric's own unit.
    pub values: [Option<f64>; 2],
    /// Which of the two is better, where they differ.
    pub better: Option<usize>,
}

/// By the requirements of `policy`.
pub fn compare(manifests: [&Manifest; 2], policy: &Policy) -> Comparison {
    let mut figures = pairs("", manifests.map(|manifest| &manifest.member.figures));
    figures.extend(pairs("hold-out ", manifests.map(|manifest| &manifest.hold_out)));
    figures.extend(costs(manifests));
    Comparison {
        versions: manifests.map(|manifest| manifest.version.clone()),
        families: manifests.map(|manifest| manifest.family.clone()),
        figures,
        requirements: manifests.map(|manifest| requirements(manifest, policy)),
        settings: settings(manifests.map(|manifest| &manifest.config)),
        notes: notes(manifests),
    }
}

fn pairs(before: &str, figures: [&Figures; 2]) -> Vec<Pair> {
    let names: BTreeSet<&String> = figures.iter().flat_map(|figures| figures.keys()).collect();
    let of = |name: &String| {
        let values = figures.map(|figures| figures.get(name).copied());
        Pair { better: better(text::kind_of(name), values), name: format!("{before}{name}"), values }
    };
    names.into_iter().map(of).collect()
}

fn costs(manifests: [&Manifest; 2]) -> Vec<Pair> {
    let measured = manifests.map(|manifest| manifest.member.measured);
    [
        (MetricKind::LatencyP50, measured.map(|one| one.latency_p50)),
        (MetricKind::LatencyP99, measured.map(|one| one.latency_p99)),
        (MetricKind::Memory, measured.map(|one| one.memory as f64)),
        (MetricKind::ModelSize, measured.map(|one| one.size as f64)),
    ]
    .map(|(kind, values)| {
        let values = values.map(Some);
        Pair { name: kind.name().to_owned(), values, better: better(Some(kind), values) }
    })
    .into()
}

fn better(kind: Option<MetricKind>, values: [Option<f64>; 2]) -> Option<usize> {
    let ([Some(a), Some(b)], Some(kind)) = (values, kind) else { return None };
    let more = match kind.facts().better {
        Better::Higher => true,
        Better::Lower => false,
    };
    (a != b).then(|| usize::from((b > a) == more))
}

fn requirements(manifest: &Manifest, policy: &Policy) -> Vec<RequirementReport> {
    let verdicts = verdicts(&manifest.member, &policy.choice);
    let pairs = verdicts.iter().zip(&policy.choice.requirements);
    pairs.map(|(verdict, requirement)| RequirementReport::new(verdict, &requirement.metric)).collect()
}

fn settings(configs: [&Config; 2]) -> Vec<(String, [Option<String>; 2])> {
    let names: BTreeSet<&String> = configs.iter().flat_map(|config| config.0.keys()).collect();
    let value = |name: &String| configs.map(|config| config.0.get(name).map(ConfigValue::to_string));
    names.into_iter().map(|name| (name.clone(), value(name))).filter(|(_, [a, b])| a != b).collect()
}

fn notes([a, b]: [&Manifest; 2]) -> Vec<String> {
    let mut notes = Vec::new();
    let mut say = |differs: bool, note: &str| notes.extend(differs.then(|| note.to_owned()));
    say(a.identity.features != b.identity.features, "they were trained on other features or another target");
    say(a.identity.data != b.identity.data, "they were judged on other rows, so their figures are not of one kind");
    say(
        a.identity.data == b.identity.data && a.identity.training.split != b.identity.training.split,
        "the rows are the same and were divided otherwise, so their figures are not of one kind",
    );
    say(a.software != b.software, "they were trained by other software or on another processor");
    notes
}

impl Comparison {
    /// Several lines, aligned; a `*` stands at the better of two figures.
    pub fn text(&self) -> String {
        let [a, b] = &self.versions;
        let mut rows = vec![vec![String::new(), a.to_string(), b.to_string()]];
        rows.push(vec!["family".to_owned(), self.families[0].clone(), self.families[1].clone()]);
        rows.extend(self.settings.iter().map(|(name, values)| {
            let [a, b] = values.clone().map(|value| value.unwrap_or_else(|| "-".to_owned()));
            vec![name.clone(), a, b]
        }));
        rows.extend(self.figures.iter().map(Pair::cells));
        for (nth, requirement) in self.requirements[0].iter().enumerate() {
            let words = |at: usize| self.requirements[at].get(nth).map(|one| one.words.clone()).unwrap_or_default();
            rows.push(vec![requirement.text.clone(), words(0), words(1)]);
        }
        let notes = self.notes.iter().map(|note| format!("  note: {note}"));
        text::table(&rows).into_iter().chain(notes).map(|line| format!("{}\n", line.trim_end())).collect()
    }
}

impl Pair {
    fn cells(&self) -> Vec<String> {
        let kind = text::kind_of(self.name.trim_start_matches("hold-out "));
        let cell = |at: usize| {
            let mark = if self.better == Some(at) { " *" } else { "" };
            match (self.values[at], kind) {
                (Some(value), Some(kind)) => format!("{}{mark}", show::value(kind, value)),
                (Some(value), None) => format!("{}{mark}", show::digits(value)),
                (None, _) => "-".to_owned(),
            }
        };
        vec![self.name.clone(), cell(0), cell(1)]
    }
}
