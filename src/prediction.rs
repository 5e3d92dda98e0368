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
/// if let Some((digit, probability)) = prediction.runner_up() {
///     println!("or {digit} ({:.1} %)", 100.0 * probability);
/// }
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

    /// The second most probable class and its probability, the lower of equals;
    /// nothing if there is one class only.
    pub fn runner_up(&self) -> Option<(usize, f32)> {
        let first = self.digit();
        let others = self.probabilities.iter().copied().enumerate().filter(|&(i, _)| i != first);
        others.reduce(|best, other| if other.1 > best.1 { other } else { best })
    }

    /// The probability of each class, 0 to 1; they sum to 1.
    pub fn probabilities(&self) -> &[f32] {
        &self.probabilities
    }
}
