//! How every model on dfdx's tensors is trained: Adam on mini-batches in a seeded order, until rows that are set aside stop
//! getting better. What is trained is a [`Learner`]; the loop knows rows, loss, order and when to stop.

use dfdx::optim::{AdamConfig, WeightDecay};
use dfdx::shapes::{Rank0, Shape};
use dfdx::tensor::{AsArray, Cpu, CpuError, Gradients, Merge, NoneTape, OwnedTape, Tape, Tensor, TensorFromVec, Trace};
use dfdx::tensor_ops::Backward;

use super::mlp::{cross_entropy, squared_error};
use super::products::failed;
use super::{Control, FitError, Labels, Stream, TrainSet};

/// A row of numbers per row of a batch.
pub type Rows<E, T = NoneTape> = Tensor<(usize, usize), E, Cpu, T>;
pub type Taped<E> = Rows<E, OwnedTape<E, Cpu>>;

/// Below this there is nothing to set aside; then it trains to the last epoch.
const ROWS_TO_STOP_BY: usize = 100;
/// One row in so many is set aside.
const ASIDE: usize = 10;
/// A loss that got better by less than this share counts as no better.
const LEAST_GAIN: f64 = 1e-4;
/// Of a schedule that warms up: the share of all steps that does.
const WARM_UP: f64 = 0.05;
/// The least share of the learning rate that a schedule ends at.
const LEAST_RATE: f64 = 0.02;

/// What is trained.
pub trait Learner {
    /// What it has learned, apart from the tape.
    type Kept;

    /// Scores of a batch, on the tape. What is dropped is drawn here.
    fn learn(&mut self, x: Taped<f32>) -> Result<Taped<f32>, CpuError>;

    /// Scores as they are answered: nothing is dropped. At most [`Learner::JUDGED_AT_ONCE`] rows.
    fn judge(&self, x: Rows<f32>) -> Result<Rows<f32>, CpuError>;

    const JUDGED_AT_ONCE: usize;

    /// Lets the optimiser step over every tensor.
    fn update(&mut self, optimiser: &mut Optimiser, gradients: &mut Gradients<f32, Cpu>) -> Result<(), CpuError>;

    fn keep(&self) -> Self::Kept;
}

/// How to train.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Names the streams of chance.
    pub name: &'static str,
    pub lr: f64,
    /// Per step, off the gradient (AdamW).
    pub decay: f64,
    pub batch: usize,
    pub epochs: usize,
    pub patience: usize,
    pub schedule: Schedule,
    /// Standard deviation of the noise that every value gets in training, in units of its own deviation.
    pub jitter: f64,
}

/// How the learning rate goes from the first step to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedule {
    Constant,
    /// Rises for a twentieth of all steps, then falls along a cosine.
    Cosine,
}

impl Settings {
    fn rate(&self, step: usize, steps: usize) -> f64 {
        let share = step as f64 / steps.max(1) as f64;
        match self.schedule {
            Schedule::Constant => self.lr,
            Schedule::Cosine if share < WARM_UP => self.lr * (share / WARM_UP).max(LEAST_RATE),
            Schedule::Cosine => {
                let fallen = 0.5 * (1.0 + libm::cos(std::f64::consts::PI * (share - WARM_UP) / (1.0 - WARM_UP)));
                self.lr * fallen.max(LEAST_RATE)
            }
        }
    }
}

/// Numbers are learned with mean 0 and deviation 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Scale {
    pub mean: f64,
    pub deviation: f64,
}

impl Scale {
    /// Of numbers; classes stay as they are.
    pub fn of(set: &TrainSet) -> Scale {
        let Labels::Numbers(values) = &set.y else { return Scale { mean: 0.0, deviation: 1.0 } };
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
        let deviation = variance.sqrt();
        Scale { mean, deviation: if deviation > 0.0 { deviation } else { 1.0 } }
    }
}

