//! Every declared name of a file, by its space.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::{Name, Span};
use crate::diag::{Code, Diagnostic};
use crate::syntax::ast;

use super::findings::Findings;

/// Names live in spaces of their own by position. Whatever rows flow through shares one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Space {
    Value,
    Function,
    Rows,
    Task,
    Policy,
    Network,
}

/// What stands in the space of rows.
#[derive(Clone, Copy, Debug)]
pub enum Rows<'a> {
    Source(&'a ast::Source),
    Stream(&'a ast::Stream),
    Sink(&'a ast::Sink),
    Table(&'a ast::Table),
    Transform(&'a ast::Transform),
}

/// The first declaration of each name; further ones are reported.
#[derive(Debug, Default)]
pub struct Index<'a> {
    pub params: BTreeMap<Name, (&'a ast::Param, Span)>,
    pub lets: BTreeMap<Name, &'a ast::Let>,
    pub functions: BTreeMap<Name, &'a ast::Let>,
    pub rows: BTreeMap<Name, (Rows<'a>, Span)>,
    pub tasks: BTreeMap<Name, (&'a ast::Task, Span)>,
    pub policies: BTreeMap<Name, (&'a ast::Policy, Span)>,
    pub networks: BTreeMap<Name, &'a ast::Network>,
    /// What could not be read: whoever refers to it is not told that it does not exist.
    pub broken: BTreeSet<Name>,
}

impl<'a> Index<'a> {
    pub fn of(file: &'a ast::File, findings: &mut Findings) -> Index<'a> {
        let mut index = Index { broken: file.broken.iter().map(|ident| ident.name.clone()).collect(), ..Index::default() };
        let mut first: BTreeMap<(Space, &Name), Span> = BTreeMap::new();
        for declaration in &file.declarations {
            let (Some(space), Some(ident)) = (space_of(&declaration.kind), declaration.kind.name()) else { continue };
            match first.get(&(space, &ident.name)) {
                Some(before) => findings.report(declared_twice(ident, *before)),
                None => {
                    first.insert((space, &ident.name), ident.span);
                    index.add(declaration);
                }
            }
        }
        index
    }

    fn add(&mut self, declaration: &'a ast::Declaration) {
        let span = declaration.span;
        let Some(name) = declaration.kind.name().map(|ident| ident.name.clone()) else { return };
        match &declaration.kind {
            ast::DeclarationKind::Param(it) => drop(self.params.insert(name, (it, span))),
            ast::DeclarationKind::Let(it) if it.params.is_some() => drop(self.functions.insert(name, it)),
            ast::DeclarationKind::Let(it) => drop(self.lets.insert(name, it)),
            ast::DeclarationKind::Source(it) => drop(self.rows.insert(name, (Rows::Source(it), span))),
            ast::DeclarationKind::Stream(it) => drop(self.rows.insert(name, (Rows::Stream(it), span))),
            ast::DeclarationKind::Sink(it) => drop(self.rows.insert(name, (Rows::Sink(it), span))),
            ast::DeclarationKind::Table(it) => drop(self.rows.insert(name, (Rows::Table(it), span))),
            ast::DeclarationKind::Transform(it) => drop(self.rows.insert(name, (Rows::Transform(it), span))),
            ast::DeclarationKind::Network(it) => drop(self.networks.insert(name, it)),
            ast::DeclarationKind::Task(it) => drop(self.tasks.insert(name, (it, span))),
            ast::DeclarationKind::Policy(it) => drop(self.policies.insert(name, (it, span))),
            ast::DeclarationKind::Serve(_)
            | ast::DeclarationKind::Test(_)
            | ast::DeclarationKind::Function(_)
            | ast::DeclarationKind::Unit(_) => {}
        }
    }

    /// Sources and streams: what a pipeline can begin with.
    pub fn readable(&self) -> impl Iterator<Item = &str> {
        let rows = self.rows.iter();
        rows.filter(|(_, (rows, _))| matches!(rows, Rows::Source(_) | Rows::Stream(_))).map(|(name, _)| name.as_str())
    }

    /// The param or value with this name, if there is one.
    pub fn value(&self, name: &str) -> Option<Span> {
        let param = self.params.get(name).map(|(param, _)| param.head.name.span);
        param.or_else(|| self.lets.get(name).map(|value| value.head.name.span))
    }
}

/// None for what has no name, and for what stands only in the library.
fn space_of(kind: &ast::DeclarationKind) -> Option<Space> {
    match kind {
        ast::DeclarationKind::Param(_) => Some(Space::Value),
        ast::DeclarationKind::Let(it) if it.params.is_some() => Some(Space::Function),
        ast::DeclarationKind::Let(_) => Some(Space::Value),
        ast::DeclarationKind::Source(_)
        | ast::DeclarationKind::Stream(_)
        | ast::DeclarationKind::Sink(_)
        | ast::DeclarationKind::Table(_)
        | ast::DeclarationKind::Transform(_) => Some(Space::Rows),
        ast::DeclarationKind::Network(_) => Some(Space::Network),
        ast::DeclarationKind::Task(_) => Some(Space::Task),
        ast::DeclarationKind::Policy(_) => Some(Space::Policy),
        ast::DeclarationKind::Serve(_)
        | ast::DeclarationKind::Test(_)
        | ast::DeclarationKind::Function(_)
        | ast::DeclarationKind::Unit(_) => None,
    }
}

fn declared_twice(ident: &ast::Ident, before: Span) -> Diagnostic {
    Diagnostic::new(Code::E0202, format!("`{}` is declared twice", ident.name))
        .at(ident.span, "once more here")
        .at(before, "first here")
        .help("give one of the two another name; a name keeps state and models, so it can stand for one thing only")
}
