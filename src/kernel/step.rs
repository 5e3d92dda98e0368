//! The step that a tile's parameters take, once their gradient is known.

use crate::kernel::aligned::Aligned;
use crate::kernel::simd::{Kernel, Simd};
use crate::kernel::tiles::Tile;

/// How far each parameter w goes, given its gradient g.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    pub(crate) rule: Rule,
    pub(crate) learning_rate: f32,
    /// What w is multiplied with first: 1 − learning rate · weight decay.
    pub(crate) keep: f32,
    /// What g is multiplied with first, where gradients are clipped.
    pub(crate) gradient_scale: f32,
}

impl Step {
    /// This step, if it is one of momentum alone: the compiler then knows which it is, and
    /// that it has no factors.
    #[inline(always)]
    pub(crate) fn plain(self) -> Option<Self> {
        match self.rule {
            Rule::Momentum { momentum } if !self.has_factors() => {
                let rule = Rule::Momentum { momentum };
                Some(Self { rule, keep: 1.0, gradient_scale: 1.0, ..self })
            }
            _ => None,
        }
    }

    /// Whether what w or g is multiplied with first changes something.
    #[inline(always)]
    fn has_factors(self) -> bool {
        self.keep != 1.0 || self.gradient_scale != 1.0
    }
}

/// The rule of the optimiser.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rule {
    /// v ← μ·v − η·g, w ← w + v.
    Momentum { momentum: f32 },
    /// m ← β₁·m + (1 − β₁)·g, s ← β₂·s + (1 − β₂)·g²,
    /// w ← w − η·c₁·m / (√(c₂·s) + ε).
    Adam { beta1: f32, beta2: f32, epsilon: f32, correction1: f32, correction2: f32 },
}

/// Takes the step for the parameters of a tile.
pub(crate) struct Descend<'a> {
    pub(crate) step: Step,
    pub(crate) gradient: &'a [f32],
    pub(crate) tile: &'a mut Tile,
}

impl Kernel for Descend<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Tile { values, velocity, variance, .. } = self.tile;
        descend(self.step, self.gradient, values, velocity, variance);
    }
}

/// Takes the step for some parameters, a multiple of 16; only Adam looks at the variance.
#[inline(always)]
pub(crate) fn descend(
    step: Step,
    gradient: &[f32],
    values: &mut [f32],
    velocity: &mut [f32],
    variance: &mut [f32],
) {
    let Step { rule, learning_rate, keep, gradient_scale } = step;
    match rule {
        Rule::Momentum { momentum } if !step.has_factors() => {
            // Sixteen are read before one is written: no vector waits to know that it may.
            let gradient = gradient.as_chunks::<16>().0;
            let state = velocity.as_chunks_mut::<16>().0.iter_mut().zip(gradient);
            for (w, (v, g)) in values.as_chunks_mut::<16>().0.iter_mut().zip(state) {
                *v = std::array::from_fn(|i| momentum * v[i] - learning_rate * g[i]);
                *w = std::array::from_fn(|i| w[i] + v[i]);
            }
        }
        Rule::Momentum { momentum } => {
            for (w, (v, g)) in values.iter_mut().zip(velocity.iter_mut().zip(gradient)) {
                *v = momentum * *v - learning_rate * (gradient_scale * g);
                *w = keep * *w + *v;
            }
        }
        Rule::Adam { beta1, beta2, epsilon, correction1, correction2 } => {
            let rate = learning_rate * correction1;
            let state = values.iter_mut().zip(velocity.iter_mut().zip(gradient));
            for ((w, (m, g)), s) in state.zip(variance) {
                let g = gradient_scale * g;
                *m = beta1 * *m + (1.0 - beta1) * g;
                *s = beta2 * *s + (1.0 - beta2) * (g * g);
                *w = keep * *w - rate * *m / ((correction2 * *s).sqrt() + epsilon);
            }
        }
    }
}

/// The sum of the squares of some numbers, in one order at every level.
pub(crate) struct SquaredNorm<'a>(pub(crate) &'a Aligned);

impl Kernel for SquaredNorm<'_> {
    type Output = f64;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> f64 {
        let mut sums = [0.0_f64; 16];
        // A tile's size is a multiple of 16.
        for values in self.0.as_chunks::<16>().0 {
            for (sum, &value) in sums.iter_mut().zip(values) {
                *sum += f64::from(value) * f64::from(value);
            }
        }
        sums.iter().sum()
    }
}
