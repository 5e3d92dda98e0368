//! Whether probabilities mean what they say.
//!
//! Of the answers with a confidence of 0.9, nine in ten should be right. A
//! reliability diagram puts answers into bins of like confidence and compares
//! each bin's mean confidence with its share of right answers. With n answers,
//! of which n_m are in bin m, the expected calibration error is
//!
//! ```text
//! Σ_m n_m / n · |accuracy_m − confidence_m|
//! ```
//!
//! # Source
//! Naeini, Cooper, Hauskrecht, *Obtaining well calibrated probabilities using
//! Bayesian binning* (AAAI 2015); Guo, Pleiss, Sun, Weinberger, *On calibration
//! of modern neural networks* (ICML 2017), whose 15 bins of equal width these are.

use crate::dataset::Dataset;
use crate::error::Result;
use crate::kernel::parallel::available_threads;
use crate::loss::argmax;
use crate::matrix::Matrix;
use crate::network::Network;
use crate::predictor::Predictor;

/// How many bins of equal width the confidences 0 to 1 are put into.
const BINS: usize = 15;

/// How often answers of each confidence were right.
///
/// ```
/// use digit_recognizer::Reliability;
///
/// let mut reliability = Reliability::default();
/// for (confidence, right) in [(0.95, true), (0.95, true), (0.55, true), (0.55, false)] {
///     reliability.record(confidence, right);
/// }
/// // Half of the answers claim 5 % too little, half 5 % too much.
/// assert!((reliability.calibration_error() - 0.05).abs() < 1e-6);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reliability {
    bins: [Sum; BINS],
}

/// What a bin has seen.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Sum {
    count: usize,
    correct: usize,
    confidence: f64,
}

/// The answers of like confidence, at least one.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct ReliabilityBin {
    /// How many answers.
    pub count: usize,
    /// Their mean confidence, 0 to 1.
    pub confidence: f64,
    /// The share of right ones, 0 to 1.
    pub accuracy: f64,
}

impl Reliability {
    /// Counts one answer, by its confidence, 0 to 1, and whether it was right.
    pub fn record(&mut self, confidence: f32, correct: bool) {
        let confidence = f64::from(confidence);
        // Bin m holds the confidences above m / BINS, up to (m + 1) / BINS.
        let bin = ((confidence * BINS as f64).ceil() as usize).clamp(1, BINS) - 1;
        let bin = &mut self.bins[bin];
        bin.count += 1;
        bin.correct += usize::from(correct);
        bin.confidence += confidence;
    }

    /// How many answers there were.
    pub fn total(&self) -> usize {
        self.bins.iter().map(|bin| bin.count).sum()
    }

    /// The bins that have answers, those of the lowest confidence first: the
    /// points of a reliability diagram.
    pub fn bins(&self) -> Vec<ReliabilityBin> {
        let filled = self.bins.iter().filter(|bin| bin.count > 0);
        let mean = |bin: &Sum| ReliabilityBin {
            count: bin.count,
            confidence: bin.confidence / bin.count as f64,
            accuracy: bin.correct as f64 / bin.count as f64,
        };
        filled.map(mean).collect()
    }

    /// The expected calibration error, 0 to 1; 0 if there was no answer.
    pub fn calibration_error(&self) -> f64 {
        let total = self.total().max(1) as f64;
        let gap = |bin: &Sum| (bin.correct as f64 - bin.confidence).abs() / total;
        self.bins.iter().map(gap).sum()
    }

    /// Counts the answer that each row of probabilities gives.
    pub(crate) fn record_rows(&mut self, probabilities: &Matrix, labels: &[u8]) {
        for (row, &label) in probabilities.iter_rows().zip(labels) {
            let answer = argmax(row);
            self.record(row[answer], answer == usize::from(label));
        }
    }
}

impl Network {
    /// How often answers of each confidence are right on a dataset.
    ///
    /// # Errors
    /// [`Error::Mismatch`](crate::Error::Mismatch) if the images have another
    /// number of pixels than the network has inputs, or a label is not below its
    /// number of classes.
    pub fn reliability(&self, dataset: &Dataset) -> Result<Reliability> {
        self.check_dataset(dataset)?;
        let mut probabilities = Matrix::default();
        Predictor::new(self, available_threads())
            .predict_images(dataset.images(), &mut probabilities)?;
        let mut reliability = Reliability::default();
        reliability.record_rows(&probabilities, dataset.labels());
        Ok(reliability)
    }
}
