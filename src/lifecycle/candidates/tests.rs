//! What a search may try: spaces, and configurations drawn from them.

use super::super::fixtures::{candidate, task};
use super::*;
use crate::ir::network::{Layer, NetworkInput, Pointwise, Portion, Size};

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

/// A `network` with a range of widths and one of dropout.
fn network(high: u32) -> Network {
    let features: Vec<Name> = vec!["co2".into()];
    let inputs = vec![NetworkInput { name: "x".into(), features, shape: None }];
    let layers = vec![
        Layer::Linear { outputs: Size::Range(4, high) },
        Layer::Pointwise(Pointwise::Relu),
        Layer::Dropout { share: Portion { low: 0.0, high: 0.4 } },
        Layer::Linear { outputs: Size::Classes },
    ];
    Network { name: "own".into(), inputs, layers }
}

fn own(high: u32, settings: Vec<(&str, Choices)>) -> Candidate {
    Candidate { network: Some(network(high)), ..candidate("own", settings) }
}

#[test]
fn ranges_of_a_network_are_searched_from_their_middle() {
    let spaces = spaces(&listed(vec![own(16, vec![("lr", range(1e-3, 1e-1))])])).unwrap();
    let first = &spaces[0].first[0];
    assert_eq!(first.0["linear.outputs"], ConfigValue::Int(8));
    assert_eq!(first.0["dropout.share"], ConfigValue::Float(0.2));
    let searched: Vec<&str> = spaces[0].dimensions.iter().map(|axis| &*axis.setting).collect();
    assert_eq!(searched, ["linear.outputs", "dropout.share", "lr"]);
    let mut stream = Stream::new(3);
    for _ in 0..100 {
        let found = spaces[0].anywhere(&mut stream);
        assert!((4..=16).contains(&found.int("linear.outputs")), "{found}");
    }
}

#[test]
fn a_kept_network_is_allowed_as_long_as_the_text_could_still_come_to_it() {
    let config = |outputs: i64| {
        Config::default()
            .with("linear.outputs", ConfigValue::Int(outputs))
            .with("dropout.share", ConfigValue::Float(0.1))
            .with("epochs", ConfigValue::Int(5))
    };
    let now = Models::Listed(vec![own(16, vec![])]);
    let trained = network(64);
    assert!(allows(&now, "own", &config(12), Some(&trained)), "another range, and inside of it");
    assert!(!allows(&now, "own", &config(32), Some(&trained)), "wider than the text allows now");
    let mut other = network(64);
    other.layers[1] = Layer::Pointwise(Pointwise::Tanh);
    assert!(!allows(&now, "own", &config(12), Some(&other)), "another layer");
    assert!(!allows(&now, "own", &config(12), None) && !allows(&Models::Auto, "own", &config(12), Some(&trained)));
    let fixed = Models::Listed(vec![own(16, vec![("epochs", fixed(Value::Int(9)))])]);
    assert!(!allows(&fixed, "own", &config(12), Some(&trained)), "trained otherwise");
    assert!(covers(&now, &now) && !covers(&now, &Models::Listed(vec![own(64, vec![])])));
}
