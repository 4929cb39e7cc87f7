//! The light test binary: the language half, without Arrow or any machine.

mod docs;
mod plan;
mod sema;
mod syntax;
mod tidy;
mod ui;
mod uses;
