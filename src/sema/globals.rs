//! What every part of a check can look up, and nothing of it changes while streams are checked.

use std::collections::BTreeMap;

use crate::base::{Name, Sources, Span};
use crate::ir;

use super::index::Index;
use super::library::Library;
use super::transform::Expansions;

/// What comes from outside the file.
pub struct Settings<'w> {
    /// `--set name=value`, the value as the language writes it; a text may stand without quotes.
    pub set: BTreeMap<Name, String>,
    /// The environment, for `env("NAME")`.
    pub env: &'w dyn Fn(&str) -> Option<String>,
}

impl Settings<'static> {
    /// Nothing set, no environment.
    pub fn none() -> Settings<'static> {
        Settings { set: BTreeMap::new(), env: &|_| None }
    }
}

/// The file's names and texts, the library, and the values of params.
pub struct Globals<'a> {
    pub index: Index<'a>,
    pub sources: &'a Sources,
    pub library: &'static Library,
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// Those that could be read; the others are in `index.broken` as well.
    pub params: BTreeMap<Name, ir::Param>,
    /// The stages that each use of a transform stands for.
    pub expansions: Expansions,
}

impl Globals<'_> {
    /// What the author wrote there.
    pub fn text(&self, span: Span) -> &str {
        self.sources.text(span)
    }
}
