//! Dropout: in a step of training, each output of a hidden layer is 0 with some
//! probability, and the others are larger in proportion.
//!
//! Which ones depends on the seed, the epoch, the image, the layer and the output
//! alone, not on where the image is computed.
//!
//! # Source
//! Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, *Dropout: a simple
//! way to prevent neural networks from overfitting* (JMLR 2014), with the scaling
//! in training.

use std::ops::Range;

use crate::kernel::level::Level;
use crate::kernel::simd::{Kernel, Simd};
use crate::rng::Rng;

/// The outputs that a chunk of images loses.
#[derive(Clone, Copy)]
pub(crate) struct Dropout<'a> {
    /// The probability to be dropped, in 65536ths.
    threshold: u16,
    /// A key for each image of the chunk.
    keys: &'a [u64],
}

impl<'a> Dropout<'a> {
    /// None where `rate` is 0; `keys` has one for each image of a chunk.
    pub(crate) fn new(rate: f32, keys: &'a [u64]) -> Option<Self> {
        // Below 1, so it fits.
        let threshold = (rate * 65_536.0) as u16;
        (threshold > 0).then_some(Self { threshold, keys })
    }

    /// The share that stays; what stays is divided by it.
    pub(crate) fn kept(self) -> f32 {
        1.0 - f32::from(self.threshold) / 65_536.0
    }

    /// Drops outputs of a panel of layer number `layer`, for these images of the chunk;
    /// or, in the backward pass, what the gradient is with respect to them.
    pub(crate) fn apply(
        self,
        level: Level,
        layer: usize,
        panel: usize,
        images: &Range<usize>,
        outputs: &mut [f32],
    ) {
        if images.is_empty() {
            return;
        }
        let (scale, threshold) = (1.0 / self.kept(), self.threshold);
        let width = outputs.len() / images.len();
        let stream = (layer as u64) << 32 | panel as u64;
        for (row, &key) in outputs.chunks_exact_mut(width).zip(&self.keys[images.clone()]) {
            level.run(Drop { rng: Rng::with_stream(key, stream), threshold, scale, row });
        }
    }
}

/// Drops some values of a row, and scales the others.
struct Drop<'a> {
    rng: Rng,
    threshold: u16,
    scale: f32,
    row: &'a mut [f32],
}

impl Kernel for Drop<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, _: S) {
        // A panel's width is a multiple of 16; a random number has 4 × 16 bits.
        for values in self.row.as_chunks_mut::<16>().0 {
            let random: [u64; 4] = std::array::from_fn(|_| self.rng.next_u64());
            for (index, value) in values.iter_mut().enumerate() {
                let bits = (random[index / 4] >> (16 * (index % 4))) as u16;
                *value = if bits < self.threshold { 0.0 } else { self.scale * *value };
            }
        }
    }
}
