//! Settings of families: what may be set, and to what.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::base::Name;

/// One point of a family's space: every setting by name. The same shape for a request, a manifest and a report.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Config(pub BTreeMap<String, ConfigValue>);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ConfigValue {
    Int(i64),
    Float(f64),
    /// Such as the widths of hidden layers.
    Ints(Vec<i64>),
}

/// A setting of a family.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    pub name: Name,
    pub kind: SettingKind,
    pub default: ConfigValue,
}

/// What values it may have, both ends included, and where to look for good ones.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SettingKind {
    /// A whole number; searched on a logarithmic scale, and not by itself where both ends of `search` are equal.
    Int { low: i64, high: i64, search: (i64, i64) },
    /// A positive number; searched on a logarithmic scale.
    Scale { low: f64, high: f64, search: (f64, f64) },
    /// A share in 0..1.
    Share { low: f64, high: f64, search: (f64, f64) },
    /// Between one and `most` whole numbers.
    Ints { most: usize, low: i64, high: i64, search: (i64, i64) },
}

impl Config {
    /// Of a setting that the family has; configurations are complete.
    pub fn int(&self, name: &str) -> usize {
        match self.0.get(name) {
            Some(ConfigValue::Int(value)) => usize::try_from(*value).unwrap_or_default(),
            Some(ConfigValue::Float(value)) => value.round().max(0.0) as usize,
            Some(ConfigValue::Ints(_)) | None => unreachable!("a configuration has every setting of its family: {name}"),
        }
    }

    pub fn float(&self, name: &str) -> f64 {
        match self.0.get(name) {
            Some(ConfigValue::Int(value)) => *value as f64,
            Some(ConfigValue::Float(value)) => *value,
            Some(ConfigValue::Ints(_)) | None => unreachable!("a configuration has every setting of its family: {name}"),
        }
    }

    pub fn ints(&self, name: &str) -> Vec<usize> {
        let whole = |value: &i64| usize::try_from(*value).unwrap_or_default();
        match self.0.get(name) {
            Some(ConfigValue::Ints(values)) => values.iter().map(whole).collect(),
            Some(ConfigValue::Int(value)) => vec![whole(value)],
            Some(ConfigValue::Float(_)) | None => unreachable!("a configuration has every setting of its family: {name}"),
        }
    }

    pub fn with(mut self, name: &str, value: ConfigValue) -> Config {
        self.0.insert(name.to_owned(), value);
        self
    }
}

/// `trees: 100, depth: 12`.
impl fmt::Display for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        f.pad(&parts.join(", "))
    }
}

impl fmt::Display for ConfigValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ConfigValue::Int(value) => write!(f, "{value}"),
            ConfigValue::Float(value) if *value != 0.0 && value.abs() < 0.01 => write!(f, "{value:.1e}"),
            ConfigValue::Float(value) => write!(f, "{}", (value * 1000.0).round() / 1000.0),
            ConfigValue::Ints(values) => {
                let values: Vec<String> = values.iter().map(ToString::to_string).collect();
                write!(f, "[{}]", values.join(", "))
            }
        }
    }
}
