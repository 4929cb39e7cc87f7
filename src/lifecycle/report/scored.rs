//! The figures of a champion on another recording, as a terminal shows them.

use crate::base::grouped;
use crate::model::Figures;

use super::super::Scored;
use super::text::{SHOWN, cell, confusion_lines, table};

impl Scored {
    /// Several lines, aligned, each ending in a newline; no colours.
    pub fn text(&self) -> String {
        let metrics: Vec<&String> = self.metrics.keys().filter(|metric| is_shown(metric)).collect();
        let line = |name: String, figures: &Figures| {
            std::iter::once(name).chain(metrics.iter().map(|metric| cell(metric, figures))).collect::<Vec<_>>()
        };
        let mut rows = vec![std::iter::once(String::new()).chain(metrics.iter().map(ToString::to_string)).collect()];
        rows.extend(self.baselines.iter().map(|(name, figures)| line(format!("{name} (baseline)"), figures)));
        rows.push(line(self.version.clone(), &self.metrics));
        let mut lines = vec![format!("{}: {} rows, none of them learned from", self.task, grouped(self.rows as u64))];
        lines.extend(table(&rows));
        if self.unanswered > 0 {
            lines.push(format!("  {} rows could not be answered", grouped(self.unanswered as u64)));
        }
        lines.extend(self.confusion.iter().flat_map(confusion_lines));
        lines.iter().map(|line| format!("{}\n", line.trim_end())).collect()
    }
}

/// The usual figures, and those of one class, which somebody asked for by name.
fn is_shown(metric: &str) -> bool {
    SHOWN.contains(&metric) || metric.contains('(')
}
