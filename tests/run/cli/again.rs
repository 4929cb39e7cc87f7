//! A file that asks something else of the same models: chosen again, and nothing is trained.

use std::fs;

use serde_json::Value;

use super::bench::{Bench, Running, readings, room, wait_for};
use super::live::live;

/// Which models the state folder has.
fn kept(bench: &Bench) -> Vec<String> {
    let folders = fs::read_dir(bench.path("state/models/occupancy")).unwrap().map(|entry| entry.unwrap());
    let folders = folders.filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> = folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Three families, of which the smallest is the worst.
fn searched(text: &str) -> String {
    text.replace("[logistic]", "[constant, logistic, tree]").replace("features [co2, light]", "features [co2]")
}

fn replayed(bench: &Bench, more: &[&str]) -> (Value, Vec<String>) {
    let ended = bench.run(&[&["replay", "room.mliot", "--state", "state", "--json"], more].concat());
    (ended.json()["tasks"]["occupancy"].clone(), kept(bench))
}

/// The bound that only the smallest of the kept models meets, as the language writes it.
fn smallest(report: &Value) -> String {
    let candidates = report["candidates"].as_array().unwrap();
    let size = |family: &str| {
        let of = candidates.iter().filter(|candidate| candidate["family"] == family);
        of.filter_map(|candidate| candidate["measured"]["size"].as_u64()).min().unwrap()
    };
    assert!(size("constant") < size("logistic"));
    format!("  require  model.size <= {}B\n", size("constant"))
}

#[test]
fn a_replay_of_the_same_rows_trains_once() {
    let bench = Bench::new().with("room.mliot", searched(&room(""))).with("room.csv", readings(400));
    let (first, models) = replayed(&bench, &[]);
    let (champion, rows) = (first["champion"].clone(), bench.read("out.jsonl"));
    let (second, same) = replayed(&bench, &[]);
    assert_eq!((&second["champion"], &same), (&champion, &models), "nothing was trained");
    assert_eq!(bench.read("out.jsonl"), rows, "and every row is predicted as before");
    assert_eq!(second["candidates"], first["candidates"]);
    assert!(second["notes"].as_array().unwrap().iter().any(|note| note.as_str().unwrap().contains("nothing was trained")));

    let bench = bench.with("room.mliot", searched(&room(&smallest(&first))));
    let (tight, same) = replayed(&bench, &[]);
    assert_eq!((tight["champion"]["family"].as_str(), &same), (Some("constant"), &models), "the requirement chooses again");
    assert_eq!(tight["champion"]["requirements"][0]["met"], true);
    assert!(bench.read("out.jsonl") != rows);
    let score = |bench: &Bench| bench.run(&["score", "room.mliot", "--state", "state", "--input", "room=room.csv", "--json"]);
    assert_eq!(score(&bench).json()["tasks"]["occupancy"]["version"], tight["champion"]["version"]);

    let bench = bench.with("room.mliot", searched(&room("")));
    assert_eq!(score(&bench).json()["tasks"]["occupancy"]["version"], champion["version"], "scored as the text says now");
    assert_eq!(replayed(&bench, &[]).0["champion"], champion, "and back again");
    assert!(replayed(&bench, &["--anew"]).1.len() > models.len(), "unless somebody wants it");
}

#[test]
fn other_rows_another_seed_or_a_family_that_nobody_tried_are_trained() {
    for (text, csv) in [
        (searched(&room("")), readings(401)),
        (searched(&room("  seed 8\n")), readings(400)),
        (searched(&room("")).replace("[constant, ", "[boosted, constant, "), readings(400)),
        (searched(&room("")).replace("co2 > 0", "co2 > 1").replace("features [co2]", "features [co2, light]"), readings(400)),
    ] {
        let bench = Bench::new().with("room.mliot", searched(&room(""))).with("room.csv", readings(400));
        let (_, models) = replayed(&bench, &[]);
        let bench = bench.with("room.mliot", &text).with("room.csv", csv);
        assert!(replayed(&bench, &[]).1.len() > models.len(), "{text}");
    }
    let bench = Bench::new().with("room.mliot", searched(&room(""))).with("room.csv", readings(400));
    let (_, models) = replayed(&bench, &[]);
    let fewer = searched(&room("")).replace("[constant, logistic, tree]", "[constant]");
    let (report, same) = replayed(&bench.with("room.mliot", fewer), &[]);
    assert_eq!((report["champion"]["family"].as_str(), same), (Some("constant"), models), "a shorter list chooses again");
}

/// The events of a run so far, of one kind.
fn events(running: &Running, kind: &str) -> Vec<Value> {
    let events = running.out().lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()).collect::<Vec<_>>();
    events.into_iter().filter(|event| event["event"] == kind).collect()
}

