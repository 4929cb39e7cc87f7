//! `simulate { … }`: a seeded generator of rows.

use crate::base::{Duration, Span};
use crate::diag::{Code, Diagnostic};
use crate::ir::{Fault, GeneratedColumn, Simulate, Type, Value};
use crate::sema::checker::Checker;
use crate::sema::columns;
use crate::sema::expr::Place;
use crate::sema::findings::unknown;
use crate::sema::shape::Shape;
use crate::syntax::ast;

impl<'a> Checker<'a> {
    /// `shape` has the source's declared columns.
    pub(super) fn simulate(&mut self, simulate: &'a ast::Simulate, shape: &Shape) -> Option<Simulate> {
        let ast::Simulate { rows, seed, length, columns, faults, span } = simulate;
        let rate = match rows {
            Some(rows) => self.rate(rows, shape),
            None => {
                self.report(no_rows(*span));
                None
            }
        };
        let seed = seed.as_ref().map_or(Some(0), |seed| self.count(seed, 0, "the seed"));
        let length = length.as_ref().map_or(Some(None), |length| self.positive_duration(length, "the span").map(Some));
        let key = rows.as_ref().and_then(|rows| rows.by.as_ref()).map(|by| &by.column);
        let columns = self.generated(columns, key, shape);
        let faults: Vec<Option<Fault>> = faults.iter().map(|fault| self.fault(fault, shape)).collect();
        let (rows, per, by) = rate?;
        let faults = faults.into_iter().collect::<Option<Vec<_>>>()?;
        Some(Simulate { rows, per, by, seed: seed?, span: length?, columns: columns?, faults })
    }

    #[expect(clippy::type_complexity, reason = "three parts of one clause, taken apart at once")]
    fn rate(
        &mut self,
        rows: &'a ast::SimulatedRows,
        shape: &Shape,
    ) -> Option<(u64, Duration, Option<(crate::base::Name, Vec<Value>)>)> {
        let count = self.count(&rows.count, 1, "the number of rows");
        let per = self.positive_duration(&rows.per, "the time for so many rows");
        let by = match &rows.by {
            None => Some(None),
            Some(by) => columns::one(&by.column, shape, &mut self.findings).and_then(|name| {
                let ty = shape.get(&name)?.ty.clone();
                let values = self.key_values(&by.values, &ty)?;
                Some(Some((name, values)))
            }),
        };
        Some((count?, per?, by?))
    }

    fn key_values(&mut self, values: &'a ast::Expr, ty: &Type) -> Option<Vec<Value>> {
        let ast::ExprKind::List(items) = &values.bare().kind else {
            self.report(
                Diagnostic::new(Code::E0303, "the keys are a list").at(values.span, "").help("write `[\"lab\", \"hall\"]`"),
            );
            return None;
        };
        let values: Vec<Option<Value>> = items.iter().map(|item| self.constant(item, ty, "a key")).collect();
        values.into_iter().collect()
    }

    fn generated(
        &mut self,
        assigns: &'a [ast::Assign],
        key: Option<&ast::Ident>,
        shape: &Shape,
    ) -> Option<Vec<GeneratedColumn>> {
        // Earlier columns and the key may be used; later ones are not there yet.
        let mut so_far = Shape { broken: shape.broken.clone(), open: shape.open, ..Shape::default() };
        so_far.schema.columns.extend(key.and_then(|key| shape.get(&key.name)).cloned());
        let mut out = Vec::new();
        let mut whole = true;
        for assign in assigns {
            match self.generated_column(assign, shape, &so_far) {
                Some(column) => out.push(column),
                None => whole = false,
            }
            so_far.schema.columns.extend(shape.get(&assign.name.name).cloned());
        }
        let made: Vec<&str> = assigns.iter().map(|assign| &*assign.name.name).collect();
        self.missing_columns(&made, key, shape);
        whole.then_some(out)
    }

    fn generated_column(&mut self, assign: &'a ast::Assign, shape: &Shape, so_far: &Shape) -> Option<GeneratedColumn> {
        let Some(column) = shape.get(&assign.name.name) else {
            if !shape.is_silent_about(&assign.name.name) {
                self.report(unknown("column", &assign.name.name, assign.name.span, shape.names()));
            }
            return None;
        };
        let mut typer = self.typer(so_far, Place::Simulate { column: column.ty.clone() });
        let typed = typer.expr_as(&assign.value, &column.ty, "this column")?;
        let calls = std::mem::take(&mut typer.calls).generators;
        Some(GeneratedColumn { name: column.name.clone(), calls, value: typed.expr })
    }

    /// Columns that may be null stay null, an instant is the row's own; all others must be made.
    fn missing_columns(&mut self, made: &[&str], key: Option<&ast::Ident>, shape: &Shape) {
        for column in shape.schema.visible() {
            let is_key = key.is_some_and(|key| key.name == column.name);
            let filled = is_key || column.nullable || column.ty == Type::Time || made.contains(&&*column.name);
            if !filled && !shape.open {
                self.report(not_generated(&column.name, column.span));
            }
        }
    }

    fn fault(&mut self, fault: &'a ast::Fault, shape: &Shape) -> Option<Fault> {
        match &fault.kind {
            ast::FaultKind::Drift { column, change, by, after } => {
                let name = columns::one(column, shape, &mut self.findings)?;
                let (by, after) = (self.figure(by), self.duration(after, "when the drift begins"));
                let (by, after) = (by?, after?);
                let (add, times) = match change {
                    ast::DriftChange::Add => (by, 1.0),
                    ast::DriftChange::Subtract => (-by, 1.0),
                    ast::DriftChange::Multiply => (0.0, by),
                };
                Some(Fault::Drift { column: name, add, times, after })
            }
            ast::FaultKind::Late { share, by } => {
                let (share, by) =
                    (self.share(share, "the share of late rows"), self.positive_duration(by, "how late they are"));
                Some(Fault::Late { share: share?, by: by? })
            }
            ast::FaultKind::Drop { share } => self.share(share, "the share of dropped rows").map(|share| Fault::Drop { share }),
            ast::FaultKind::Duplicate { share } => {
                self.share(share, "the share of duplicated rows").map(|share| Fault::Duplicate { share })
            }
            ast::FaultKind::Spike { column, factor, share } => {
                let name = columns::one(column, shape, &mut self.findings);
                let (times, share) = (self.figure(factor), self.share(share, "the share of spikes"));
                Some(Fault::Spike { column: name?, times: times?, share: share? })
            }
            ast::FaultKind::Gap { length, every } => {
                let (length, every) = (self.positive_duration(length, "the gap"), self.positive_duration(every, "`every`"));
                Some(Fault::Gap { length: length?, every: every? })
            }
            ast::FaultKind::Delay { column, by } => {
                let (column, by) = (columns::one(column, shape, &mut self.findings), self.positive_duration(by, "the delay"));
                Some(Fault::Delay { column: column?, by: by? })
            }
        }
    }

    /// A number in whatever unit it is written, which is the column's.
    fn figure(&mut self, expr: &'a ast::Expr) -> Option<f64> {
        let typed = self.constant_typed(expr, "this figure")?;
        crate::sema::expr::value_of(&typed.expr)?.as_f64()
    }
}

/// E0704.
fn no_rows(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0704, "this `simulate` does not say how many rows it makes").at(span, "").help("add `rows 1 per 1s`")
}

/// E0704.
fn not_generated(name: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0704, format!("`simulate` does not make the column `{name}`"))
        .at(span, "declared here")
        .help(format!("add `{name} = …` to the columns of `simulate`, or let the column be null with `?`"))
}
