//! The test binary of the machines: real nodes, real files, real models.

mod host;
mod io;
mod learn;
mod ops;
mod pipelines;
mod runtime;
mod stdlib;
