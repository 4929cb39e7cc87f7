//! `test` blocks: what is given, what is edited, what must hold.

mod numbers;

use std::collections::BTreeMap;

use crate::base::{Name, Span};
use crate::diag::{Code, Diagnostic};
use crate::ir::{Given, Test, Type, Value};
use crate::syntax::ast;

use super::checker::Checker;
use super::expr::{Place, value_of};
use super::findings::{not_yet, unknown};
use super::index::{Rows, Space};
use super::shape::Shape;

type Row = BTreeMap<Name, Value>;

impl<'a> Checker<'a> {
    pub(super) fn test(&mut self, test: &'a ast::Test, span: Span) {
        if let Some(real) = test.real {
            self.report(not_yet("`real`", real, "leave it out: sources and sinks are in memory"));
        }
        let mut steps = Vec::new();
        let mut whole = true;
        for step in &test.steps {
            match self.step(step) {
                Some(made) => steps.extend(made),
                None => whole = false,
            }
        }
        if whole {
            self.program.tests.push(Test { name: test.name.value.clone(), steps, span });
        }
    }

    /// None after a message.
    fn step(&mut self, step: &'a ast::Step) -> Option<Vec<Given>> {
        match &step.kind {
            ast::StepKind::Given(given) => self.given(given).map(|given| vec![given]),
            ast::StepKind::Edit(edit) => self.edit(edit).map(|edit| vec![edit]),
            ast::StepKind::Fault(fault) => {
                self.report(not_yet("a fault in a test", fault.span, "leave it out, or put it into a `simulate`"));
                None
            }
            ast::StepKind::Expect(expect) => self.expect(expect),
        }
    }

    fn given(&mut self, given: &'a ast::Given) -> Option<Given> {
        let source = self.given_source(&given.source)?;
        let shape = self.rows(&given.source);
        match &given.rows {
            ast::GivenRows::Recorded { rows } => {
                let (from, to) = match rows {
                    Some(range) => self.row_range(range)?,
                    None => (1, u64::MAX),
                };
                Some(Given::Recorded { source, from, to })
            }
            ast::GivenRows::Rows(records) => {
                let defaults = match &given.defaults {
                    Some(record) => self.record(record, &shape)?,
                    None => Row::new(),
                };
                let rows: Vec<Option<Row>> = records.iter().map(|record| self.given_row(record, &defaults, &shape)).collect();
                Some(Given::Rows { source, rows: rows.into_iter().collect::<Option<Vec<_>>>()? })
            }
        }
    }

    fn given_source(&mut self, ident: &ast::Ident) -> Option<Name> {
        self.findings.mark_used(Space::Rows, &ident.name);
        let index = &self.globals.index;
        match index.rows.get(&ident.name) {
            Some((Rows::Source(_), _)) => Some(ident.name.clone()),
            _ if index.broken.contains(&ident.name) => None,
            _ => {
                let known = index.rows.iter().filter(|(_, (rows, _))| matches!(rows, Rows::Source(_)));
                self.report(unknown("source", &ident.name, ident.span, known.map(|(name, _)| name.as_str())));
                None
            }
        }
    }

    /// Every column of the source has a value.
    fn given_row(&mut self, record: &'a ast::Record, defaults: &Row, shape: &Shape) -> Option<Row> {
        let is_given = |name: &str| defaults.contains_key(name) || record.fields.iter().any(|field| field.name.name == *name);
        let missing: Vec<&str> = shape.names().filter(|name| !is_given(name)).collect();
        let is_whole = missing.is_empty() || shape.open;
        if !is_whole {
            self.report(lacks(&missing, record.span));
        }
        let mut row = self.record(record, shape)?;
        for (name, value) in defaults {
            row.entry(name.clone()).or_insert_with(|| value.clone());
        }
        is_whole.then_some(row)
    }

