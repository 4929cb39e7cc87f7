//! The kept models: listed, compared, promoted, rolled back, pinned and pruned, beside a run and through it.

use std::fs;

use serde_json::Value;

use super::bench::{Bench, Ended, Running, readings, room, wait_for};
use super::live::live;

/// Three generations of one family, by three seeds, each with its own rows judged.
fn three() -> Bench {
    let bench = Bench::new().with("room.csv", readings(400));
    (5..8).fold(bench, |bench, seed| {
        let bench = bench.with("room.mliot", text(seed));
        assert_eq!(bench.run(&["replay", "room.mliot", "--state", "state"]).code, Some(0));
        bench
    })
}

fn text(seed: u32) -> String {
    room(&format!("  seed {seed}\n")).replace("[logistic]", "[forest(trees: 10)]").replace("2 trials", "1 trials")
}

fn models(bench: &Bench, args: &[&str]) -> Ended {
    bench.run(&[&["models", "room.mliot", "--state", "state"], args].concat())
}

fn listed(bench: &Bench) -> Value {
    models(bench, &["--json"]).json()["tasks"][0].clone()
}

#[track_caller]
fn done(ended: Ended, words: &str) {
    assert_eq!(ended.code, Some(0), "{}", ended.text());
    assert!(ended.out.contains(words), "{}", ended.text());
}

#[track_caller]
fn refused(ended: Ended, code: &str) {
    assert_eq!(ended.code, Some(3), "{}", ended.text());
    assert!(ended.err.contains(code), "{}", ended.text());
}

#[test]
fn versions_are_promoted_and_rolled_back_and_the_way_goes_further_back() {
    let bench = three();
    let list = listed(&bench);
    assert_eq!(
        (&list["champion"], &list["before"]),
        (&"occupancy-3".into(), &serde_json::json!(["occupancy-2", "occupancy-1"]))
    );
    done(models(&bench, &["rollback", "occupancy"]), "occupancy-2 is champion of occupancy again");
    done(models(&bench, &["rollback", "occupancy"]), "occupancy-1 is champion");
    refused(models(&bench, &["rollback", "occupancy"]), "R0504");
    done(models(&bench, &["promote", "occupancy-3"]), "is champion of occupancy");
    done(models(&bench, &["promote", "occupancy-3"]), "is champion already");
    assert_eq!(listed(&bench)["before"][0], "occupancy-1");
    done(models(&bench, &["rollback", "occupancy"]), "occupancy-1");
    refused(models(&bench, &["promote", "occupancy-9"]), "R0504");
    refused(models(&bench, &["unpin", "hall"]), "R0504");
    let shown = models(&bench, &[]);
    assert!(
        shown.out.lines().any(|line| line.contains("occupancy-1") && line.ends_with("<- champion, by hand")),
        "{}",
        shown.text()
    );
}

#[test]
fn a_version_of_other_features_is_not_promoted() {
    let bench = three();
    let bench = bench.with("room.mliot", text(7).replace("[co2, light]", "[co2]"));
    refused(models(&bench, &["promote", "occupancy-1"]), "R0505");
    assert_eq!(bench.run(&["replay", "room.mliot", "--state", "state"]).code, Some(0));
    refused(models(&bench, &["rollback", "occupancy"]), "R0504");
    assert_eq!(listed(&bench)["champion"], "occupancy-4");
}

#[test]
fn a_pinned_champion_is_not_replaced_and_says_so() {
    let bench = three();
    done(models(&bench, &["pin", "occupancy-2"]), "pinned: nothing takes its place");
    refused(models(&bench, &["promote", "occupancy-1"]), "R0505");
    refused(models(&bench, &["rollback", "occupancy"]), "R0505");
    let bench = bench.with("room.mliot", text(9));
    let replayed = bench.run(&["replay", "room.mliot", "--state", "state"]);
    assert_eq!(replayed.code, Some(0), "{}", replayed.text());
    assert!(replayed.out.contains("forest occupancy-2 is pinned and stays champion"), "{}", replayed.text());
    let list = listed(&bench);
    assert_eq!(
        (&list["champion"], &list["pinned"], list["models"].as_array().unwrap().len()),
        (&"occupancy-2".into(), &true.into(), 4)
    );
    let again = bench.run(&["replay", "room.mliot", "--state", "state"]);
    assert!(again.out.contains("nothing was trained") && again.out.contains("occupancy-2 is pinned"), "{}", again.text());
    done(models(&bench, &["unpin", "occupancy"]), "not pinned any more");
    done(models(&bench, &["unpin", "occupancy"]), "is not pinned");
    assert_eq!(bench.run(&["replay", "room.mliot", "--state", "state"]).code, Some(0));
    assert_eq!(listed(&bench)["champion"], "occupancy-4");
}

