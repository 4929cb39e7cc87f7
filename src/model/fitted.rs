//! A model with the preprocessing and the classes that were learned with it: what answers rows.

use std::fmt;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};

use crate::diag::Code;
use crate::ir::{Column, Type};
use crate::node::{NodeError, Predictions, Predictor};

use super::flags::Flags;
use super::own::{Own, PerKey, fit_own};
use super::path::fit_before;
use super::{
    Config, Control, Family, FitError, Labels, Matrix, Model, Prepared, Preprocess, Purpose, Target, TrainSet, seed_of,
};

/// Never apart: a model is not fed by preprocessing other than its own.
pub struct Fitted {
    pub version: String,
    pub family: String,
    pub config: Config,
    pub seed: u64,
    pub target: Target,
    pub prepare: Preprocess,
    pub model: Box<dyn Model>,
    /// Of a path the models of the steps before the last, which is this one.
    pub before: Vec<Fitted>,
    /// Models of keys that have one of their own.
    pub own: Option<Own>,
}

/// As nodes hold it.
pub type Shared = Arc<Fitted>;

/// What to fit to what.
#[derive(Clone, Copy)]
pub struct FitRequest<'a> {
    pub family: &'a dyn Family,
    pub config: &'a Config,
    pub seed: u64,
    pub purpose: Purpose,
    /// Of the first columns of `table`.
    pub features: &'a [Column],
    pub table: &'a RecordBatch,
    pub target: &'a ArrayRef,
    pub target_type: &'a Type,
    /// Of a path the targets of the steps before the last.
    pub before: &'a [ArrayRef],
    /// Rows of `table` to learn from, rising, with targets that are not null.
    pub rows: &'a [usize],
    /// Of every row of `table`; positive.
    pub weights: Option<&'a [f64]>,
    /// Do all classes count the same, however rare?
    pub balance: bool,
    /// Of a detector: the share of rows to flag where `target`, the truth, knows of no anomaly.
    pub flag: f64,
    /// Who gets a model of his own, beside the one that all share.
    pub per: Option<PerKey<'a>>,
}

impl FitRequest<'_> {
    /// Learns the classes, the preprocessing and the model, all from `rows`; and once more from those of each key alone.
    pub fn fit(&self, control: &Control) -> Result<Fitted, FitError> {
        let shared = self.fit_shared(control)?;
        let before = fit_before(self, control)?;
        let own = self.per.map(|per| fit_own(self, per, control)).transpose()?;
        Ok(Fitted { before, own, ..shared })
    }

    fn fit_shared(&self, control: &Control) -> Result<Fitted, FitError> {
        control.proceed()?;
        let prepare = Preprocess::learn(self.features, self.table, self.rows, &|shape| self.family.scaling(shape))
            .map_err(|column| FitError::failed(format!("`{}` is {}, which no model takes", column.name, column.ty)))?;
        let prepare = if self.family.takes_numbers_as_they_are() { prepare.unscaled() } else { prepare };
        let (seed, name) = (seed_of(self.seed, self.family.name()), self.family.name());
        if !self.family.serves(self.purpose) {
            return Err(FitError::failed(format!("`{name}` does not learn this")));
        }
        if self.purpose == Purpose::Detect {
            return self.fit_detector(prepare, seed, control);
        }
        let target = Target::learn(self.purpose, self.target_type, self.target, self.rows)
            .map_err(|_| FitError::failed(format!("a target of type {} cannot be learned this way", self.target_type)))?;
        let set = self.train_set(&prepare, |rows| target.labels(self.target, rows))?;
        let model = self.family.fit(&set, self.config, seed, control)?;
        Ok(self.fitted(target, prepare, model))
    }

    /// First the model, from rows alone; then what its scores mean, with what is known of the truth.
    fn fit_detector(&self, prepare: Preprocess, seed: u64, control: &Control) -> Result<Fitted, FitError> {
        let mut learned = Vec::new();
        let set = self.train_set(&prepare, |rows| {
            learned = rows.to_vec();
            Labels::Nothing
        })?;
        let model = self.family.fit(&set, self.config, seed, control)?;
        let known = self.target.as_boolean_opt();
        let truth = |row: &usize| known.filter(|known| known.is_valid(*row)).map(|known| known.value(*row));
        let truth: Vec<Option<bool>> = learned.iter().map(truth).collect();
        let flags = Flags::learn(&model.predict(&set.x).data, &truth, self.flag);
        let flags = flags.ok_or_else(|| FitError::failed("there is no row to learn from"))?;
        Ok(self.fitted(Target::Flags(flags), prepare, model))
    }

    fn fitted(&self, target: Target, prepare: Preprocess, model: Box<dyn Model>) -> Fitted {
        let (family, config) = (self.family.name().to_owned(), self.config.clone());
        Fitted {
            version: String::new(),
            family,
            config,
            seed: self.seed,
            target,
            prepare,
            model,
            before: Vec::new(),
            own: None,
        }
    }

    /// Rows that cannot be predicted are not learned from either.
    fn train_set(&self, prepare: &Preprocess, labels: impl FnOnce(&[usize]) -> Labels) -> Result<TrainSet, FitError> {
        let Prepared { x, usable } = prepare.apply(self.table);
        let usable = |row: &usize| usable.as_ref().is_none_or(|usable| usable[*row]);
        let rows: Vec<usize> = self.rows.iter().copied().filter(usable).collect();
        if rows.is_empty() || x.columns == 0 {
            return Err(FitError::failed("no row with all its tensors has a label"));
        }
        let y = labels(&rows);
        let given = self.weights.map(|weights| rows.iter().map(|row| weights[*row]).collect());
        let weights = if self.balance { balanced(&y, given) } else { given };
        Ok(TrainSet { layout: prepare.layout(), x: x.take(&rows), y, weights: weights.map(with_mean_1) })
    }
}

