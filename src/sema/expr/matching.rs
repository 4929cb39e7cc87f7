//! Which declaration of a function fits the arguments, and what comes out of it.

use std::collections::BTreeMap;

use crate::base::{Name, Span, Unit, UnitError};
use crate::diag::{Code, Diagnostic};
use crate::ir::{Type, Value};
use crate::sema::findings::{list, quoted};
use crate::sema::shape::Shape;
use crate::sema::signature::{Parameter, Pattern, Signature, UnitPattern};
use crate::syntax::ast::{self, UnitRule};

use super::fit::{Misfit, fit, meet};
use super::mismatch::unfit;
use super::typed::{Flex, Typed};

/// Arguments brought to what the declaration wants, with the parameter of each, in the order of the parameters.
#[derive(Clone, Debug)]
pub struct Matched {
    pub signature: &'static Signature,
    pub args: Vec<(usize, Typed)>,
    pub result: Type,
}

type Named = (Option<ast::Ident>, Typed);

/// The first declaration that fits; else why the likeliest one does not.
pub fn match_call(
    name: &ast::Ident,
    signatures: &'static [Signature],
    args: Vec<Named>,
    span: Span,
    shape: &Shape,
) -> Result<Matched, Box<Diagnostic>> {
    let mut best: Option<(usize, Diagnostic)> = None;
    for signature in signatures {
        match try_one(name, signature, &args, span, shape) {
            Ok(matched) => return Ok(matched),
            Err((fitting, diagnostic)) => {
                // Of equally good ones the last, which is the most general.
                if best.as_ref().is_none_or(|(before, _)| fitting >= *before) {
                    best = Some((fitting, *diagnostic));
                }
            }
        }
    }
    let (_, diagnostic) = best.expect("a function has at least one declaration");
    Err(Box::new(diagnostic))
}

/// How many arguments fitted before it failed, and the message.
type Failure = (usize, Box<Diagnostic>);

fn try_one(
    name: &ast::Ident,
    signature: &'static Signature,
    args: &[Named],
    span: Span,
    shape: &Shape,
) -> Result<Matched, Failure> {
    let mut placed = placed(name, signature, args, span).map_err(|diagnostic| (0, Box::new(diagnostic)))?;
    let mut bound = Bound::default();
    // What has a unit of its own decides before bare numbers follow.
    let mut order: Vec<usize> = (0..placed.len()).collect();
    order.sort_by_key(|nth| placed[*nth].1.flex != Flex::Fixed);
    for (done, nth) in order.into_iter().enumerate() {
        let (at, typed) = placed[nth].clone();
        let typed = bound.argument(signature, at, typed, shape).map_err(|diagnostic| (done + 1, Box::new(diagnostic)))?;
        placed[nth] = (at, typed);
    }
    if signature.params.iter().any(|param| param.variadic && param.patterns == [Pattern::Any]) {
        level(&mut placed, &mut bound);
    }
    let result = bound.result(signature, span).map_err(|diagnostic| (placed.len() + 1, Box::new(diagnostic)))?;
    Ok(Matched { signature, args: placed, result })
}

/// Each argument with the number of its parameter.
fn placed(name: &ast::Ident, signature: &Signature, args: &[Named], span: Span) -> Result<Vec<(usize, Typed)>, Diagnostic> {
    let mut out: Vec<(usize, Typed)> = Vec::new();
    let mut next = 0;
    for (label, typed) in args {
        let at = match label {
            Some(label) => {
                let at = signature.params.iter().position(|param| param.name == label.name);
                at.ok_or_else(|| unknown_argument(label, signature))?
            }
            None => next,
        };
        let Some(param) = signature.params.get(at) else { return Err(wrong_count(name, signature, args.len(), span)) };
        if !param.variadic && out.iter().any(|(taken, _)| *taken == at) {
            return Err(wrong_count(name, signature, args.len(), span));
        }
        next = if param.variadic { at } else { at + 1 };
        out.push((at, typed.clone()));
    }
    for (at, param) in signature.params.iter().enumerate() {
        if out.iter().any(|(taken, _)| *taken == at) {
            continue;
        }
        match &param.default {
            Some(value) => out.push((at, default(value, span))),
            None => return Err(wrong_count(name, signature, args.len(), span)),
        }
    }
    out.sort_by_key(|(at, _)| *at);
    Ok(out)
}

