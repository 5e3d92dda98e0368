//! The elastic field: noise, smoothed by a Gaussian.
//!
//! The Gaussian is the product of one over the rows and one over the columns, so
//! the noise is smoothed down the columns first and then along the rows. Values
//! of one row are computed side by side; each is one chain of sums, in the order
//! of the weights.

use crate::augment::LANES;
use crate::math::exp;
use crate::rng::Rng;

/// Standard deviations at which the Gaussian is cut off.
const CUT: f32 = 3.0;

/// Levels of noise between 0 and 1. Hundreds of values are added up for each
/// displacement, so their own steps do not show.
const STEPS: f32 = 128.0;

/// The displacements of an image's pixels, along the columns and the rows.
pub(super) struct Elastic {
    rows: usize,
    cols: usize,
    /// The Gaussian: 2 · radius + 1 weights.
    weights: Vec<f32>,
    alpha: f32,
    /// Floats of a row of `noise`: the columns, and zeros to fill the lanes.
    width: usize,
    /// Both fields, multiplied by alpha.
    noise: [Vec<f32>; 2],
    /// Smoothed down the columns, with `radius` zeros on both sides of each row.
    smooth: [Vec<f32>; 2],
}

impl Elastic {
    pub(super) fn new(alpha: f32, sigma: f32, rows: usize, cols: usize) -> Self {
        let weights = gaussian(sigma);
        let width = cols.next_multiple_of(LANES);
        let padded = width + weights.len() - 1;
        Self {
            rows,
            cols,
            alpha,
            width,
            noise: [0; 2].map(|_| vec![0.0; rows * width]),
            smooth: [0; 2].map(|_| vec![0.0; rows * padded]),
            weights,
        }
    }

    /// Draws the noise.
    pub(super) fn draw(&mut self, rng: &mut Rng) {
        let mut bytes = [0; 8];
        let mut used = bytes.len();
        self.fill(|| {
            if used == bytes.len() {
                bytes = rng.next_u64().to_le_bytes();
                used = 0;
            }
            used += 1;
            bytes[used - 1] as i8
        });
    }

    /// Fills the fields, first that along the columns, row by row. A value b stands
    /// for the middle of b / 128 to (b + 1) / 128.
    pub(super) fn fill(&mut self, mut next: impl FnMut() -> i8) {
        let scale = self.alpha / STEPS;
        for field in &mut self.noise {
            for row in field.chunks_exact_mut(self.width) {
                row[..self.cols].fill_with(|| (f32::from(next()) + 0.5) * scale);
            }
        }
    }

    fn radius(&self) -> usize {
        self.weights.len() / 2
    }

    /// Floats of a row of `smooth`.
    fn padded(&self) -> usize {
        self.width + 2 * self.radius()
    }

    /// Smooths the noise down the columns.
    #[inline(always)]
    pub(super) fn smooth_columns(&mut self) {
        let (radius, padded) = (self.radius(), self.padded());
        for row in 0..self.rows {
            let top = row.saturating_sub(radius);
            let bottom = (row + radius + 1).min(self.rows);
            let weights = &self.weights[top + radius - row..bottom + radius - row];
            for first in (0..self.width).step_by(LANES) {
                let start = top * self.width + first;
                let sums = weighted_sums(&self.noise, start, self.width, weights);
                for (smooth, sums) in self.smooth.iter_mut().zip(&sums) {
                    smooth[row * padded + radius + first..][..LANES].copy_from_slice(sums);
                }
            }
        }
    }

    /// The displacements of the pixels of a row, from column `first` on, once the
    /// columns are smooth.
    #[inline(always)]
    pub(super) fn displacements(&self, row: usize, first: usize) -> [[f32; LANES]; 2] {
        weighted_sums(&self.smooth, row * self.padded() + first, 1, &self.weights)
    }
}

/// The weights of a Gaussian, which add up to 1.
fn gaussian(sigma: f32) -> Vec<f32> {
    let radius = (CUT * sigma + 0.5) as i32;
    let density = |x: i32| exp(-0.5 * (x * x) as f32 / (sigma * sigma));
    let sum: f32 = (-radius..=radius).map(density).sum();
    (-radius..=radius).map(|x| density(x) / sum).collect()
}

/// For each field and lane, the sum of its values at `start`, `start + step` and
/// so on, times their weights.
#[inline(always)]
fn weighted_sums(
    fields: &[Vec<f32>; 2],
    start: usize,
    step: usize,
    weights: &[f32],
) -> [[f32; LANES]; 2] {
    let mut sums = [[0.0; LANES]; 2];
    for (index, weight) in weights.iter().enumerate() {
        for (sums, field) in sums.iter_mut().zip(fields) {
            let values = &field[start + index * step..][..LANES];
            for (sum, value) in sums.iter_mut().zip(values) {
                *sum += weight * value;
            }
        }
    }
    sums
}
