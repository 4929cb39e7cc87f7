//! What of a row its task learns from.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, UInt64Array, cast::AsArray, new_null_array};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, UInt64Type};

use crate::base::{Name, Span};
use crate::ir::{self, Expr, ExprKind, HoldOut, Start};
use crate::node::{self, Batch, NodeError};

use super::super::error::unreadable;
use super::super::expr::{Expression, Scope};
use super::super::keys::{Id, KeyColumns, Keys, NO_KEY};
use super::super::table::{column_named, table};

/// Makes the rows of the history.
pub(super) struct Columns {
    schema: SchemaRef,
    sources: Vec<Source>,
    starts: Option<Starts>,
}

enum Source {
    Ordinal,
    Value(Expression),
    /// Of this type; a detector without truth has no target.
    Nothing(DataType),
    Mask(Expression),
    First,
}

/// `start first N rows by K`: how many rows of each key have been seen.
struct Starts {
    by: KeyColumns,
    rows: u64,
    keys: Keys,
    seen: Vec<u64>,
}

/// Before the name of a column that makes the key of a model.
const PER: &str = "@per ";
const STARTS: &str = "starts";
const SEEN: &str = "@seen";

impl Columns {
    pub fn build(task: &ir::Task, input: &ir::Schema) -> Result<Columns, NodeError> {
        let scope = Scope::of(input);
        let mut building = Building { scope, fields: Vec::new(), sources: Vec::new() };
        building.add("@ordinal", DataType::UInt64, Source::Ordinal);
        if let Some(time) = &input.time {
            building.value("@time", &column(time, ir::Type::Time))?;
        }
        for feature in &task.features {
            building.value(&feature.name, &column(&feature.name, feature.ty.clone()))?;
        }
        building.target(&task.target, input)?;
        building.marks(task, input)?;
        let Building { fields, sources, .. } = building;
        Ok(Columns { schema: Arc::new(Schema::new(fields)), sources, starts: starts(task, input)? })
    }

    pub fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    pub fn of(&mut self, batch: &Batch) -> Result<RecordBatch, NodeError> {
        let rows = batch.len();
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.sources.len());
        for source in &self.sources {
            columns.push(match source {
                Source::Ordinal => Arc::new(UInt64Array::new(batch.ordinals.to_column(rows), None)),
                Source::Value(value) => value.evaluate(&batch.rows)?,
                Source::Nothing(ty) => new_null_array(ty, rows),
                Source::Mask(condition) => Arc::new(condition.mask(&batch.rows)?),
                Source::First => Arc::new(match &mut self.starts {
                    Some(starts) => starts.mark(&batch.rows)?,
                    None => BooleanArray::from(vec![false; rows]),
                }),
            });
        }
        table(&self.schema, columns, rows)
    }

    pub fn save(&self, tables: &mut BTreeMap<Name, RecordBatch>) -> Result<(), NodeError> {
        if let Some(starts) = &self.starts {
            tables.insert(STARTS.into(), starts.save()?);
        }
        Ok(())
    }

    pub fn load(&mut self, tables: &BTreeMap<Name, RecordBatch>) -> Result<(), NodeError> {
        match &mut self.starts {
            Some(starts) => starts.load(tables.get(STARTS).ok_or_else(|| unreadable("it has no table of starts"))?),
            None => Ok(()),
        }
    }
}

struct Building {
    scope: Scope,
    fields: Vec<Field>,
    sources: Vec<Source>,
}

impl Building {
    fn add(&mut self, name: &str, ty: DataType, source: Source) {
        self.fields.push(Field::new(name, ty, true));
        self.sources.push(source);
    }

    fn value(&mut self, name: &str, expr: &Expr) -> Result<(), NodeError> {
        let value = Expression::compile(expr, &self.scope)?;
        self.add(name, value.data_type().clone(), Source::Value(value));
        Ok(())
    }

    fn mask(&mut self, name: &str, condition: &Expr) -> Result<(), NodeError> {
        let mask = Source::Mask(Expression::compile(condition, &self.scope)?);
        self.add(name, DataType::Boolean, mask);
        Ok(())
    }

