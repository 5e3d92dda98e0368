//! A step of gradient descent, on all cores.
//!
//! After the first two stages of the forward [pass](crate::pass) come
//!
//! 3. by part: the other layers, the loss, and the errors D down to the first
//!    layer; all of this needs an image's own values only
//! 4. by tile of each layer: the gradient Xᵀ·D, image after image, and at once
//!    the step, while the tile is in the cache
//!
//! Each element of D·Wᵀ is one chain over the layer's outputs, each of Xᵀ·D one
//! over the images, however they are dealt.

mod errors;

use crate::dense::Dense;
use crate::descent::errors::PartErrors;
use crate::dropout::Dropout;
use crate::kernel::aligned::Aligned;
use crate::kernel::level::Level;
use crate::kernel::parallel::Pool;
use crate::kernel::products::{AddGradient, AddImageGradient, STRIPE};
use crate::kernel::sparse::BLOCK;
use crate::kernel::step::{Descend, SquaredNorm, Step};
use crate::kernel::tiles::{MAX_WIDTH, Slot, Tiles, panels_of};
use crate::loss::Loss;
use crate::pass::{Packed, PackedLayer, Pass};

/// A first layer of more outputs adds up its gradient by the images' columns: with 48
/// that is faster than by rows, with 32 slower.
const WIDE: usize = 32;

/// Floats of the largest tile, and of the smallest.
const TILE: usize = BLOCK * MAX_WIDTH;
const SMALL_TILE: usize = BLOCK * 16;

/// Gradient descent with momentum: the state, and the buffers of a step.
pub(crate) struct Descent {
    pass: Pass,
    packed: Packed,
    /// Wᵀ of each layer; of the first, whose inputs need no error, nothing.
    transposed: Vec<Tiles>,
    /// The errors of each part.
    errors: Vec<PartErrors>,
}

/// The images of a chunk, and their place in the batch.
pub(crate) struct Chunk<'a> {
    pub(crate) labels: &'a [u8],
    /// How much of the targets is spread over all classes, 0 to 1.
    pub(crate) label_smoothing: f32,
    pub(crate) dropout: Option<Dropout<'a>>,
    /// Images in the whole batch, whose mean loss is made smaller.
    pub(crate) batch_size: usize,
    pub(crate) is_first: bool,
    pub(crate) is_last: bool,
}

impl Descent {
    /// From a network's parameters; `has_variance` for an optimiser that keeps one.
    pub(crate) fn new(layers: &[Dense], has_variance: bool, threads: usize, level: Level) -> Self {
        let mut packed = Packed::new(layers);
        for layer in &mut packed.layers {
            for tile in layer.weights.tiles_mut() {
                tile.velocity = Aligned::zeros(tile.values.len());
                tile.variance = Aligned::zeros(if has_variance { tile.values.len() } else { 0 });
            }
        }
        let pass = Pass::new(&packed, threads, level);
        let transposed = packed.layers.iter().enumerate().map(|(index, layer)| {
            let inputs = if index == 0 { 0 } else { layer.inputs };
            Tiles::zeros(layer.outputs, inputs)
        });
        let transposed = transposed.collect();
        let errors = pass.parts.iter().map(|_| PartErrors::new(&packed)).collect();
        let mut descent = Self { pass, packed, transposed, errors };
        descent.transpose();
        descent
    }

    /// The parameters as they are now, or what belongs to each of them.
    pub(crate) fn copy_to(&self, slot: Slot, layers: &mut [Dense]) {
        self.packed.copy_to(slot, layers);
    }

    /// Takes over what [`copy_to`](Self::copy_to) gave.
    pub(crate) fn set(&mut self, slot: Slot, layers: &[Dense]) {
        for (packed, layer) in self.packed.layers.iter_mut().zip(layers) {
            packed.set(slot, layer);
        }
        self.transpose();
    }

    /// The threads.
    pub(crate) fn pool(&mut self) -> &mut Pool {
        &mut self.pass.pool
    }

