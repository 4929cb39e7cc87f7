//! The units of `stdlib/units.mliot`, and unit expressions made of them.

use std::collections::BTreeMap;

use crate::base::{Name, Unit, UnitError};
use crate::syntax::ast;

/// Every unit by its word.
#[derive(Clone, Debug, Default)]
pub struct Units(BTreeMap<Name, Unit>);

/// Why a unit expression means nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum UnitMistake {
    Unknown(ast::Ident),
    /// A scale with a zero of its own inside a product.
    Offset(ast::Ident),
    /// A power above 127.
    Power(ast::Ident),
}

impl Units {
    pub fn get(&self, word: &str) -> Option<&Unit> {
        self.0.get(word)
    }

    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(Name::as_str)
    }

    /// Adds a declaration of the library; it may use those before it.
    pub fn declare(&mut self, declaration: &ast::UnitDeclaration) -> Result<(), UnitMistake> {
        let name = &declaration.name.name;
        let unit = match &declaration.body {
            ast::UnitBody::Base => Unit::base(name.clone()),
            ast::UnitBody::Derived { factor, of, offset, difference } => {
                let of = of.as_ref().map_or(Ok(Unit::one()), |of| self.resolve(of))?;
                let difference = difference.as_ref().map(|unit| self.resolve(unit).map(Box::new)).transpose()?;
                let offset = offset.map_or(0.0, ast::Number::as_f64) * of.factor;
                Unit { factor: factor.as_f64() * of.factor, offset, text: name.clone(), difference, ..of }
            }
        };
        self.0.insert(name.clone(), unit);
        Ok(())
    }

    /// The unit that an expression such as `m/s^2` names, written as the author wrote it.
    pub fn resolve(&self, expr: &ast::UnitExpr) -> Result<Unit, UnitMistake> {
        let mut product = Unit::one();
        for factor in &expr.factors {
            let unit = self.get(&factor.unit.name).ok_or_else(|| UnitMistake::Unknown(factor.unit.clone()))?;
            if expr.factors.len() == 1 && factor.power == 1 {
                return Ok(unit.clone());
            }
            let power = unit.power(factor.power);
            let mistake = |error| match error {
                UnitError::Power => UnitMistake::Power(factor.unit.clone()),
                UnitError::Offset | UnitError::Mismatch => UnitMistake::Offset(factor.unit.clone()),
            };
            product = power.and_then(|unit| product.times(&unit)).map_err(mistake)?;
        }
        Ok(Unit { text: spelling(expr).into(), ..product })
    }
}

/// `m/s^2`, `1/s`.
fn spelling(expr: &ast::UnitExpr) -> String {
    let word = |factor: &ast::UnitFactor| match factor.power.unsigned_abs() {
        1 => factor.unit.name.to_string(),
        power => format!("{}^{power}", factor.unit.name),
    };
    let above: Vec<String> = expr.factors.iter().filter(|factor| factor.power > 0).map(word).collect();
    let below: Vec<String> = expr.factors.iter().filter(|factor| factor.power < 0).map(word).collect();
    let above = if above.is_empty() { "1".to_owned() } else { above.join("*") };
    std::iter::once(above).chain(below).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Span;

    fn ident(name: &str) -> ast::Ident {
        ast::Ident { name: name.into(), span: Span::default() }
    }

    fn product(factors: &[(&str, i8)]) -> ast::UnitExpr {
        let factors = factors.iter().map(|(unit, power)| ast::UnitFactor { unit: ident(unit), power: *power }).collect();
        ast::UnitExpr { factors, span: Span::default() }
    }

    fn declare(units: &mut Units, name: &str, body: ast::UnitBody) {
        units.declare(&ast::UnitDeclaration { name: ident(name), body }).unwrap();
    }

    fn derived(factor: f64, of: &[(&str, i8)], offset: Option<f64>, difference: Option<&str>) -> ast::UnitBody {
        ast::UnitBody::Derived {
            factor: ast::Number::Float(factor),
            of: (!of.is_empty()).then(|| product(of)),
            offset: offset.map(ast::Number::Float),
            difference: difference.map(|unit| product(&[(unit, 1)])),
        }
    }

    fn few() -> Units {
        let mut units = Units::default();
        for base in ["m", "s", "K"] {
            declare(&mut units, base, ast::UnitBody::Base);
        }
        declare(&mut units, "km", derived(1000.0, &[("m", 1)], None, None));
        declare(&mut units, "degC", derived(1.0, &[("K", 1)], Some(273.15), Some("K")));
        declare(&mut units, "percent", derived(0.01, &[], None, None));
        units
    }

    #[test]
    fn products_are_written_as_they_were_read() {
        let units = few();
        let unit = units.resolve(&product(&[("km", 1), ("s", -2)])).unwrap();
        assert_eq!((unit.to_string().as_str(), unit.factor), ("km/s^2", 1000.0));
        assert_eq!(units.resolve(&product(&[("s", -1)])).unwrap().to_string(), "1/s");
        assert_eq!(units.resolve(&product(&[("percent", 1)])).unwrap().factor, 0.01);
    }

    #[test]
    fn scales_with_a_zero_of_their_own_stand_alone() {
        let units = few();
        assert_eq!(units.resolve(&product(&[("degC", 1)])).unwrap().offset, 273.15);
        let mistake = units.resolve(&product(&[("degC", 1), ("s", -1)]));
        assert_eq!(mistake, Err(UnitMistake::Offset(ident("degC"))));
        assert_eq!(units.resolve(&product(&[("parsec", 1)])), Err(UnitMistake::Unknown(ident("parsec"))));
    }
}
