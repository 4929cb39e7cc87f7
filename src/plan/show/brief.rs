//! A node, a schema, a connector in a few words.

use crate::base::Name;
use crate::ir::{
    Connector, HttpConnector, JoinKind, JoinOp, KeepOp, KeepRule, Op, Outlet, PostConnector, RankOp, RankRule, ResampleOp,
    Schema, TaskKind, TimeSpec, Type,
};
use crate::plan::diff::shape;
use crate::plan::{Connection, Gate, Graph, Learn, NodeKey, NodeOp, NodeSpec, Slot};

/// Columns that are named before the rest is counted.
const COLUMNS_MAX: usize = 5;

/// What a declaration is, by one of its nodes.
pub fn kind(graph: &Graph, key: &NodeKey) -> &'static str {
    match key.slot {
        Slot::Connection | Slot::Decode | Slot::Gate | Slot::Keep => "source",
        Slot::Stage { .. } | Slot::Accept => {
            let end = NodeKey { slot: Slot::Accept, ..key.clone() };
            if graph.nodes.contains_key(&end) { "sink" } else { "stream" }
        }
        Slot::Task => "task",
        Slot::Serve => "serve",
    }
}

/// `at time, co2 ppm, 4 more`
pub fn schema(schema: &Schema) -> String {
    let columns: Vec<String> = schema.visible().map(|column| format!("{} {}", column.name, ty(&column.ty))).collect();
    some(&columns)
}

/// A long list of values is only counted.
fn ty(ty: &Type) -> String {
    if let Type::Enum(items) = ty { format!("enum of {}", items.len()) } else { ty.to_string() }
}

fn column_names(schema: &Schema, which: impl Fn(&Name) -> bool) -> String {
    let names = schema.visible().map(|column| &column.name).filter(|name| which(name));
    some(&names.map(ToString::to_string).collect::<Vec<_>>())
}

fn some(all: &[String]) -> String {
    match all.len() {
        0..=COLUMNS_MAX => all.join(", "),
        many => format!("{}, {} more", all[..COLUMNS_MAX].join(", "), many - COLUMNS_MAX),
    }
}

/// What a node does, without its own name.
pub fn node(node: &NodeSpec) -> String {
    match &node.op {
        NodeOp::Connection(connection) => self::connection(connection),
        NodeOp::Decode(decode) => format!("{} columns", decode.columns.len()),
        NodeOp::Gate(gate) => self::gate(gate),
        NodeOp::Stage(op) => stage(node, op),
        NodeOp::Task(learn) => task(learn),
        NodeOp::Accept(accept) => connector(&accept.connector),
        NodeOp::Serve(serve) => connector(&serve.connector),
    }
}

fn connection(connection: &Connection) -> String {
    let Connection { recorded, live, keep, columns: _ } = connection;
    let ends = [("recorded", recorded), ("live", live), ("keep", keep)];
    let ends = ends.into_iter().filter_map(|(word, end)| Some(format!("{word} {}", connector(end.as_ref()?))));
    ends.collect::<Vec<_>>().join(", ")
}

fn connector(connector: &Connector) -> String {
    match connector {
        Connector::File(file) => format!("{} \"{}\"", file.format.word(), file.path),
        Connector::Simulate(simulate) => format!("simulate {} rows per {}", simulate.rows, simulate.per),
        Connector::Stdin { format } => format!("stdin {}", format.word()),
        Connector::Stdout { format } => format!("stdout {}", format.word()),
        Connector::Tail(tail) => format!("tail {} \"{}\"", tail.format.word(), tail.path),
        Connector::Http(HttpConnector { host, port, path }) => {
            format!("http {host}:{port}{}", path.as_ref().map_or("", |path| path.as_str()))
        }
        Connector::Post(PostConnector { host, port, path, .. }) => format!("http://{host}:{port}{path}"),
        Connector::Later { name, .. } => name.to_string(),
    }
}

fn gate(gate: &Gate) -> String {
    let Gate { time, limits } = gate;
    let mut text = match time {
        TimeSpec::None => "time none".to_owned(),
        TimeSpec::Arrival => "time of arrival".to_owned(),
        TimeSpec::Every { every, from } => format!("time every {every} from @{from}"),
        TimeSpec::Column { expr, by } => format!("time from {}{}", names(&expr.columns()), keyed(by)),
    };
    text.push_str(&format!(", lateness {}", limits.lateness));
    text.extend(limits.idle.map(|idle| format!(", idle {idle}")));
    text.extend(limits.ahead.map(|ahead| format!(", ahead {ahead}")));
    text
}

