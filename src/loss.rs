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

/// Replaces a sample's logits with its probabilities.
pub(crate) fn softmax(row: &mut [f32], temperature: f32) {
    softmax_of_samples::<1>(row.as_chunks_mut().0, temperature);
}

/// The same; returns ln Σ e^{z_i / T}.
pub(crate) fn softmax_and_log_sum(row: &mut [f32], temperature: f32) -> f64 {
    let ([largest], [sum]) = softmax_of_samples(row.as_chunks_mut().0, temperature);
    log_sum(largest, sum, temperature)
}

/// The same for `N` samples, whose logits of a class are side by side; returns the largest
/// logit z of each, and Σ e^{(z_i − z) / T}. Each is computed as if it were alone, and a vector
/// takes many.
///
/// The largest logit is subtracted first, which changes no probability and
/// keeps the exponential within its range, however low the temperature T is.
#[inline(always)]
fn softmax_of_samples<const N: usize>(
    logits: &mut [[f32; N]],
    temperature: f32,
) -> ([f32; N], [f32; N]) {
    let mut largest = [f32::NEG_INFINITY; N];
    for logits in &*logits {
        largest.iter_mut().zip(logits).for_each(|(largest, &z)| *largest = largest.max(z));
    }
    for logits in &mut *logits {
        logits.iter_mut().zip(largest).for_each(|(z, max)| *z = exp((*z - max) / temperature));
    }
    let mut sums = [0.0; N];
    for powers in &*logits {
        sums.iter_mut().zip(powers).for_each(|(sum, power)| *sum += power);
    }
    for powers in by_class(logits) {
        *powers = std::array::from_fn(|sample| powers[sample] / sums[sample]);
    }
    (largest, sums)
}

/// ln Σ e^{z_i / T}, of what [`softmax_of_samples`] returns.
#[inline(always)]
fn log_sum(largest: f32, sum: f32, temperature: f32) -> f64 {
    f64::from(largest) / f64::from(temperature) + ln(f64::from(sum))
}

