//! Types and unit expressions.

use crate::base::Span;
use crate::syntax::ast::{Dim, DimKind, EnumItem, Ident, Quantity, Type, TypeKind, UnitExpr, UnitFactor};

use super::super::grammar::Rule;
use super::super::node::Node;
use super::super::{foreign, wrong};
use super::Builder;

impl Builder<'_> {
    pub fn type_in(&mut self, node: &Node<'_>) -> Type {
        self.type_name(&node.get(Rule::type_name))
    }

    pub fn type_name(&mut self, node: &Node<'_>) -> Type {
        let kind = self.type_kind(node.only());
        Type { kind, nullable: node.has(Rule::question), span: self.span(node) }
    }

    fn type_kind(&mut self, node: Node<'_>) -> TypeKind {
        match node.rule() {
            Rule::type_word => type_word(node.text()),
            Rule::type_number => self.type_number(&node),
            Rule::type_enum => TypeKind::Enum(node.all(Rule::enum_item).map(|item| self.enum_item(&item)).collect()),
            Rule::type_tensor => TypeKind::Tensor(node.all(Rule::dim).map(|dim| self.dim(&dim)).collect()),
            Rule::type_signal => match node.find(Rule::type_variable) {
                Some(rate) => TypeKind::AnySignal(self.ident(&rate)),
                None => TypeKind::Signal(self.signal_rate(&node)),
            },
            Rule::type_list => TypeKind::List(Box::new(self.type_in(&node))),
            Rule::type_variable => TypeKind::Variable(self.ident(&node)),
            Rule::bad_type => self.unknown_type(&node),
            other => unreachable!("{other:?} is no type"),
        }
    }

    fn type_number(&mut self, node: &Node<'_>) -> TypeKind {
        let unit = node.find(Rule::type_unit).map(|unit| self.type_unit(&unit));
        if node.has(Rule::k_int) { TypeKind::Int(unit) } else { TypeKind::Float(unit) }
    }

    fn enum_item(&mut self, node: &Node<'_>) -> EnumItem {
        let code = node.find(Rule::enum_code).map(|code| {
            code.text().parse().unwrap_or_else(|_| {
                let span = self.span(&code);
                self.report(wrong::number_too_large(span));
                i64::MAX
            })
        });
        EnumItem { code, text: self.text_in(node), span: self.span(node) }
    }

    fn dim(&mut self, node: &Node<'_>) -> Dim {
        let kind = match node.find(Rule::whole) {
            Some(whole) => DimKind::Fixed(self.whole(&whole)),
            None => DimKind::Named(self.name_in(node)),
        };
        Dim { kind, span: self.span(node) }
    }

    fn signal_rate(&mut self, node: &Node<'_>) -> Quantity {
        if let Some(rate) = node.one_of(&[Rule::quantity, Rule::bad_blank]) {
            return self.quantity(&rate);
        }
        let rate = node.get(Rule::bad_number);
        self.unknown_unit(&rate);
        self.broken = true;
        let span = self.span(&rate);
        Quantity { value: self.number(&rate.get(Rule::number_raw)), unit: UnitExpr { factors: Vec::new(), span }, span }
    }

    /// The nearest type stands in its place, so that the rest of the file can still be checked.
    fn unknown_type(&mut self, node: &Node<'_>) -> TypeKind {
        let meant = foreign::type_word(node.text());
        self.report(wrong::unknown_type(self.span(node), node.text(), meant));
        match meant {
            Some("int") => TypeKind::Int(None),
            Some("float") => TypeKind::Float(None),
            Some(word) => type_word(word),
            None => {
                self.broken = true;
                TypeKind::Text
            }
        }
    }

    /// Behind a number.
    pub fn unit_expr(&mut self, node: &Node<'_>) -> UnitExpr {
        self.unit_product(node, Rule::unit_power)
    }

    /// Inside a type: may begin with `1/`.
    pub fn type_unit(&mut self, node: &Node<'_>) -> UnitExpr {
        self.unit_product(node, Rule::type_unit_power)
    }

    fn unit_product(&mut self, node: &Node<'_>, power: Rule) -> UnitExpr {
        let (mut factors, mut sign) = (Vec::new(), 1);
        for child in node.children() {
            match child.rule() {
                Rule::unit_per => sign = -1,
                Rule::unit_times => sign = 1,
                rule if rule == power => factors.push(self.unit_factor(&child, sign)),
                _ => {}
            }
        }
        UnitExpr { factors, span: self.span(node) }
    }

    fn unit_factor(&mut self, node: &Node<'_>, sign: i8) -> UnitFactor {
        let unit = node.only();
        let unit = Ident { name: unit.text().into(), span: self.span(&unit) };
        let power = match node.find(Rule::unit_exponent) {
            Some(exponent) => self.unit_power(exponent.text(), self.span(&exponent)),
            None => 1,
        };
        UnitFactor { unit, power: sign * power }
    }

    fn unit_power(&mut self, digits: &str, span: Span) -> i8 {
        match digits.parse() {
            Ok(power @ (-9..=-1 | 1..=9)) => power,
            _ => {
                self.report(wrong::unit_power(span));
                1
            }
        }
    }
}

/// The types that are one word.
fn type_word(word: &str) -> TypeKind {
    match word {
        "bool" => TypeKind::Bool,
        "time" => TypeKind::Time,
        "duration" => TypeKind::Duration,
        "bytes" => TypeKind::Bytes,
        _ => TypeKind::Text,
    }
}
