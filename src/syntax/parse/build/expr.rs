//! Expressions. Operators and operands come as a flat list; `operators.rs` puts them into a tree.

use crate::syntax::ast::{Arg, Call, Expr, ExprKind, MatchArm, Pattern, PatternKind};

use super::super::grammar::Rule;
use super::super::node::Node;
use super::super::{foreign, wrong};
use super::Builder;

impl Builder<'_> {
    pub fn expr_in(&mut self, node: &Node<'_>) -> Expr {
        self.expr(&node.get(Rule::expr))
    }

    /// `node` is an operand, without the operators around it.
    pub fn operand(&mut self, node: Node<'_>) -> Expr {
        let span = self.span(&node);
        let kind = match node.rule() {
            Rule::number => ExprKind::Number(self.number(&node)),
            Rule::quantity | Rule::bad_blank => ExprKind::Quantity(self.quantity(&node)),
            Rule::bad_number => self.unknown_unit(&node),
            Rule::instant | Rule::bad_instant => ExprKind::Time(self.instant(&node)),
            Rule::text => ExprKind::Text(self.text(&node)),
            Rule::truth => ExprKind::Bool(node.text() == "true"),
            Rule::k_null => ExprKind::Null,
            Rule::name => self.name_or_constant(&node),
            Rule::call => ExprKind::Call(self.call(&node)),
            Rule::tensor_call => ExprKind::Tensor(self.column_set(&node.get(Rule::argument_set))),
            Rule::paren => ExprKind::Paren(Box::new(self.expr_in(&node))),
            Rule::list => ExprKind::List(node.all(Rule::expr).map(|item| self.expr(&item)).collect()),
            Rule::record => ExprKind::Record(self.record(&node)),
            Rule::if_else | Rule::if_else_then => self.if_else(&node),
            Rule::match_value => self.match_value(&node),
            other => unreachable!("{other:?} is no operand"),
        };
        Expr { kind, span }
    }

    /// `True`, `None` and the like are names here, and never meant as such.
    fn name_or_constant(&mut self, node: &Node<'_>) -> ExprKind {
        let Some(constant) = foreign::constant(node.text()) else { return ExprKind::Name(self.ident(node)) };
        self.report(wrong::foreign_word(self.span(node), node.text(), constant));
        match constant {
            "true" => ExprKind::Bool(true),
            "false" => ExprKind::Bool(false),
            _ => ExprKind::Null,
        }
    }

    pub fn call(&mut self, node: &Node<'_>) -> Call {
        Call { name: self.name_in(node), args: self.args_in(node), span: self.span(node) }
    }

    /// The arguments inside `node`, if it has any.
    pub fn args_in(&mut self, node: &Node<'_>) -> Vec<Arg> {
        let args = node.find(Rule::args);
        args.map(|args| args.all(Rule::arg).map(|arg| self.arg(&arg)).collect()).unwrap_or_default()
    }

    fn arg(&mut self, node: &Node<'_>) -> Arg {
        let name = node.find(Rule::name).map(|name| self.ident(&name));
        if let Some(equals) = node.find(Rule::bad_named_equals) {
            self.report(wrong::equals_for_colon(self.span(&equals), "an argument's name and its value"));
        }
        let value = match node.one_of(&[Rule::all_except, Rule::matching]) {
            Some(set) => Expr { kind: ExprKind::Columns(self.column_set(&set)), span: self.span(&set) },
            None => self.expr_in(node),
        };
        Arg { name, value, span: self.span(node) }
    }

    /// A name, with arguments or without.
    pub fn applied(&mut self, node: &Node<'_>) -> Call {
        self.call(node)
    }

    pub fn all_applied(&mut self, node: &Node<'_>) -> Vec<Call> {
        node.all(Rule::applied).map(|call| self.applied(&call)).collect()
    }

    fn if_else(&mut self, node: &Node<'_>) -> ExprKind {
        let parts: Vec<Expr> = node
            .children()
            .filter(|part| matches!(part.rule(), Rule::expr | Rule::expr_then))
            .map(|part| self.expr(&part))
            .collect();
        let mut parts = parts.into_iter().map(Box::new);
        let condition = parts.next().expect("an `if` has a condition");
        let then = parts.next().expect("an `if` has a `then`");
        let otherwise = parts.next().unwrap_or_else(|| {
            let word = self.span(&node.get(Rule::k_if));
            let end = self.span(node).after();
            self.report(wrong::if_without_else(word, end));
            Box::new(Expr { kind: ExprKind::Null, span: end })
        });
        ExprKind::If { condition, then, otherwise }
    }

    fn match_value(&mut self, node: &Node<'_>) -> ExprKind {
        self.commas_in(node);
        let subject = Box::new(self.expr_in(node));
        ExprKind::Match { subject, arms: node.all(Rule::arm).map(|arm| self.arm(&arm)).collect() }
    }

    fn arm(&mut self, node: &Node<'_>) -> MatchArm {
        for comma in node.all(Rule::bad_or_comma) {
            self.report(wrong::comma_for_or(self.span(&comma)));
        }
        let patterns = node.all(Rule::pattern).map(|pattern| self.pattern(&pattern)).collect();
        MatchArm { patterns, value: self.expr_in(node), span: self.span(node) }
    }

    fn pattern(&mut self, node: &Node<'_>) -> Pattern {
        let inner = node.only();
        let kind = match inner.rule() {
            Rule::k_null => PatternKind::Null,
            Rule::pattern_range => self.pattern_range(&inner),
            _ => PatternKind::Value(self.signed(&inner)),
        };
        Pattern { kind, span: self.span(node) }
    }

    fn pattern_range(&mut self, node: &Node<'_>) -> PatternKind {
        let mut ends = node.all(Rule::literal).map(|end| self.signed(&end)).collect::<Vec<_>>().into_iter();
        let low = ends.next().expect("a range has a lower end");
        PatternKind::Range { low, high: ends.next().expect("a range has an upper end") }
    }
}
