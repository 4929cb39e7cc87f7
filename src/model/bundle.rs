//! One file per fitted model: arrays as safetensors, everything else as JSON in its header. Equal models, equal bytes.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use safetensors::{Dtype, SafeTensors, View};
use serde::{Deserialize, Serialize};

use crate::ir::Column;

use super::network::load as load_network;
use super::{Array, Config, Data, Fitted, Own, Preprocess, Target, Weights, family};

const FORMAT: u16 = 1;
/// The one entry of the header's metadata.
const KEY: &str = "mliot";
/// Before the arrays of a key's model.
const OWN: &str = "own-";
/// Before the arrays of a step's model.
const STEP: &str = "step-";

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
    /// Of a path the steps before the last; the nth one's arrays are called `step-N/…`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    before: Vec<Header>,
    /// Models of keys; absent where there are none, so that their bytes are what they always were.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    own: Option<OwnHeader>,
}

/// The nth model's arrays are called `own-N/…`.
#[derive(Serialize, Deserialize)]
struct OwnHeader {
    columns: Vec<Column>,
    models: Vec<(String, Header)>,
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
        let mut arrays: Vec<(String, Raw)> = Vec::new();
        let header = self.header("", &mut arrays);
        let json = serde_json::to_string(&header).expect("plain data always serialises");
        let metadata = HashMap::from([(KEY.to_owned(), json)]);
        safetensors::serialize(arrays, Some(metadata)).expect("arrays fit their shapes")
    }

    /// Puts the model's arrays, called by `prefix` and their own names, to the others.
    fn header(&self, prefix: &str, arrays: &mut Vec<(String, Raw)>) -> Header {
        let weights = self.model.save();
        arrays.extend(weights.arrays.iter().map(|(name, array)| (format!("{prefix}{name}"), Raw::of(array))));
        let own = self.own.as_ref().map(|own| OwnHeader {
            columns: own.columns.clone(),
            models: own
                .models
                .iter()
                .enumerate()
                .map(|(nth, (key, one))| (key.clone(), one.header(&own_prefix(nth), arrays)))
                .collect(),
        });
        let steps = self.before.iter().enumerate();
        let before = steps.map(|(nth, step)| step.header(&format!("{prefix}{STEP}{nth}/"), arrays)).collect();
        Header {
            format: FORMAT,
            family: self.family.clone(),
            config: self.config.clone(),
            seed: self.seed,
            target: self.target.clone(),
            prepare: self.prepare.clone(),
            rest: weights.rest,
            before,
            own,
        }
    }

    /// `version` is what predictions will be marked with.
    pub fn from_bytes(bytes: &[u8], version: &str) -> Result<Fitted, BundleError> {
        let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| broken(&error))?;
        let json = metadata.metadata().as_ref().and_then(|entries| entries.get(KEY));
        let json = json.ok_or_else(|| broken(&"its header is missing"))?;
        let header: Header = serde_json::from_str(json).map_err(|error| broken(&error))?;
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| broken(&error))?;
        let mut arrays = BTreeMap::new();
        for (name, view) in tensors.tensors() {
            let array = array(view.shape(), View::dtype(&view), view.data()).ok_or_else(|| broken(&"an array's type"))?;
            arrays.insert(name, array);
        }
        header.fitted("", &mut arrays, version)
    }
}

fn own_prefix(nth: usize) -> String {
    format!("{OWN}{nth}/")
}

fn broken(why: &dyn fmt::Display) -> BundleError {
    BundleError(format!("the bundle is damaged: {why}"))
}

impl Header {
    /// Takes its arrays out of `arrays`.
    fn fitted(self, prefix: &str, arrays: &mut BTreeMap<String, Array>, version: &str) -> Result<Fitted, BundleError> {
        if self.format != FORMAT {
            return Err(BundleError(format!("the bundle has format {}, this program reads {FORMAT}", self.format)));
        }
        let own = self.own.map(|own| own.models(arrays, version)).transpose()?;
        let steps = self.before.into_iter().enumerate();
        let before = steps.map(|(nth, step)| step.fitted(&format!("{prefix}{STEP}{nth}/"), arrays, version));
        let before = before.collect::<Result<_, _>>()?;
        let names: Vec<String> = match prefix {
            "" => arrays.keys().cloned().collect(),
            _ => arrays
                .range(prefix.to_owned()..)
                .map(|(name, _)| name.clone())
                .take_while(|name| name.starts_with(prefix))
                .collect(),
        };
        let mut weights = Weights { rest: self.rest, ..Weights::default() };
        for name in names {
            weights.arrays.extend(arrays.remove(&name).map(|array| (name[prefix.len()..].to_owned(), array)));
        }
        // What a network of the file consists of stands beside its arrays.
        let model = match (weights.rest.get("description").is_some(), family(&self.family)) {
            (true, _) => load_network(&mut weights),
            (false, Some(family)) => family.load(&mut weights),
            (false, None) => return Err(BundleError(format!("this program has no family `{}`", self.family))),
        };
        let model = model.ok_or_else(|| broken(&"arrays are missing"))?;
        Ok(Fitted {
            version: version.to_owned(),
            family: self.family,
            config: self.config,
            seed: self.seed,
            target: self.target,
            prepare: self.prepare.ready(),
            model,
            before,
            own,
        })
    }
}

impl OwnHeader {
    fn models(self, arrays: &mut BTreeMap<String, Array>, version: &str) -> Result<Own, BundleError> {
        let mut models = BTreeMap::new();
        for (nth, (key, header)) in self.models.into_iter().enumerate() {
            models.insert(key, header.fitted(&own_prefix(nth), arrays, version)?);
        }
        Ok(Own { columns: self.columns, models })
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