fn default(value: &Value, span: Span) -> Typed {
    match value {
        Value::Int(_) | Value::Float(_) => Typed::bare(value.clone(), span),
        Value::Text(text) => Typed::text(text.clone(), span),
        other => Typed::literal(other.clone(), Type::Bool, span),
    }
}

/// What the variables of a declaration stand for in one call.
#[derive(Default)]
struct Bound {
    any: Option<Type>,
    units: BTreeMap<Name, Unit>,
}

impl Bound {
    fn argument(&mut self, signature: &Signature, at: usize, typed: Typed, shape: &Shape) -> Result<Typed, Diagnostic> {
        let param = &signature.params[at];
        let mut first = None;
        for pattern in &param.patterns {
            match self.pattern(pattern, typed.clone()) {
                Ok(typed) => return Ok(typed),
                Err((want, misfit)) => first = first.or(Some((want, misfit))),
            }
        }
        let (want, misfit) = first.expect("a parameter has at least one type");
        let mut diagnostic = unfit(&typed, &want, &misfit, &wanted(signature, param), shape);
        let takes_any_unit = |pattern: &Pattern| matches!(pattern, Pattern::Float(unit) if !unit.variables.is_empty());
        if misfit == Misfit::Type && param.patterns.iter().all(takes_any_unit) {
            diagnostic.message = format!("{} needs a number", wanted(signature, param));
        }
        if param.patterns.contains(&Pattern::Signal) {
            diagnostic.message = format!("{} needs a signal or a tensor", wanted(signature, param));
            diagnostic.help = Some("a column of numbers has samples in a window: `| window 128 rows { … }`".to_owned());
        }
        Err(diagnostic)
    }

    fn pattern(&mut self, pattern: &Pattern, typed: Typed) -> Result<Typed, (Type, Misfit)> {
        match pattern {
            Pattern::Exact(ty) => fit(typed, ty).map_err(|misfit| (ty.clone(), misfit)),
            Pattern::Any => self.any(typed),
            Pattern::Float(unit) => self.float(unit, typed),
            Pattern::List(item) => {
                let item = match &**item {
                    Pattern::Exact(ty) => ty.clone(),
                    Pattern::Any | Pattern::Float(_) | Pattern::List(_) | Pattern::Tensor | Pattern::Signal => Type::NUMBER(),
                };
                Err((Type::List(Box::new(item)), Misfit::Type))
            }
            Pattern::Tensor if matches!(typed.ty(), Type::Tensor(_)) => Ok(typed),
            Pattern::Tensor => Err((Type::Tensor(vec![]), Misfit::Type)),
            Pattern::Signal if matches!(typed.ty(), Type::Signal(_)) => Ok(typed),
            Pattern::Signal => Err((Type::Signal(0), Misfit::Type)),
        }
    }

    fn any(&mut self, typed: Typed) -> Result<Typed, (Type, Misfit)> {
        match &self.any {
            None if typed.flex == Flex::Null => Ok(typed),
            None => {
                self.any = Some(typed.ty().clone());
                Ok(typed)
            }
            // Several of them are brought to one type afterwards.
            Some(ty) => match fit(typed.clone(), ty) {
                Ok(typed) => Ok(typed),
                Err(_) if typed.ty().is_number() && ty.is_number() && meet_types(ty, &typed) => Ok(typed),
                Err(misfit) => Err((ty.clone(), misfit)),
            },
        }
    }

