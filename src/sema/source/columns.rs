//! The columns of a source: names, types, origins, sentinels, bounds.

use std::collections::BTreeSet;

use crate::base::{Name, Span};
use crate::diag::{Code, Diagnostic};
use crate::ir::{Column, Origin, SourceColumn, Type, Value};
use crate::sema::checker::Checker;
use crate::sema::expr::{phrase, value_of};
use crate::sema::types;
use crate::syntax::ast;

/// So many columns one repetition may make.
const REPEAT_MAX: u32 = 4_096;

/// What `columns { … }` declares.
#[derive(Debug, Default)]
pub struct Declared {
    pub columns: Vec<SourceColumn>,
    /// Those with a `from` of their own.
    pub explicit: BTreeSet<Name>,
    /// Those whose type could not be read.
    pub broken: BTreeSet<Name>,
    /// No column could be read.
    pub is_broken: bool,
}

impl Declared {
    pub fn broken() -> Declared {
        Declared { is_broken: true, ..Declared::default() }
    }
}

impl<'a> Checker<'a> {
    pub(super) fn source_columns(&mut self, columns: &'a ast::Columns) -> Declared {
        let mut declared = Declared::default();
        for column in &columns.columns {
            let names = self.column_names(&column.names);
            let parts = self.column_parts(column);
            for (nth, ident) in names.into_iter().enumerate() {
                if let Some(before) = declared.columns.iter().find(|known| known.column.name == ident.name) {
                    let diagnostic = column_twice(&ident, before.column.span);
                    self.report(diagnostic);
                    continue;
                }
                self.check_shadowing(&ident);
                self.add_column(column, &ident, nth, parts.as_ref(), &mut declared);
            }
        }
        declared
    }

    fn add_column(
        &mut self,
        column: &ast::Column,
        ident: &ast::Ident,
        nth: usize,
        parts: Option<&Parts>,
        declared: &mut Declared,
    ) {
        let Some(parts) = parts else {
            declared.broken.insert(ident.name.clone());
            return;
        };
        if column.origin.is_some() {
            declared.explicit.insert(ident.name.clone());
        }
        declared.columns.push(SourceColumn {
            column: Column { name: ident.name.clone(), ty: parts.ty.clone(), nullable: parts.nullable, span: ident.span },
            origin: parts.origin(&ident.name, nth),
            sentinels: parts.sentinels.clone(),
            bounds: parts.bounds,
        });
    }

    /// `[s1..s21]` counts up the number at the end.
    fn column_names(&mut self, names: &ast::ColumnNames) -> Vec<ast::Ident> {
        match names {
            ast::ColumnNames::One(ident) => vec![ident.clone()],
            ast::ColumnNames::Many { items, .. } => items.iter().flat_map(|item| self.repeated(item)).collect(),
        }
    }

    fn repeated(&mut self, item: &ast::ColumnItem) -> Vec<ast::Ident> {
        match item {
            ast::ColumnItem::One(ident) => vec![ident.clone()],
            ast::ColumnItem::Range { first, last } => match counted(first, last) {
                Some(names) => names,
                None => {
                    self.report(no_counting(first, last, item.span()));
                    Vec::new()
                }
            },
        }
    }

    fn column_parts(&mut self, column: &'a ast::Column) -> Option<Parts> {
        let ast::Column { doc: _, names, was, ty, null, bounds, origin, span: _ } = column;
        self.later_was(was.as_ref());
        let many = matches!(names, ast::ColumnNames::Many { .. });
        if let (true, Some(ast::Origin { kind: ast::OriginKind::Field(text), span })) = (many, origin) {
            self.report(one_field_for_many(&text.value, *span));
        }
        let resolved = types::resolve(ty, self.globals.library);
        let (ty, nullable) = self.findings.take(resolved)?;
        let sentinels = null.as_ref().map_or_else(|| Some(Vec::new()), |null| self.sentinels(null, &ty));
        let bounds = bounds.as_ref().map_or(Some(None), |bounds| self.bounds(bounds, &ty).map(Some));
        let nullable = nullable || null.is_some();
        Some(Parts {
            ty,
            nullable,
            sentinels: sentinels?,
            bounds: bounds?,
            origin: origin.as_ref().map(|origin| origin.kind.clone()),
        })
    }

