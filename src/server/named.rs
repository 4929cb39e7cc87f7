//! What a listener has open, by name: opened and closed while it runs.

use std::collections::BTreeMap;
use std::fmt;

use crate::base::Name;

use super::sync::{Arc, PoisonError, RwLock};

/// Things that are open, by name. Clones are the same things.
pub struct Named<T: ?Sized>(Arc<RwLock<Opened<T>>>);

struct Opened<T: ?Sized> {
    next: u64,
    things: BTreeMap<Name, (u64, Arc<T>)>,
}

/// Keeps its thing open; one that was opened later under the same name stays when this one goes.
pub struct Key<T: ?Sized> {
    all: Named<T>,
    name: Name,
    nth: u64,
}

impl<T: ?Sized> Named<T> {
    /// Takes the place of an older thing of this name at once: nobody who asks finds none.
    pub fn open(&self, name: &Name, thing: Arc<T>) -> Key<T> {
        let mut opened = self.0.write().unwrap_or_else(PoisonError::into_inner);
        opened.next += 1;
        let nth = opened.next;
        opened.things.insert(name.clone(), (nth, thing));
        Key { all: self.clone(), name: name.clone(), nth }
    }

    pub fn get(&self, name: &str) -> Option<Arc<T>> {
        let opened = self.0.read().unwrap_or_else(PoisonError::into_inner);
        opened.things.get(name).map(|(_, thing)| thing.clone())
    }

    pub fn names(&self) -> Vec<Name> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).things.keys().cloned().collect()
    }
}

impl<T: ?Sized> Key<T> {
    pub fn name(&self) -> &Name {
        &self.name
    }
}

impl<T: ?Sized> Drop for Key<T> {
    fn drop(&mut self) {
        let mut opened = self.all.0.write().unwrap_or_else(PoisonError::into_inner);
        if opened.things.get(&self.name).is_some_and(|(nth, _)| *nth == self.nth) {
            opened.things.remove(&self.name);
        }
    }
}

impl<T: ?Sized> Clone for Named<T> {
    fn clone(&self) -> Self {
        Named(self.0.clone())
    }
}

impl<T: ?Sized> Default for Named<T> {
    fn default() -> Self {
        Named(Arc::new(RwLock::new(Opened { next: 0, things: BTreeMap::new() })))
    }
}

impl<T: ?Sized> fmt::Debug for Named<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.names()).finish()
    }
}

impl<T: ?Sized> fmt::Debug for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({})", self.name)
    }
}
