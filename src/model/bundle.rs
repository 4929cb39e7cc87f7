//! One file per fitted model: arrays as safetensors, everything else as JSON in its header. Equal models, equal bytes.

use std::collections::HashMap;
use std::fmt;

use safetensors::{Dtype, SafeTensors, View};
use serde::{Deserialize, Serialize};

use super::network::load as load_network;
use super::{Array, Config, Data, Fitted, Preprocess, Target, Weights, family};

const FORMAT: u16 = 1;
/// The one entry of the header's metadata.
const KEY: &str = "mliot";

/// Everything of a bundle but the arrays.
#[derive(Serialize, Deserialize)]
struct Header {
    format: u16,
    family: String,
    config: Config,
    seed: u64,
    target: Target,
    prepare: Preprocess,
    rest: serde_json::Value,
}

/// Why a bundle cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleError(pub String);

impl fmt::Display for BundleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for BundleError {}

impl Fitted {
    pub fn to_bytes(&self) -> Vec<u8> {
        let weights = self.model.save();
        let header = Header {
            format: FORMAT,
            family: self.family.clone(),
            config: self.config.clone(),
            seed: self.seed,
            target: self.target.clone(),
            prepare: self.prepare.clone(),
            rest: weights.rest,
        };
        let json = serde_json::to_string(&header).expect("plain data always serialises");
        let metadata = HashMap::from([(KEY.to_owned(), json)]);
        let arrays: Vec<(String, Raw)> = weights.arrays.iter().map(|(name, array)| (name.clone(), Raw::of(array))).collect();
        safetensors::serialize(arrays, Some(metadata)).expect("arrays fit their shapes")
    }

    /// `version` is what predictions will be marked with.
    pub fn from_bytes(bytes: &[u8], version: &str) -> Result<Fitted, BundleError> {
        let broken = |why: &dyn fmt::Display| BundleError(format!("the bundle is damaged: {why}"));
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| broken(&error))?;
        let json = metadata.metadata().as_ref().and_then(|entries| entries.get(KEY));
        let json = json.ok_or_else(|| broken(&"its header is missing"))?;
        let header: Header = serde_json::from_str(json).map_err(|error| broken(&error))?;
        if header.format != FORMAT {
            return Err(BundleError(format!("the bundle has format {}, this program reads {FORMAT}", header.format)));
        }
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| broken(&error))?;
        let mut weights = Weights { rest: header.rest, ..Weights::default() };
        for (name, view) in tensors.tensors() {
            let array = array(view.shape(), View::dtype(&view), view.data()).ok_or_else(|| broken(&"an array's type"))?;
            weights.arrays.insert(name, array);
        }
        let model = match family(&header.family) {
            Some(family) => family.load(&mut weights),
            // A network of the file: what it consists of stands beside its arrays.
            None if weights.rest.get("description").is_some() => load_network(&mut weights),
            None => return Err(BundleError(format!("this program has no family `{}`", header.family))),
        };
        let model = model.ok_or_else(|| broken(&"arrays are missing"))?;
        Ok(Fitted {
            version: version.to_owned(),
            family: header.family,
            config: header.config,
            seed: header.seed,
            target: header.target,
            prepare: header.prepare.ready(),
            model,
        })
    }
}

/// An array's little-endian bytes.
struct Raw {
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
}

impl Raw {
    fn of(array: &Array) -> Raw {
        let (dtype, bytes) = match &array.data {
            Data::F32(values) => (Dtype::F32, values.iter().flat_map(|value| value.to_le_bytes()).collect()),
            Data::U32(values) => (Dtype::U32, values.iter().flat_map(|value| value.to_le_bytes()).collect()),
        };
        Raw { dtype, shape: array.shape.clone(), bytes }
    }
}

impl View for Raw {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> std::borrow::Cow<'_, [u8]> {
        self.bytes.as_slice().into()
    }

    fn data_len(&self) -> usize {
        self.bytes.len()
    }
}

/// None for a type that no bundle of ours has.
fn array(shape: &[usize], dtype: Dtype, bytes: &[u8]) -> Option<Array> {
    let words = bytes.as_chunks::<4>().0;
    let data = match dtype {
        Dtype::F32 => Data::F32(words.iter().map(|word| f32::from_le_bytes(*word)).collect()),
        Dtype::U32 => Data::U32(words.iter().map(|word| u32::from_le_bytes(*word)).collect()),
        _ => return None,
    };
    Some(Array { shape: shape.to_vec(), data })
}
