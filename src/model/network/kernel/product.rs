//! Products of matrices that lie inside of slices, by the same gemm that dfdx uses, on one thread.

use super::Number;

/// A matrix inside of a slice. Windows of a sequence overlap: their rows begin `row_step` apart and may be longer than that.
#[derive(Clone, Copy, Debug)]
pub struct View<'a, E> {
    data: &'a [E],
    rows: usize,
    columns: usize,
    row_step: usize,
    column_step: usize,
}

impl<'a, E> View<'a, E> {
    /// Rows of `columns` neighbours, `row_step` apart. All of it lies inside of `data`.
    pub fn new(data: &'a [E], rows: usize, columns: usize, row_step: usize) -> View<'a, E> {
        assert!(rows == 0 || columns == 0 || (rows - 1) * row_step + columns <= data.len(), "shapes are proven before");
        View { data, rows, columns, row_step, column_step: 1 }
    }

    /// Row-major, without gaps.
    pub fn whole(data: &'a [E], rows: usize, columns: usize) -> View<'a, E> {
        View::new(data, rows, columns, columns)
    }

    pub fn transposed(self) -> View<'a, E> {
        View { rows: self.columns, columns: self.rows, row_step: self.column_step, column_step: self.row_step, data: self.data }
    }
}

/// How products are calculated: [`add_product`] or [`add_small_product`].
pub type Multiply<E> = fn(&mut [E], View<'_, E>, View<'_, E>);

/// Products of fewer multiply-adds than this need no packing.
const SMALL: usize = 1 << 16;

/// The same as [`add_product`], where it is small in plain loops: gemm packs what it multiplies, for which it keeps as many
/// bytes as a processor's cache has, and a small network answers a row with a hundredth of that.
pub fn add_small_product<E: Number>(out: &mut [E], a: View<'_, E>, b: View<'_, E>) {
    if a.rows * a.columns * b.columns >= SMALL || b.column_step != 1 {
        return add_product(out, a, b);
    }
    for (row, out) in out.chunks_exact_mut(b.columns.max(1)).enumerate() {
        for at in 0..a.columns {
            let value = a.data[row * a.row_step + at * a.column_step];
            let weights = &b.data[at * b.row_step..at * b.row_step + b.columns];
            out.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += value * *weight);
        }
    }
}

/// `out += a · b`; `out` is row-major without gaps.
pub fn add_product<E: Number>(out: &mut [E], a: View<'_, E>, b: View<'_, E>) {
    assert_eq!(a.columns, b.rows, "shapes are proven before");
    assert_eq!(out.len(), a.rows * b.columns, "shapes are proven before");
    if out.is_empty() || a.columns == 0 {
        return;
    }
    // SAFETY: views lie inside of their slices, which `View::new` has checked, and `out` has as many values as the product.
    // gemm knows f32 and f64, which are the only numbers.
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            out.as_mut_ptr(),
            1,
            b.columns as isize,
            true,
            a.data.as_ptr(),
            a.column_step as isize,
            a.row_step as isize,
            b.data.as_ptr(),
            b.column_step as isize,
            b.row_step as isize,
            E::ONE,
            E::ONE,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}
