//! Models on disk.

use mliot::diag::Code;
use mliot::ir::{BinaryOp, Metric, MetricKind, Otherwise, Policy, Requirement};
use mliot::lifecycle::{Again, Generation, Identity, Registry, Version, train};
use mliot::node::Predictor;
use mliot::plan::{Graph, Learn};

use super::generation::{ONE, quick, rows, two_numbers};

fn generation(policy: &Policy) -> Generation {
    train(&two_numbers(&["constant", "logistic"]), policy, &rows(300), &ONE, &mut |_| {}).unwrap()
}

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

#[test]
fn versions_are_kept_found_and_opened() {
    let state = tempfile::tempdir().unwrap();
    let registry = Registry::at(state.path());
    let (task, policy) = (two_numbers(&["constant", "logistic"]), quick(4));
    assert_eq!((registry.champion("made").unwrap(), registry.versions("made").unwrap()), (None, vec![]));
    let first = generation(&policy);
    let committed = registry.commit(&task, &policy, &Graph::default(), &first).unwrap();
    assert_eq!(committed[0], version("made-1"));
    assert_eq!(registry.champion("made").unwrap(), Some(version("made-1")));
    let stored = registry.open(&version("made-1")).unwrap();
    assert_eq!(stored.fitted.version(), "made-1");
    assert_eq!(stored.manifest.family, "logistic");
    assert_eq!(stored.twins.len(), 1);
    let features = rows(20).project(&[1, 2]).unwrap();
    assert_eq!(stored.fitted.predict(&features).unwrap().values.len(), 20);
    let learn = Learn { task: task.clone(), policy: policy.clone() };
    let identity = Identity::of(&learn, &Graph::default(), first.digests);
    let found = registry.generation("made", &|manifest| manifest.identity.learns_as(&identity)).unwrap();
    assert_eq!(found.iter().map(|manifest| manifest.version.clone()).collect::<Vec<_>>(), committed);
    assert_eq!(registry.report(&found[0]).unwrap().candidates, first.report.candidates);
    let other = Policy { seed: 8, ..quick(4) };
    let second = registry.commit(&task, &other, &Graph::default(), &generation(&other)).unwrap();
    assert_eq!(second[0].number as usize, committed.len() + 1);
    assert_eq!(registry.open(&second[0]).unwrap().manifest.parent, Some(version("made-1")));
    registry.set_champion(&version("made-1"), identity.training.choice).unwrap();
    let reign = registry.reign("made").unwrap().unwrap();
    assert_eq!((reign.champion, reign.under), (version("made-1"), Some(identity.training.choice)));
    assert_eq!(reign.before, [second[0].clone(), version("made-1")]);
}

#[test]
fn the_training_of_now_is_asked_first_and_a_champion_that_is_to_be_kept_may_be_older() {
    let state = tempfile::tempdir().unwrap();
    let registry = Registry::at(state.path());
    let task = two_numbers(&["constant", "logistic"]);
    let commit = |policy: &Policy, generation: &Generation| {
        registry.commit(&task, policy, &Graph::default(), generation).unwrap()[0].clone()
    };
    let old = commit(&quick(4), &generation(&quick(4)));
    let newer = commit(&quick(5), &Generation { champion: None, ..generation(&quick(5)) });
    assert_eq!(registry.champion("made").unwrap(), Some(old.clone()), "nothing of the second was good enough then");
    let ask = |policy: &Policy| {
        let learn = Learn { task: task.clone(), policy: policy.clone() };
        Again::of(&registry, &learn, &Graph::default()).unwrap().unwrap()
    };
    let again = ask(&quick(5));
    assert_eq!(again.champion().map(|champion| &champion.version), Some(&newer));
    assert!(!again.wants_search());
    let again = ask(&quick(4));
    assert_eq!((again.champion().map(|champion| &champion.version), again.wants_search()), (Some(&old), false));
    let again = ask(&quick(6));
    assert_eq!((again.champion().map(|champion| &champion.version), again.wants_search()), (Some(&old), true));
    let mut strict = quick(5);
    strict.choice.requirements = vec![exact(Otherwise::KeepChampion)];
    assert_eq!(ask(&strict).champion().map(|champion| &champion.version), Some(&old));
    strict.choice.requirements = vec![exact(Otherwise::Abstain)];
    assert_eq!(ask(&strict).champion(), None);
}

fn exact(otherwise: Otherwise) -> Requirement {
    let metric = Metric { kind: MetricKind::Accuracy, class: None };
    let text = "accuracy > 100%".into();
    Requirement { metric, op: BinaryOp::Gt, bound: 1.0, otherwise, text, span: Default::default() }
}

#[test]
fn the_same_training_writes_the_same_bytes() {
    let read = || {
        let state = tempfile::tempdir().unwrap();
        let registry = Registry::at(state.path());
        let policy = quick(4);
        registry.commit(&two_numbers(&["constant", "logistic"]), &policy, &Graph::default(), &generation(&policy)).unwrap();
        let folder = state.path().join("models/made/made-1");
        ["model.safetensors", "twin-0.safetensors", "closure.json"].map(|name| std::fs::read(folder.join(name)).unwrap())
    };
    assert_eq!(read(), read());
}

#[test]
fn a_damaged_version_is_refused_and_a_dead_writers_rest_is_cleaned() {
    let state = tempfile::tempdir().unwrap();
    let registry = Registry::at(state.path());
    let policy = quick(4);
    let folder = state.path().join("models/made");
    std::fs::create_dir_all(folder.join(".staged/half")).unwrap();
    registry.commit(&two_numbers(&["constant", "logistic"]), &policy, &Graph::default(), &generation(&policy)).unwrap();
    assert!(!folder.join(".staged").exists());
    let model = folder.join("made-1/model.safetensors");
    let mut bytes = std::fs::read(&model).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&model, bytes).unwrap();
    let refused = registry.open(&version("made-1")).unwrap_err();
    assert_eq!(refused.code, Code::R0501);
    assert!(refused.message.contains("checksum"), "{refused}");
    assert_eq!(registry.open(&version("made-9")).unwrap_err().code, Code::R0501);
}
