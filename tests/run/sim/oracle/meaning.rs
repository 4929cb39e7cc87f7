//! What a node remembers, in words: the rule of the language, sections 10 and 3, written down a second time and without hashes.

use std::collections::BTreeMap;

use mliot::base::Name;
use mliot::ir::{
    AggregateCall, AggregateEntry, Expr, ExprKind, JoinKind, JoinOp, KeepOp, KeepRule, Op, Outlet, RankOp, RankRule, Running,
    RunningCall, WindowOp, WindowShape,
};
use mliot::plan::{Graph, NodeKey, NodeOp, NodeSpec};

/// Of each column at an outlet, what it stands for, back to the fields of the sources; and what the row's time stands for.
#[derive(Clone, Debug, Default)]
pub struct Defined {
    columns: BTreeMap<Name, String>,
    time: Option<Name>,
    /// Columns are all alike: only what is done with them counts.
    blind: bool,
}

impl Defined {
    /// Columns are all alike.
    pub fn blind() -> Defined {
        Defined { blind: true, ..Defined::default() }
    }

    pub fn of(&self, name: &str) -> String {
        let named = || self.columns.get(name).cloned().unwrap_or_else(|| format!("?{name}"));
        if self.blind { String::new() } else { named() }
    }

    fn time(&self) -> String {
        self.time.as_ref().map_or_else(String::new, |time| self.of(time))
    }

    fn all<'a>(&self, names: impl IntoIterator<Item = &'a Name>) -> Vec<String> {
        names.into_iter().map(|name| self.of(name)).collect()
    }
}

/// Definitions at the rows outlet of every node, and what each of them remembers.
#[derive(Clone, Debug, Default)]
pub struct Meaning {
    pub defined: BTreeMap<NodeKey, Defined>,
    /// Of every node, by its columns that remember something.
    pub entries: BTreeMap<NodeKey, Entries>,
}

pub type Entries = BTreeMap<Name, Words>;

/// What one column remembers.
#[derive(Clone, Debug, PartialEq)]
pub struct Words {
    /// In which form, whatever the values stand for.
    pub shape: String,
    /// Of which values.
    pub values: String,
}

impl Meaning {
    pub fn of(graph: &Graph, order: &[NodeKey]) -> Meaning {
        let mut meaning = Meaning::default();
        for key in order {
            let spec = &graph.nodes[key];
            let inputs: Vec<Defined> = spec.inputs.iter().map(|input| meaning.at(graph, &input.node, input.outlet)).collect();
            let (mut defined, entries) = node(spec, &inputs);
            defined.time = spec.schema.time.clone();
            meaning.defined.insert(key.clone(), defined);
            meaning.entries.insert(key.clone(), entries);
        }
        meaning
    }

    fn at(&self, graph: &Graph, node: &NodeKey, outlet: Outlet) -> Defined {
        match outlet {
            Outlet::Rows => self.defined.get(node).cloned().unwrap_or_default(),
            Outlet::Late => match graph.nodes[node].inputs.first() {
                Some(before) => self.at(graph, &before.node, before.outlet),
                None => Defined::default(),
            },
            Outlet::Bad => Defined::default(),
        }
    }

    /// What the features of the task stand for, in their order; none where there is no task.
    pub fn asked(&self, graph: &Graph) -> Option<Vec<String>> {
        let task = graph.nodes.values().find(|node| matches!(node.op, NodeOp::Task(_)))?;
        let NodeOp::Task(learn) = &task.op else { return None };
        let input = &task.inputs[0];
        let seen = self.at(graph, &input.node, input.outlet);
        Some(seen.all(learn.task.features.iter().map(|feature| &feature.name)))
    }
}

fn node(spec: &NodeSpec, inputs: &[Defined]) -> (Defined, Entries) {
    let input = inputs.first().cloned().unwrap_or_default();
    match &spec.op {
        NodeOp::Decode(decode) => {
            let field =
                |column: &mliot::ir::SourceColumn| format!("{:?}:{}{:?}", column.origin, column.column.ty, column.sentinels);
            let columns = decode.columns.iter().map(|column| (column.column.name.clone(), field(column))).collect();
            (Defined { columns, ..Defined::default() }, Entries::new())
        }
        NodeOp::Stage(op) => stage(spec, op, &input, inputs),
        NodeOp::Gate(_) => (input, Entries::new()),
        NodeOp::Connection(_) | NodeOp::Task(_) | NodeOp::Accept(_) | NodeOp::Serve(_) => Default::default(),
    }
}

