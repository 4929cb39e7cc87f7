//! The numbers of a tensor or a signal as they come from outside: in lists of lists, or all in one list.

use serde_json::Value;

use crate::ir;

/// Why a value is no tensor or signal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// A null or NaN is in it, so that the whole is null.
    Null,
    /// What is wrong, behind the column's name: `has 5 numbers instead of 6`.
    Wrong(String),
}

/// Appends the numbers of a tensor of this shape, row-major. Lists are nested as the shape says, or there is one with all
/// numbers. `out` is as before where it answers with an error.
pub fn tensor_of(tree: &Value, shape: &[u32], out: &mut Vec<f32>) -> Result<(), Unfit> {
    let whole = ir::tensor_numbers(shape).unwrap_or(usize::MAX);
    let nested = tree.as_array().and_then(|items| items.first()).is_some_and(Value::is_array);
    whole_or_nothing(out, |out| match nested {
        true => lists(tree, shape, out),
        false => list(tree, Some(whole), out),
    })
}

/// Appends the samples of a signal, one list of any length.
pub fn signal_of(tree: &Value, out: &mut Vec<f32>) -> Result<(), Unfit> {
    whole_or_nothing(out, |out| list(tree, None, out))
}

/// A number as f32; NaN stands for null, and what is too large for f32 is no number.
pub fn narrowed(value: f64) -> Result<f32, Unfit> {
    match value as f32 {
        _ if value.is_nan() => Err(Unfit::Null),
        narrow if narrow.is_finite() => Ok(narrow),
        _ => Err(Unfit::Wrong(format!("holds {value:e}, which is too large for 32 bits"))),
    }
}

/// The shortest decimal that reads as this f32, as a double: 0.1 for the f32 that is nearest to it.
pub fn shortest(value: f32) -> f64 {
    value.to_string().parse().unwrap_or_else(|_| f64::from(value))
}

/// `has 5 numbers instead of 6`.
pub fn wrong_count(found: usize, wanted: usize) -> Unfit {
    Unfit::Wrong(format!("has {found} numbers instead of {wanted}"))
}

fn whole_or_nothing(out: &mut Vec<f32>, gather: impl FnOnce(&mut Vec<f32>) -> Result<(), Unfit>) -> Result<(), Unfit> {
    let before = out.len();
    gather(out).inspect_err(|_| out.truncate(before))
}

fn lists(tree: &Value, shape: &[u32], out: &mut Vec<f32>) -> Result<(), Unfit> {
    let (Some(items), [size, inner @ ..]) = (tree.as_array(), shape) else {
        return Err(if tree.is_null() {
            Unfit::Null
        } else {
            Unfit::Wrong(format!("holds {}, which is no list", shown(tree)))
        });
    };
    if inner.is_empty() {
        return list(tree, Some(*size as usize), out);
    }
    if items.len() != *size as usize {
        return Err(Unfit::Wrong(format!("has {} lists where its shape has {size}", items.len())));
    }
    items.iter().try_for_each(|item| lists(item, inner, out))
}

fn list(tree: &Value, count: Option<usize>, out: &mut Vec<f32>) -> Result<(), Unfit> {
    let Value::Array(items) = tree else {
        return Err(Unfit::Wrong(format!("is {}, which is no list of numbers", shown(tree))));
    };
    if let Some(count) = count.filter(|count| *count != items.len()) {
        return Err(wrong_count(items.len(), count));
    }
    for item in items {
        out.push(number(item)?);
    }
    Ok(())
}

fn number(item: &Value) -> Result<f32, Unfit> {
    match item {
        Value::Null => Err(Unfit::Null),
        Value::Number(number) => narrowed(number.as_f64().unwrap_or(f64::NAN)),
        Value::Bool(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
            Err(Unfit::Wrong(format!("holds {}, which is no number", shown(item))))
        }
    }
}

/// Signs of a value that a message shows.
const SHOWN_MAX: usize = 40;

fn shown(tree: &Value) -> String {
    let text = tree.to_string();
    match text.char_indices().nth(SHOWN_MAX) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(tree: Value, shape: &[u32]) -> Result<Vec<f32>, Unfit> {
        let mut out = vec![7.0];
        let done = tensor_of(&tree, shape, &mut out);
        assert_eq!(done.is_err(), out.len() == 1, "what does not fit leaves nothing behind");
        done.map(|()| out[1..].to_vec())
    }

    #[test]
    fn a_tensor_is_nested_as_its_shape_or_flat() {
        let numbers = vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        assert_eq!(read(json!([[1, 2, 3], [4, 5, 6]]), &[2, 3]), Ok(numbers.clone()));
        assert_eq!(read(json!([1, 2, 3, 4, 5, 6]), &[2, 3]), Ok(numbers.clone()));
        assert_eq!(read(json!([[[1], [2], [3]], [[4], [5], [6]]]), &[2, 3, 1]), Ok(numbers));
    }

    #[test]
    fn another_nesting_is_no_tensor_of_the_shape() {
        for (tree, why) in [
            (json!([[1, 2], [3, 4], [5, 6]]), "has 3 lists where its shape has 2"),
            (json!([[1, 2, 3], [4, 5]]), "has 2 numbers instead of 3"),
            (json!([1, 2, 3]), "has 3 numbers instead of 6"),
            (json!([[[1, 2, 3]], [[4, 5, 6]]]), "has 1 numbers instead of 3"),
            (json!([[1, 2, "x"], [4, 5, 6]]), "holds \"x\", which is no number"),
            (json!(3), "is 3, which is no list of numbers"),
            (json!([[1, 2, 1e300], [4, 5, 6]]), "holds 1e300, which is too large for 32 bits"),
        ] {
            assert_eq!(read(tree.clone(), &[2, 3]), Err(Unfit::Wrong(why.to_owned())), "{tree}");
        }
    }

    #[test]
    fn a_null_in_it_makes_the_whole_null() {
        assert_eq!(read(json!([[1, null, 3], [4, 5, 6]]), &[2, 3]), Err(Unfit::Null));
        assert_eq!(read(json!([[1, 2, 3], null]), &[2, 3]), Err(Unfit::Null));
        assert_eq!(signal_of(&json!([1, null]), &mut Vec::new()), Err(Unfit::Null));
    }

    #[test]
    fn short_decimals_stay_short() {
        for value in [0.1f32, -2.5e-3, 16_777_216.0, f32::MAX, 1e-45] {
            assert_eq!(shortest(value) as f32, value);
        }
        assert_eq!(shortest(0.1), 0.1);
    }
}
