//! `tensor([ax..gz])`: the rows of a row window as one value.

use crate::base::{Name, Span};
use crate::diag::{Code, Diagnostic};
use crate::ir::{Aggregate, AggregateCall, Column, Expr, TENSOR_NUMBERS_MAX, Type, tensor_numbers};
use crate::sema::columns;
use crate::syntax::ast;

use super::call::slot;
use super::fit::to_float;
use super::{Place, RowsOf, Typed, Typer, phrase};

impl<'a> Typer<'_, 'a> {
    /// Row-major: one row of the window after the other, in each the columns in the order of the set. Null where a value in
    /// it is.
    pub(super) fn tensor(&mut self, set: &'a ast::ColumnSet, span: Span) -> Option<Typed> {
        let Place::Window { rows, .. } = self.place else { return self.refuse(no_window(span)) };
        if let Some(outer) = self.inside {
            return self.refuse(inside(outer, span));
        }
        let chosen = columns::resolve(set, self.shape, self.findings);
        if is_empty(set) {
            return self.refuse(nothing(set.span));
        }
        let packed = self.packed(set, &chosen);
        let rows = match rows {
            RowsOf::Known(rows) => rows,
            RowsOf::Unknown(what) => return self.refuse(no_count(span, what)),
            RowsOf::Broken => return None,
        };
        let packed = packed.filter(|packed| !packed.is_empty())?;
        let Some(shape) = shape(rows, packed.len()) else { return self.refuse(too_large(rows, packed.len(), span)) };
        let ty = Type::Tensor(shape);
        let call = AggregateCall { function: Aggregate::Tensor, args: packed, settings: vec![], filter: None, ty: ty.clone() };
        self.calls.aggregates.push(call);
        Some(slot(self.calls.aggregates.len() - 1, ty, true, span))
    }

    /// The columns as floats; none after messages: one for each column that is named, one for all that `all` takes in.
    fn packed(&mut self, set: &ast::ColumnSet, chosen: &[columns::Chosen]) -> Option<Vec<Expr>> {
        let shape = self.shape;
        let found = |name: &Name| shape.get(name);
        let wrong: Vec<&columns::Chosen> =
            chosen.iter().filter(|(name, _)| found(name).is_some_and(|column| !column.ty.is_number())).collect();
        let is_list = matches!(set.kind, ast::ColumnSetKind::List(_));
        match wrong.as_slice() {
            [] => {}
            wrong if is_list || wrong.len() == 1 => {
                let messages = wrong.iter().filter_map(|(name, at)| found(name).map(|column| no_number(column, *at)));
                messages.for_each(|message| self.refuse::<()>(message).unwrap_or_default());
                return None;
            }
            wrong => return self.refuse(no_numbers(wrong, set.span)),
        }
        let float = |(name, at): &columns::Chosen| {
            let column = found(name)?;
            Some(to_float(Typed::column(name.clone(), column.ty.clone(), column.nullable, *at)).expr)
        };
        chosen.iter().map(float).collect()
    }

    /// `tensor(x)`, or `tensor` as a function of `across`.
    pub(super) fn tensor_of_one(&mut self, name: &ast::Ident, span: Span) -> Option<Typed> {
        let found = Diagnostic::new(Code::E0306, format!("`{}` takes a set of columns", name.name))
            .at(span, "")
            .help("write `window = tensor([ax..gz])`, which packs several columns into one");
        self.refuse(found)
    }
}

/// None where it would be too large.
fn shape(rows: u64, columns: usize) -> Option<Vec<u32>> {
    let shape = vec![u32::try_from(rows).ok()?, u32::try_from(columns).ok()?];
    tensor_numbers(&shape).map(|_| shape)
}

fn is_empty(set: &ast::ColumnSet) -> bool {
    matches!(&set.kind, ast::ColumnSetKind::List(items) if items.is_empty())
}

/// E0310.
fn no_window(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0310, "`tensor` packs the rows of a window, and here is one row")
        .at(span, "")
        .help("put it in a window of rows: `| window 128 rows every 64 rows { x = tensor([ax..gz]) }`")
}

/// E0310.
fn inside(outer: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0310, format!("`tensor` stands inside `{outer}`, and both make one value of a window"))
        .at(span, "an aggregate in an aggregate")
        .help("give each a column of its own")
}

/// E0314.
fn no_count(span: Span, what: &str) -> Diagnostic {
    Diagnostic::new(
        Code::E0314,
        format!("a tensor's shape must be known when the file is read, and {what} has any number of rows"),
    )
    .at(span, "")
    .help("use a window of rows, such as `window 128 rows every 64 rows { x = tensor([ax..gz]) }`")
}

/// E0314.
fn nothing(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0314, "a tensor of no columns holds nothing").at(span, "").help("name columns, such as `[ax..gz]`")
}

/// E0314.
fn no_number(column: &Column, at: Span) -> Diagnostic {
    let (name, ty) = (&column.name, &column.ty);
    let message = format!("a tensor holds numbers, and `{name}` is {}", phrase(ty));
    let out = Diagnostic::new(Code::E0314, message).at(at, format!("takes in `{name}`"));
    let out = if column.span.is_empty() { out } else { out.at(column.span, format!("`{name}` is made here")) };
    match ty {
        Type::Bool => {
            out.help(format!("make a number of it before the window: `| set {{ {name}_as_number = if {name} then 1 else 0 }}`"))
        }
        Type::Duration => out.help(format!("make a number of it before the window: `| set {{ {name}_in_s = {name} / 1s }}`")),
        Type::Int
        | Type::Float(_)
        | Type::Text
        | Type::Time
        | Type::Bytes
        | Type::Enum(_)
        | Type::Tensor(_)
        | Type::Signal(_)
        | Type::List(_) => out.help(format!("leave it out, with `all except [{name}]` or by naming the columns")),
    }
}

/// E0314.
fn no_numbers(columns: &[&columns::Chosen], span: Span) -> Diagnostic {
    let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
    let message = format!("a tensor holds numbers, and {} of these columns are none", names.len());
    Diagnostic::new(Code::E0314, message)
        .at(span, "takes them in")
        .help(format!("leave them out: `tensor(all except [{}])`, or name the columns", names.join(", ")))
}

/// E0314.
fn too_large(rows: u64, columns: usize, span: Span) -> Diagnostic {
    let message = format!("a tensor of {rows} rows and {columns} columns holds more than {TENSOR_NUMBERS_MAX} numbers");
    Diagnostic::new(Code::E0314, message).at(span, "").help("take a shorter window, or fewer columns")
}