    fn record(&mut self, record: &'a ast::Record, shape: &Shape) -> Option<Row> {
        let mut row = Row::new();
        let mut whole = true;
        for field in &record.fields {
            let Some(column) = shape.get(&field.name.name) else {
                if !shape.is_silent_about(&field.name.name) {
                    self.report(unknown("column", &field.name.name, field.name.span, shape.names()));
                }
                whole = false;
                continue;
            };
            let (ty, nullable) = (column.ty.clone(), column.nullable);
            match self.field(&field.value, &ty, nullable) {
                Some(value) => drop(row.insert(field.name.name.clone(), value)),
                None => whole = false,
            }
        }
        whole.then_some(row)
    }

    fn field(&mut self, expr: &'a ast::Expr, ty: &Type, nullable: bool) -> Option<Value> {
        if matches!(expr.kind, ast::ExprKind::Null) {
            if !nullable {
                self.report(never_null(expr.span));
                return None;
            }
            return Some(Value::Null);
        }
        if let (ast::ExprKind::List(items), Type::List(item)) = (&expr.bare().kind, ty) {
            let values: Vec<Option<Value>> = items.iter().map(|value| self.field(value, item, true)).collect();
            return values.into_iter().collect::<Option<_>>().map(Value::List);
        }
        if ty.is_samples() {
            return self.numbers(expr, ty);
        }
        self.constant(expr, ty, "this value")
    }

    fn row_range(&mut self, range: &'a ast::Expr) -> Option<(u64, u64)> {
        let ast::ExprKind::Range { low, high } = &range.bare().kind else { return None };
        let (low, high) = (self.count(low, 1, "the first row"), self.count(high, 1, "the last row"));
        let (low, high) = (low?, high?);
        if low > high {
            self.report(empty_range(range.span));
            return None;
        }
        Some((low, high))
    }

    fn edit(&mut self, edit: &'a ast::Edit) -> Option<Given> {
        match &edit.kind {
            ast::EditKind::Apply(path) => Some(Given::Apply { path: path.value.clone() }),
            ast::EditKind::Set { param, value } => {
                self.findings.mark_used(Space::Value, &param.name);
                let Some(declared) = self.globals.params.get(&param.name) else {
                    if !self.globals.index.broken.contains(&param.name) {
                        let known = self.globals.params.keys().map(Name::as_str);
                        self.report(unknown("param", &param.name, param.span, known));
                    }
                    return None;
                };
                let value = self.constant(value, &declared.ty, "this param")?;
                Some(Given::EditParam { name: param.name.clone(), value })
            }
        }
    }

    fn expect(&mut self, expect: &'a ast::Expect) -> Option<Vec<Given>> {
        let mut out = Vec::new();
        let mut whole = true;
        let (mut lost, mut doubled) = (None, None);
        for expectation in &expect.expectations {
            match &expectation.kind {
                ast::ExpectationKind::Lost(count) => {
                    lost = lost.or(Some((self.count(count, 0, "the number of lost rows"), expectation.span)))
                }
                ast::ExpectationKind::Doubled(count) => {
                    doubled = doubled.or(Some((self.count(count, 0, "the number of doubled rows"), expectation.span)));
                }
                _ => match self.expectation(expectation) {
                    Some(given) => out.push(given),
                    None => whole = false,
                },
            }
        }
        if let Some((_, span)) = lost.or(doubled) {
            let count = |side: Option<(Option<u64>, Span)>| side.map_or(Some(0), |(count, _)| count);
            match (count(lost), count(doubled)) {
                (Some(lost), Some(doubled)) => out.push(Given::ExpectLost { lost, doubled, span }),
                _ => whole = false,
            }
        }
        whole.then_some(out)
    }

