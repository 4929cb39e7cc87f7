//! The stable JSON forms behind `--json`.

use serde::Serialize;
use serde_json::{Value, json};

use crate::ir::{Column, Outlet};
use crate::plan::diff::{Component, Diff, Listed, Rename};
use crate::plan::{Graph, Hashes, Input, NodeSpec};

/// `{"nothing_to_do", "changes": [{"name", "class", "why", "memory"}], "renames": [{"from", "to", "declared"}],
/// "nodes": {CLASS: count}, "together": [[NODE, …]], "rejected": [NODE, …]}`; `memory` is what becomes of
/// what it remembers: `kept`, `converted`, `rebuilt`, `aged`, `empty` or `returned`.
pub fn plan_json(diff: &Diff) -> Value {
    let nodes: serde_json::Map<String, Value> =
        diff.counts().into_iter().map(|(class, count)| (class.word().to_owned(), json!(count))).collect();
    json!({
        "nothing_to_do": diff.is_nothing(),
        "changes": diff.listed().iter().map(change).collect::<Vec<_>>(),
        "renames": diff.renames.iter().map(rename).collect::<Vec<_>>(),
        "nodes": nodes,
        "together": diff.components.iter().map(together).collect::<Vec<_>>(),
        "rejected": diff.rejected().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn change(listed: &Listed) -> Value {
    let Listed { name, class, why: _, memory, node: _ } = listed;
    json!({ "name": name, "class": class.word(), "why": listed.reason(), "memory": memory.word() })
}

fn rename(rename: &Rename) -> Value {
    let Rename { from, to, declared } = rename;
    json!({ "from": from, "to": to, "declared": declared })
}

fn together(component: &Component) -> Vec<String> {
    let Component { nodes, removed } = component;
    nodes.iter().chain(removed).map(ToString::to_string).collect()
}

/// `{"nodes": [{"name", "declaration", "part", "inputs": [{"node", "outlet"}], "columns": [{"name", "type", "nullable"}],
/// "hashes", "entries"}]}`, from sources to ends.
pub fn graph_json(graph: &Graph) -> Value {
    let nodes: Vec<NodeJson> = graph.order().into_iter().map(|key| NodeJson::of(&graph.nodes[key])).collect();
    json!({ "nodes": nodes })
}

#[derive(Serialize)]
struct NodeJson {
    name: String,
    declaration: String,
    part: String,
    inputs: Vec<Value>,
    columns: Vec<Value>,
    hashes: Hashes,
    entries: Vec<String>,
}

impl NodeJson {
    fn of(node: &NodeSpec) -> NodeJson {
        let NodeSpec { key, op: _, inputs, schema, on_change: _, hashes, entries } = node;
        let input = |input: &Input| json!({ "node": input.node.to_string(), "outlet": outlet(input.outlet) });
        let column =
            |column: &Column| json!({ "name": column.name, "type": column.ty.to_string(), "nullable": column.nullable });
        NodeJson {
            name: key.to_string(),
            declaration: key.decl.to_string(),
            part: key.slot.to_string(),
            inputs: inputs.iter().map(input).collect(),
            columns: schema.visible().map(column).collect(),
            hashes: *hashes,
            entries: entries.keys().map(ToString::to_string).collect(),
        }
    }
}

fn outlet(outlet: Outlet) -> &'static str {
    match outlet {
        Outlet::Rows => "rows",
        Outlet::Bad => "bad",
        Outlet::Late => "late",
    }
}
