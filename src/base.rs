//! Floor 0: names, places in text, time, units, hashes. Knows nothing of the language or of any machine.

mod hash;
mod name;
mod source;
mod span;
pub mod sync;
mod time;
mod unit;
mod words;

pub use hash::Hash;
pub use name::{Name, nearest};
pub use source::{Place, SourceFile, Sources};
pub use span::{SourceId, Span};
pub use time::{Duration, Time, TimeError};
pub use unit::{Dimension, Unit, UnitError};
pub use words::{grouped, size};
