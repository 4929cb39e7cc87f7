//! The parts of a JSON record that columns read, as a tree of keys.

use crate::diag::Code;
use crate::io::error::IoError;
use crate::ir::{Origin, SourceColumn};

/// A place in a record.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// Builders that take the value itself.
    pub columns: Vec<usize>,
    pub children: Vec<(Step, Wanted)>,
}

/// From a value to a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Key(String),
    /// From 0.
    Index(usize),
}

impl Wanted {
    /// Of these columns, whose builders are numbered in their order.
    pub fn of<'a>(columns: impl Iterator<Item = &'a SourceColumn>) -> Result<Wanted, IoError> {
        let mut root = Wanted::default();
        for (nth, column) in columns.enumerate() {
            let steps = match &column.origin {
                Origin::Field(name) => vec![Step::Key(name.to_string())],
                Origin::Position(nth) => vec![Step::Index((*nth as usize).saturating_sub(1))],
                Origin::Path(path) => steps(path).ok_or_else(|| no_path(column, path))?,
                Origin::Pattern(_) | Origin::Row | Origin::Arrival => continue,
            };
            steps.into_iter().fold(&mut root, Wanted::child).columns.push(nth);
        }
        Ok(root)
    }

    fn child(&mut self, step: Step) -> &mut Wanted {
        let at = self.children.iter().position(|(known, _)| *known == step).unwrap_or_else(|| {
            self.children.push((step, Wanted::default()));
            self.children.len() - 1
        });
        &mut self.children[at].1
    }

    /// The child of a key, looked for first where it stood in the record before: behind `after`.
    pub fn key(&self, key: &str, after: usize) -> Option<usize> {
        let is = |at: &usize| matches!(&self.children[*at].0, Step::Key(known) if known == key);
        (after..self.children.len()).chain(0..after.min(self.children.len())).find(is)
    }

    pub fn index(&self, index: usize) -> Option<&Wanted> {
        self.children.iter().find(|(step, _)| *step == Step::Index(index)).map(|(_, child)| child)
    }
}

/// `$.a[0].b`, `$["a b"]`; none if it does not read as a path.
fn steps(path: &str) -> Option<Vec<Step>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let (step, after) = if let Some(name) = rest.strip_prefix('.') {
            let end = name.find(['.', '[']).unwrap_or(name.len());
            (Step::Key(name[..end].to_owned()), &name[end..])
        } else {
            let inside = rest.strip_prefix('[')?;
            match inside.chars().next()? {
                quote @ ('"' | '\'') => {
                    let (key, after) = inside[1..].split_once(quote)?;
                    (Step::Key(key.to_owned()), after.strip_prefix(']')?)
                }
                _ => {
                    let (index, after) = inside.split_once(']')?;
                    (Step::Index(index.trim().parse().ok()?), after)
                }
            }
        };
        if step == Step::Key(String::new()) {
            return None;
        }
        steps.push(step);
        rest = after;
    }
    (!steps.is_empty()).then_some(steps)
}

fn no_path(column: &SourceColumn, path: &str) -> IoError {
    let message = format!("{path:?}, from which `{}` is read, is no path into JSON", column.column.name);
    IoError::new(Code::E0714, message).at(column.column.span).help("write it as in \"$.acc[0].x\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_keys_and_indices() {
        let key = |name: &str| Step::Key(name.to_owned());
        assert_eq!(steps("$.acc[0].x"), Some(vec![key("acc"), Step::Index(0), key("x")]));
        assert_eq!(steps("$[\"a b\"]['c']"), Some(vec![key("a b"), key("c")]));
        for wrong in ["", "$", "a", "$..a", "$.a[", "$[x]", "$.a[\"b]"] {
            assert_eq!(steps(wrong), None, "{wrong}");
        }
    }
}
