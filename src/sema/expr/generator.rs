//! Generators, in `simulate`. Numbers without a unit are in the unit of the column.

use crate::base::{Duration, Span, Unit};
use crate::diag::{Code, Diagnostic};
use crate::ir::{Generator, GeneratorCall, Type, Value};
use crate::syntax::ast;

use super::call::{Args, slot};
use super::inline::Given;
use super::{Place, Typed, Typer, value_of};

/// What a generator takes, in order.
fn usage(function: Generator) -> (&'static [&'static str], &'static str) {
    match function {
        Generator::Step => (&["every", "values"], "step(every: 40min, values: [false, true])"),
        Generator::Walk => (&["range", "step"], "walk(400..900, step: 5)"),
        Generator::Sine => (&["period", "range"], "sine(period: 1d, 18..26)"),
        Generator::Noise => (&["size"], "noise(0.3)"),
    }
}

impl<'a> Typer<'_, 'a> {
    pub(super) fn generator(&mut self, name: &ast::Ident, function: Generator, args: &Args<'a>, span: Span) -> Option<Typed> {
        let Place::Simulate { column } = self.place.clone() else {
            return self.misplaced(name, "a generator", "it makes the columns of a `simulate { … }`");
        };
        let args = match arguments(function, args) {
            Some(args) => args,
            None => return self.refuse(wrong_use(function, span)),
        };
        let none = GeneratorCall { function, every: None, values: Vec::new(), range: None, size: None };
        let (call, ty) = match function {
            Generator::Step => {
                let (every, values) = (self.length(args[0]), self.values(args[1], &column));
                (GeneratorCall { every: Some(every?), values: values?, ..none }, column)
            }
            Generator::Walk => {
                let (range, size) = (self.range(args[0], &column), self.size(args[1], &column));
                (GeneratorCall { range: Some(range?), size: Some(size?), ..none }, as_float(&column))
            }
            Generator::Sine => {
                let (every, range) = (self.length(args[0]), self.range(args[1], &column));
                (GeneratorCall { every: Some(every?), range: Some(range?), ..none }, as_float(&column))
            }
            Generator::Noise => (GeneratorCall { size: Some(self.size(args[0], &column)?), ..none }, step_of(&column)),
        };
        self.calls.generators.push(call);
        Some(slot(self.calls.generators.len() - 1, ty, false, span))
    }

    fn length(&mut self, expr: &'a ast::Expr) -> Option<Duration> {
        match self.constant(expr, &Type::Duration, "this length")? {
            Value::Duration(length) if length.0 > 0 => Some(length),
            _ => self.refuse(must_be_positive(expr.span)),
        }
    }

    fn size(&mut self, expr: &'a ast::Expr, column: &Type) -> Option<f64> {
        let figure = self.constant(expr, &step_of(column), "this size")?.as_f64()?;
        if figure >= 0.0 { Some(figure) } else { self.refuse(must_be_positive(expr.span)) }
    }

    fn range(&mut self, expr: &'a ast::Expr, column: &Type) -> Option<(f64, f64)> {
        let ast::ExprKind::Range { low, high } = &expr.bare().kind else {
            return self
                .refuse(Diagnostic::new(Code::E0303, "here a range is needed").at(expr.span, "").help("write `400..900`"));
        };
        let ty = as_float(column);
        let (low, high) = (self.constant(low, &ty, "a range"), self.constant(high, &ty, "a range"));
        let (low, high) = (low?.as_f64()?, high?.as_f64()?);
        if low <= high { Some((low, high)) } else { self.refuse(upside_down(expr.span)) }
    }

    fn values(&mut self, expr: &'a ast::Expr, column: &Type) -> Option<Vec<Value>> {
        let ast::ExprKind::List(items) = &expr.bare().kind else {
            return self
                .refuse(Diagnostic::new(Code::E0303, "here a list is needed").at(expr.span, "").help("write `[false, true]`"));
        };
        let values: Vec<_> = items.iter().map(|item| self.constant_or_null(item, column)).collect();
        values.into_iter().collect()
    }

    fn constant_or_null(&mut self, expr: &'a ast::Expr, ty: &Type) -> Option<Value> {
        self.constant(expr, ty, "a value")
    }

    fn constant(&mut self, expr: &'a ast::Expr, ty: &Type, wanted: &'static str) -> Option<Value> {
        let place = std::mem::replace(&mut self.place, Place::Constant(wanted));
        let typed = self.expr_as(expr, ty, wanted);
        self.place = place;
        value_of(&typed?.expr)
    }
}

/// The arguments in the order of the declaration, each exactly once.
fn arguments<'a>(function: Generator, args: &Args<'a>) -> Option<Vec<&'a ast::Expr>> {
    let (names, _) = usage(function);
    let mut out: Vec<Option<&'a ast::Expr>> = vec![None; names.len()];
    for (label, given) in args {
        let Given::Expr(expr) = given else { return None };
        let at = match label {
            Some(label) => names.iter().position(|name| label.name == *name)?,
            None => out.iter().position(Option::is_none)?,
        };
        if out[at].replace(expr).is_some() {
            return None;
        }
    }
    out.into_iter().collect()
}

/// A column of ints is generated as numbers, too.
fn as_float(column: &Type) -> Type {
    match column {
        Type::Float(_) => column.clone(),
        _ => Type::NUMBER(),
    }
}

/// What noise on this column is in: a difference, which is K for degC.
fn step_of(column: &Type) -> Type {
    match column {
        Type::Float(unit) if unit.has_offset() => Type::Float(Unit { offset: 0.0, difference: None, ..unit.clone() }),
        _ => as_float(column),
    }
}

/// E0306.
fn wrong_use(function: Generator, span: Span) -> Diagnostic {
    let (names, example) = usage(function);
    Diagnostic::new(Code::E0306, format!("`{}` takes {}", function.name(), names.join(" and ")))
        .at(span, "")
        .help(format!("write it like `{example}`"))
}

/// E0309.
fn must_be_positive(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0309, "this must be above zero").at(span, "").help("write a larger value")
}

/// E0309.
fn upside_down(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0309, "this range ends before it begins").at(span, "").help("write the smaller end first")
}
