//! Who answers a row, and what a bundle of many models holds.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use proptest::prelude::*;

use super::*;
use crate::ir::Type;
use crate::model::{Config, family};
use crate::node::Predictor;

fn column(name: &str, ty: Type) -> Column {
    Column { name: name.into(), ty, nullable: true, span: Default::default() }
}

/// A number, the device, and the truth, which is the number's sign for one device and its opposite for the other; the third
/// has few rows, the fourth is always true, and some rows have no device.
fn table(rows: usize) -> (RecordBatch, ArrayRef) {
    let device = |row: usize| match row % 11 {
        0 => None,
        1 => Some("rare"),
        2 | 3 => Some("still"),
        other if other.is_multiple_of(2) => Some("plain"),
        _ => Some("turned, around"),
    };
    let x = |row: usize| ((row * 7919 % 211) as f64 - 105.0) / 100.0;
    let truth = |row: usize| match device(row) {
        Some("turned, around") => x(row) < 0.0,
        Some("still") => true,
        _ => x(row) >= 0.0,
    };
    let fields = vec![Field::new("x", DataType::Float64, true), Field::new("device", DataType::Utf8, true)];
    let columns: Vec<ArrayRef> = vec![
        Arc::new((0..rows).map(|row| Some(x(row))).collect::<Float64Array>()),
        Arc::new((0..rows).map(device).collect::<StringArray>()),
    ];
    let truth: ArrayRef = Arc::new(BooleanArray::from((0..rows).map(truth).collect::<Vec<_>>()));
    (RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap(), truth)
}

fn fitted(name: &str, rows_min: usize) -> (Fitted, RecordBatch, ArrayRef) {
    let (table, target) = table(1_100);
    let family = family(name).unwrap();
    let (features, keys) = ([column("x", Type::NUMBER())], [column("device", Type::Text)]);
    let rows: Vec<usize> = (0..table.num_rows()).collect();
    let request = FitRequest {
        family,
        config: &family.config(&Config::default()),
        seed: 3,
        purpose: Purpose::Classify,
        features: &features,
        table: &table,
        target: &target,
        target_type: &Type::Bool,
        before: &[],
        rows: &rows,
        weights: None,
        balance: false,
        flag: 0.0,
        per: Some(PerKey { columns: &keys, rows: rows_min }),
    };
    let fitted = request.fit(&Control::default()).unwrap();
    (fitted, table, target)
}

fn keys(fitted: &Fitted) -> Vec<&str> {
    fitted.own.iter().flat_map(|own| own.models.keys().map(String::as_str)).collect()
}

#[test]
fn keys_with_rows_enough_and_something_to_tell_have_a_model_of_their_own() {
    let (fitted, table, truth) = fitted("logistic", 200);
    assert_eq!(keys(&fitted), ["plain", "turned\\, around"], "`still` has one class, `rare` has 100 rows");
    let answers = fitted.predict(&table).unwrap();
    let device = key_texts(&[column("device", Type::Text)], &table);
    let right = |key: &str| {
        let rows = (0..table.num_rows()).filter(|row| device[*row].as_deref() == Some(key)).collect::<Vec<_>>();
        let (answers, truth) = (
            answers.values.as_any().downcast_ref::<BooleanArray>().unwrap(),
            truth.as_any().downcast_ref::<BooleanArray>().unwrap(),
        );
        rows.iter().filter(|row| answers.value(**row) == truth.value(**row)).count() as f64 / rows.len() as f64
    };
    assert!(right("plain") > 0.97 && right("turned\\, around") > 0.97, "what one model cannot learn, two can");
    assert_eq!(keys(&self::fitted("logistic", 10_000).0), [""; 0]);
}

/// The whole promise: a row is answered by the model of its own key alone, else by the one that all share.
#[test]
fn a_row_is_answered_by_its_own_keys_model_or_by_the_shared_one() {
    let (fitted, table, _) = fitted("tree", 200);
    let own = fitted.own.as_ref().unwrap();
    let texts = key_texts(&own.columns, &table);
    let whole = fitted.predict(&table).unwrap();
    for (row, text) in texts.iter().enumerate() {
        let one = table.slice(row, 1);
        let alone = text.as_ref().and_then(|key| own.models.get(key)).unwrap_or(&fitted).answer_alone(&one);
        assert_eq!(
            (&whole.values.slice(row, 1), whole.scores.as_ref().map(|all| all.value(row))),
            (&alone.values, alone.scores.map(|one| one.value(0)))
        );
        assert_eq!(&fitted.predict(&one).unwrap().values, &alone.values);
    }
    let parts = fitted.parts(&table, &[0, 1, 2, 4, 5]);
    let told: Vec<(Option<&str>, &[usize])> = parts.iter().map(|part| (part.key, &part.rows[..])).collect();
    assert_eq!(told, [(None, &[0, 1, 2][..]), (Some("plain"), &[4][..]), (Some("turned\\, around"), &[5][..])]);
}

#[test]
fn a_bundle_holds_every_keys_model() {
    for name in ["logistic", "forest", "mlp"] {
        let (fitted, table, _) = fitted(name, 200);
        let bytes = fitted.to_bytes();
        let back = Fitted::from_bytes(&bytes, "room-1").unwrap();
        assert_eq!((back.to_bytes() == bytes, keys(&back)), (true, keys(&fitted)), "{name}");
        assert_eq!(&back.predict(&table).unwrap().values, &fitted.predict(&table).unwrap().values, "{name}");
    }
    let alone = Fitted { own: None, ..fitted("logistic", 200).0 };
    assert!(!String::from_utf8_lossy(&alone.to_bytes()).contains("own"));
}

#[test]
fn rows_without_their_key_are_answered_by_the_shared_model() {
    let (fitted, table, _) = fitted("logistic", 200);
    let bare = table.project(&[0]).unwrap();
    assert_eq!(&fitted.predict(&bare).unwrap().values, &fitted.answer_alone(&bare).values);
    assert_eq!(fitted.predict(&table.slice(0, 0)).unwrap().values.len(), 0);
}

proptest! {
    #[test]
    fn different_keys_have_different_texts(a in ".{0,6}", b in ".{0,6}", c in ".{0,6}", d in ".{0,6}") {
        let of = |x: &str, y: &str| {
            let fields = vec![Field::new("a", DataType::Utf8, true), Field::new("b", DataType::Utf8, true)];
            let columns: Vec<ArrayRef> = vec![Arc::new(StringArray::from(vec![x])), Arc::new(StringArray::from(vec![y]))];
            let table = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();
            key_texts(&[column("a", Type::Text), column("b", Type::Text)], &table)[0].clone().unwrap()
        };
        prop_assert_eq!(of(&a, &b) == of(&c, &d), (a, b) == (c, d));
    }
}

#[test]
fn a_key_of_which_a_part_is_missing_is_nobodys() {
    let fields = vec![Field::new("a", DataType::Utf8, true), Field::new("n", DataType::Int64, true)];
    let columns: Vec<ArrayRef> = vec![
        Arc::new(StringArray::from(vec![Some("x"), None, Some("x")])),
        Arc::new(Int64Array::from(vec![Some(3), Some(3), None])),
    ];
    let table = RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap();
    let texts = |names: &[(&str, Type)]| {
        key_texts(&names.iter().map(|(name, ty)| column(name, ty.clone())).collect::<Vec<_>>(), &table)
    };
    assert_eq!(texts(&[("a", Type::Text), ("n", Type::Int)]), [Some("x, 3".to_owned()), None, None]);
    assert_eq!(texts(&[("a", Type::Text), ("gone", Type::Int)]), [None, None, None]);
}
