//! Promises about edits: what they keep, what a failed one leaves, what they may touch.

use std::collections::BTreeSet;

use arrow::array::RecordBatch;
use mliot::base::Name;
use mliot::ir::{Outlet, Schema};
use mliot::node::State;
use mliot::plan::{Class, EntryChange, Graph, Input, Memory, NodeKey};
use mliot::runtime::{Fate, Side};

use crate::sim::ledger::Fault;
use crate::sim::log::Happening;
use crate::sim::record::{Moment, Outcome, Record, Recovery};
use crate::sim::snapshot::Snapshot;

/// 5. And what is retuned or carried over keeps its state as well.
pub fn kept_states(record: &Record) -> Result<(), String> {
    for moment in &record.moments {
        let Outcome::Done(done) = &moment.outcome else { continue };
        let (event, diff) = &**done;
        for (key, change) in &diff.nodes {
            let Some(fate) = event.nodes.iter().find(|node| node.node == key.to_string()).map(|node| node.fate) else {
                continue;
            };
            let (Some(from), Some(after)) = (&change.from, moment.after.states.get(key)) else { continue };
            let keeps = matches!(change.class, Class::Same | Class::Rewired) || matches!(fate, Fate::Retuned);
            let before = &moment.before.states[from];
            let reshaped = is_carried_for_columns(moment, key);
            let same = if reshaped { same_but_for_columns(before, after) } else { before.tables == after.tables };
            if keeps && !same && !ended_by(moment, key) {
                return Err(format!("{key} is {} ({fate:?}) and remembers something else after {}", change.class, moment.what));
            }
            if change.class == Class::Same && !change.reshaped && fate != Fate::Kept && !is_carried_for_columns(moment, key) {
                return Err(format!("{key} is the same and was {fate:?} by {}", moment.what));
            }
        }
    }
    Ok(())
}

/// Rows that wait as they came in have other columns after an edit of these; in those that stay they are what they were.
fn same_but_for_columns(before: &State, after: &State) -> bool {
    let same = |(name, old): (&Name, &RecordBatch)| {
        let Some(new) = after.tables.get(name).filter(|new| new.num_rows() == old.num_rows()) else { return false };
        let schema = old.schema();
        let pairs = schema.fields().iter().zip(old.columns());
        let mut both = pairs.filter_map(|(field, column)| Some((column, new.column_by_name(field.name())?)));
        both.all(|(old, new)| old == new || old.data_type() != new.data_type())
    };
    before.tables.len() == after.tables.len() && before.tables.iter().all(same)
}

/// A node that has come to read what has ended lets go of what it holds.
fn ended_by(moment: &Moment, key: &NodeKey) -> bool {
    let out = |moment: &Snapshot| moment.nodes.iter().find(|node| node.name == key.to_string()).map(|node| node.out);
    let empty = |moment: &Snapshot| {
        moment.states.get(key).is_some_and(|state| state.tables.values().all(|table| table.num_rows() <= 1))
    };
    out(&moment.before) < out(&moment.after) || empty(&moment.after)
}

/// A node knows its columns by their places: where these have changed it is built anew, with its state.
fn is_carried_for_columns(moment: &Moment, key: &NodeKey) -> bool {
    let columns = |moment: &Snapshot, key: &NodeKey| -> Option<Vec<_>> {
        let spec = moment.graph.nodes.get(key)?;
        Some(spec.inputs.iter().map(|input| columns_at(&moment.graph, input)).collect())
    };
    let Outcome::Done(done) = &moment.outcome else { return false };
    let from = done.1.nodes[key].from.as_ref();
    from.and_then(|from| columns(&moment.before, from)) != columns(&moment.after, key)
}

/// What comes too late has the columns of what came in.
fn columns_at(graph: &Graph, input: &Input) -> Option<Schema> {
    let node = graph.nodes.get(&input.node)?;
    match input.outlet {
        Outlet::Rows => Some(node.schema.clone()),
        Outlet::Late => columns_at(graph, node.inputs.first()?),
        Outlet::Bad => None,
    }
}

