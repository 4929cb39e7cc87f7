//! The graph that a program means, its hashes, and the difference of two graphs.

mod build;
mod deep;
mod edits;
mod graph;
mod properties;
mod room;
mod show;
mod texts;
mod windows;
