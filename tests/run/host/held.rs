//! A learner that is held until a test lets it go, and whose models show what they were fed.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use arrow::array::{BooleanArray, Float64Array, RecordBatch, cast::AsArray};
use arrow::datatypes::Float64Type;
use mliot::base::Name;
use mliot::diag::Diagnostic;
use mliot::host::{Job, Learned, Learner, Remembered, Trained};
use mliot::node::{NodeError, Predictions, Predictor};
use mliot::plan::{Graph, Learn};

use super::bench::ARRIVES;

/// Between two looks at what nobody rings a bell for.
const LOOK: Duration = Duration::from_millis(20);

/// Its nth training gives a model with the version `n`, when the test says so; a wish to stop it does not hear, so that a
/// result may come long after nobody wants it any more.
#[derive(Default)]
pub struct Held {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    stops: Vec<Arc<AtomicBool>>,
    let_go: BTreeSet<usize>,
    done: BTreeSet<usize>,
}

impl Held {
    pub fn let_go(&self, nth: usize) {
        self.state.lock().unwrap().let_go.insert(nth);
        self.changed.notify_all();
    }

    pub fn trainings(&self) -> usize {
        self.state.lock().unwrap().stops.len()
    }

    /// Waits until nobody wants the result any more.
    pub fn unwanted(&self, nth: usize) {
        self.wait("a wish to stop", |state| state.stops[nth - 1].load(Ordering::Relaxed));
    }

    /// Waits until so many trainings have begun, or the nth has given its model.
    pub fn begun(&self, count: usize) {
        self.wait("a training", |state| state.stops.len() >= count);
    }

    pub fn done(&self, nth: usize) {
        self.wait("a result", |state| state.done.contains(&nth));
    }

    fn wait(&self, what: &str, mut there: impl FnMut(&State) -> bool) {
        let until = Instant::now() + ARRIVES;
        let mut state = self.state.lock().unwrap();
        while !there(&state) {
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{what} does not come");
            state = self.changed.wait_timeout(state, left.min(LOOK)).unwrap().0;
        }
    }
}

impl Learner for Held {
    fn champion(&self, _: &Learn, _: &Graph) -> Result<Option<Remembered>, Diagnostic> {
        Ok(None)
    }

    fn version(&self, _: &Name, _: &str) -> Option<Arc<dyn Predictor>> {
        None
    }

    fn train(&self, job: &Job) -> Result<Trained, Diagnostic> {
        let nth = {
            let mut state = self.state.lock().unwrap();
            state.stops.push(job.stop.clone());
            state.stops.len()
        };
        self.changed.notify_all();
        self.wait("leave to go on", |state| state.let_go.contains(&nth));
        self.state.lock().unwrap().done.insert(nth);
        self.changed.notify_all();
        let model = Arc::new(Rising { version: nth.to_string() });
        Ok(Trained::Answers(Learned { model, family: "rising".into(), metric: None, notes: Vec::new() }))
    }
}

/// Says whether its second feature is above zero.
#[derive(Debug)]
struct Rising {
    version: String,
}

impl Predictor for Rising {
    fn predict(&self, rows: &RecordBatch) -> Result<Predictions, NodeError> {
        let rise: &Float64Array = rows.column(1).as_primitive::<Float64Type>();
        let values: BooleanArray = rise.iter().map(|rise| rise.map(|rise| rise > 0.0)).collect();
        Ok(Predictions { values: Arc::new(values), scores: None })
    }

    fn version(&self) -> &str {
        &self.version
    }
}
