//! A kept model is learned once more, and either every byte is the same or it is said what is not.

use std::fs;

use super::bench::{Bench, Ended, Running, data, readings, room};

/// Three families; the forest is the champion for its log loss, and has chance in it.
fn learned(clauses: &str) -> Bench {
    let text = room("  seed 5\n").replace("[logistic]", clauses).replace("maximize accuracy", "minimize log_loss");
    let bench = Bench::new().with("room.mliot", text).with("room.csv", readings(400));
    assert_eq!(bench.run(&["replay", "room.mliot", "--state", "state"]).code, Some(0));
    bench
}

fn verified(bench: &Bench, what: &str, more: &[&str]) -> Ended {
    bench.run(&[&["verify", what, "room.mliot", "--state", "state"], more].concat())
}

#[test]
fn every_version_is_learned_again_for_any_threads_and_any_batches() {
    for models in ["[forest(trees: 20)]", "[mlp(epochs: 4)]", "[boosted]"] {
        let bench = learned(models);
        for (threads, batch) in [("1", "7"), ("3", "1000")] {
            let args = ["verify", "occupancy", "room.mliot", "--state", "state", "--batch", batch, "--json"];
            let found = Running::start(bench.program(&args).env("RAYON_NUM_THREADS", threads)).end().json();
            assert_eq!(found["verdict"], "equal", "{models} {threads} {batch}: {found}");
            let files: Vec<&str> =
                found["files"].as_array().unwrap().iter().map(|file| file["name"].as_str().unwrap()).collect();
            assert_eq!(files, ["model.safetensors", "twin-0.safetensors"]);
            assert_eq!(found["rows"]["compared"], 400);
        }
        let said = verified(&bench, "occupancy-1", &[]);
        assert!(said.out.contains("equal") && said.out.contains("the same 400 rows"), "{}", said.text());
    }
}

#[test]
fn folds_are_learned_again_each() {
    let text = room("").replace("validate last 20%", "validate folds 3");
    let bench = Bench::new().with("room.mliot", text).with("room.csv", readings(400));
    assert_eq!(bench.run(&["replay", "room.mliot", "--state", "state"]).code, Some(0));
    let found = verified(&bench, "occupancy", &["--json"]).json();
    assert_eq!((&found["verdict"], found["files"].as_array().unwrap().len()), (&"equal".into(), 4));
}

#[test]
fn other_rows_other_order_and_a_recording_that_has_grown_are_told_apart() {
    let bench =
        learned("[logistic]").with("longer.csv", readings(500)).with("other.csv", readings(400).replace(",700,", ",701,"));
    let longer = verified(&bench, "occupancy", &["--input", "room=longer.csv"]);
    assert_eq!(longer.code, Some(0), "{}", longer.text());
    assert!(longer.out.contains("the first 400 of 500 rows"), "{}", longer.text());
    let other = verified(&bench, "occupancy", &["--input", "room=other.csv"]);
    assert_eq!(other.code, Some(1), "{}", other.text());
    assert!(other.out.contains("the rows are others now"), "{}", other.text());

    // Rows of one time stand as the file has them.
    let swapped = readings(400).replace(":01:00Z", ":00:00Z");
    let mut lines: Vec<&str> = swapped.lines().collect();
    let bench = bench.with("room.csv", &swapped);
    assert_eq!(bench.run(&["replay", "room.mliot", "--state", "state"]).code, Some(0));
    lines.swap(1, 2);
    let bench = bench.with("room.csv", lines.join("\n") + "\n");
    let order = verified(&bench, "occupancy", &["--json"]);
    assert_eq!(order.code, Some(1), "{}", order.text());
    assert!(order.out.contains("\"other_order\""), "{}", order.text());
}

#[test]
fn what_cannot_be_found_out_is_the_worlds_failure() {
    let bench = learned("[logistic]");
    fs::rename(bench.path("room.csv"), bench.path("gone.csv")).unwrap();
    let gone = verified(&bench, "occupancy", &[]);
    assert_eq!(gone.code, Some(3), "{}", gone.text());
    assert!(gone.err.contains("E0711"), "{}", gone.text());
    assert_eq!(verified(&bench, "occupancy", &["--input", "room=gone.csv"]).code, Some(0));
    assert_eq!(verified(&bench, "occupancy", &["--input", "hall=gone.csv"]).code, Some(1), "there is no such source");
    for what in ["occupancy-9", "occupied"] {
        let unknown = verified(&bench, what, &["--json"]);
        assert_eq!(unknown.code, Some(3), "{}", unknown.text());
        assert!(unknown.out.contains("R0504"), "{}", unknown.text());
    }
}

#[test]
fn a_model_that_was_learned_otherwise_is_different() {
    let bench = learned("[forest(trees: 20)]");
    let manifest = bench.path("state/models/occupancy/occupancy-1/manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    let seed = text.lines().find(|line| line.contains("\"fit_seed\"")).unwrap().to_owned();
    let other = |text: &str| text.replace(&seed, "  \"fit_seed\": 12345,").replace("\"mliot\": \"", "\"mliot\": \"older-");
    fs::write(&manifest, text.replace(&seed, "  \"fit_seed\": 12345,")).unwrap();
    let found = verified(&bench, "occupancy", &[]);
    assert_eq!(found.code, Some(1), "{}", found.text());
    assert!(found.out.contains("other bytes") && found.out.contains("mistake of mliot"), "{}", found.text());
    fs::write(&manifest, other(&text)).unwrap();
    let found = verified(&bench, "occupancy", &[]);
    assert!(found.out.contains("then by mliot older-") && found.out.contains("the software of then"), "{}", found.text());
}

#[test]
fn the_office_is_learned_again() {
    let Some(data) = data() else { return };
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/01-first-light/occupancy.mliot");
    let text = fs::read_to_string(file).unwrap().replace("models   auto", "models   [logistic, tree]");
    let bench = Bench::new().with("occupancy.mliot", text);
    bench.run_with(&data, &["replay", "occupancy.mliot", "--json"]).json();
    let found = bench.run_with(&data, &["verify", "occupancy", "occupancy.mliot", "--json"]).json();
    assert_eq!((&found["verdict"], &found["rows"]["now"]), (&"equal".into(), &8_143.into()), "{found}");
}
