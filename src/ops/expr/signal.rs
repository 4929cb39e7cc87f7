//! Functions of a signal or tensor, row by row.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, FixedSizeListArray, Float32Array, Float64Builder, Int64Builder};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Float32Type, Float64Type};
use datafusion::common::internal_err;

use crate::ir::Scalar;
use crate::node::NodeError;

use super::super::error::ill_formed;
use super::super::signal::{Measure, Number};
use super::lower::Lowered;
use super::own::{Arrays, Outcome, over_arrays};

/// `args` are the samples and then the settings, which are literals.
pub(super) fn call(function: Scalar, args: Vec<Lowered>, result: &DataType) -> Result<Lowered, NodeError> {
    let body = body(function).ok_or_else(|| ill_formed(format!("`{}` is no function of samples", function.name())))?;
    if args[1..].iter().any(|setting| setting.ty != DataType::Float64 && setting.ty != DataType::Int64) {
        return Err(ill_formed(format!("a setting of `{}` is no number", function.name())));
    }
    let args =
        [args[0].expr.clone()].into_iter().chain(args[1..].iter().map(|setting| setting.clone().cast(&DataType::Float64).expr));
    Ok(Lowered::new(over_arrays(function.name(), args.collect(), result, body), result.clone()))
}

/// One function for each name, since DataFusion tells functions apart by these.
fn body(function: Scalar) -> Option<Arrays> {
    macro_rules! named {
        ($name:literal) => {
            |args, result| each(&Measure::new($name, &settings(&args[1..])), args, result)
        };
    }
    Some(match function {
        Scalar::Rms => named!("rms"),
        Scalar::ZeroCrossings => named!("zero_crossings"),
        Scalar::PeakToPeak => named!("peak_to_peak"),
        Scalar::Crest => named!("crest"),
        Scalar::Kurtosis => named!("kurtosis"),
        Scalar::Skewness => named!("skewness"),
        Scalar::Entropy => named!("entropy"),
        Scalar::Energy => named!("energy"),
        Scalar::BandPower => named!("band_power"),
        Scalar::DominantFrequency => named!("dominant_frequency"),
        Scalar::SpectralCentroid => named!("spectral_centroid"),
        Scalar::Autocorrelation => named!("autocorrelation"),
        Scalar::Mfcc => named!("mfcc"),
        _ => return None,
    })
}

/// They are the same for every row.
fn settings(columns: &[ArrayRef]) -> Vec<f64> {
    let first = |column: &ArrayRef| column.as_primitive_opt::<Float64Type>().filter(|it| !it.is_empty()).map(|it| it.value(0));
    columns.iter().filter_map(first).collect()
}

fn each(measure: &Option<Measure>, args: &[ArrayRef], result: &DataType) -> Outcome<ArrayRef> {
    let rows = args[0].len();
    // Without rows there are no settings to be seen either.
    let Some(measure) = measure.as_ref().filter(|_| rows > 0) else {
        return if rows == 0 { Ok(arrow::array::new_empty_array(result)) } else { internal_err!("the settings do not fit") };
    };
    let mut out = Results::new(rows, result);
    for row in 0..rows {
        out.push(samples(&args[0], row).map_or(Number::None, |samples| measure.of(&samples)));
    }
    out.finish()
}

/// None where the row has none.
fn samples(column: &ArrayRef, row: usize) -> Option<Vec<f64>> {
    let values = match column.data_type() {
        _ if column.is_null(row) => return None,
        DataType::FixedSizeList(..) => column.as_fixed_size_list().value(row),
        _ => column.as_list_opt::<i32>()?.value(row),
    };
    values.as_primitive_opt::<Float32Type>().map(|values| values.values().iter().map(|value| f64::from(*value)).collect())
}

/// A column of results.
enum Results {
    Whole(Int64Builder),
    Float(Float64Builder),
    Tensor { size: usize, values: Vec<f32>, valid: Vec<bool> },
}

impl Results {
    fn new(rows: usize, result: &DataType) -> Results {
        match result {
            DataType::Int64 => Results::Whole(Int64Builder::with_capacity(rows)),
            DataType::FixedSizeList(_, size) => {
                Results::Tensor { size: *size as usize, values: Vec::new(), valid: Vec::with_capacity(rows) }
            }
            _ => Results::Float(Float64Builder::with_capacity(rows)),
        }
    }

    fn push(&mut self, number: Number) {
        match self {
            Results::Whole(out) => out.append_option(if let Number::Whole(value) = number { Some(value) } else { None }),
            Results::Float(out) => out.append_option(if let Number::One(value) = number { Some(value) } else { None }),
            Results::Tensor { size, values, valid } => match number {
                Number::Many(some) if some.len() == *size => {
                    values.extend(some);
                    valid.push(true);
                }
                Number::None | Number::Whole(_) | Number::One(_) | Number::Many(_) => {
                    values.extend(std::iter::repeat_n(0.0, *size));
                    valid.push(false);
                }
            },
        }
    }

