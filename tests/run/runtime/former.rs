//! What an edit replaces, kept beside it: going back is as if the edit had never been made.

use std::collections::BTreeMap;

use mliot::plan::{Graph, diff, former};
use mliot::runtime::{PROBATION_BYTES_MAX, Row};

use super::bench::{Bench, Nodes, World};
use super::classes::graph;
use super::program::row;

fn text(bound: u32, rise: &str, window: &str) -> Graph {
    graph(&format!(
        "source lab {{ columns {{ at: time; key: text; v: float }}; recorded jsonl(\"lab.jsonl\"); time at, lateness 1s }}
stream sums = lab | where v < {bound} | scan by key {{ n = cumulative(count(v)); rise = {rise} }} | set {{ twice = rise * 2 }}
stream panes = sums | window {window} by key {{ m = mean(rise); top = max(n) }}
stream plain = lab | scan by key {{ all = cumulative(count(v)) }}
sink out = sums | to jsonl(\"out.jsonl\")
sink slow = panes | to jsonl(\"slow.jsonl\")
sink rest = plain | to jsonl(\"rest.jsonl\")
"
    ))
}

fn before() -> Graph {
    text(6, "v - (previous(v) else v)", "4s")
}

/// Retunes, resets and migrates.
fn edited() -> Graph {
    text(3, "v - (lag(v, 2) else v)", "8s")
}

fn rows() -> BTreeMap<mliot::base::Name, Vec<Row>> {
    let rows = (0..120).map(|n| row(f64::from(n), ["a", "b"][n as usize % 2], f64::from(n * 5 % 7))).collect();
    BTreeMap::from([("lab".into(), rows)])
}

/// What comes to the sinks from this ordinal on.
fn after(bench: &mut Bench, at: u64) -> BTreeMap<mliot::base::Name, Vec<Row>> {
    bench.run_to(at);
    bench.sinks.clear();
    bench.finish();
    bench.check();
    bench.sinks.clone()
}

/// Nothing can be read again: a change that could be rebuilt would prove nothing.
fn world() -> World {
    let world = World::with(&rows(), Nodes::Real);
    world.forgets.set(true);
    world
}

#[test]
fn going_back_to_what_was_kept_beside_is_as_if_nothing_had_been_edited() {
    let all = world();
    let never = after(&mut Bench::start(&all, &before(), 4), 70);
    let world = world();
    let mut bench = Bench::start(&world, &before(), 4);
    bench.run_to(31);
    let (beside, kept) = bench.engine.keep_former(edited(), 2, PROBATION_BYTES_MAX);
    let names = ["sums/where", "sums/scan", "sums/set", "panes/window"];
    assert_eq!(kept.kept, names, "what remembers, and what leads to it");
    assert!(kept.left_out.is_empty() && kept.bytes > 0 && !kept.too_large, "{kept:?}");
    bench.engine.apply(&beside, &world).expect("a good edit");
    bench.run_to(70);
    let back = bench.engine.apply(&before(), &world).expect("the way back");
    assert!(!bench.engine.graph().has_former());
    assert_eq!(back.event.at.0, 70);
    let again = after(&mut bench, 70);
    assert_eq!(again, never);
    assert!(again.values().all(|rows| !rows.is_empty()));
}

/// Clock, span and merge of a copy are those of what it is a copy of: where that had got to, the copy never falls behind.
#[test]
fn what_is_kept_beside_stands_where_it_stood() {
    let world = world();
    let mut bench = Bench::start(&world, &before(), 4);
    bench.run_to(31);
    let stands = |bench: &mut Bench| -> BTreeMap<String, String> {
        let books = bench.engine.epoch().expect("nodes can save").expect("nothing is under way").books;
        let stand = books.slots.iter().map(|slot| {
            let stand = format!("{:?} {:?} {:?}", slot.floor, slot.upto, slot.merge);
            (format!("{:?} {}", slot.key.owner, slot.key), stand)
        });
        stand.collect()
    };
    let original = stands(&mut bench);
    let (beside, kept) = bench.engine.keep_former(edited(), 2, PROBATION_BYTES_MAX);
    bench.engine.apply(&beside, &world).expect("a good edit");
    let all = stands(&mut bench);
    for name in &kept.kept {
        let of = |all: &BTreeMap<String, String>, file: bool| {
            let found = all.iter().find(|(key, _)| key.contains(name.as_str()) && key.starts_with("File") == file);
            found.unwrap_or_else(|| panic!("no {name} in {all:?}")).1.clone()
        };
        assert_eq!(of(&all, false), of(&original, true), "{name}");
    }
}

#[test]
fn without_what_was_kept_beside_going_back_has_forgotten_something() {
    let all = world();
    let never = after(&mut Bench::start(&all, &before(), 4), 70);
    let world = world();
    let mut bench = Bench::start(&world, &before(), 4);
    bench.run_to(31);
    bench.engine.apply(&edited(), &world).expect("a good edit");
    bench.run_to(70);
    bench.engine.apply(&before(), &world).expect("the way back");
    assert_ne!(after(&mut bench, 70), never);
}

#[test]
fn what_was_kept_beside_goes_and_leaves_what_runs_as_it_is() {
    let one = world();
    let mut alone = Bench::start(&one, &before(), 4);
    alone.run_to(31);
    alone.engine.apply(&edited(), &one).expect("a good edit");
    let alone = after(&mut alone, 50);
    let world = world();
    let mut bench = Bench::start(&world, &before(), 4);
    bench.run_to(31);
    let (beside, _) = bench.engine.keep_former(edited(), 2, PROBATION_BYTES_MAX);
    bench.engine.apply(&beside, &world).expect("a good edit");
    bench.run_to(50);
    let bare = bench.engine.drop_former(&world).expect("it goes");
    assert!(bare == edited() && !bare.has_former());
    assert_eq!(after(&mut bench, 50), alone);
}

#[test]
fn what_is_too_much_is_not_kept() {
    let world = world();
    let mut bench = Bench::start(&world, &before(), 4);
    bench.run_to(31);
    let (alone, beside) = bench.engine.keep_former(edited(), 2, 100);
    assert!(alone == edited() && beside.too_large && beside.kept.is_empty() && beside.left_out.len() == 4, "{beside:?}");
}

#[test]
fn what_reads_other_rows_than_before_is_not_kept() {
    let other = |columns: &str| {
        graph(&format!(
            "source lab {{ columns {{ at: time; key: text; {columns} }}; recorded jsonl(\"lab.jsonl\"); time at }}
stream sums = lab | scan by key {{ n = cumulative(count(v)) }}
sink out = sums | to jsonl(\"out.jsonl\")
"
        ))
    };
    let (running, wanted) = (other("v: float"), other("v: float from \"w\""));
    let found = former(&running, &wanted, &diff(&running, &wanted), 2);
    assert_eq!((found.nodes.len(), found.left_out.len()), (0, 1), "{found:?}");
    let same = former(&running, &running, &diff(&running, &running), 2);
    assert_eq!(same, mliot::plan::Former::default());
}