/// The values of each class. A compiler that knew more of the loop would take as many
/// classes at once as a vector has lanes, and gather them one by one.
#[inline(always)]
fn by_class<const N: usize>(values: &mut [[f32; N]]) -> impl Iterator<Item = &mut [f32; N]> {
    values.iter_mut().map(std::hint::black_box)
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

/// Turns the logits of `N` samples into the gradient of their batch's mean
/// cross-entropy loss with respect to them, and says the loss of each.
///
/// # Shapes
/// - `logits`: those of a class side by side; become the gradient, divided by
///   `batch_size`
/// - `labels`: below the number of classes; any other means a sample of no class,
///   which is never correct
/// - `smoothing`: ε, 0 to 1
#[inline(always)]
pub(crate) fn cross_entropy<const N: usize>(
    logits: &mut [[f32; N]],
    labels: &[u8; N],
    smoothing: f32,
    batch_size: usize,
) -> [Loss; N] {
    let mut best = [0; N];
    let mut largest = logits.first().copied().unwrap_or([0.0; N]);
    for (class, logits) in (0..).zip(&*logits) {
        for ((best, largest), &z) in best.iter_mut().zip(&mut largest).zip(logits) {
            (*best, *largest) = if z > *largest { (class, z) } else { (*best, *largest) };
        }
    }
    let mut losses = [Loss::default(); N];
    let mut spreads = [0.0; N];
    let mut expected = [0.0; N];
    for sample in 0..N {
        let label = Some(usize::from(labels[sample])).filter(|&label| label < logits.len());
        let smoothing = if label.is_some() { smoothing } else { 1.0 };
        losses[sample].correct = usize::from(Some(best[sample]) == label);
        spreads[sample] = smoothing / logits.len() as f32;
        if let Some(label) = label {
            expected[sample] = f64::from(1.0 - smoothing) * f64::from(logits[label][sample]);
        }
        if smoothing > 0.0 {
            let sum = logits.iter().map(|logits| f64::from(logits[sample])).sum::<f64>();
            expected[sample] += f64::from(spreads[sample]) * sum;
        }
    }
    // −Σ q·ln p from the logits: exact also where p is too small for an f32.
    let (largest, sums) = softmax_of_samples(logits, 1.0);
    for (sample, loss) in losses.iter_mut().enumerate() {
        loss.sum = log_sum(largest[sample], sums[sample], 1.0) - expected[sample];
    }
    for (sample, &label) in labels.iter().enumerate() {
        if let Some(logits) = logits.get_mut(usize::from(label)) {
            logits[sample] -= 1.0 - smoothing;
        }
    }
    let scale = 1.0 / batch_size as f32;
    for gradients in by_class(logits) {
        *gradients = std::array::from_fn(|sample| (gradients[sample] - spreads[sample]) * scale);
    }
    losses
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The loss, and its gradient, as the page above says them.
    fn by_definition(z: &[f64], label: usize, smoothing: f64) -> (f64, Vec<f64>) {
        let classes = z.len() as f64;
        let smoothing = if label < z.len() { smoothing } else { 1.0 };
        let sum: f64 = z.iter().map(|z| z.exp()).sum();
        let p = z.iter().map(|z| z.exp() / sum);
        let q = (0..z.len()).map(|class| {
            (1.0 - smoothing) * f64::from(u8::from(class == label)) + smoothing / classes
        });
        let loss = p.clone().zip(q.clone()).map(|(p, q)| -q * p.ln()).sum();
        (loss, p.zip(q).map(|(p, q)| p - q).collect())
    }

    #[test]
    fn the_loss_is_its_definition_for_one_sample_and_among_others() {
        const N: usize = 16;
        for smoothing in [0.0, 0.25] {
            for classes in [2, 10, 33] {
                let number = |class: usize, sample: usize| {
                    ((class * 31 + sample * 17) % 23) as f32 / 4.0 - 2.5
                };
                // The last ones have no class.
                let labels: [u8; N] = std::array::from_fn(|i| (i * 3 % (classes + 1)) as u8);
                let logits: Vec<[f32; N]> = (0..classes)
                    .map(|class| std::array::from_fn(|sample| number(class, sample)))
                    .collect();
                let mut gradients = logits.clone();
                let losses = cross_entropy(&mut gradients, &labels, smoothing, 4);
                for sample in 0..N {
                    let z: Vec<f32> = logits.iter().map(|logits| logits[sample]).collect();
                    let label = usize::from(labels[sample]);
                    let exact: Vec<f64> = z.iter().map(|&z| f64::from(z)).collect();
                    let (loss, gradient) = by_definition(&exact, label, f64::from(smoothing));
                    assert!((losses[sample].sum - loss).abs() < 1e-6, "{classes}, {sample}");
                    for (found, expected) in gradients.iter().zip(gradient) {
                        assert!((f64::from(found[sample]) - expected / 4.0).abs() < 1e-6);
                    }
                    assert_eq!(losses[sample].correct, usize::from(argmax(&z) == label));
                    let mut alone: Vec<[f32; 1]> = z.iter().map(|&z| [z]).collect();
                    let [found] = cross_entropy(&mut alone, &[labels[sample]], smoothing, 4);
                    assert_eq!(found.sum.to_bits(), losses[sample].sum.to_bits());
                    assert!(alone.iter().zip(&gradients).all(|(a, all)| a[0] == all[sample]));
                }
            }
        }
    }

    #[test]
    fn probabilities_are_those_of_the_definition_however_large_the_logits() {
        // e^1000 is no f32.
        for scale in [1.0, 1_000.0] {
            let logits: Vec<f32> = (0..33).map(|i| (i * 17 % 23) as f32 / 20.0 * scale).collect();
            for temperature in [0.05, 1.0, 3.0] {
                let z = |i: usize| f64::from(logits[i]) / f64::from(temperature);
                let largest = (0..33).map(z).fold(f64::MIN, f64::max);
                let sum: f64 = (0..33).map(|i| (z(i) - largest).exp()).sum();
                let mut found = logits.clone();
                let log_sum = softmax_and_log_sum(&mut found, temperature);
                assert!((log_sum / (largest + sum.ln()) - 1.0).abs() < 1e-6, "{log_sum}");
                for (i, &p) in found.iter().enumerate() {
                    let expected = (z(i) - largest).exp() / sum;
                    assert!((f64::from(p) - expected).abs() < 1e-5, "{scale}, {temperature}: {p}");
                }
                assert!((found.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{scale}, {temperature}");
                let mut again = logits.clone();
                softmax(&mut again, temperature);
                assert_eq!(again, found, "{scale}, {temperature}");
            }
        }
    }
}
