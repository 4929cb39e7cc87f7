//! Stages that gather rows: windows, summaries, resampling, sorting.

use crate::syntax::ast::{
    Dedupe, Expr, FillMethod, Resample, Sort, Summarize, Window, WindowAlign, WindowSpec, WindowSpecKind,
};

use super::super::grammar::Rule;
use super::super::node::Node;
use super::Builder;

impl Builder<'_> {
    pub fn window(&mut self, node: &Node<'_>) -> Window {
        Window {
            spec: self.window_spec(&node.get(Rule::window_spec)),
            align: node.find(Rule::window_align).map(|align| self.window_align(&align)),
            partial: node.find(Rule::k_partial).map(|word| self.span(&word)),
            by: self.by_in(node),
            entries: self.entries_in(node),
        }
    }

    fn window_spec(&mut self, node: &Node<'_>) -> WindowSpec {
        let inner = node.only();
        let mut amounts = inner.all(Rule::amount).map(|amount| self.amount(&amount)).collect::<Vec<_>>().into_iter();
        let mut first = || amounts.next().expect("this window has a size");
        let kind = match inner.rule() {
            Rule::window_session => WindowSpecKind::Session { gap: first() },
            Rule::window_whole => WindowSpecKind::Whole,
            Rule::window_rows => WindowSpecKind::Rows { count: first(), every: amounts.next() },
            _ => WindowSpecKind::Time { length: first(), every: amounts.next() },
        };
        WindowSpec { kind, span: self.span(node) }
    }

    fn window_align(&mut self, node: &Node<'_>) -> WindowAlign {
        WindowAlign { zone: self.text_in(node), span: self.span(node) }
    }

    pub fn summarize(&mut self, node: &Node<'_>) -> Summarize {
        let every = node.find(Rule::summary_every).map(|every| self.amount_in(&every));
        Summarize { by: self.by_in(node), every, entries: self.entries_in(node) }
    }

    pub fn resample(&mut self, node: &Node<'_>) -> Resample {
        let fill = match node.one_of(&[Rule::k_linear, Rule::k_last]).map(|word| word.rule()) {
            Some(Rule::k_linear) => FillMethod::Linear,
            Some(_) => FillMethod::Last,
            None => FillMethod::Null,
        };
        let within = node.find(Rule::within).map(|within| self.amount_in(&within));
        Resample { every: self.amount_in(node), by: self.by_in(node), fill, within }
    }

    pub fn dedupe(&mut self, node: &Node<'_>) -> Dedupe {
        Dedupe { by: self.by_in(node).expect("`dedupe` has a key"), within: self.within_in(node) }
    }

    pub fn sort(&mut self, node: &Node<'_>) -> Sort {
        Sort { by: self.by_in(node).expect("`sort` has a key"), within: self.within_in(node) }
    }

    /// `within D` inside `node`, which the grammar promises.
    pub fn within_in(&mut self, node: &Node<'_>) -> Expr {
        self.amount_in(&node.get(Rule::within))
    }
}
