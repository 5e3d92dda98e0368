//! A dense layer: Y = f(X·W + b).
//!
//! With G the loss's gradient with respect to Y, and ∘ the product element by
//! element, the backward pass is
//!
//! ```text
//! D  = G ∘ f′(X·W + b)      with respect to the layer's sums
//! dW = Xᵀ·D                 with respect to the weights
//! db = sum of D's rows      with respect to the bias
//! dX = D·Wᵀ                 with respect to the inputs, the layer below's G
//! ```
//!
//! # Source
//! Rumelhart, Hinton, Williams, *Learning representations by back-propagating
//! errors* (Nature 1986); in matrix form Goodfellow, Bengio, Courville, *Deep
//! Learning* (2016), algorithms 6.3 and 6.4.

use crate::activation::Activation;
use crate::matrix::Matrix;
use crate::rng::Rng;

/// A dense (fully connected) layer.
#[derive(Debug, Clone, PartialEq)]
pub struct Dense {
    weights: Matrix,
    bias: Vec<f32>,
    activation: Activation,
}

impl Dense {
    /// A layer from its parameters.
    ///
    /// # Shapes
    /// - `weights`: (inputs, outputs)
    /// - `bias`: outputs
    ///
    /// # Panics
    /// If `bias` has not as many elements as `weights` has columns.
    pub fn new(weights: Matrix, bias: Vec<f32>, activation: Activation) -> Self {
        assert_eq!(bias.len(), weights.cols(), "a bias for each output");
        Self { weights, bias, activation }
    }

    /// A layer with bias 0 and random weights, evenly distributed within ±limit.
    ///
    /// The limit keeps the variance of the values from layer to layer: √(6 /
    /// inputs) before a rectifier, √(6 / (inputs + outputs)) otherwise.
    ///
    /// # Source
    /// He, Zhang, Ren, Sun, *Delving deep into rectifiers* (ICCV 2015); Glorot,
    /// Bengio, *Understanding the difficulty of training deep feedforward neural
    /// networks* (AISTATS 2010).
    pub(crate) fn random(
        inputs: usize,
        outputs: usize,
        activation: Activation,
        rng: &mut Rng,
    ) -> Self {
        let fan = match activation {
            Activation::Relu => inputs,
            _ => inputs + outputs,
        };
        let limit = (6.0 / fan as f32).sqrt();
        let weights = Matrix::from_fn(inputs, outputs, |_, _| rng.uniform(limit));
        Self { weights, bias: vec![0.0; outputs], activation }
    }

    /// The number of inputs.
    pub fn inputs(&self) -> usize {
        self.weights.rows()
    }

    /// The number of outputs.
    pub fn outputs(&self) -> usize {
        self.weights.cols()
    }

    /// The weights, (inputs, outputs).
    pub fn weights(&self) -> &Matrix {
        &self.weights
    }

    /// The bias, a value for each output.
    pub fn bias(&self) -> &[f32] {
        &self.bias
    }

    /// The function applied to each output.
    pub fn activation(&self) -> Activation {
        self.activation
    }

    /// The weights and the bias, for training.
    pub(crate) fn parameters_mut(&mut self) -> (&mut Matrix, &mut [f32]) {
        (&mut self.weights, &mut self.bias)
    }
}
