//! The live shell with real nodes, real files and real sockets: a file runs, is edited, answers, and stops.

pub mod bench;
mod edits;
mod held;
mod inputs;
mod kept;
mod lost;
mod recalled;
mod rush;
mod serving;
mod shadows;
mod sinks;
mod training;
mod undone;
mod used;
