//! Floor 9: the shell round the engine: disk and watcher, connections, background training, the live loop, the live view.
//!
//! [`run`] is the door. The engine has one thread and never waits for anything; whatever can wait (compiling, opening ports,
//! training, writing) has a thread of its own and speaks with it through bounded channels.

mod begin;
mod board;
mod compiler;
pub mod control;
mod desk;
mod engine;
mod hear;
mod history;
mod holding;
mod inbox;
mod keeping;
mod learner;
mod learning;
mod outside;
mod parts;
mod preview;
mod rebuild;
mod run;
mod said;
mod serving;
mod sinks;
pub mod state;
mod stop;
mod study;
mod taps;
mod threads;
mod trace;
mod verify;
pub mod view;
pub mod watch;

pub use begin::Kept;
pub use board::Board;
pub use compiler::FileCompiler;
pub use engine::{SharedParts, closure};
pub use hear::Ear;
pub use keeping::EPOCH_EVERY;
pub use learner::Keeper;
pub use outside::{Compiled, Compiler, Conditions, Job, Learned, Learner, Remembered, Trained};
pub use parts::Machines;
pub use rebuild::REBUILD_MAX;
pub use run::{CONFIRM_MAX, Limits, RebuildLimits, Setup, Summary, run};
pub use said::{Changed, Effect, HostEvent, Messages, Said};
pub use sinks::SinkLimits;
pub use stop::{Stop, Wanted};

pub use study::{Studied, Study, Told, learns, unsupported};
pub use taps::{Column, Look, TAP_ROWS_MAX, TAPS_MAX, TapWord, Teller, look_on};
pub use trace::{Cell, Followed, Step, Wanted as WantedRow, follow, recorded};
pub use verify::Verify;
