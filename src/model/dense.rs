//! A fully connected layer as predictions use it: plain loops in a fixed order, so a row gets the same bits in any batch.

use super::{Matrix, Weights};

/// `out[j] = bias[j] + Σ_i in[i] * weights[i][j]`, summed in the order of i.
#[derive(Clone, Debug, PartialEq)]
pub struct Dense {
    pub inputs: usize,
    pub outputs: usize,
    /// `inputs × outputs`, row-major.
    pub weights: Vec<f32>,
    pub bias: Vec<f32>,
}

/// Rows that are calculated side by side: the layer's weights are read once for all of them.
const ROWS_AT_ONCE: usize = 4;

impl Dense {
    /// `x` has `inputs` columns.
    pub fn forward(&self, x: &Matrix) -> Matrix {
        let data = affine(&x.data, x.rows, &self.weights, &self.bias);
        Matrix { rows: x.rows, columns: self.outputs, data }
    }

    pub fn save(&self, name: &str, weights: Weights) -> Weights {
        weights.with_f32(&format!("{name}.weight"), vec![self.inputs, self.outputs], self.weights.clone()).with_f32(
            &format!("{name}.bias"),
            vec![self.outputs],
            self.bias.clone(),
        )
    }

    /// None where the arrays are missing or do not fit each other.
    pub fn load(name: &str, weights: &mut Weights) -> Option<Dense> {
        let (shape, values) = weights.take_f32(&format!("{name}.weight"))?;
        let (_, bias) = weights.take_f32(&format!("{name}.bias"))?;
        let [inputs, outputs] = shape[..] else { return None };
        let whole = values.len() == inputs * outputs && bias.len() == outputs;
        whole.then_some(Dense { inputs, outputs, weights: values, bias })
    }
}

/// The layer on `rows` rows of `x`; `weights` has a line of as many values as `bias` for each input.
pub fn affine(x: &[f32], rows: usize, weights: &[f32], bias: &[f32]) -> Vec<f32> {
    let outputs = bias.len();
    let mut out = bias.repeat(rows);
    if rows == 0 || outputs == 0 || weights.is_empty() {
        return out;
    }
    let inputs = weights.len() / outputs;
    for (rows, sums) in x.chunks(ROWS_AT_ONCE * inputs).zip(out.chunks_mut(ROWS_AT_ONCE * outputs)) {
        for (input, weights) in weights.chunks_exact(outputs).enumerate() {
            for (row, sums) in rows.chunks_exact(inputs).zip(sums.chunks_exact_mut(outputs)) {
                let value = row[input];
                sums.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += value * weight);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Stream;

    #[test]
    fn a_row_gets_the_same_bits_alone_and_in_a_batch() {
        let mut stream = Stream::new(5);
        let mut draw = |count: usize| (0..count).map(|_| stream.normal() as f32).collect::<Vec<f32>>();
        let layer = Dense { inputs: 17, outputs: 9, weights: draw(153), bias: draw(9) };
        let x = Matrix { rows: 11, columns: 17, data: draw(187) };
        let all = layer.forward(&x);
        for row in 0..11 {
            assert_eq!(layer.forward(&x.take(&[row])).data, all.row(row));
        }
        let by_hand: f32 = (0..17).fold(layer.bias[2], |sum, i| sum + x.row(3)[i] * layer.weights[i * 9 + 2]);
        assert_eq!(all.row(3)[2], by_hand);
    }
}
