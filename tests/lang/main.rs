//! Tests of the language half: text in, tree, messages, plan out. Builds without any machine.

mod syntax;
mod ui;
//! The light test binary: the language half, without Arrow or any machine.

mod plan;
mod tidy;