    fn float(&mut self, pattern: &UnitPattern, typed: Typed) -> Result<Typed, (Type, Misfit)> {
        let [(variable, power)] = pattern.variables.as_slice() else {
            let ty = Type::Float(pattern.fixed.clone());
            return fit(typed, &ty).map_err(|misfit| (ty, misfit));
        };
        let unit = match self.units.get(variable) {
            Some(unit) => unit.clone(),
            None => own_unit(&typed, *power)?,
        };
        let raised = if *power == 1 { Ok(unit.clone()) } else { unit.power(*power) };
        let ty = Type::Float(raised.map_err(|_| (Type::NUMBER(), Misfit::Unit))?);
        let typed = fit(typed, &ty).map_err(|misfit| (ty, misfit))?;
        self.units.insert(variable.clone(), unit);
        Ok(typed)
    }

    fn result(&self, signature: &Signature, span: Span) -> Result<Type, Diagnostic> {
        let refused = || no_such_scale(signature, self.units.values().next(), span);
        if needs_true_zero(&signature.name) && self.units.values().any(Unit::has_offset) {
            return Err(refused());
        }
        match &signature.result {
            Pattern::Exact(ty) => Ok(ty.clone()),
            Pattern::Any => Ok(self.any.clone().unwrap_or(Type::Bool)),
            Pattern::Float(pattern) => {
                let unit = self.result_unit(pattern, signature.rule).map_err(|_| refused())?;
                Ok(Type::Float(unit))
            }
            Pattern::List(_) => Ok(Type::List(Box::new(self.any.clone().unwrap_or_else(Type::NUMBER)))),
            // Whoever calls such a function works its shape out.
            Pattern::Tensor => Ok(Type::Tensor(vec![])),
            Pattern::Signal => Ok(Type::Signal(0)),
        }
    }

    fn result_unit(&self, pattern: &UnitPattern, rule: UnitRule) -> Result<Unit, UnitError> {
        let mut out = Unit::one();
        for (variable, power) in &pattern.variables {
            let unit = self.units.get(variable).cloned().unwrap_or_else(Unit::one);
            let unit = match rule {
                UnitRule::Keeps | UnitRule::Refuses => unit,
                UnitRule::Difference | UnitRule::PerTime => unit.of_difference(),
            };
            let alone = *power == 1 && pattern.variables.len() == 1 && pattern.fixed.is_one();
            out = if alone { unit } else { out.times(&unit.power(*power)?)? };
        }
        if pattern.fixed.is_one() { Ok(out) } else { product_with(&out, &pattern.fixed) }
    }
}

/// `ppm` and `1/s` give `ppm/s`.
fn product_with(unit: &Unit, fixed: &Unit) -> Result<Unit, UnitError> {
    let product = unit.times(fixed)?;
    match fixed.text.strip_prefix("1/") {
        Some(below) if !unit.text.is_empty() => Ok(Unit { text: format!("{}/{below}", unit.text).into(), ..product }),
        _ => Ok(product),
    }
}

/// The unit `U` of a value in `U^power`.
fn own_unit(typed: &Typed, power: i8) -> Result<Unit, (Type, Misfit)> {
    let unit = match (typed.ty(), &typed.flex) {
        (_, Flex::Bare | Flex::Null) | (Type::Int, _) => Unit::one(),
        (_, Flex::Span { unit, .. }) => unit.clone(),
        (Type::Float(unit), _) => unit.clone(),
        _ => return Err((Type::NUMBER(), Misfit::Type)),
    };
    if power == 1 {
        return Ok(unit);
    }
    root(&unit, power).ok_or((Type::NUMBER(), Misfit::Unit))
}

/// The unit that gives this one when raised, such as m for m^2.
fn root(unit: &Unit, power: i8) -> Option<Unit> {
    if unit.has_offset() || unit.dimension.values().any(|exponent| exponent % power != 0) {
        return None;
    }
    if unit.is_one() {
        return Some(Unit::one());
    }
    let dimension = unit.dimension.iter().map(|(name, exponent)| (name.clone(), exponent / power)).collect();
    let suffix = format!("^{power}");
    let text = unit.text.strip_suffix(&suffix).map_or_else(|| format!("({})^(1/{power})", unit.text), str::to_owned);
    let text = text.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')).map_or(text.clone(), str::to_owned);
    Some(Unit { dimension, factor: unit.factor.powf(1.0 / f64::from(power)), text: text.into(), ..Unit::one() })
}

