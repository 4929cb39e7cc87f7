//! Floor 1: what went wrong, where, and what to do next. The only place that knows miette.

mod code;
mod diagnostic;
mod json;
mod render;

pub use code::{Code, Level};
pub use diagnostic::{Diagnostic, Label, TextEdit, sorted};
pub use json::to_json;
pub use render::{Style, render};
