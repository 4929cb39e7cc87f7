//! Expressions as they are written down: a list in which each follows its parts, so that none is too deep for a reader that
//! counts how far things nest.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::base::{Name, Span};
use crate::ir::{Scalar, Type, Value};

use super::{BinaryOp, Expr, ExprKind};

/// An expression without its parts, which are the last ones before it.
#[derive(Serialize, Deserialize)]
struct Item {
    op: Op,
    ty: Type,
    nullable: bool,
}

#[derive(Serialize, Deserialize)]
enum Op {
    Literal(Value),
    Param(Name, Value),
    Column(Name),
    Slot(usize),
    Not,
    Negate,
    Binary(BinaryOp),
    /// With so many arguments.
    Call(Scalar, usize),
    If,
    Coalesce,
    IsNull,
    In(Vec<Value>),
    Convert {
        scale: f64,
        shift: f64,
    },
    Cast,
}

impl Serialize for Expr {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut items = Vec::new();
        put(self, &mut items);
        items.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Expr {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Expr, D::Error> {
        let mut parts = Vec::new();
        for Item { op, ty, nullable } in Vec::<Item>::deserialize(deserializer)? {
            let kind = op.over(&mut parts).ok_or_else(|| D::Error::custom("an expression lacks parts"))?;
            parts.push(Expr { kind, ty, nullable, span: Span::default() });
        }
        match (parts.pop(), parts.is_empty()) {
            (Some(whole), true) => Ok(whole),
            _ => Err(D::Error::custom("an expression has parts that belong to nothing")),
        }
    }
}

fn put(expr: &Expr, items: &mut Vec<Item>) {
    expr.parts().into_iter().for_each(|part| put(part, items));
    items.push(Item { op: Op::of(&expr.kind), ty: expr.ty.clone(), nullable: expr.nullable });
}

impl Op {
    fn of(kind: &ExprKind) -> Op {
        match kind {
            ExprKind::Literal(value) => Op::Literal(value.clone()),
            ExprKind::Param(name, value) => Op::Param(name.clone(), value.clone()),
            ExprKind::Column(name) => Op::Column(name.clone()),
            ExprKind::Slot(nth) => Op::Slot(*nth),
            ExprKind::Not(_) => Op::Not,
            ExprKind::Negate(_) => Op::Negate,
            ExprKind::Binary(op, _, _) => Op::Binary(*op),
            ExprKind::Call(function, args) => Op::Call(*function, args.len()),
            ExprKind::If(..) => Op::If,
            ExprKind::Coalesce(..) => Op::Coalesce,
            ExprKind::IsNull(_) => Op::IsNull,
            ExprKind::In(_, values) => Op::In(values.clone()),
            ExprKind::Convert { value: _, scale, shift } => Op::Convert { scale: *scale, shift: *shift },
            ExprKind::Cast(_) => Op::Cast,
        }
    }

    /// With the last of these as its parts; none if they are too few.
    fn over(self, parts: &mut Vec<Expr>) -> Option<ExprKind> {
        Some(match self {
            Op::Literal(value) => ExprKind::Literal(value),
            Op::Param(name, value) => ExprKind::Param(name, value),
            Op::Column(name) => ExprKind::Column(name),
            Op::Slot(nth) => ExprKind::Slot(nth),
            Op::Not => ExprKind::Not(last(parts)?),
            Op::Negate => ExprKind::Negate(last(parts)?),
            Op::Binary(op) => {
                let right = last(parts)?;
                ExprKind::Binary(op, last(parts)?, right)
            }
            Op::Call(function, count) => ExprKind::Call(function, parts.split_off(parts.len().checked_sub(count)?)),
            Op::If => {
                let (otherwise, then) = (last(parts)?, last(parts)?);
                ExprKind::If(last(parts)?, then, otherwise)
            }
            Op::Coalesce => {
                let otherwise = last(parts)?;
                ExprKind::Coalesce(last(parts)?, otherwise)
            }
            Op::IsNull => ExprKind::IsNull(last(parts)?),
            Op::In(values) => ExprKind::In(last(parts)?, values),
            Op::Convert { scale, shift } => ExprKind::Convert { value: last(parts)?, scale, shift },
            Op::Cast => ExprKind::Cast(last(parts)?),
        })
    }
}

fn last(parts: &mut Vec<Expr>) -> Option<Box<Expr>> {
    parts.pop().map(Box::new)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn expr(kind: ExprKind) -> Expr {
        Expr { kind, ty: Type::NUMBER(), nullable: true, span: Span::default() }
    }

    fn any() -> impl Strategy<Value = Expr> {
        let leaf = prop_oneof![
            (0.0..9.0f64).prop_map(|value| ExprKind::Literal(Value::Float(value))),
            "[a-c]".prop_map(|name| ExprKind::Column(name.as_str().into())),
            (0usize..4).prop_map(ExprKind::Slot),
            Just(ExprKind::Param("p".into(), Value::Int(3))),
        ];
        leaf.prop_map(expr).prop_recursive(6, 40, 3, |part| {
            let one = part.clone().prop_map(Box::new);
            let kind = prop_oneof![
                one.clone().prop_map(ExprKind::Not),
                one.clone().prop_map(ExprKind::Negate),
                one.clone().prop_map(ExprKind::IsNull),
                one.clone().prop_map(ExprKind::Cast),
                one.clone().prop_map(|one| ExprKind::In(one, vec![Value::Int(1), Value::Null])),
                one.clone().prop_map(|value| ExprKind::Convert { value, scale: 1.8, shift: 32.0 }),
                (one.clone(), one.clone()).prop_map(|(a, b)| ExprKind::Binary(BinaryOp::Sub, a, b)),
                (one.clone(), one.clone()).prop_map(|(a, b)| ExprKind::Coalesce(a, b)),
                (one.clone(), one.clone(), one).prop_map(|(a, b, c)| ExprKind::If(a, b, c)),
                prop::collection::vec(part, 0..3).prop_map(|args| ExprKind::Call(Scalar::Abs, args)),
            ];
            kind.prop_map(expr)
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(expr in any()) {
            let text = serde_json::to_string(&expr).unwrap();
            prop_assert_eq!(serde_json::from_str::<Expr>(&text).unwrap(), expr);
        }
    }

    #[test]
    fn lists_that_are_no_expression_are_refused() {
        let item = |op: &str| format!("{{\"op\":{op},\"ty\":\"Bool\",\"nullable\":true}}");
        let list = |ops: &[&str]| format!("[{}]", ops.iter().map(|op| item(op)).collect::<Vec<_>>().join(","));
        assert!(serde_json::from_str::<Expr>(&list(&["{\"Slot\":1}", "\"Not\""])).is_ok());
        for wrong in [&[][..], &["\"Not\""], &["{\"Slot\":1}", "{\"Slot\":2}"], &["{\"Call\":[\"Abs\",2]}"]] {
            assert!(serde_json::from_str::<Expr>(&list(wrong)).is_err(), "{wrong:?}");
        }
    }
}
