//! Every file of the course: it compiles without a message, its own tests pass, and what needs no recording replays.

use std::path::{Path, PathBuf};
use std::process::Command;

fn pipelines() -> Vec<PathBuf> {
    let course = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines");
    let mut found = Vec::new();
    for chapter in std::fs::read_dir(course).expect("the course is there") {
        let folder = chapter.expect("a chapter").path();
        let files = std::fs::read_dir(folder).expect("a chapter is a folder");
        found.extend(
            files.map(|file| file.expect("a file").path()).filter(|file| file.extension().is_some_and(|it| it == "mliot")),
        );
    }
    found.sort();
    found
}

/// Runs the program itself and gives its standard output; anything on standard error or a bad end fails the test.
fn mliot(arguments: &[&str], file: &Path) -> String {
    let out = Command::new(env!("CARGO_BIN_EXE_mliot")).args(arguments).arg(file).output().expect("the program starts");
    let complaint = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "mliot {arguments:?} {}\n{complaint}", file.display());
    assert_eq!(complaint, "", "mliot {arguments:?} {}", file.display());
    String::from_utf8_lossy(&out.stdout).into_owned()
}

#[test]
fn every_pipeline_compiles_without_a_message() {
    let all = pipelines();
    assert!(!all.is_empty());
    for file in &all {
        assert!(mliot(&["check"], file).contains("good"), "{}", file.display());
    }
}

#[test]
fn every_pipeline_is_in_the_canonical_layout() {
    for file in &pipelines() {
        mliot(&["fmt", "--check"], file);
    }
}

#[test]
fn tests_of_pipelines_pass() {
    for file in &pipelines() {
        mliot(&["test"], file);
    }
}

/// Runs `replay --json` and gives the report: the last line, since a file's sink may write rows before it.
fn replayed_in(name: &str, folder: &Path) -> serde_json::Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines").join(name);
    let out = Command::new(env!("CARGO_BIN_EXE_mliot"))
        .args(["replay", "--json", "--state"])
        .arg(folder.join("state"))
        .arg(&file)
        .current_dir(folder)
        .output()
        .expect("the program starts");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    let text = String::from_utf8_lossy(&out.stdout);
    serde_json::from_str(text.lines().last().expect("a report")).expect("the report is JSON")
}

/// Networks of the file are trained, kept and read again: a second replay of the same rows takes up the champion of the first.
#[test]
fn the_networks_of_the_course_learn_and_are_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = replayed_in("12-networks/belt.mliot", folder.path())["tasks"]["bearing"].clone();
    let accuracy = |of: &serde_json::Value| of["accuracy"].as_f64().expect("an accuracy");
    let champion = &first["champion"];
    let family = champion["family"].as_str().expect("a family");
    assert!(["flat", "listener"].contains(&family), "{first:#}");
    assert!(accuracy(&champion["metrics"]) > accuracy(&first["baselines"]["constant"]) + 0.2, "{first:#}");
    let second = replayed_in("12-networks/belt.mliot", folder.path())["tasks"]["bearing"].clone();
    assert_eq!(second["champion"]["version"], champion["version"]);
    assert_eq!(second["champion"]["metrics"], champion["metrics"]);
}

/// The first chapter learns from its simulated week alone, and finds somebody in the room far better than either baseline
/// that could serve.
#[test]
fn the_simulated_room_is_learned() {
    let state = tempfile::tempdir().expect("a folder");
    let folder = state.path().to_string_lossy().into_owned();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("pipelines/01-first-light/room.mliot");
    let out = Command::new(env!("CARGO_BIN_EXE_mliot"))
        .args(["replay", "--json", "--state", &folder])
        .arg(&file)
        .output()
        .expect("the program starts");
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    // The file's sink writes rows to standard output too; the report is the last line.
    let text = String::from_utf8_lossy(&out.stdout);
    let report: serde_json::Value = serde_json::from_str(text.lines().last().expect("a report")).expect("the report is JSON");
    let task = &report["tasks"]["occupancy"];
    let accuracy = |of: &serde_json::Value| of["accuracy"].as_f64().expect("an accuracy");
    let champion = accuracy(&task["champion"]["metrics"]);
    assert!(champion > accuracy(&task["baselines"]["constant"]) + 0.2, "{task:#}");
    for node in report["nodes"].as_array().expect("nodes") {
        let dropped: u64 = node["dropped"].as_object().expect("reasons").values().filter_map(serde_json::Value::as_u64).sum();
        let [input, passed, absorbed] = ["in", "passed", "absorbed"].map(|field| node[field].as_u64().expect("a count"));
        assert_eq!(input, passed + absorbed + dropped, "{node}");
    }
    for edge in report["edges"].as_array().expect("edges") {
        assert_eq!(edge["sent"], edge["received"], "{edge}");
    }
}

