//! `union [S, T]`: rows of several streams with equal columns.

use crate::base::Span;
use crate::diag::{Code, Diagnostic};
use crate::ir::{Op, StageKind};
use crate::sema::checker::Checker;
use crate::sema::shape::{Lineage, Shape};
use crate::syntax::ast;

use super::Flow;

impl<'a> Checker<'a> {
    pub(super) fn union_stage(&mut self, it: &'a ast::Union, stage: &'a ast::Stage, flow: &mut Flow) {
        let mut with = Vec::new();
        let mut fits = !flow.shape.open;
        for other in &it.others {
            let (read, shape) = self.read(other);
            fits &= !shape.open && self.columns_agree(&mut flow.shape, &shape, other.span, stage.span);
            absorb(&mut flow.shape, &shape);
            with.push(read);
        }
        // Rows of different origin: its columns are no longer those of one stream.
        let names: Vec<_> = flow.shape.lineage.keys().cloned().collect();
        for name in names {
            let id = flow.id(&name);
            let mut now = flow.shape.lineage[&name].now.clone();
            now.insert(id.clone());
            flow.shape.lineage.insert(name, Lineage { id, now });
        }
        if fits {
            flow.push(StageKind::Union, Op::Union { with }, stage);
        }
    }

    /// Every column has a partner of its name and type; what may be null on one side may be null afterwards.
    fn columns_agree(&mut self, shape: &mut Shape, other: &Shape, span: Span, stage: Span) -> bool {
        if shape.schema.time != other.schema.time || shape.schema.clock_by != other.schema.clock_by {
            self.report(times_differ(shape, other, span));
            return false;
        }
        let extra = other.schema.columns.iter().find(|column| shape.schema.get(&column.name).is_none());
        if let Some(column) = extra {
            self.report(only_one_side(&column.name, span, column.span));
            return false;
        }
        for column in &mut shape.schema.columns {
            match other.schema.get(&column.name) {
                None => {
                    self.findings.report(only_one_side(&column.name, stage, column.span));
                    return false;
                }
                Some(partner) if partner.ty != column.ty => {
                    self.findings.report(types_differ(&column.name, span, column.span, partner.span, &column.ty, &partner.ty));
                    return false;
                }
                Some(partner) => column.nullable |= partner.nullable,
            }
        }
        true
    }
}

fn absorb(shape: &mut Shape, other: &Shape) {
    for (name, lineage) in &mut shape.lineage {
        if let Some(partner) = other.lineage.get(name) {
            lineage.now.extend(partner.now.iter().cloned());
        }
    }
    shape.keys.extend(other.keys.iter().cloned());
    shape.aside.extend(other.aside.iter().cloned());
    shape.sources.extend(other.sources.iter().cloned());
    shape.live |= other.live;
    shape.waits = shape.waits.max(other.waits);
    shape.open |= other.open;
    shape.broken.extend(other.broken.iter().cloned());
}

/// E0203.
fn only_one_side(name: &str, span: Span, column: Span) -> Diagnostic {
    Diagnostic::new(Code::E0312, format!("only one side of the union has the column `{name}`"))
        .at(span, "joined here")
        .at(column, "made here")
        .help("bring both sides to equal columns with `select`, `rename` or `drop`")
}

/// E0312.
fn types_differ(name: &str, span: Span, left: Span, right: Span, a: &crate::ir::Type, b: &crate::ir::Type) -> Diagnostic {
    Diagnostic::new(Code::E0312, format!("the two sides of the union disagree about `{name}`"))
        .at(span, "joined here")
        .at(left, format!("`{a}` here"))
        .at(right, format!("`{b}` here"))
        .help("give both the same type and unit")
}

/// E0312.
fn times_differ(shape: &Shape, other: &Shape, span: Span) -> Diagnostic {
    let name = |shape: &Shape| match shape.schema.time.as_deref() {
        None => "no time".to_owned(),
        Some("@time") => "a time that is no column".to_owned(),
        Some(column) => format!("the time `{column}`"),
    };
    Diagnostic::new(Code::E0312, "the two sides of the union have different times")
        .at(span, format!("{} here, and {} on the other side", name(other), name(shape)))
        .help("let both name their time alike, such as with `rename { at = when }`")
}
