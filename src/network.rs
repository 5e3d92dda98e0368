//! A chain of dense layers.
//!
//! With X₀ the inputs, each layer computes X_l = f_l(X_{l−1}·W_l + b_l). The
//! last layer is linear: its outputs are the logits, which softmax turns into
//! probabilities, after a division by the network's temperature. Predicting is in [`predictor`](crate::predictor), training in
//! [`train`](crate::train), the temperature is found in
//! [`calibration`](crate::calibration), files are in [`weights`](crate::weights)
//! and `npz`.

use crate::activation::Activation;
use crate::dataset::{Dataset, Images, NO_CLASS};
use crate::dense::Dense;
use crate::error::{Error, Result};
use crate::rng::Rng;

/// Weights of the largest network that is made from sizes: 1 GiB, twenty times
/// the largest dense network that was published for MNIST. A typing error in a
/// size is then an error and not the end of the memory.
const MAX_WEIGHTS: usize = 1 << 28;

/// The temperatures that a network may have, in words.
pub(crate) const TEMPERATURE: &str = "a finite number above 0";

/// Whether a network may have this temperature.
pub(crate) fn is_temperature(value: f32) -> bool {
    value > 0.0 && value.is_finite()
}

/// How a picture becomes the input that a network was trained on.
///
/// A weights file names it, so that a model and its preprocessing stay together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Preprocessing {
    /// MNIST's own normalisation: see [`preprocess`](mod@crate::preprocess).
    #[default]
    Mnist,
}

/// A network of dense layers that ends in softmax.
///
/// ```
/// use digit_recognizer::{Activation, Network};
///
/// let network = Network::new(&[784, 128, 10], Activation::Relu, 42)?;
/// let prediction = network.predict(&[0.0; 784]);
/// assert_eq!(prediction.probabilities().len(), 10);
/// # Ok::<(), digit_recognizer::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Network {
    layers: Vec<Dense>,
    preprocessing: Preprocessing,
    temperature: f32,
}

impl Network {
    /// A network with random weights, ready to be trained.
    ///
    /// `sizes` are the inputs, the outputs of each hidden layer, and the
    /// classes; `hidden` is the activation of the hidden layers. The same seed
    /// gives the same weights.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] if there are fewer than two sizes, one is 0, or
    /// the layers have more than 2²⁸ weights together;
    /// [`Error::Mismatch`] if there are more than 256 classes, as labels are bytes.
    pub fn new(sizes: &[usize], hidden: Activation, seed: u64) -> Result<Self> {
        let invalid = |expected, found| Error::InvalidConfig { field: "sizes", expected, found };
        if sizes.len() < 2 || sizes.contains(&0) {
            return Err(invalid("at least two layer sizes, none of them 0", format!("{sizes:?}")));
        }
        let weights = sizes
            .windows(2)
            .try_fold(0_usize, |sum, pair| sum.checked_add(pair[0].checked_mul(pair[1])?));
        if weights.is_none_or(|weights| weights > MAX_WEIGHTS) {
            return Err(invalid("layers of at most 2^28 weights together", format!("{sizes:?}")));
        }
        let count = sizes.len() - 1;
        let layers = sizes.windows(2).enumerate().map(|(index, pair)| {
            let activation = if index + 1 == count { Activation::Linear } else { hidden };
            let mut rng = Rng::with_stream(seed, index as u64);
            Dense::random(pair[0], pair[1], activation, &mut rng)
        });
        Self::from_layers(layers.collect())
    }

    /// A network from its layers, the first one first, with temperature 1.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if there is no layer, a layer has no inputs or
    /// outputs, a layer's inputs are not as many as the outputs before it, the
    /// last layer is not [`Activation::Linear`] or has more than 256 outputs, or
    /// a weight or bias is not finite.
    pub fn from_layers(layers: Vec<Dense>) -> Result<Self> {
        let mismatch =
            |what, expected: String, found: String| Err(Error::Mismatch { what, expected, found });
        let Some(last) = layers.last() else {
            return mismatch("layers", "at least one".to_owned(), "none".to_owned());
        };
        if last.activation() != Activation::Linear || last.outputs() > 256 {
            return mismatch(
                "the last layer",
                "linear, with at most 256 outputs".to_owned(),
                format!("{:?}, with {} outputs", last.activation(), last.outputs()),
            );
        }
        for (index, layer) in layers.iter().enumerate() {
            let inputs = match index {
                0 => layer.inputs(),
                _ => layers[index - 1].outputs(),
            };
            if layer.inputs() != inputs || layer.inputs() == 0 || layer.outputs() == 0 {
                return mismatch(
                    "the sizes of a layer",
                    format!("layer {} with {inputs} inputs, neither size 0", index + 1),
                    format!("{} inputs, {} outputs", layer.inputs(), layer.outputs()),
                );
            }
            let mut values = layer.weights().as_slice().iter().chain(layer.bias());
            if let Some(value) = values.find(|value| !value.is_finite()) {
                return mismatch(
                    "the weights of a layer",
                    "finite numbers".to_owned(),
                    format!("{value} in layer {}", index + 1),
                );
            }
        }
        Ok(Self { layers, preprocessing: Preprocessing::default(), temperature: 1.0 })
    }

