//! The aggregate calls of a window: what each reads from the rows, and its accumulators.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, RecordBatch, cast::AsArray, new_null_array};
use arrow::buffer::BooleanBuffer;
use arrow::compute::{cast, prep_null_mask_filter, take};
use arrow::datatypes::{DataType, Field, Schema};
use datafusion::functions_aggregate::{average::avg_udaf, count::count_udaf, min_max, sum::sum_udaf};
use datafusion::logical_expr::{AggregateUDF, EmitTo, GroupsAccumulator};
use datafusion::physical_expr::aggregate::{AggregateExprBuilder, AggregateFunctionExpr};
use datafusion::physical_expr::expressions::Column;

use crate::base::{Name, Span};
use crate::ir::{self, Aggregate, Expr, ExprKind, Type, Value};
use crate::node::{self, NodeError};

use super::super::error::{failed, ill_formed};
use super::super::expr::{Expression, Scope};
use super::super::signal::Measure;
use super::fold::{self, Fold, Folds};
use super::pack::Pack;

/// All calls of a window, in the order of its entries. Arguments that several calls share are evaluated once.
pub(super) struct Aggregates {
    pub calls: Vec<Call>,
    reads: Vec<Expression>,
}

/// One call.
pub(super) struct Call {
    /// Of its columns in the state: the entry's name and the call's number in it.
    pub name: Name,
    /// In [`Aggregates::reads`]; none counts rows.
    args: Vec<usize>,
    filter: Option<usize>,
    /// Numbers go to the accumulators as floats, where they calculate in these.
    as_float: bool,
    result: DataType,
    make: Maker,
    state: Vec<DataType>,
}

/// Makes accumulators without groups.
enum Maker {
    Library(Box<AggregateFunctionExpr>),
    Own(Box<dyn Fn() -> Box<dyn GroupsAccumulator> + Send>),
}

/// What the calls read, row by row: one column per distinct expression.
#[derive(Clone, Debug)]
pub(super) struct Inputs {
    pub columns: Vec<ArrayRef>,
    pub rows: usize,
}

/// By call, the numbers of the expressions that it reads, its filter last.
pub(super) type Reads = Vec<(Name, Vec<usize>)>;

/// Names the hidden call that keeps the time of a window's last row.
pub(super) const LAST_TIME: &str = "@time";

impl Aggregates {
    /// `last_time`: also keep the time of each window's last row, in one more slot at the end.
    pub fn build(entries: &[ir::AggregateEntry], input: &ir::Schema, last_time: bool) -> Result<Aggregates, NodeError> {
        let mut building = Building { input, scope: Scope::of(input), seen: Vec::new(), reads: Vec::new() };
        let mut calls = Vec::new();
        for entry in entries {
            for (nth, call) in entry.calls.iter().enumerate() {
                calls.push(building.call(format!("{}#{nth}", entry.name).into(), call)?);
            }
        }
        if last_time {
            calls.push(building.call(LAST_TIME.into(), &last_time_call(input)?)?);
        }
        Ok(Aggregates { calls, reads: building.reads })
    }

    pub fn read(&self, rows: &RecordBatch) -> Result<Inputs, NodeError> {
        let columns = self.reads.iter().map(|read| read.evaluate(rows)).collect::<Result<_, _>>()?;
        Ok(Inputs { columns, rows: rows.num_rows() })
    }

    /// Do saved states of the one fit the other?
    pub fn has_state_of(&self, other: &Aggregates) -> bool {
        let fields = |aggregates: &Aggregates| aggregates.calls.iter().flat_map(Call::state_fields).collect::<Vec<_>>();
        fields(self) == fields(other) && self.read_types() == other.read_types()
    }

    pub fn read_types(&self) -> Vec<DataType> {
        self.reads.iter().map(|read| read.data_type().clone()).collect()
    }

    /// One row, for whoever leaves it out.
    pub fn any_row(&self) -> Inputs {
        Inputs { columns: self.read_types().iter().map(|ty| new_null_array(ty, 1)).collect(), rows: 1 }
    }

