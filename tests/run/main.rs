//! Tests of everything that runs.

mod runtime;
