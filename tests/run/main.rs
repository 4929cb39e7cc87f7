//! The test binary of the machines: real nodes, real files, real models.

mod host;
mod io;
mod ops;
mod runtime;
