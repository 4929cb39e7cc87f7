//! Products with one tall matrix, in double precision on dfdx tensors whose sizes are known at run time only.

use dfdx::shapes::Axes2;
use dfdx::tensor::{Cpu, CpuError, Tensor, TensorFromVec};
use dfdx::tensor_ops::{PermuteTo, TryMatMul};

use super::{FitError, Matrix};

type Tall = Tensor<(usize, usize), f64, Cpu>;

/// Holds X.
pub struct Products {
    device: Cpu,
    x: Tall,
    transposed: Tall,
    rows: usize,
    columns: usize,
}

impl Products {
    /// `x` has rows and columns.
    pub fn of(x: &Matrix) -> Result<Products, FitError> {
        Products::of_wide(x.rows, x.columns, x.widened())
    }

    /// Row-major values of a matrix.
    pub fn of_wide(rows: usize, columns: usize, values: Vec<f64>) -> Result<Products, FitError> {
        debug_assert_eq!(values.len(), rows * columns);
        let device = Cpu::default();
        let x = device.try_tensor_from_vec(values, (rows, columns)).map_err(failed)?;
        let transposed = x.clone().try_permute::<_, Axes2<1, 0>>().map_err(failed)?;
        Ok(Products { device, x, transposed, rows, columns })
    }

    /// `X · w`; `w` has as many rows as X has columns, and `width` columns.
    pub fn times(&self, w: &[f64], width: usize) -> Result<Vec<f64>, FitError> {
        assert_eq!(w.len(), self.columns * width, "shapes are proven before");
        let w = self.device.try_tensor_from_vec(w.to_vec(), (self.columns, width)).map_err(failed)?;
        Ok(self.x.clone().try_matmul(w).map_err(failed)?.as_vec())
    }

    /// `Xᵀ · r`; `r` has as many rows as X, and `width` columns.
    pub fn transposed_times(&self, r: &[f64], width: usize) -> Result<Vec<f64>, FitError> {
        assert_eq!(r.len(), self.rows * width, "shapes are proven before");
        let r = self.device.try_tensor_from_vec(r.to_vec(), (self.rows, width)).map_err(failed)?;
        Ok(self.transposed.clone().try_matmul(r).map_err(failed)?.as_vec())
    }
}

pub fn failed(error: CpuError) -> FitError {
    match error {
        CpuError::OutOfMemory => FitError::failed("there is not enough memory"),
        CpuError::WrongNumElements => FitError::failed("a tensor was made with the wrong number of elements"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_agree_with_those_by_hand() {
        let x = Matrix { rows: 3, columns: 2, data: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0] };
        let products = Products::of(&x).unwrap();
        assert_eq!(products.times(&[1.0, 10.0, 2.0, 20.0], 2).unwrap(), [5.0, 50.0, 11.0, 110.0, 17.0, 170.0]);
        assert_eq!(products.transposed_times(&[1.0, 0.0, 2.0], 1).unwrap(), [11.0, 14.0]);
    }
}