    /// The layers, the first one first.
    pub fn layers(&self) -> &[Dense] {
        &self.layers
    }

    /// The layers, for the optimiser.
    pub(crate) fn layers_mut(&mut self) -> &mut [Dense] {
        &mut self.layers
    }

    /// The number of inputs: pixels of an image.
    pub fn inputs(&self) -> usize {
        self.layers[0].inputs()
    }

    /// The number of classes.
    pub fn classes(&self) -> usize {
        self.layers[self.layers.len() - 1].outputs()
    }

    /// The sizes of the chain: inputs, outputs of each hidden layer, classes.
    pub fn sizes(&self) -> Vec<usize> {
        std::iter::once(self.inputs()).chain(self.layers.iter().map(Dense::outputs)).collect()
    }

    /// The number of weights and biases.
    pub fn parameter_count(&self) -> usize {
        self.layers.iter().map(|layer| (layer.inputs() + 1) * layer.outputs()).sum()
    }

    /// How a picture becomes this network's input.
    pub fn preprocessing(&self) -> Preprocessing {
        self.preprocessing
    }

    /// The same network, for pictures that are prepared in another way.
    pub fn with_preprocessing(self, preprocessing: Preprocessing) -> Self {
        Self { preprocessing, ..self }
    }

    /// What the logits are divided by before softmax, above 0; 1 until the network
    /// is [calibrated](crate::calibration). Training leaves it as it is.
    pub fn temperature(&self) -> f32 {
        self.temperature
    }

    /// The same network with another temperature: above 1 its answers are less
    /// confident, below 1 more. Which class is the most probable does not change.
    ///
    /// # Errors
    /// [`Error::InvalidConfig`] if `temperature` is not a finite number above 0.
    pub fn with_temperature(self, temperature: f32) -> Result<Self> {
        if is_temperature(temperature) {
            return Ok(Self { temperature, ..self });
        }
        Err(Error::InvalidConfig {
            field: "temperature",
            expected: TEMPERATURE,
            found: temperature.to_string(),
        })
    }

    /// The same, in place, for calibration.
    pub(crate) fn set_temperature(&mut self, temperature: f32) {
        debug_assert!(is_temperature(temperature));
        self.temperature = temperature;
    }

    /// Whether this network can be measured on a dataset.
    pub(crate) fn check_dataset(&self, dataset: &Dataset) -> Result<()> {
        self.check_labels(dataset, |label| usize::from(label) < self.classes())
    }

    /// Whether this network can be trained on a dataset, which may have images of
    /// no class.
    pub(crate) fn check_training(&self, dataset: &Dataset) -> Result<()> {
        let classes = self.classes();
        self.check_labels(dataset, |label| usize::from(label) < classes || label == NO_CLASS)
    }

    fn check_labels(&self, dataset: &Dataset, is_known: impl Fn(u8) -> bool) -> Result<()> {
        check_images(dataset.images(), self.inputs())?;
        match dataset.labels().iter().position(|&label| !is_known(label)) {
            None => Ok(()),
            Some(index) => Err(Error::Mismatch {
                what: "labels for the network's classes",
                expected: format!("labels below {}", self.classes()),
                found: format!("{} at image {index}", dataset.labels()[index]),
            }),
        }
    }
}

/// Whether a network with this number of inputs takes such images.
pub(crate) fn check_images(images: &Images, inputs: usize) -> Result<()> {
    if images.image_len() == inputs {
        return Ok(());
    }
    Err(Error::Mismatch {
        what: "pixels of an image for the network's inputs",
        expected: format!("{inputs} pixels"),
        found: format!("{} x {} pixels", images.rows(), images.cols()),
    })
}
