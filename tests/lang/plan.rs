//! The graph that a program means, its hashes, and the difference of two graphs.

mod build;
mod graph;
mod room;
