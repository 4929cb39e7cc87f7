//! Expressions: names, types and units, and which functions may stand where.

mod aggregate;
mod arithmetic;
mod branch;
mod call;
mod compare;
mod fit;
mod fold;
mod generator;
mod inline;
mod matching;
mod mismatch;
mod name;
mod outside;
mod running;
mod signal;
mod tensor;
mod typed;

use crate::base::{Name, Span};
use crate::diag::{Code, Diagnostic};
use crate::ir::{AggregateCall, GeneratorCall, RunningCall, Type, Value};
use crate::syntax::ast;

use super::findings::Findings;
use super::globals::Globals;
use super::shape::Shape;

use fit::fit;
pub use fold::value_of;
pub use inline::Env;
pub use mismatch::{not_an_item, phrase, unfit};
pub use typed::{Flex, Typed, is_time_unit};

/// Where an expression stands, which decides what it may use.
#[derive(Clone, Debug, PartialEq)]
pub enum Place {
    /// Over the columns of one row.
    Row,
    /// In a `scan`: running functions besides.
    Scan,
    /// In a `window`: aggregates over columns, and the keys.
    Window { keys: Vec<Name>, rows: RowsOf },
    /// In `simulate`, for a column of this type.
    Simulate { column: Type },
    /// Without any row; said of what.
    Constant(&'static str),
}

/// How many rows go into one window, for what has to know it when the file is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowsOf {
    /// So many; with `partial` possibly fewer at the end of a recording.
    Known(u64),
    /// Whatever comes; said of what.
    Unknown(&'static str),
    /// The window has a mistake, and nothing more is said about it.
    Broken,
}

/// The stateful calls of one entry, in the order in which they are carried out.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    pub running: Vec<RunningCall>,
    pub aggregates: Vec<AggregateCall>,
    pub generators: Vec<GeneratorCall>,
}

/// Types the expressions of one entry.
pub struct Typer<'c, 'a> {
    pub globals: &'c Globals<'a>,
    pub findings: &'c mut Findings,
    pub shape: &'c Shape,
    pub place: Place,
    pub calls: Calls,
    /// Inside an argument of an aggregate.
    inside: Option<&'static str>,
    /// What the names of an inlined function's parameters stand for.
    env: Env<'a>,
    /// The `let`s that are being written out, with the places of their uses.
    unfolding: Vec<(Name, Span)>,
    /// How deep the present part stands, and how many parts there were so far, `let`s written out.
    depth: usize,
    parts: usize,
}

/// So deep may an expression be nested once its `let`s are written out.
const DEPTH_MAX: usize = 96;
/// So many parts may it have then: values, names, operators, calls.
const PARTS_MAX: usize = 10_000;

impl<'c, 'a> Typer<'c, 'a> {
    pub fn new(globals: &'c Globals<'a>, findings: &'c mut Findings, shape: &'c Shape, place: Place) -> Self {
        let calls = Calls::default();
        Typer {
            globals,
            findings,
            shape,
            place,
            calls,
            inside: None,
            env: Env::default(),
            unfolding: Vec::new(),
            depth: 0,
            parts: 0,
        }
    }

    /// The expression with its type; none after a message.
    pub fn expr(&mut self, expr: &'a ast::Expr) -> Option<Typed> {
        self.parts += 1;
        if self.depth >= DEPTH_MAX || self.parts > PARTS_MAX {
            return self.too_large(expr.span);
        }
        self.depth += 1;
        let typed = self.kind(expr);
        self.depth -= 1;
        typed
    }

