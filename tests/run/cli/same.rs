//! The same job gives the same bytes: models, sinks and words, for any number of threads and cores.

use std::collections::BTreeMap;
use std::fs;

use mliot::base::Hash;
use regex::Regex;

use super::bench::{Bench, Running, readings, room};

/// What a replay leaves, apart from what a clock has measured.
#[derive(Debug, PartialEq)]
struct Left {
    words: String,
    /// Of the sink's file.
    sink: Hash,
    /// Of the champion's files, by name.
    bundle: BTreeMap<String, Hash>,
}

/// Three families, bounded by trials; the goal is one that two configurations do not share by chance.
fn program(clauses: &str) -> String {
    room("")
        .replace("[logistic]", "[logistic, forest(trees: 5..30), mlp(epochs: 5)]")
        .replace("maximize accuracy", "minimize log_loss")
        .replace("search   2 trials, 60s", clauses)
}

fn replayed(clauses: &str, threads: &str) -> Left {
    let bench = Bench::new().with("room.mliot", program(clauses)).with("room.csv", readings(400));
    let ended =
        Running::start(bench.program(&["replay", "room.mliot", "--state", "state"]).env("RAYON_NUM_THREADS", threads)).end();
    assert_eq!(ended.code, Some(0), "{}", ended.text());
    let models = bench.path("state/models/occupancy");
    let champion = fs::read_to_string(models.join("champion")).unwrap();
    let files = fs::read_dir(models.join(champion.lines().next().unwrap())).unwrap().map(|entry| entry.unwrap().path());
    // Manifest and report have what was measured; the manifest's checksums are of the files that are compared here.
    let bundle = files
        .filter(|file| !file.ends_with("manifest.json") && !file.ends_with("report.json"))
        .map(|file| (file.file_name().unwrap().to_string_lossy().into_owned(), Hash::of_bytes(&fs::read(file).unwrap())))
        .collect();
    Left { words: without_timings(&ended.out), sink: Hash::of_bytes(&bench.read("out.jsonl")), bundle }
}

/// Latencies become `T`, rates and seconds too; blanks that only align are one.
fn without_timings(text: &str) -> String {
    let latency = Regex::new(r"\b[0-9.]+(ns|us|ms|s)\b").unwrap();
    let rate = Regex::new(r"[0-9,]+ rows/s").unwrap();
    let blanks = Regex::new(r" +").unwrap();
    let text = latency.replace_all(text, "T");
    let text = rate.replace_all(&text, "R rows/s");
    blanks.replace_all(&text, " ").into_owned()
}

#[test]
fn the_same_job_gives_the_same_bytes() {
    let first = replayed("search   5 trials, 1h, 1 core\n  seed     5", "1");
    assert!(first.bundle.contains_key("model.safetensors"), "{:?}", first.bundle.keys());
    assert_ne!(first.sink, Hash::of_bytes(b""));
    assert_eq!(first, replayed("search   5 trials, 1h, 1 core\n  seed     5", "1"), "run twice");
    assert_eq!(first, replayed("search   5 trials, 1h, 1 core\n  seed     5", "2"), "with two threads");

    // The kept definition has the policy in it, whose text is another one.
    let mut both = [first, replayed("search   5 trials, 1h, 2 cores\n  seed     5", "2")];
    for left in &mut both {
        left.bundle.remove("closure.json").expect("a champion keeps its definition");
    }
    assert_eq!(both[0], both[1], "with two cores");
}

#[test]
fn another_seed_gives_another_forest() {
    let of = |seed: u32| {
        let text = program(&format!("search   1 trials, 1h, 1 core\n  seed     {seed}")).replace("logistic, ", "");
        let bench = Bench::new().with("room.mliot", text).with("room.csv", readings(400));
        assert_eq!(bench.run(&["replay", "room.mliot", "--state", "state"]).code, Some(0));
        bench.read("state/models/occupancy/occupancy-1/model.safetensors")
    };
    assert_ne!(of(5), of(6));
}
