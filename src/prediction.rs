//! What a network answers.

use crate::loss::argmax;

/// A network's answer for one image: a probability for each class.
///
/// ```
/// # use digit_recognizer::{Activation, Network};
/// # let network = Network::new(&[784, 10], Activation::Relu, 0)?;
/// # let image = [0.0; 784];
/// let prediction = network.predict(&image);
/// println!("{} ({:.1} %)", prediction.digit(), 100.0 * prediction.confidence());
/// # Ok::<(), digit_recognizer::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    probabilities: Vec<f32>,
}

impl Prediction {
    /// A prediction from its probabilities.
    pub(crate) fn new(probabilities: Vec<f32>) -> Self {
        Self { probabilities }
    }

    /// The most probable class, for a digit network the digit; the lower of equals.
    pub fn digit(&self) -> usize {
        argmax(&self.probabilities)
    }

    /// The probability of [`digit`](Self::digit), 0 to 1.
    pub fn confidence(&self) -> f32 {
        self.probabilities[self.digit()]
    }

    /// The probability of each class, 0 to 1; they sum to 1.
    pub fn probabilities(&self) -> &[f32] {
        &self.probabilities
    }
}