#[test]
fn two_versions_stand_side_by_side() {
    let of = |family: &str| room("  require  model.size <= 2KiB\n").replace("[logistic]", family);
    let bench = ["[logistic]", "[forest(trees: 30)]"].into_iter().fold(Bench::of_room(), |bench, family| {
        let bench = bench.with("room.mliot", of(family));
        assert_eq!(bench.run(&["replay", "room.mliot", "--state", "state"]).code, Some(0));
        bench
    });
    let compared = models(&bench, &["compare", "occupancy-1", "occupancy", "--json"]).json();
    assert_eq!(compared["families"], serde_json::json!(["logistic", "forest"]));
    let figure = |name: &str| compared["figures"].as_array().unwrap().iter().find(|pair| pair["name"] == name).unwrap().clone();
    assert!(figure("accuracy")["values"][1].is_f64());
    assert_eq!(figure("model.size")["better"], 0);
    assert_eq!((&compared["requirements"][0][0]["met"], &compared["requirements"][1][0]["met"]), (&true.into(), &false.into()));
    let text = models(&bench, &["compare", "occupancy-1", "occupancy-2"]);
    for part in ["family", "trees", "accuracy", "latency.p99", "memory", "model.size <= 2KiB", "missed by", "met", " *"] {
        assert!(text.out.contains(part), "{part} in {}", text.text());
    }
    refused(models(&bench, &["compare", "occupancy-1", "occupancy-7"]), "R0504");
}

#[test]
fn old_trainings_go_and_what_serves_stays() {
    let bench = three();
    done(models(&bench, &["pin", "occupancy-1"]), "occupancy-1");
    done(models(&bench, &["prune", "--keep", "0"]), "removed: occupancy-2");
    let folders = |bench: &Bench| {
        let names = fs::read_dir(bench.path("state/models/occupancy")).unwrap().map(|entry| entry.unwrap().file_name());
        let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        names.sort();
        names
    };
    assert_eq!(folders(&bench), ["champion", "occupancy-1", "occupancy-3"], "the champion, and who was before it");
    assert_eq!(bench.run(&["verify", "occupancy-1", "room.mliot", "--state", "state"]).code, Some(0));
}

/// The events of a run so far, of one kind.
fn events(running: &Running, kind: &str) -> Vec<Value> {
    let events = running.out().lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).collect::<Vec<_>>();
    events.into_iter().filter(|event| event["event"] == kind).collect()
}

#[test]
fn a_run_changes_its_champion_at_a_cut() {
    let two = live("").replace("[logistic]", "[logistic, tree]").replace("2 trials", "3 trials");
    let bench = Bench::new().with("room.mliot", two).with("room.csv", readings(400));
    let running = Running::start(&mut bench.program(&["run", "room.mliot", "--state", "state", "--json"]));
    wait_for("a champion", || (!events(&running, "trained").is_empty()).then_some(()));
    let first = events(&running, "trained")[0]["version"].as_str().unwrap().to_owned();
    let other = if first == "occupancy-1" { "occupancy-2" } else { "occupancy-1" };
    let promoted = models(&bench, &["promote", other, "--json"]).json();
    assert!(promoted["at"].is_u64(), "{promoted}");
    let chosen = wait_for("another choice", || events(&running, "chosen_again").first().cloned());
    assert_eq!((&chosen["version"], &chosen["at"]), (&other.into(), &promoted["at"]));
    done(models(&bench, &["rollback", "occupancy"]), &format!("{first} is champion of occupancy again"));
    done(models(&bench, &["pin", other]), "pinned");
    refused(models(&bench, &["promote", &first]), "R0505");
    refused(models(&bench, &["promote", "occupancy-9"]), "R0504");
    done(models(&bench, &["prune", "--keep", "0"]), "removed: none");
    wait_for("the pinned one", || {
        events(&running, "chosen_again")
            .iter()
            .any(|event| event["words"].as_str().unwrap().contains("is pinned"))
            .then_some(())
    });

    // Another goal would choose anew, and does not.
    let edits = events(&running, "edit_applied").len();
    fs::write(
        bench.path("room.mliot"),
        fs::read_to_string(bench.path("room.mliot")).unwrap().replace("maximize accuracy", "maximize macro_f1"),
    )
    .unwrap();
    wait_for("the edit", || (events(&running, "edit_applied").len() > edits).then_some(()));
    let history = bench.run(&["history", "room.mliot", "--state", "state", "--json"]).json();
    let causes: Vec<&Value> = history["plans"].as_array().unwrap().iter().map(|plan| &plan["cause"]["kind"]).collect();
    assert!(causes.iter().filter(|kind| **kind == "promoted").count() >= 4, "{history}");
    running.interrupt();
    assert_eq!(running.end().code, Some(0));
    assert_eq!(listed(&bench)["champion"], other);
}
