//! What comes from one node to the next at one step.

use std::collections::BTreeMap;

use mliot::ir::Outlet;
use mliot::plan::{NodeKey, Slot};
use mliot::runtime::Row;

use super::{Cell, Entering};

/// What leaves a node at one step.
#[derive(Clone, Debug, Default)]
pub struct Flow {
    /// What went before the rows.
    pub free: Option<Free>,
    pub rows: Vec<Row>,
    pub late: Vec<Row>,
    /// Its clock before and after; none if nothing comes from it any more.
    pub clock: Option<(i64, i64)>,
    pub ends: bool,
}

/// Where time had been held back it goes on by itself. What that sets free comes to who reads it by the clock from which it
/// went on: windows over windows lose nothing by it.
#[derive(Clone, Debug)]
pub struct Free {
    pub rows: Vec<Row>,
    pub late: Vec<Row>,
    pub from: i64,
}

/// All that comes to a node.
#[derive(Default)]
pub struct Heard {
    /// Rows with the number of the input that they come in at.
    pub free: Vec<(usize, Row)>,
    pub rows: Vec<(usize, Row)>,
    /// The lowest of its inputs: before time went on by itself, before the rows, and after them.
    pub clocks: Option<(i64, i64, i64)>,
}

impl Flow {
    /// All rows, in their order.
    pub fn all(&self) -> impl Iterator<Item = &Row> {
        self.free.iter().flat_map(|free| &free.rows).chain(&self.rows)
    }
}

impl Heard {
    pub fn of(cell: &mut Cell, entering: &Entering, flows: &BTreeMap<NodeKey, Flow>) -> Heard {
        let mut heard = Heard::default();
        for (port, (from, outlet, ended)) in cell.inputs.iter_mut().enumerate() {
            let flow = match outlet {
                Outlet::Bad => bad_of(from, entering, flows),
                Outlet::Rows | Outlet::Late => flows.get(from).cloned().unwrap_or_default(),
            };
            let Some((before, after)) = flow.clock.filter(|_| !*ended) else { continue };
            let is_late = *outlet == Outlet::Late;
            let stood = flow.free.as_ref().map_or(before, |free| free.from);
            let at = |rows: Vec<Row>| rows.into_iter().map(move |row| (port, row));
            heard.free.extend(flow.free.into_iter().flat_map(|free| at(if is_late { free.late } else { free.rows })));
            heard.rows.extend(at(if is_late { flow.late } else { flow.rows }));
            let low = heard.clocks.unwrap_or((i64::MAX, i64::MAX, i64::MAX));
            heard.clocks = Some((low.0.min(stood), low.1.min(before), low.2.min(after)));
            *ended = flow.ends;
        }
        heard
    }
}

fn bad_of(from: &NodeKey, entering: &Entering, flows: &BTreeMap<NodeKey, Flow>) -> Flow {
    let gate = flows.get(&NodeKey::of_file(&from.decl, Slot::Gate)).cloned().unwrap_or_default();
    let own = entering.source == Some(&from.decl);
    Flow { rows: entering.bad.filter(|_| own).cloned().into_iter().collect(), late: vec![], ..gate }
}
