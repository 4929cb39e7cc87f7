//! What became of the rows of a replay, for people and for scripts.

use serde_json::{Value, json};

use crate::runtime::{NodeReport, Replayed, SinkReport};

use super::terminal::grouped;

/// Rows read, what was dropped where and why, and what each sink has got.
pub fn text(replayed: &Replayed) -> String {
    let rate = grouped(replayed.rows_per_second() as u64);
    let mut out = format!("{} rows in {:.2}s, {rate} rows/s\n", grouped(replayed.rows), replayed.seconds);
    for node in replayed.nodes.iter().filter(|node| !node.dropped.is_empty()) {
        out.push_str(&dropped(node));
    }
    for sink in &replayed.sinks {
        out.push_str(&written(sink));
    }
    out
}

fn dropped(node: &NodeReport) -> String {
    let reasons: Vec<String> = node.dropped.iter().map(|(reason, rows)| format!("{} {reason}", grouped(*rows))).collect();
    format!(
        "  {}: {} of {} in dropped: {}\n",
        node.name,
        grouped(node.dropped.values().sum()),
        grouped(node.input),
        reasons.join(", ")
    )
}

fn written(sink: &SinkReport) -> String {
    let lost = if sink.lost > 0 { format!(", {} could not be written", grouped(sink.lost)) } else { String::new() };
    format!("  {}: {} rows written{lost}\n", sink.name, grouped(sink.taken))
}

/// `nodes`, `edges`, `sinks`, `rows`, `rows_per_s`, `peak_rss_bytes`.
pub fn json(replayed: &Replayed) -> Value {
    json!({
        "rows": replayed.rows,
        "rows_per_s": replayed.rows_per_second(),
        "peak_rss_bytes": peak_rss(),
        "nodes": replayed.nodes,
        "edges": replayed.edges,
        "sinks": replayed.sinks,
    })
}

/// The most memory that this process has held; none where the system does not tell.
fn peak_rss() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? * 1_024)
}
