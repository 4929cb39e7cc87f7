//! What `stdlib/` declares: functions and units.

use crate::syntax::ast::{Example, Function, FunctionKind, FunctionParam, Number, UnitBody, UnitDeclaration, UnitRule};

use super::super::grammar::Rule;
use super::super::node::Node;
use super::super::words;
use super::Builder;

impl Builder<'_> {
    pub fn function(&mut self, node: &Node<'_>) -> Function {
        let params = node.get(Rule::function_params);
        let params = params.all(Rule::function_param).map(|param| self.function_param(&param)).collect();
        let (name, result) = (self.name_in(node), self.type_in(node));
        let Some(body) = node.find(Rule::function_body) else {
            return Function { name, params, result, kind: None, unit: None, state: Vec::new(), examples: Vec::new() };
        };
        self.clauses_in(&body, &words::FUNCTION);
        Function {
            name,
            params,
            result,
            kind: self.once(&body, Rule::function_kind).map(|it| function_kind(&it)),
            unit: self.once(&body, Rule::function_unit).map(|it| unit_rule(&it)),
            state: self.once(&body, Rule::function_state).map(|it| self.names_in(&it)).unwrap_or_default(),
            examples: body.all(Rule::function_example).map(|it| self.example(&it)).collect(),
        }
    }

    fn function_param(&mut self, node: &Node<'_>) -> FunctionParam {
        FunctionParam {
            name: self.name_in(node),
            types: node.all(Rule::type_name).map(|ty| self.type_name(&ty)).collect(),
            variadic: node.has(Rule::ellipsis),
            default: node.find(Rule::expr).map(|default| self.expr(&default)),
            span: self.span(node),
        }
    }

    fn example(&mut self, node: &Node<'_>) -> Example {
        let mut args: Vec<_> = node.all(Rule::expr).map(|arg| self.expr(&arg)).collect();
        let result = args.pop().expect("an example has a result");
        Example { args, result, span: self.span(node) }
    }

    pub fn unit(&mut self, node: &Node<'_>) -> UnitDeclaration {
        let body = node.find(Rule::unit_body).map_or(UnitBody::Base, |body| self.unit_body(&body));
        UnitDeclaration { name: self.name_in(node), body }
    }

    fn unit_body(&mut self, node: &Node<'_>) -> UnitBody {
        let what = node.only();
        let (factor, of) = match what.rule() {
            Rule::type_unit => (Number::Int(1), Some(self.type_unit(&what))),
            Rule::quantity => {
                let quantity = self.quantity(&what);
                (quantity.value, Some(quantity.unit))
            }
            _ => (self.number(&what.get(Rule::number)), None),
        };
        UnitBody::Derived {
            factor,
            of,
            offset: node.find(Rule::unit_offset).map(|offset| self.unit_offset(&offset)),
            difference: node.find(Rule::unit_difference).map(|it| self.type_unit(&it.get(Rule::type_unit))),
        }
    }

    fn unit_offset(&mut self, node: &Node<'_>) -> Number {
        let number = self.number(&node.get(Rule::number));
        match (node.has(Rule::op_subtract), number) {
            (false, number) => number,
            (true, Number::Int(value)) => Number::Int(-value),
            (true, Number::Float(value)) => Number::Float(-value),
        }
    }
}

fn function_kind(node: &Node<'_>) -> FunctionKind {
    match node.one_of(&[Rule::k_row, Rule::k_running, Rule::k_aggregate]).map(|word| word.rule()) {
        Some(Rule::k_row) => FunctionKind::Row,
        Some(Rule::k_running) => FunctionKind::Running,
        Some(_) => FunctionKind::Aggregate,
        None => FunctionKind::Window,
    }
}

fn unit_rule(node: &Node<'_>) -> UnitRule {
    match node.one_of(&[Rule::k_keeps, Rule::k_difference, Rule::per_time]).map(|word| word.rule()) {
        Some(Rule::k_keeps) => UnitRule::Keeps,
        Some(Rule::k_difference) => UnitRule::Difference,
        Some(_) => UnitRule::PerTime,
        None => UnitRule::Refuses,
    }
}