fn unchanged(moment: &Moment) -> Result<(), String> {
    let Snapshot { graph, next, states, nodes, edges, sinks, feeds, living, open, aside, under_way } = &moment.before;
    let after = &moment.after;
    let same = [
        ("the graph", *graph == after.graph),
        ("the next ordinal", *next == after.next),
        ("a state", *states == after.states),
        ("the books of a node", *nodes == after.nodes),
        ("the books of an edge", *edges == after.edges),
        ("the books of a sink", *sinks == after.sinks),
        ("the books of a source", *feeds == after.feeds),
        ("which nodes live", *living == after.living),
        ("how many sources are open", *open == after.open),
        ("what was prepared", *aside == 0 && after.aside == 0),
        ("what is under way", *under_way == after.under_way),
        ("what was told", moment.told == 0),
    ];
    match same.iter().find(|(_, same)| !same) {
        Some((what, _)) => Err(format!("{what} is not as it was before {}", moment.what)),
        None => Ok(()),
    }
}

fn failed(record: &Record, wanted: impl Fn(Fault) -> bool) -> impl Iterator<Item = &Moment> {
    record.moments.iter().filter(move |moment| {
        let fault = moment.armed.filter(|armed| armed.hit).map(|armed| armed.fault);
        matches!(moment.outcome, Outcome::Failed(_) | Outcome::Refused(_)) && fault.is_none_or(&wanted)
    })
}

/// 8. Nor does a text that does not compile.
pub fn no_trace_of_a_failed_prepare(record: &Record) -> Result<(), String> {
    let in_prepare = |fault| matches!(fault, Fault::Build | Fault::Open);
    failed(record, |fault| in_prepare(fault) || fault == Fault::Reread).try_for_each(unchanged)?;
    let made = record.moments.iter().find(|moment| moment.armed.is_some_and(|armed| armed.hit && in_prepare(armed.fault)));
    match made {
        Some(moment) if matches!(moment.outcome, Outcome::Done(_)) => {
            Err(format!("a part failed, and {} was made", moment.what))
        }
        _ => Ok(()),
    }
}

/// 9. What was changed in place is put back. That it also behaves so, the oracle says: it goes on with the old plan.
pub fn an_abort_restores(record: &Record) -> Result<(), String> {
    let in_cut = |fault| matches!(fault, Fault::Load | Fault::Retune | Fault::Feed | Fault::Confirm);
    failed(record, in_cut).try_for_each(unchanged)?;
    let made = record.moments.iter().find(|moment| moment.armed.is_some_and(|armed| armed.hit && in_cut(armed.fault)));
    match made {
        Some(moment) if matches!(moment.outcome, Outcome::Done(_)) => {
            Err(format!("a part failed, and {} was made", moment.what))
        }
        _ => Ok(()),
    }
}

/// 10. At once: the graph is the old one, and whatever did not have to forget remembers what it did.
pub fn there_and_back(record: &Record) -> Result<(), String> {
    for pair in record.moments.windows(2).filter(|pair| pair[1].back) {
        let [there, back] = pair else { continue };
        let (Outcome::Done(_), Outcome::Done(_)) = (&there.outcome, &back.outcome) else { continue };
        if there.before.graph != back.after.graph {
            return Err(format!("the old text gives another graph after {}", there.what));
        }
        for (key, before) in &there.before.states {
            // What a column had that went is gone from the rows that wait.
            let kept = [there, back].iter().all(|moment| keeps(moment, key) && !is_carried_for_columns(moment, key));
            if kept && before.tables != back.after.states[key].tables && !ended_by(back, key) && !ended_by(there, key) {
                return Err(format!("{key} remembers something else after {} and back", there.what));
            }
        }
    }
    Ok(())
}

/// Did it keep what it remembers as it was? What is taken over in another form does not come back by itself.
fn keeps(moment: &Moment, key: &NodeKey) -> bool {
    let Outcome::Done(done) = &moment.outcome else { return false };
    let fate = done.0.nodes.iter().find(|node| node.node == key.to_string()).map(|node| node.fate);
    let kept = |memory: &Memory| matches!(memory, Memory::Kept | Memory::Aged(_));
    let as_it_was = || {
        let change = &done.1.nodes[key];
        let here = |entry: &EntryChange| kept(&entry.memory) && !matches!(entry.class, Class::Added | Class::Removed);
        kept(&change.memory) && change.entries.values().all(here)
    };
    match fate {
        Some(Fate::Kept | Fate::Rewired | Fate::Retuned) => true,
        Some(Fate::Carried) => as_it_was(),
        Some(Fate::Added | Fate::Reset | Fate::Rebuilt | Fate::Removed) | None => false,
    }
}

