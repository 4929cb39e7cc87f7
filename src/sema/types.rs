//! Types and units as they are written, resolved.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::base::{Span, Unit};
use crate::diag::{Code, Diagnostic};
use crate::ir::{EnumItem, TENSOR_NUMBERS_MAX, Type, tensor_numbers};
use crate::syntax::ast;

use super::findings::{not_yet, unknown};
use super::library::Library;
use super::units::UnitMistake;

/// The type and whether it may be null.
pub fn resolve(ty: &ast::Type, library: &Library) -> Result<(Type, bool), Diagnostic> {
    Ok((kind(ty, library)?, ty.nullable))
}

fn kind(ty: &ast::Type, library: &Library) -> Result<Type, Diagnostic> {
    Ok(match &ty.kind {
        ast::TypeKind::Bool => Type::Bool,
        ast::TypeKind::Int(None) => Type::Int,
        ast::TypeKind::Int(Some(unit)) => return Err(int_with_unit(ty.span, unit)),
        ast::TypeKind::Float(None) => Type::Float(Unit::one()),
        ast::TypeKind::Float(Some(expr)) => Type::Float(unit(expr, library)?),
        ast::TypeKind::Text => Type::Text,
        ast::TypeKind::Time => Type::Time,
        ast::TypeKind::Duration => Type::Duration,
        ast::TypeKind::Bytes => Type::Bytes,
        ast::TypeKind::Enum(items) => Type::Enum(enum_items(items, ty.span)?),
        ast::TypeKind::Tensor(dims) => Type::Tensor(shape(dims, ty.span)?),
        ast::TypeKind::Signal(rate) => Type::Signal(sample_rate(rate, library)?),
        ast::TypeKind::AnySignal(rate) => return Err(any_rate(rate)),
        ast::TypeKind::List(item) => Type::List(Box::new(kind(item, library)?)),
        ast::TypeKind::Variable(ident) => return Err(unknown("type", &ident.name, ident.span, TYPES)),
    })
}

const TYPES: [&str; 11] = [
    "bool",
    "int",
    "float",
    "text",
    "time",
    "duration",
    "bytes",
    "enum(\"a\", \"b\")",
    "tensor[8, 8]",
    "signal<8kHz>",
    "list<int>",
];

/// A unit expression such as `m/s^2`.
pub fn unit(expr: &ast::UnitExpr, library: &Library) -> Result<Unit, Diagnostic> {
    library.units.resolve(expr).map_err(|mistake| match mistake {
        UnitMistake::Unknown(ident) => unknown("unit", &ident.name, ident.span, library.units.words()),
        UnitMistake::Offset(ident) => offset_in_product(&ident),
        UnitMistake::Power(ident) => {
            Diagnostic::new(Code::E0309, "this unit has a power above 127").at(ident.span, "").help("write a lower one")
        }
    })
}

fn enum_items(items: &[ast::EnumItem], span: Span) -> Result<Arc<[EnumItem]>, Diagnostic> {
    let coded = items.iter().filter(|item| item.code.is_some()).count();
    if coded != 0 && coded != items.len() {
        return Err(half_coded(items));
    }
    if items.is_empty() {
        return Err(Diagnostic::new(Code::E0311, "an enum needs values").at(span, "").help("write `enum(\"sit\", \"stand\")`"));
    }
    let (mut texts, mut codes) = (BTreeSet::new(), BTreeSet::new());
    for item in items {
        if !texts.insert(&item.text.value) || item.code.is_some_and(|code| !codes.insert(code)) {
            return Err(value_twice(item));
        }
    }
    Ok(items.iter().map(|item| EnumItem { code: item.code, text: item.text.value.clone() }).collect())
}

fn shape(dims: &[ast::Dim], span: Span) -> Result<Vec<u32>, Diagnostic> {
    let shape: Vec<u32> = dims.iter().map(dimension).collect::<Result<_, _>>()?;
    if tensor_numbers(&shape).is_some() { Ok(shape) } else { Err(too_many_numbers(span)) }
}

fn dimension(dim: &ast::Dim) -> Result<u32, Diagnostic> {
    match &dim.kind {
        ast::DimKind::Fixed(size) if *size > 0 => Ok(*size),
        ast::DimKind::Fixed(_) => {
            Err(Diagnostic::new(Code::E0309, "a dimension has at least one element").at(dim.span, "").help("write 1 or more"))
        }
        ast::DimKind::Named(_) => {
            Err(Diagnostic::new(Code::E0308, "the shape of a column must be known when the file is read")
                .at(dim.span, "a name")
                .help("write a number; names for dimensions belong to the parameters of a `network`"))
        }
    }
}

fn sample_rate(rate: &ast::Quantity, library: &Library) -> Result<u32, Diagnostic> {
    let hertz = unit(&rate.unit, library)?;
    let rate_hz = rate.value.as_f64() * hertz.factor;
    let is_frequency = hertz.dimension.len() == 1 && hertz.dimension.get("s") == Some(&-1);
    if is_frequency && rate_hz >= 1.0 && rate_hz <= f64::from(u32::MAX) {
        return Ok(rate_hz.round() as u32);
    }
    Err(Diagnostic::new(Code::E0301, "a signal has a sample rate").at(rate.span, "").help("write `signal<8kHz>`"))
}

/// E0308.
fn any_rate(rate: &ast::Ident) -> Diagnostic {
    Diagnostic::new(Code::E0308, "the sample rate of a signal must be known when the file is read")
        .at(rate.span, "a name")
        .help("write it with its unit, such as `signal<8kHz>`")
}

/// E0199.
fn int_with_unit(span: Span, unit: &ast::UnitExpr) -> Diagnostic {
    let word = unit.factors.first().map_or("ppm", |factor| &*factor.unit.name);
    not_yet("an `int` with a unit", span, &format!("write `float<{word}>`, which holds whole numbers up to 2^53 exactly"))
}

/// E0309.
fn too_many_numbers(span: Span) -> Diagnostic {
    Diagnostic::new(Code::E0309, format!("a tensor holds at most {TENSOR_NUMBERS_MAX} numbers"))
        .at(span, "holds more")
        .help("write a smaller shape")
}

/// E0302.
fn offset_in_product(ident: &ast::Ident) -> Diagnostic {
    Diagnostic::new(Code::E0302, format!("`{}` has a zero of its own, so it cannot be part of a product of units", ident.name))
        .at(ident.span, "")
        .help("use the unit of its differences, such as `K` for `degC`")
}

/// E0311.
fn half_coded(items: &[ast::EnumItem]) -> Diagnostic {
    let mut out = Diagnostic::new(Code::E0311, "some values of this enum have a number and some have none");
    for item in
        [items.iter().find(|item| item.code.is_none()), items.iter().find(|item| item.code.is_some())].into_iter().flatten()
    {
        out = out.at(item.span, if item.code.is_some() { "with a number" } else { "without" });
    }
    out.help("give each a number, or none")
}

/// E0311.
fn value_twice(item: &ast::EnumItem) -> Diagnostic {
    Diagnostic::new(Code::E0311, format!("the enum has {:?}, or its number, twice", item.text.value))
        .at(item.span, "again here")
        .help("remove it")
}
