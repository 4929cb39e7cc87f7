//! The operator table, and the tree that it makes of a flat list.

use std::sync::LazyLock;

use pest::iterators::Pair;
use pest::pratt_parser::{Assoc, Op, PrattParser};

use crate::base::Span;
use crate::syntax::ast::{Arg, BinaryOp, Call, Expr, ExprKind, Ident, UnaryOp};

use super::super::grammar::Rule;
use super::super::node::Node;
use super::super::wrong;
use super::Builder;

/// From loose to tight.
static TABLE: LazyLock<PrattParser<Rule>> = LazyLock::new(|| {
    let left = |rule| Op::infix(rule, Assoc::Left);
    let right = |rule| Op::infix(rule, Assoc::Right);
    PrattParser::new()
        .op(Op::postfix(Rule::bad_ternary))
        .op(left(Rule::op_or) | left(Rule::bad_or))
        .op(left(Rule::op_and) | left(Rule::bad_and))
        .op(Op::prefix(Rule::op_not))
        .op(Op::postfix(Rule::is_null) | Op::postfix(Rule::is_not_null))
        .op(left(Rule::op_equal)
            | left(Rule::op_not_equal)
            | left(Rule::op_less)
            | left(Rule::op_less_or_equal)
            | left(Rule::op_greater)
            | left(Rule::op_greater_or_equal)
            | left(Rule::op_in)
            | left(Rule::op_not_in)
            | left(Rule::bad_equal)
            | left(Rule::bad_not_equal)
            | left(Rule::bad_less_or_equal)
            | left(Rule::bad_greater_or_equal))
        .op(right(Rule::op_else) | right(Rule::bad_else))
        .op(left(Rule::op_range))
        .op(left(Rule::op_add) | left(Rule::op_subtract))
        .op(left(Rule::op_multiply) | left(Rule::op_divide) | left(Rule::bad_mod))
        // `!` of other languages binds tightly.
        .op(Op::prefix(Rule::op_minus) | Op::prefix(Rule::bad_not))
        .op(right(Rule::op_power) | right(Rule::bad_power))
        .op(Op::postfix(Rule::bad_index) | Op::postfix(Rule::bad_dot) | Op::postfix(Rule::bad_method))
});

