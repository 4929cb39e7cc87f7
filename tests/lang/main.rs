//! The light test binary: the language half, without Arrow or any machine.

mod plan;
mod sema;
mod syntax;
mod tidy;
mod ui;
