//! What a declaration reads, as the outlet of a node.

use std::collections::BTreeMap;

use crate::base::Name;
use crate::ir::{Op, Outlet, Program, Read, Stream};
use crate::plan::{Input, NodeKey, Slot};

use super::stage_keys;

/// The ends of all streams, found once. A stream without stages has no node: who reads it reads what it reads.
pub(super) struct Reads<'a> {
    streams: BTreeMap<&'a Name, Ends<'a>>,
}

struct Ends<'a> {
    input: &'a Read,
    last: Option<NodeKey>,
    /// The last stage that refuses late rows.
    window: Option<NodeKey>,
}

impl<'a> Reads<'a> {
    pub fn new(program: &'a Program) -> Self {
        Self { streams: program.streams.iter().map(|(name, stream)| (name, Ends::of(stream))).collect() }
    }

    /// Total, because the checker has seen that the name exists and that no stream reads itself.
    pub fn resolve(&self, read: &Read) -> Input {
        let (mut from, mut outlet) = (&read.from, read.outlet);
        for _ in 0..=self.streams.len() {
            let Some(ends) = self.streams.get(from) else { break };
            let node = match outlet {
                Outlet::Rows | Outlet::Bad => &ends.last,
                Outlet::Late => ends.window.as_ref().map_or(&ends.last, |_| &ends.window),
            };
            if let Some(node) = node {
                return Input { node: node.clone(), outlet };
            }
            outlet = if outlet == Outlet::Rows { ends.input.outlet } else { outlet };
            from = &ends.input.from;
        }
        source_outlet(from, outlet)
    }
}

impl<'a> Ends<'a> {
    fn of(stream: &'a Stream) -> Self {
        let keys: Vec<NodeKey> = stage_keys(&stream.name, &stream.stages).collect();
        let window = stream.stages.iter().rposition(|stage| matches!(stage.op, Op::Window(_)));
        Self { input: &stream.input, last: keys.last().cloned(), window: window.map(|at| keys[at].clone()) }
    }
}

/// What could not be read leaves a source at its decoder, all else at its gate.
fn source_outlet(source: &Name, outlet: Outlet) -> Input {
    let slot = match outlet {
        Outlet::Bad => Slot::Decode,
        Outlet::Rows | Outlet::Late => Slot::Gate,
    };
    Input { node: NodeKey::of_file(source, slot), outlet }
}
