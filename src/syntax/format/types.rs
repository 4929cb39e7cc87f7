//! Types, on one line.

use crate::syntax::ast::{Dim, DimKind, EnumItem, Type, TypeKind, UnitExpr};

use super::Formatter;

impl Formatter<'_> {
    pub fn type_name(&self, ty: &Type) -> String {
        let mut out = self.type_kind(&ty.kind);
        if ty.nullable {
            out.push('?');
        }
        out
    }

    fn type_kind(&self, kind: &TypeKind) -> String {
        match kind {
            TypeKind::Bool => "bool".to_owned(),
            TypeKind::Int(unit) => format!("int{}", self.in_angles(unit.as_ref())),
            TypeKind::Float(unit) => format!("float{}", self.in_angles(unit.as_ref())),
            TypeKind::Text => "text".to_owned(),
            TypeKind::Time => "time".to_owned(),
            TypeKind::Duration => "duration".to_owned(),
            TypeKind::Bytes => "bytes".to_owned(),
            TypeKind::Enum(items) => {
                let items: Vec<String> = items.iter().map(|item| self.enum_item(item)).collect();
                format!("enum({})", items.join(", "))
            }
            TypeKind::Tensor(dims) => {
                let dims: Vec<String> = dims.iter().map(|dim| self.dim(dim)).collect();
                format!("tensor[{}]", dims.join(", "))
            }
            TypeKind::AnySignal(rate) => format!("signal<{}>", rate.name),
            TypeKind::Signal(rate) => format!("signal<{}>", self.quantity(rate)),
            TypeKind::List(of) => format!("list<{}>", self.type_name(of)),
            TypeKind::Variable(name) => name.name.to_string(),
        }
    }

    fn in_angles(&self, unit: Option<&UnitExpr>) -> String {
        unit.map(|unit| format!("<{}>", self.source(unit.span))).unwrap_or_default()
    }

    fn enum_item(&self, item: &EnumItem) -> String {
        match item.code {
            Some(code) => format!("{code}: {}", self.source(item.text.span)),
            None => self.source(item.text.span).to_owned(),
        }
    }

    fn dim(&self, dim: &Dim) -> String {
        match &dim.kind {
            DimKind::Fixed(size) => size.to_string(),
            DimKind::Named(name) => self.name(name),
        }
    }
}
