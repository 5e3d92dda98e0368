//! Softmax and the cross-entropy loss.
//!
//! The logits z of a sample become probabilities, and the loss is the negative
//! logarithm of the true class's:
//!
//! ```text
//! p_j  = e^{z_j / T} / Σ_i e^{z_i / T}
//! loss = −ln p_label
//! ∂loss/∂z_j = p_j − [j = label]      for T = 1
//! ```
//!
//! The temperature T is 1 in training; [`calibration`](crate::calibration) finds
//! the one to predict with.
//!
//! # Source
//! Bishop, *Pattern Recognition and Machine Learning* (2006), section 4.3.4.

use crate::math::{exp, ln};

/// Replaces a sample's logits with its probabilities; returns ln Σ e^{z_i / T}.
///
/// The largest logit is subtracted first, which changes no probability and
/// keeps the exponential within its range, however low the temperature T is.
pub(crate) fn softmax(row: &mut [f32], temperature: f32) -> f64 {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    row.iter_mut().for_each(|z| *z = exp((*z - largest) / temperature));
    let sum: f32 = row.iter().sum();
    row.iter_mut().for_each(|p| *p /= sum);
    f64::from(largest) / f64::from(temperature) + ln(f64::from(sum))
}

/// The cross-entropy loss, and how many samples got their class right.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Loss {
    /// The sum over the samples, in nats.
    pub(crate) sum: f64,
    /// Samples whose most probable class is their label.
    pub(crate) correct: usize,
}

impl std::ops::AddAssign for Loss {
    fn add_assign(&mut self, other: Self) {
        self.sum += other.sum;
        self.correct += other.correct;
    }
}

/// Turns a sample's logits into the gradient of its batch's mean cross-entropy
/// loss with respect to them, and says the sample's loss.
///
/// # Shapes
/// - `logits`: one for each class; becomes the gradient, divided by `batch_size`
/// - `label`: below the number of classes
///
/// # Panics
/// If `label` is not below the number of classes.
pub(crate) fn cross_entropy(logits: &mut [f32], label: u8, batch_size: usize) -> Loss {
    let label = usize::from(label);
    let logit = f64::from(logits[label]);
    let correct = usize::from(argmax(logits) == label);
    // −ln p from the logits: exact also where p is too small for an f32.
    let sum = softmax(logits, 1.0) - logit;
    logits[label] -= 1.0;
    let scale = 1.0 / batch_size as f32;
    logits.iter_mut().for_each(|gradient| *gradient *= scale);
    Loss { sum, correct }
}

/// The index of the largest value, the first of equals; 0 of no values.
pub(crate) fn argmax(values: &[f32]) -> usize {
    let mut best = 0;
    for (index, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = index;
        }
    }
    best
}
