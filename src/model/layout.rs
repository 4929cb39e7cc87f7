//! What the columns of a matrix mean: which features they come from, and the shapes of tensors among them.
//!
//! A tensor arrives as a run of f32, row-major. A family that sees rows as flat numbers needs none of this; one that sees
//! shapes (a network) finds them here by the feature's name. A row in which a tensor is missing is not among the rows that a
//! family learns from, and is not predicted.

use serde::{Deserialize, Serialize};

use crate::base::Name;

/// Features in the order of their columns. Empty where nobody needs to know.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Layout {
    pub parts: Vec<Part>,
}

/// The columns of one feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    pub name: Name,
    /// How many columns.
    pub width: usize,
    /// Of a tensor, row-major; None for all other features.
    pub shape: Option<Vec<u32>>,
}

/// How the elements of a tensor are brought to mean 0 and deviation 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scaling {
    /// Each by itself: a tensor is a list of features.
    Elements,
    /// All that stand at one place of the last axis together, so that steps of a sequence and places of an image stay comparable.
    Channels,
    /// All together.
    Whole,
}

impl Layout {
    /// Where a feature's columns begin, and what they are.
    pub fn part(&self, name: &str) -> Option<(usize, &Part)> {
        let mut from = 0;
        for part in &self.parts {
            if part.name == *name {
                return Some((from, part));
            }
            from += part.width;
        }
        None
    }

    pub fn width(&self) -> usize {
        self.parts.iter().map(|part| part.width).sum()
    }
}

impl Scaling {
    /// How many means a tensor of this shape has.
    pub fn groups(self, shape: &[u32]) -> usize {
        match self {
            Scaling::Elements => shape.iter().product::<u32>() as usize,
            Scaling::Channels => shape.last().copied().unwrap_or(1) as usize,
            Scaling::Whole => 1,
        }
    }
}
