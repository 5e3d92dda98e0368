//! Weights of 8 bits: a whole number from −127 to 127, times its output's scale.
//!
//! The scale belongs to a column of the weights, so that an output whose weights
//! are small keeps as many digits as one whose weights are large. It maps the
//! column's largest magnitude to 127; 0 stays 0. A smaller scale, which clips the
//! largest weights, has a larger squared error: of 13 ratios from 0.4 to 1, 1 was
//! the best for each column of two networks.
//!
//! # Source
//! Jacob and others, *Quantization and training of neural networks for efficient
//! integer-arithmetic-only inference* (CVPR 2018); Krishnamoorthi, *Quantizing
//! deep convolutional networks for efficient inference* (2018), section 3: weights
//! symmetric, with a scale for each output.

use crate::matrix::Matrix;

/// The largest magnitude of a quantised weight.
const LARGEST: f32 = 127.0;

/// A scale has its last eight bits 0: 16 significant ones. Each product with one
/// of the seven bits of a weight is then an exact f32, so that what was read is
/// written again with the same scales and numbers.
const SCALE_BITS: u32 = !0xff;

/// The scale of each column: at least [`f32::MIN_POSITIVE`], and 1 for a column
/// that has nothing to scale.
pub(super) fn scales(weights: &Matrix) -> Vec<f32> {
    let mut largest = vec![0.0_f32; weights.cols()];
    for row in weights.iter_rows() {
        for (largest, weight) in largest.iter_mut().zip(row) {
            *largest = largest.max(weight.abs());
        }
    }
    let scale = |largest: f32| match largest / LARGEST {
        scale if scale >= f32::MIN_POSITIVE => f32::from_bits(scale.to_bits() & SCALE_BITS),
        _ => 1.0,
    };
    largest.into_iter().map(scale).collect()
}

/// The nearest of −127 to 127 that a weight has at this scale.
pub(super) fn quantize(weight: f32, scale: f32) -> i8 {
    // The scale was rounded down, so that the largest weight may be 127.004 of it.
    (weight / scale).round_ties_even().clamp(-LARGEST, LARGEST) as i8
}

/// Whether a number of a file can be a scale.
pub(super) fn is_scale(value: f32) -> bool {
    value > 0.0 && value.is_finite()
}
