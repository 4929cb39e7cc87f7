//! `per device`: how many keys have a model of their own, and how it does beside the one that all share.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::ir::{Metric, Per};
use crate::model::{Fitted, Outcome, key_texts, measure, metric_text};

use super::Table;
use super::judge::{judge, judge_alone};

/// Keys of which figures are kept, those with the most judged rows first; of others only the number.
const KEYS_MAX: usize = 1_000;

/// Of one candidate, on the rows that judge it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyScores {
    /// The columns of the key.
    pub by: Vec<String>,
    /// From so many rows to learn from a key has a model of its own.
    pub after: u64,
    /// What the scores are.
    pub metric: String,
    /// Keys among the judged rows, and how many of them have a model of their own.
    pub keys: usize,
    pub own: usize,
    /// The same rows of the keys with own models, answered by these and by the shared one.
    pub own_score: Option<f64>,
    pub shared_score: Option<f64>,
    pub of: Vec<KeyScore>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KeyScore {
    pub key: String,
    /// Judged ones.
    pub rows: usize,
    /// Has it a model of its own?
    pub own: bool,
    pub score: Option<f64>,
    /// What the shared model would score on its rows.
    pub shared: Option<f64>,
}

/// Of each round's model on its own rows.
pub fn key_scores(per: &Per, metric: &Metric, fits: &[(&Fitted, &[usize])], table: &Table) -> KeyScores {
    let texts = key_texts(&per.columns, &table.features);
    let mut of_key: BTreeMap<&str, Vec<(&Fitted, Vec<usize>)>> = BTreeMap::new();
    for (fitted, rows) in fits {
        let mut split: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        rows.iter().for_each(|row| split.entry(texts[*row].as_deref().unwrap_or("null")).or_default().push(*row));
        split.into_iter().for_each(|(key, rows)| of_key.entry(key).or_default().push((fitted, rows)));
    }
    let scoring = Scoring { metric, table };
    let mut of: Vec<KeyScore> = of_key.iter().map(|(key, fits)| scoring.one(key, fits)).collect();
    let with_own: Vec<(&Fitted, Vec<usize>)> =
        of_key.iter().filter(|(key, fits)| has_own(key, fits)).flat_map(|(_, fits)| fits.iter().cloned()).collect();
    let (keys, own) = (of.len(), of.iter().filter(|one| one.own).count());
    of.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.key.cmp(&b.key)));
    of.truncate(KEYS_MAX);
    KeyScores {
        by: per.columns.iter().map(|column| column.name.to_string()).collect(),
        after: per.rows,
        metric: metric_text(metric),
        keys,
        own,
        own_score: scoring.by_keys(&with_own),
        shared_score: scoring.by_shared(&with_own),
        of,
    }
}

/// Has any round's model one for this key?
fn has_own(key: &str, fits: &[(&Fitted, Vec<usize>)]) -> bool {
    fits.iter().any(|(fitted, _)| fitted.own.as_ref().is_some_and(|own| own.models.contains_key(key)))
}

struct Scoring<'a> {
    metric: &'a Metric,
    table: &'a Table,
}

impl Scoring<'_> {
    fn one(&self, key: &str, fits: &[(&Fitted, Vec<usize>)]) -> KeyScore {
        let rows = fits.iter().map(|(_, rows)| rows.len()).sum();
        let (score, shared) = (self.by_keys(fits), self.by_shared(fits));
        KeyScore { key: key.to_owned(), rows, own: has_own(key, fits), score, shared }
    }

    /// Whoever answers in earnest.
    fn by_keys(&self, fits: &[(&Fitted, Vec<usize>)]) -> Option<f64> {
        let asked: Vec<(&Fitted, &[usize])> = fits.iter().map(|(fitted, rows)| (*fitted, rows.as_slice())).collect();
        (!asked.is_empty()).then(|| judge(&asked, self.table, None).outcome).and_then(|outcome| self.score(&outcome))
    }

    fn by_shared(&self, fits: &[(&Fitted, Vec<usize>)]) -> Option<f64> {
        (!fits.is_empty()).then(|| judge_alone(fits, self.table, None).outcome).and_then(|outcome| self.score(&outcome))
    }

    fn score(&self, outcome: &Outcome) -> Option<f64> {
        (outcome.rows() > 0).then(|| measure(self.metric, outcome)).flatten()
    }
}

impl KeyScores {
    /// Of the keys with models of their own: the least, the middle and the greatest score.
    pub fn spread(&self) -> Option<[f64; 3]> {
        let mut scores: Vec<f64> = self.of.iter().filter(|one| one.own).filter_map(|one| one.score).collect();
        scores.sort_by(f64::total_cmp);
        let last = scores.len().checked_sub(1)?;
        Some([scores[0], (scores[last / 2] + scores[last.div_ceil(2)]) / 2.0, scores[last]])
    }
}