/// Adam with its moments, by the tensors' identities.
pub struct Optimiser {
    adam: AdamConfig,
    first: Gradients<f32, Cpu>,
    second: Gradients<f32, Cpu>,
    steps: i32,
}

impl Optimiser {
    fn new(settings: &Settings) -> Optimiser {
        let weight_decay = Some(WeightDecay::Decoupled(settings.decay));
        Optimiser {
            adam: AdamConfig { lr: settings.lr, weight_decay, ..AdamConfig::default() },
            first: Gradients::leaky(),
            second: Gradients::leaky(),
            steps: 0,
        }
    }

    /// dfdx keeps the moments of its own optimiser to itself; its step over one tensor is public.
    pub fn step<S: Shape>(
        &mut self,
        tensor: &mut Tensor<S, f32, Cpu>,
        gradients: &mut Gradients<f32, Cpu>,
    ) -> Result<(), CpuError> {
        let first = self.first.get_or_alloc_mut(tensor)?;
        let second = self.second.get_or_alloc_mut(tensor)?;
        let gradient = gradients.get_or_alloc_mut(tensor)?;
        self.adam.try_update(self.steps, tensor, first, second, gradient)
    }
}

/// The best that was seen.
///
/// # Errors
/// If it was cancelled, or if the loss was never finite.
pub fn train<L: Learner>(
    set: &TrainSet,
    settings: &Settings,
    seed: u64,
    control: &Control,
    learner: L,
) -> Result<L::Kept, FitError> {
    let mut run = Run::new(set, settings, seed, learner);
    let (mut learned, aside) = run.divide();
    let mut best: Option<(f64, L::Kept)> = None;
    let mut stale = 0;
    for epoch in 0..settings.epochs {
        control.proceed()?;
        Stream::for_purpose(seed, &format!("{}/order/{epoch}", settings.name)).shuffle(&mut learned);
        run.epoch(&learned, control)?;
        let loss = run.loss(if aside.is_empty() { &learned } else { &aside }, control)?;
        if !loss.is_finite() {
            break;
        }
        let better = best.as_ref().is_none_or(|(least, _)| loss < least - LEAST_GAIN * least.abs());
        if better || aside.is_empty() {
            best = Some((loss, run.learner.keep()));
        }
        stale = if better { 0 } else { stale + 1 };
        if stale >= settings.patience {
            break;
        }
    }
    best.map(|(_, kept)| kept).ok_or_else(|| FitError::failed("its loss grew without limit; lower lr"))
}

/// A training under way.
struct Run<'a, L> {
    set: &'a TrainSet,
    settings: &'a Settings,
    seed: u64,
    device: Cpu,
    learner: L,
    optimiser: Optimiser,
    scale: Scale,
    noise: Stream,
}

