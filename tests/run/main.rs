//! Everything that runs, in one binary.

mod learn;
