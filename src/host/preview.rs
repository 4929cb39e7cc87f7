//! What an edit would do to what runs, in words and as JSON: every change, and what becomes of everything that is remembered.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::plan::{Class, Diff, Graph, Memory, NodeKey, NodeOp, plan_json, plan_text};
use crate::runtime::{Load, REMOVED_KEPT, RESTING_BYTES_MAX, Weighed};

use super::said::serving_in_words;

pub struct Preview {
    diff: Diff,
    weighed: Weighed,
    plan: Option<u64>,
    /// Sources first, what is removed last.
    states: Vec<State>,
    /// What going back could not bring back.
    losses: Vec<String>,
}

/// What becomes of what one node remembers.
struct State {
    node: String,
    load: Load,
    fate: Fate,
    words: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Kept,
    Migrated,
    Rebuilt,
    /// It goes on, and ages out.
    Aged,
    /// For a while, in case its name comes back.
    Rests,
    Lost,
}

impl Preview {
    /// `diff` is from `running` to `wanted`; `plan` is the number of what runs.
    pub fn of(mut diff: Diff, running: &Graph, wanted: &Graph, weighed: Weighed, plan: Option<u64>) -> Preview {
        for key in &weighed.returns {
            if let Some(change) = diff.nodes.get_mut(key) {
                change.becomes(&Memory::Returned);
            }
        }
        let kept = diff.order.iter().filter_map(|key| state_of(key, &diff, wanted, &weighed));
        let gone = diff.removed.iter().filter_map(|key| removed(key, &weighed));
        let states: Vec<State> = kept.chain(gone).collect();
        let mut losses: Vec<String> = diff.losses().into_iter().map(|loss| loss.to_string()).collect();
        let more = states.iter().filter(|state| state.fate == Fate::Lost && is_too_large(state.load));
        losses.extend(
            more.filter(|state| is_gone(&state.node, running, wanted)).map(|state| format!("{}: {}", state.node, state.words)),
        );
        Preview { diff, weighed, plan, states, losses }
    }

    pub fn text(&self) -> String {
        let mut text = plan_text(&self.diff);
        for line in serving_in_words(&self.weighed.served) {
            text.push_str(&format!("{line}\n"));
        }
        if !self.states.is_empty() && !self.diff.is_nothing() {
            text.push_str("what is remembered\n");
            self.states.iter().filter(|state| state.fate != Fate::Kept).for_each(|state| text.push_str(&state.line()));
            text.push_str(&self.kept_line());
        }
        if !self.losses.is_empty() {
            text.push_str("no way back: this is lost\n");
            self.losses.iter().for_each(|loss| text.push_str(&format!("  {loss}\n")));
        } else if !self.diff.is_nothing() {
            text.push_str("`mliot undo` takes it back\n");
        }
        text
    }

    /// Most often many, and nothing happens to them.
    fn kept_line(&self) -> String {
        let kept = || self.states.iter().filter(|state| state.fate == Fate::Kept);
        let load = kept().fold(Load { rows: 0, bytes: 0 }, |all, state| Load {
            rows: all.rows + state.load.rows,
            bytes: all.bytes + state.load.bytes,
        });
        match kept().count() {
            0 => String::new(),
            1 => kept().map(State::line).collect(),
            many => format!("  {:<24} {}  kept\n", format!("{many} others"), weight(load)),
        }
    }

    pub fn json(&self) -> Value {
        let mut json = plan_json(&self.diff);
        json["against"] = json!({ "running": true, "plan": self.plan, "at": self.weighed.at });
        json["state"] = self.states.iter().map(State::json).collect();
        json["losses"] = json!(self.losses);
        json["serving"] = json!(serving_in_words(&self.weighed.served));
        json
    }
}

