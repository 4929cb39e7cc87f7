//! What holds for every family.

use super::*;
use crate::ir::{FamilyFacts, Takes};
use crate::model::{ConfigValue, Part, SettingKind, Stream};

fn set(purpose: Purpose, classes: usize) -> TrainSet {
    let mut stream = Stream::new(41);
    let rows = 220;
    let x = Matrix { rows, columns: 5, data: (0..rows * 5).map(|_| stream.normal() as f32).collect() };
    let signal = |row: usize| x.row(row)[0] + 0.5 * x.row(row)[1] * x.row(row)[2];
    let y = match purpose {
        Purpose::Detect => Labels::Nothing,
        Purpose::Regress => Labels::Numbers((0..rows).map(|row| f64::from(signal(row)) * 10.0).collect()),
        Purpose::Classify => {
            let class = |row: usize| (((signal(row) + 2.0) * classes as f32 / 4.0) as u32).min(classes as u32 - 1);
            Labels::Classes { index: (0..rows).map(class).collect(), count: classes }
        }
    };
    let part = Part { name: "x".into(), width: 5, shape: Some(vec![5, 1]) };
    TrainSet { layout: Layout { parts: vec![part] }, x, y, weights: None }
}

/// Every family with a quick configuration, on every kind of target that it serves.
fn each(mut check: impl FnMut(&'static dyn Family, &TrainSet, &Config)) {
    for family in families() {
        let mut config = family.config(&Config::default());
        for (name, few) in [("trees", 12), ("epochs", 4)] {
            if config.0.contains_key(name) {
                config = config.with(name, ConfigValue::Int(few));
            }
        }
        for (purpose, classes) in [(Purpose::Classify, 2), (Purpose::Classify, 3), (Purpose::Regress, 0), (Purpose::Detect, 0)]
        {
            if family.serves(purpose) {
                check(*family, &set(purpose, classes), &config);
            }
        }
    }
}

fn fit(family: &dyn Family, set: &TrainSet, config: &Config) -> Box<dyn Model> {
    family.fit(set, config, 5, &Control::default()).unwrap_or_else(|error| panic!("{}: {error}", family.name()))
}

#[test]
fn bytes_do_not_depend_on_the_number_of_threads() {
    each(|family, set, config| {
        let in_pool = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| fit(family, set, config).save())
        };
        let one = in_pool(1);
        assert!(one == in_pool(2) && one == in_pool(8), "{}", family.name());
    });
}

#[test]
fn a_saved_model_answers_as_before_and_foreign_weights_are_refused() {
    each(|family, set, config| {
        let model = fit(family, set, config);
        let loaded = family.load(&mut model.save()).unwrap();
        assert_eq!(loaded.predict(&set.x), model.predict(&set.x), "{}", family.name());
        assert!(model.parameters() > 0);
        assert!(family.load(&mut Weights::default()).is_none(), "{}", family.name());
    });
}

#[test]
fn a_row_gets_the_same_bits_alone_and_in_a_batch() {
    each(|family, set, config| {
        let model = fit(family, set, config);
        let all = model.predict(&set.x);
        for row in [0, 3, 77, 219] {
            assert_eq!(model.predict(&set.x.take(&[row])).data, all.row(row), "{} row {row}", family.name());
        }
        assert_eq!(model.predict(&set.x.take(&[])).rows, 0);
    });
}

#[test]
fn probabilities_are_probabilities() {
    each(|family, set, config| {
        let Labels::Classes { count, .. } = set.y else { return };
        let scores = fit(family, set, config).predict(&set.x);
        assert_eq!(scores.columns, count, "{}", family.name());
        for row in 0..scores.rows {
            let sum: f32 = scores.row(row).iter().sum();
            assert!((sum - 1.0).abs() < 1e-4 && scores.row(row).iter().all(|share| (0.0..=1.0).contains(share)));
        }
    });
}

#[test]
fn portfolios_and_defaults_have_every_setting() {
    for family in families() {
        let whole = family.config(&Config::default());
        for changes in family.portfolio() {
            assert!(changes.0.keys().all(|name| whole.0.contains_key(name)), "{}", family.name());
            assert!(family.cost(1_000, 10, &family.config(&changes)) > 0.0);
        }
    }
}

#[test]
fn the_language_knows_every_family_with_its_settings() {
    for family in families() {
        let facts = FamilyFacts::named(family.name()).unwrap_or_else(|| panic!("{} is in the table", family.name()));
        let serves = [Purpose::Classify, Purpose::Regress, Purpose::Detect].map(|purpose| family.serves(purpose));
        assert_eq!([facts.classify, facts.regress || facts.forecast, facts.detect], serves, "{}", family.name());
        let takes = |setting: &Setting| match setting.kind {
            SettingKind::Int { low, high, .. } => Takes::Whole { low, high },
            SettingKind::Scale { low, high, .. } | SettingKind::Share { low, high, .. } => Takes::Number { low, high },
            SettingKind::Ints { most, low, high, .. } => Takes::Wholes { most, low, high },
        };
        let settings = family.settings();
        let own: Vec<(&str, Takes)> = settings.iter().map(|setting| (&*setting.name, takes(setting))).collect();
        let known = facts.settings.unwrap_or_else(|| panic!("{} is in this version", family.name()));
        assert_eq!(known.iter().map(|setting| (setting.name, setting.takes)).collect::<Vec<_>>(), own, "{}", family.name());
    }
    let trained = crate::ir::FAMILIES.iter().filter(|facts| facts.is_in_this_version());
    assert_eq!(trained.count(), families().len(), "and none that nobody trains");
}