    /// Whether no parameter is infinite or NaN.
    pub(crate) fn is_finite(&self) -> bool {
        self.packed.layers.iter().all(|layer| layer.weights.is_finite())
    }

    /// Adds the gradient of a chunk's images to its batch's, and after the last
    /// chunk takes the step; returns the loss of the images before it.
    ///
    /// `image` gives the pixels of each; `announce` hears which are needed soon, from
    /// the number of labels on those of the chunk that follows.
    pub(crate) fn step<'a>(
        &mut self,
        chunk: &Chunk<'_>,
        step: Step,
        clip_norm: Option<f32>,
        announce: impl Fn(usize) + Sync,
        image: impl Fn(usize) -> &'a [u8] + Sync,
    ) -> Loss {
        let count = chunk.labels.len();
        self.pass.forward_first(&self.packed, count, announce, &image);
        let (packed, transposed, level) = (&self.packed, &self.transposed, self.pass.level);
        self.pass.pool.run_pairs(&mut self.pass.parts, &mut self.errors, |part, errors| {
            part.forward(packed, level, chunk.dropout);
            if is_wide(&packed.layers[0]) {
                errors.inked.fill(level, part.images.clone(), packed.inputs() + 1, &image);
            }
            errors.backward(part, packed, transposed, chunk, level);
        });
        self.descend(chunk, step, clip_norm, &image);
        if chunk.is_last {
            self.transpose();
        }
        let mut loss = Loss::default();
        self.errors.iter().flat_map(|part| &part.losses).for_each(|&image| loss += image);
        loss
    }

    /// Stage 4.
    fn descend<'a>(
        &mut self,
        chunk: &Chunk<'_>,
        step: Step,
        clip_norm: Option<f32>,
        image: impl Fn(usize) -> &'a [u8] + Sync,
    ) {
        let (parts, errors, level) = (&self.pass.parts, &self.errors, self.pass.level);
        let steps_now = chunk.is_last && clip_norm.is_none();
        for (index, layer) in self.packed.layers.iter_mut().enumerate() {
            let (width, _) = panels_of(layer.outputs);
            let by_columns = index == 0 && is_wide(layer);
            let (rows, images) = (layer.inputs + 1, chunk.labels.len());
            let blocks = layer.weights.blocks();
            // Adds the gradient of a tile, or of its rows from number `row` on.
            let add = |panel: usize, block: usize, row: usize, gradient: &mut [f32]| {
                if by_columns {
                    let first = (block * BLOCK + row).min(rows);
                    let columns = first..(first + STRIPE).min(rows);
                    let factors =
                        errors.iter().map(|part| (&part.inked, &*part.layers[0].panels[panel]));
                    let image = &image;
                    level.run(AddImageGradient {
                        factors,
                        image,
                        images,
                        width,
                        columns,
                        gradient,
                    });
                    return;
                }
                for (part, errors) in parts.iter().zip(errors) {
                    let inputs = &part.layers[index].inputs;
                    let errors = &errors.layers[index].panels[panel];
                    level.run(AddGradient { inputs, block, errors, width, gradient });
                }
            };
            self.pass.pool.run_each(layer.weights.tiles_mut(), |number, tile| {
                // Most batches are one chunk, and their gradient never leaves
                // this core's caches.
                let stripe = if by_columns { STRIPE * width } else { tile.values.len() };
                with_zeros(stripe, |gradient| {
                    for first in (0..tile.values.len()).step_by(stripe) {
                        if !chunk.is_first {
                            gradient.copy_from_slice(&tile.gradient[first..][..stripe]);
                        } else if first > 0 {
                            gradient.fill(0.0);
                        }
                        add(number / blocks, number % blocks, first / width, gradient);
                        if steps_now {
                            level.run(Descend { step, gradient, first, tile });
                        } else {
                            tile.gradient.resize(tile.values.len());
                            tile.gradient[first..][..stripe].copy_from_slice(gradient);
                        }
                    }
                });
            });
        }
        if let Some(clip_norm) = clip_norm.filter(|_| chunk.is_last) {
            self.descend_clipped(step, clip_norm);
        }
    }

    /// The step, once the gradients of all tiles are known: one that is longer
    /// than `clip_norm` is shortened to it.
    fn descend_clipped(&mut self, step: Step, clip_norm: f32) {
        let level = self.pass.level;
        let mut squared_norm = 0.0;
        for layer in &mut self.packed.layers {
            let tiles = layer.weights.tiles_mut();
            self.pass.pool.run_each(tiles, |_, tile| {
                tile.squared_norm = level.run(SquaredNorm(&tile.gradient));
            });
            squared_norm += tiles.iter().map(|tile| tile.squared_norm).sum::<f64>();
        }
        let gradient_scale = (f64::from(clip_norm) / squared_norm.sqrt()).min(1.0) as f32;
        let step = Step { gradient_scale, ..step };
        for layer in &mut self.packed.layers {
            self.pass.pool.run_each(layer.weights.tiles_mut(), |_, tile| {
                let gradient = std::mem::take(&mut tile.gradient);
                level.run(Descend { step, gradient: &gradient, first: 0, tile });
                tile.gradient = gradient;
            });
        }
    }

    fn transpose(&mut self) {
        for (layer, transposed) in self.packed.layers.iter().zip(&mut self.transposed) {
            self.pass.pool.run_each(transposed.tiles_mut(), |index, tile| {
                layer.weights.transpose_tile(index, layer.inputs, tile);
            });
        }
    }
}

