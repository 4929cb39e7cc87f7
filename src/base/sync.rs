//! What threads share with each other, by the names of the standard library.
//!
//! Where the order of steps of several threads decides something, a module takes these from `super::sync`: so a test can build the
//! same module over a scheduler that tries every order.

pub use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock, Weak, atomic};

/// Carries a scenario of a few threads out in every order of their steps.
///
/// # Panics
/// Where one of the orders panics or leaves a thread waiting for ever, and where there are more orders than can be tried.
#[cfg(test)]
pub fn in_every_order(scenario: impl Fn() + Send + Sync + 'static) {
    const ORDERS_MAX: usize = 200_000;
    let every = shuttle::scheduler::DfsScheduler::new(Some(ORDERS_MAX), false);
    let tried = shuttle::Runner::new(every, shuttle::Config::new()).run(scenario);
    assert!(tried < ORDERS_MAX, "not every order was tried");
}
