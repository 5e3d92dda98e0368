//! The non-linear functions between layers, and their derivatives.
//!
//! Each derivative is written in terms of the function's value `y = f(x)`, so
//! that the backward pass needs only what the forward pass left behind:
//!
//! | | f(x) | f′(x) in terms of y |
//! |---|---|---|
//! | [`Linear`](Activation::Linear) | x | 1 |
//! | [`Relu`](Activation::Relu) | max(0, x) | 1 if y > 0, else 0 |
//! | [`Tanh`](Activation::Tanh) | tanh x | 1 − y² |
//! | [`Sigmoid`](Activation::Sigmoid) | 1 / (1 + e⁻ˣ) | y (1 − y) |

use crate::math::{sigmoid, tanh};

/// The function that a layer applies to each of its outputs.
///
/// # Source
/// Goodfellow, Bengio, Courville, *Deep Learning* (2016), sections 6.2.2 and 6.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Activation {
    /// The value itself: the last layer's, whose outputs are the logits.
    Linear,
    /// The rectifier, max(0, x).
    Relu,
    /// The hyperbolic tangent, −1 to 1.
    Tanh,
    /// The logistic function, 0 to 1.
    Sigmoid,
}

impl Activation {
    /// Replaces each x with f(x).
    #[inline(always)]
    pub fn forward(self, values: &mut [f32]) {
        match self {
            Self::Linear => {}
            // Without a sum, that is a store for some lanes of a vector, which takes many times as
            // long.
            Self::Relu => {
                values.iter_mut().for_each(|x| *x = if *x < 0.0 { 0.0 } else { *x + 0.0 })
            }
            Self::Tanh => values.iter_mut().for_each(|x| *x = tanh(*x)),
            Self::Sigmoid => values.iter_mut().for_each(|x| *x = sigmoid(*x)),
        }
    }

    /// Turns the loss's gradient with respect to the outputs `y` into its
    /// gradient with respect to the inputs `x`: multiplies each by f′(x).
    ///
    /// # Panics
    /// If the lengths differ.
    #[inline(always)]
    pub fn backward(self, outputs: &[f32], gradient: &mut [f32]) {
        assert_eq!(outputs.len(), gradient.len(), "a gradient for each output");
        let pairs = gradient.iter_mut().zip(outputs);
        match self {
            Self::Linear => {}
            // With a sum, as above.
            Self::Relu => pairs.for_each(|(g, &y)| *g = if y > 0.0 { *g + 0.0 } else { 0.0 }),
            Self::Tanh => pairs.for_each(|(g, &y)| *g *= 1.0 - y * y),
            Self::Sigmoid => pairs.for_each(|(g, &y)| *g *= y * (1.0 - y)),
        }
    }
}
