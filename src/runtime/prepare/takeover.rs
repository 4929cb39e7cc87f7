//! Stages that remember and are not what they were: what each takes over, tried on a copy.

use crate::diag::Diagnostic;
use crate::ir::{OnChange, Op, WindowShape};
use crate::node::{Migration, Node, NodeError, State};
use crate::plan::{Change, Class, Memory, NodeKey, NodeOp, NodeSpec, NotAgain};

use super::{Builder, Way, rejected};

impl Builder<'_> {
    /// A stage whose state has another form, is of other values, or is not there yet.
    pub(super) fn taking_over(&mut self, key: &NodeKey, change: &mut Change) -> Result<Way, Diagnostic> {
        let spec = &self.wanted.nodes[key];
        let resting = self.engine.resting.find(spec, self.engine.next());
        if let Some(found) = resting.filter(|found| !found.missed || !change.memory.is_rebuilt())
            && change.from.is_none()
            && let Some(new) = loaded(self.build(key)?, found.state)
        {
            change.memory = Memory::Returned;
            return Ok(Way::Fresh(new));
        }
        if change.memory.is_rebuilt() {
            return self.rebuilding(key, change);
        }
        let mut new = self.build(key)?;
        // What failed in the middle of a batch remembers half of it.
        let whole = change.from.as_ref().and_then(|from| self.engine.slot_mut(from)).filter(|slot| slot.failed.is_none());
        let Some(slot) = whole else { return Ok(Way::Fresh(new)) };
        if matches!(change.memory, Memory::Empty(_)) && !is_window(spec) {
            return Ok(Way::Fresh(new));
        }
        let (before, anew) = (slot.spec.clone(), change.anew());
        let rebuilt = if change.is_rebuilt() { self.rebuilt.get(key).cloned() } else { None };
        let running = slot.node.save();
        let migrated =
            running.and_then(|running| new.migrate(Migration { before, running, anew: anew.clone(), rebuilt }).map(|()| new));
        match migrated {
            Ok(node) => Ok(Way::Migrate { node, anew, rebuilt: change.is_rebuilt() }),
            Err(error) => self.unreadable(key, change, &error),
        }
    }

    /// As it would be, had it been there from the start.
    fn rebuilding(&mut self, key: &NodeKey, change: &mut Change) -> Result<Way, Diagnostic> {
        let new = self.build(key)?;
        match self.rebuilt.get(key).and_then(|state| loaded(new, state)) {
            Some(new) => Ok(Way::Rebuild(new)),
            None => {
                let why = NotAgain::Failed("what was rebuilt cannot be read".to_owned());
                change.settle(&self.wanted.nodes[key], Err(why));
                self.taking_over(key, change)
            }
        }
    }

    /// The graphs said that it converts, and the node says that it does not.
    fn unreadable(&mut self, key: &NodeKey, change: &mut Change, error: &NodeError) -> Result<Way, Diagnostic> {
        let spec = &self.wanted.nodes[key];
        if spec.on_change == OnChange::Reject {
            return Err(rejected(key, self.wanted));
        }
        if let Some(new) =
            self.rebuilt.get(key).cloned().zip(Some(self.build(key)?)).and_then(|(state, new)| loaded(new, &state))
        {
            let rebuilt = change.rebuilt().cloned().unwrap_or(Memory::Rebuilt);
            change.becomes(&rebuilt);
            return Ok(Way::Rebuild(new));
        }
        if !matches!(change.memory, Memory::Empty(_)) {
            change.becomes(&Memory::Empty(Some(NotAgain::Failed(error.message.clone()))));
        }
        Ok(Way::Fresh(self.build(key)?))
    }
}

/// Does the stage keep a state that may be of another shape after an edit? `reshaped`: its form is not what it was, because
/// columns came or went beside those that go on.
pub(super) fn takes_over(spec: &NodeSpec, change: &Change, reshaped: bool) -> bool {
    let remembers = matches!(&spec.op, NodeOp::Stage(op) if op.remembers()) && spec.key.is_of_file();
    let changes = match change.class {
        Class::Same | Class::Rewired | Class::Retuned | Class::Shadowed | Class::Removed => false,
        // Where all of it only ages, it goes on as it is; but rows that wait in a window are read by number, and calls may
        // share a value now that they did not share before.
        Class::Stale => {
            let ages = matches!(change.memory, Memory::Kept | Memory::Aged(_));
            !ages || reshaped || change.is_rebuilt() || is_of_rows(spec)
        }
        Class::Migrated | Class::Reset(_) | Class::Added => true,
    };
    remembers && changes
}

fn is_of_rows(spec: &NodeSpec) -> bool {
    let NodeOp::Stage(op) = &spec.op else { return false };
    matches!(&**op, Op::Window(window) if matches!(window.shape, WindowShape::Rows { .. }))
}

fn is_window(spec: &NodeSpec) -> bool {
    matches!(&spec.op, NodeOp::Stage(op) if matches!(**op, Op::Window(_)))
}

fn loaded(mut new: Box<dyn Node>, state: &State) -> Option<Box<dyn Node>> {
    new.load(state.clone()).ok().map(|()| new)
}
