//! Tests of everything that runs.

mod io;
mod runtime;