    fn finish(self) -> Outcome<ArrayRef> {
        Ok(match self {
            Results::Whole(mut out) => Arc::new(out.finish()),
            Results::Float(mut out) => Arc::new(out.finish()),
            Results::Tensor { size, values, valid } => {
                let item = Arc::new(Field::new_list_field(DataType::Float32, false));
                let nulls = Some(NullBuffer::from(valid)).filter(|nulls| nulls.null_count() > 0);
                Arc::new(FixedSizeListArray::try_new(item, size as i32, Arc::new(Float32Array::from(values)), nulls)?)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{ListArray, RecordBatch};
    use arrow::datatypes::Schema as ArrowSchema;

    use crate::base::Span;
    use crate::ir::{self, Column, Expr, ExprKind, Schema, Type, Value};
    use crate::node;

    use super::super::{Expression, Scope};
    use super::*;

    /// Four samples and none, as a signal and as a tensor.
    fn rows() -> (Schema, RecordBatch) {
        let column = |name: &str, ty: Type| Column { name: name.into(), ty, nullable: true, span: Span::default() };
        let columns = vec![column("s", Type::Signal(8)), column("t", Type::Tensor(vec![4]))];
        let rows = || [Some([3.0, -3.0, 3.0, -3.0].map(Some)), None];
        let lists = |column: &Column| match &column.ty {
            Type::Tensor(_) => {
                let list = FixedSizeListArray::from_iter_primitive::<Float32Type, _, _>(rows(), 4);
                let (_, size, values, nulls) = list.into_parts();
                Arc::new(FixedSizeListArray::new(item(column), size, values, nulls)) as ArrayRef
            }
            _ => {
                let (_, ends, values, nulls) = ListArray::from_iter_primitive::<Float32Type, _, _>(rows()).into_parts();
                Arc::new(ListArray::new(item(column), ends, values, nulls))
            }
        };
        let arrays = columns.iter().map(lists).collect();
        let schema = Schema { columns, ..Schema::default() };
        let fields: ArrowSchema = node::schema(&schema).as_ref().clone();
        (schema, RecordBatch::try_new(Arc::new(fields), arrays).unwrap())
    }

    fn item(column: &Column) -> arrow::datatypes::FieldRef {
        match node::data_type(&column.ty) {
            DataType::FixedSizeList(item, _) | DataType::List(item) => item,
            other => unreachable!("{other} is no list"),
        }
    }

    fn evaluate(function: Scalar, of: &str, settings: &[f64], ty: Type) -> ArrayRef {
        let (schema, rows) = rows();
        let expr = |kind: ExprKind, ty: Type| Expr { kind, ty, nullable: true, span: Span::default() };
        let samples = expr(ExprKind::Column(of.into()), schema.get(of).unwrap().ty.clone());
        let settings = settings.iter().map(|value| expr(ExprKind::Literal(Value::Float(*value)), Type::NUMBER()));
        let args = std::iter::once(samples).chain(settings).collect();
        let call = expr(ExprKind::Call(function, args), ty);
        Expression::compile(&call, &Scope::of(&schema)).unwrap().evaluate(&rows).unwrap()
    }

    #[test]
    fn functions_of_samples_take_signals_and_tensors_and_null_stays_null() {
        let number = |function, settings: &[f64]| {
            let [of_signal, of_tensor] = ["s", "t"].map(|of| evaluate(function, of, settings, Type::NUMBER()));
            assert_eq!(&of_signal, &of_tensor, "{}", function.name());
            assert_eq!((of_signal.len(), of_signal.null_count()), (2, 1), "{}", function.name());
            of_signal.as_primitive::<Float64Type>().value(0)
        };
        for (function, settings, wanted) in [
            (Scalar::Rms, &[][..], 3.0),
            (Scalar::PeakToPeak, &[], 6.0),
            (Scalar::Crest, &[], 1.0),
            (Scalar::Kurtosis, &[], -2.0),
            (Scalar::Skewness, &[], 0.0),
            (Scalar::Entropy, &[2.0], std::f64::consts::LN_2),
            (Scalar::Energy, &[], 36.0),
            (Scalar::BandPower, &[3.0, 4.0, 8.0], 9.0),
            (Scalar::DominantFrequency, &[8.0], 4.0),
            (Scalar::SpectralCentroid, &[8.0], 4.0),
            (Scalar::Autocorrelation, &[1.0], -0.75),
        ] {
            assert!((number(function, settings) - wanted).abs() < 1e-12, "{}", function.name());
        }
        let crossings = evaluate(Scalar::ZeroCrossings, "s", &[], Type::Int);
        assert_eq!(crossings.as_primitive::<arrow::datatypes::Int64Type>().iter().collect::<Vec<_>>(), [Some(3), None]);
        let cepstrum = evaluate(Scalar::Mfcc, "t", &[5.0, 2.0, 8_000.0], Type::Tensor(vec![2, 5]));
        assert_eq!((cepstrum.as_fixed_size_list().value_length(), cepstrum.null_count()), (10, 1));
    }

    #[test]
    fn every_aggregate_of_samples_has_a_form_of_one_row() {
        let both = Scalar::ALL.iter().filter(|function| ir::Aggregate::named(function.name()).is_some());
        for function in both {
            assert!(body(*function).is_some(), "{}", function.name());
        }
    }
}
