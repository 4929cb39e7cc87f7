//! `predict`: adds what the models that are assigned to the rows say of them.
//!
//! With a second input the features come from there, those of a row under the row's ordinal; a row without is predicted null.

mod waiting;

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, Int64Array, Int64Builder, ListBuilder, RecordBatch, StringArray, UInt32Array, cast::AsArray,
    new_null_array,
};
use arrow::compute::{cast, concat, is_null, nullif, take};
use arrow::datatypes::{DataType, Int64Type, SchemaRef};

use crate::base::{Duration, Name};
use crate::ir::{self, TaskKind};
use crate::node::{self, Assignment, Batch, Node, NodeError, Ordinal, Out, Port, Predictor, Predicts, State};
use crate::plan::{NodeOp, NodeSpec};

use super::error::{failed, ill_formed, not_in_this_version};
use super::table::{FORMAT, column_named, expect_state, table, widened};
use waiting::Waiting;

/// Remembers nothing of its own rows: which model predicts which row is assigned by those who keep the models.
pub(super) struct Predict {
    spec: NodeSpec,
    schema: SchemaRef,
    /// The task's features, in order.
    features: SchemaRef,
    places: Vec<usize>,
    added: Vec<Added>,
    time: Option<Name>,
    ahead: Option<Duration>,
    /// Of a path.
    every: Option<Duration>,
    models: Assignment,
    /// What has come in at the second port, where there is one.
    waiting: Option<Waiting>,
}

/// The features' columns are read at this port if it is there.
const FEATURES: Port = 1;

/// Rows of a batch with the model that predicts them, if any.
type Run<'a> = (Range<usize>, Option<&'a Arc<dyn Predictor>>);

/// A column that the stage adds, with its type.
struct Added {
    kind: Kind,
    ty: DataType,
}

#[derive(Clone, Copy)]
enum Kind {
    Value,
    Score,
    Version,
    /// The time that a forecast is about.
    For,
}

impl Predict {
    pub fn build(spec: &NodeSpec, inputs: &[ir::Schema]) -> Result<Predict, NodeError> {
        let input = inputs.first().ok_or_else(|| ill_formed(format!("{} has no input", spec.key)))?;
        let carrying = inputs.get(FEATURES).unwrap_or(input);
        let op = op(spec)?;
        if op.probabilities {
            return Err(not_in_this_version("`predict … with probabilities`"));
        }
        let place = |name: &Name| {
            let found = carrying.columns.iter().position(|column| column.name == *name);
            found.ok_or_else(|| ill_formed(format!("the feature `{name}` does not come in")))
        };
        let places = op.features.iter().map(place).collect::<Result<Vec<_>, _>>()?;
        let columns = places.iter().map(|at| carrying.columns[*at].clone()).collect();
        let features = node::schema(&ir::Schema { columns, ..ir::Schema::default() });
        let added = added(spec, op, input)?;
        Ok(Predict {
            schema: node::schema(&spec.schema),
            spec: spec.clone(),
            waiting: inputs.get(FEATURES).map(|_| Waiting::new(SchemaRef::clone(&features))),
            features,
            places,
            added,
            time: input.time.clone(),
            ahead: op.ahead,
            every: op.every,
            models: Assignment::default(),
        })
    }

