//! How a step follows from the gradient.

use crate::error::{Error, Result};
use crate::kernel::step::Rule;

/// The rule by which each parameter w takes a step, given its gradient g and the
/// learning rate η.
///
/// ```
/// use digit_recognizer::{Optimizer, TrainConfig};
///
/// let config = TrainConfig {
///     optimizer: Optimizer::ADAM,
///     learning_rate: 0.001,
///     weight_decay: 0.01,
///     ..Default::default()
/// };
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Optimizer {
    /// Gradient descent with momentum μ, 0 (none) to below 1:
    /// v ← μ·v − η·g, w ← w + v, with a velocity v that starts at 0.
    ///
    /// # Source
    /// Polyak, *Some methods of speeding up the convergence of iteration methods*
    /// (1964), in the form of Sutskever, Martens, Dahl, Hinton, *On the importance
    /// of initialization and momentum in deep learning* (ICML 2013), equations 1
    /// and 2.
    Sgd {
        /// The share μ of its velocity that a parameter keeps.
        momentum: f32,
    },
    /// Adam: a step of about η, along the mean of the gradients over the root of
    /// the mean of their squares. With a weight decay it is AdamW.
    ///
    /// # Source
    /// Kingma, Ba, *Adam: a method for stochastic optimization* (ICLR 2015),
    /// algorithm 1; Loshchilov, Hutter, *Decoupled weight decay regularization*
    /// (ICLR 2019), algorithm 2.
    Adam {
        /// How much of the mean of the gradients stays from step to step, 0 to
        /// below 1.
        beta1: f32,
        /// How much of the mean of their squares stays, 0 to below 1.
        beta2: f32,
        /// What keeps the quotient finite, above 0.
        epsilon: f32,
    },
}

impl Optimizer {
    /// Adam with the values of its paper.
    pub const ADAM: Self = Self::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1.0e-8 };

    pub(crate) fn check(self) -> Result<()> {
        let share = |field, value: f32| match (0.0..1.0).contains(&value) {
            true => Ok(()),
            false => Err(Error::InvalidConfig {
                field,
                expected: "from 0 to below 1",
                found: value.to_string(),
            }),
        };
        match self {
            Self::Sgd { momentum } => share("momentum", momentum),
            Self::Adam { beta1, beta2, epsilon } => {
                share("beta1", beta1)?;
                share("beta2", beta2)?;
                match epsilon > 0.0 && epsilon.is_finite() {
                    true => Ok(()),
                    false => Err(Error::InvalidConfig {
                        field: "epsilon",
                        expected: "a number above 0",
                        found: epsilon.to_string(),
                    }),
                }
            }
        }
    }

    /// The rule of step number `number`, counted from 1.
    pub(crate) fn rule(self, number: usize) -> Rule {
        match self {
            Self::Sgd { momentum } => Rule::Momentum { momentum },
            Self::Adam { beta1, beta2, epsilon } => {
                // The means start at 0; divided by the weights that they have
                // seen so far, they are means.
                let correction = |beta: f32| (1.0 / (1.0 - power(f64::from(beta), number))) as f32;
                Rule::Adam {
                    beta1,
                    beta2,
                    epsilon,
                    correction1: correction(beta1),
                    correction2: correction(beta2),
                }
            }
        }
    }

    /// Whether it keeps a mean of the squares of the gradients.
    pub(crate) fn has_variance(self) -> bool {
        matches!(self, Self::Adam { .. })
    }
}

/// `base` to the power of `exponent`, by squaring: `powi` may round as a platform
/// likes.
fn power(mut base: f64, mut exponent: usize) -> f64 {
    let mut product = 1.0;
    while exponent > 0 {
        if exponent % 2 == 1 {
            product *= base;
        }
        base *= base;
        exponent /= 2;
    }
    product
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_is_repeated_multiplication() {
        let mut product = 1.0;
        for exponent in 0..2_000 {
            let found = power(0.999, exponent);
            assert!((found - product).abs() < 1e-12, "{exponent}: {found} for {product}");
            product *= 0.999;
        }
    }
}
