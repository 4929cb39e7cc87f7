//! A network while it is trained: its layers on the tape, its numbers as tensors.

use dfdx::shapes::HasShape;
use dfdx::tensor::{Cpu, CpuError, Gradients, PutTape, SplitTape, TensorFromVec};
use dfdx::tensor_ops::{Device, TryAdd, TryMul};

use crate::model::Stream;
use crate::model::training::{Learner, Optimiser};

use super::fit::Learned;
use super::kernel::{Number, Operator, moments};
use super::net::{Begin, Built, Net};
use super::tape::{Rows, Taped, affine, apply, values};

/// How much of a batch's statistics goes into those that are kept.
const MOMENTUM: f64 = 0.1;

pub struct Body<E: Number> {
    pub net: Net,
    device: Cpu,
    /// In the order of the net's slots.
    pub tensors: Vec<Rows<E>>,
    pub running: Vec<Running<E>>,
    /// Where what is dropped comes from; None where nothing is.
    chance: Option<Stream>,
}

/// What a batch normalisation keeps of every channel.
#[derive(Clone, Debug, PartialEq)]
pub struct Running<E> {
    pub mean: Vec<E>,
    pub variance: Vec<E>,
    /// Has any batch been seen?
    begun: bool,
}

impl<E: Number> Body<E>
where
    Cpu: Device<E>,
{
    /// With the numbers that it begins with.
    pub fn new(net: Net, seed: u64) -> Result<Body<E>, CpuError> {
        let device = Cpu::default();
        let mut stream = Stream::for_purpose(seed, "network/weights");
        let mut tensors = Vec::with_capacity(net.slots.len());
        for slot in &net.slots {
            let count = slot.shape.0 * slot.shape.1;
            let values = match slot.begin {
                Begin::Normal(deviation) => (0..count).map(|_| E::of(deviation * stream.normal())).collect(),
                Begin::Zeros => vec![E::zero(); count],
                Begin::Ones => vec![E::ONE; count],
            };
            tensors.push(device.try_tensor_from_vec(values, slot.shape)?);
        }
        let running =
            |channels: &usize| Running { mean: vec![E::zero(); *channels], variance: vec![E::ONE; *channels], begun: false };
        let running = net.running.iter().map(running).collect();
        Ok(Body { net, device, tensors, running, chance: Some(Stream::for_purpose(seed, "network/dropout")) })
    }

    /// Nothing is dropped.
    #[cfg(test)]
    pub fn without_chance(self) -> Body<E> {
        Body { chance: None, ..self }
    }

    /// Scores on the tape.
    pub fn forward(&mut self, x: Taped<E>) -> Result<Taped<E>, CpuError> {
        let layers = std::mem::take(&mut self.net.layers);
        let scores = self.layers(&layers, x, &mut false);
        self.net.layers = layers;
        scores
    }

    /// `wanted` turns true with the first layer that learns: above it nobody asks for gradients.
    fn layers(&mut self, layers: &[Built], x: Taped<E>, wanted: &mut bool) -> Result<Taped<E>, CpuError> {
        let mut values = x;
        for layer in layers {
            values = self.layer(layer, values, wanted)?;
        }
        Ok(values)
    }

    fn layer(&mut self, layer: &Built, x: Taped<E>, wanted: &mut bool) -> Result<Taped<E>, CpuError> {
        match layer {
            Built::Linear { slot } => {
                *wanted = true;
                affine(x, &self.tensors[*slot], &self.tensors[slot + 1])
            }
            Built::Operator { operator, slot, parameters } => {
                let wants_x = *wanted;
                *wanted |= *parameters > 0;
                apply(operator, x, &self.tensors[*slot..slot + parameters], wants_x)
            }
            Built::BatchNorm { norm, slot, running } => {
                let wants_x = std::mem::replace(wanted, true);
                let (x, tape) = x.split_tape();
                self.running[*running].see(moments(norm.channels, &values(&x)));
                apply(&Operator::BatchNorm(*norm), x.put_tape(tape), &self.tensors[*slot..slot + 2], wants_x)
            }
            Built::Dropout { share } => self.dropped(x, *share),
            Built::Skip(layers) => {
                let (x, tape) = x.split_tape();
                let inside = self.layers(layers, x.clone().put_tape(tape), wanted)?;
                inside.try_add(x)
            }
        }
    }

    fn dropped(&mut self, x: Taped<E>, share: f64) -> Result<Taped<E>, CpuError> {
        let Some(chance) = self.chance.as_mut().filter(|_| share > 0.0) else { return Ok(x) };
        let shape = *x.shape();
        let kept = E::of(1.0 / (1.0 - share));
        let mask = (0..shape.0 * shape.1).map(|_| if chance.unit() < share { E::zero() } else { kept }).collect();
        let mask: Rows<E> = self.device.try_tensor_from_vec(mask, shape)?;
        x.try_mul(mask)
    }
}

impl<E: Number> Running<E> {
    fn see(&mut self, (mean, variance): (Vec<E>, Vec<E>)) {
        let share = E::of(if self.begun { MOMENTUM } else { 1.0 });
        self.begun = true;
        let move_to = |kept: &mut Vec<E>, seen: Vec<E>| {
            kept.iter_mut().zip(seen).for_each(|(kept, seen)| *kept += share * (seen - *kept));
        };
        move_to(&mut self.mean, mean);
        move_to(&mut self.variance, variance);
    }
}

impl Body<f32> {
    pub fn learned(&self) -> Learned {
        Learned {
            tensors: self.tensors.iter().map(values).collect(),
            running: self.running.iter().map(|kept| (kept.mean.clone(), kept.variance.clone())).collect(),
        }
    }
}

impl Learner for Body<f32> {
    type Kept = Learned;

    const JUDGED_AT_ONCE: usize = 256;

    fn learn(&mut self, x: Taped<f32>) -> Result<Taped<f32>, CpuError> {
        if self.net.gather.is_none() {
            return self.forward(x);
        }
        let (x, tape) = x.split_tape();
        let input = self.net.input(&values(&x));
        let rows = x.shape().0;
        let x: Rows<f32> = self.device.try_tensor_from_vec(input, (rows, self.net.width()))?;
        self.forward(x.put_tape(tape))
    }

    fn judge(&self, x: Rows<f32>) -> Result<Rows<f32>, CpuError> {
        let (rows, _) = *x.shape();
        let scores = self.net.answer(&self.learned(), self.net.input(&values(&x)), rows);
        self.device.try_tensor_from_vec(scores, (rows, self.net.outputs))
    }

    fn update(&mut self, optimiser: &mut Optimiser, gradients: &mut Gradients<f32, Cpu>) -> Result<(), CpuError> {
        self.tensors.iter_mut().try_for_each(|tensor| optimiser.step(tensor, gradients))
    }

    fn keep(&self) -> Learned {
        self.learned()
    }
}
