//! Rows of numbers as models take them.

/// Row-major, f32.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matrix {
    pub rows: usize,
    pub columns: usize,
    /// `rows * columns` values.
    pub data: Vec<f32>,
}

impl Matrix {
    pub fn zeros(rows: usize, columns: usize) -> Matrix {
        Matrix { rows, columns, data: vec![0.0; rows * columns] }
    }

    pub fn row(&self, row: usize) -> &[f32] {
        &self.data[row * self.columns..(row + 1) * self.columns]
    }

    pub fn row_mut(&mut self, row: usize) -> &mut [f32] {
        &mut self.data[row * self.columns..(row + 1) * self.columns]
    }

    /// These rows, in this order.
    pub fn take(&self, rows: &[usize]) -> Matrix {
        let mut data = Vec::with_capacity(rows.len() * self.columns);
        rows.iter().for_each(|row| data.extend_from_slice(self.row(*row)));
        Matrix { rows: rows.len(), columns: self.columns, data }
    }

    /// As f64, row-major: the convex solvers calculate in double precision.
    pub fn widened(&self) -> Vec<f64> {
        self.data.iter().map(|value| f64::from(*value)).collect()
    }
}
