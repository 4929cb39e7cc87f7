//! The light test binary: the language half, without Arrow or any machine. Text in; tree, messages and plan out.

mod plan;
mod sema;
mod syntax;
mod tidy;
mod ui;
