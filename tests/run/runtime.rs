//! The running graph: batches, merges, and changes while it runs.
//!
//! Most of these tests run on nodes of their own (`reference`), which act row by row and are as plain as can be: what is
//! tested is what steps them.

mod bench;
pub mod classes;
mod clocks;
mod edits;
mod epochs;
mod files;
mod former;
mod half;
mod leaks;
mod mended;
mod program;
mod reference;
mod shadows;
mod steps;
mod touched;
mod traces;