/// Weights under which every class has the same total.
fn balanced(y: &Labels, given: Option<Vec<f64>>) -> Option<Vec<f64>> {
    let Labels::Classes { index, count } = y else { return given };
    let mut weights = given.unwrap_or_else(|| vec![1.0; index.len()]);
    let mut totals = vec![0.0; *count];
    index.iter().zip(&weights).for_each(|(class, weight)| totals[*class as usize] += weight);
    weights.iter_mut().zip(index).for_each(|(weight, class)| *weight /= totals[*class as usize]);
    Some(weights)
}

fn with_mean_1(mut weights: Vec<f64>) -> Vec<f64> {
    let mean = weights.iter().sum::<f64>() / weights.len() as f64;
    weights.iter_mut().for_each(|weight| *weight /= mean);
    weights
}

impl Fitted {
    /// By this very model, whosever the rows are.
    pub(super) fn answer_alone(&self, rows: &RecordBatch) -> Predictions {
        if !self.before.is_empty() {
            return self.answer_path(rows);
        }
        let (scores, usable) = self.scores(rows);
        self.target.answer(&scores, usable.as_deref())
    }

    /// Scores of every row of `table`, whose first columns are the features, and which rows have any.
    pub fn scores(&self, table: &RecordBatch) -> (Matrix, Option<Vec<bool>>) {
        let Prepared { x, usable } = self.prepare.apply(table);
        (self.model.predict(&x), usable)
    }

    pub fn with_version(self, version: &str) -> Fitted {
        Fitted { version: version.to_owned(), ..self }
    }
}

impl Predictor for Fitted {
    fn predict(&self, rows: &RecordBatch) -> Result<Predictions, NodeError> {
        if let Some((column, found)) = self.prepare.misfit(rows) {
            let found = found.map_or("missing".to_owned(), |found| found.to_string());
            let message = format!("`{}` was learned as {}, the row has it as {found}", column.name, column.ty);
            return Err(NodeError::new(Code::R0502, message));
        }
        match &self.own {
            Some(own) if !own.models.is_empty() => self.answer_by_keys(rows),
            Some(_) | None => Ok(self.answer_alone(rows)),
        }
    }

    fn version(&self) -> &str {
        &self.version
    }
}

impl fmt::Debug for Fitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fitted({} {} {})", self.version, self.family, self.config)
    }
}
