//! Softmax and the cross-entropy loss.
//!
//! The logits z of a sample become probabilities, and the loss is the negative
//! logarithm of the true class's:
//!
//! ```text
//! p_j  = e^{z_j} / Σ_i e^{z_i}
//! loss = −ln p_label
//! ∂loss/∂z_j = p_j − [j = label]
//! ```
//!
//! # Source
//! Bishop, *Pattern Recognition and Machine Learning* (2006), section 4.3.4.

use crate::matrix::Matrix;

/// Replaces each row of logits with its probabilities.
///
/// # Shapes
/// - `logits`: (batch, classes), in nats; becomes probabilities that sum to 1 in each row
pub(crate) fn softmax(logits: &mut Matrix) {
    for i in 0..logits.rows() {
        softmax_row(logits.row_mut(i));
    }
}

/// Softmax of one sample; returns ln Σ e^{z_i}.
///
/// The largest logit is subtracted first, which changes no probability and
/// keeps the exponential within its range.
fn softmax_row(row: &mut [f32]) -> f32 {
    let largest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    row.iter_mut().for_each(|z| *z = (*z - largest).exp());
    let sum: f32 = row.iter().sum();
    row.iter_mut().for_each(|p| *p /= sum);
    largest + sum.ln()
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

/// Turns logits into the gradient of the mean cross-entropy loss with respect
/// to them, and says the loss.
///
/// # Shapes
/// - `logits`: (rows, classes); becomes the gradient, divided by `batch_size`
/// - `labels`: values below classes, one for each row
///
/// `batch_size` is the number of samples in the mean, of which these rows may
/// be a part.
///
/// # Panics
/// If there is not a label for each row, or one is not below classes.
pub(crate) fn cross_entropy(logits: &mut Matrix, labels: &[u8], batch_size: usize) -> Loss {
    assert_eq!(labels.len(), logits.rows(), "a label for each sample");
    let mut loss = Loss::default();
    let scale = 1.0 / batch_size as f32;
    for (i, &label) in labels.iter().enumerate() {
        let row = logits.row_mut(i);
        let label = usize::from(label);
        let logit = row[label];
        loss.correct += usize::from(argmax(row) == label);
        // −ln p from the logits: exact also where p is too small for an f32.
        loss.sum += f64::from(softmax_row(row) - logit);
        row[label] -= 1.0;
        row.iter_mut().for_each(|gradient| *gradient *= scale);
    }
    loss
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
