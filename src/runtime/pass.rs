//! The nodes that the runtime itself brings: the inner end of a source and the end of a sink.

use arrow::array::{RecordBatch, RecordBatchOptions, new_null_array};
use arrow::datatypes::{Field, FieldRef, Schema, SchemaRef};

use crate::base::Hash;
use crate::diag::Code;
use crate::node::{self, Batch, Node, NodeError, Ordinal, Out, Port, State};
use crate::plan::{NodeOp, NodeSpec};

/// A gate as the graph sees it: the rows have their time and ordinals already (the sequencer's work), and pass.
#[derive(Debug, Default)]
pub struct Gate;

/// The end of a sink: the columns that are written pass, in their order. What it sends goes to the sink's outbox.
#[derive(Debug)]
pub struct Accept {
    schema: SchemaRef,
}

impl Accept {
    pub fn new(spec: &NodeSpec) -> Accept {
        Accept { schema: written(spec) }
    }

    /// Rows that were accepted when the sink had other columns: those that it still has, and null in the others.
    pub fn refitted(&self, rows: &RecordBatch) -> RecordBatch {
        let column = |field: &FieldRef| {
            let same = rows.column_by_name(field.name()).filter(|column| column.data_type() == field.data_type());
            same.cloned().unwrap_or_else(|| new_null_array(field.data_type(), rows.num_rows()))
        };
        let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        let columns = self.schema.fields().iter().map(column).collect();
        RecordBatch::try_new_with_options(self.schema.clone(), columns, &options).unwrap_or_else(|_| rows.clone())
    }

    /// Columns of these rows that are lost where they are refitted.
    pub fn lost<'a>(&'a self, rows: &'a RecordBatch) -> impl Iterator<Item = &'a str> {
        let same =
            |field: &FieldRef| self.schema.field_with_name(field.name()).is_ok_and(|own| own.data_type() == field.data_type());
        let schema = rows.schema_ref();
        schema.fields().iter().filter(move |field| !same(field)).map(|field| field.name().as_str())
    }

    fn fitted(&self, rows: &RecordBatch) -> Result<RecordBatch, NodeError> {
        let column = |name: &String| rows.column_by_name(name).cloned().ok_or_else(|| no_column(name));
        let columns = self.schema.fields().iter().map(|field| column(field.name())).collect::<Result<_, _>>()?;
        // A sink whose columns have all been dropped still gets its rows.
        let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        RecordBatch::try_new_with_options(self.schema.clone(), columns, &options)
            .map_err(|error| NodeError::new(Code::R0001, format!("the rows do not fit the sink: {error}")))
    }
}

/// The columns that a sink writes.
pub fn written(spec: &NodeSpec) -> SchemaRef {
    let columns: Vec<Field> = match &spec.op {
        NodeOp::Accept(accept) => accept.columns(&spec.schema).map(node::field).collect(),
        NodeOp::Connection(_) | NodeOp::Decode(_) | NodeOp::Gate(_) | NodeOp::Stage(_) | NodeOp::Task(_) | NodeOp::Serve(_) => {
            spec.schema.visible().map(node::field).collect()
        }
    };
    SchemaRef::new(Schema::new(columns))
}

fn no_column(name: &str) -> NodeError {
    NodeError::new(Code::R0001, format!("the rows that reach the sink have no column `{name}`"))
}

impl Node for Gate {
    fn batch(&mut self, _: Port, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        out.passed(batch.len());
        out.send(batch);
        Ok(())
    }

    fn end(&mut self, _: Ordinal, _: &mut Out) -> Result<(), NodeError> {
        Ok(())
    }

    fn save(&mut self) -> Result<State, NodeError> {
        Ok(State::empty(1, Hash::default()))
    }

    fn load(&mut self, _: State) -> Result<(), NodeError> {
        Ok(())
    }
}

impl Node for Accept {
    fn batch(&mut self, _: Port, batch: Batch, out: &mut Out) -> Result<(), NodeError> {
        if !batch.is_empty() {
            out.passed(batch.len());
            let rows = self.fitted(&batch.rows)?;
            out.send(batch.with_rows(rows));
        }
        Ok(())
    }

    fn end(&mut self, _: Ordinal, _: &mut Out) -> Result<(), NodeError> {
        Ok(())
    }

    fn save(&mut self) -> Result<State, NodeError> {
        Ok(State::empty(1, Hash::default()))
    }

    fn load(&mut self, _: State) -> Result<(), NodeError> {
        Ok(())
    }
}
