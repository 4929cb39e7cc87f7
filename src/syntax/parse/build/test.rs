//! Tests.

use crate::syntax::ast::{
    Change, ChangeClass, CountIs, Edit, EditKind, Expect, Expectation, ExpectationKind, Given, GivenRows, Step, StepKind, Test,
    TestFault, TestFaultKind,
};
use crate::syntax::ast::{Expr, ExprKind};

use super::super::grammar::Rule;
use super::super::node::Node;
use super::super::{words, wrong};
use super::Builder;

impl Builder<'_> {
    pub fn test(&mut self, node: &Node<'_>) -> Test {
        self.clauses_in(node, &words::TEST);
        Test {
            name: self.text_in(node),
            real: node.find(Rule::k_real).map(|word| self.span(&word)),
            steps: node.children().filter_map(|step| self.step(&step)).collect(),
        }
    }

    fn step(&mut self, node: &Node<'_>) -> Option<Step> {
        let kind = match node.rule() {
            Rule::given => StepKind::Given(self.given(node)),
            Rule::edit => StepKind::Edit(self.edit(node)),
            Rule::expect => StepKind::Expect(self.expect(node)),
            _ => StepKind::Fault(TestFault { kind: self.test_fault(node)?, span: self.span(node) }),
        };
        Some(Step { kind, span: self.span(node) })
    }

    fn test_fault(&mut self, node: &Node<'_>) -> Option<TestFaultKind> {
        Some(match node.rule() {
            Rule::test_drop => TestFaultKind::Drop { source: self.name_in(node), share: self.amount_in(node) },
            Rule::test_duplicate => TestFaultKind::Duplicate { source: self.name_in(node), share: self.amount_in(node) },
            Rule::test_delay => TestFaultKind::Delay { source: self.name_in(node), by: self.amount_in(node) },
            Rule::test_disconnect => TestFaultKind::Disconnect { source: self.name_in(node) },
            Rule::test_restart => TestFaultKind::Restart,
            // The test's words and separators.
            _ => return None,
        })
    }

    fn given(&mut self, node: &Node<'_>) -> Given {
        let defaults = node.find(Rule::defaults).map(|defaults| self.record(&defaults.get(Rule::record)));
        let rows = match node.find(Rule::rows_list) {
            Some(list) => GivenRows::Rows(self.records(&list)),
            None => {
                let recorded = node.get(Rule::given_recorded);
                GivenRows::Recorded { rows: recorded.find(Rule::whole_range).map(|range| self.whole_range(&range)) }
            }
        };
        Given { source: self.name_in(node), defaults, rows }
    }

    /// `1..1000`
    fn whole_range(&mut self, node: &Node<'_>) -> Expr {
        let [low, high] = self.range_ends(node);
        Expr { kind: ExprKind::Range { low: Box::new(low), high: Box::new(high) }, span: self.span(node) }
    }

    fn range_ends(&mut self, node: &Node<'_>) -> [Expr; 2] {
        let ends: Vec<Expr> = node.all(Rule::number).map(|end| self.operand(end)).collect();
        ends.try_into().expect("a range has two ends")
    }

    fn edit(&mut self, node: &Node<'_>) -> Edit {
        let kind = match node.find(Rule::edit_set) {
            Some(set) => {
                self.assign_sign_in(&set);
                EditKind::Set { param: self.name_in(&set), value: self.expr_in(&set) }
            }
            None => EditKind::Apply(self.text_in(&node.get(Rule::edit_apply))),
        };
        Edit { kind, span: self.span(node) }
    }

    fn expect(&mut self, node: &Node<'_>) -> Expect {
        let expectations = node.all(Rule::expectation).map(|it| self.expectation(&it)).collect();
        Expect { expectations, span: self.span(node) }
    }

    fn expectation(&mut self, node: &Node<'_>) -> Expectation {
        let inner = &node.only();
        let kind = match inner.rule() {
            Rule::expect_rows => self.expect_rows(inner),
            Rule::expect_count => ExpectationKind::Count { stream: self.stream_ref_in(inner), count: self.count(inner) },
            Rule::expect_metric => ExpectationKind::Metric { comparison: self.comparison(inner), task: self.name_in(inner) },
            Rule::expect_changes => self.changes(inner),
            Rule::expect_lost => ExpectationKind::Lost(self.amount_in(inner)),
            Rule::expect_doubled => ExpectationKind::Doubled(self.amount_in(inner)),
            other => unreachable!("{other:?} is no expectation"),
        };
        Expectation { kind, span: self.span(node) }
    }

    fn expect_rows(&mut self, node: &Node<'_>) -> ExpectationKind {
        ExpectationKind::Rows {
            stream: self.stream_ref_in(node),
            rows: self.records(&node.get(Rule::rows_list)),
            tolerance: node.has(Rule::within).then(|| self.within_in(node)),
        }
    }

    fn count(&mut self, node: &Node<'_>) -> CountIs {
        if let Some(range) = node.find(Rule::whole_range) {
            let [low, high] = self.range_ends(&range);
            return CountIs::Between { low, high };
        }
        let value = self.amount_in(node);
        let children = node.children().count();
        // A stream, `count` and an amount; a fourth part is the sign.
        if children == 3 { CountIs::Exactly(value) } else { CountIs::Compare { op: self.compare_in(node).0, value } }
    }

    fn changes(&mut self, node: &Node<'_>) -> ExpectationKind {
        self.commas_in(node);
        ExpectationKind::Changes(node.all(Rule::change).map(|change| self.change(&change)).collect())
    }

    fn change(&mut self, node: &Node<'_>) -> Change {
        if let Some(sign) = node.find(Rule::bad_field_equals) {
            self.report(wrong::equals_for_colon(self.span(&sign), "an entry and its class"));
        }
        let class = change_class(node.get(Rule::change_class).text());
        Change { path: self.names_in(&node.get(Rule::dotted)), class, span: self.span(node) }
    }
}

fn change_class(word: &str) -> ChangeClass {
    match word {
        "same" => ChangeClass::Same,
        "rewired" => ChangeClass::Rewired,
        "retuned" => ChangeClass::Retuned,
        "migrated" => ChangeClass::Migrated,
        "stale" => ChangeClass::Stale,
        "reset" => ChangeClass::Reset,
        "shadowed" => ChangeClass::Shadowed,
        "added" => ChangeClass::Added,
        "removed" => ChangeClass::Removed,
        other => unreachable!("the grammar knows no class `{other}`"),
    }
}
