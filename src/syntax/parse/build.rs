//! From pest's pairs to the tree. The grammar has already said that the shape is right; what is reported here are the
//! spellings that it accepts in order to correct them.

mod columns;
mod declaration;
mod expr;
mod function;
mod layers;
mod literal;
mod name;
mod operators;
mod policy;
mod record;
mod simulate;
mod source;
mod stage;
mod table_stage;
mod task;
mod test;
mod trigger;
mod types;
mod window;

use crate::base::{SourceId, Span};
use crate::diag::Diagnostic;
use crate::syntax::ast::{Declaration, Ident, Use};

use super::node::Node;

/// What came out of one piece.
pub struct Built {
    pub what: What,
    pub diagnostics: Vec<Diagnostic>,
}

pub enum What {
    Use(Use),
    Declaration(Box<Declaration>),
    /// It can be read, but a part of its meaning is missing; the name is kept so that nobody calls it unknown.
    Broken(Option<Ident>),
}

/// Where a piece lies in the file.
#[derive(Clone, Copy, Debug)]
pub struct Placed<'t> {
    pub source: SourceId,
    /// The whole file.
    pub file: &'t str,
    /// The byte of the file where the piece begins.
    pub start: usize,
    /// How long its first word is in the piece, and in the file: they differ where the word was corrected.
    pub word: (usize, usize),
}

impl Placed<'_> {
    /// From a byte of the piece to a byte of the file.
    pub fn byte(&self, at: usize) -> usize {
        let (here, there) = self.word;
        if at < here { self.start } else { self.start + at - here + there }
    }

    pub fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.source, self.byte(start), self.byte(end))
    }
}

/// Builds one declaration.
struct Builder<'t> {
    placed: Placed<'t>,
    diagnostics: Vec<Diagnostic>,
    /// Something was left out of the tree.
    broken: bool,
}

/// `pair` is a declaration.
pub fn build(placed: Placed<'_>, declaration: Node<'_>) -> Built {
    let mut builder = Builder { placed, diagnostics: Vec::new(), broken: false };
    let what = builder.declaration(declaration);
    Built { what, diagnostics: builder.diagnostics }
}

impl Builder<'_> {
    fn span(&self, node: &Node<'_>) -> Span {
        self.placed.span(node.start(), node.end())
    }

    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Reports what cannot be kept in the tree.
    fn lose(&mut self, diagnostic: Diagnostic) {
        self.broken = true;
        self.report(diagnostic);
    }

    /// What stands at a place of the file.
    fn text_at(&self, span: Span) -> &str {
        &self.placed.file[span.range()]
    }
}
