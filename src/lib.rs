//! mliot: a declarative pipeline engine for machine learning on sensor data.
//!
//! ARCHITECTURE.md has the picture of the floors; each looks down only.

pub mod base;
pub mod cli;
pub mod compile;
pub mod diag;
pub mod ir;
pub mod plan;
pub mod sema;
pub mod syntax;

#[cfg(feature = "run")]
pub mod host;
#[cfg(feature = "run")]
pub mod io;
#[cfg(feature = "run")]
pub mod lifecycle;
#[cfg(feature = "run")]
pub mod model;
#[cfg(feature = "run")]
pub mod node;
#[cfg(feature = "run")]
pub mod ops;
#[cfg(feature = "run")]
pub mod runtime;
#[cfg(feature = "run")]
pub mod server;
