//! How often each value occurs: the most frequent one, and how many there are.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};

use super::super::super::cell::Cell;
use super::Fold;

/// Values in the order in which they first came, each with its count.
#[derive(Clone, Default)]
struct Tally {
    values: Vec<(Cell, i64)>,
    places: HashMap<Key, usize>,
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Key {
    Bool(bool),
    Int(i64),
    Float(u64),
    Text(Arc<str>),
    Other(String),
}

/// The value that occurs most; of several the one that came first.
#[derive(Clone, Default)]
pub(in super::super) struct Mode(Tally);

/// How many different values there are.
#[derive(Clone, Default)]
pub(in super::super) struct Distinct(Tally);

impl Key {
    /// The two zeros are one value.
    fn of(value: &Cell) -> Key {
        match value {
            Cell::Bool(value) => Key::Bool(*value),
            Cell::Int(value) => Key::Int(*value),
            Cell::Float(value) => Key::Float((value + 0.0).to_bits()),
            Cell::Text(text) => Key::Text(Arc::clone(text)),
            Cell::Null | Cell::List(_) | Cell::Other(_) => Key::Other(format!("{value:?}")),
        }
    }
}

impl Tally {
    fn add(&mut self, value: Cell, times: i64) {
        let next = self.values.len();
        let place = *self.places.entry(Key::of(&value)).or_insert(next);
        if place == next {
            self.values.push((value, 0));
        }
        self.values[place].1 += times;
    }

    fn merge(&mut self, later: Tally) {
        later.values.into_iter().for_each(|(value, times)| self.add(value, times));
    }

    fn parts(args: &[DataType]) -> Vec<DataType> {
        let list = |ty: &DataType| DataType::List(Field::new_list_field(ty.clone(), true).into());
        vec![list(&args[0]), list(&DataType::Int64)]
    }

    fn save(&self) -> Vec<Cell> {
        let values = self.values.iter().map(|(value, _)| value.clone()).collect();
        let counts = self.values.iter().map(|(_, times)| Cell::Int(*times)).collect();
        vec![Cell::List(values), Cell::List(counts)]
    }

    fn load(parts: Vec<Cell>) -> Tally {
        let mut tally = Tally::default();
        if let [Cell::List(values), Cell::List(counts)] = &parts[..] {
            for (value, times) in values.iter().zip(counts) {
                tally.add(value.clone(), times.as_int().unwrap_or(0));
            }
        }
        tally
    }
}

impl Fold for Mode {
    fn parts(args: &[DataType]) -> Vec<DataType> {
        Tally::parts(args)
    }

    fn update(&mut self, args: &[Cell]) {
        self.0.add(args[0].clone(), 1);
    }

    fn merge(&mut self, later: Mode) {
        self.0.merge(later.0);
    }

    fn save(&self) -> Vec<Cell> {
        self.0.save()
    }

    fn load(&self, parts: Vec<Cell>) -> Mode {
        Mode(Tally::load(parts))
    }

    fn value(&self, _: &DataType) -> Cell {
        let most = self.0.values.iter().rev().max_by_key(|(_, times)| *times);
        most.map_or(Cell::Null, |(value, _)| value.clone())
    }
}

impl Fold for Distinct {
    fn parts(args: &[DataType]) -> Vec<DataType> {
        Tally::parts(args)
    }

    fn update(&mut self, args: &[Cell]) {
        self.0.add(args[0].clone(), 1);
    }

    fn merge(&mut self, later: Distinct) {
        self.0.merge(later.0);
    }

    fn save(&self) -> Vec<Cell> {
        self.0.save()
    }

    fn load(&self, parts: Vec<Cell>) -> Distinct {
        Distinct(Tally::load(parts))
    }

    fn value(&self, _: &DataType) -> Cell {
        Cell::Int(self.0.values.len() as i64)
    }
}
