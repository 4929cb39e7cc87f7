//! Floor 3: the tree becomes a typed program. Names, types, units, policies, and that no feature gives its target away.
//!
//! Reads no file and no environment but through [`Settings`]. Every mistake of a file is found in one go; what follows
//! from a mistake is not said again.

mod checker;
mod columns;
mod connector;
mod expr;
mod findings;
mod globals;
mod index;
mod library;
mod network;
mod param;
mod pipe;
mod policy;
mod shape;
mod signature;
mod sink;
mod source;
mod stage;
mod task;
mod test;
mod transform;
mod types;
mod units;
mod usage;

use std::collections::BTreeMap;

use crate::base::Sources;
use crate::diag::{Diagnostic, sorted};
use crate::ir;
use crate::syntax::ast;

use checker::Checker;
use findings::Findings;
use globals::Globals;
use index::{Index, Rows};

pub use globals::Settings;
pub use library::{Library, TEXTS, library};
pub use signature::{Builtin, Parameter, Pattern, Signature};
pub use units::Units;

/// The program that the file declares, and what is wrong with it. Where a message is an error, the program lacks what it
/// is about.
pub fn check(file: &ast::File, sources: &Sources, settings: &Settings<'_>) -> (ir::Program, Vec<Diagnostic>) {
    let mut findings = Findings::default();
    let index = Index::of(file, &mut findings);
    let expansions = transform::expand(file, &index, &mut findings);
    let params = BTreeMap::new();
    let mut globals = Globals { index, sources, library: library(), env: settings.env, params, expansions };
    param::resolve(&mut globals, settings, &mut findings);
    let mut checker = Checker::new(&globals, findings);
    checker.program.params = globals.params.clone();
    for declaration in &file.declarations {
        checker.declaration(declaration);
    }
    checker.settle_policies();
    checker.warn_of_unused();
    let Checker { findings, program, .. } = checker;
    (program, sorted(findings.diagnostics))
}

impl<'a> Checker<'a> {
    fn declaration(&mut self, declaration: &'a ast::Declaration) {
        let span = declaration.span;
        match &declaration.kind {
            ast::DeclarationKind::Param(ast::Param { head, .. })
            | ast::DeclarationKind::Let(ast::Let { head, .. })
            | ast::DeclarationKind::Policy(ast::Policy { head, .. }) => self.later_was(head.was.as_ref()),
            _ => {}
        }
        match &declaration.kind {
            ast::DeclarationKind::Source(it) => drop(self.rows(&it.head.name)),
            ast::DeclarationKind::Stream(it) => drop(self.rows(&it.head.name)),
            ast::DeclarationKind::Sink(it) if self.is_first(&it.head.name, span) => self.sink(it),
            ast::DeclarationKind::Task(it) => drop(self.task(&it.head.name)),
            ast::DeclarationKind::Policy(it) => self.policy_declaration(it),
            ast::DeclarationKind::Serve(it) => self.serve(it, span),
            ast::DeclarationKind::Test(it) => self.test(it, span),
            ast::DeclarationKind::Table(it) => drop(self.table(it)),
            ast::DeclarationKind::Transform(it) => self.transform_declaration(it),
            ast::DeclarationKind::Network(it) => self.network_declaration(it),
            ast::DeclarationKind::Function(it) => {
                self.later("a `function` outside the library", it.name.span, "use `let f(x) = …`")
            }
            ast::DeclarationKind::Unit(it) => {
                self.later("a `unit` outside the library", it.name.span, "use one of the built-in units")
            }
            ast::DeclarationKind::Param(_) | ast::DeclarationKind::Let(_) | ast::DeclarationKind::Sink(_) => {}
        }
    }

    fn later(&mut self, what: &str, span: crate::base::Span, help: &str) {
        self.report(findings::not_yet(what, span, help));
    }

    /// Of two declarations of one name the second was reported and is left alone.
    fn is_first(&self, ident: &ast::Ident, span: crate::base::Span) -> bool {
        matches!(self.globals.index.rows.get(&ident.name), Some((Rows::Sink(_), first)) if *first == span)
    }

    fn policy_declaration(&mut self, policy: &'a ast::Policy) {
        // Tasks resolve the policies that they follow, whatever their order in the text.
        let followed = self
            .globals
            .index
            .tasks
            .values()
            .any(|(task, _)| task.policy.as_ref().is_some_and(|ident| ident.name == policy.head.name.name));
        if !followed {
            self.unused_policy(policy);
        }
    }
}
