//! A step of gradient descent, on all cores.
//!
//! It has four stages; in each, tasks share nothing that one of them changes, and the
//! next begins when all are done:
//!
//! 1. by panel of the first layer: X₀ without its zeros, or as it was laid out in an earlier
//!    step, and X₁ = f(X₀·W₁ + b₁)
//! 2. by part of the images: the other layers, the loss, and the errors D down to the
//!    second layer; all of this needs an image's own values only
//! 3. by panel of the first layer: its errors; and the gradient Xᵀ·D of the other
//!    layers by tile, image after image, and at once the step, while the tile is in
//!    the cache
//! 4. by tile of the first layer: its gradient and its step; and Wᵀ of the others
//!
//! Each element of D·Wᵀ is one chain over the layer's outputs, each of Xᵀ·D one
//! over the images, however they are dealt.

mod errors;
mod first_layer;

use crate::dense::Dense;
use crate::descent::errors::{Backward, PartErrors};
use crate::descent::first_layer::{FirstLayer, add_narrow_gradient, factors, join_errors};
use crate::dropout::Dropout;
use crate::kernel::aligned::Aligned;
use crate::kernel::columns::TURN;
use crate::kernel::gradients::{AddGradient, DescendImages};
use crate::kernel::level::Level;
use crate::kernel::panels::add_gradient;
use crate::kernel::parallel::Pool;
use crate::kernel::sparse::{MAX_FLOATS, blocks_of};
use crate::kernel::step::{Descend, SquaredNorm, Step};
use crate::kernel::tiles::{MAX_WIDTH, Slot, Tile, Tiles, panels_of};
use crate::loss::Loss;
use crate::pass::{CHUNK, Packed, Pass};

/// Floats of a tile of a layer after the first with one vector in a row, and of the largest
/// tile.
const TILES: [usize; 2] = [(MAX_WIDTH + 1) * 16, MAX_FLOATS];

/// Images of the largest chunk. Where they recur and the first layer is narrow, the four stages
/// of [`CHUNK`] images are so short that threads wait for each other a tenth of the time.
pub(crate) const MAX_CHUNK: usize = 4096;

