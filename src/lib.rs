//! mliot: a declarative pipeline engine for machine learning on sensor data.
//!
//! ARCHITECTURE.md has the picture of the floors; each looks down only.

pub mod base;
pub mod diag;
pub mod ir;
pub mod plan;

#[cfg(feature = "run")]
pub mod lifecycle;
#[cfg(feature = "run")]
pub mod model;
#[cfg(feature = "run")]
pub mod node;
