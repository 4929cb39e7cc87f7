//! Learning, from a collected table to models on disk.

mod anomalies;
mod digits;
mod generation;
mod occupancy;
mod recording;
mod registry;
mod sets;
mod worker;
