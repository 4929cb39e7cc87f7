//! Networks: what a `network` declares, built for its inputs, trained on dfdx's tape, answered by the same kernels.
//!
//! `ir::network` says which layers there are and what shapes come out of them; [`net::Net`] joins each to an operator of
//! [`kernel`] and to what it learns. Training ([`body`]) runs operators on the tape of dfdx, with its tensors, its products and
//! sums, its optimiser; prediction ([`fit`]) runs them without.

mod body;
mod conv;
mod family;
mod fit;
mod kernel;
mod net;
mod tape;

#[cfg(test)]
mod tests;

pub use conv::{Conv1d, Conv2d};
pub use family::{NetworkFamily, training_defaults};
pub use fit::load;
