//! What is open to the world, by its own options: two users of the same options share it, and the last one closes it.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;
use std::time::Duration;

use super::sync::{Arc, Condvar, Mutex, PoisonError, Weak};

/// So long whoever opens something waits for the one of the same options that is being closed; then he tries it all the same.
pub const CLOSING_MAX: Duration = Duration::from_secs(10);

/// Resources by their options. A change takes the lease on the new one before it gives back the old one, so what both name
/// is never closed in between; and of one that is being closed by another thread no second one is opened before it is.
pub struct Table<K, R>(Mutex<BTreeMap<K, Known<R>>>);

/// One that is open, or has been.
struct Known<R> {
    resource: Weak<Held<R>>,
    closed: Arc<Closed>,
}

/// Holds a resource open; the last one dropped closes it.
pub struct Lease<R>(Arc<Held<R>>);

struct Held<R> {
    /// None while it is being closed.
    resource: Option<R>,
    closed: Arc<Closed>,
}

/// Whether it is closed to its end.
struct Closed {
    done: Mutex<bool>,
    rung: Condvar,
}

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
        if let Some(known) = table.get(key) {
            if let Some(held) = known.resource.upgrade() {
                return Ok(Lease(held));
            }
            known.closed.wait(CLOSING_MAX);
        }
        let closed = Arc::new(Closed { done: Mutex::new(false), rung: Condvar::new() });
        let new = Arc::new(Held { resource: Some(open()?), closed: closed.clone() });
        table.retain(|_, known| !known.closed.is_done());
        table.insert(key.clone(), Known { resource: Arc::downgrade(&new), closed });
        Ok(Lease(new))
    }

    /// How many are open.
    pub fn len(&self) -> usize {
        let table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        table.values().filter(|known| known.resource.strong_count() > 0).count()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<R> Drop for Held<R> {
    fn drop(&mut self) {
        drop(self.resource.take());
        self.closed.say();
    }
}

impl Closed {
    fn say(&self) {
        *self.done.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.rung.notify_all();
    }

    fn is_done(&self) -> bool {
        *self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self, most: Duration) {
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.rung.wait_timeout_while(done, most, |done| !*done));
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
        self.0.resource.as_ref().expect("it is closed when the last lease goes")
    }
}

impl<K: fmt::Debug + Clone + Ord, R> fmt::Debug for Table<K, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Table").field("open", &self.len()).finish()
    }
}

impl<R: fmt::Debug> fmt::Debug for Lease<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lease").field(&self.0.resource).finish()
    }
}
