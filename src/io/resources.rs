//! What is open to the world, by its own options: two users of the same options share it, and the last one closes it.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Resources by their options. A change takes the lease on the new one before it gives back the old one, so what both name
/// is never closed in between.
#[derive(Debug)]
pub struct Table<K, R>(Mutex<BTreeMap<K, Weak<R>>>);

/// Holds a resource open; the last one dropped closes it.
#[derive(Debug)]
pub struct Lease<R>(Arc<R>);

impl<K, R> Default for Table<K, R> {
    fn default() -> Self {
        Table(Mutex::new(BTreeMap::new()))
    }
}

impl<K: Clone + Ord, R> Table<K, R> {
    /// The resource that is open under these options, else a new one.
    ///
    /// # Errors
    /// What `open` says; the table is then as before.
    pub fn lease<E>(&self, key: &K, open: impl FnOnce() -> Result<R, E>) -> Result<Lease<R>, E> {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = table.get(key).and_then(Weak::upgrade) {
            return Ok(Lease(open));
        }
        let new = Arc::new(open()?);
        table.retain(|_, resource| resource.strong_count() > 0);
        table.insert(key.clone(), Arc::downgrade(&new));
        Ok(Lease(new))
    }

    /// How many are open.
    pub fn len(&self) -> usize {
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.values().filter(|resource| resource.strong_count() > 0).count()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<R> Clone for Lease<R> {
    fn clone(&self) -> Self {
        Lease(self.0.clone())
    }
}

impl<R> Deref for Lease<R> {
    type Target = R;
    fn deref(&self) -> &R {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;

    /// Notes when it is opened and closed.
    struct Port(u16, Rc<RefCell<Vec<String>>>);

    impl Drop for Port {
        fn drop(&mut self) {
            self.1.borrow_mut().push(format!("close {}", self.0));
        }
    }

    #[test]
    fn equal_options_share_and_the_last_lease_closes() {
        let (table, log) = (Table::<u16, Port>::default(), Rc::new(RefCell::new(Vec::new())));
        let open = |port: u16| {
            table.lease(&port, || {
                log.borrow_mut().push(format!("open {port}"));
                if port == 0 { Err("no such port") } else { Ok(Port(port, log.clone())) }
            })
        };
        let first = open(8080).unwrap();
        let second = open(8080).unwrap();
        drop(first);
        assert_eq!(table.len(), 1);
        let other = open(8081).unwrap();
        drop(second);
        assert!(open(0).is_err());
        drop(other);
        assert!(table.is_empty());
        let again = open(8080).unwrap();
        assert_eq!(*log.borrow(), ["open 8080", "open 8081", "close 8080", "open 0", "close 8081", "open 8080"]);
        drop(again);
    }
}
