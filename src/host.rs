//! Floor 9: the shell round the engine: disk and watcher, connections, the live loop, the live view.

mod parts;
mod study;
pub mod watch;

pub use parts::Machines;
pub use study::{Studied, Study, Told, learns};