fn stage(spec: &NodeSpec, op: &Op, input: &Defined, inputs: &[Defined]) -> (Defined, Entries) {
    let mut made = input.clone();
    let mut remembers = Entries::new();
    match op {
        Op::Where { .. } => {}
        Op::Set { entries } => {
            for entry in entries {
                made.columns.insert(entry.name.clone(), define(&entry.value, &made));
            }
        }
        Op::Project { entries } => {
            made.columns = entries.iter().map(|entry| (entry.name.clone(), define(&entry.value, input))).collect();
        }
        Op::Scan { by, entries } => {
            let (keys, given) = (keys(by, spec), format!("{:?}", input.all(by)));
            for entry in entries {
                let calls: Vec<String> = entry.calls.iter().map(|call| running(call, &made)).collect();
                if !calls.is_empty() {
                    let shape = format!("{keys} {:?}", entry.calls.iter().map(running_shape).collect::<Vec<_>>());
                    remembers.insert(entry.name.clone(), Words { shape, values: format!("{given} {calls:?}") });
                }
                let value = words(&entry.value, &made);
                made.columns.insert(entry.name.clone(), format!("scan {:?} {calls:?} {value}", input.all(by)));
            }
        }
        Op::Window(window) => {
            let time = if let WindowShape::Rows { .. } = window.shape { String::new() } else { input.time() };
            let given = format!("{:?} {:?} {:?} {time}", window.shape, window.by, input.all(&window.by));
            let frame = format!("{:?} {}", window.shape, keys(&window.by, spec));
            let is_session = matches!(window.shape, WindowShape::Session { .. });
            let blind = Defined::blind();
            made = Defined::default();
            window.by.iter().for_each(|key| _ = made.columns.insert(key.clone(), input.of(key)));
            for entry in &window.entries {
                let calls: Vec<String> = entry.calls.iter().map(|call| aggregate(call, input)).collect();
                // A window keeps what its expressions make of a row, so their words are in its shape, but for the columns' names.
                let shapes: Vec<String> = entry.calls.iter().map(|call| aggregate_shape(call, &blind)).collect();
                let of_values = || Words { shape: format!("{frame} {shapes:?}"), values: format!("{given} {calls:?}") };
                let of_rows = || session(window, entry, spec, input);
                remembers.insert(entry.name.clone(), if is_session { of_rows() } else { of_values() });
                made.columns.insert(entry.name.clone(), format!("{given} {calls:?} {}", words(&entry.value, input)));
            }
            for column in &spec.schema.columns {
                made.columns.entry(column.name.clone()).or_insert_with(|| format!("{given} {}", column.name));
            }
        }
        Op::Union { .. } => {
            for column in &spec.schema.columns {
                let mut all: Vec<String> = inputs.iter().map(|input| input.of(&column.name)).collect();
                let alike = all.windows(2).all(|pair| pair[0] == pair[1]);
                let one = if alike { all.remove(0) } else { format!("union {all:?}") };
                made.columns.insert(column.name.clone(), one);
            }
        }
        Op::Fill { entries } => {
            for entry in entries {
                made.columns.insert(entry.name.clone(), define(&entry.value, input));
            }
        }
        Op::Unnest { column } => _ = made.columns.insert(column.clone(), format!("unnest {}", input.of(column))),
        Op::Keep(op) => _ = remembers.insert(AS_ONE.into(), keep(op, spec, input)),
        Op::Rank(op) => _ = remembers.insert(AS_ONE.into(), top(op, input)),
        Op::Resample(_) => panic!("no case resamples"),
        Op::Join(op) => {
            let other = inputs.get(1).cloned().unwrap_or_default();
            let (words, brought) = join(op, spec, input, &other);
            made.columns.extend(brought);
            remembers.extend(op.other().map(|_| (AS_ONE.into(), words)));
        }
        Op::Predict(predict) => {
            for column in spec.schema.columns.iter().filter(|column| column.name.starts_with(&*predict.name)) {
                made.columns.insert(column.name.clone(), format!("predicted {}", column.name));
            }
        }
    }
    (made, remembers)
}

/// Stands for the one thing that a stage without columns of its own remembers.
const AS_ONE: &str = "";

/// Sessions hold their rows: neither gap nor aggregates are part of what they remember, but which columns these read is.
fn session(window: &WindowOp, entry: &AggregateEntry, spec: &NodeSpec, input: &Defined) -> Words {
    let read = entry.calls.iter().flat_map(|call| call.args.iter().chain(&call.filter)).flat_map(Expr::columns);
    let values = format!("{:?} {} {:?}", input.all(&window.by), input.time(), each_once(read.map(|name| input.of(&name))));
    Words { shape: format!("session {}", keys(&window.by, spec)), values }
}

fn each_once(all: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen: Vec<String> = Vec::new();
    for one in all {
        if !seen.contains(&one) {
            seen.push(one);
        }
    }
    seen
}

