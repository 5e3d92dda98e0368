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
//! With label smoothing ε the target of the K classes is not [j = label] but
//! q_j = (1 − ε)·[j = label] + ε/K, and the loss −Σ_j q_j·ln p_j. A sample of no
//! class has the target 1/K for each class, which is ε = 1.
//!
//! The temperature T is 1 in training; [`calibration`](crate::calibration) finds
//! the one to predict with.
//!
//! # Source
//! Bishop, *Pattern Recognition and Machine Learning* (2006), section 4.3.4;
//! Szegedy, Vanhoucke, Ioffe, Shlens, Wojna, *Rethinking the Inception
//! architecture for computer vision* (CVPR 2016), section 7; Hendrycks, Mazeika,
//! Dietterich, *Deep anomaly detection with outlier exposure* (ICLR 2019), section 3.

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
/// - `label`: below the number of classes; any other means a sample of no class,
///   which is never correct
/// - `smoothing`: ε, 0 to 1
pub(crate) fn cross_entropy(
    logits: &mut [f32],
    label: u8,
    smoothing: f32,
    batch_size: usize,
) -> Loss {
    let label = Some(usize::from(label)).filter(|&label| label < logits.len());
    let smoothing = if label.is_some() { smoothing } else { 1.0 };
    let correct = usize::from(Some(argmax(logits)) == label);
    let spread = smoothing / logits.len() as f32;
    let mut expected =
        label.map_or(0.0, |label| f64::from(1.0 - smoothing) * f64::from(logits[label]));
    if smoothing > 0.0 {
        expected += f64::from(spread) * logits.iter().map(|&z| f64::from(z)).sum::<f64>();
    }
    // −Σ q·ln p from the logits: exact also where p is too small for an f32.
    let sum = softmax(logits, 1.0) - expected;
    if let Some(label) = label {
        logits[label] -= 1.0 - smoothing;
    }
    let scale = 1.0 / batch_size as f32;
    logits.iter_mut().for_each(|gradient| *gradient = (*gradient - spread) * scale);
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
