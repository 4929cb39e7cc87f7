//! What is known of the rows that flow at one place of a pipeline.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{Duration, Name, Span};
use crate::ir::{Column, Schema, Type};

/// A column from where it is made; the same wherever it flows unchanged, whatever it is called there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ColumnId {
    pub decl: Name,
    /// Of the declaration's stages, counted from 1; 0 for a source.
    pub stage: usize,
    pub name: Name,
}

/// Where a column's values come from.
#[derive(Clone, Debug, PartialEq)]
pub struct Lineage {
    pub id: ColumnId,
    /// Itself and every column whose value *of the same row* (or window) is part of its own.
    pub now: BTreeSet<ColumnId>,
}

/// Columns with their lineage, and what the pipeline above says about them.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    pub schema: Schema,
    pub lineage: BTreeMap<Name, Lineage>,
    /// Columns whose definition has a mistake: they exist, and nothing more is said about them.
    pub broken: BTreeSet<Name>,
    /// Something above could not be understood: any name may exist.
    pub open: bool,
    /// What rows were grouped or told apart by.
    pub keys: BTreeSet<ColumnId>,
    /// Columns that are no default features: versions of models, times.
    pub aside: BTreeSet<ColumnId>,
    /// Which task each predicted column comes from.
    pub predicted: BTreeMap<ColumnId, Name>,
    /// The named source, where there is exactly one.
    pub sources: BTreeSet<Name>,
    /// Rows also come in live.
    pub live: bool,
    /// Rows follow each other at this step of time, none of them missing.
    pub step: Option<Duration>,
    /// How long a row waits on its way, as declared: lateness and windows.
    pub waits: Duration,
}

impl Shape {
    /// Of something that is broken already: silences what follows.
    pub fn open() -> Shape {
        Shape { open: true, ..Shape::default() }
    }

    pub fn get(&self, name: &str) -> Option<&Column> {
        self.schema.get(name).filter(|column| !column.is_hidden())
    }

    /// Is it useless to say that there is no such column?
    pub fn is_silent_about(&self, name: &str) -> bool {
        self.open || self.broken.contains(name)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.schema.visible().map(|column| column.name.as_str())
    }

    /// Adds a column that is computed from others of the same row.
    pub fn add(&mut self, column: Column, id: ColumnId, from: &BTreeSet<Name>) {
        let now = self.now_of(from).chain([id.clone()]).collect();
        self.lineage.insert(column.name.clone(), Lineage { id, now });
        self.schema.columns.push(column);
    }

    /// Everything that columns of these names depend on in their own row.
    pub fn now_of<'s>(&'s self, names: &'s BTreeSet<Name>) -> impl Iterator<Item = ColumnId> + 's {
        names.iter().filter_map(|name| self.lineage.get(name)).flat_map(|lineage| lineage.now.iter().cloned())
    }

    pub fn id_of(&self, name: &str) -> Option<&ColumnId> {
        self.lineage.get(name).map(|lineage| &lineage.id)
    }

    /// The same pipeline without any column yet.
    pub fn emptied(&self) -> Shape {
        Shape {
            schema: Schema { columns: Vec::new(), ..self.schema.clone() },
            lineage: BTreeMap::new(),
            broken: BTreeSet::new(),
            ..self.clone()
        }
    }
}

/// A column that travels with the rows and is seen by no one.
pub fn hidden_time(span: Span) -> Column {
    Column { name: HIDDEN_TIME.into(), ty: Type::Time, nullable: false, span }
}

pub const HIDDEN_TIME: &str = "@time";
