//! Tensors on their way through the program: packed, written, read again, learned from, and kept while they come in live.

use serde_json::{Value, json};

use crate::host::bench::Client;

use super::bench::{Bench, Running, wait_for};
use super::inputs::address;

const PACKED: &str = r#"
source s {
  columns { at: time; dev: text; ax: float<gee>?; ay: float<gee>; n: int; fast: bool }
  recorded csv("s.csv")
  time at
}
stream w = s | window 8 rows every 4 rows by dev { x = tensor([ax..n]); fast = last(fast) }
task t = classify fast from w { features [x]; models [forest(trees: 20)] }
stream p = w | predict t as guess | set { y = x } | rename { z = y }
stream u = w | where dev == "a" | drop [dev] | union [v] | where x is not null
stream v = w | where dev == "b" | select [x, fast]
sink a = w | to jsonl("w.jsonl")
sink b = w | to parquet("w.parquet")
sink c = w | to arrow("w.arrow")
sink d = w | to csv("w.csv")
sink e = w | to json("w.json")
sink f = p | to jsonl("p.jsonl")
sink g = u | to jsonl("u.jsonl")
"#;

/// Of two devices; `a` has no `ax` in its sixth row.
fn rows() -> String {
    let mut out = String::from("at,dev,ax,ay,n,fast\n");
    for row in 0..400 {
        for dev in ["a", "b"] {
            let fast = row / 40 % 2 == 0;
            let at = format!("2026-01-01T00:{:02}:{:02}Z", row / 60, row % 60);
            let phase = f64::from(row) * if fast { 0.9 } else { 0.3 };
            let ax = if row == 5 && dev == "a" { String::new() } else { format!("{:.3}", phase.sin()) };
            out.push_str(&format!("{at},{dev},{ax},{:.3},{},{fast}\n", phase.cos(), row % 7));
        }
    }
    out
}

fn lines(bench: &Bench, name: &str) -> Vec<Value> {
    let text = String::from_utf8(bench.read(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn packed() -> Bench {
    let bench = Bench::new().with("s.mliot", PACKED).with("s.csv", rows());
    let ended = bench.run(&["replay", "s.mliot"]);
    assert_eq!(ended.code, Some(0), "{}", ended.text());
    bench
}

#[test]
fn rows_become_a_tensor_that_is_learned_from() {
    let bench = packed();
    let windows = lines(&bench, "w.jsonl");
    assert_eq!(windows.len(), 2 * 99);
    // The first two windows of `a` have a null in them.
    let nulls: Vec<usize> = windows.iter().enumerate().filter(|(_, row)| row["x"].is_null()).map(|(nth, _)| nth).collect();
    assert_eq!(nulls, [0, 2]);
    let first = &windows[1]["x"];
    assert_eq!((first[0].clone(), first[1].clone(), first[2].clone()), (json!(0.0), json!(1.0), json!(0.0)));
    assert_eq!((first[3].clone(), first[5].clone(), first.as_array().unwrap().len()), (json!(0.783), json!(1.0), 24));
    let predicted = lines(&bench, "p.jsonl");
    assert_eq!((predicted.len(), lines(&bench, "u.jsonl").len()), (2 * 99, 2 * 99 - 2));
    for row in &predicted {
        assert_eq!(row["x"], row["z"]);
        assert!(!row["x"].is_null() || row["guess"].is_null(), "a row without its tensor is predicted: {row}");
    }
    let known = predicted.iter().filter(|row| row["guess"].is_boolean()).collect::<Vec<_>>();
    let right = known.iter().filter(|row| row["guess"] == row["fast"]).count();
    assert!(known.len() >= 40 && right * 10 >= known.len() * 8, "{right} of {}", known.len());
}

#[test]
fn a_tensor_is_read_as_it_was_written_from_every_format() {
    let bench = packed();
    for format in ["jsonl(\"w.jsonl\")", "json(\"w.json\")", "parquet(\"w.parquet\")", "arrow(\"w.arrow\")", "csv(\"w.csv\")"] {
        let text = format!(
            "source r {{\n  columns {{ dev: text; x: tensor[8, 3]?; fast: bool }}\n  recorded {format}\n  time none\n}}\n\
             sink out = r | to jsonl(\"again.jsonl\")\n"
        );
        let bench_again = bench.path("again.mliot");
        std::fs::write(bench_again, text).unwrap();
        let ended = bench.run(&["replay", "again.mliot"]);
        assert_eq!(ended.code, Some(0), "{}", ended.text());
        assert_eq!(lines(&bench, "again.jsonl"), lines(&bench, "w.jsonl"), "{format}");
    }
}

const LIVE: &str = r#"
source room {
  columns { n: int; x: tensor[2, 2]? }
  live http(port: 0)
  keep parquet("air/")
}
sink out = room | scan { before = previous(x) } | to jsonl("out.jsonl")
"#;

#[test]
fn tensors_that_come_in_live_outlive_a_kill_and_are_kept() {
    let bench = Bench::new().with("room.mliot", LIVE);
    for round in 0..2 {
        let running = Running::start(&mut bench.program(&["run", "room.mliot", "--epoch-every", "50ms"]));
        let row = |n: i64| json!({ "n": n, "x": if n % 4 == 1 { Value::Null } else { json!([[n, 0.1], [2, n]]) } });
        let rows: Value = (3 * round..3 * round + 3).map(row).collect();
        assert_eq!(Client::to(&address(&running)).ask("POST", "/rows/room", &rows.to_string()).0, 202);
        wait_for("the rows", || {
            let text = std::fs::read_to_string(bench.path("out.jsonl")).unwrap_or_default();
            (text.lines().count() as i64 == 3 * round + 3 && text.ends_with('\n')).then_some(())
        });
        match round {
            0 => running.kill(),
            _ => {
                running.interrupt();
                assert_eq!(running.end().code, Some(0));
            }
        }
    }
    let live = lines(&bench, "out.jsonl");
    let before: Vec<&Value> = live.iter().map(|row| &row["before"]).collect();
    // Where the value is null a running function repeats what it gave before.
    let x = |n: f64| json!([n, 0.1, 2.0, n]);
    assert_eq!(before, [&Value::Null, &Value::Null, &x(0.0), &x(2.0), &x(3.0), &x(3.0)]);
    std::fs::remove_file(bench.path("out.jsonl")).unwrap();
    assert_eq!(bench.run(&["replay", "room.mliot"]).code, Some(0));
    assert_eq!(lines(&bench, "out.jsonl"), live);
}