    fn target(&mut self, target: &ir::Target, input: &ir::Schema) -> Result<(), NodeError> {
        match &target.value {
            Some(value) => self.value("@target", value),
            None if input.get(&target.column.name).is_some() => {
                self.value("@target", &column(&target.column.name, target.column.ty.clone()))
            }
            None => {
                let ty = node::data_type(&target.column.ty);
                self.add("@target", ty.clone(), Source::Nothing(ty));
                Ok(())
            }
        }
    }

    fn marks(&mut self, task: &ir::Task, input: &ir::Schema) -> Result<(), NodeError> {
        for (mark, name) in [("@series", &task.series), ("@group", &task.group), ("@weight", &task.weights)] {
            if let Some(name) = name {
                let ty = input.get(name).map_or(ir::Type::NUMBER(), |column| column.ty.clone());
                self.value(mark, &column(name, ty))?;
            }
        }
        for key in task.per.iter().flat_map(|per| &per.columns) {
            self.value(&format!("{PER}{}", key.name), &column(&key.name, key.ty.clone()))?;
        }
        match &task.hold_out {
            Some(HoldOut::Where(condition)) => self.mask("@hold_out", condition)?,
            // Which rows are the last is known when all are there.
            Some(HoldOut::Last(_)) | None => {}
        }
        match &task.start {
            Some(Start::Where(condition)) => self.mask("@start", condition)?,
            Some(Start::First { .. }) => self.add("@start", DataType::Boolean, Source::First),
            None => {}
        }
        Ok(())
    }
}

fn column(name: &Name, ty: ir::Type) -> Expr {
    Expr { kind: ExprKind::Column(name.clone()), ty, nullable: true, span: Span::default() }
}

fn starts(task: &ir::Task, input: &ir::Schema) -> Result<Option<Starts>, NodeError> {
    match &task.start {
        Some(Start::First { rows, by }) => {
            let by = KeyColumns::new(by, input)?;
            let keys = Keys::new(by.types())?;
            Ok(Some(Starts { by, rows: *rows, keys, seen: Vec::new() }))
        }
        Some(Start::Where(_)) | None => Ok(None),
    }
}

impl Starts {
    fn mark(&mut self, rows: &RecordBatch) -> Result<BooleanArray, NodeError> {
        let ids = self.keys.ids(&self.by.read(rows)?, rows.num_rows())?;
        self.seen.resize(self.keys.len(), 0);
        let (seen, limit) = (&mut self.seen, self.rows);
        let mut mark = |id: Id| {
            if id == NO_KEY {
                return false;
            }
            let seen = &mut seen[id as usize];
            *seen = seen.saturating_add(1);
            *seen <= limit
        };
        Ok(ids.into_iter().map(|id| Some(mark(id))).collect())
    }

    fn save(&self) -> Result<RecordBatch, NodeError> {
        let keys = self.keys.len();
        let mut fields: Vec<Field> =
            self.by.names().iter().zip(self.by.types()).map(|(name, ty)| Field::new(name.as_str(), ty, true)).collect();
        fields.push(Field::new(SEEN, DataType::UInt64, true));
        let mut columns = self.keys.columns(0..keys as Id)?;
        let seen = (0..keys).map(|id| Some(self.seen.get(id).copied().unwrap_or(0)));
        columns.push(Arc::new(seen.collect::<UInt64Array>()));
        table(&Arc::new(Schema::new(fields)), columns, keys)
    }

    fn load(&mut self, saved: &RecordBatch) -> Result<(), NodeError> {
        let key_columns =
            self.by.names().iter().map(|name| column_named(saved, name).cloned()).collect::<Result<Vec<_>, _>>()?;
        let seen = column_named(saved, SEEN)?.as_primitive_opt::<UInt64Type>();
        self.seen = seen.ok_or_else(|| unreadable("its starts have no counts"))?.values().to_vec();
        self.keys = Keys::new(self.by.types())?;
        self.keys.ids(&key_columns, saved.num_rows()).map(|_| ())
    }
}
