//! All columns of a simulated source over a stretch of ticks.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, TimestampMicrosecondArray, UInt32Array, new_null_array};
use arrow::compute::{concat, take};
use arrow::datatypes::{Field, Schema};

use crate::base::Name;
use crate::diag::Code;
use crate::io::error::{IoError, arrow_refuses};
use crate::io::expr;
use crate::io::spec::Spec;
use crate::ir::{Expr, Origin, Simulate, SourceColumn, Type};

use super::Timeline;
use super::generator::{Source, numbers};

/// How every declared column is made.
pub(super) struct Layout {
    timeline: Timeline,
    /// The keys as texts, one empty one where there is no key.
    pub keys: Vec<String>,
    key: Option<(Name, ArrayRef)>,
    /// In the order of the simulation.
    generated: Vec<Generated>,
    declared: Vec<(Name, Made)>,
}

struct Generated {
    name: Name,
    sources: Vec<Source>,
    value: Expr,
}

/// Where a declared column comes from.
enum Made {
    /// A generator or the key.
    Named,
    /// The row's time.
    Time,
    /// The row's number for its key, from 1.
    Row,
    Null(arrow::datatypes::DataType),
}

impl Layout {
    pub fn of(spec: &Spec, simulate: &Simulate, timeline: Timeline) -> Result<Layout, IoError> {
        let key = match &simulate.by {
            Some((name, values)) => {
                let ty = spec.columns.iter().find(|column| column.column.name == *name).map(|column| column.column.ty.clone());
                let ty = ty.unwrap_or(Type::Text);
                let parts = values.iter().map(|value| expr::constant(value, &ty)).collect::<Result<Vec<_>, _>>()?;
                let parts: Vec<&dyn arrow::array::Array> = parts.iter().map(AsRef::as_ref).collect();
                Some((name.clone(), concat(&parts).map_err(arrow_refuses)?))
            }
            None => None,
        };
        let keys: Vec<String> = match &simulate.by {
            Some((_, values)) => values.iter().map(ToString::to_string).collect(),
            None => vec![String::new()],
        };
        let generated = simulate.columns.iter().map(|column| {
            expr::check(&column.value)?;
            let source = |(nth, call)| Source::new(call, simulate.seed, &column.name, nth, &keys);
            let sources = column.calls.iter().enumerate().map(source).collect::<Result<Vec<_>, _>>()?;
            Ok(Generated { name: column.name.clone(), sources, value: column.value.clone() })
        });
        let generated = generated.collect::<Result<Vec<_>, IoError>>()?;
        let named: Vec<&Name> = generated.iter().map(|column| &column.name).chain(key.as_ref().map(|(name, _)| name)).collect();
        let declared = spec.columns.iter().map(|column| Ok((column.column.name.clone(), made(column, &named)?)));
        let declared = declared.collect::<Result<Vec<_>, IoError>>()?;
        Ok(Layout { timeline, keys, key, generated, declared })
    }

    /// Declared columns of the ticks `from..to`: tick by tick, in each the keys in order.
    pub fn rows(&mut self, from: u64, to: u64) -> Result<RecordBatch, IoError> {
        let (ticks, keys) = ((to - from) as usize, self.keys.len());
        let mut known: Vec<(Name, ArrayRef)> = Vec::new();
        if let Some((name, values)) = &self.key {
            let indices = UInt32Array::from_iter_values((0..ticks * keys).map(|row| (row % keys) as u32));
            known.push((name.clone(), take(values, &indices, None).map_err(arrow_refuses)?));
        }
        for column in &mut self.generated {
            let beat = self.timeline.beat;
            let slots = column.sources.iter_mut().map(|source| source.values(from, to, beat)).collect::<Result<Vec<_>, _>>()?;
            let values = expr::evaluate(&column.value, &table(&known, ticks * keys)?, &slots)?;
            known.push((column.name.clone(), values));
        }
        let times = || {
            let times = (from..to).flat_map(|tick| std::iter::repeat_n(self.timeline.at(tick).0, keys));
            Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC")) as ArrayRef
        };
        let declared = self.declared.iter().map(|(name, made)| {
            let values = match made {
                Made::Named => known.iter().find(|(known, _)| known == name).map(|(_, values)| values.clone()),
                Made::Time => Some(times()),
                Made::Row => Some(numbers(from, to, keys)),
                Made::Null(ty) => Some(new_null_array(ty, ticks * keys)),
            };
            (name.clone(), values.unwrap_or_else(times))
        });
        table(&declared.collect::<Vec<_>>(), ticks * keys)
    }
}

fn made(column: &SourceColumn, named: &[&Name]) -> Result<Made, IoError> {
    let name = &column.column.name;
    if named.contains(&name) {
        return Ok(Made::Named);
    }
    match (&column.origin, &column.column.ty) {
        (Origin::Row, _) => Ok(Made::Row),
        (_, Type::Time) => Ok(Made::Time),
        _ if column.column.nullable => Ok(Made::Null(crate::node::data_type(&column.column.ty))),
        _ => Err(IoError::new(Code::E0718, format!("the simulation does not say how `{name}` is made"))
            .at(column.column.span)
            .help(format!("add `{name} = …` to its columns, or declare it as `{}?`", column.column.ty))),
    }
}

/// Columns side by side, any of which may hold nulls.
fn table(columns: &[(Name, ArrayRef)], rows: usize) -> Result<RecordBatch, IoError> {
    let fields: Vec<Field> =
        columns.iter().map(|(name, values)| Field::new(name.as_str(), values.data_type().clone(), true)).collect();
    let arrays = columns.iter().map(|(_, values)| values.clone()).collect();
    let options = arrow::array::RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options).map_err(arrow_refuses)
}
