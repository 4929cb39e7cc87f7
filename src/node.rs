//! Floor 5: the contract of a running node. Batches of rows with their ordinals and clock, messages, state, counters, errors.
//!
//! Node logic is synchronous: no IO, no clock of the machine, no await. Replay, the live shell and tests step the same nodes.

mod batch;
mod clock;
mod contract;
mod migration;
mod numbers;
mod ordinal;
mod schema;
mod state;

pub use batch::Batch;
pub use clock::Clock;
pub use contract::{Assignment, Counts, Message, Node, NodeError, Out, Port, Predictions, Predictor, Predicts, Retune};
pub use migration::Migration;
pub use numbers::{Unfit, narrowed, shortest, signal_of, tensor_of, wrong_count};
pub use ordinal::{Ordinal, Ordinals};
pub use schema::{data_type, field, schema};
pub use state::State;