fn keep(op: &KeepOp, spec: &NodeSpec, input: &Defined) -> Words {
    let (word, time) = match op.rule {
        KeepRule::First { .. } => ("first", String::new()),
        KeepRule::Share { .. } => ("share", String::new()),
        KeepRule::Once { .. } => ("once", input.time()),
        KeepRule::Rate { .. } => ("rate", input.time()),
    };
    Words { shape: format!("{word} {}", keys(&op.by, spec)), values: format!("{:?} {time}", input.all(&op.by)) }
}

fn top(op: &RankOp, input: &Defined) -> Words {
    let RankRule::Best { count: _, by } = &op.rule else { panic!("no case sorts") };
    Words { shape: format!("top {:?}", op.within), values: format!("{} {}", words(by, input), input.time()) }
}

/// What a join remembers, and what the columns stand for that it brings.
fn join(op: &JoinOp, spec: &NodeSpec, input: &Defined, other: &Defined) -> (Words, Vec<(Name, String)>) {
    let (word, how) = match &op.kind {
        JoinKind::Interval { within, .. } => ("interval".to_owned(), format!("{within:?}")),
        JoinKind::Asof { within, .. } => ("asof".to_owned(), format!("{within:?}")),
        JoinKind::Lookup { table } => (format!("table {}", table.name), String::new()),
    };
    let theirs = |name: &Name| if op.other().is_some() { other.of(name) } else { format!("{word} {name}") };
    let on: Vec<String> = op.on.iter().map(&theirs).collect();
    let partner = format!("{word} {:?} {on:?} {} {}", input.all(&op.on), input.time(), other.time());
    let brought = op.take.iter().map(|taken| (taken.name.clone(), format!("joined {partner} {how} {}", theirs(&taken.from))));
    let read: std::collections::BTreeSet<String> = op.take.iter().map(|taken| theirs(&taken.from)).collect();
    let words = Words { shape: format!("{word} {}", keys(&op.on, spec)), values: format!("{partner} {read:?}") };
    (words, brought.collect())
}

/// Rows under another key are other rows.
fn keys(by: &[Name], spec: &NodeSpec) -> String {
    format!("{:?}", by.iter().map(|key| (key, spec.schema.get(key).map(|column| &column.ty))).collect::<Vec<_>>())
}

fn running_shape(call: &RunningCall) -> String {
    format!("{:?} {} {:?} {}", call.function, types(&call.args), call.settings, call.ty)
}

pub fn aggregate_shape(call: &AggregateCall, seen: &Defined) -> String {
    format!("{} {}", aggregate(call, seen), types(&call.args))
}

fn types(args: &[Expr]) -> String {
    format!("{:?}", args.iter().map(|arg| &arg.ty).collect::<Vec<_>>())
}

/// A column alone is what it was.
fn define(expr: &Expr, seen: &Defined) -> String {
    if let ExprKind::Column(name) = &expr.kind { seen.of(name) } else { words(expr, seen) }
}

fn running(call: &RunningCall, seen: &Defined) -> String {
    let args: Vec<String> = call.args.iter().map(|arg| words(arg, seen)).collect();
    let time = match call.function {
        Running::Ewma | Running::Rate | Running::Since | Running::For => seen.time(),
        _ => String::new(),
    };
    format!("{:?} {args:?} {:?} {time}", call.function, call.settings)
}

fn aggregate(call: &AggregateCall, seen: &Defined) -> String {
    let args: Vec<String> = call.args.iter().map(|arg| words(arg, seen)).collect();
    let only = call.filter.as_ref().map(|only| words(only, seen));
    format!("{:?} {args:?} {:?} {only:?}", call.function, call.settings)
}

fn words(expr: &Expr, seen: &Defined) -> String {
    let parts: Vec<String> = expr.parts().into_iter().map(|part| words(part, seen)).collect();
    match &expr.kind {
        ExprKind::Literal(value) | ExprKind::Param(_, value) => value.to_string(),
        ExprKind::Column(name) => format!("<{}>", seen.of(name)),
        ExprKind::Slot(nth) => format!("slot {nth}"),
        ExprKind::Binary(op, ..) => format!("{op:?}{parts:?}"),
        ExprKind::Not(_) => format!("not{parts:?}"),
        ExprKind::Negate(_) => format!("minus{parts:?}"),
        ExprKind::If(..) => format!("if{parts:?}"),
        ExprKind::Coalesce(..) => format!("else{parts:?}"),
        ExprKind::IsNull(_) => format!("null{parts:?}"),
        ExprKind::Cast(_) => format!("{}{parts:?}", expr.ty),
        other => panic!("{other:?} is not written by the simulator"),
    }
}