/// Gradient descent with momentum: the state, and the buffers of a step.
pub(crate) struct Descent {
    pass: Pass,
    packed: Packed,
    /// Wᵀ of each layer; of the first, whose inputs need no error, nothing.
    transposed: Vec<Tiles>,
    /// What each thread does of the first layer.
    first: Vec<FirstLayer>,
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
    /// Its number, where each batch is of the same chunks of the same images.
    pub(crate) recurs_as: Option<usize>,
    /// Rows and columns of an image.
    pub(crate) shape: (usize, usize),
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
            Tiles::zeros(layer.outputs, inputs, panels_of(layer.outputs))
        });
        let transposed = transposed.collect();
        let first = FirstLayer::shares(&packed.layers[0], pass.parts.len());
        let errors = pass.parts.iter().map(|_| PartErrors::new(&packed)).collect();
        let mut descent = Self { pass, packed, transposed, first, errors };
        descent.transpose(1);
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
        self.transpose(1);
    }

    /// The threads.
    pub(crate) fn pool(&mut self) -> &mut Pool {
        &mut self.pass.pool
    }

    /// How many images there are in a chunk of a batch that recurs, or of another.
    pub(crate) fn chunk(&self, recurs: bool) -> usize {
        if recurs && self.packed.layers[0].is_narrow() { MAX_CHUNK } else { CHUNK }
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
        self.pass.deal(count);
        let Self { pass: Pass { pool, level, parts }, packed, transposed, .. } = self;
        let Self { first, errors, .. } = self;
        let level = *level;
        let layer = &packed.layers[0];
        // A wide layer's weights fill their vectors, and listing takes little of its time.
        let recurs_as = chunk.recurs_as.filter(|_| layer.is_narrow());
        pool.run_each(first, |number, share| {
            match recurs_as {
                Some(recurs_as) => {
                    share.lay_out(recurs_as, layer, level, parts, chunk.shape, &image)
                }
                None => share.list(number, layer, level, parts, &announce, &image),
            }
            share.forward(layer, level, parts, recurs_as);
        });
        first.iter_mut().for_each(|share| share.exchange_outputs(parts));
        pool.run_pairs(parts, errors, |_, part, errors| {
            part.forward(packed, level, chunk.dropout);
            errors.backward(part, packed, transposed, chunk, level);
        });
        if packed.layers.len() == 1 {
            let (width, _) = panels_of(layer.outputs);
            first.iter_mut().for_each(|share| share.take_errors(parts, width, errors));
        }
        let step_now = Some(step).filter(|_| chunk.is_last && clip_norm.is_none());
        self.descend_others(chunk, step_now);
        let Self { pass, first, .. } = self;
        first.iter_mut().for_each(|share| share.exchange_outputs(&mut pass.parts));
        let layer = &self.packed.layers[0];
        if !layer.is_narrow() {
            join_errors(first, &pass.parts, panels_of(layer.outputs).0);
        }
        self.descend_first(chunk, step_now);
        if let Some(clip_norm) = clip_norm.filter(|_| chunk.is_last) {
            self.descend_clipped(step, clip_norm);
            self.transpose(1);
        } else if chunk.is_last {
            // Stage 4 has the second layer's.
            self.transpose(2);
        }
        let mut loss = Loss::default();
        self.errors.iter().flat_map(|part| &part.losses).for_each(|&image| loss += image);
        loss
    }

    /// Stage 3; the step is taken if it is the time.
    fn descend_others(&mut self, chunk: &Chunk<'_>, step: Option<Step>) {
        let Self { pass: Pass { pool, level, parts }, packed, transposed, first, errors, .. } =
            self;
        let (level, parts, errors) = (*level, &*parts, &*errors);
        let Some((layer, others)) = packed.layers.split_first_mut() else { return };
        for (index, other) in (1..).zip(others) {
            let ((width, _), blocks) = (panels_of(other.outputs), other.weights.blocks());
            let (cols, is_narrow) = (other.inputs, other.is_narrow());
            let descend = |number: usize, tile: &mut Tile| {
                let (panel, block) = (number / blocks, number % blocks);
                descend_tile(tile, chunk.is_first, step, level, |gradient| {
                    for (part, errors) in parts.iter().zip(errors) {
                        let errors = &errors.layers[index][panel];
                        if is_narrow {
                            let inputs = &part.outputs[index - 1];
                            add_gradient(level, inputs, cols, block, errors, width, gradient);
                        } else {
                            let inputs = &part.inputs[index];
                            level.run(AddGradient { inputs, block, errors, width, gradient });
                        }
                    }
                });
            };
            let tiles = other.weights.tiles_mut();
            if index == 1 {
                let transposed = &transposed[1];
                let backward = Backward { layer, index, transposed, is_narrow, chunk, level };
                let backward = |_, share: &mut FirstLayer| {
                    share.backward(&backward, parts, errors);
                };
                pool.run_both(tiles, descend, first, backward);
            } else {
                pool.run_each(tiles, descend);
            }
        }
    }

    /// Stage 4.
    fn descend_first(&mut self, chunk: &Chunk<'_>, step: Option<Step>) {
        let Self { pass: Pass { pool, level, parts }, packed, transposed, first, .. } = self;
        let (level, parts, first) = (*level, &*parts, &*first);
        let Some((layer, others)) = packed.layers.split_first_mut() else { return };
        let (inputs, images, is_narrow) = (layer.inputs + 1, chunk.labels.len(), layer.is_narrow());
        let outputs = layer.outputs;
        let (width, _) = panels_of(outputs);
        let (rows, blocks) = blocks_of(inputs, width);
        let descend = |number: usize, tile: &mut Tile| {
            let (panel, block) = (number / blocks, number % blocks);
            if is_narrow {
                descend_tile(tile, chunk.is_first, step, level, |gradient| {
                    let (place, recurs_as) = ((panel, block), chunk.recurs_as);
                    add_narrow_gradient(first, parts, recurs_as, outputs, place, level, gradient);
                });
                return;
            }
            let factors = factors(first, parts, panel);
            let columns = block * rows..((block + 1) * rows).min(inputs);
            let is_first = chunk.is_first;
            // Of several threads' images, or of many, the sums are put away in between.
            let is_one_turn = images <= TURN && factors.clone().count() == 1;
            let room = if is_one_turn { 0 } else { tile.values.len() };
            with_zeros(room, |sums| {
                level.run(DescendImages { factors, width, columns, is_first, step, tile, sums });
            });
        };
        let tiles = layer.weights.tiles_mut();
        match others.first().zip(transposed.get_mut(1)).filter(|_| step.is_some()) {
            Some((other, transposed)) => {
                let transpose = |number: usize, tile: &mut Tile| {
                    other.weights.transpose_tile(number, tile);
                };
                pool.run_both(tiles, descend, transposed.tiles_mut(), transpose);
            }
            None => pool.run_each(tiles, descend),
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
                level.run(Descend { step, gradient: &gradient, tile });
                tile.gradient = gradient;
            });
        }
    }

    /// Wᵀ of the layers from number `first` on.
    fn transpose(&mut self, first: usize) {
        let layers = self.packed.layers.iter().zip(&mut self.transposed);
        for (layer, transposed) in layers.skip(first) {
            self.pass.pool.run_each(transposed.tiles_mut(), |index, tile| {
                layer.weights.transpose_tile(index, tile);
            });
        }
    }
}

/// Adds a chunk's gradient to a tile's, and takes the step if it is the time.
fn descend_tile(
    tile: &mut Tile,
    is_first: bool,
    step: Option<Step>,
    level: Level,
    add: impl Fn(&mut [f32]),
) {
    if let Some(step) = step.filter(|_| is_first) {
        // Most batches are one chunk, and their gradient never leaves this core's caches.
        with_zeros(tile.values.len(), |gradient| {
            add(gradient);
            level.run(Descend { step, gradient, tile });
        });
        return;
    }
    let mut gradient = std::mem::take(&mut tile.gradient);
    gradient.resize(tile.values.len());
    if is_first {
        gradient.fill(0.0);
    }
    add(&mut gradient);
    if let Some(step) = step {
        level.run(Descend { step, gradient: &gradient, tile });
    }
    tile.gradient = gradient;
}

/// Some zeros on the stack, at a cache line.
#[repr(align(64))]
struct Zeros<const N: usize>([f32; N]);

/// Calls `run` with as many zeros, at most the last of [`TILES`].
fn with_zeros(count: usize, run: impl FnOnce(&mut [f32])) {
    const { assert!((MAX_WIDTH + 1) * MAX_WIDTH <= TILES[1]) };
    // Setting a large tile's to zero takes longer than a small one's whole work.
    match count {
        0 => run(&mut []),
        _ if count <= TILES[0] => run(&mut Zeros([0.0; TILES[0]]).0[..count]),
        _ => run(&mut Zeros([0.0; TILES[1]]).0[..count]),
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
            recurs_as: None,
            shape: (3, 3),
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