    fn expectation(&mut self, expectation: &'a ast::Expectation) -> Option<Given> {
        let span = expectation.span;
        match &expectation.kind {
            ast::ExpectationKind::Rows { stream, rows, tolerance } => {
                let (stream, shape) = self.read(stream);
                let rows: Vec<Option<Row>> = rows.iter().map(|record| self.record(record, &shape)).collect();
                let within = tolerance.as_ref().map_or(Some(0.0), |tolerance| self.tolerance(tolerance));
                let rows = rows.into_iter().collect::<Option<Vec<_>>>()?;
                (!shape.open).then_some(Given::ExpectRows { stream, rows, within: within?, span })
            }
            ast::ExpectationKind::Count { stream, count } => {
                let (stream, shape) = self.read(stream);
                let (low, high) = self.count_range(count, span)?;
                (!shape.open).then_some(Given::ExpectCount { stream, low, high, span })
            }
            ast::ExpectationKind::Changes(changes) => Some(Given::ExpectChanges { classes: classes(changes), span }),
            ast::ExpectationKind::Metric { task, .. } => {
                self.task(task);
                self.report(not_yet("a metric in a test", span, "use `require` in the policy, which is measured and reported"));
                None
            }
            ast::ExpectationKind::Lost(_) | ast::ExpectationKind::Doubled(_) => None,
        }
    }

    fn tolerance(&mut self, expr: &'a ast::Expr) -> Option<f64> {
        let shape = Shape::default();
        let typed = self.typer(&shape, Place::Constant("a tolerance")).expr(expr)?;
        value_of(&typed.expr)?.as_f64()
    }

    fn count_range(&mut self, count: &'a ast::CountIs, span: Span) -> Option<(u64, u64)> {
        const WHAT: &str = "the number of rows";
        let (low, high) = match count {
            ast::CountIs::Exactly(expr) => {
                let exactly = self.count(expr, 0, WHAT)?;
                (exactly, exactly)
            }
            ast::CountIs::Between { low, high } => {
                let (low, high) = (self.count(low, 0, WHAT), self.count(high, 0, WHAT));
                (low?, high?)
            }
            ast::CountIs::Compare { op, value } => {
                let value = self.count(value, 0, WHAT)?;
                match op {
                    ast::CompareOp::Equal => (value, value),
                    ast::CompareOp::GreaterOrEqual => (value, u64::MAX),
                    ast::CompareOp::Greater => (value.saturating_add(1), u64::MAX),
                    ast::CompareOp::LessOrEqual => (0, value),
                    ast::CompareOp::Less if value > 0 => (0, value - 1),
                    ast::CompareOp::Less => (1, 0),
                    ast::CompareOp::NotEqual => {
                        self.report(no_other_count(span));
                        return None;
                    }
                }
            }
        };
        if low > high {
            self.report(empty_range(span));
            return None;
        }
        Some((low, high))
    }
}

fn classes(changes: &[ast::Change]) -> BTreeMap<Name, Name> {
    let path = |change: &ast::Change| change.path.iter().map(|part| part.name.as_str()).collect::<Vec<_>>().join(".");
    changes.iter().map(|change| (path(change).into(), class(change.class).into())).collect()
}

fn class(class: ast::ChangeClass) -> &'static str {
    match class {
        ast::ChangeClass::Same => "same",
        ast::ChangeClass::Rewired => "rewired",
        ast::ChangeClass::Retuned => "retuned",
        ast::ChangeClass::Migrated => "migrated",
        ast::ChangeClass::Stale => "stale",
        ast::ChangeClass::Reset => "reset",
        ast::ChangeClass::Shadowed => "shadowed",
        ast::ChangeClass::Added => "added",
        ast::ChangeClass::Removed => "removed",
    }
}

/// E0801.
fn lacks(missing: &[&str], span: Span) -> Diagnostic {
    let list: Vec<String> = missing.iter().map(|name| format!("`{name}`")).collect();
    Diagnostic::new(Code::E0801, format!("this row has no {}", list.join(", ")))
        .at(span, "")
        .help("add it, or give all rows a value: `given room defaults { … } [ … ]`")
}

/// E0303.
fn never_null(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0303, "this column is never null")
        .at(span, "")
        .help("write a value, or let the column's type end in `?`")
}

/// E0802.
fn empty_range(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0802, "no number of rows is in this range").at(span, "").help("write the smaller number first")
}

/// E0802.
fn no_other_count(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0802, "a test says how many rows there are, not how many there are not")
        .at(span, "")
        .help("write `count 5`, `count 5..9` or `count >= 5`")
}
