//! What is kept of one task: its versions, who serves, and who did before.

use serde::Serialize;

use crate::base::Name;
use crate::ir::MetricKind;

use super::registry::{Reign, Version};
use super::report::{show, text};
use super::{Manifest, Registry, RegistryError};

/// The models of one task, oldest first.
#[derive(Clone, Debug)]
pub struct Shelf {
    pub task: Name,
    pub reign: Option<Reign>,
    pub manifests: Vec<Manifest>,
    /// Versions whose manifest cannot be read.
    pub damaged: Vec<Version>,
}

/// As scripts read it.
#[derive(Debug, Serialize)]
pub struct ShelfJson<'a> {
    task: &'a Name,
    champion: Option<&'a Version>,
    pinned: bool,
    by_hand: bool,
    before: &'a [Version],
    models: &'a [Manifest],
    damaged: &'a [Version],
}

impl Shelf {
    pub fn of(registry: &Registry, task: &Name) -> Result<Shelf, RegistryError> {
        let (mut manifests, mut damaged) = (Vec::new(), Vec::new());
        for version in registry.versions(task)? {
            match registry.manifest(&version) {
                Ok(manifest) => manifests.push(manifest),
                Err(_) => damaged.push(version),
            }
        }
        Ok(Shelf { task: task.clone(), reign: registry.reign(task)?, manifests, damaged })
    }

    /// Several lines, each ending in a newline. `metric` is what the file's policy aims at, if the file has the task.
    pub fn text(&self, metric: Option<&str>) -> String {
        let gone = if metric.is_none() { " (not in the file)" } else { "" };
        if self.manifests.is_empty() && self.damaged.is_empty() {
            return format!("{}{gone}: nothing learned yet\n", self.task);
        }
        let heads = ["", "", "", metric.unwrap_or(""), "hold-out", "p99", "memory", "size", ""].map(str::to_owned);
        let rows: Vec<Vec<String>> =
            std::iter::once(heads.into()).chain(self.manifests.iter().map(|one| self.row(one, metric))).collect();
        let damaged = self.damaged.iter().map(|version| format!("  {version}  damaged"));
        let lines = std::iter::once(format!("{}{gone}", self.task)).chain(text::table(&rows)).chain(damaged);
        lines.map(|line| format!("{}\n", line.trim_end())).collect()
    }

    fn row(&self, manifest: &Manifest, metric: Option<&str>) -> Vec<String> {
        let measured = &manifest.member.measured;
        let figure = |figures| metric.map(|metric| text::cell(metric, figures)).unwrap_or_default();
        vec![
            manifest.version.to_string(),
            manifest.family.clone(),
            text::changed(&manifest.family, &manifest.config).to_string(),
            figure(&manifest.member.figures),
            if manifest.hold_out.is_empty() { String::new() } else { figure(&manifest.hold_out) },
            show::value(MetricKind::LatencyP99, measured.latency_p99),
            show::value(MetricKind::Memory, measured.memory as f64),
            show::value(MetricKind::ModelSize, measured.size as f64),
            self.mark(&manifest.version),
        ]
    }

    /// What is to be said of a version.
    fn mark(&self, version: &Version) -> String {
        let Some(reign) = &self.reign else { return String::new() };
        match (reign.champion == *version, reign.pinned, reign.by_hand) {
            (true, true, _) => "<- champion, pinned".to_owned(),
            (true, false, true) => "<- champion, by hand".to_owned(),
            (true, false, false) => "<- champion".to_owned(),
            (false, ..) if reign.before.first() == Some(version) => "before".to_owned(),
            (false, ..) => String::new(),
        }
    }

    pub fn json(&self) -> ShelfJson<'_> {
        let reign = self.reign.as_ref();
        ShelfJson {
            task: &self.task,
            champion: reign.map(|reign| &reign.champion),
            pinned: reign.is_some_and(|reign| reign.pinned),
            by_hand: reign.is_some_and(|reign| reign.by_hand),
            before: reign.map_or(&[], |reign| &reign.before),
            models: &self.manifests,
            damaged: &self.damaged,
        }
    }
}