fn state_of(key: &NodeKey, diff: &Diff, wanted: &Graph, weighed: &Weighed) -> Option<State> {
    let change = &diff.nodes[key];
    let load = change.from.as_ref().and_then(|from| weighed.loads.get(from)).copied()?;
    let mut memories: Vec<&Memory> = change.entries.values().map(|entry| &entry.memory).collect();
    memories.push(&change.memory);
    let has = |is: fn(&Memory) -> bool| memories.iter().any(|memory| is(memory));
    let forgets = change.class.forgets() && matches!(wanted.nodes[key].op, NodeOp::Task(_));
    let (fate, words) = if forgets {
        (Fate::Lost, "what it has collected is of no use any more".to_owned())
    } else if has(|memory| matches!(memory, Memory::Rebuilt)) {
        (Fate::Rebuilt, format!("rebuilt from the rows so far of {}", sources(wanted, key)))
    } else if has(|memory| matches!(memory, Memory::Empty(_))) && change.memory != Memory::Kept {
        (Fate::Lost, change.memory.to_string())
    } else if has(|memory| matches!(memory, Memory::Aged(_))) {
        (Fate::Aged, "stays, and ages out".to_owned())
    } else if change.class == Class::Migrated {
        let words = Some(change.memory.to_string()).filter(|words| !words.is_empty());
        (Fate::Migrated, words.unwrap_or_else(|| "what it remembers goes on".to_owned()))
    } else {
        (Fate::Kept, String::new())
    };
    Some(State { node: key.to_string(), load, fate, words })
}

/// `room`, where its rows come from.
fn sources(graph: &Graph, key: &NodeKey) -> String {
    let above = graph.before(std::slice::from_ref(key));
    let connections = above.into_iter().filter(|spec| matches!(spec.op, NodeOp::Connection(_)));
    let names: BTreeSet<String> = connections.map(|spec| format!("`{}`", spec.key.decl)).collect();
    names.into_iter().collect::<Vec<_>>().join(", ")
}

fn removed(key: &NodeKey, weighed: &Weighed) -> Option<State> {
    let load = *weighed.loads.get(key)?;
    let minutes = REMOVED_KEPT.as_secs() / 60;
    let (fate, words) = if key.slot == crate::plan::Slot::Task {
        (Fate::Lost, "the rows that it has collected to learn from are gone".to_owned())
    } else if is_too_large(load) {
        (Fate::Lost, format!("more than {} may rest of what is removed", size(RESTING_BYTES_MAX as u64)))
    } else {
        (Fate::Rests, format!("rests for {minutes} min, and comes back with its name"))
    };
    Some(State { node: key.to_string(), load, fate, words })
}

fn is_too_large(load: Load) -> bool {
    load.bytes > RESTING_BYTES_MAX as u64
}

fn is_gone(node: &str, running: &Graph, wanted: &Graph) -> bool {
    let named = |graph: &Graph| graph.nodes.keys().any(|key| key.to_string() == node);
    named(running) && !named(wanted)
}

impl State {
    fn line(&self) -> String {
        let line = format!("  {:<24} {}  {:<8}  {}", self.node, weight(self.load), self.fate.word(), self.words);
        format!("{}\n", line.trim_end())
    }

    fn json(&self) -> Value {
        let State { node, load, fate, words } = self;
        json!({ "node": node, "rows": load.rows, "bytes": load.bytes, "fate": fate.word(), "words": words })
    }
}

impl Fate {
    fn word(self) -> &'static str {
        match self {
            Fate::Kept => "kept",
            Fate::Migrated => "migrated",
            Fate::Rebuilt => "rebuilt",
            Fate::Aged => "aged",
            Fate::Rests => "rests",
            Fate::Lost => "lost",
        }
    }
}

fn weight(load: Load) -> String {
    format!("{:>10} rows  {:>10}", load.rows, size(load.bytes))
}

/// `812 B`, `14 KiB`, `3.1 MiB`.
fn size(bytes: u64) -> String {
    match bytes {
        0..1_024 => format!("{bytes} B"),
        1_024..1_048_576 => format!("{} KiB", bytes / 1_024),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}
