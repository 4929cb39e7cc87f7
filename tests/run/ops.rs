//! The relational nodes: whatever the cut into batches, whenever saved and loaded, the same bits come out.

mod collect;
mod expression;
mod feed;
mod harness;
mod join;
mod keep;
mod library;
mod migrate;
mod predict;
mod rank;
mod resample;
mod scan;
mod session;
mod window;
