//! What a search may try: spaces, and configurations drawn from them.

use super::super::fixtures::{candidate, task};
use super::*;

fn listed(candidates: Vec<Candidate>) -> Task {
    Task { models: Models::Listed(candidates), ..task() }
}

fn fixed(value: Value) -> Choices {
    Choices::One(Dimension::Fixed(value))
}

fn range(low: f64, high: f64) -> Choices {
    Choices::One(Dimension::Range(Value::Float(low), Value::Float(high)))
}

#[test]
fn what_is_not_said_keeps_its_default_and_is_not_searched() {
    let spaces = spaces(&listed(vec![candidate("logistic", vec![])])).unwrap();
    assert_eq!(spaces[0].first, [Config::default().with("l2", ConfigValue::Float(1.0))]);
    assert!(spaces[0].dimensions.is_empty());
}

#[test]
fn a_range_is_searched_and_begins_at_the_default() {
    let spaces = spaces(&listed(vec![candidate("logistic", vec![("l2", range(0.5, 50.0))])])).unwrap();
    assert_eq!(spaces[0].first, [Config::default().with("l2", ConfigValue::Float(1.0))]);
    let axis = &spaces[0].dimensions[0];
    assert_eq!(axis.value(0.5), ConfigValue::Float(5.0));
    assert!((axis.unit(5.0) - 0.5).abs() < 1e-9);
    let mut stream = Stream::new(1);
    for _ in 0..100 {
        let found = spaces[0].near(&spaces[0].anywhere(&mut stream), &mut stream).float("l2");
        assert!((0.5..=50.0).contains(&found), "{found}");
    }
}

#[test]
fn every_mistake_is_said_with_the_next_step() {
    let task = listed(vec![
        candidate("logistik", vec![]),
        candidate("linear", vec![]),
        candidate("persistence", vec![]),
        candidate("hoeffding_tree", vec![]),
        candidate("logistic", vec![("l3", fixed(Value::Int(1))), ("l2", fixed(Value::Int(-1)))]),
    ]);
    let found = spaces(&task).err().unwrap();
    let said: Vec<(Code, String)> = found.into_iter().map(|found| (found.code, found.help.unwrap())).collect();
    let codes: Vec<Code> = said.iter().map(|(code, _)| *code).collect();
    assert_eq!(codes, [Code::E0554, Code::E0554, Code::E0199, Code::E0199, Code::E0555, Code::E0555]);
    assert_eq!(said[0].1, "write `logistic`");
    assert!(said[1].1.starts_with("use constant, logistic"), "{}", said[1].1);
}

#[test]
fn under_auto_every_family_that_fits_is_searched() {
    let spaces = spaces(&task()).unwrap();
    let names: Vec<&str> = spaces.iter().map(|space| space.family.name()).collect();
    assert!(names.starts_with(&["constant", "logistic"]), "{names:?}");
    assert!(!names.contains(&"linear"));
}
