//! Units of measurement and their algebra.
//!
//! A unit is a product of powers of base units times a factor, plus an offset where its scale has a zero of its own
//! (degC, degF). Which units exist is declared in `stdlib/units.mliot`; this file only calculates.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Name;

/// Powers of base units; the empty product is a pure number.
pub type Dimension = BTreeMap<Name, i8>;

/// `value in base units = value * factor + offset`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Unit {
    pub dimension: Dimension,
    pub factor: f64,
    pub offset: f64,
    /// As the author writes it: `degC`, `m/s^2`; empty for a pure number.
    pub text: Name,
    /// For an offset scale, the unit of a difference of two of its values (K for degC).
    pub difference: Option<Box<Unit>>,
}

/// Why two units cannot be combined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnitError {
    /// Their dimensions differ.
    Mismatch,
    /// Arithmetic on a scale with a zero of its own: `20degC + 20degC`, `degC * 2`.
    Offset,
    /// A power above 127.
    Power,
}

impl Unit {
    /// A pure number.
    pub fn one() -> Unit {
        Unit { dimension: Dimension::new(), factor: 1.0, offset: 0.0, text: "".into(), difference: None }
    }

    pub fn base(name: Name) -> Unit {
        Unit { dimension: [(name.clone(), 1)].into(), text: name, ..Unit::one() }
    }

    pub fn is_one(&self) -> bool {
        self.dimension.is_empty() && self.factor == 1.0 && self.offset == 0.0
    }

    /// Has its scale a zero of its own?
    pub fn has_offset(&self) -> bool {
        self.difference.is_some()
    }

    pub fn same_dimension(&self, other: &Unit) -> bool {
        self.dimension == other.dimension
    }

    /// `(scale, shift)` with `value in other = value * scale + shift`.
    pub fn conversion(&self, other: &Unit) -> Result<(f64, f64), UnitError> {
        if !self.same_dimension(other) {
            return Err(UnitError::Mismatch);
        }
        Ok((self.factor / other.factor, (self.offset - other.offset) / other.factor))
    }

    pub fn times(&self, other: &Unit) -> Result<Unit, UnitError> {
        self.combine(other, 1)
    }

    pub fn per(&self, other: &Unit) -> Result<Unit, UnitError> {
        self.combine(other, -1)
    }

    pub fn power(&self, exponent: i8) -> Result<Unit, UnitError> {
        if self.has_offset() {
            return Err(UnitError::Offset);
        }
        let mut dimension = Dimension::new();
        for (name, power) in &self.dimension {
            dimension.insert(name.clone(), power.checked_mul(exponent).ok_or(UnitError::Power)?);
        }
        dimension.retain(|_, power| *power != 0);
        let text = match (self.text.is_empty(), exponent) {
            (true, _) | (_, 0) => String::new(),
            (_, 1) => self.text.to_string(),
            _ => format!("{}^{exponent}", atom(&self.text)),
        };
        Ok(Unit { dimension, factor: self.factor.powi(exponent.into()), text: text.into(), ..Unit::one() })
    }

    /// The unit of a difference of two values: K for degC, itself for others.
    pub fn of_difference(&self) -> Unit {
        self.difference.as_deref().cloned().unwrap_or_else(|| self.clone())
    }

    fn combine(&self, other: &Unit, sign: i8) -> Result<Unit, UnitError> {
        if self.has_offset() || other.has_offset() {
            return Err(UnitError::Offset);
        }
        let mut dimension = self.dimension.clone();
        for (name, power) in &other.dimension {
            let entry = dimension.entry(name.clone()).or_default();
            let change = power.checked_mul(sign).ok_or(UnitError::Power)?;
            *entry = entry.checked_add(change).ok_or(UnitError::Power)?;
        }
        dimension.retain(|_, power| *power != 0);
        let factor = if sign > 0 { self.factor * other.factor } else { self.factor / other.factor };
        let text = match (self.text.is_empty(), other.text.is_empty(), sign > 0) {
            (_, true, _) => self.text.to_string(),
            (true, false, true) => other.text.to_string(),
            (true, false, false) => format!("1/{}", atom(&other.text)),
            (false, false, true) => format!("{}*{}", self.text, other.text),
            (false, false, false) => format!("{}/{}", self.text, atom(&other.text)),
        };
        let text = if dimension.is_empty() && factor == 1.0 { String::new() } else { text };
        Ok(Unit { dimension, factor, text: text.into(), ..Unit::one() })
    }
}

/// In brackets if it is more than one word, so that it can be divided by or raised.
fn atom(text: &str) -> String {
    if text.contains(['/', '*', '^']) { format!("({text})") } else { text.to_owned() }
}

/// Equal when values in one are values in the other; how they are written does not count.
impl PartialEq for Unit {
    fn eq(&self, other: &Unit) -> bool {
        self.same_dimension(other) && self.factor == other.factor && self.offset == other.offset
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(if self.text.is_empty() { "1" } else { &self.text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kelvin() -> Unit {
        Unit::base("K".into())
    }

    fn celsius() -> Unit {
        Unit { offset: 273.15, text: "degC".into(), difference: Some(Box::new(kelvin())), ..kelvin() }
    }

    #[test]
    fn speeds_divide() {
        let (metre, second) = (Unit::base("m".into()), Unit::base("s".into()));
        let speed = metre.per(&second).unwrap();
        assert_eq!(speed.to_string(), "m/s");
        assert_eq!(speed.times(&second).unwrap(), metre);
        assert_eq!(second.power(2).unwrap().to_string(), "s^2");
        assert!(metre.per(&metre).unwrap().is_one());
    }

    #[test]
    fn powers_have_an_end() {
        let metre = Unit::base("m".into());
        let high = metre.power(100).unwrap();
        assert_eq!(high.power(2), Err(UnitError::Power));
        assert_eq!(high.times(&high), Err(UnitError::Power));
        assert_eq!(metre.power(-128).unwrap().per(&metre), Err(UnitError::Power));
    }

    #[test]
    fn offset_scales_convert_and_refuse_products() {
        let (scale, shift) = celsius().conversion(&kelvin()).unwrap();
        assert_eq!((scale, shift), (1.0, 273.15));
        assert_eq!(celsius().times(&celsius()), Err(UnitError::Offset));
        assert_eq!(celsius().of_difference(), kelvin());
        assert_eq!(celsius().conversion(&Unit::one()), Err(UnitError::Mismatch));
    }
}
