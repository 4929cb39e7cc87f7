//! The network on dfdx tensors with sizes of run time. Generic over the number type: training is in f32, gradients are checked
//! in f64.

use dfdx::shapes::{Axis, Dtype, HasShape, Rank0};
use dfdx::tensor::{Cpu, CpuError, Merge, NoneTape, Tape, Tensor, TensorFromVec};
use dfdx::tensor_ops::{BroadcastTo, Device, SumTo, TryAdd, TryMatMul, TryMul, TrySub};

pub type Rows<E, T = NoneTape> = Tensor<(usize, usize), E, Cpu, T>;

/// One dense layer.
#[derive(Clone, Debug)]
pub struct Layer<E: Dtype> {
    /// `inputs × outputs`.
    pub weight: Rows<E>,
    pub bias: Tensor<(usize,), E, Cpu>,
}

impl<E: Dtype> Layer<E> {
    /// `weight` has `inputs * outputs` values, row-major, `bias` has `outputs`.
    pub fn new(device: &Cpu, inputs: usize, outputs: usize, weight: Vec<E>, bias: Vec<E>) -> Result<Layer<E>, CpuError> {
        let weight = device.try_tensor_from_vec(weight, (inputs, outputs))?;
        Ok(Layer { weight, bias: device.try_tensor_from_vec(bias, (outputs,))? })
    }
}

/// Scores of each row of `x`. `masks` has one per hidden layer where units are dropped: 0, or what keeps the mean.
pub fn forward<E: Dtype, T>(layers: &[Layer<E>], x: Rows<E, T>, masks: &[Rows<E>]) -> Result<Rows<E, T>, CpuError>
where
    Cpu: Device<E>,
    T: Tape<E, Cpu> + Merge<T> + Merge<NoneTape>,
{
    let mut values = x;
    for (at, layer) in layers.iter().enumerate() {
        let products = values.try_matmul(layer.weight.clone())?;
        let shape = *products.shape();
        // Without a tape of its own the bias would silently get no gradient.
        let bias = layer.bias.retaped::<T>().try_broadcast_like::<_, Axis<0>>(&shape)?;
        values = products.try_add(bias)?;
        if at + 1 < layers.len() {
            values = values.try_relu()?;
            if let Some(mask) = masks.get(at) {
                values = values.try_mul(mask.clone())?;
            }
        }
    }
    Ok(values)
}

/// The sum over rows of minus `wanted · log softmax(scores)`; `wanted` has the row's weight at its class.
pub fn cross_entropy<E: Dtype, T>(scores: Rows<E, T>, wanted: Rows<E>) -> Result<Tensor<Rank0, E, Cpu, T>, CpuError>
where
    Cpu: Device<E>,
    T: Tape<E, Cpu> + Merge<T> + Merge<NoneTape>,
{
    scores.try_log_softmax::<Axis<1>>()?.try_mul(wanted)?.try_sum::<Rank0, _>()?.try_negate()
}

/// The sum over rows of `weight · (score - wanted)²`.
pub fn squared_error<E: Dtype, T>(
    scores: Rows<E, T>,
    wanted: Rows<E>,
    weight: Rows<E>,
) -> Result<Tensor<Rank0, E, Cpu, T>, CpuError>
where
    Cpu: Device<E>,
    T: Tape<E, Cpu> + Merge<T> + Merge<NoneTape>,
{
    scores.try_sub(wanted)?.try_square()?.try_mul(weight)?.try_sum::<Rank0, _>()
}
