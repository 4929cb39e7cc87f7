//! `let`: a named expression or function is written out where it is used.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::base::{Name, Span};
use crate::diag::{Code, Diagnostic};
use crate::sema::index::Space;
use crate::syntax::ast;

use super::{Typed, Typer};

/// How deep `let`s may use each other.
const LET_DEPTH_MAX: usize = 64;

/// What a parameter's name stands for: an argument, with the names that it was written among.
#[derive(Clone, Debug, Default)]
pub struct Env<'a>(Option<Rc<BTreeMap<Name, (Given<'a>, Env<'a>)>>>);

/// An argument as it was given.
#[derive(Clone, Debug)]
pub enum Given<'a> {
    Expr(&'a ast::Expr),
    /// A column that `across` hands over.
    Column(ast::Ident),
}

impl<'a> Typer<'_, 'a> {
    /// The argument that the name stands for inside an inlined function, if it is one of its parameters.
    pub(super) fn bound(&mut self, ident: &ast::Ident) -> Option<Option<Typed>> {
        let (given, env) = self.env.0.as_ref()?.get(&ident.name)?.clone();
        let outer = std::mem::replace(&mut self.env, env);
        let typed = self.given(&given);
        self.env = outer;
        Some(typed)
    }

    pub(super) fn given(&mut self, given: &Given<'a>) -> Option<Typed> {
        match given {
            Given::Expr(expr) => self.expr(expr),
            Given::Column(ident) => self.column(ident),
        }
    }

    /// A named expression at one of its uses.
    pub(super) fn unfold(&mut self, ident: &ast::Ident, value: &'a ast::Expr) -> Option<Typed> {
        self.unfolded(ident, Env::default(), value)
    }

    /// An inlined function at one of its uses.
    pub(super) fn unfold_call(
        &mut self,
        name: &ast::Ident,
        function: &'a ast::Let,
        args: &[(Option<ast::Ident>, Given<'a>)],
        span: Span,
    ) -> Option<Typed> {
        self.findings.mark_used(Space::Function, &name.name);
        let params = function.params.as_deref().unwrap_or_default();
        if let Some((Some(ident), _)) = args.iter().find(|(name, _)| name.is_some()) {
            return self.refuse(named_argument(ident));
        }
        if params.len() != args.len() {
            return self.refuse(wrong_count(name, params, args.len(), span));
        }
        let bound = params.iter().zip(args);
        let bound = bound.map(|(param, (_, given))| (param.name.clone(), (given.clone(), self.env.clone()))).collect();
        self.unfolded(name, Env(Some(Rc::new(bound))), &function.value).map(|typed| typed.at(span))
    }

    fn unfolded(&mut self, ident: &ast::Ident, env: Env<'a>, value: &'a ast::Expr) -> Option<Typed> {
        let circular = self.unfolding.iter().any(|(name, _)| *name == ident.name);
        if circular || self.unfolding.len() >= LET_DEPTH_MAX {
            return self.refuse(let_in_circle(ident));
        }
        let outer = std::mem::replace(&mut self.env, env);
        self.unfolding.push((ident.name.clone(), ident.span));
        let typed = self.expr(value);
        self.unfolding.pop();
        self.env = outer;
        typed.map(|typed| typed.at(ident.span))
    }
}

/// E0205.
fn let_in_circle(ident: &ast::Ident) -> Diagnostic {
    Diagnostic::new(Code::E0205, format!("`{}` is defined by itself", ident.name))
        .at(ident.span, "used in its own definition")
        .help("write the value out; a value of an earlier row is `previous(x)` in a `scan`")
}

/// E0306.
fn wrong_count(name: &ast::Ident, params: &[ast::Ident], given: usize, span: Span) -> Diagnostic {
    let names: Vec<&str> = params.iter().map(|param| param.name.as_str()).collect();
    let count = if params.len() == 1 { "one argument".to_owned() } else { format!("{} arguments", params.len()) };
    Diagnostic::new(Code::E0306, format!("`{}` takes {count}, not {given}", name.name)).at(span, "").help(format!(
        "write `{}({})`",
        name.name,
        names.join(", ")
    ))
}

/// E0306.
fn named_argument(ident: &ast::Ident) -> Diagnostic {
    Diagnostic::new(Code::E0306, "a function made with `let` takes its arguments by position")
        .at(ident.span, "named here")
        .help(format!("leave out `{}:`", ident.name))
}
