//! The table of contents of an epoch: what belongs to it, and how each part must look.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::base::{Hash, Time};
use crate::node::Ordinal;

/// Of everything in the state folder but the models. Another number is another layout, which is not read.
pub const FORMAT: u64 = 1;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    pub format: u64,
    /// Of the program that wrote it.
    pub mliot: String,
    pub number: u64,
    /// Rows before this ordinal are in it.
    pub at: Ordinal,
    /// When it was taken, and when the run began: where simulated recordings end and live simulations begin.
    pub taken: Time,
    pub began: Time,
    /// By file name.
    pub parts: BTreeMap<String, Part>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    pub bytes: u64,
    pub hash: Hash,
}

/// With its own checksum, so that a flipped digit is seen here too.
#[derive(Serialize, Deserialize)]
struct Sealed {
    manifest: Value,
    checksum: Hash,
}

/// Why a manifest is not one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread {
    Damaged(String),
    /// Of another format, written by that version.
    Other {
        format: u64,
        by: String,
    },
}

impl Part {
    pub fn of(bytes: &[u8]) -> Part {
        Part { bytes: bytes.len() as u64, hash: Hash::of_bytes(bytes) }
    }
}

impl Manifest {
    pub fn bytes(&self) -> Vec<u8> {
        let manifest = serde_json::to_value(self).expect("plain data always serialises");
        let checksum = Hash::of(&manifest);
        serde_json::to_vec_pretty(&Sealed { manifest, checksum }).expect("plain data always serialises")
    }

    /// The format is looked at first: another one may look any way behind it.
    pub fn read(bytes: &[u8]) -> Result<Manifest, Unread> {
        let damaged = |why: &dyn std::fmt::Display| Unread::Damaged(format!("its manifest does not read: {why}"));
        let Sealed { manifest, checksum } = serde_json::from_slice(bytes).map_err(|error| damaged(&error))?;
        if Hash::of(&manifest) != checksum {
            return Err(damaged(&"its checksum differs"));
        }
        match manifest["format"].as_u64() {
            Some(FORMAT) => serde_json::from_value(manifest).map_err(|error| damaged(&error)),
            Some(format) => {
                let by = manifest["mliot"].as_str().unwrap_or("of another version").to_owned();
                Err(Unread::Other { format, by })
            }
            None => Err(damaged(&"it names no format")),
        }
    }

    pub fn size(&self) -> u64 {
        self.parts.values().map(|part| part.bytes).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_format_is_seen_before_anything_else() {
        let manifest = serde_json::json!({ "format": 9, "mliot": "9.1.0" });
        let sealed = Sealed { checksum: Hash::of(&manifest), manifest };
        let bytes = serde_json::to_vec(&sealed).unwrap();
        assert_eq!(Manifest::read(&bytes), Err(Unread::Other { format: 9, by: "9.1.0".into() }));
        let flipped = String::from_utf8(bytes).unwrap().replace("9.1", "9.2");
        assert!(matches!(Manifest::read(flipped.as_bytes()), Err(Unread::Damaged(_))));
    }
}
