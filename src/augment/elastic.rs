//! The elastic field: noise, smoothed by a Gaussian.
//!
//! The Gaussian is the product of one over the rows and one over the columns, so
//! the noise is smoothed down the columns first and then along the rows. Values
//! of one row are computed side by side; each is one chain of sums, in the order
//! of the weights.

use crate::augment::{LANES, lanes};
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
    /// The noise of both fields as it was drawn, row by row, and as many bytes more
    /// as lanes may reach over.
    bytes: Vec<u8>,
    /// The noise, multiplied by alpha.
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
            bytes: vec![0; (2 * rows * cols).next_multiple_of(8) + LANES],
            noise: [0; 2].map(|_| vec![0.0; rows * width]),
            smooth: [0; 2].map(|_| vec![0.0; rows * padded]),
            weights,
        }
    }

    /// Draws the noise.
    pub(super) fn draw(&mut self, rng: &mut Rng) {
        let drawn = (2 * self.rows * self.cols).next_multiple_of(8);
        for bytes in self.bytes[..drawn].as_chunks_mut().0 {
            *bytes = rng.next_u64().to_le_bytes();
        }
    }

    /// The drawn bytes as noise. A byte b, with its sign, stands for the middle of
    /// b / 128 to (b + 1) / 128.
    #[inline(always)]
    fn convert(&mut self) {
        let scale = self.alpha / STEPS;
        for (field, noise) in self.noise.iter_mut().enumerate() {
            for (row, noise) in noise.chunks_exact_mut(self.width).enumerate() {
                let start = (field * self.rows + row) * self.cols;
                for first in (0..self.width).step_by(LANES) {
                    let bytes = lanes(&self.bytes, start + first);
                    let noise = &mut noise[first..][..LANES];
                    for lane in 0..LANES {
                        let value = (f32::from(bytes[lane] as i8) + 0.5) * scale;
                        noise[lane] = if first + lane < self.cols { value } else { 0.0 };
                    }
                }
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

    /// Smooths the drawn noise down the columns.
    #[inline(always)]
    pub(super) fn smooth_columns(&mut self) {
        self.convert();
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
    // Two plain arrays, so that the sums stay in registers.
    let (mut across, mut down) = ([0.0; LANES], [0.0; LANES]);
    for (index, weight) in weights.iter().enumerate() {
        let values = fields.each_ref().map(|field| lanes(field, start + index * step));
        for lane in 0..LANES {
            across[lane] += weight * values[0][lane];
            down[lane] += weight * values[1][lane];
        }
    }
    [across, down]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A field whose noise is a formula.
    fn field(alpha: f32, sigma: f32, rows: usize, cols: usize) -> Elastic {
        let mut elastic = Elastic::new(alpha, sigma, rows, cols);
        for (at, byte) in elastic.bytes.iter_mut().enumerate() {
            let (f, i, j) = (at / (rows * cols), at / cols % rows, at % cols);
            *byte = ((i * 73 + j * 151 + f * 57 + i * i * j * 31) % 256).wrapping_sub(128) as u8;
        }
        elastic.smooth_columns();
        elastic
    }

    #[test]
    fn smoothing_is_that_of_scipy() {
        // alpha * scipy.ndimage.gaussian_filter(noise, sigma, mode="constant", truncate=3)
        // of SciPy 1.17.1 in float64, noise being (byte + 0.5) / 128.
        let golden = [
            (field(34.0, 4.0, 28, 28), 0, 0, [0.598_811_16, 0.660_1]),
            (field(34.0, 4.0, 28, 28), 0, 27, [-0.320_705_67, 0.569_459_19]),
            (field(34.0, 4.0, 28, 28), 13, 14, [1.644_268_55, -0.923_008_73]),
            (field(34.0, 4.0, 28, 28), 20, 3, [4.363_705_14, -2.833_670_71]),
            (field(34.0, 4.0, 28, 28), 27, 27, [-0.745_692_52, 0.207_793_47]),
            (field(37.0, 5.5, 28, 28), 0, 0, [0.503_391_64, 0.602_870_64]),
            (field(37.0, 5.5, 28, 28), 14, 13, [1.718_957_38, -1.547_186_8]),
            (field(37.0, 5.5, 28, 28), 27, 5, [1.368_640_18, -0.940_502_13]),
            (field(37.0, 0.8, 9, 40), 0, 0, [-8.338_506_58, -2.945_473_06]),
            (field(37.0, 0.8, 9, 40), 4, 31, [3.644_581_41, -2.545_436_85]),
            (field(37.0, 0.8, 9, 40), 4, 32, [-8.279_912_47, -2.335_169_34]),
            (field(37.0, 0.8, 9, 40), 8, 39, [-0.566_223_29, 3.610_431_88]),
        ];
        for (elastic, row, col, expected) in golden {
            let first = col / LANES * LANES;
            let found = elastic.displacements(row, first).map(|lanes| lanes[col - first]);
            for (found, expected) in found.into_iter().zip(expected) {
                assert!(
                    (f64::from(found) - expected).abs() < 2e-5,
                    "{row}, {col}: {found} for {expected}"
                );
            }
        }
    }

    #[test]
    fn noise_is_even_and_displacements_have_the_strength_that_is_documented() {
        // Over a large image, whose edges count for little.
        for (alpha, sigma, documented) in [(34.0, 4.0, 1.4), (37.0, 5.5, 1.1)] {
            let mut elastic = Elastic::new(alpha, sigma, 256, 256);
            elastic.draw(&mut Rng::new(4));
            elastic.smooth_columns();
            for noise in &elastic.noise {
                let mean = noise.iter().sum::<f32>() / noise.len() as f32 / alpha;
                let square = noise.iter().map(|x| x * x).sum::<f32>() / noise.len() as f32;
                // The mean's standard deviation is 0.0023, and 1/3 is the variance.
                assert!(mean.abs() < 0.01, "{mean}");
                assert!((square / (alpha * alpha) - 1.0 / 3.0).abs() < 0.01, "{square}");
                assert!(noise.iter().all(|x| x.abs() < alpha));
            }
            let mut squares = [0.0; 2];
            for row in 0..256 {
                for first in (0..256).step_by(LANES) {
                    let fields = elastic.displacements(row, first);
                    for (sum, lanes) in squares.iter_mut().zip(fields) {
                        *sum += lanes.iter().map(|x| x * x).sum::<f32>() / 65_536.0;
                    }
                }
            }
            for square in squares {
                // About a hundred independent values for a field: within 10 %.
                assert!((square.sqrt() - documented).abs() < 0.15, "{square}");
            }
        }
    }
}
