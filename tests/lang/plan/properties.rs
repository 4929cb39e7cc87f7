//! What holds for all programs and all edits: random pipelines over the occupancy example.

use std::collections::BTreeSet;

use mliot::base::{SourceId, Span};
use mliot::ir::*;
use mliot::plan::{Class, Diff, Graph, NodeKey, Patch, diff, lower};
use proptest::prelude::*;

use super::build::*;
use super::room::*;

/// A stage of a random stream.
#[derive(Clone, Debug)]
enum Seed {
    Where(u8),
    Set(u8),
    /// How many rows back, whether a column without memory stands beside, and in front.
    Scan(u8, bool, bool),
}

fn seeds() -> impl Strategy<Value = Vec<Seed>> {
    let seed = prop_oneof![
        (0..4u8).prop_map(Seed::Where),
        (0..4u8).prop_map(Seed::Set),
        (1..4u8, any::<bool>(), any::<bool>()).prop_map(|(lag, plain, first)| Seed::Scan(lag, plain, first))
    ];
    prop::collection::vec(seed, 0..6)
}

/// One stream per list, each reading the source or the stream before it.
fn programs() -> impl Strategy<Value = Program> {
    prop::collection::vec((seeds(), any::<bool>()), 1..5).prop_map(|streams| {
        let mut program = room();
        for (nth, (seeds, chained)) in streams.iter().enumerate() {
            let input = if nth > 0 && *chained { format!("s{}", nth - 1) } else { "room".to_owned() };
            let name = format!("s{nth}");
            let stages = seeds.iter().enumerate().map(|(at, seed)| planted(seed, at)).collect();
            program.streams.insert(name.as_str().into(), stream(&name, &input, stages));
        }
        program
    })
}

fn planted(seed: &Seed, at: usize) -> Stage {
    match seed {
        Seed::Where(least) => keep_if_measured(f64::from(*least)),
        Seed::Set(fresh) => {
            let entry = Entry { name: format!("set{at}").into(), ..stuffy(f64::from(*fresh)) };
            set(vec![entry])
        }
        Seed::Scan(lag, plain, first) => {
            let lagged = ScanEntry { name: format!("scan{at}").into(), ..rise(Running::Lag, vec![Value::Int((*lag).into())]) };
            let mut stage = scan(lagged.clone());
            let Op::Scan { entries, .. } = &mut stage.op else { unreachable!("a scan") };
            if *plain {
                let value = read(&column("co2", ppm()));
                let place = if *first { 0 } else { entries.len() };
                entries.insert(place, ScanEntry { name: format!("plain{at}").into(), calls: vec![], value, ..lagged });
            }
            stage
        }
    }
}

/// Somewhere else in the text.
fn moved(mut program: Program, by: u32) -> Program {
    let span = Span { source: SourceId(1), start: by, end: by + 9 };
    for stream in program.streams.values_mut() {
        stream.span = span;
        for stage in &mut stream.stages {
            stage.span = span;
            if let Op::Where { predicate } = &mut stage.op {
                predicate.span = span;
            }
        }
    }
    program.tasks.values_mut().for_each(|task| task.span = span);
    program.policies.values_mut().for_each(|policy| policy.span = span);
    program
}

fn json(graph: &Graph) -> Graph {
    serde_json::from_str(&serde_json::to_string(graph).expect("a graph is plain data")).expect("what was written")
}

