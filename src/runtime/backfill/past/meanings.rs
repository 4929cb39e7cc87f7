//! How sources read their rows at the place that a log has been heeded to. A cut's line holds what is different only, so this is
//! kept up from line to line.

use std::collections::BTreeMap;

use crate::base::Name;
use crate::plan::{Graph, NodeSpec, Patch, Slot};
use crate::runtime::feed::sources;
use crate::runtime::record::{Meaning, Standing, Wanted};

/// By source, as it was called then.
#[derive(Default)]
pub(super) struct Meanings(BTreeMap<Name, Meaning>);

impl Meanings {
    pub fn of(&self, source: &Name) -> Option<&Meaning> {
        self.0.get(source)
    }

    pub fn stands(&mut self, standing: &Standing) {
        self.0 = standing.meanings.iter().cloned().collect();
    }

    pub fn cut(&mut self, wanted: &Wanted) {
        match wanted {
            Wanted::Whole(graph) => self.whole(graph),
            Wanted::Changed(patch) => self.changed(patch),
        }
    }

    fn whole(&mut self, graph: &Graph) {
        let known = sources(graph).into_iter().filter_map(|name| Meaning::of(graph, &name).map(|meaning| (name, meaning)));
        self.0 = known.collect();
    }

    fn changed(&mut self, patch: &Patch) {
        for key in patch.gone.iter().filter(|key| key.slot == Slot::Gate && key.is_of_file()) {
            self.0.remove(&key.decl);
        }
        // All three nodes of a new source are in the patch, of another one those that read differently now.
        for spec in patch.nodes.iter().filter(|spec| spec.key.is_of_file()) {
            self.node(spec);
        }
    }

    fn node(&mut self, spec: &NodeSpec) {
        let new = Meaning { connection: spec.hashes.state, decode: spec.hashes.sem, gate: spec.hashes.sem };
        let source = self.0.entry(spec.key.decl.clone());
        match spec.key.slot {
            Slot::Connection => source.or_insert(new).connection = new.connection,
            Slot::Decode => source.or_insert(new).decode = new.decode,
            Slot::Gate => source.or_insert(new).gate = new.gate,
            Slot::Keep | Slot::Stage { .. } | Slot::Task | Slot::Accept | Slot::Serve => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Hash;
    use crate::ir::{OnChange, Schema};
    use crate::plan::{Decode, Hashes, NodeKey, NodeOp, Owner};

    fn node(slot: Slot, state: u8, sem: u8) -> NodeSpec {
        NodeSpec {
            key: NodeKey { decl: "a".into(), slot, owner: Owner::File },
            op: NodeOp::Decode(Decode { columns: vec![] }),
            inputs: vec![],
            schema: Schema::default(),
            on_change: OnChange::Backfill,
            hashes: Hashes { state: Hash::of(&state), sem: Hash::of(&sem), ..Hashes::default() },
            entries: BTreeMap::new(),
        }
    }

    #[test]
    fn a_source_that_comes_changes_and_goes_is_followed() {
        let mut meanings = Meanings::default();
        let nodes = vec![node(Slot::Connection, 1, 9), node(Slot::Decode, 9, 2), node(Slot::Gate, 9, 3)];
        meanings.cut(&Wanted::Changed(Patch { nodes, ..Patch::default() }));
        let first = Meaning { connection: Hash::of(&1_u8), decode: Hash::of(&2_u8), gate: Hash::of(&3_u8) };
        assert_eq!(meanings.of(&"a".into()), Some(&first));
        meanings.cut(&Wanted::Changed(Patch { nodes: vec![node(Slot::Decode, 9, 4)], ..Patch::default() }));
        assert_eq!(meanings.of(&"a".into()), Some(&Meaning { decode: Hash::of(&4_u8), ..first }));
        let gone = vec![node(Slot::Gate, 9, 3).key];
        meanings.cut(&Wanted::Changed(Patch { gone, ..Patch::default() }));
        assert_eq!(meanings.of(&"a".into()), None);
    }
}
