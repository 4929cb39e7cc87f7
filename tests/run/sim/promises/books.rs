//! Promises about books: rows in and out, what is held, what is seen.

use std::collections::BTreeMap;

use mliot::plan::Diff;
use mliot::runtime::EdgeReport;

use crate::sim::record::{Moment, Outcome, Record};
use crate::sim::snapshot::Snapshot;

/// 1. Of every node, edge, sink and source; and what a node has sent is what its readers have got, from cut to cut.
pub fn conservation(record: &Record) -> Result<(), String> {
    if let Some(found) = record.findings.first() {
        return Err(format!("the engine says: {found}"));
    }
    if let Some(found) = record.unfinished.first() {
        return Err(format!("something is under way between two steps: {found}"));
    }
    let moments = || record.moments.iter().flat_map(|moment| [&moment.before, &moment.after]).chain([&record.last]);
    moments().try_for_each(balance)?;
    let quiet = record.moments.windows(2).map(|pair| (&pair[0].after, &pair[1].before));
    let end = record.moments.last().map(|last| (&last.after, &record.last));
    quiet.chain(end).try_for_each(|(before, after)| sent_is_received(before, after))
}

fn balance(moment: &Snapshot) -> Result<(), String> {
    for node in &moment.nodes {
        let accounted = node.passed + node.absorbed + node.dropped.values().sum::<u64>();
        if node.input != accounted {
            return Err(format!("a node's rows do not add up: {node:?}"));
        }
    }
    if let Some(edge) = moment.edges.iter().find(|edge| edge.sent != edge.received) {
        return Err(format!("an edge's rows do not add up: {edge:?}"));
    }
    for sink in moment.sinks.values() {
        if sink.accepted != sink.taken + sink.lost + sink.waiting {
            return Err(format!("a sink's rows do not add up: {sink:?}"));
        }
    }
    for (name, feed) in &moment.feeds {
        let nodes = [&feed.connection, &feed.decode, &feed.gate];
        if nodes.iter().any(|counts| !counts.balance()) || feed.decode.output != feed.gate.input {
            return Err(format!("the rows of the source {name} do not add up: {feed:?}"));
        }
    }
    Ok(())
}

/// Between two changes of the graph, when edges and nodes are the same ones.
fn sent_is_received(before: &Snapshot, after: &Snapshot) -> Result<(), String> {
    let out = |moment: &Snapshot| -> BTreeMap<String, u64> {
        moment.nodes.iter().map(|node| (node.name.clone(), node.out)).collect()
    };
    let (old, new) = (out(before), out(after));
    let sent =
        |edge: &EdgeReport| before.edges.iter().find(|old| (&old.from, &old.to) == (&edge.from, &edge.to)).map(|old| old.sent);
    for edge in &after.edges {
        let from = edge.from.as_str();
        let (Some(was), Some(old), Some(new)) = (sent(edge), old.get(from), new.get(from)) else { continue };
        // A merge may read one node at two ports; their reports cannot be told apart.
        if after.edges.iter().filter(|other| (&other.from, &other.to) == (&edge.from, &edge.to)).count() > 1 {
            continue;
        }
        if edge.sent - was != new - old {
            return Err(format!("{from} gave {} rows, and {} came to {}", new - old, edge.sent - was, edge.to));
        }
    }
    Ok(())
}

/// 16. What has been built and opened is what runs.
pub fn leaks(record: &Record) -> Result<(), String> {
    for moment in &record.moments {
        let after = &moment.after;
        let built = after.states.keys().filter(|key| is_built(key)).count();
        if after.living.len() != built {
            return Err(format!("after {}: {built} nodes run, {} live: {:?}", moment.what, after.living.len(), after.living));
        }
        if after.aside != 0 {
            return Err(format!("after {}: {} parts of what was prepared are still there", moment.what, after.aside));
        }
        if after.open > 2 * after.feeds.len() as u64 {
            return Err(format!("after {}: {} sources, {} open ends", moment.what, after.feeds.len(), after.open));
        }
        if let Outcome::Done(_) = moment.outcome
            && after.edges.len() > after.graph.nodes.values().map(|node| node.inputs.len()).sum::<usize>()
        {
            return Err(format!("after {}: there are more edges than inputs", moment.what));
        }
    }
    if record.stale_outboxes > 0 {
        return Err(format!("{} former outboxes are kept although nothing waits in them", record.stale_outboxes));
    }
    Ok(())
}

fn is_built(key: &mliot::plan::NodeKey) -> bool {
    matches!(key.slot, mliot::plan::Slot::Stage { .. } | mliot::plan::Slot::Task)
}

/// 17. What was tapped gives its rows under any name, and counts never begin anew under a name that goes on.
pub fn taps_follow(record: &Record) -> Result<(), String> {
    for (key, rows) in &record.tapped {
        let wanted = record.oracle.looked_at.get(key).map(Vec::as_slice).unwrap_or_default();
        super::rows::alike(&format!("the tap at {key}"), wanted, rows)?;
    }
    for moment in &record.moments {
        let Outcome::Done(done) = &moment.outcome else { continue };
        edges_go_on(moment, &done.1)?;
        for (key, change) in &done.1.nodes {
            let count =
                |moment: &Snapshot, name: String| moment.nodes.iter().find(|node| node.name == name).map(|node| node.input);
            let Some(from) = &change.from else { continue };
            let (old, new) = (count(&moment.before, from.to_string()), count(&moment.after, key.to_string()));
            if old > new {
                return Err(format!("{key} had counted {old:?} rows, and says {new:?} after {}", moment.what));
            }
        }
    }
    Ok(())
}

/// An edge whose both ends go on goes on too.
fn edges_go_on(moment: &Moment, diff: &Diff) -> Result<(), String> {
    let was = |name: &str| -> Option<String> {
        let (_, change) = diff.nodes.iter().find(|(key, _)| key.to_string() == name)?;
        Some(change.from.as_ref()?.to_string())
    };
    for edge in &moment.after.edges {
        let (Some(from), Some(to)) = (was(&edge.from), was(&edge.to)) else { continue };
        let old = moment.before.edges.iter().filter(|old| (&old.from, &old.to) == (&from, &to));
        let old: Vec<u64> = old.map(|old| old.sent).collect();
        if let [sent] = old[..]
            && sent > edge.sent
            && !is_read_twice(moment, edge)
        {
            return Err(format!("{sent} rows had gone from {from} to {to}, and after {} it is {}", moment.what, edge.sent));
        }
    }
    Ok(())
}

fn is_read_twice(moment: &Moment, edge: &EdgeReport) -> bool {
    moment.after.edges.iter().filter(|other| (&other.from, &other.to) == (&edge.from, &edge.to)).count() > 1
}
