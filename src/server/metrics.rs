//! A status in the text format of Prometheus.

use std::fmt::{Display, Write};

use super::status::Status;

pub fn write(status: &Status, out: &mut String) {
    let Status {
        pipeline,
        plan,
        stage,
        uptime_s,
        rows_in,
        sources,
        nodes,
        edges,
        failed,
        tasks,
        sinks,
        edits,
        last_change: _,
        differs: _,
        rates: _,
        lately: _,
    } = status;
    let info = Family::new(out, "mliot_info", "gauge", "The running pipeline.");
    info.put(out, &[("pipeline", pipeline), ("plan", plan), ("stage", stage.words())], 1);
    Family::new(out, "mliot_uptime_seconds", "gauge", "Since the start.").put(out, &[], uptime_s);
    Family::new(out, "mliot_rows_total", "counter", "Rows that entered.").put(out, &[], rows_in);

    let late = "The age of the oldest row that has come and was not taken yet.";
    let behind = Family::new(out, "mliot_source_behind_seconds", "gauge", late);
    for source in sources {
        let Some(us) = source.behind_us else { continue };
        behind.put(out, &[("source", &source.name)], us as f64 / 1e6);
    }
    let rows = Family::new(out, "mliot_node_rows_total", "counter", "Rows of a node: in = passed + absorbed + dropped.");
    for node in nodes {
        let flows = [("in", node.input), ("passed", node.passed), ("absorbed", node.absorbed), ("out", node.out)];
        flows.iter().for_each(|(flow, count)| rows.put(out, &[("node", &node.name), ("flow", flow)], count));
    }
    let dropped = Family::new(out, "mliot_node_dropped_rows_total", "counter", "Input rows that a node dropped, by reason.");
    for node in nodes {
        node.dropped.iter().for_each(|(why, count)| dropped.put(out, &[("node", &node.name), ("reason", why)], count));
    }
    let broken = Family::new(out, "mliot_node_failed", "gauge", "1 where a node has failed and is not stepped any more.");
    failed.keys().for_each(|node| broken.put(out, &[("node", node)], 1));

    let edge_rows = Family::new(out, "mliot_edge_rows_total", "counter", "Rows at both ends of an edge.");
    for edge in edges {
        for (end, count) in [("sent", edge.sent), ("received", edge.received)] {
            edge_rows.put(out, &[("from", &edge.from), ("to", &edge.to), ("end", end)], count);
        }
    }
    let sink_rows =
        Family::new(out, "mliot_sink_rows_total", "counter", "Rows of a sink: accepted = delivered + lost + waiting.");
    for sink in sinks {
        let what = [("accepted", sink.accepted), ("delivered", sink.delivered), ("lost", sink.lost), ("muted", sink.muted)];
        what.iter().for_each(|(what, count)| sink_rows.put(out, &[("sink", &sink.name), ("rows", what)], count));
    }
    let waiting = Family::new(out, "mliot_sink_waiting_rows", "gauge", "Rows that wait to be delivered.");
    sinks.iter().for_each(|sink| waiting.put(out, &[("sink", &sink.name)], sink.waiting));
    let retries = Family::new(out, "mliot_sink_retries_total", "counter", "Deliveries that were tried again.");
    sinks.iter().for_each(|sink| retries.put(out, &[("sink", &sink.name)], sink.retries));

    let predictions = Family::new(
        out,
        "mliot_predictions_total",
        "counter",
        "Rows that passed the predict stages of a task, with an answer or with null.",
    );
    tasks.iter().for_each(|task| predictions.put(out, &[("task", &task.name)], task.predictions));
    let model = Family::new(out, "mliot_model_info", "gauge", "The model that answers for a task.");
    for task in tasks {
        let Some(version) = &task.version else { continue };
        let family = task.family.as_deref().unwrap_or_default();
        model.put(out, &[("task", &task.name), ("version", version), ("family", family)], 1);
    }
    let measured = Family::new(out, "mliot_model_metric", "gauge", "What the policy asks for, on rows that did not train it.");
    for task in tasks {
        let Some((metric, value)) = &task.metric else { continue };
        measured.put(out, &[("task", &task.name), ("metric", metric)], value);
    }
    let training = Family::new(out, "mliot_training", "gauge", "1 while a task trains.");
    tasks.iter().for_each(|task| training.put(out, &[("task", &task.name)], u8::from(task.training)));

    let saves = Family::new(out, "mliot_edits_total", "counter", "Saves of the file, by what came of them.");
    for (result, count) in [("applied", edits.applied), ("unchanged", edits.unchanged), ("refused", edits.refused)] {
        saves.put(out, &[("result", result)], count);
    }
}

/// The samples of one name.
struct Family(&'static str);

impl Family {
    fn new(out: &mut String, name: &'static str, kind: &str, help: &str) -> Family {
        let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
        Family(name)
    }

    fn put(&self, out: &mut String, labels: &[(&str, &str)], value: impl Display) {
        out.push_str(self.0);
        for (nth, (key, value)) in labels.iter().enumerate() {
            let _ = write!(out, "{}{key}=\"{}\"", if nth == 0 { '{' } else { ',' }, Escaped(value));
        }
        let _ = writeln!(out, "{} {value}", if labels.is_empty() { "" } else { "}" });
    }
}

/// A label's value: backslash, quote and newline are written with a backslash.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.chars().try_for_each(|c| match c {
            '\\' => f.write_str("\\\\"),
            '"' => f.write_str("\\\""),
            '\n' => f.write_str("\\n"),
            c => f.write_char(c),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::{NodeReport, SourceReport};

    #[test]
    fn every_sample_has_a_type_and_labels_are_escaped() {
        let node = NodeReport {
            name: "air/\"odd\"\n".into(),
            input: 3,
            passed: 2,
            absorbed: 0,
            dropped: [("where".to_owned(), 1)].into(),
            out: 2,
            noted: Default::default(),
        };
        let source = |name: &str, behind_us| SourceReport { name: name.into(), rows: 3, bad: 0, ended: false, behind_us };
        let sources = vec![source("room", Some(1_500_000)), source("past", None)];
        let status = Status { pipeline: "room".into(), sources, nodes: vec![node], ..Status::default() };
        let mut out = String::new();
        write(&status, &mut out);
        assert!(out.contains(r#"mliot_node_dropped_rows_total{node="air/\"odd\"\n",reason="where"} 1"#), "{out}");
        assert!(out.contains("mliot_rows_total 0\n"), "{out}");
        assert!(out.contains("mliot_source_behind_seconds{source=\"room\"} 1.5\n") && !out.contains("\"past\""), "{out}");
        for line in out.lines().filter(|line| !line.starts_with('#')) {
            let name = line.split(['{', ' ']).next().unwrap();
            assert!(out.contains(&format!("# TYPE {name} ")), "{line}");
        }
    }
}
