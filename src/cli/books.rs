//! What became of the rows of a replay, for people and for scripts.

use crate::base::grouped;
use serde_json::{Value, json};

use crate::runtime::{DeadRecord, NodeReport, Replayed, SinkReport};

/// Records of a source that are shown with the reason why they could not be read.
const DEAD_SHOWN: usize = 5;

/// Rows read, what was dropped where and why, and what each sink has got.
pub fn text(replayed: &Replayed) -> String {
    let rate = grouped(replayed.rows_per_second() as u64);
    let mut out = format!("{} rows in {:.2}s, {rate} rows/s\n", grouped(replayed.rows), replayed.seconds);
    for node in replayed.nodes.iter().filter(|node| !node.dropped.is_empty()) {
        out.push_str(&dropped(node));
    }
    for (source, records) in &replayed.dead_letter {
        out.push_str(&dead(source, records));
    }
    for sink in &replayed.sinks {
        out.push_str(&written(sink));
    }
    out
}

fn dropped(node: &NodeReport) -> String {
    let reasons: Vec<String> = node.dropped.iter().map(|(reason, rows)| format!("{} {reason}", grouped(*rows))).collect();
    format!(
        "  {}: {} of {} rows dropped: {}\n",
        node.name,
        grouped(node.dropped.values().sum()),
        grouped(node.input),
        reasons.join(", ")
    )
}

/// Why the first records of a source could not be read.
fn dead(source: &str, records: &[DeadRecord]) -> String {
    let shown = records.iter().take(DEAD_SHOWN);
    let mut out = format!("  {source} could not read\n");
    out.extend(shown.map(|record| format!("    {}: {}\n", record.origin, record.reason)));
    if records.len() > DEAD_SHOWN {
        out.push_str(&format!("    and more, which `{source}.bad` has\n"));
    }
    out
}

fn written(sink: &SinkReport) -> String {
    let lost = if sink.lost > 0 { format!(", {} could not be written", grouped(sink.lost)) } else { String::new() };
    format!("  {}: {} rows written{lost}\n", sink.name, grouped(sink.taken))
}

/// `nodes`, `edges`, `sinks`, `dead_letter`, `rows`, `rows_per_s`, `peak_rss_bytes`.
pub fn json(replayed: &Replayed) -> Value {
    json!({
        "rows": replayed.rows,
        "rows_per_s": replayed.rows_per_second(),
        "peak_rss_bytes": peak_rss(),
        "nodes": replayed.nodes,
        "edges": replayed.edges,
        "sinks": replayed.sinks,
        "dead_letter": replayed.dead_letter,
    })
}

/// The most memory that this process has held; none where the system does not tell.
fn peak_rss() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? * 1_024)
}