    fn kind(&mut self, expr: &'a ast::Expr) -> Option<Typed> {
        let span = expr.span;
        match &expr.kind {
            ast::ExprKind::Null => Some(Typed::null(span)),
            ast::ExprKind::Bool(bool) => Some(Typed::literal(Value::Bool(*bool), Type::Bool, span)),
            ast::ExprKind::Number(number) => Some(number_literal(*number, span)),
            ast::ExprKind::Quantity(quantity) => self.quantity(quantity),
            ast::ExprKind::Text(text) => Some(Typed::text(text.value.clone(), span)),
            ast::ExprKind::Time(time) => Some(Typed::literal(Value::Time(*time), Type::Time, span)),
            ast::ExprKind::Name(ident) => self.name(ident),
            ast::ExprKind::Call(call) => self.call(call),
            ast::ExprKind::Unary { op, operand } => self.unary(*op, operand, span),
            ast::ExprKind::Binary { op, op_span, left, right } => self.binary(*op, *op_span, left, right, span),
            ast::ExprKind::IsNull { operand, negated } => self.is_null(operand, *negated, span),
            ast::ExprKind::If { condition, then, otherwise } => self.if_else(condition, then, otherwise, span),
            ast::ExprKind::Match { subject, arms } => self.match_value(subject, arms, span),
            ast::ExprKind::Paren(inner) => self.expr(inner).map(|typed| typed.at(span)),
            ast::ExprKind::List(_) => {
                self.refuse(no_value("a list", span, "write `x in [1, 2]` to compare with several values"))
            }
            ast::ExprKind::Record(_) => self.refuse(no_value("a record", span, "write one value")),
            ast::ExprKind::Range { .. } => {
                self.refuse(no_value("a range", span, "write `x in 1..5` to ask whether it lies inside"))
            }
            ast::ExprKind::Columns(_) => {
                self.refuse(no_value("a set of columns", span, "write `across(SET, function, …)` to treat each of them"))
            }
            ast::ExprKind::Tensor(set) => self.tensor(set, span),
        }
    }

    /// The expression as a value of this type.
    pub fn expr_as(&mut self, expr: &'a ast::Expr, want: &Type, wanted: &str) -> Option<Typed> {
        let typed = self.expr(expr)?;
        self.fitted(typed, want, wanted)
    }

    pub fn fitted(&mut self, typed: Typed, want: &Type, wanted: &str) -> Option<Typed> {
        match fit(typed.clone(), want) {
            Ok(typed) => Some(typed),
            Err(misfit) => self.refuse(unfit(&typed, want, &misfit, wanted, self.shape)),
        }
    }

    /// E0115, once for an expression.
    fn too_large(&mut self, span: Span) -> Option<Typed> {
        let already = self.parts > PARTS_MAX + 1;
        if already {
            return None;
        }
        self.parts = PARTS_MAX + 1;
        let message = format!(
            "with its `let`s written out this is nested more than {DEPTH_MAX} deep, or has more than {PARTS_MAX} parts"
        );
        self.refuse(
            Diagnostic::new(Code::E0115, message)
                .at(span, "")
                .help("make inner parts columns with `set`, which are calculated once"),
        )
    }

    /// Keeps the message; inside a `let` it also says where that is used.
    pub fn refuse<T>(&mut self, mut diagnostic: Diagnostic) -> Option<T> {
        if let Some((name, span)) = self.unfolding.first() {
            diagnostic = diagnostic.at(*span, format!("`{name}` is used here"));
        }
        self.findings.report(diagnostic);
        None
    }

    fn quantity(&mut self, quantity: &ast::Quantity) -> Option<Typed> {
        let unit = self.findings.take(super::types::unit(&quantity.unit, self.globals.library))?;
        let figure = quantity.value.as_f64();
        if is_time_unit(&unit) {
            return Some(Typed::span_of_time(figure * unit.factor, unit, quantity.span));
        }
        Some(Typed::literal(Value::Float(figure), Type::Float(unit), quantity.span))
    }
}

fn number_literal(number: ast::Number, span: Span) -> Typed {
    match number {
        ast::Number::Int(int) => Typed::bare(Value::Int(int), span),
        ast::Number::Float(float) => Typed::bare(Value::Float(float), span),
    }
}

fn no_value(what: &str, span: Span, help: &str) -> Diagnostic {
    Diagnostic::new(Code::E0303, format!("{what} is no value by itself")).at(span, "").help(help)
}