/// The report of a replay into a folder of its own.
fn replayed(pipeline: &str) -> serde_json::Value {
    let state = tempfile::tempdir().expect("a folder");
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join(pipeline);
    let file = state.path().join("course.mliot");
    std::fs::copy(&from, &file).expect("a copy");
    for beside in std::fs::read_dir(from.parent().expect("a chapter")).expect("a chapter is a folder") {
        let beside = beside.expect("a file").path();
        if beside.extension().is_some_and(|it| it == "csv") {
            std::fs::copy(&beside, state.path().join(beside.file_name().expect("a name"))).expect("a copy");
        }
    }
    let text = mliot(&["replay", "--json"], &file);
    serde_json::from_str(text.lines().last().expect("a report")).expect("the report is JSON")
}

/// Of each stage that dropped rows: how many came in, and how many passed.
fn passing(report: &serde_json::Value, name: &str) -> (u64, u64) {
    let nodes = report["nodes"].as_array().expect("nodes");
    let node = nodes.iter().find(|node| node["name"] == name).unwrap_or_else(|| panic!("no {name} in {report:#}"));
    let count = |field: &str| node[field].as_u64().expect("a count");
    (count("in"), count("passed"))
}

/// Two hours at two gates: messages that come twice pass once, and the stages below see what is left.
#[test]
fn the_gates_are_shaped() {
    let report = replayed("pipelines/06-shaping/gates.mliot");
    let (told, seen) = passing(&report, "seen/dedupe");
    assert!(told > seen && seen > 2_300, "{told} {seen}");
    assert_eq!(passing(&report, "seen/changes.scan"), (seen, seen));
    assert_eq!(passing(&report, "first/limit"), (seen, 20));
    let (_, sampled) = passing(&report, "some/sample");
    assert!((seen / 20..seen / 5).contains(&sampled), "{sampled} of {seen}");
}

/// Four rooms are measured, three are in the table; each opened door finds the readings of the minute around it.
#[test]
fn rooms_weather_and_doors_are_joined() {
    let report = replayed("pipelines/07-joining/building.mliot");
    let (measured, known) = passing(&report, "known/lookup");
    assert_eq!((measured, known), (2_880, 2_160));
    let (fed, passed) = passing(&report, "known/asof");
    assert!(fed > passed && passed == known, "{fed} {passed}");
    let (paired, opened) = passing(&report, "openings/where");
    assert!(paired >= known && opened > 600, "{paired} {opened}");
}

/// Every piece of the shift is in the last sums and in exactly one run.
#[test]
fn runs_and_sums_agree_on_the_pieces() {
    let report = replayed("pipelines/08-gathering/line.mliot");
    let absorbed = |name: &str| {
        let nodes = report["nodes"].as_array().expect("nodes");
        let node = nodes.iter().find(|node| node["name"] == name).unwrap_or_else(|| panic!("no {name} in {report:#}"));
        (node["absorbed"].as_u64(), node["out"].as_u64())
    };
    assert_eq!(absorbed("runs/window"), (Some(1_110), Some(38)));
    assert_eq!(absorbed("so_far/summarize"), (Some(1_110), Some(12)));
    assert_eq!(absorbed("peaks/top").1, Some(18), "three in each of six hours");
}
