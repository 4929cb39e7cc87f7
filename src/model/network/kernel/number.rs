//! The two number types, with maths functions that give equal bits on every platform.

use dfdx::shapes::{Dtype, Shape};
use dfdx::tensor::{Cpu, CpuError, Gradients, Tensor};

pub trait Number: Dtype {
    fn of(value: f64) -> Self;
    fn exp(self) -> Self;
    fn tanh(self) -> Self;
    fn erf(self) -> Self;
    fn sqrt(self) -> Self;

    /// A tensor's gradients, all zero where there are none yet. (That dfdx keeps them in a vector shows only where the type is
    /// known.)
    fn buffer<'g, S: Shape>(
        gradients: &'g mut Gradients<Self, Cpu>,
        tensor: &Tensor<S, Self, Cpu>,
    ) -> Result<&'g mut Vec<Self>, CpuError>;

    fn zero() -> Self {
        Self::of(0.0)
    }
}

impl Number for f32 {
    fn buffer<'g, S: Shape>(
        gradients: &'g mut Gradients<f32, Cpu>,
        tensor: &Tensor<S, f32, Cpu>,
    ) -> Result<&'g mut Vec<f32>, CpuError> {
        Ok(&mut **gradients.get_or_alloc_mut(tensor)?)
    }

    fn of(value: f64) -> f32 {
        value as f32
    }

    fn exp(self) -> f32 {
        libm::expf(self)
    }

    fn tanh(self) -> f32 {
        libm::tanhf(self)
    }

    fn erf(self) -> f32 {
        libm::erff(self)
    }

    fn sqrt(self) -> f32 {
        f32::sqrt(self)
    }
}

impl Number for f64 {
    fn buffer<'g, S: Shape>(
        gradients: &'g mut Gradients<f64, Cpu>,
        tensor: &Tensor<S, f64, Cpu>,
    ) -> Result<&'g mut Vec<f64>, CpuError> {
        Ok(&mut **gradients.get_or_alloc_mut(tensor)?)
    }

    fn of(value: f64) -> f64 {
        value
    }

    fn exp(self) -> f64 {
        libm::exp(self)
    }

    fn tanh(self) -> f64 {
        libm::tanh(self)
    }

    fn erf(self) -> f64 {
        libm::erf(self)
    }

    fn sqrt(self) -> f64 {
        f64::sqrt(self)
    }
}