#[test]
fn a_live_run_chooses_again_and_searches_only_where_nothing_is_allowed() {
    let bench = Bench::new().with("room.mliot", searched(&live(""))).with("room.csv", readings(400));
    let running = Running::start(&mut bench.program(&["run", "room.mliot", "--state", "state", "--json"]));
    wait_for("a champion", || (!events(&running, "trained").is_empty()).then_some(()));
    let first = events(&running, "trained")[0]["version"].clone();
    let report = fs::read(bench.path("state/models/occupancy/occupancy-1/report.json")).unwrap();
    let tight = smallest(&serde_json::from_slice(&report).unwrap());
    let again = |bench: &Bench, nth: usize, text: String| -> Value {
        fs::write(bench.path("room.mliot"), text).unwrap();
        wait_for("another choice", || events(&running, "chosen_again").get(nth).cloned())
    };
    let strict = live("").replace("  search   2", &format!("{tight}  search   2"));
    let chosen = again(&bench, 0, searched(&strict));
    assert!(chosen["at"].is_u64() && chosen["version"] != first, "{chosen}");
    assert!(chosen["words"].as_str().unwrap().contains("in place of"), "{chosen}");

    let back = again(&bench, 1, searched(&live("")));
    assert_eq!(back["version"], first, "{back}");
    let only = again(&bench, 2, searched(&live("")).replace("[constant, ", "["));
    assert_eq!((&only["at"], &only["version"]), (&Value::Null, &first), "it is allowed, so it stays: {only}");
    assert_eq!(events(&running, "trained").len(), 1, "nothing was trained");

    let other = again(&bench, 3, searched(&live("")).replace("[constant, logistic, tree]", "[boosted]"));
    assert_eq!((&other["at"], &other["version"]), (&Value::Null, &first), "it answers meanwhile: {other}");
    wait_for("a search beside it", || events(&running, "trained").get(1).cloned());
    assert_eq!(events(&running, "trained")[1]["family"], "boosted");
    running.interrupt();
    let ended = running.end();
    assert_eq!(ended.code, Some(0), "{}", ended.text());
    assert_eq!(ended.out.matches("\"training\"").count(), 2, "{}", ended.text());
}

#[test]
fn a_live_run_abstains_where_the_policy_says_so_and_answers_again() {
    let strict = |text: String| text.replace("  search   2", "  require  accuracy > 100% otherwise abstain\n  search   2");
    let bench = Bench::new().with("room.mliot", strict(live(""))).with("room.csv", readings(400));
    let running = Running::start(&mut bench.program(&["run", "room.mliot", "--state", "state", "--json"]));
    let nth = |nth: usize| wait_for("another choice", || events(&running, "chosen_again").get(nth).cloned());
    assert_eq!(nth(0)["version"], Value::Null, "the training found nothing good enough");
    fs::write(bench.path("room.mliot"), live("")).unwrap();
    assert_eq!(nth(1)["version"], "occupancy-1", "what it measured will do now");
    fs::write(bench.path("room.mliot"), strict(live(""))).unwrap();
    assert_eq!((&nth(2)["version"], nth(2)["at"].is_u64()), (&Value::Null, true));
    assert_eq!(events(&running, "training").len(), 1);
    running.interrupt();
    assert_eq!(running.end().code, Some(0));
}

/// What each row of the sink was answered, `-` for nothing.
fn answers(bench: &Bench) -> String {
    let text = String::from_utf8(bench.read("out.jsonl")).unwrap();
    let rows = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    rows.map(|row| row["guess"].as_bool().map_or('-', |guess| if guess { '1' } else { '0' })).collect()
}

#[test]
fn a_champion_that_is_kept_answers_what_it_has_not_seen() {
    let strict = |text: &str| text.replace("  search   2", "  require  accuracy > 100% otherwise keep champion\n  search   2");
    let bench = Bench::new().with("room.mliot", room("")).with("room.csv", readings(400));
    let (first, _) = replayed(&bench, &[]);
    let all = answers(&bench);
    assert_eq!(all.find(['0', '1']), Some(320), "the last fifth was judged");

    // The same rows, chosen again or trained again: it answers those that its twin has not seen.
    let bench = bench.with("room.mliot", strict(&room("")));
    for more in [&[][..], &["--anew"]] {
        let (report, _) = replayed(&bench, more);
        assert_eq!(report["standing"], "KeepsChampion", "{report}");
        assert_eq!(answers(&bench), all, "{more:?}");
    }
    let champion = first["champion"]["version"].as_str().unwrap();
    assert!(String::from_utf8(bench.read("state/models/occupancy/champion")).unwrap().starts_with(champion));

    // More rows: what is later than all that it learned from is new to it.
    let bench = bench.with("room.csv", readings(500));
    let ended = bench.run(&["replay", "room.mliot", "--state", "state"]);
    assert_eq!(ended.code, Some(0), "{}", ended.text());
    assert!(ended.err.contains("W0652") && ended.err.contains("400 rows"), "{}", ended.text());
    assert!(ended.out.contains("stays champion"), "{}", ended.text());
    let more = answers(&bench);
    assert_eq!((more.len(), more.find(['0', '1']), more[400..].contains('-')), (500, Some(400), false));

    // Other features: it cannot read these rows.
    let other = strict(&room("")).replace("features [co2, light]", "features [co2]");
    let bench = bench.with("room.mliot", other);
    let ended = bench.run(&["replay", "room.mliot", "--state", "state"]);
    assert!(ended.err.contains("other features"), "{}", ended.text());
    assert_eq!(answers(&bench), "-".repeat(500));

    // And where there never was a champion nobody answers.
    let bench = Bench::new().with("room.mliot", strict(&room(""))).with("room.csv", readings(400));
    replayed(&bench, &[]);
    assert_eq!(answers(&bench), "-".repeat(400));
}
