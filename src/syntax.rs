//! Floor 2: text becomes a tree, and a tree becomes canonical text. The only place that knows pest.
//!
//! Nothing here knows what a name means: a tree is well-formed text, no more.

pub mod ast;
mod format;
mod parse;
mod scan;

pub use format::format;
pub use parse::{FILE_BYTES_MAX, Hint, NESTING_MAX, STAGES, parse, stage_hint};