impl<'a, L: Learner> Run<'a, L> {
    fn new(set: &'a TrainSet, settings: &'a Settings, seed: u64, learner: L) -> Run<'a, L> {
        Run {
            set,
            settings,
            seed,
            device: Cpu::default(),
            learner,
            optimiser: Optimiser::new(settings),
            scale: Scale::of(set),
            noise: Stream::for_purpose(seed, &format!("{}/jitter", settings.name)),
        }
    }

    /// Rows to learn from, and rows to stop by.
    fn divide(&self) -> (Vec<usize>, Vec<usize>) {
        let mut rows: Vec<usize> = (0..self.set.rows()).collect();
        if rows.len() < ROWS_TO_STOP_BY {
            return (rows, Vec::new());
        }
        Stream::for_purpose(self.seed, &format!("{}/aside", self.settings.name)).shuffle(&mut rows);
        let aside = rows.split_off(rows.len() - rows.len() / ASIDE);
        (rows, aside)
    }

    fn epoch(&mut self, rows: &[usize], control: &Control) -> Result<(), FitError> {
        let batch = self.settings.batch.max(1);
        let steps = rows.len().div_ceil(batch) * self.settings.epochs;
        for rows in rows.chunks(batch) {
            control.proceed()?;
            let step = usize::try_from(self.optimiser.steps).unwrap_or_default();
            self.optimiser.adam.lr = self.settings.rate(step, steps);
            self.step(rows).map_err(failed)?;
        }
        Ok(())
    }

    fn step(&mut self, rows: &[usize]) -> Result<(), CpuError> {
        let x = self.noisy(rows)?.leaky_traced();
        let scores = self.learner.learn(x)?;
        let loss = self.loss_of(scores, rows)?;
        let mut gradients = loss.try_backward()?;
        self.optimiser.steps += 1;
        self.learner.update(&mut self.optimiser, &mut gradients)
    }

    fn rows(&self, rows: &[usize]) -> Result<Rows<f32>, CpuError> {
        self.device.try_tensor_from_vec(self.set.x.take(rows).data, (rows.len(), self.set.x.columns))
    }

    fn noisy(&mut self, rows: &[usize]) -> Result<Rows<f32>, CpuError> {
        if self.settings.jitter <= 0.0 {
            return self.rows(rows);
        }
        let mut values = self.set.x.take(rows).data;
        values.iter_mut().for_each(|value| *value += (self.settings.jitter * self.noise.normal()) as f32);
        self.device.try_tensor_from_vec(values, (rows.len(), self.set.x.columns))
    }

    /// The mean over rows.
    fn loss_of<T>(&self, scores: Rows<f32, T>, rows: &[usize]) -> Result<Tensor<Rank0, f32, Cpu, T>, CpuError>
    where
        T: Tape<f32, Cpu> + Merge<T> + Merge<NoneTape>,
    {
        let weight = |row: &usize| (self.set.weight(*row) / rows.len() as f64) as f32;
        match &self.set.y {
            Labels::Classes { index, count } => {
                let mut wanted = vec![0.0; rows.len() * count];
                for (at, row) in rows.iter().enumerate() {
                    wanted[at * count + index[*row] as usize] = weight(row);
                }
                cross_entropy(scores, self.device.try_tensor_from_vec(wanted, (rows.len(), *count))?)
            }
            Labels::Numbers(values) => {
                let scaled = |row: &usize| ((values[*row] - self.scale.mean) / self.scale.deviation) as f32;
                let wanted = rows.iter().map(scaled).collect();
                let wanted = self.device.try_tensor_from_vec(wanted, (rows.len(), 1))?;
                let weights = self.device.try_tensor_from_vec(rows.iter().map(weight).collect(), (rows.len(), 1))?;
                squared_error(scores, wanted, weights)
            }
            Labels::Nothing => unreachable!("a network is not asked to detect"),
        }
    }

    /// The mean over `rows`, nothing dropped.
    fn loss(&self, rows: &[usize], control: &Control) -> Result<f64, FitError> {
        let mut sum = 0.0;
        for part in rows.chunks(L::JUDGED_AT_ONCE) {
            control.proceed()?;
            let scores = self.rows(part).and_then(|x| self.learner.judge(x)).map_err(failed)?;
            sum += f64::from(self.loss_of(scores, part).map_err(failed)?.array()) * part.len() as f64;
        }
        Ok(sum / rows.len() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_learning_rate_rises_and_then_falls() {
        let settings = Settings {
            name: "test",
            lr: 1.0,
            decay: 0.0,
            batch: 1,
            epochs: 1,
            patience: 1,
            schedule: Schedule::Cosine,
            jitter: 0.0,
        };
        let rates: Vec<f64> = [0, 25, 50, 500, 1_000].iter().map(|step| settings.rate(*step, 1_000)).collect();
        assert_eq!((rates[0], rates[1], rates[2], rates[4]), (LEAST_RATE, 0.5, 1.0, LEAST_RATE));
        assert!((0.5..0.6).contains(&rates[3]), "{rates:?}");
        assert_eq!(Settings { schedule: Schedule::Constant, ..settings }.rate(999, 1_000), 1.0);
    }
}
