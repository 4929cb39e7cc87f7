//! The arithmetic of layers on flat rows: forward, and the gradients of what goes in and of what is learned. Generic over the
//! number type: training and answers are in f32, gradients are checked in f64.
//!
//! Everything is calculated row by row in a fixed order, so a row gets the same bits in any batch.

mod conv;
mod depthwise;
mod gru;
mod norm;
mod number;
mod operator;
mod pool;
mod product;
mod simple;

#[cfg(test)]
mod tests;

pub use conv::Conv;
pub use depthwise::Depthwise;
pub use gru::Gru;
pub use norm::{BatchNorm, LayerNorm, moments};
pub use number::Number;
pub use operator::{Gradient, Known, Operator};
pub use pool::{Last, Mean, Pool};
pub use product::{Multiply, add_product, add_small_product};

/// How a window of `size` lies along an axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slide {
    pub size: usize,
    pub stride: usize,
    /// Zeros in front of the axis.
    pub before: usize,
    /// How often it lies there.
    pub count: usize,
}
