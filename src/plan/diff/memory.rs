//! What becomes of what a stage remembers, entry by entry: it goes on, is rebuilt from the rows so far, or begins empty. A
//! function of the two graphs, and of whether the sources can be read again.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::base::{Name, Time};
use crate::ir::{Connector, OnChange, Op, Origin, TimeSpec};
use crate::plan::fingerprint::STATELESS;
use crate::plan::{Connection, Graph, NodeKey, NodeOp, NodeSpec, Slot};

use super::{Change, Class, EntryChange, Why};

/// Of an entry, or of a node as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Memory {
    /// It remembers nothing, or goes on with what it remembers.
    #[default]
    Kept,
    /// It goes on with what it remembers, in another form.
    Converted,
    /// Longer windows are put together from the open ones.
    PutTogether,
    /// As if it had been there from the start: its sources are read again, silently.
    Rebuilt,
    /// The same from what is kept of rows that came once, which reaches back to this moment; to the start where it is none.
    Recalled(Reach),
    /// It goes on with what it remembers, although that is of values of another meaning.
    Aged(Option<NotAgain>),
    /// It remembers nothing yet. Without a reason the stage says so itself.
    Empty(Option<NotAgain>),
    /// It comes back as it was when its name was removed.
    Returned,
}

/// How far back the rows reach that are kept of sources which give theirs once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It is found out when the change is carried out.
    Unknown,
    All,
    Since(Time),
}

/// Where the rows so far come from once more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Again {
    /// Their sources are read again.
    Sources,
    /// What a run keeps of them. If it keeps nothing, they cannot be had for this reason.
    Kept { reach: Reach, unless: NotAgain },
}

/// Why the rows so far cannot be had again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotAgain {
    /// They came live to this source, which keeps none.
    Live(Name),
    /// Which rows this source lets pass depends on when they are read.
    Clock(Name),
    /// The source reads from elsewhere with this edit.
    Elsewhere(Name),
    /// They hold predictions of this task, whose models change.
    Predictions(Name),
    /// Found out while running.
    Failed(String),
}

impl Change {
    /// What becomes of the memory of a node that now is `new`, given whether its rows can be had again.
    pub fn settle(&mut self, new: &NodeSpec, again: Result<Again, NotAgain>) {
        if !remembers(new) || self.forks.is_some() || !new.key.is_of_file() {
            return;
        }
        let again = match self.on_change {
            OnChange::Empty => Err(None),
            OnChange::Backfill | OnChange::Reject => again.map_err(Some),
        };
        let is_of = |name: &Name| new.entries.get(name).is_some_and(|hashes| hashes.state != STATELESS);
        for (_, entry) in self.entries.iter_mut().filter(|(name, _)| is_of(name)) {
            entry.memory = of(entry.class, &entry.why, &again);
        }
        let mut entries = self.entries.iter().filter(|(name, _)| is_of(name)).map(|(_, entry)| &entry.memory);
        let first = entries.next().cloned();
        let as_one = first.filter(|first| entries.all(|memory| kind(memory) == kind(first)));
        let has_none = !new.entries.values().any(|hashes| hashes.state != STATELESS);
        self.memory = as_one.or(has_none.then(|| of(self.class, &self.why, &again))).unwrap_or_default();
    }

    /// Could any of it be rebuilt, if the rows so far can be had again?
    pub fn asks_for_rows(&self, new: &NodeSpec) -> bool {
        let mut rebuilt = self.clone();
        rebuilt.settle(new, Ok(Again::Sources));
        rebuilt.is_rebuilt()
    }

    pub fn is_rebuilt(&self) -> bool {
        self.rebuilt().is_some()
    }

    /// How it, or the first of its entries that is, is rebuilt.
    pub fn rebuilt(&self) -> Option<&Memory> {
        let all = std::iter::once(&self.memory).chain(self.entries.values().map(|entry| &entry.memory));
        all.into_iter().find(|memory| memory.is_rebuilt())
    }

    /// All that begins anew or is converted has this fate after all.
    pub fn becomes(&mut self, memory: &Memory) {
        let goes_on = |old: &Memory| matches!(old, Memory::Kept);
        self.entries.values_mut().filter(|entry| !goes_on(&entry.memory)).for_each(|entry| entry.memory = memory.clone());
        self.memory = memory.clone();
    }

