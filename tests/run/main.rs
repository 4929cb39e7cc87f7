//! The test binary of the machines: real nodes, real files, real models.

mod cli;
mod io;
mod learn;
mod ops;
mod runtime;
