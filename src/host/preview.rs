//! What an edit would do to what runs, in words and as JSON: every change, and what becomes of everything that is remembered.

use crate::base::{grouped, size};
use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::plan::{Change, Class, Diff, Graph, Memory, NodeKey, NodeOp, former, plan_json, plan_text};
use crate::runtime::{Beside, Load, PROBATION_BYTES_MAX, REMOVED_KEPT, RESTING_BYTES_MAX, Weighed};

use super::said::serving_in_words;

pub struct Preview {
    diff: Diff,
    weighed: Weighed,
    plan: Option<u64>,
    /// Sources first, what is removed last.
    states: Vec<State>,
    /// What going back could not bring back.
    losses: Vec<String>,
    /// Under `--probation`: what of it would be kept beside, and what would not.
    beside: Option<Beside>,
}

/// What becomes of what one node remembers.
struct State {
    node: String,
    load: Load,
    fate: Fate,
    words: String,
}

/// From light to heavy.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    Kept,
    Migrated,
    /// It goes on, and ages out.
    Aged,
    Rebuilt,
    /// For a while, in case its name comes back.
    Rests,
    Lost,
}

impl Preview {
    /// `diff` is from `running` to `wanted`; `plan` is the number of what runs.
    pub fn of(
        mut diff: Diff,
        running: &Graph,
        wanted: &Graph,
        weighed: Weighed,
        plan: Option<u64>,
        probation: bool,
    ) -> Preview {
        let beside = probation.then(|| beside(running, wanted, &diff, &weighed));
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
        Preview { diff, weighed, plan, states, losses, beside }
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
        text.push_str(&self.beside.as_ref().filter(|_| !self.diff.is_nothing()).map(beside_text).unwrap_or_default());
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
            many if many == self.states.len() => format!("  {:<24} {}  kept\n", format!("all {many} nodes"), weight(load)),
            many => format!("  {:<24} {}  kept\n", format!("{many} other nodes"), weight(load)),
        }
    }

    pub fn json(&self) -> Value {
        let mut json = plan_json(&self.diff);
        json["against"] = json!({ "running": true, "plan": self.plan, "at": self.weighed.at });
        json["state"] = self.states.iter().map(State::json).collect();
        json["probation"] = json!(self.beside.as_ref().map(|beside| {
            let Beside { kept, bytes, left_out, too_large } = beside;
            json!({ "kept": kept, "bytes": bytes, "left_out": left_out, "too_large": too_large })
        }));
        json["losses"] = json!(self.losses);
        json["serving"] = json!(serving_in_words(&self.weighed.served));
        json
    }
}

/// What would be kept beside the new graph.
fn beside(running: &Graph, wanted: &Graph, diff: &Diff, weighed: &Weighed) -> Beside {
    let former = former(running, wanted, diff, 0);
    let bytes = former.originals.iter().filter_map(|key| weighed.loads.get(key)).map(|load| load.bytes as usize).sum();
    let names = |keys: &[NodeKey]| keys.iter().map(ToString::to_string).collect::<Vec<_>>();
    let (kept, left_out, too_large) = (names(&former.originals), names(&former.left_out), bytes > PROBATION_BYTES_MAX);
    Beside { kept, bytes, left_out, too_large }
}

fn beside_text(beside: &Beside) -> String {
    let Beside { kept, bytes, left_out, too_large } = beside;
    let mut text = String::new();
    if *too_large {
        let (bytes, most) = (size(*bytes as u64), size(PROBATION_BYTES_MAX as u64));
        text.push_str(&format!("on probation: no way back to what it replaces, {bytes} are more than {most}\n"));
    } else if !kept.is_empty() {
        text.push_str(&format!("on probation: {} kept beside it, {}\n", kept.join(", "), size(*bytes as u64)));
    }
    if !left_out.is_empty() {
        text.push_str(&format!("on probation: not kept beside it, for other rows come to them: {}\n", left_out.join(", ")));
    }
    text
}

fn state_of(key: &NodeKey, diff: &Diff, wanted: &Graph, weighed: &Weighed) -> Option<State> {
    let change = &diff.nodes[key];
    let load = change.from.as_ref().and_then(|from| weighed.loads.get(from)).copied()?;
    let own = fate_of(key, change, &change.memory, wanted);
    let entries = change.entries.iter().filter(|(_, entry)| entry.class != Class::Removed);
    let entries: Vec<_> = entries.map(|(name, entry)| (name, fate_of(key, change, &entry.memory, wanted))).collect();
    let heaviest = entries.iter().map(|(_, (fate, _))| *fate).fold(own.0, Fate::max);
    // Where its entries go different ways, each says its own.
    let words = if own.0 == heaviest {
        own.1
    } else {
        let told = entries.iter().filter(|(_, (fate, _))| *fate > Fate::Kept);
        let told: Vec<String> = told.map(|(name, (_, words))| format!("`{name}` {words}")).collect();
        format!("{}; the rest goes on", told.join(", "))
    };
    Some(State { node: key.to_string(), load, fate: heaviest, words })
}

/// With it in words.
fn fate_of(key: &NodeKey, change: &Change, memory: &Memory, wanted: &Graph) -> (Fate, String) {
    if change.class.forgets() && matches!(wanted.nodes[key].op, NodeOp::Task(_)) {
        return (Fate::Lost, "what it has collected is of no use any more".to_owned());
    }
    match memory {
        Memory::Kept | Memory::Returned => (Fate::Kept, String::new()),
        Memory::Converted | Memory::PutTogether => (Fate::Migrated, memory.to_string()),
        Memory::Rebuilt => (Fate::Rebuilt, format!("rebuilt from the rows so far of {}", sources(wanted, key))),
        Memory::Recalled(_) => (Fate::Rebuilt, memory.to_string()),
        Memory::Aged(_) => (Fate::Aged, memory.to_string()),
        Memory::Empty(_) => (Fate::Lost, memory.to_string()),
    }
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
    format!("{:>10} rows  {:>10}", grouped(load.rows), size(load.bytes))
}