fn meet_types(ty: &Type, typed: &Typed) -> bool {
    let other = Typed::column("".into(), ty.clone(), false, typed.span());
    meet(other, typed.clone()).is_ok()
}

/// Brings the arguments of a variadic function of any type to one type.
fn level(placed: &mut [(usize, Typed)], bound: &mut Bound) {
    let mut all = placed.iter().map(|(_, typed)| typed.clone());
    let Some(mut widest) = all.next() else { return };
    for typed in all {
        if let Ok((left, _)) = meet(widest.clone(), typed) {
            widest = left;
        }
    }
    for (_, typed) in placed.iter_mut() {
        if let Ok(fitted) = fit(typed.clone(), widest.ty()) {
            *typed = fitted;
        }
    }
    bound.any = Some(widest.ty().clone());
}

/// Functions whose result means nothing on a scale with a zero of its own.
fn needs_true_zero(name: &str) -> bool {
    matches!(
        name,
        "sum" | "cumulative_sum" | "rms" | "hypot" | "abs" | "sign" | "mod" | "zero_crossings" | "atan2" | "crest" | "energy"
    )
}

fn wanted(signature: &Signature, param: &Parameter) -> String {
    if signature.params.len() == 1 {
        format!("`{}`", signature.name)
    } else {
        format!("`{}` of `{}`", param.name, signature.usage())
    }
}

/// E0302.
fn no_such_scale(signature: &Signature, unit: Option<&Unit>, span: Span) -> Diagnostic {
    let unit = unit.map_or(String::new(), |unit| format!(" of {unit}"));
    Diagnostic::new(Code::E0302, format!("`{}` means nothing for values{unit}, which has a zero of its own", signature.name))
        .at(span, "")
        .help("use `mean`, `min` or `max`, or a difference such as `x - previous(x)`")
}

/// E0306.
fn wrong_count(name: &ast::Ident, signature: &Signature, given: usize, span: Span) -> Diagnostic {
    let count = match signature.params.len() {
        0 => "no argument".to_owned(),
        1 => "one argument".to_owned(),
        many => format!("{many} arguments"),
    };
    Diagnostic::new(Code::E0306, format!("`{}` takes {count}, not {given}", name.name)).at(span, "").help(format!(
        "write `{}`{}",
        signature.usage(),
        first_sentence(&signature.doc)
    ))
}

fn first_sentence(doc: &str) -> String {
    match doc.lines().next() {
        Some(line) if !line.is_empty() => format!(": {}{}", line[..1].to_lowercase(), line[1..].trim_end_matches('.')),
        _ => String::new(),
    }
}

/// E0306.
fn unknown_argument(label: &ast::Ident, signature: &Signature) -> Diagnostic {
    let known: Vec<&str> = signature.params.iter().map(|param| param.name.as_str()).collect();
    let out = Diagnostic::new(Code::E0306, format!("`{}` has no argument `{}`", signature.name, label.name));
    match crate::base::nearest(&label.name, known.iter().copied()) {
        Some(close) => out.at(label.span, "not known").help(format!("write `{close}:`")).fix(label.span, quoted(close)),
        None => match list(&known) {
            Some(list) => out.at(label.span, "not known").help(format!("its arguments are {list}")),
            None => out.at(label.span, "not known").help("leave it out"),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roots_undo_powers() {
        let metre = Unit::base("m".into());
        let area = metre.power(2).unwrap();
        assert_eq!(root(&area, 2), Some(metre.clone()));
        assert_eq!(root(&area, 2).unwrap().to_string(), "m");
        assert_eq!(root(&metre, 2), None);
        let speed = metre.per(&Unit::base("s".into())).unwrap();
        assert_eq!(root(&speed.power(2).unwrap(), 2).unwrap().to_string(), "m/s");
        assert_eq!(super::super::phrase(&Type::Float(speed)), "a number of m/s");
    }
}