    /// Entries that take nothing over.
    pub fn anew(&self) -> BTreeSet<Name> {
        let begins = |entry: &EntryChange| entry.memory.is_rebuilt() || matches!(entry.memory, Memory::Empty(_));
        self.entries.iter().filter(|(_, entry)| begins(entry)).map(|(name, _)| name.clone()).collect()
    }
}

fn kind(memory: &Memory) -> std::mem::Discriminant<Memory> {
    std::mem::discriminant(memory)
}

/// Stages with a state of their own; tasks keep their rows and models themselves.
fn remembers(spec: &NodeSpec) -> bool {
    let NodeOp::Stage(op) = &spec.op else { return false };
    match &**op {
        Op::Scan { .. } => spec.hashes.state != STATELESS,
        Op::Where { .. }
        | Op::Set { .. }
        | Op::Project { .. }
        | Op::Window(_)
        | Op::Union { .. }
        | Op::Predict(_)
        | Op::Fill { .. }
        | Op::Unnest { .. }
        | Op::Keep(_)
        | Op::Join(_)
        | Op::Rank(_)
        | Op::Resample(_) => op.remembers(),
    }
}

fn of(class: Class, why: &[Why], again: &Result<Again, Option<NotAgain>>) -> Memory {
    let is_window = why.iter().any(|why| matches!(why, Why::Window { .. }));
    match (class, again) {
        (Class::Same | Class::Rewired | Class::Retuned | Class::Shadowed | Class::Removed, _) => Memory::Kept,
        // The change is refused.
        (Class::Reset(OnChange::Reject), _) => Memory::Kept,
        (Class::Migrated, _) if !is_window => Memory::Converted,
        // Its panes reach back further than rows that are kept for a while.
        (Class::Migrated, Err(_) | Ok(Again::Kept { reach: Reach::Since(_), .. })) => Memory::PutTogether,
        (Class::Migrated | Class::Stale | Class::Reset(_) | Class::Added, Ok(Again::Sources)) => Memory::Rebuilt,
        (Class::Migrated | Class::Stale | Class::Reset(_) | Class::Added, Ok(Again::Kept { reach, .. })) => {
            Memory::Recalled(*reach)
        }
        (Class::Stale, Err(why)) => Memory::Aged(why.clone()),
        (Class::Reset(_) | Class::Added, Err(why)) => Memory::Empty(why.clone()),
    }
}

/// Settles all changes by what the graphs say of a run that has gone live. At a start there is nothing to remember.
pub(super) fn settle(running: &Graph, wanted: &Graph, changes: &mut BTreeMap<NodeKey, Change>) {
    if running.nodes.is_empty() {
        return;
    }
    let asking = changes.iter().filter(|(key, change)| change.asks_for_rows(&wanted.nodes[*key]));
    let found: Vec<_> = asking.map(|(key, _)| (key.clone(), again(running, wanted, changes, key, true))).collect();
    for (key, change) in changes.iter_mut() {
        change.settle(&wanted.nodes[key], Ok(Again::Sources));
    }
    for (key, again) in found {
        let spec = &wanted.nodes[&key];
        changes.get_mut(&key).expect("it was found there").settle(spec, again);
    }
}

/// Where can the rows so far be had again for this node? `live`: have the sources gone live?
///
/// # Errors
/// Why not.
pub fn again(
    running: &Graph,
    wanted: &Graph,
    changes: &BTreeMap<NodeKey, Change>,
    key: &NodeKey,
    live: bool,
) -> Result<Again, NotAgain> {
    let mut found = Again::Sources;
    for spec in wanted.before(std::slice::from_ref(key)) {
        if let Some(task) = spec.predicts_by() {
            return Err(NotAgain::Predictions(task.clone()));
        }
        let was = changes.get(&spec.key).and_then(|change| change.from.as_ref()).and_then(|from| running.nodes.get(from));
        match &spec.op {
            NodeOp::Connection(connection) => {
                if was.is_some_and(|was| was.hashes.state != spec.hashes.state) {
                    return Err(NotAgain::Elsewhere(spec.key.decl.clone()));
                }
                if live && let Err(unless) = reads_again(wanted, &spec.key.decl, connection) {
                    is_kept(connection).then_some(()).ok_or(unless.clone())?;
                    found = Again::Kept { reach: Reach::Unknown, unless };
                }
            }
            NodeOp::Decode(_) | NodeOp::Gate(_) | NodeOp::Stage(_) | NodeOp::Task(_) | NodeOp::Accept(_) | NodeOp::Serve(_) => {
            }
        }
    }
    Ok(found)
}