    /// Without groups, one per call.
    pub fn accumulators(&self) -> Result<Vec<Box<dyn GroupsAccumulator>>, NodeError> {
        self.calls.iter().map(Call::accumulator).collect()
    }
}

impl Inputs {
    pub fn slice(&self, from: usize, rows: usize) -> Inputs {
        Inputs { columns: self.columns.iter().map(|column| column.slice(from, rows)).collect(), rows }
    }

    pub fn take(&self, rows: &[u32]) -> Result<Inputs, NodeError> {
        let indices = arrow::array::UInt32Array::from(rows.to_vec());
        let columns = self.columns.iter().map(|column| take(column, &indices, None)).collect::<Result<_, _>>();
        Ok(Inputs { columns: columns.map_err(failed)?, rows: rows.len() })
    }
}

impl Call {
    pub fn accumulator(&self) -> Result<Box<dyn GroupsAccumulator>, NodeError> {
        match &self.make {
            Maker::Library(function) => function.create_groups_accumulator().map_err(failed),
            Maker::Own(make) => Ok(make()),
        }
    }

    /// Feeds these rows to the groups that they belong to.
    pub fn update(
        &self,
        accumulator: &mut dyn GroupsAccumulator,
        inputs: &Inputs,
        groups: &[usize],
        total: usize,
    ) -> Result<(), NodeError> {
        let args = self.args_of(inputs)?;
        let filter = self.filter.map(|at| certain(&inputs.columns[at]));
        accumulator.update_batch(&args, groups, filter.as_ref(), total).map_err(failed)
    }

    fn args_of(&self, inputs: &Inputs) -> Result<Vec<ArrayRef>, NodeError> {
        let mut args: Vec<ArrayRef> = self.args.iter().map(|at| Arc::clone(&inputs.columns[*at])).collect();
        if args.is_empty() {
            args.push(Arc::new(BooleanArray::new(BooleanBuffer::new_set(inputs.rows), None)));
        } else if self.as_float && *args[0].data_type() != DataType::Float64 {
            args[0] = as_float(&args[0])?;
        }
        Ok(args)
    }

    /// What it remembers of a group without rows: of one whose only row is left out. DataFusion takes a group that no row has
    /// reached at all for one that has a value.
    pub fn nothing(&self, left_out: &Inputs) -> Result<Vec<ArrayRef>, NodeError> {
        let mut accumulator = self.accumulator()?;
        let none = BooleanArray::from(vec![false]);
        accumulator.update_batch(&self.args_of(left_out)?, &[0], Some(&none), 1).map_err(failed)?;
        accumulator.state(EmitTo::All).map_err(failed)
    }

    /// The finished result, in the type of the call.
    pub fn result(&self, value: ArrayRef) -> Result<ArrayRef, NodeError> {
        if *value.data_type() == self.result {
            return Ok(value);
        }
        match (value.data_type(), &self.result) {
            (DataType::Float64, _) => super::super::expr::rounded(&value, &self.result),
            (_, result) => cast(&value, result).map_err(failed),
        }
    }

    /// Names and types of its columns in the state.
    pub fn state_fields(&self) -> Vec<Field> {
        let field = |(nth, ty): (usize, &DataType)| Field::new(format!("{}.{nth}", self.name), ty.clone(), true);
        self.state.iter().enumerate().map(field).collect()
    }
}

fn as_float(array: &ArrayRef) -> Result<ArrayRef, NodeError> {
    let whole = cast(array, &DataType::Int64).map_err(failed)?;
    cast(&whole, &DataType::Float64).map_err(failed)
}

fn certain(mask: &ArrayRef) -> BooleanArray {
    let mask = mask.as_boolean();
    if mask.nulls().is_some() { prep_null_mask_filter(mask) } else { mask.clone() }
}

fn last_time_call(input: &ir::Schema) -> Result<ir::AggregateCall, NodeError> {
    Ok(ir::AggregateCall {
        function: Aggregate::Last,
        args: vec![time_of(input)?],
        settings: vec![],
        filter: None,
        ty: Type::Time,
    })
}

