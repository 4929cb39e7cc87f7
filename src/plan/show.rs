//! Graphs and differences as people and programs read them. Functions from values to text; nothing is printed here.

mod brief;
mod dot;
mod json;
mod plan;
mod tree;

pub use dot::dot;
pub use json::{graph_json, plan_json};
pub use plan::plan_text;
pub use tree::graph_text;
