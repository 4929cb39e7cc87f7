//! dfdx hands large products to the pool of threads that it finds. Training runs in a pool of one, so that the weights
//! cannot depend on how many threads a machine has, and so that it stays off the cores that serve.

/// Runs `work` on one compute thread of its own.
pub fn on_one_thread<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).thread_name(|_| "training".to_owned()).build();
    pool.expect("the system grants one thread").install(work)
}
