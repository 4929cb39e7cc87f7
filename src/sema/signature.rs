//! What a built-in function takes and gives, read from its declaration in `stdlib/`.

use crate::base::{Name, Unit};
use crate::ir::{Aggregate, Generator, Running, Scalar, Type, Value};
use crate::syntax::ast;

use super::units::{UnitMistake, Units};

/// One declaration; several of one name are tried in order.
#[derive(Clone, Debug)]
pub struct Signature {
    pub name: Name,
    pub function: Builtin,
    pub params: Vec<Parameter>,
    pub result: Pattern,
    /// Null even where no argument is.
    pub may_be_null: bool,
    pub rule: ast::UnitRule,
    pub doc: String,
    pub examples: Vec<ast::Example>,
}

/// What carries it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Builtin {
    Scalar(Scalar),
    Running(Running),
    Aggregate(Aggregate),
    Generator(Generator),
}

#[derive(Clone, Debug)]
pub struct Parameter {
    pub name: Name,
    /// Any of these.
    pub patterns: Vec<Pattern>,
    pub variadic: bool,
    pub default: Option<Value>,
    /// Must be known when the file is compiled.
    pub setting: bool,
}

/// A type with variables.
#[derive(Clone, Debug, PartialEq)]
pub enum Pattern {
    /// `T`: any type, everywhere the same.
    Any,
    Exact(Type),
    /// `float<U/s>`: a product of unit variables and a unit.
    Float(UnitPattern),
    List(Box<Pattern>),
    /// Of any shape, which the call decides.
    Tensor,
    /// At any rate.
    Signal,
}

#[derive(Clone, Debug, PartialEq)]
pub struct UnitPattern {
    pub variables: Vec<(Name, i8)>,
    pub fixed: Unit,
}

impl Builtin {
    pub fn name(self) -> &'static str {
        match self {
            Builtin::Scalar(function) => function.name(),
            Builtin::Running(function) => function.name(),
            Builtin::Aggregate(function) => function.name(),
            Builtin::Generator(function) => function.name(),
        }
    }

    fn declared(name: &str, kind: Option<ast::FunctionKind>) -> Option<Builtin> {
        match kind {
            Some(ast::FunctionKind::Row) => Scalar::named(name).map(Builtin::Scalar),
            Some(ast::FunctionKind::Running) => Running::named(name).map(Builtin::Running),
            Some(ast::FunctionKind::Aggregate) => Aggregate::named(name).map(Builtin::Aggregate),
            Some(ast::FunctionKind::Window) => None,
            None => Generator::named(name).map(Builtin::Generator),
        }
    }
}

/// What is wrong with a declaration of the library.
#[derive(Clone, Debug)]
pub enum SignatureMistake {
    /// No built-in of this kind has the name.
    NoBuiltin(Name),
    Type(Name),
    Unit(UnitMistake),
}

impl Signature {
    pub fn read(function: &ast::Function, doc: &str, units: &Units) -> Result<Signature, SignatureMistake> {
        let ast::Function { name, params, result, kind, unit, state, examples } = function;
        let builtin = Builtin::declared(&name.name, *kind).ok_or_else(|| SignatureMistake::NoBuiltin(name.name.clone()))?;
        let settings: Vec<&str> = state.iter().map(|argument| argument.name.as_str()).collect();
        Ok(Signature {
            name: name.name.clone(),
            function: builtin,
            params: params.iter().map(|param| parameter(param, &settings, units)).collect::<Result<_, _>>()?,
            result: pattern(result, units)?,
            may_be_null: result.nullable,
            rule: unit.unwrap_or(ast::UnitRule::Refuses),
            doc: doc.to_owned(),
            examples: examples.clone(),
        })
    }

    /// As the declaration has it, for messages: `clamp(x, low, high)`.
    pub fn usage(&self) -> String {
        let params: Vec<String> = self
            .params
            .iter()
            .map(|param| match (param.variadic, &param.default) {
                (true, _) => format!("{}, …", param.name),
                (false, Some(default)) => format!("{} = {default}", param.name),
                (false, None) => param.name.to_string(),
            })
            .collect();
        format!("{}({})", self.name, params.join(", "))
    }
}

fn parameter(param: &ast::FunctionParam, settings: &[&str], units: &Units) -> Result<Parameter, SignatureMistake> {
    Ok(Parameter {
        name: param.name.name.clone(),
        patterns: param.types.iter().map(|ty| pattern(ty, units)).collect::<Result<_, _>>()?,
        variadic: param.variadic,
        default: param.default.as_ref().and_then(literal),
        setting: settings.contains(&param.name.name.as_str()),
    })
}

fn literal(expr: &ast::Expr) -> Option<Value> {
    match &expr.kind {
        ast::ExprKind::Number(ast::Number::Int(int)) => Some(Value::Int(*int)),
        ast::ExprKind::Number(ast::Number::Float(float)) => Some(Value::Float(*float)),
        ast::ExprKind::Bool(bool) => Some(Value::Bool(*bool)),
        ast::ExprKind::Text(text) => Some(Value::Text(text.value.clone())),
        _ => None,
    }
}

fn pattern(ty: &ast::Type, units: &Units) -> Result<Pattern, SignatureMistake> {
    let unknown = |what: &str| SignatureMistake::Type(what.into());
    Ok(match &ty.kind {
        ast::TypeKind::Bool => Pattern::Exact(Type::Bool),
        ast::TypeKind::Int(None) => Pattern::Exact(Type::Int),
        ast::TypeKind::Int(Some(_)) => return Err(unknown("int")),
        ast::TypeKind::Float(None) => Pattern::Exact(Type::Float(Unit::one())),
        ast::TypeKind::Float(Some(unit)) => Pattern::Float(unit_pattern(unit, units)?),
        ast::TypeKind::Text => Pattern::Exact(Type::Text),
        ast::TypeKind::Time => Pattern::Exact(Type::Time),
        ast::TypeKind::Duration => Pattern::Exact(Type::Duration),
        ast::TypeKind::Bytes => Pattern::Exact(Type::Bytes),
        ast::TypeKind::List(item) => Pattern::List(Box::new(pattern(item, units)?)),
        ast::TypeKind::Variable(_) => Pattern::Any,
        ast::TypeKind::Enum(_) => return Err(unknown("enum")),
        ast::TypeKind::Tensor(_) => Pattern::Tensor,
        ast::TypeKind::AnySignal(_) => Pattern::Signal,
        ast::TypeKind::Signal(_) => return Err(unknown("signal")),
    })
}

fn unit_pattern(expr: &ast::UnitExpr, units: &Units) -> Result<UnitPattern, SignatureMistake> {
    let is_variable = |factor: &&ast::UnitFactor| units.get(&factor.unit.name).is_none() && factor.unit.name.len() == 1;
    let (variables, fixed): (Vec<_>, Vec<_>) = expr.factors.iter().partition(is_variable);
    let rest = ast::UnitExpr { factors: fixed.into_iter().cloned().collect(), span: expr.span };
    let fixed = if rest.factors.is_empty() { Unit::one() } else { units.resolve(&rest).map_err(SignatureMistake::Unit)? };
    Ok(UnitPattern { variables: variables.into_iter().map(|factor| (factor.unit.name.clone(), factor.power)).collect(), fixed })
}
