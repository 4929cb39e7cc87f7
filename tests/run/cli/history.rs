//! What a run has carried out, the way back, and an edit that waits for a word: the program asked by the program.

use std::fs;

use serde_json::Value;

use super::bench::{Bench, Ended, Running, wait_for};

const PIPELINE: &str = r#"
param fresh: float<ppm> = 800

source room {
  columns { at: time; device: text; co2: float<ppm> }
  live simulate {
    rows 200 per 1s by device in ["a", "b"]; seed 8
    columns { co2 = walk(400..900, step: 20) }
  }
  time at
}

stream air = room
  | scan by device { n = cumulative(count(co2)); rise = co2 - (previous(co2) else co2) } on change empty
  | set { stuffy = co2 > fresh }
sink out = air | to jsonl("out.jsonl")
"#;

fn start(bench: &Bench, more: &[&str]) -> Running {
    let args = [&["run", "room.mliot", "--json", "--epoch-every", "60ms"], more].concat();
    let running = Running::start(&mut bench.program(&args));
    wait_for("a door", || (history(bench)["running"]["plan"].is_u64()).then_some(()));
    running
}

fn history(bench: &Bench) -> Value {
    bench.run(&["history", "room.mliot", "--json"]).json()
}

/// Of each plan, what brought it about.
fn causes(bench: &Bench) -> Vec<String> {
    let history = history(bench);
    let plans = history["plans"].as_array().unwrap().iter();
    plans.map(|plan| plan["cause"]["kind"].as_str().unwrap().to_owned()).collect()
}

fn save(bench: &Bench, text: &str) {
    fs::write(bench.path(".room.tmp"), text).unwrap();
    fs::rename(bench.path(".room.tmp"), bench.path("room.mliot")).unwrap();
}

fn edit(bench: &Bench, text: &str) {
    let before = causes(bench).len();
    save(bench, text);
    wait_for("the edit", || (causes(bench).len() > before).then_some(()));
}