    /// Runs of rows that one model predicts.
    fn runs(&self, batch: &Batch) -> Vec<Run<'_>> {
        let rows = batch.len();
        let starts: Vec<usize> = self.models.pieces.iter().map(|(from, _)| batch.ordinals.before(*from, rows)).collect();
        let mut runs = vec![(0..starts.first().copied().unwrap_or(rows), None)];
        for (nth, (_, model)) in self.models.pieces.iter().enumerate() {
            runs.push((starts[nth]..starts.get(nth + 1).copied().unwrap_or(rows), model.as_ref()));
        }
        runs.retain(|(run, _)| !run.is_empty());
        runs
    }

    /// The row's time and how far ahead the forecast looks; null where there is no forecast.
    fn times_ahead(&self, rows: &RecordBatch, values: &ArrayRef, ty: &DataType) -> Result<ArrayRef, NodeError> {
        let (Some(time), Some(ahead)) = (&self.time, self.ahead) else {
            return Err(ill_formed(format!("{} forecasts over rows without a time", self.spec.key)));
        };
        let times = cast(column_named(rows, time)?, &DataType::Int64).map_err(failed)?;
        if let Some(every) = self.every {
            return times_of_path(times.as_primitive::<Int64Type>(), values, ahead, every, ty);
        }
        let later: Int64Array = times.as_primitive::<Int64Type>().unary_opt(|time| time.checked_add(ahead.0));
        let later = nullif(&later, &is_null(values).map_err(failed)?).map_err(failed)?;
        cast(&later, ty).map_err(failed)
    }

    /// The added columns for one run. `places` says where the features of its rows wait, if they do.
    fn predict(
        &self,
        rows: &RecordBatch,
        model: Option<&Arc<dyn Predictor>>,
        places: Option<&[Option<usize>]>,
    ) -> Result<Vec<ArrayRef>, NodeError> {
        let count = rows.num_rows();
        let Some(model) = model else {
            return Ok(self.added.iter().map(|column| new_null_array(&column.ty, count)).collect());
        };
        let (features, back) = self.features(rows, places)?;
        let answered = features.num_rows();
        let predictions = model.predict(&features)?;
        let spread = |array: ArrayRef| match &back {
            None => Ok(array),
            Some(_) if array.len() != answered => Ok(array),
            Some(back) => take(&array, back, None).map_err(failed),
        };
        let values = spread(Arc::clone(&predictions.values))?;
        let column = |column: &Added| -> Result<ArrayRef, NodeError> {
            let array: ArrayRef = match column.kind {
                Kind::Value => Arc::clone(&values),
                Kind::Score => match &predictions.scores {
                    Some(scores) => spread(Arc::new(scores.clone()))?,
                    None => new_null_array(&column.ty, count),
                },
                Kind::For => self.times_ahead(rows, &values, &column.ty)?,
                Kind::Version => {
                    let version = std::iter::repeat_n(model.version(), answered);
                    spread(Arc::new(StringArray::from_iter_values(version)))?
                }
            };
            if array.len() == count && *array.data_type() == column.ty {
                Ok(array)
            } else {
                Err(ill_formed(format!(
                    "model {} answered {} rows of Arrow type {} to {count} of type {}",
                    model.version(),
                    array.len(),
                    array.data_type(),
                    column.ty
                )))
            }
        };
        self.added.iter().map(column).collect()
    }

    /// What the model is asked, and for each row its place in that, where they differ.
    fn features(
        &self,
        rows: &RecordBatch,
        places: Option<&[Option<usize>]>,
    ) -> Result<(RecordBatch, Option<UInt32Array>), NodeError> {
        let (Some(waiting), Some(places)) = (&self.waiting, places) else {
            return Ok((self.picked(rows)?, None));
        };
        let found: UInt32Array = places.iter().flatten().map(|place| *place as u32).collect();
        let columns = waiting.rows().columns().iter().map(|column| take(column, &found, None).map_err(failed));
        let features = table(&self.features, columns.collect::<Result<_, _>>()?, found.len())?;
        let mut next = 0..;
        let back = places.iter().map(|place| place.and_then(|_| next.next())).collect();
        Ok((features, Some(back)))
    }

    fn picked(&self, rows: &RecordBatch) -> Result<RecordBatch, NodeError> {
        let columns = self.places.iter().map(|at| Arc::clone(rows.column(*at))).collect();
        table(&self.features, columns, rows.num_rows())
    }

    /// Features of rows that come next.
    fn wait(&mut self, batch: &Batch, out: &mut Out) -> Result<(), NodeError> {
        let features = self.picked(&batch.rows)?;
        let waiting = self.waiting.as_mut().ok_or_else(|| ill_formed("`predict` has one input"))?;
        out.absorbed(batch.len());
        waiting.put(batch, &features)
    }
}

