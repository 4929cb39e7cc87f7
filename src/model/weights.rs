//! What a fitted model consists of, in a form that every family shares and a bundle holds.

use std::collections::BTreeMap;

/// Arrays by name, and the rest as JSON.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weights {
    pub arrays: BTreeMap<String, Array>,
    pub rest: serde_json::Value,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Array {
    pub shape: Vec<usize>,
    pub data: Data,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    F32(Vec<f32>),
    U32(Vec<u32>),
}

impl Weights {
    pub fn with_f32(mut self, name: &str, shape: Vec<usize>, data: Vec<f32>) -> Weights {
        self.arrays.insert(name.to_owned(), Array { shape, data: Data::F32(data) });
        self
    }

    pub fn with_u32(mut self, name: &str, data: Vec<u32>) -> Weights {
        self.arrays.insert(name.to_owned(), Array { shape: vec![data.len()], data: Data::U32(data) });
        self
    }

    /// Moves an array out, so that a model is never in memory twice; None where it is missing or of another type.
    pub fn take_f32(&mut self, name: &str) -> Option<(Vec<usize>, Vec<f32>)> {
        let array = self.arrays.remove(name)?;
        match array.data {
            Data::F32(data) => Some((array.shape, data)),
            Data::U32(_) => None,
        }
    }

    pub fn take_u32(&mut self, name: &str) -> Option<Vec<u32>> {
        match self.arrays.remove(name)?.data {
            Data::U32(data) => Some(data),
            Data::F32(_) => None,
        }
    }
}
