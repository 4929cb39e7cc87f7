//! The running graph: batches, merges, and changes while it runs.