/// A list of times beside each list of values.
fn times_of_path(
    times: &Int64Array,
    values: &ArrayRef,
    ahead: Duration,
    every: Duration,
    ty: &DataType,
) -> Result<ArrayRef, NodeError> {
    let steps = TaskKind::Forecast { ahead, every: Some(every) }.steps();
    let mut lists = ListBuilder::new(Int64Builder::new());
    for row in 0..times.len() {
        let is_known = values.is_valid(row) && times.is_valid(row);
        if is_known {
            lists.values().extend(steps.iter().map(|step| times.value(row).checked_add(step.0)));
        }
        lists.append(is_known);
    }
    cast(&lists.finish(), ty).map_err(failed)
}

fn op(spec: &NodeSpec) -> Result<&ir::PredictOp, NodeError> {
    match &spec.op {
        NodeOp::Stage(op) if let ir::Op::Predict(predict) = &**op => Ok(predict),
        _ => Err(ill_formed(format!("{} does not predict", spec.key))),
    }
}

fn added(spec: &NodeSpec, op: &ir::PredictOp, input: &ir::Schema) -> Result<Vec<Added>, NodeError> {
    let (before, new) = spec.schema.columns.split_at_checked(input.columns.len()).unwrap_or((&[], &spec.schema.columns));
    if before != input.columns {
        return Err(ill_formed(format!("{} does not pass on the columns that come in", spec.key)));
    }
    let kind = |column: &ir::Column| match column.name.strip_prefix(&*op.name) {
        Some("") => Ok(Kind::Value),
        Some("_confidence" | "_score") => Ok(Kind::Score),
        Some("_version") => Ok(Kind::Version),
        Some("_for") => Ok(Kind::For),
        _ => Err(not_in_this_version(format!("the column `{}` of `predict`", column.name))),
    };
    new.iter().map(|column| Ok(Added { kind: kind(column)?, ty: node::data_type(&column.ty) })).collect()
}

impl Node for Predict {
    fn batch(&mut self, port: Port, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        if port == FEATURES {
            return self.wait(&batch, out);
        }
        let places = self.waiting.as_ref().map(|waiting| waiting.places(&batch));
        let runs = self.runs(&batch);
        let pieces = runs.into_iter().map(|(run, model)| {
            let rows = batch.rows.slice(run.start, run.len());
            self.predict(&rows, model, places.as_ref().map(|places| &places[run]))
        });
        let pieces = pieces.collect::<Result<Vec<_>, _>>()?;
        let column = |nth: usize| match &pieces[..] {
            [] => Ok(new_null_array(&self.added[nth].ty, 0)),
            [one] => Ok(Arc::clone(&one[nth])),
            pieces => concat(&pieces.iter().map(|piece| piece[nth].as_ref()).collect::<Vec<_>>()).map_err(failed),
        };
        let columns = (0..self.added.len()).map(column).collect::<Result<_, _>>()?;
        let rows = widened(&batch.rows, &self.schema, columns)?;
        if let Some(waiting) = &mut self.waiting {
            waiting.drop_before(batch.upto);
        }
        out.passed(batch.len());
        out.send(batch.with_rows(rows));
        Ok(())
    }

    fn end(&mut self, _: Ordinal, _: &mut Out) -> Result<(), NodeError> {
        Ok(())
    }

    fn save(&mut self) -> Result<State, NodeError> {
        let mut state = State::empty(FORMAT, self.spec.hashes.state);
        if let Some(waiting) = &self.waiting {
            waiting.save(&mut state)?;
        }
        Ok(state)
    }

    fn load(&mut self, state: State) -> Result<(), NodeError> {
        expect_state(&state, self.spec.hashes.state)?;
        self.waiting.as_mut().map_or(Ok(()), |waiting| waiting.load(&state))
    }

    fn predicts(&mut self) -> Option<&mut dyn Predicts> {
        Some(self)
    }
}

impl Predicts for Predict {
    fn assign(&mut self, models: Assignment) {
        self.models = models;
    }
}
