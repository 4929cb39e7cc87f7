//! The test binary of the machines: real nodes, real files, real models.

mod cli;
mod host;
mod io;
mod learn;
mod ops;
mod pipelines;
mod runtime;
mod sim;
mod stdlib;
