//! What a column's values are: the transitive definition back to fields of a source. Row selection is no part of it, nor
//! is the name under which a column travels, nor where its source gets its data from.

use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::json;

use crate::base::{Hash, Name};
use crate::ir::{Expr, ExprKind, Outlet, Schema};
use crate::plan::{Graph, Input, NodeKey};

use super::form::{self, Form};

/// The columns that come out of every node so far.
#[derive(Default)]
pub struct Values(BTreeMap<NodeKey, Columns>);

/// Definitions of the columns at one outlet; nodes that only pass rows on share them.
#[derive(Clone, Default)]
pub struct Columns {
    by_name: Rc<BTreeMap<Name, Hash>>,
    /// Of the row's event time.
    pub time: Option<Hash>,
}

impl Values {
    pub fn insert(&mut self, node: NodeKey, columns: Columns) {
        self.0.insert(node, columns);
    }

    /// What comes out of a node at its rows outlet.
    pub fn of(&self, node: &NodeKey) -> Columns {
        self.0.get(node).cloned().unwrap_or_default()
    }

    /// What an input brings. Late rows are those that came in; what could not be read has columns of its own.
    pub fn at(&self, graph: &Graph, input: &Input) -> Columns {
        match input.outlet {
            Outlet::Rows => self.of(&input.node),
            Outlet::Late => {
                let before = graph.nodes.get(&input.node).and_then(|node| node.inputs.first());
                before.map(|before| self.at(graph, before)).unwrap_or_default()
            }
            Outlet::Bad => Columns::default(),
        }
    }
}

impl Columns {
    /// A column that nobody defined is known by its name: a field of what could not be read.
    pub fn of(&self, name: &str) -> Hash {
        self.by_name.get(name).copied().unwrap_or_else(|| Hash::of(&("column", name)))
    }

    pub fn contains(&self, name: &str) -> bool {
        self.by_name.contains_key(name)
    }

    pub fn set(&mut self, name: Name, definition: Hash) {
        Rc::make_mut(&mut self.by_name).insert(name, definition);
    }

    /// The same columns, with the event time that a schema names.
    pub fn timed(mut self, schema: &Schema) -> Columns {
        self.time = schema.time.as_ref().map(|time| self.of(time));
        self
    }

    /// An expression with every column as its definition. A column alone is its own definition, so a renamed or selected
    /// column stays what it was.
    pub fn define(&self, expr: &Expr) -> Hash {
        if let ExprKind::Column(name) = &expr.kind {
            return self.of(name);
        }
        Hash::of(&self.form(expr))
    }

    pub fn form(&self, expr: &Expr) -> Form {
        form::expr(expr, &|name| json!(self.of(name)))
    }

    /// Of the columns that these expressions read, each once, in the order of reading.
    pub fn read_by<'a>(&self, exprs: impl IntoIterator<Item = &'a Expr>) -> Hash {
        let mut seen = Vec::new();
        for name in exprs.into_iter().flat_map(Expr::columns) {
            let definition = self.of(&name);
            if !seen.contains(&definition) {
                seen.push(definition);
            }
        }
        Hash::of(&seen)
    }

    pub fn keys(&self, by: &[Name]) -> Vec<Hash> {
        by.iter().map(|name| self.of(name)).collect()
    }
}