impl Builder<'_> {
    /// `node` is an expression.
    pub fn expr(&mut self, node: &Node<'_>) -> Expr {
        let parts = self.without_line_starts(node);
        let builder = std::cell::RefCell::new(self);
        TABLE
            .map_primary(|operand| builder.borrow_mut().operand(Node::new(operand)))
            .map_prefix(|op, operand| builder.borrow_mut().prefix(&Node::new(op), operand))
            .map_postfix(|operand, op| builder.borrow_mut().postfix(operand, &Node::new(op)))
            .map_infix(|left, op, right| builder.borrow_mut().infix(left, &Node::new(op), right))
            .parse(parts.into_iter())
    }

    /// Reports operators that begin a line, and gives all that is left; newlines mean nothing between operators.
    fn without_line_starts<'a>(&mut self, node: &Node<'a>) -> Vec<Pair<'a, Rule>> {
        let parts: Vec<Node<'a>> = node.children().filter(|part| part.rule() != Rule::newline).collect();
        for (nth, part) in parts.iter().enumerate() {
            if part.rule() == Rule::bad_line_start {
                let (before, op) = (self.span(&parts[nth - 1]), self.span(&parts[nth + 1]));
                let (op_text, gap) = (self.text_at(op).to_owned(), Span { start: before.end, end: op.start, ..op });
                let gap_text = self.text_at(gap).to_owned();
                self.report(wrong::operator_at_line_start(op, &op_text, gap, &gap_text));
            }
        }
        parts.into_iter().filter(|part| part.rule() != Rule::bad_line_start).map(Node::into_pair).collect()
    }

    fn prefix(&mut self, op: &Node<'_>, operand: Expr) -> Expr {
        let op_span = self.span(op);
        let meant = match op.rule() {
            Rule::op_minus => UnaryOp::Minus,
            Rule::op_not => UnaryOp::Not,
            Rule::bad_not => {
                self.report(wrong::foreign_prefix(op_span, op.text()));
                UnaryOp::Not
            }
            other => unreachable!("{other:?} is no prefix"),
        };
        let span = op_span.to(operand.span);
        Expr { kind: ExprKind::Unary { op: meant, operand: Box::new(operand) }, span }
    }

    fn postfix(&mut self, operand: Expr, op: &Node<'_>) -> Expr {
        let span = operand.span.to(self.span(op));
        let kind = match op.rule() {
            Rule::is_null => ExprKind::IsNull { operand: Box::new(operand), negated: false },
            Rule::is_not_null => ExprKind::IsNull { operand: Box::new(operand), negated: true },
            Rule::bad_index => return self.index(operand, op),
            Rule::bad_dot => return self.dot(operand, op),
            Rule::bad_method => return self.method(operand, op),
            Rule::bad_ternary => self.ternary(operand, op),
            other => unreachable!("{other:?} is no postfix"),
        };
        Expr { kind, span }
    }

    fn index(&mut self, operand: Expr, op: &Node<'_>) -> Expr {
        self.lose(wrong::index(self.span(op)));
        operand
    }

    /// `air.co2`: the column alone is meant.
    fn dot(&mut self, operand: Expr, op: &Node<'_>) -> Expr {
        let column = self.name_in(op);
        self.report(wrong::dot(operand.span.to(column.span), &column.name));
        let span = column.span;
        Expr { kind: ExprKind::Name(column), span }
    }

    /// `x.mean()`: the function of `x` is meant.
    fn method(&mut self, operand: Expr, op: &Node<'_>) -> Expr {
        let (name, span) = (self.name_in(op), operand.span.to(self.span(op)));
        let object = self.text_at(operand.span).to_owned();
        self.report(wrong::method(span, &object, &name.name));
        let first = Arg { name: None, span: operand.span, value: operand };
        let args = std::iter::once(first).chain(self.args_in(op)).collect();
        Expr { kind: ExprKind::Call(Call { name, args, span }), span }
    }

    /// `c ? a : b`
    fn ternary(&mut self, condition: Expr, op: &Node<'_>) -> ExprKind {
        let parts: Vec<Expr> = op.all(Rule::expr).map(|part| self.expr(&part)).collect();
        let [then, otherwise] = parts.try_into().expect("a choice has two sides");
        let spelled = [condition.span, then.span, otherwise.span].map(|span| self.text_at(span).to_owned());
        self.report(wrong::ternary(condition.span.to(self.span(op)), self.span(op), &spelled));
        ExprKind::If { condition: Box::new(condition), then: Box::new(then), otherwise: Box::new(otherwise) }
    }

    fn infix(&mut self, left: Expr, op: &Node<'_>, right: Expr) -> Expr {
        let (op_span, span) = (self.span(op), left.span.to(right.span));
        if op.rule() == Rule::op_range {
            return Expr { kind: ExprKind::Range { low: Box::new(left), high: Box::new(right) }, span };
        }
        if op.rule() == Rule::bad_mod {
            return self.modulo(left, op_span, right);
        }
        let (meant, spelling) = binary(op.rule());
        if op.rule() != spelling {
            self.report(wrong::foreign_operator(op_span, op.text(), meant.text()));
        }
        if meant.is_comparison() {
            self.refuse_chain(&left, op_span, &right);
        }
        Expr { kind: ExprKind::Binary { op: meant, op_span, left: Box::new(left), right: Box::new(right) }, span }
    }

    /// `a < b < c`: `a < b and b < c` is meant.
    fn refuse_chain(&mut self, left: &Expr, op_span: Span, right: &Expr) {
        let ExprKind::Binary { op, right: middle, .. } = &left.kind else { return };
        if op.is_comparison() {
            let [first, middle, op, last] =
                [left.span, middle.span, op_span, right.span].map(|span| self.text_at(span).to_owned());
            let meant = format!("{first} and {middle} {op} {last}");
            self.report(wrong::chained(left.span.to(right.span), op_span, &meant));
        }
    }

    /// `a % b`: `mod(a, b)` is meant.
    fn modulo(&mut self, left: Expr, op_span: Span, right: Expr) -> Expr {
        let span = left.span.to(right.span);
        let texts = [left.span, right.span].map(|span| self.text_at(span).to_owned());
        self.report(wrong::modulo(op_span, span, &texts));
        let args = [left, right].map(|value| Arg { name: None, span: value.span, value });
        let name = Ident { name: "mod".into(), span: op_span };
        Expr { kind: ExprKind::Call(Call { name, args: args.into(), span }), span }
    }
}

/// What an operator means, and the rule that is its right spelling.
fn binary(rule: Rule) -> (BinaryOp, Rule) {
    match rule {
        Rule::op_or | Rule::bad_or => (BinaryOp::Or, Rule::op_or),
        Rule::op_and | Rule::bad_and => (BinaryOp::And, Rule::op_and),
        Rule::op_equal | Rule::bad_equal => (BinaryOp::Equal, Rule::op_equal),
        Rule::op_not_equal | Rule::bad_not_equal => (BinaryOp::NotEqual, Rule::op_not_equal),
        Rule::op_less => (BinaryOp::Less, rule),
        Rule::op_less_or_equal | Rule::bad_less_or_equal => (BinaryOp::LessOrEqual, Rule::op_less_or_equal),
        Rule::op_greater => (BinaryOp::Greater, rule),
        Rule::op_greater_or_equal | Rule::bad_greater_or_equal => (BinaryOp::GreaterOrEqual, Rule::op_greater_or_equal),
        Rule::op_in => (BinaryOp::In, rule),
        Rule::op_not_in => (BinaryOp::NotIn, rule),
        Rule::op_else | Rule::bad_else => (BinaryOp::Else, Rule::op_else),
        Rule::op_add => (BinaryOp::Add, rule),
        Rule::op_subtract => (BinaryOp::Subtract, rule),
        Rule::op_multiply => (BinaryOp::Multiply, rule),
        Rule::op_divide => (BinaryOp::Divide, rule),
        Rule::op_power | Rule::bad_power => (BinaryOp::Power, Rule::op_power),
        other => unreachable!("{other:?} is no operator"),
    }
}
