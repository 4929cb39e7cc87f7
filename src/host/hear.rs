//! Whoever listens to a run.

use crate::server::Status;

use super::said::Said;

/// Hears what happens, in order, and now and then how all is going. Called on the shell's own thread, never on the engine's.
pub trait Ear: Send {
    fn hear(&mut self, said: &Said);

    fn look(&mut self, status: &Status);
}

impl<F: FnMut(&Said) + Send> Ear for F {
    fn hear(&mut self, said: &Said) {
        self(said);
    }

    fn look(&mut self, _: &Status) {}
}
