//! The check of one file: what is resolved so far, and the helpers that every clause uses.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::base::{Duration, Name, Span};
use crate::diag::{Code, Diagnostic};
use crate::ir::{self, Amount, Type, Value};
use crate::syntax::ast;

use super::expr::{Place, Typed, Typer, value_of};
use super::findings::Findings;
use super::globals::Globals;
use super::index::Space;
use super::shape::Shape;
use super::task::TaskShape;

/// Sources, streams and tasks are resolved when they are first asked for, so their order in the text does not count.
pub struct Checker<'a> {
    pub globals: &'a Globals<'a>,
    pub findings: Findings,
    pub program: ir::Program,
    pub(super) shapes: BTreeMap<Name, Rc<Shape>>,
    pub(super) tasks: BTreeMap<Name, Option<Rc<TaskShape>>>,
    /// None where there is a message.
    pub(super) tables: BTreeMap<Name, Option<(ir::Table, Shape)>>,
    /// By name: can they be used?
    pub(super) networks: BTreeMap<Name, bool>,
    /// By the policy's name: which tasks follow it, and what it means for each.
    pub(super) followed: BTreeMap<Name, Vec<(Name, ir::Policy)>>,
    /// What is being resolved, outermost first.
    pub(super) visiting: Vec<(Space, Name, Span)>,
}

impl<'a> Checker<'a> {
    pub fn new(globals: &'a Globals<'a>, findings: Findings) -> Self {
        Checker {
            globals,
            findings,
            program: ir::Program::default(),
            shapes: BTreeMap::new(),
            tasks: BTreeMap::new(),
            tables: BTreeMap::new(),
            networks: BTreeMap::new(),
            followed: BTreeMap::new(),
            visiting: Vec::new(),
        }
    }

    pub fn report(&mut self, diagnostic: Diagnostic) {
        self.findings.report(diagnostic);
    }

    pub fn typer<'c>(&'c mut self, shape: &'c Shape, place: Place) -> Typer<'c, 'a> {
        Typer::new(self.globals, &mut self.findings, shape, place)
    }

    /// A value that is the same for all rows, of this type.
    pub fn constant(&mut self, expr: &'a ast::Expr, ty: &Type, what: &'static str) -> Option<Value> {
        let shape = Shape::default();
        let typed = self.typer(&shape, Place::Constant(what)).expr_as(expr, ty, what)?;
        self.constant_value(&typed, what)
    }

    /// A value that is the same for all rows, of its own type.
    pub fn constant_typed(&mut self, expr: &'a ast::Expr, what: &'static str) -> Option<Typed> {
        let shape = Shape::default();
        self.typer(&shape, Place::Constant(what)).expr(expr)
    }

    fn constant_value(&mut self, typed: &Typed, what: &'static str) -> Option<Value> {
        let value = value_of(&typed.expr);
        if value.is_none() {
            self.report(no_constant(typed.span(), what));
        }
        value
    }

    pub fn duration(&mut self, expr: &'a ast::Expr, what: &'static str) -> Option<Duration> {
        match self.constant(expr, &Type::Duration, what)? {
            Value::Duration(duration) if duration.0 >= 0 => Some(duration),
            _ => self.out_of_range(expr.span, what, "a duration that is not negative"),
        }
    }

    pub fn positive_duration(&mut self, expr: &'a ast::Expr, what: &'static str) -> Option<Duration> {
        let duration = self.duration(expr, what)?;
        if duration.0 > 0 { Some(duration) } else { self.out_of_range(expr.span, what, "a duration above zero") }
    }

    /// A whole number, at least this large.
    pub fn count(&mut self, expr: &'a ast::Expr, least: u64, what: &'static str) -> Option<u64> {
        let value = self.constant(expr, &Type::Int, what)?;
        let count = if let Value::Int(int) = value { u64::try_from(int).ok() } else { None };
        match count.filter(|count| *count >= least) {
            Some(count) => Some(count),
            None if least == 0 => self.out_of_range(expr.span, what, "a whole number that is not negative"),
            None => self.out_of_range(expr.span, what, &format!("a whole number from {least} on")),
        }
    }

    pub fn number(&mut self, expr: &'a ast::Expr, what: &'static str) -> Option<f64> {
        self.constant(expr, &Type::NUMBER(), what)?.as_f64()
    }

    /// A fraction in 0..1.
    pub fn share(&mut self, expr: &'a ast::Expr, what: &'static str) -> Option<f64> {
        let share = self.number(expr, what)?;
        if (0.0..=1.0).contains(&share) {
            Some(share)
        } else {
            self.out_of_range(expr.span, what, "a share between 0% and 100%")
        }
    }

    pub fn extent(&mut self, extent: &'a ast::Extent, what: &'static str) -> Option<Amount> {
        match extent {
            ast::Extent::Duration(expr) => self.positive_duration(expr, what).map(Amount::Time),
            ast::Extent::Rows(expr) => self.count(expr, 1, what).map(Amount::Rows),
        }
    }

    fn out_of_range<T>(&mut self, span: Span, what: &str, want: &str) -> Option<T> {
        let message = format!("{what} must be {want}");
        self.report(Diagnostic::new(Code::E0309, message).at(span, "").help(format!("write {want}")));
        None
    }

    /// `(was old)` is carried out for streams only.
    pub(super) fn later_was(&mut self, was: Option<&ast::Ident>) {
        if let Some(was) = was {
            let help = "leave it out: a rename is recognised where meaning and inputs are equal";
            self.report(super::findings::not_yet("`was` for anything but a stream", was.span, help));
        }
    }

    /// Says that declarations refer to each other in a circle, if this one is being resolved already.
    pub(super) fn is_circular(&mut self, space: Space, ident: &ast::Ident) -> bool {
        let Some(from) = self.visiting.iter().position(|(before, name, _)| (*before, name) == (space, &ident.name)) else {
            return false;
        };
        let circle: Vec<(Space, Name, Span)> = self.visiting[from..].to_vec();
        self.report(in_circle(ident, &circle));
        true
    }
}

/// E0308.
fn no_constant(span: Span, what: &str) -> Diagnostic {
    Diagnostic::new(Code::E0308, format!("{what} must be known when the file is read"))
        .at(span, "")
        .help("write a value, a `param`, or arithmetic of these")
}

/// E0205, or E0505 where a task is part of the circle.
fn in_circle(ident: &ast::Ident, circle: &[(Space, Name, Span)]) -> Diagnostic {
    let path: Vec<String> = circle.iter().map(|(_, name, _)| format!("`{name}`")).collect();
    let path = format!("{} → `{}`", path.join(" → "), ident.name);
    let task = circle.iter().find(|(space, ..)| *space == Space::Task);
    let (code, message, help) = match task {
        Some((_, name, _)) => (
            Code::E0505,
            format!("the task `{name}` would learn from its own prediction: {path}"),
            "let the task learn from a stream above the `predict`",
        ),
        None => (Code::E0205, format!("these refer to each other in a circle: {path}"), "let one of them read something else"),
    };
    let mut out = Diagnostic::new(code, message).at(ident.span, "closes the circle");
    for (_, name, span) in circle {
        out = out.at(*span, format!("`{name}`"));
    }
    out.help(help)
}
