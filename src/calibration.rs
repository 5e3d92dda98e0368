//! Temperature scaling: probabilities that fit how often answers are right.
//!
//! A trained network is too sure of itself. One number corrects it: the logits
//! are divided by a temperature T before softmax. T does not change which class
//! is the most probable, and it is chosen on images that were not trained on, to
//! minimise their mean cross-entropy loss. With β = 1/T the loss of a sample is
//!
//! ```text
//! loss      = ln Σ_j e^{β·z_j} − β·z_label
//! ∂loss/∂β  = Σ_j p_j·z_j − z_label
//! ```
//!
//! which is convex in β: its derivative has one zero, and bisection finds it.
//!
//! # Source
//! Guo, Pleiss, Sun, Weinberger, *On calibration of modern neural networks* (ICML
//! 2017), section 4.2.

use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::kernel::parallel::available_threads;
use crate::loss::{softmax, softmax_and_log_sum};
use crate::matrix::Matrix;
use crate::network::Network;
use crate::predictor::Predictor;
use crate::reliability::Reliability;

/// The lowest and the highest temperature that is looked for. Networks have 1 to
/// 3 (Guo and others). Where every validation image is right, the loss falls with
/// the temperature without end.
const RANGE: (f64, f64) = (1.0 / 16.0, 16.0);

/// Halvings of ln T's range: 24 bits, all that an f32 has.
const STEPS: usize = 27;

/// What a calibration found and changed.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Calibration {
    /// The network's temperature now.
    pub temperature: f32,
    /// The fit at the temperature it had before.
    pub before: Fit,
    /// The fit now.
    pub after: Fit,
}

/// How well probabilities fit a dataset.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Fit {
    /// The mean cross-entropy loss (negative log-likelihood), in nats.
    pub loss: f64,
    /// The expected calibration error, 0 to 1: see [`Reliability`].
    pub calibration_error: f64,
}

impl Network {
    /// Sets the temperature, 1/16 to 16, that gives the least loss on labelled
    /// images which the network was not trained on.
    ///
    /// ```
    /// use digit_recognizer::{Activation, Dataset, Dense, Images, Matrix, Network};
    ///
    /// // It says 0 for ink on the left with a probability of 98 %, and is right
    /// // three times in four.
    /// let weights = Matrix::from_vec(2, 2, vec![4.0, 0.0, 0.0, 4.0]);
    /// let layer = Dense::new(weights, vec![0.0; 2], Activation::Linear);
    /// let mut network = Network::from_layers(vec![layer])?;
    /// let images = Images::new(1, 2, [255, 0].repeat(4))?;
    /// let validation = Dataset::new(images, vec![0, 0, 0, 1])?;
    ///
    /// let calibration = network.calibrate(&validation)?;
    /// assert!((network.predict(&[1.0, 0.0]).confidence() - 0.75).abs() < 1e-5);
    /// assert!(calibration.after.loss < calibration.before.loss);
    /// # Ok::<(), digit_recognizer::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the dataset does not fit the network or has no
    /// image, or a logit is not finite.
    pub fn calibrate(&mut self, validation: &Dataset) -> Result<Calibration> {
        self.check_dataset(validation)?;
        if validation.is_empty() {
            return Err(Error::Mismatch {
                what: "validation images",
                expected: "at least one".to_owned(),
                found: "none".to_owned(),
            });
        }
        let logits = Predictor::new(self, available_threads()).logits(validation.images())?;
        if let Some(index) = logits.iter_rows().position(|row| !row.iter().all(|z| z.is_finite())) {
            return Err(Error::Mismatch {
                what: "logits of a validation image",
                expected: "finite numbers".to_owned(),
                found: format!("{:?} at image {index}", logits.row(index)),
            });
        }
        let labels = validation.labels();
        let temperature = best_temperature(&logits, labels);
        let before = fit(&logits, labels, self.temperature());
        self.set_temperature(temperature);
        Ok(Calibration { temperature, before, after: fit(&logits, labels, temperature) })
    }
}

/// The temperature within [`RANGE`] at which the loss is least.
fn best_temperature(logits: &Matrix, labels: &[u8]) -> f32 {
    let (mut low, mut high) = RANGE;
    let mut row = vec![0.0; logits.cols()];
    for _ in 0..STEPS {
        let middle = (low * high).sqrt();
        let mut slope = 0.0;
        for (logits, &label) in logits.iter_rows().zip(labels) {
            row.copy_from_slice(logits);
            softmax(&mut row, middle as f32);
            // Against the label's logit, so that a shift of all changes nothing.
            let own = f64::from(logits[usize::from(label)]);
            let pairs = row.iter().zip(logits);
            slope += pairs.map(|(&p, &z)| f64::from(p) * (f64::from(z) - own)).sum::<f64>();
        }
        if slope > 0.0 {
            low = middle;
        } else if slope < 0.0 {
            high = middle;
        } else {
            return middle as f32;
        }
    }
    (low * high).sqrt() as f32
}

fn fit(logits: &Matrix, labels: &[u8], temperature: f32) -> Fit {
    let mut probabilities = logits.clone();
    let mut loss = 0.0;
    for (index, &label) in labels.iter().enumerate() {
        let logit = f64::from(logits.row(index)[usize::from(label)]);
        let sum = softmax_and_log_sum(probabilities.row_mut(index), temperature);
        loss += sum - logit / f64::from(temperature);
    }
    let mut reliability = Reliability::default();
    reliability.record_rows(&probabilities, labels);
    Fit { loss: loss / labels.len() as f64, calibration_error: reliability.calibration_error() }
}