fn rows(bench: &Bench) -> Vec<Value> {
    let text = fs::read_to_string(bench.path("out.jsonl")).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn more_rows(bench: &Bench, rows_more: usize) {
    let before = rows(bench).len();
    wait_for("rows", || (rows(bench).len() > before + rows_more).then_some(()));
}

/// Each device has counted each of its rows once, whatever was done to the file.
fn nothing_forgotten(rows: &[Value]) {
    for device in ["a", "b"] {
        let own = rows.iter().filter(|row| row["device"] == device);
        for (nth, row) in own.enumerate() {
            assert_eq!(row["n"].as_u64(), Some(nth as u64 + 1), "{device}: {row}");
        }
    }
}

fn refused(ended: &Ended, code: &str) {
    assert_eq!(ended.code, Some(3), "{}", ended.text());
    assert!(ended.err.contains(code), "{}", ended.text());
}

#[test]
fn a_plan_is_gone_back_to_and_stays_over_a_kill_until_the_file_changes() {
    let bench = Bench::new().with("room.mliot", PIPELINE);
    let running = start(&bench, &[]);
    more_rows(&bench, 50);
    let strict = PIPELINE.replace("= 800", "= 500");
    edit(&bench, &strict);
    more_rows(&bench, 50);

    let undone = bench.run(&["undo", "room.mliot", "--json"]).json();
    assert_eq!((undone["answer"].as_str(), undone["plan"].as_u64()), (Some("applied"), Some(3)), "{undone}");
    let at = undone["at"].as_u64().unwrap() as usize;
    more_rows(&bench, 50);
    let now = history(&bench);
    assert_eq!((&now["running"]["back_to"], &now["plans"][2]["cause"]["to"]), (&1.into(), &1.into()), "{now}");
    assert!(now["running"]["differs"].as_str().unwrap().contains("something else"), "{now}");
    assert_eq!(now["plans"][1]["changes"][0]["name"], "air.stuffy", "{now}");
    let text = bench.run(&["history", "room.mliot", "--show", "2"]);
    assert_eq!(text.out, strict);

    // The same text again is no edit.
    save(&bench, &strict);
    running.kill();
    let running = start(&bench, &[]);
    more_rows(&bench, 50);
    assert_eq!(causes(&bench), ["started", "edited", "undone"]);
    let now = history(&bench);
    assert!(now["running"]["differs"].is_string(), "{now}");
    let all = rows(&bench);
    let is_strict = |row: &Value| row["stuffy"] == (row["co2"].as_f64().unwrap() > 500.0);
    let wrong = |row: &&Value| row["stuffy"] != (row["co2"].as_f64().unwrap() > 800.0);
    assert_eq!(all[at..].iter().find(wrong), None, "the way back is gone with the process");

    // Any change of it is one.
    edit(&bench, &format!("{strict}# a word\n"));
    more_rows(&bench, 50);
    let now = history(&bench);
    assert_eq!((now["running"]["plan"].as_u64(), &now["running"]["differs"]), (Some(4), &Value::Null), "{now}");
    let from = now["plans"][3]["at"].as_u64().unwrap() as usize;
    running.interrupt();
    assert_eq!(running.end().code, Some(0));
    let all = rows(&bench);
    assert!(all[from..].iter().all(is_strict));
    nothing_forgotten(&all);
    refused(&bench.run(&["undo", "room.mliot"]), "R0202");
    assert_eq!(causes(&bench), ["started", "edited", "undone", "edited"], "the history is there without the run");
}

#[test]
fn one_after_the_other_is_taken_back_and_a_number_leads_forward() {
    let bench = Bench::new().with("room.mliot", PIPELINE);
    let running = start(&bench, &[]);
    edit(&bench, &PIPELINE.replace("= 800", "= 500"));
    edit(&bench, &PIPELINE.replace("= 800", "= 600"));
    let back_to = |args: &[&str]| {
        let ended = bench.run(&[&["undo", "room.mliot"], args].concat());
        assert_eq!(ended.code, Some(0), "{}", ended.text());
        history(&bench)["running"]["back_to"].clone()
    };
    assert_eq!((back_to(&[]), back_to(&[])), (2.into(), 1.into()));
    refused(&bench.run(&["undo", "room.mliot"]), "R0203");
    assert_eq!(back_to(&["--to", "3"]), 3);
    assert_eq!(history(&bench)["running"]["differs"], Value::Null, "that is what the file says");
    refused(&bench.run(&["undo", "room.mliot", "--to", "77"]), "R0203");
    running.interrupt();
    assert_eq!(running.end().code, Some(0));
    nothing_forgotten(&rows(&bench));
}

#[test]
fn a_plan_against_what_runs_weighs_what_is_remembered() {
    let bench = Bench::new().with("room.mliot", PIPELINE).with("broken.mliot", "stream air = rom\n");
    let running = start(&bench, &[]);
    more_rows(&bench, 20);
    let lag = PIPELINE.replace("previous(co2)", "lag(co2, 3)").replace("= 800", "= 500");
    let bench = bench.with("next.mliot", lag);
    let plan = |args: &[&str]| bench.run(&[&["plan", "--state", ".mliot/room"], args].concat());
    let said = plan(&["next.mliot", "--json"]).json();
    assert_eq!(said["against"]["plan"], 1, "{said}");
    let state = &said["state"][0];
    assert_eq!((&state["node"], &state["fate"]), (&"air/scan".into(), &"lost".into()), "{said}");
    assert_eq!(state["words"], "`rise` begins empty, as `on change empty` says; the rest goes on", "{said}");
    assert!(state["rows"].as_u64() > Some(0) && state["bytes"].as_u64() > Some(0), "{said}");
    assert!(said["losses"][0].as_str().unwrap().starts_with("air.rise: begins empty"), "{said}");
    let text = plan(&["next.mliot"]);
    assert!(text.out.contains("no way back") && text.out.contains("air.stuffy  retuned"), "{}", text.text());
    let broken = plan(&["broken.mliot", "--against", "running"]);
    assert_eq!(broken.code, Some(1), "{}", broken.text());
    assert!(broken.err.contains("E0201"), "{}", broken.text());
    assert_eq!(causes(&bench), ["started"], "asking changes nothing");
    running.interrupt();
    assert_eq!(running.end().code, Some(0));
    refused(&plan(&["next.mliot", "--against", "running"]), "R0202");
    assert!(plan(&["next.mliot"]).out.contains("air   added"), "without a run everything is new");
}

#[test]
fn an_edit_that_would_lose_something_waits_for_a_word() {
    let bench = Bench::new().with("room.mliot", PIPELINE);
    let running = start(&bench, &["--confirm"]);
    edit(&bench, &PIPELINE.replace("= 800", "= 500"));
    let lag = |rows: u32| PIPELINE.replace("previous(co2)", &format!("lag(co2, {rows})"));
    let waits = || wait_for("an edit that waits", || (history(&bench)["running"]["waits"] == true).then_some(()));
    refused(&bench.run(&["confirm", "room.mliot"]), "R0204");

    save(&bench, &lag(3));
    waits();
    assert_eq!(bench.run(&["confirm", "room.mliot", "--no"]).code, Some(0));
    save(&bench, &lag(4));
    waits();
    // The newest counts.
    save(&bench, &lag(5));
    wait_for("the newer edit", || (running.heard().matches("edit_waiting").count() == 3).then_some(()));
    assert_eq!(causes(&bench), ["started", "edited"]);
    let confirmed = bench.run(&["confirm", "room.mliot", "--json"]).json();
    assert_eq!((confirmed["answer"].as_str(), confirmed["plan"].as_u64()), (Some("applied"), Some(3)), "{confirmed}");
    assert!(bench.run(&["history", "room.mliot", "--show", "3"]).out.contains("lag(co2, 5)"));
    assert_eq!(running.heard().matches("edit_dropped").count(), 2, "{}", running.heard());

    // An edit that waits is taken back before any other.
    save(&bench, &lag(6));
    waits();
    let undone = bench.run(&["undo", "room.mliot", "--json"]).json();
    assert_eq!(undone["answer"], "nothing", "{undone}");
    assert_eq!(causes(&bench).len(), 3);
    running.interrupt();
    assert_eq!(running.end().code, Some(0));
}

#[test]
fn an_edit_that_nobody_confirms_is_dropped() {
    let bench = Bench::new().with("room.mliot", PIPELINE);
    let running = start(&bench, &["--confirm", "--confirm-within", "100ms"]);
    save(&bench, &PIPELINE.replace("previous(co2)", "lag(co2, 3)"));
    wait_for("the end of waiting", || running.heard().contains("nobody has confirmed it").then_some(()));
    assert_eq!(causes(&bench), ["started"]);
    running.interrupt();
    assert_eq!(running.end().code, Some(0));
}

/// Whatever the moment: what is written down is what took place.
#[test]
fn a_kill_leaves_a_history_without_gaps() {
    let bench = Bench::new().with("room.mliot", PIPELINE);
    let text = |nth: u32| PIPELINE.replace("= 800", &format!("= {}", 500 + nth));
    for nth in 1..=4 {
        let running = start(&bench, &[]);
        save(&bench, &text(nth));
        if nth % 2 == 0 {
            wait_for("the edit", || running.heard().contains("edit_applied").then_some(()));
        }
        running.kill();
    }
    let running = start(&bench, &[]);
    let now = history(&bench);
    let plans = now["plans"].as_array().unwrap();
    let rows: Vec<u64> = plans.iter().map(|plan| plan["at"].as_u64().expect("it took place")).collect();
    assert!(rows.is_sorted(), "{now}");
    let numbers: Vec<u64> = plans.iter().map(|plan| plan["number"].as_u64().unwrap()).collect();
    assert!(numbers.is_sorted() && plans.len() == 5, "each text has run once, then or at the next start: {now}");
    let last = bench.run(&["history", "room.mliot", "--show", &numbers[4].to_string()]);
    assert_eq!(last.out, text(4));
    running.interrupt();
    assert_eq!(running.end().code, Some(0));
    nothing_forgotten(&self::rows(&bench));
}
