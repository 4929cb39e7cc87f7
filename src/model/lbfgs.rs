//! Limited-memory BFGS for smooth convex losses in double precision: deterministic, no step size to choose.
//! Nocedal and Wright, Numerical Optimization, algorithms 7.4 and 7.5, with a backtracking line search.

use std::collections::VecDeque;

/// Pairs of steps that are remembered.
const MEMORY: usize = 10;
const STEPS_MAX: usize = 500;
const HALVINGS_MAX: usize = 40;
/// Armijo's share of the expected decrease.
const DECREASE: f64 = 1e-4;

/// A step and the change of the gradient along it.
struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    /// `1 / (step · change)`.
    rho: f64,
}

/// Minimises from `x`. `loss` gives value and gradient; an error of it ends the search and is passed on.
/// Converged when no part of the gradient is larger than `tolerance`.
pub fn minimise<E>(
    mut x: Vec<f64>,
    tolerance: f64,
    mut loss: impl FnMut(&[f64]) -> Result<(f64, Vec<f64>), E>,
) -> Result<Vec<f64>, E> {
    let (mut value, mut gradient) = loss(&x)?;
    let mut pairs: VecDeque<Pair> = VecDeque::with_capacity(MEMORY);
    for _ in 0..STEPS_MAX {
        if gradient.iter().all(|part| part.abs() <= tolerance) {
            break;
        }
        let direction = direction(&gradient, &pairs);
        let Some(next) = line_search(&x, value, &gradient, &direction, &mut loss)? else {
            if pairs.is_empty() {
                break;
            }
            // The remembered curvature misleads; steepest descent gets another chance.
            pairs.clear();
            continue;
        };
        let (next_x, next_value, next_gradient) = next;
        remember(&mut pairs, &x, &next_x, &gradient, &next_gradient);
        (x, value, gradient) = (next_x, next_value, next_gradient);
    }
    Ok(x)
}

/// The two-loop recursion: minus the approximate inverse Hessian times the gradient.
fn direction(gradient: &[f64], pairs: &VecDeque<Pair>) -> Vec<f64> {
    let mut q = gradient.to_vec();
    let mut alphas = Vec::with_capacity(pairs.len());
    for pair in pairs.iter().rev() {
        let alpha = pair.rho * dot(&pair.step, &q);
        add(&mut q, -alpha, &pair.change);
        alphas.push(alpha);
    }
    let scale = match pairs.back() {
        Some(last) => 1.0 / (last.rho * dot(&last.change, &last.change)),
        None => 1.0 / dot(gradient, gradient).sqrt().max(1.0),
    };
    q.iter_mut().for_each(|part| *part *= scale);
    for (pair, alpha) in pairs.iter().zip(alphas.into_iter().rev()) {
        let beta = pair.rho * dot(&pair.change, &q);
        add(&mut q, alpha - beta, &pair.step);
    }
    q.iter_mut().for_each(|part| *part = -*part);
    q
}

type Point = (Vec<f64>, f64, Vec<f64>);

/// Halves the step until the loss falls enough; None where it does not at any length that counts.
fn line_search<E>(
    x: &[f64],
    value: f64,
    gradient: &[f64],
    direction: &[f64],
    loss: &mut impl FnMut(&[f64]) -> Result<(f64, Vec<f64>), E>,
) -> Result<Option<Point>, E> {
    let slope = dot(gradient, direction);
    if slope >= 0.0 {
        return Ok(None);
    }
    let mut length = 1.0;
    for _ in 0..HALVINGS_MAX {
        let mut next = x.to_vec();
        add(&mut next, length, direction);
        let (next_value, next_gradient) = loss(&next)?;
        if next_value.is_finite() && next_value <= value + DECREASE * length * slope {
            return Ok(Some((next, next_value, next_gradient)));
        }
        length *= 0.5;
    }
    Ok(None)
}

fn remember(pairs: &mut VecDeque<Pair>, x: &[f64], next_x: &[f64], gradient: &[f64], next_gradient: &[f64]) {
    let step = difference(next_x, x);
    let change = difference(next_gradient, gradient);
    let curvature = dot(&step, &change);
    if curvature <= 1e-10 * dot(&change, &change) {
        return;
    }
    if pairs.len() == MEMORY {
        pairs.pop_front();
    }
    pairs.push_back(Pair { step, change, rho: 1.0 / curvature });
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn add(to: &mut [f64], times: f64, what: &[f64]) {
    to.iter_mut().zip(what).for_each(|(to, what)| *to += times * what);
}

fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a - b).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_the_bottom_of_a_long_valley() {
        // A quadratic with condition number 10⁴.
        let scales = [1.0, 100.0, 10_000.0];
        let loss = |x: &[f64]| {
            let offset: Vec<f64> = x.iter().zip([3.0, -2.0, 0.5]).map(|(x, at)| x - at).collect();
            let value = offset.iter().zip(scales).map(|(o, s)| 0.5 * s * o * o).sum();
            Ok::<_, ()>((value, offset.iter().zip(scales).map(|(o, s)| s * o).collect()))
        };
        let x = minimise(vec![0.0; 3], 1e-9, loss).unwrap();
        for (found, at) in x.iter().zip([3.0, -2.0, 0.5]) {
            assert!((found - at).abs() < 1e-8, "{x:?}");
        }
    }

    #[test]
    fn an_error_of_the_loss_is_passed_on() {
        assert_eq!(minimise(vec![0.0], 0.0, |_| Err("no")), Err("no"));
    }
}