fn time_of(input: &ir::Schema) -> Result<Expr, NodeError> {
    let time = input.time.as_ref().ok_or_else(|| ill_formed("rows without a time come in where one is needed"))?;
    Ok(Expr { kind: ExprKind::Column(time.clone()), ty: Type::Time, nullable: false, span: Span::default() })
}

/// The entry that a call belongs to; the hidden call is its own.
pub(super) fn entry_of(call: &str) -> &str {
    call.rsplit_once('#').map_or(call, |(entry, _)| entry)
}

/// How [`Aggregates::build`] numbers what is read, without building anything.
pub(super) fn reads(entries: &[ir::AggregateEntry], input: &ir::Schema, last_time: bool) -> Result<Reads, NodeError> {
    let mut seen: Vec<Expr> = Vec::new();
    let mut all = Vec::new();
    let mut number = |name: Name, call: &ir::AggregateCall| -> Result<(), NodeError> {
        let exprs = args_of(call, input)?.into_iter().chain(call.filter.clone());
        let numbers = exprs.map(|expr| {
            seen.iter().position(|seen| *seen == expr).unwrap_or_else(|| {
                seen.push(expr);
                seen.len() - 1
            })
        });
        all.push((name, numbers.collect()));
        Ok(())
    };
    for entry in entries {
        for (nth, call) in entry.calls.iter().enumerate() {
            number(format!("{}#{nth}", entry.name).into(), call)?;
        }
    }
    if last_time {
        number(LAST_TIME.into(), &last_time_call(input)?)?;
    }
    Ok(all)
}

/// A slope over nothing else is one over time.
fn args_of(call: &ir::AggregateCall, input: &ir::Schema) -> Result<Vec<Expr>, NodeError> {
    let mut exprs = call.args.clone();
    if call.function == Aggregate::Slope && exprs.len() == 1 {
        exprs.push(time_of(input)?);
    }
    Ok(exprs)
}

/// Collects the distinct expressions while calls are built.
struct Building<'a> {
    input: &'a ir::Schema,
    scope: Scope,
    seen: Vec<Expr>,
    reads: Vec<Expression>,
}

impl Building<'_> {
    fn read(&mut self, expr: &Expr) -> Result<usize, NodeError> {
        if let Some(at) = self.seen.iter().position(|seen| seen == expr) {
            return Ok(at);
        }
        self.reads.push(Expression::compile(expr, &self.scope)?);
        self.seen.push(expr.clone());
        Ok(self.reads.len() - 1)
    }

    fn call(&mut self, name: Name, call: &ir::AggregateCall) -> Result<Call, NodeError> {
        let args = args_of(call, self.input)?.iter().map(|arg| self.read(arg)).collect::<Result<Vec<_>, _>>()?;
        let types: Vec<DataType> = args.iter().map(|at| self.reads[*at].data_type().clone()).collect();
        expect_args(call, types.len())?;
        let result = node::data_type(&call.ty);
        let as_float = calculates_in_floats(call.function, &types);
        let accumulated = if as_float { with_float(&types) } else { types };
        let (make, state) = maker(call, &accumulated, &result)?;
        let filter = call.filter.as_ref().map(|filter| self.read(filter)).transpose()?;
        Ok(Call { name, args, filter, as_float, result, make, state })
    }
}

fn expect_args(call: &ir::AggregateCall, args: usize) -> Result<(), NodeError> {
    let expected = match call.function {
        Aggregate::Count => args <= 1,
        Aggregate::Slope | Aggregate::Correlation => args == 2,
        Aggregate::Tensor => args >= 1,
        _ => args == 1,
    };
    if expected { Ok(()) } else { Err(ill_formed(format!("`{}` has {args} arguments", call.function.name()))) }
}

fn with_float(types: &[DataType]) -> Vec<DataType> {
    [DataType::Float64].into_iter().chain(types.iter().skip(1).cloned()).collect()
}

