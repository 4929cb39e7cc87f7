//! Numbers, quantities, text and times.

use crate::base::{Name, Span, Time};
use crate::syntax::ast::{Expr, ExprKind, Ident, Number, Quantity, Text, UnaryOp, UnitExpr, UnitFactor};

use super::super::grammar::Rule;
use super::super::node::Node;
use super::super::{foreign, wrong};
use super::Builder;

impl Builder<'_> {
    pub fn amount_in(&mut self, node: &Node<'_>) -> Expr {
        self.amount(&node.get(Rule::amount))
    }

    /// All amounts directly inside; the grammar promises how many.
    pub fn amounts<const N: usize>(&mut self, node: &Node<'_>) -> [Expr; N] {
        let amounts: Vec<Expr> = node.all(Rule::amount).map(|amount| self.amount(&amount)).collect();
        amounts.try_into().expect("the grammar promises the number of amounts")
    }

    pub fn amount(&mut self, node: &Node<'_>) -> Expr {
        self.signed(node)
    }

    /// A literal, possibly with a minus before it; also a name or an expression in brackets where an amount may be one.
    pub fn signed(&mut self, node: &Node<'_>) -> Expr {
        let span = self.span(node);
        let mut children = node.children();
        let first = children.next().expect("an amount is not empty");
        if first.rule() != Rule::op_minus {
            return self.operand(first);
        }
        let number = self.operand(children.next().expect("a minus has a number"));
        Expr { kind: ExprKind::Unary { op: UnaryOp::Minus, operand: Box::new(number) }, span }
    }

    pub fn number(&mut self, node: &Node<'_>) -> Number {
        let digits = node.text().replace('_', "");
        if let Ok(whole) = digits.parse::<i64>() {
            return Number::Int(whole);
        }
        let value: f64 = digits.parse().expect("the grammar admits numbers only");
        if !value.is_finite() || digits.bytes().all(|digit| digit.is_ascii_digit()) {
            let span = self.span(node);
            self.report(wrong::number_too_large(span));
        }
        Number::Float(value)
    }

    pub fn whole(&mut self, node: &Node<'_>) -> u32 {
        node.text().parse().unwrap_or_else(|_| {
            let span = self.span(node);
            self.report(wrong::number_too_large(span));
            u32::MAX
        })
    }

    /// `node` is a quantity, also one with a blank before its unit.
    pub fn quantity(&mut self, node: &Node<'_>) -> Quantity {
        let value = self.number(&node.get(Rule::number_raw));
        let unit = match node.find(Rule::unit_expr) {
            Some(unit) => self.unit_expr(&unit),
            None => percent(self.span(&node.get(Rule::percent))),
        };
        if node.rule() == Rule::bad_blank {
            let gap = self.span(&node.get(Rule::bad_gap));
            let spelled = format!("{}{}", node.get(Rule::number_raw).text(), self.text_at(unit.span));
            self.report(wrong::blank_before_unit(self.span(node), gap, &spelled));
        }
        Quantity { value, unit, span: self.span(node) }
    }

    /// Letters behind a number that are no unit. A word that is a unit by another name is understood.
    pub fn unknown_unit(&mut self, node: &Node<'_>) -> ExprKind {
        let value = self.number(&node.get(Rule::number_raw));
        let word = node.get(Rule::bad_unit);
        let (span, place) = (self.span(node), self.span(&word));
        let meant = foreign::unit(word.text());
        self.report(wrong::unknown_unit(place, word.text(), meant));
        match meant {
            Some(unit) => {
                let factor = UnitFactor { unit: Ident { name: unit.into(), span: place }, power: 1 };
                ExprKind::Quantity(Quantity { value, unit: UnitExpr { factors: vec![factor], span: place }, span })
            }
            None => {
                self.broken = true;
                ExprKind::Number(value)
            }
        }
    }

    pub fn instant(&mut self, node: &Node<'_>) -> Time {
        let text = node.text();
        Time::parse(&text[1..]).unwrap_or_else(|_| {
            let span = self.span(node);
            self.lose(wrong::no_time(span, text));
            Time::MIN
        })
    }

    pub fn text(&mut self, node: &Node<'_>) -> Text {
        let (written, span) = (node.text(), self.span(node));
        let inner = &written[1..written.len() - 1];
        let value = if written.starts_with('\'') { inner.to_owned() } else { self.unescaped(inner, span) };
        Text { value: Name::from(value), span }
    }

    fn unescaped(&mut self, inner: &str, span: Span) -> String {
        let mut out = String::with_capacity(inner.len());
        let mut rest = inner;
        while let Some(at) = rest.find('\\') {
            out.push_str(&rest[..at]);
            let (meant, length) = escape(&rest[at..]);
            match meant {
                Some(letter) => out.push(letter),
                None => {
                    let start = span.start as usize + 1 + inner.len() - rest.len() + at;
                    let place = Span::new(span.source, start, start + length);
                    self.report(wrong::unknown_escape(place, &rest[at..at + length]));
                }
            }
            rest = &rest[at + length..];
        }
        out + rest
    }
}

pub fn percent(span: Span) -> UnitExpr {
    UnitExpr { factors: vec![UnitFactor { unit: Ident { name: "percent".into(), span }, power: 1 }], span }
}

/// What an escape means, and how many bytes it takes.
fn escape(text: &str) -> (Option<char>, usize) {
    let letter = text[1..].chars().next().unwrap_or('\\');
    let simple = match letter {
        'n' => Some('\n'),
        't' => Some('\t'),
        'r' => Some('\r'),
        '0' => Some('\0'),
        '"' | '\\' | '\'' => Some(letter),
        'u' => return unicode_escape(text),
        _ => None,
    };
    (simple, 1 + letter.len_utf8())
}

/// `\u{1F600}`
fn unicode_escape(text: &str) -> (Option<char>, usize) {
    let digits = text[2..].strip_prefix('{').and_then(|rest| rest.split_once('}')).map(|(digits, _)| digits);
    match digits {
        Some(digits) => (u32::from_str_radix(digits, 16).ok().and_then(char::from_u32), digits.len() + 4),
        None => (None, 2),
    }
}
