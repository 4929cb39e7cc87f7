//! The test binary of the machines: real nodes, real files, real models.

mod ops;
mod io;
mod runtime;