fn calculates_in_floats(function: Aggregate, types: &[DataType]) -> bool {
    match function {
        Aggregate::Mean => types[0] != DataType::Float64,
        _ => false,
    }
}

fn maker(call: &ir::AggregateCall, args: &[DataType], result: &DataType) -> Result<(Maker, Vec<DataType>), NodeError> {
    match call.function {
        Aggregate::Count => library(count_udaf(), if args.is_empty() { &[DataType::Boolean] } else { args }),
        Aggregate::Sum if args[0] == DataType::Float64 => library(sum_udaf(), args),
        Aggregate::Sum => Ok(own(fold::WholeSum::default(), args, result)),
        Aggregate::Mean => library(avg_udaf(), args),
        Aggregate::Min => extreme(min_max::min_udaf(), own(fold::Least::default(), args, result), args),
        Aggregate::Max => extreme(min_max::max_udaf(), own(fold::Greatest::default(), args, result), args),
        Aggregate::Stddev => Ok(own(fold::Stddev::default(), args, result)),
        Aggregate::Variance => Ok(own(fold::Variance::default(), args, result)),
        Aggregate::Median => Ok(own(fold::Quantile::new(0.5), args, result)),
        Aggregate::Quantile => {
            let share =
                call.settings.first().and_then(Value::as_f64).ok_or_else(|| ill_formed("`quantile` lacks its share"))?;
            Ok(own(fold::Quantile::new(share), args, result))
        }
        Aggregate::First => Ok(own(fold::First::default(), args, result)),
        Aggregate::Last => Ok(own(fold::Last::default(), args, result)),
        Aggregate::Mode => Ok(own(fold::Mode::default(), args, result)),
        Aggregate::Distinct => Ok(own(fold::Distinct::default(), args, result)),
        Aggregate::Slope => Ok(own(fold::Slope::default(), args, result)),
        Aggregate::Correlation => Ok(own(fold::Correlation::default(), args, result)),
        Aggregate::MeanAbsChange => Ok(own(fold::MeanAbsChange::default(), args, result)),
        Aggregate::Rms => Ok(own(fold::Rms::default(), args, result)),
        Aggregate::PeakToPeak => Ok(own(fold::PeakToPeak::default(), args, result)),
        Aggregate::ZeroCrossings => Ok(own(fold::ZeroCrossings::default(), args, result)),
        Aggregate::Tensor => pack(result),
        Aggregate::Crest
        | Aggregate::Kurtosis
        | Aggregate::Skewness
        | Aggregate::Entropy
        | Aggregate::Energy
        | Aggregate::BandPower
        | Aggregate::DominantFrequency
        | Aggregate::SpectralCentroid
        | Aggregate::Autocorrelation
        | Aggregate::Mfcc => Ok(own(fold::Samples::new(measure(call)?), args, result)),
    }
}

fn own<F: Fold>(fresh: F, args: &[DataType], result: &DataType) -> (Maker, Vec<DataType>) {
    let (args, result) = (args.to_vec(), result.clone());
    let state = F::parts(&args);
    let make = move || -> Box<dyn GroupsAccumulator> { Box::new(Folds::new(fresh.clone(), args.clone(), result.clone())) };
    (Maker::Own(Box::new(make)), state)
}

fn measure(call: &ir::AggregateCall) -> Result<Measure, NodeError> {
    let settings: Option<Vec<f64>> = call.settings.iter().map(Value::as_f64).collect();
    let measure = settings.and_then(|settings| Measure::new(call.function.name(), &settings));
    measure.ok_or_else(|| ill_formed(format!("the settings of `{}` do not fit", call.function.name())))
}

fn pack(result: &DataType) -> Result<(Maker, Vec<DataType>), NodeError> {
    let DataType::FixedSizeList(_, size) = result else { return Err(ill_formed("a tensor is a list of one size")) };
    let size = *size as usize;
    let make = move || -> Box<dyn GroupsAccumulator> { Box::new(Pack::new(size)) };
    Ok((Maker::Own(Box::new(make)), Pack::state()))
}

