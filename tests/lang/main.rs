//! Tests of the language half: text in, tree, messages, plan out. Builds without any machine.

mod syntax;
mod ui;