/// A run keeps the rows of what it can read from, in journals and in its log.
fn is_kept(connection: &Connection) -> bool {
    match &connection.live {
        Some(
            Connector::File(_) | Connector::Simulate(_) | Connector::Tail(_) | Connector::Stdin { .. } | Connector::Http { .. },
        ) => true,
        Some(Connector::Stdout { .. } | Connector::Post(_) | Connector::Later { .. }) | None => false,
    }
}

/// Files and simulations give the same rows again, as long as the time of reading decides nothing.
fn reads_again(graph: &Graph, source: &Name, connection: &Connection) -> Result<(), NotAgain> {
    let Connection { recorded: _, live, keep: _, columns } = connection;
    let is_simulated = match live {
        None => return Ok(()),
        Some(Connector::File(_)) => false,
        Some(Connector::Simulate(_)) => true,
        // What stood in a growing file when it was opened was not read.
        Some(
            Connector::Tail(_)
            | Connector::Stdin { .. }
            | Connector::Stdout { .. }
            | Connector::Http { .. }
            | Connector::Post(_)
            | Connector::Later { .. },
        ) => {
            return Err(NotAgain::Live(source.clone()));
        }
    };
    let gate = graph.nodes.get(&NodeKey::of_file(source, Slot::Gate));
    let Some(NodeSpec { op: NodeOp::Gate(gate), .. }) = gate else { return Ok(()) };
    let by_arrival = gate.time == TimeSpec::Arrival || columns.iter().any(|column| column.origin == Origin::Arrival);
    if gate.limits.ahead.is_some() || by_arrival && !is_simulated {
        return Err(NotAgain::Clock(source.clone()));
    }
    Ok(())
}

impl fmt::Display for Memory {
    /// Empty where there is nothing to say.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Memory::Kept => Ok(()),
            Memory::Converted => f.write_str("what it remembers goes on"),
            Memory::PutTogether => {
                f.write_str("put together from the open windows; the first ones, of which parts are gone, do not come")
            }
            Memory::Rebuilt | Memory::Recalled(Reach::All) => f.write_str("rebuilt from the rows so far"),
            Memory::Recalled(Reach::Unknown) => f.write_str("rebuilt from the rows that are kept, as far as they reach back"),
            Memory::Recalled(Reach::Since(from)) => {
                write!(f, "rebuilt from the rows that are kept, which reach back to {from}")
            }
            Memory::Aged(None) => f.write_str("what it remembers stays, and ages out"),
            Memory::Aged(Some(why)) => write!(f, "what it remembers stays, and ages out: {why}"),
            Memory::Empty(None) => f.write_str("begins empty, as `on change empty` says"),
            Memory::Empty(Some(why)) => write!(f, "begins empty: {why}"),
            Memory::Returned => f.write_str("goes on as it was when it was removed"),
        }
    }
}

impl Memory {
    /// From rows that are had again, wherever from?
    pub fn is_rebuilt(&self) -> bool {
        match self {
            Memory::Rebuilt | Memory::Recalled(_) => true,
            Memory::Kept | Memory::Converted | Memory::PutTogether | Memory::Aged(_) | Memory::Empty(_) | Memory::Returned => {
                false
            }
        }
    }

    /// In one word.
    pub fn word(&self) -> &'static str {
        match self {
            Memory::Kept => "kept",
            Memory::Converted | Memory::PutTogether => "converted",
            Memory::Rebuilt | Memory::Recalled(_) => "rebuilt",
            Memory::Aged(_) => "aged",
            Memory::Empty(_) => "empty",
            Memory::Returned => "returned",
        }
    }
}

impl fmt::Display for NotAgain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NotAgain::Live(source) => write!(f, "rows that came live to `{source}` cannot be read again"),
            NotAgain::Clock(source) => write!(f, "when rows of `{source}` are read decides which of them pass"),
            NotAgain::Elsewhere(source) => write!(f, "`{source}` reads from elsewhere with this edit"),
            NotAgain::Predictions(task) => write!(f, "it is made of predictions of `{task}`"),
            NotAgain::Failed(why) => f.write_str(why),
        }
    }
}
