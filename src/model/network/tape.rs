//! Operators of ours on dfdx's tape.

use dfdx::shapes::{Axis, HasShape};
use dfdx::tensor::{Cpu, CpuError, OwnedTape, PutTape, SplitTape, Tape, TensorFromVec};
use dfdx::tensor_ops::{BroadcastTo, Device, ReshapeTo, TryAdd, TryMatMul};

use super::kernel::{Gradient, Known, Number, Operator, add_product};

pub use crate::model::training::{Rows, Taped};

/// Runs an operator and puts its way back on the tape. `wants_x`: does anything above learn from the gradient of `x`?
pub fn apply<E: Number>(operator: &Operator, x: Taped<E>, parameters: &[Rows<E>], wants_x: bool) -> Result<Taped<E>, CpuError>
where
    Cpu: Device<E>,
{
    let (x, mut tape) = x.split_tape();
    let (rows, _) = *x.shape();
    let values = Values { x: values(&x), parameters: parameters.iter().map(values).collect() };
    debug_assert_eq!(values.x.len(), rows * operator.inputs(), "shapes are proven before");
    let mut out = vec![E::default(); rows * operator.outputs()];
    operator.forward(&values.x, &values.slices(), &mut out, add_product);
    let y: Rows<E> = x.device().try_tensor_from_vec(out.clone(), (rows, operator.outputs()))?;
    let (operator, key, tensors) = (*operator, y.clone(), parameters.to_vec());
    tape.add_backward_op(move |gradients| {
        // Buffers are taken out, so that all of them can be added to at once, and put back.
        let gradient = std::mem::take(E::buffer(gradients, &key)?);
        let mut of_x = if wants_x { Some(std::mem::take(E::buffer(gradients, &x)?)) } else { None };
        let mut learned = Vec::with_capacity(tensors.len());
        for tensor in &tensors {
            learned.push(std::mem::take(E::buffer(gradients, tensor)?));
        }
        let known = Known { x: &values.x, y: &out, parameters: &values.slices(), gradient: &gradient };
        let parameters = learned.iter_mut().map(Vec::as_mut_slice).collect();
        operator.backward(&known, &mut Gradient { x: of_x.as_deref_mut(), parameters });
        if let Some(of_x) = of_x {
            *E::buffer(gradients, &x)? = of_x;
        }
        for (tensor, learned) in tensors.iter().zip(learned) {
            *E::buffer(gradients, tensor)? = learned;
        }
        Ok(())
    });
    Ok(y.put_tape(tape))
}

/// A dense layer: dfdx's own product and sum. `bias` is one row.
pub fn affine<E: Number>(x: Taped<E>, weight: &Rows<E>, bias: &Rows<E>) -> Result<Taped<E>, CpuError>
where
    Cpu: Device<E>,
{
    let (_, outputs) = *weight.shape();
    let products = x.try_matmul(weight.clone())?;
    let shape = *products.shape();
    // Without a tape of its own the bias would silently get no gradient.
    let bias = bias.retaped::<OwnedTape<E, Cpu>>().try_reshape_like(&(outputs,))?;
    products.try_add(bias.try_broadcast_like::<_, Axis<0>>(&shape)?)
}

struct Values<E> {
    x: Vec<E>,
    parameters: Vec<Vec<E>>,
}

impl<E> Values<E> {
    fn slices(&self) -> Vec<&[E]> {
        self.parameters.iter().map(Vec::as_slice).collect()
    }
}

/// A tensor's numbers; it has no gaps.
pub fn values<E: Number>(tensor: &Rows<E>) -> Vec<E>
where
    Cpu: Device<E>,
{
    let (rows, columns) = *tensor.shape();
    let mut values = vec![E::default(); rows * columns];
    tensor.copy_into(&mut values);
    values
}