/// DataFusion's where it has one for the type.
fn extreme(
    function: Arc<AggregateUDF>,
    own: (Maker, Vec<DataType>),
    args: &[DataType],
) -> Result<(Maker, Vec<DataType>), NodeError> {
    let ordered = matches!(
        args[0],
        DataType::Int64 | DataType::Float64 | DataType::Utf8 | DataType::Timestamp(..) | DataType::Duration(_)
    );
    if ordered { library(function, args) } else { Ok(own) }
}

fn library(function: Arc<AggregateUDF>, args: &[DataType]) -> Result<(Maker, Vec<DataType>), NodeError> {
    let fields: Vec<Field> =
        args.iter().enumerate().map(|(nth, ty)| Field::new(format!("arg{nth}"), ty.clone(), true)).collect();
    let columns = fields.iter().enumerate().map(|(at, field)| Arc::new(Column::new(field.name(), at)) as _).collect();
    let schema = Arc::new(Schema::new(fields));
    let function = AggregateExprBuilder::new(function, columns).schema(schema).alias("aggregate").build().map_err(failed)?;
    let state = function.state_fields().map_err(failed)?.iter().map(|field| field.data_type().clone()).collect();
    Ok((Maker::Library(Box::new(function)), state))
}

/// One aggregate over whole columns, its arguments.
pub(in super::super) fn of_constants(
    call: &ir::AggregateCall,
    columns: &RecordBatch,
    input: &ir::Schema,
) -> Result<ArrayRef, NodeError> {
    let entry = ir::AggregateEntry {
        name: "value".into(),
        calls: vec![call.clone()],
        value: Expr { kind: ExprKind::Slot(0), ty: call.ty.clone(), nullable: true, span: Span::default() },
        span: Span::default(),
    };
    let aggregates = Aggregates::build(&[entry], input, false)?;
    let inputs = aggregates.read(columns)?;
    let mut accumulators = aggregates.accumulators()?;
    let (call, accumulator) = (&aggregates.calls[0], &mut accumulators[0]);
    call.update(accumulator.as_mut(), &inputs, &vec![0; inputs.rows], 1)?;
    call.result(accumulator.evaluate(EmitTo::All).map_err(failed)?)
}

#[cfg(test)]
mod tests {
    use crate::base::Unit;

    use super::*;

    fn column(name: &str, ty: Type) -> ir::Column {
        ir::Column { name: name.into(), ty, nullable: true, span: Span::default() }
    }

    fn entry(function: Aggregate) -> ir::AggregateEntry {
        let float = Type::Float(Unit::one());
        let arg = Expr { kind: ExprKind::Column("x".into()), ty: float.clone(), nullable: true, span: Span::default() };
        let call = ir::AggregateCall { function, args: vec![arg], settings: vec![], filter: None, ty: float.clone() };
        let value = Expr { kind: ExprKind::Slot(0), ty: float, nullable: true, span: Span::default() };
        ir::AggregateEntry { name: function.name().into(), calls: vec![call], value, span: Span::default() }
    }

    #[test]
    fn of_a_group_without_rows_nothing_is_known() {
        let input = ir::Schema { columns: vec![column("x", Type::Float(Unit::one()))], ..ir::Schema::default() };
        let all = [Aggregate::Sum, Aggregate::Mean, Aggregate::Min, Aggregate::Max, Aggregate::First, Aggregate::Count];
        let aggregates = Aggregates::build(&all.map(entry), &input, false).unwrap();
        for (call, function) in aggregates.calls.iter().zip(all) {
            let mut accumulator = call.accumulator().unwrap();
            accumulator.merge_batch(&call.nothing(&aggregates.any_row()).unwrap(), &[0], 1).unwrap();
            let value = accumulator.evaluate(EmitTo::All).unwrap();
            assert_eq!(value.is_null(0), function != Aggregate::Count, "{}: {value:?}", function.name());
        }
    }
}
