//! One JSON record straight into the columns that want parts of it, without building the record.

use std::fmt;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Json;

use crate::io::column::{Cell, ColumnBuilder, Reason};
use crate::io::list;
use crate::io::records::Ignored;

use super::wanted::{Step, Wanted};

/// Appends one value to every builder; answers with the first thing that is wrong.
pub(super) fn fill(
    record: &[u8],
    wanted: &Wanted,
    builders: &mut [ColumnBuilder],
    seen: &mut [bool],
    ignored: &mut Ignored,
) -> Option<Reason> {
    seen.fill(false);
    let mut into = Record { builders, seen, ignored, why: None };
    let mut reader = serde_json::Deserializer::from_slice(record);
    let read = At { wanted, into: &mut into, root: true }.deserialize(&mut reader).and_then(|()| reader.end());
    if let Err(error) = read {
        into.why = Some(format!("no JSON: {error}"));
    }
    into.rest()
}

/// Where values go.
struct Record<'a> {
    builders: &'a mut [ColumnBuilder],
    seen: &'a mut [bool],
    ignored: &'a mut Ignored,
    why: Option<Reason>,
}

impl Record<'_> {
    /// The first of two values of one key counts.
    fn put(&mut self, columns: &[usize], cell: Cell<'_>) {
        for column in columns {
            if std::mem::replace(&mut self.seen[*column], true) {
                continue;
            }
            if let Err(reason) = self.builders[*column].append(cell.clone()) {
                self.why.get_or_insert(reason);
            }
        }
    }

    fn put_tree(&mut self, wanted: &Wanted, tree: &Json) {
        self.put(&wanted.columns, list::cell(tree));
        for (step, child) in &wanted.children {
            let part = match step {
                Step::Key(key) => tree.get(key),
                Step::Index(index) => tree.get(index),
            };
            if let Some(part) = part {
                self.put_tree(child, part);
            }
        }
    }

    /// What the record does not have.
    fn rest(self) -> Option<Reason> {
        let mut why = self.why;
        for (builder, seen) in self.builders.iter_mut().zip(self.seen.iter()) {
            if !seen && let Err(reason) = builder.append_null() {
                why.get_or_insert(reason);
            }
        }
        why
    }
}

/// A value in the record, on its way to what is wanted of it.
struct At<'w, 'i, 'b> {
    wanted: &'w Wanted,
    into: &'i mut Record<'b>,
    root: bool,
}

impl At<'_, '_, '_> {
    fn scalar(self, cell: Cell<'_>) {
        if self.root {
            self.into.why.get_or_insert("the record is no object".to_owned());
        }
        self.into.put(&self.wanted.columns, cell);
    }
}

impl<'de> DeserializeSeed<'de> for At<'_, '_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for At<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.scalar(Cell::Null);
        Ok(())
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.scalar(Cell::Bool(value));
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.scalar(Cell::Int(value));
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.scalar(i64::try_from(value).map_or(Cell::Float(value as f64), Cell::Int));
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.scalar(Cell::Float(value));
        Ok(())
    }

    fn visit_str<E>(self, value: &str) -> Result<(), E> {
        self.scalar(Cell::Text(value.as_bytes()));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        if !self.wanted.columns.is_empty() {
            let tree = Json::deserialize(SeqAccessDeserializer::new(items))?;
            self.into.put_tree(self.wanted, &tree);
            return Ok(());
        }
        if self.root && !self.wanted.children.iter().any(|(step, _)| matches!(step, Step::Index(_))) {
            self.into.why.get_or_insert("the record is a list, not an object".to_owned());
        }
        for index in 0.. {
            let more = match self.wanted.index(index) {
                Some(wanted) => items.next_element_seed(At { wanted, into: self.into, root: false })?,
                None => items.next_element::<IgnoredAny>()?.map(|_| ()),
            };
            if more.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        if !self.wanted.columns.is_empty() {
            let tree = Json::deserialize(MapAccessDeserializer::new(fields))?;
            self.into.put_tree(self.wanted, &tree);
            return Ok(());
        }
        let mut after = 0;
        while let Some(child) = fields.next_key_seed(Key { wanted: self.wanted, after, ignored: self.into.ignored })? {
            match child {
                Some(at) => {
                    after = at + 1;
                    fields.next_value_seed(At { wanted: &self.wanted.children[at].1, into: self.into, root: false })?;
                }
                None => {
                    fields.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// A key, as the number of the child that wants its value.
struct Key<'w, 'i> {
    wanted: &'w Wanted,
    after: usize,
    ignored: &'i mut Ignored,
}

impl<'de> DeserializeSeed<'de> for Key<'_, '_> {
    type Value = Option<usize>;
    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<Option<usize>, D::Error> {
        reader.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key<'_, '_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Option<usize>, E> {
        let child = self.wanted.key(key, self.after);
        if child.is_none() {
            self.ignored.fields += 1;
            self.ignored.name(key);
        }
        Ok(child)
    }
}
