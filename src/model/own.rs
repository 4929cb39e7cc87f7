//! Models of single keys: whoever has rows enough answers for himself, the shared model for all others. No key is ever answered
//! by another key's model.

use std::collections::BTreeMap;

use arrow::array::{Array, Float64Array, RecordBatch, UInt64Array};
use arrow::compute::{concat, take, take_record_batch};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use crate::diag::Code;
use crate::ir::Column;
use crate::node::{NodeError, Predictions};

use super::{Classes, Control, FitError, FitRequest, Fitted, Purpose};

/// Whose models are to be fitted beside the shared one.
#[derive(Clone, Copy, Debug)]
pub struct PerKey<'a> {
    /// Behind the features of the table.
    pub columns: &'a [Column],
    /// From so many rows to learn from.
    pub rows: usize,
}

/// Models of keys, beside the one that is shared.
pub struct Own {
    pub columns: Vec<Column>,
    /// By the key's text, as [`key_texts`] writes it; each without models of its own.
    pub models: BTreeMap<String, Fitted>,
}

/// Rows that one model answers.
pub struct KeyPart<'a> {
    pub fitted: &'a Fitted,
    /// None: the shared one.
    pub key: Option<&'a str>,
    pub rows: Vec<usize>,
}

/// Fits a model for every key with rows enough, and of a classification with two classes at least, by the same settings and
/// seed as the shared one.
pub fn fit_own(request: &FitRequest, per: PerKey, control: &Control) -> Result<Own, FitError> {
    let texts = key_texts(per.columns, request.table);
    let mut rows_of: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for row in request.rows {
        if let Some(key) = &texts[*row] {
            rows_of.entry(key).or_default().push(*row);
        }
    }
    let mut models = BTreeMap::new();
    for (key, rows) in rows_of.into_iter().filter(|(_, rows)| rows.len() >= per.rows && is_varied(request, rows)) {
        let one = FitRequest { rows: &rows, per: None, ..*request };
        models.insert(key.to_owned(), one.fit(control).map_err(|error| of_key(key, error))?);
    }
    Ok(Own { columns: per.columns.to_vec(), models })
}

/// One class alone is nothing to learn.
fn is_varied(request: &FitRequest, rows: &[usize]) -> bool {
    match request.purpose {
        Purpose::Classify => Classes::seen(request.target, rows.iter().copied()).is_some_and(|classes| classes.len() > 1),
        Purpose::Regress | Purpose::Detect => true,
    }
}

fn of_key(key: &str, error: FitError) -> FitError {
    match error {
        FitError::Cancelled => FitError::Cancelled,
        FitError::Failed(why) => FitError::Failed(format!("the model of {key}: {why}")),
    }
}

/// The key of each row: its values as text, several with a comma between. None where one of them is null or does not come in,
/// as nobody knows then whose the row is.
pub fn key_texts(columns: &[Column], table: &RecordBatch) -> Vec<Option<String>> {
    let options = FormatOptions::default();
    let mut keys = Vec::new();
    for column in columns {
        let array = table.column_by_name(&column.name);
        let formatted = array.and_then(|array| Some((array, ArrayFormatter::try_new(array, &options).ok()?)));
        let Some(formatted) = formatted else { return vec![None; table.num_rows()] };
        keys.push(formatted);
    }
    let text = |row: usize| {
        let known = keys.iter().all(|(array, _)| array.is_valid(row));
        let values = || keys.iter().map(|(_, one)| escaped(&one.value(row).to_string())).collect::<Vec<_>>();
        known.then(|| values().join(", "))
    };
    (0..table.num_rows()).map(text).collect()
}

/// So that two values never read like one.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace(',', "\\,")
}

impl Fitted {
    /// `rows` of a table, which has the features and the columns of the key, by who answers them; the shared model's first.
    pub fn parts(&self, table: &RecordBatch, rows: &[usize]) -> Vec<KeyPart<'_>> {
        let shared = |rows: Vec<usize>| KeyPart { fitted: self, key: None, rows };
        let Some(own) = self.own.as_ref().filter(|own| !own.models.is_empty()) else { return vec![shared(rows.to_vec())] };
        let texts = key_texts(&own.columns, table);
        let mut rest = Vec::new();
        let mut of_keys: BTreeMap<&str, KeyPart> = BTreeMap::new();
        for row in rows {
            let known = texts[*row].as_ref().and_then(|key| own.models.get_key_value(key));
            match known {
                Some((key, fitted)) => {
                    let fresh = || KeyPart { fitted, key: Some(key), rows: Vec::new() };
                    of_keys.entry(key).or_insert_with(fresh).rows.push(*row);
                }
                None => rest.push(*row),
            }
        }
        std::iter::once(shared(rest)).chain(of_keys.into_values()).filter(|part| !part.rows.is_empty()).collect()
    }

    /// Every row by whoever answers it, in the order of the rows.
    pub(super) fn answer_by_keys(&self, table: &RecordBatch) -> Result<Predictions, NodeError> {
        let all: Vec<usize> = (0..table.num_rows()).collect();
        let parts = self.parts(table, &all);
        if let [KeyPart { fitted, rows, .. }] = &parts[..]
            && rows.len() == all.len()
        {
            return Ok(fitted.answer_alone(table));
        }
        let answers = parts.iter().map(|part| part.answer(table)).collect::<Result<Vec<_>, _>>()?;
        let mut place = vec![0_u64; all.len()];
        parts.iter().flat_map(|part| &part.rows).enumerate().for_each(|(nth, row)| place[*row] = nth as u64);
        together(&answers, &UInt64Array::from(place)).unwrap_or_else(|| Ok(self.answer_alone(table)))
    }
}

impl KeyPart<'_> {
    fn answer(&self, table: &RecordBatch) -> Result<Predictions, NodeError> {
        let rows = UInt64Array::from_iter_values(self.rows.iter().map(|row| *row as u64));
        Ok(self.fitted.answer_alone(&take_record_batch(table, &rows).map_err(|error| broken(&error))?))
    }
}

/// None of nothing.
fn together(answers: &[Predictions], place: &UInt64Array) -> Option<Result<Predictions, NodeError>> {
    let first = answers.first()?;
    let arrays: Vec<&dyn Array> = answers.iter().map(|answer| answer.values.as_ref()).collect();
    let values = concat(&arrays).and_then(|values| take(&values, place, None));
    let scores = first.scores.as_ref().map(|_| {
        let scores = answers.iter().flat_map(|answer| answer.scores.iter().flatten());
        let scores: Float64Array = scores.collect();
        place.values().iter().map(|at| scores.is_valid(*at as usize).then(|| scores.value(*at as usize))).collect()
    });
    Some(values.map(|values| Predictions { values, scores }).map_err(|error| broken(&error)))
}

fn broken(error: &arrow::error::ArrowError) -> NodeError {
    NodeError::new(Code::R0001, format!("the answers of the keys' models cannot be put together: {error}"))
}

#[cfg(test)]
mod tests;