fn changed(diff: &Diff) -> BTreeSet<&NodeKey> {
    diff.nodes.iter().filter(|(_, change)| change.class != Class::Same).map(|(key, _)| key).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn a_graph_does_not_differ_from_itself(program in programs()) {
        let graph = lower(&program);
        let diff = diff(&graph, &graph);
        prop_assert!(diff.is_nothing(), "{:?}", diff.listed());
        prop_assert!(diff.components.is_empty() && diff.renames.is_empty());
    }

    #[test]
    fn where_it_stands_in_the_text_does_not_count(program in programs(), by in 0..1000u32) {
        let (graph, moved) = (lower(&program), lower(&moved(program, by)));
        prop_assert!(graph == moved);
        prop_assert!(diff(&graph, &moved).is_nothing());
    }

    #[test]
    fn a_graph_read_back_is_the_same(program in programs(), other in programs()) {
        let (running, wanted) = (lower(&program), lower(&other));
        prop_assert!(json(&running) == running);
        prop_assert_eq!(diff(&json(&running), &wanted), diff(&running, &wanted));
    }

    #[test]
    fn every_node_goes_on_once_or_is_removed(before in programs(), after in programs()) {
        let (running, wanted) = (lower(&before), lower(&after));
        let diff = diff(&running, &wanted);
        let mut seen = BTreeSet::new();
        for (key, change) in &diff.nodes {
            prop_assert_eq!(change.from.is_none(), change.class == Class::Added, "{}", key);
            if let Some(from) = &change.from {
                prop_assert!(seen.insert(from.clone()), "{} goes on twice", from);
            }
        }
        for key in &diff.removed {
            prop_assert!(seen.insert(key.clone()), "{} goes on and is removed", key);
        }
        prop_assert!(seen.iter().eq(running.nodes.keys()));
        prop_assert!(diff.nodes.keys().eq(wanted.nodes.keys()));
    }

    #[test]
    fn what_is_kept_can_be_read(before in programs(), after in programs()) {
        let (running, wanted) = (lower(&before), lower(&after));
        for (key, change) in &diff(&running, &wanted).nodes {
            let Some(from) = &change.from else { continue };
            let (old, new) = (running.nodes[from].hashes.state, wanted.nodes[key].hashes.state);
            let kept = !matches!(change.class, Class::Migrated | Class::Reset(_));
            prop_assert_eq!(kept, old == new, "{}: {}", key, change.class);
        }
    }

    #[test]
    fn every_changed_node_is_in_one_set(before in programs(), after in programs()) {
        let (running, wanted) = (lower(&before), lower(&after));
        let diff = diff(&running, &wanted);
        let mut found = BTreeSet::new();
        for key in diff.components.iter().flat_map(|component| &component.nodes) {
            prop_assert!(found.insert(key), "{} is in two sets", key);
        }
        prop_assert!(found.is_superset(&changed(&diff)));
        let removed: Vec<_> = diff.components.iter().flat_map(|component| &component.removed).collect();
        prop_assert_eq!(removed.len(), diff.removed.len());
    }

    #[test]
    fn a_patch_makes_of_one_graph_the_other_and_is_empty_between_equals(before in programs(), after in programs()) {
        let (from, to) = (lower(&before), lower(&after));
        let patch = Patch::between(&from, &to);
        prop_assert_eq!(patch.on(&from), to.clone());
        prop_assert!(patch.nodes.len() <= to.nodes.len());
        prop_assert_eq!(Patch::between(&to, &to), Patch::default());
        let written: Patch = serde_json::from_str(&serde_json::to_string(&patch).unwrap()).unwrap();
        prop_assert_eq!(written.on(&from), to);
    }

    #[test]
    fn what_is_added_one_way_is_removed_the_other(before in programs(), after in programs()) {
        let (running, wanted) = (lower(&before), lower(&after));
        let (there, back) = (diff(&running, &wanted), diff(&wanted, &running));
        let added = there.nodes.values().filter(|change| change.class == Class::Added).count();
        prop_assert_eq!(added as i64 - there.removed.len() as i64, wanted.nodes.len() as i64 - running.nodes.len() as i64);
        let added_back = back.nodes.values().filter(|change| change.class == Class::Added).count();
        prop_assert_eq!(added_back as i64 - back.removed.len() as i64, running.nodes.len() as i64 - wanted.nodes.len() as i64);
    }

    #[test]
    fn a_stage_in_between_touches_no_other(program in programs(), at in 0..6usize) {
        let mut after = program.clone();
        let stages = &mut after.streams.get_mut("s0").expect("the first one").stages;
        let at = at.min(stages.len());
        stages.insert(at, keep_if_measured(1e6));
        let diff = diff(&lower(&program), &lower(&after));
        let added: Vec<_> = diff.nodes.iter().filter(|(_, change)| change.class == Class::Added).collect();
        prop_assert_eq!(added.len(), 1);
        for (key, change) in &diff.nodes {
            prop_assert!(matches!(change.class, Class::Same | Class::Rewired | Class::Added), "{}: {}", key, change.class);
        }
    }

    #[test]
    fn a_stream_goes_and_comes(program in programs()) {
        let mut without = program.clone();
        without.streams.insert("last".into(), stream("last", "room", vec![keep_if_measured(7e6)]));
        let (with, without) = (lower(&without), lower(&program));
        let (gone, come) = (diff(&with, &without), diff(&without, &with));
        prop_assert_eq!(gone.class_of("last"), Some(Class::Removed));
        prop_assert_eq!(come.class_of("last"), Some(Class::Added));
        prop_assert_eq!((gone.listed().len(), come.listed().len()), (1, 1));
    }

    #[test]
    fn the_order_has_inputs_first(program in programs()) {
        let graph = lower(&program);
        let order = graph.order();
        let place = |key: &NodeKey| order.iter().position(|other| *other == key);
        prop_assert_eq!(order.len(), graph.nodes.len());
        for (key, node) in &graph.nodes {
            for input in &node.inputs {
                prop_assert!(place(&input.node) < place(key));
            }
        }
        prop_assert!(graph.cycle().is_none());
    }
}