    /// Numbers in the column's unit, or texts as they stand in the data.
    fn sentinels(&mut self, null: &'a ast::NullValues, ty: &Type) -> Option<Vec<Value>> {
        let values = null.values.iter().map(|expr| {
            let typed = self.constant_typed(expr, "a value that means null")?;
            let wanted = if *typed.ty() == Type::Text { &Type::Text } else { ty };
            match wanted {
                Type::Enum(_) | Type::Bool | Type::Int if typed.ty().is_number() => value_of(&typed.expr),
                _ => self.constant(expr, wanted, "a value that means null"),
            }
        });
        let values: Vec<Option<Value>> = values.collect();
        values.into_iter().collect()
    }

    fn bounds(&mut self, bounds: &'a ast::Expr, ty: &Type) -> Option<(f64, f64)> {
        let ast::ExprKind::Range { low, high } = &bounds.bare().kind else { return None };
        if !ty.is_number() {
            self.report(no_bounds(ty, bounds.span));
            return None;
        }
        let (low_value, high_value) = (self.constant(low, ty, "a bound"), self.constant(high, ty, "a bound"));
        let (low_value, high_value) = (low_value?.as_f64()?, high_value?.as_f64()?);
        if low_value > high_value {
            self.report(
                Diagnostic::new(Code::E0309, "these bounds hold no value")
                    .at(bounds.span, "")
                    .help("write the smaller one first"),
            );
            return None;
        }
        Some((low_value, high_value))
    }

    /// E0204: a column is called like a `param` or `let`.
    pub(crate) fn check_shadowing(&mut self, ident: &ast::Ident) {
        if let Some(value) = self.globals.index.value(&ident.name) {
            self.report(shadows(ident, value));
        }
    }
}

/// What all columns of one line share.
struct Parts {
    ty: Type,
    nullable: bool,
    sentinels: Vec<Value>,
    bounds: Option<(f64, f64)>,
    origin: Option<ast::OriginKind>,
}

impl Parts {
    fn origin(&self, name: &Name, nth: usize) -> Origin {
        match &self.origin {
            None => Origin::Field(name.clone()),
            Some(ast::OriginKind::Field(text)) if text.value.starts_with('$') => Origin::Path(text.value.clone()),
            Some(ast::OriginKind::Field(text)) => Origin::Field(text.value.clone()),
            Some(ast::OriginKind::Position(at)) => Origin::Position(at + u32::try_from(nth).unwrap_or(u32::MAX)),
            Some(ast::OriginKind::Row) => Origin::Row,
            Some(ast::OriginKind::Arrival) => Origin::Arrival,
        }
    }
}

/// `s1..s21`: equal letters, then a number that grows.
fn counted(first: &ast::Ident, last: &ast::Ident) -> Option<Vec<ast::Ident>> {
    let split = |name: &str| {
        let letters = name.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        let number = name[letters..].parse::<u32>().ok()?;
        Some((name[..letters].to_owned(), number, name.len() - letters))
    };
    let ((prefix, from, digits), (other, to, _)) = (split(&first.name)?, split(&last.name)?);
    if prefix != other || from > to || to - from >= REPEAT_MAX {
        return None;
    }
    let padded = first.name[prefix.len()..].starts_with('0') && digits > 1;
    let width = if padded { digits } else { 1 };
    let span = first.span.to(last.span);
    Some((from..=to).map(|nth| ast::Ident { name: format!("{prefix}{nth:0width$}").into(), span }).collect())
}

/// E0203.
fn column_twice(ident: &ast::Ident, before: Span) -> Diagnostic {
    Diagnostic::new(Code::E0203, format!("there are two columns `{}`", ident.name))
        .at(ident.span, "once more here")
        .at(before, "first here")
        .help("give one of them another name; `from \"NAME\"` says where its values come from")
}

/// E0204.
fn shadows(ident: &ast::Ident, value: Span) -> Diagnostic {
    Diagnostic::new(Code::E0204, format!("the column `{}` is called like a value of the file", ident.name))
        .at(ident.span, "a column")
        .at(value, "a value")
        .help("give one of them another name, so that an expression says which it means")
}

/// E0309.
fn no_counting(first: &ast::Ident, last: &ast::Ident, span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0309, format!("`{}` does not count up to `{}`", first.name, last.name))
        .at(span, "")
        .help(format!("write names that end in growing numbers, such as `s1..s21` (at most {REPEAT_MAX}), or list them"))
}

/// E0705.
fn one_field_for_many(text: &str, span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0705, "one field cannot fill several columns")
        .at(span, format!("the field {text:?}"))
        .help("declare the columns one by one, or use a position: the columns then take consecutive ones")
}

/// E0303.
fn no_bounds(ty: &Type, span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0303, format!("bounds belong to numbers, and this column is {}", phrase(ty)))
        .at(span, "")
        .help("remove them")
}