/// 11. Opened is what is new or connected elsewhere, and nothing else.
pub fn connections(record: &Record) -> Result<(), String> {
    let cuts = record.log.iter().filter_map(|happening| if let Happening::Cut(cut) = happening { Some(cut) } else { None });
    let done = record.moments.iter().filter(|moment| matches!(moment.outcome, Outcome::Done(_)));
    for (moment, cut) in done.zip(cuts) {
        let is_new = |name: &str| !moment.before.feeds.contains_key(name);
        let wrong = moment.opened.iter().find(|(name, ..)| !is_new(name) && !cut.reconnected.contains(name.as_str()));
        if let Some((name, side, path)) = wrong {
            return Err(format!("{} opened {path} for {name} ({side:?}), which was open", moment.what));
        }
        let is_live = |side: Side| side == Side::Live;
        let opened: BTreeSet<(&str, bool)> =
            moment.opened.iter().map(|(name, side, _)| (name.as_str(), is_live(*side))).collect();
        if opened.len() != moment.opened.len() {
            return Err(format!("{} opened a source twice: {:?}", moment.what, moment.opened));
        }
        let missed = cut.reconnected.iter().find(|name| opened.iter().all(|(opened, _)| *opened != name.as_str()));
        if let Some(name) = missed {
            return Err(format!("{} does not open {name}, which is connected elsewhere now", moment.what));
        }
    }
    Ok(())
}

/// 12. Behind full outboxes a change is made like any other, and nothing has to be drawn for it.
pub fn stuck_sinks(record: &Record) -> Result<(), String> {
    let blocked = record.moments.iter().filter(|moment| moment.blocked);
    for moment in blocked {
        if let Outcome::Failed(codes) = &moment.outcome
            && moment.armed.is_none_or(|armed| !armed.hit)
            && !codes.iter().all(|code| code.contains("R0004"))
        {
            return Err(format!("{} is refused behind a stuck sink: {codes:?}", moment.what));
        }
        if moment.after.next != moment.before.next {
            return Err(format!("{} drew rows behind a stuck sink", moment.what));
        }
    }
    Ok(())
}

/// 13. The bound on time is a benchmark's matter; here: no node is given a row, and the event of the cut tells the pause.
pub fn pauses(record: &Record) -> Result<(), String> {
    for moment in &record.moments {
        let Outcome::Done(done) = &moment.outcome else { continue };
        if done.0.at != moment.at || moment.told != 1 {
            return Err(format!(
                "{} stands at {:?}, and was made at {:?}; told {} times",
                moment.what, done.0.at, moment.at, moment.told
            ));
        }
        let flushed = moment.after.nodes.iter().any(|node| {
            let before = moment.before.nodes.iter().find(|before| before.name == node.name);
            node.out > before.map_or(0, |before| before.out)
        });
        if moment.rows_moved > 0 && !flushed {
            return Err(format!("{} rows were processed during {}", moment.rows_moved, moment.what));
        }
    }
    Ok(())
}

/// Promise 14: an epoch and the log behind it give what there was, in states, books and plan. That it also goes on so, the
/// oracle says, who knows of no crash.
pub fn recoveries(record: &Record) -> Result<(), String> {
    for Recovery { before, after, told } in &record.recoveries {
        if let Some(told) = told.first() {
            return Err(format!("it recovers with a word: {told}"));
        }
        let accepted = |moment: &Snapshot| -> Vec<(String, u64)> {
            let books = moment.sinks.values().filter(|sink| moment.next > 0 || sink.accepted > 0);
            let mut books: Vec<(String, u64)> = books.map(|sink| (sink.path.clone(), sink.accepted)).collect();
            books.sort();
            books
        };
        let same = [
            ("the graph", before.graph == after.graph),
            ("the next ordinal", before.next == after.next),
            ("a state", before.states == after.states),
            ("the books of a node", before.nodes == after.nodes),
            ("the books of an edge", before.edges == after.edges),
            ("the books of a sink", accepted(before).iter().all(|books| accepted(after).contains(books))),
            ("the books of a source", before.feeds == after.feeds),
        ];
        if let Some((what, _)) = same.iter().find(|(_, same)| !same) {
            return Err(format!("after a crash at row {} {what} is not as it was", before.next));
        }
    }
    Ok(())
}

/// 15. A change that was prepared for a graph that no longer runs is not made, and leaves no trace.
pub fn newest_wins(record: &Record) -> Result<(), String> {
    for moment in &record.moments {
        if let Outcome::Overtaken(code) = &moment.outcome {
            if !code.ends_with("R0006") {
                return Err(format!("an overtaken change says {code}"));
            }
            let (before, after) = (&moment.before, &moment.after);
            if before.graph != after.graph || before.states != after.states || before.next != after.next {
                return Err(format!("an overtaken change left a trace: {}", moment.what));
            }
        }
    }
    Ok(())
}
