//! Triggers, and the comparisons of metrics inside them.

use crate::base::Span;
use crate::syntax::ast::{Bound, CompareOp, Comparison, Extent, Margin, MarginSign, Metric, Trigger, TriggerKind};

use super::super::grammar::Rule;
use super::super::node::Node;
use super::super::wrong;
use super::Builder;

impl Builder<'_> {
    pub fn trigger_in(&mut self, node: &Node<'_>) -> Trigger {
        self.trigger(&node.get(Rule::trigger))
    }

    fn trigger(&mut self, node: &Node<'_>) -> Trigger {
        self.foreign_words_in(node);
        let parts = node.all(Rule::trigger_all).map(|part| self.trigger_all(&part)).collect();
        joined(parts, TriggerKind::Or, self.span(node))
    }

    fn trigger_all(&mut self, node: &Node<'_>) -> Trigger {
        self.foreign_words_in(node);
        let parts = node.all(Rule::trigger_one).map(|part| self.trigger_one(&part)).collect();
        joined(parts, TriggerKind::And, self.span(node))
    }

    /// `&&` and `||`
    fn foreign_words_in(&mut self, node: &Node<'_>) {
        for (bad, right) in [(Rule::bad_or, "or"), (Rule::bad_and, "and")] {
            for word in node.all(bad) {
                self.report(wrong::foreign_operator(self.span(&word), word.text(), right));
            }
        }
    }

    fn trigger_one(&mut self, node: &Node<'_>) -> Trigger {
        let inner = node.only();
        let kind = match inner.rule() {
            Rule::trigger_paren => TriggerKind::Paren(Box::new(self.trigger_in(&inner))),
            Rule::trigger_drift => TriggerKind::Drift(self.args_in(&inner)),
            Rule::trigger_every => TriggerKind::Every(self.amount_in(&inner)),
            Rule::comparison => TriggerKind::Compare(self.comparison(&inner)),
            other => unreachable!("{other:?} is no trigger"),
        };
        Trigger { kind, span: self.span(node) }
    }

    /// `node` holds a metric, a comparison sign and a bound.
    pub fn comparison(&mut self, node: &Node<'_>) -> Comparison {
        let (op, op_span) = self.compare_in(node);
        Comparison {
            metric: self.metric_in(node),
            op,
            op_span,
            bound: self.bound(&node.get(Rule::bound)),
            held_for: node.find(Rule::held_for).map(|it| self.amount_in(&it)),
            span: self.span(node),
        }
    }

    pub fn compare_in(&mut self, node: &Node<'_>) -> (CompareOp, Span) {
        let (sign, (op, right)) =
            node.children().find_map(|child| Some((child.clone(), compare(child.rule())?))).expect("a comparison has a sign");
        let span = self.span(&sign);
        if !right {
            self.report(wrong::foreign_operator(span, sign.text(), op.text()));
        }
        (op, span)
    }

    fn bound(&mut self, node: &Node<'_>) -> Bound {
        match node.find(Rule::champion) {
            Some(champion) => {
                let margin = champion.find(Rule::margin).map(|margin| self.margin(&margin));
                Bound::Champion { margin, span: self.span(&champion) }
            }
            None => Bound::Value(self.amount_in(node)),
        }
    }

    fn margin(&mut self, node: &Node<'_>) -> Margin {
        let sign = if node.has(Rule::op_add) { MarginSign::Plus } else { MarginSign::Minus };
        Margin { sign, by: self.amount_in(node) }
    }

    pub fn metric_in(&mut self, node: &Node<'_>) -> Metric {
        let node = node.get(Rule::metric);
        Metric {
            path: self.names_in(&node.get(Rule::metric_name)),
            args: self.args_in(&node),
            per: node.find(Rule::metric_per).map(|per| self.amount_in(&per)),
            over: self.over_in(&node),
            span: self.span(&node),
        }
    }

    pub fn over_in(&mut self, node: &Node<'_>) -> Option<Extent> {
        node.find(Rule::over).map(|over| self.extent_in(&over))
    }

    pub fn extent_in(&mut self, node: &Node<'_>) -> Extent {
        let extent = node.get(Rule::extent);
        let amount = self.amount_in(&extent);
        if extent.has(Rule::k_rows) { Extent::Rows(amount) } else { Extent::Duration(amount) }
    }
}

/// One alone is itself.
fn joined(mut parts: Vec<Trigger>, join: fn(Vec<Trigger>) -> TriggerKind, span: Span) -> Trigger {
    match parts.len() {
        1 => parts.remove(0),
        _ => Trigger { kind: join(parts), span },
    }
}

/// The comparison that a sign means, and whether it is spelled so.
fn compare(rule: Rule) -> Option<(CompareOp, bool)> {
    Some(match rule {
        Rule::op_equal => (CompareOp::Equal, true),
        Rule::bad_equal => (CompareOp::Equal, false),
        Rule::op_not_equal => (CompareOp::NotEqual, true),
        Rule::bad_not_equal => (CompareOp::NotEqual, false),
        Rule::op_less => (CompareOp::Less, true),
        Rule::op_less_or_equal => (CompareOp::LessOrEqual, true),
        Rule::bad_less_or_equal => (CompareOp::LessOrEqual, false),
        Rule::op_greater => (CompareOp::Greater, true),
        Rule::op_greater_or_equal => (CompareOp::GreaterOrEqual, true),
        Rule::bad_greater_or_equal => (CompareOp::GreaterOrEqual, false),
        _ => return None,
    })
}