fn stage(node: &NodeSpec, op: &Op) -> String {
    let made = || column_names(&node.schema, |name| node.entries.contains_key(name));
    match op {
        Op::Where { predicate } => format!("by {}", names(&predicate.columns())),
        Op::Set { .. } | Op::Fill { .. } => made(),
        Op::Project { .. } => made(),
        Op::Scan { by, .. } => format!("{}{}", made(), keyed(by)),
        Op::Window(window) => format!("{}{}: {}", shape(&window.shape), keyed(&window.by), made()),
        Op::Union { .. } => {
            let with = node.inputs.iter().skip(1).map(|input| read_as(&input.node.decl, input.outlet));
            format!("with {}", with.collect::<Vec<_>>().join(", "))
        }
        Op::Predict(predict) => format!("{} as {}", predict.task, predict.name),
        Op::Unnest { column } => column.to_string(),
        Op::Keep(keep) => kept(keep),
        Op::Join(join) => joined(node, join),
        Op::Rank(rank) => ranked(rank),
        Op::Resample(resample) => resampled(resample),
    }
}

fn ranked(RankOp { rule, within }: &RankOp) -> String {
    let count = if let RankRule::Best { count, by: _ } = rule { format!("{count} ") } else { String::new() };
    format!("{count}by {} within {within}", rule.columns().join(", "))
}

fn resampled(ResampleOp { every, by, fill, within }: &ResampleOp) -> String {
    format!("every {every}{}: {} within {within}", keyed(by), fill.word())
}

fn joined(node: &NodeSpec, JoinOp { kind, on, take, required }: &JoinOp) -> String {
    let with = node.inputs.get(1).map(|input| read_as(&input.node.decl, input.outlet)).unwrap_or_default();
    let (with, within) = match kind {
        JoinKind::Interval { within, .. } => (with, format!(" within {within}")),
        JoinKind::Asof { within, .. } => (with, within.map(|within| format!(" within {within}")).unwrap_or_default()),
        JoinKind::Lookup { table } => (table.name.to_string(), String::new()),
    };
    let taken: Vec<String> = take.iter().map(|taken| taken.name.to_string()).collect();
    let required = if *required { ", required" } else { "" };
    format!("{with} on {}{within}: {}{required}", names(on), some(&taken))
}

fn kept(KeepOp { by, rule }: &KeepOp) -> String {
    let by = keyed(by);
    match rule {
        KeepRule::First { rows } => format!("{rows} rows"),
        KeepRule::Share { share } => format!("{}%", 100.0 * share),
        KeepRule::Once { within } => format!("{} within {within}", by.trim_start()),
        KeepRule::Rate { rows, per } => format!("{rows} per {per}{by}"),
    }
}

/// `room`, `room.bad`
pub fn read_as(decl: &Name, outlet: Outlet) -> String {
    match outlet {
        Outlet::Rows => decl.to_string(),
        Outlet::Bad => format!("{decl}.bad"),
        Outlet::Late => format!("{decl}.late"),
    }
}

fn task(learn: &Learn) -> String {
    let Learn { task, policy } = learn;
    let verb = match task.kind {
        TaskKind::Classify => "classify".to_owned(),
        TaskKind::Regress => "regress".to_owned(),
        TaskKind::Forecast { ahead, every: None } => format!("forecast {ahead} ahead"),
        TaskKind::Forecast { ahead, every: Some(every) } => format!("forecast the next {ahead} every {every} of"),
        TaskKind::Detect { .. } => "detect anomalies".to_owned(),
        TaskKind::Rank => "rank".to_owned(),
    };
    let target = match task.kind {
        TaskKind::Detect { .. } => String::new(),
        TaskKind::Classify | TaskKind::Regress | TaskKind::Forecast { .. } | TaskKind::Rank => {
            format!(" {}", task.target.column.name)
        }
    };
    let features: Vec<String> = task.features.iter().map(|column| column.name.to_string()).collect();
    format!("{verb}{target} from {}; policy {}", some(&features), policy.name)
}

fn names(all: &[Name]) -> String {
    let mut seen: Vec<String> = Vec::new();
    for name in all.iter().map(ToString::to_string) {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    if seen.is_empty() { "constants".to_owned() } else { some(&seen) }
}

fn keyed(by: &[Name]) -> String {
    if by.is_empty() { String::new() } else { format!(" by {}", names(by)) }
}
