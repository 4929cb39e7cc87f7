//! Generated rows, and what goes wrong with them.

use crate::syntax::ast::{DriftChange, Fault, FaultKind, Simulate, SimulatedKey, SimulatedRows};

use super::super::grammar::Rule;
use super::super::node::Node;
use super::super::words;
use super::Builder;

impl Builder<'_> {
    pub fn simulate(&mut self, node: &Node<'_>) -> Simulate {
        self.clauses_in(node, &words::SIMULATE);
        Simulate {
            rows: self.once(node, Rule::sim_rows).map(|it| self.simulated_rows(&it)),
            seed: self.once(node, Rule::sim_seed).map(|it| self.amount_in(&it)),
            length: self.once(node, Rule::sim_span).map(|it| self.amount_in(&it)),
            columns: self.once(node, Rule::sim_columns).map(|it| self.assigns_in(&it)).unwrap_or_default(),
            faults: node.children().filter_map(|it| self.fault(&it)).collect(),
            span: self.span(node),
        }
    }

    fn simulated_rows(&mut self, node: &Node<'_>) -> SimulatedRows {
        let [count, per] = self.amounts(node);
        let by = node.has(Rule::k_by).then(|| SimulatedKey { column: self.name_in(node), values: self.expr_in(node) });
        SimulatedRows { count, per, by, span: self.span(node) }
    }

    fn fault(&mut self, node: &Node<'_>) -> Option<Fault> {
        let kind = match node.rule() {
            Rule::fault_drift => self.fault_drift(node),
            Rule::fault_late => {
                let [share, by] = self.amounts(node);
                FaultKind::Late { share, by }
            }
            Rule::fault_drop => FaultKind::Drop { share: self.amount_in(node) },
            Rule::fault_duplicate => FaultKind::Duplicate { share: self.amount_in(node) },
            Rule::fault_spike => {
                let [factor, share] = self.amounts(node);
                FaultKind::Spike { column: self.name_in(node), factor, share }
            }
            Rule::fault_gap => {
                let [length, every] = self.amounts(node);
                FaultKind::Gap { length, every }
            }
            Rule::fault_delay => FaultKind::Delay { column: self.name_in(node), by: self.amount_in(node) },
            // The other clauses, and separators.
            _ => return None,
        };
        Some(Fault { kind, span: self.span(node) })
    }

    fn fault_drift(&mut self, node: &Node<'_>) -> FaultKind {
        let change = match node.one_of(&[Rule::op_add, Rule::op_subtract]).map(|op| op.rule()) {
            Some(Rule::op_add) => DriftChange::Add,
            Some(_) => DriftChange::Subtract,
            None => DriftChange::Multiply,
        };
        let [by, after] = self.amounts(node);
        FaultKind::Drift { column: self.name_in(node), change, by, after }
    }
}