/// Whether the gradient of the first layer is added up by columns.
fn is_wide(first: &PackedLayer) -> bool {
    first.outputs > WIDE
}

/// Some zeros on the stack, at a cache line.
#[repr(align(64))]
struct Zeros<const N: usize>([f32; N]);

/// Calls `run` with as many zeros, at most [`TILE`].
fn with_zeros(count: usize, run: impl FnOnce(&mut [f32])) {
    // Setting a large tile's to zero takes longer than a small one's whole work.
    if count <= SMALL_TILE {
        run(&mut Zeros([0.0; SMALL_TILE]).0[..count]);
    } else {
        run(&mut Zeros([0.0; TILE]).0[..count]);
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;
    use crate::activation::Activation;
    use crate::kernel::step::Rule;
    use crate::network::Network;

    /// A step on three threads, in which the image of this number panics.
    fn step_with_panic(bad: usize) {
        let network = Network::new(&[9, 5, 3], Activation::Relu, 1).expect("sizes");
        let mut descent = Descent::new(network.layers(), false, 3, Level::best());
        let chunk = Chunk {
            labels: &[0, 1, 2, 0, 1, 2],
            label_smoothing: 0.0,
            dropout: None,
            batch_size: 6,
            is_first: true,
            is_last: true,
        };
        let rule = Rule::Momentum { momentum: 0.9 };
        let step = Step { rule, learning_rate: 0.1, keep: 1.0, gradient_scale: 1.0 };
        descent.step(
            &chunk,
            step,
            None,
            |_| {},
            |row| {
                assert_ne!(row, bad, "the bad image");
                &[7; 9]
            },
        );
    }

    #[test]
    fn a_panic_in_a_worker_ends_the_step_with_it() {
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            step_with_panic(usize::MAX);
            for bad in 0..6 {
                let panic = catch_unwind(AssertUnwindSafe(|| step_with_panic(bad)));
                let text = panic.expect_err("a panic").downcast::<String>();
                sender.send(text.is_ok_and(|text| text.contains("the bad image"))).expect("a test");
            }
        });
        for bad in 0..6 {
            let found = receiver.recv_timeout(Duration::from_secs(60));
            assert_eq!(found, Ok(true), "image {bad}: no hang, and its own panic");
        }
    }
}
