//! The graph for Graphviz: one box per node, one frame per declaration.

use std::fmt::Write;

use crate::ir::Outlet;
use crate::plan::{Graph, NodeKey, NodeSpec, Slot};

use super::brief;

/// Draw it with `dot -Tsvg`. A broken line is where predictions come from.
pub fn dot(graph: &Graph) -> String {
    let mut out = String::from("digraph mliot {\n  rankdir=LR;\n  node [shape=box, fontname=\"sans-serif\"];\n");
    let mut frame = None;
    for (key, node) in &graph.nodes {
        if frame != Some(&key.decl) {
            close(&mut out, frame.is_some());
            _ = writeln!(out, "  subgraph {} {{\n    label={};", text(&format!("cluster_{}", key.decl)), text(&key.decl));
            frame = Some(&key.decl);
        }
        let label = format!("{}\n{}", key.slot, brief::node(node));
        _ = writeln!(out, "    {} [label={}];", text(&key.to_string()), text(&label));
    }
    close(&mut out, frame.is_some());
    graph.nodes.values().for_each(|node| edges(&mut out, node));
    out.push_str("}\n");
    out
}

fn close(out: &mut String, is_open: bool) {
    if is_open {
        out.push_str("  }\n");
    }
}

fn edges(out: &mut String, node: &NodeSpec) {
    for input in &node.inputs {
        let look = match input.outlet {
            Outlet::Rows => "",
            Outlet::Bad => " [label=bad]",
            Outlet::Late => " [label=late]",
        };
        edge(out, &input.node, &node.key, look);
    }
    if let Some(task) = node.predicts_by() {
        edge(out, &NodeKey::of_file(task, Slot::Task), &node.key, " [style=dashed]");
    }
}

fn edge(out: &mut String, from: &NodeKey, to: &NodeKey, look: &str) {
    _ = writeln!(out, "  {} -> {}{look};", text(&from.to_string()), text(&to.to_string()));
}

/// In quotes, as Graphviz reads it.
fn text(content: &str) -> String {
    format!("\"{}\"", content.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}
