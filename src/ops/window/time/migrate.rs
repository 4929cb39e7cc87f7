//! Windows in time that take over what others remember: other entries, or windows put together from finer ones.
//!
//! Panes of which all windows have fired are gone, so the first of the longer windows lack rows; they do not come.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use crate::base::Time;
use crate::ir::WindowShape;
use crate::node::{Migration, NodeError};

use super::super::super::error::unreadable;
use super::super::super::keys::Keys;
use super::super::incomplete::Incomplete;
use super::super::migrate::PaneMigration;
use super::super::op;
use super::super::pane::Pane;
use super::super::place::Shape;
use super::super::saved::{clock_of, load_panes};
use super::TimeWindow;

impl TimeWindow {
    pub(super) fn take_over(&mut self, migration: &Migration) -> Result<(), NodeError> {
        let (size, every) = match (&op(&migration.before)?.shape, &self.total) {
            (WindowShape::Time { size, every }, None) => (*size, *every),
            (WindowShape::Cumulative { every }, Some(_)) if every.0 == self.shape.every => (*every, *every),
            (
                WindowShape::Time { .. }
                | WindowShape::Cumulative { .. }
                | WindowShape::Rows { .. }
                | WindowShape::Session { .. }
                | WindowShape::Whole,
                _,
            ) => return Err(unreadable("it is of windows of another kind")),
        };
        let (old, fired) = (Shape::new(size, every)?, clock_of(&migration.running)?);
        let from = PaneMigration::new(&self.parts, migration)?;
        let seen = seen(fired, from.starts()?, old);
        let mut keys = Keys::new(self.parts.by.types())?;
        let begins = migration.rebuilt.is_none() && from.is_all_anew()?;
        let (panes, incomplete) = if begins {
            (BTreeMap::new(), Incomplete { window: seen, ..Incomplete::default() })
        } else {
            let panes = load_panes(&from.panes()?, &self.parts.by, &mut keys, &self.parts.aggregates)?;
            self.shaped(panes, old, fired, from.incomplete(seen)?)?
        };
        let fired = if begins && fired == Time::MAX { Time::MIN } else { fired };
        self.take(panes, keys, fired, incomplete);
        Ok(())
    }

    /// Old panes as panes of these windows, and which windows lack some.
    fn shaped(
        &mut self,
        panes: Vec<(i64, Pane)>,
        old: Shape,
        fired: Time,
        incomplete: Incomplete,
    ) -> Result<(BTreeMap<i64, Pane>, Incomplete), NodeError> {
        if (old.size, old.every) == (self.shape.size, self.shape.every) {
            return Ok((panes.into_iter().collect(), incomplete));
        }
        let window = incomplete.window.max(old.held_from(fired.0));
        Ok((self.merged(panes, old)?, Incomplete { window, ..incomplete }))
    }

    /// Panes of finer windows as panes of these, each put together from left to right.
    fn merged(&mut self, panes: Vec<(i64, Pane)>, old: Shape) -> Result<BTreeMap<i64, Pane>, NodeError> {
        if !old.makes_up(self.shape) {
            return Err(unreadable("its windows do not make up the new ones"));
        }
        let mut merged: BTreeMap<i64, Pane> = BTreeMap::new();
        for (start, mut pane) in panes.into_iter() {
            let place = self.shape.place(start);
            match merged.entry(place.pane) {
                _ if place.last_end.is_none() => {}
                Entry::Vacant(free) => _ = free.insert(pane),
                Entry::Occupied(mut open) => {
                    open.get_mut().merge(&mut pane, &self.parts.aggregates, &mut self.scratch)?;
                }
            }
        }
        Ok(merged)
    }
}

/// Behind everything that a window has seen; none where it has seen nothing.
fn seen(fired: Time, panes: &[i64], old: Shape) -> Option<i64> {
    let newest = panes.last().filter(|start| **start > i64::MIN).map(|start| start.saturating_add(old.pane));
    newest.max((Time::MIN < fired && fired < Time::MAX).then_some(fired.0))
}
