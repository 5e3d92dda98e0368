//! A step of gradient descent, on all cores.
//!
//! It has three stages; in each, tasks share nothing that one of them changes, and the
//! next begins when all are done:
//!
//! 1. by panel of the first layer: X₁ = f(X₀·W₁ + b₁); and Wᵀ of the second layer, by tile
//! 2. by part of the images: the other layers, the loss, and the errors D down to the first
//!    layer; all of this needs an image's own values only
//! 3. by tile: the gradient Xᵀ·D, image after image, and at once the step, while the tile is
//!    in the cache; and, by block of [strips](crate::kernel::strips), X₀ of a chunk that
//!    follows, without its zeros
//!
//! Where it can, a thread keeps the [units](first_layer::units) of its panels: then D₁ is a part
//! of the third stage, and so is X₁ of the chunk that follows, which was the first.
//!
//! Each element of D·Wᵀ is one chain over the layer's outputs, each of Xᵀ·D one
//! over the images, however they are dealt.

mod errors;
mod first_layer;

use crate::dense::Dense;
use crate::descent::errors::{FirstPart, PartErrors};
use crate::descent::first_layer::{FirstLayer, Outputs};
use crate::dropout::Dropout;
use crate::kernel::aligned::Aligned;
use crate::kernel::gradients::AddGradient;
use crate::kernel::level::Level;
use crate::kernel::panels::{Panels, add_gradient};
use crate::kernel::parallel::Pool;
use crate::kernel::sparse::MAX_FLOATS;
use crate::kernel::step::{Descend, SquaredNorm, Step};
use crate::kernel::tiles::{MAX_WIDTH, Slot, Tile, Tiles, panels_of};
use crate::loss::Loss;
use crate::pass::{CHUNK, Packed, PackedLayer, Part, Pass};

/// Floats of a tile of a layer after the first with one vector in a row, and of the largest
/// tile.
const TILES: [usize; 2] = [(MAX_WIDTH + 1) * 16, MAX_FLOATS];

/// Images of the largest chunk. Where they recur and the first layer is narrow, the stages of
/// [`CHUNK`] images are so short that threads wait for each other a tenth of the time.
pub(crate) const MAX_CHUNK: usize = 4096;

/// Gradient descent with momentum: the state, and the buffers of a step.
pub(crate) struct Descent {
    pass: Pass,
    packed: Packed,
    /// Wᵀ of each layer; of the first, whose inputs need no error, nothing.
    transposed: Vec<Tiles>,
    first: FirstLayer,
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
    /// How many images there are in each of the two chunks that follow; 0 if they are not known
    /// yet.
    pub(crate) follow: [usize; 2],
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
        let first = FirstLayer::new(&packed.layers[0], pass.parts.len());
        let errors = pass.parts.iter().map(|_| PartErrors::new(&packed)).collect();
        Self { pass, packed, transposed, first, errors }
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
    /// `image` gives the pixels of each, and after them of those of the two chunks that follow.
    pub(crate) fn step<'a>(
        &mut self,
        chunk: &Chunk<'_>,
        step: Step,
        clip_norm: Option<f32>,
        image: impl Fn(usize) -> &'a [u8] + Sync,
    ) -> Loss {
        // A wide layer's weights fill their vectors, and listing takes little of its time.
        let recurs_as = chunk.recurs_as.filter(|_| self.packed.layers[0].is_narrow());
        let chunk = &Chunk { recurs_as, ..*chunk };
        self.pass.deal(chunk.labels.len());
        self.transpose(2);
        let Self { pass: Pass { pool, level, parts }, packed, transposed, first, errors } = self;
        let level = *level;
        first.prepare(pool, level, parts, chunk, &image);
        let by_units = clip_norm.is_none() && first.has_units(packed, chunk);
        first.forward(pool, level, packed, chunk, transposed.get_mut(1).filter(|_| !by_units));
        let (outputs, rows) = first.outputs_and_errors(chunk.labels.len(), parts.len());
        pool.run_pairs(parts, errors, rows, |number, part, errors, rows| {
            let rows = Some(rows).filter(|_| !by_units);
            let first = FirstPart { outputs: outputs.of(number), errors: rows };
            part.forward(packed, level, Some(first.outputs), chunk.dropout);
            errors.backward(part, packed, transposed, chunk, level, first);
        });
        let step_now = Some(step).filter(|_| chunk.is_last && clip_norm.is_none());
        if by_units {
            first.descend_units(pool, level, (packed, parts, errors), chunk, step_now, image);
        } else {
            self.descend(chunk, step_now, image);
        }
        if let Some(clip_norm) = clip_norm.filter(|_| chunk.is_last) {
            self.descend_clipped(step, clip_norm);
        }
        let mut loss = Loss::default();
        self.errors.iter().flat_map(|part| &part.losses).for_each(|&image| loss += image);
        loss
    }

    /// Stage 3; the step is taken if it is the time.
    fn descend<'a>(
        &mut self,
        chunk: &Chunk<'_>,
        step: Option<Step>,
        image: impl Fn(usize) -> &'a [u8] + Sync,
    ) {
        let Self { pass: Pass { pool, level, parts }, packed, first, errors, .. } = self;
        let (level, parts, errors) = (*level, &*parts, &*errors);
        let mut after = std::mem::take(&mut first.after);
        let outputs = first.outputs(chunk.labels.len(), parts.len());
        let gradients = Gradients { chunk, outputs, parts, errors, step, level };
        let Some((layer, others)) = packed.layers.split_first_mut() else { return };
        for (index, layer) in (1..).zip(&mut *others).skip(1) {
            let shape = OtherShape::of(layer);
            pool.run_each(layer.weights.tiles_mut(), |number, tile| {
                gradients.descend_other(index, shape, number, tile);
            });
        }
        let (second, second_tiles) = match others.first_mut() {
            Some(layer) => (OtherShape::of(layer), layer.weights.tiles_mut()),
            None => (OtherShape::default(), &mut [][..]),
        };
        let descend_second = |number: usize, tile: &mut Tile| {
            gradients.descend_other(1, second, number, tile);
        };
        let blocks = layer.weights.blocks();
        let descend_first = |number: usize, tile: &mut Tile| {
            let errors = first.errors(number / blocks, chunk.labels.len());
            first.descend(number % blocks, errors, tile, &gradients);
        };
        // The shortest last, for the thread that is done first.
        pool.run_all(
            (layer.weights.tiles_mut(), descend_first),
            first.list_after(&mut after, level, chunk, image),
            (second_tiles, descend_second),
        );
        first.after = after;
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

/// What the gradients of a chunk are made of; and the step, if it is the time.
struct Gradients<'a> {
    chunk: &'a Chunk<'a>,
    /// Y of the first layer.
    outputs: Outputs<'a>,
    parts: &'a [Part],
    errors: &'a [PartErrors],
    step: Option<Step>,
    level: Level,
}

impl Gradients<'_> {
    /// G += Xᵀ·D, for number `number` of the tiles of a layer after the first, and the step.
    fn descend_other(&self, index: usize, shape: OtherShape, number: usize, tile: &mut Tile) {
        let Self { chunk, outputs, parts, errors, step, level } = *self;
        let OtherShape { cols, width, blocks, is_narrow } = shape;
        let (panel, block) = (number / blocks, number % blocks);
        descend_tile(tile, chunk.is_first, step, level, |gradient| {
            for (number, (part, errors)) in parts.iter().zip(errors).enumerate() {
                let errors = &errors.layers[index][panel];
                if is_narrow {
                    let inputs = match index {
                        1 => outputs.of(number),
                        _ => Panels::new(&part.outputs[index - 1]),
                    };
                    add_gradient(level, inputs, cols, block, errors, width, gradient);
                } else {
                    let inputs = &part.inputs[index][block];
                    level.run(AddGradient { inputs, errors, width, gradient });
                }
            }
        });
    }
}

/// What a tile's gradient asks of a layer after the first.
#[derive(Clone, Copy, Default)]
struct OtherShape {
    /// Of its inputs.
    cols: usize,
    /// Of its panels, and their blocks.
    width: usize,
    blocks: usize,
    is_narrow: bool,
}

impl OtherShape {
    fn of(layer: &PackedLayer) -> Self {
        Self {
            cols: layer.inputs,
            width: panels_of(layer.outputs).0,
            blocks: layer.weights.blocks(),
            is_narrow: layer.is_narrow(),
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

    /// Three steps, of six images each.
    fn take_steps<'a>(
        hidden: usize,
        threads: usize,
        image: impl Fn(usize) -> &'a [u8] + Sync,
    ) -> Network {
        let mut network = Network::new(&[9, hidden, 3], Activation::Relu, 1).expect("sizes");
        let mut descent = Descent::new(network.layers(), false, threads, Level::best());
        let rule = Rule::Momentum { momentum: 0.9 };
        let step = Step { rule, learning_rate: 0.1, keep: 1.0, gradient_scale: 1.0 };
        for (follow, first) in [[6, 6], [6, 0], [0, 0]].into_iter().zip([0, 6, 12]) {
            let chunk = Chunk {
                labels: &[0, 1, 2, 0, 1, 2],
                label_smoothing: 0.0,
                dropout: None,
                batch_size: 6,
                is_first: true,
                is_last: true,
                recurs_as: None,
                follow,
                shape: (3, 3),
            };
            descent.step(&chunk, step, None, |row| image(first + row));
        }
        descent.copy_to(Slot::Values, network.layers_mut());
        network
    }

    /// Hidden units and threads: of one panel, which threads share; of two, which two threads
    /// keep.
    const CASES: [(usize, usize); 2] = [(5, 3), (70, 2)];

    #[test]
    fn threads_that_keep_their_units_take_the_steps_of_others() {
        let pixels: Vec<u8> = (0..18 * 9).map(|i: usize| (i * i % 7 % 3) as u8 * 99).collect();
        let image = |number: usize| &pixels[number * 9..][..9];
        // Three threads share two panels.
        let expected = take_steps(70, 3, image);
        for threads in [2, 1].into_iter().take(if cfg!(miri) { 1 } else { 2 }) {
            assert!(take_steps(70, threads, image) == expected, "{threads} threads");
        }
        assert!(expected != take_steps(70, 3, |_| image(0)));
    }

    #[test]
    fn a_panic_in_a_worker_ends_the_step_with_it() {
        // Those after the first twelve are listed while a step is taken.
        let every = if cfg!(miri) { 12 } else { 1 };
        let bad = move || (0..18).step_by(every);
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            for (hidden, threads) in CASES {
                take_steps(hidden, threads, |_| &[7; 9]);
                for bad in bad() {
                    let steps = || {
                        take_steps(hidden, threads, |number| {
                            assert_ne!(number, bad, "the bad image");
                            &[7; 9]
                        })
                    };
                    let panic = catch_unwind(AssertUnwindSafe(steps)).map(|_| ());
                    let text = panic.expect_err("a panic").downcast::<String>();
                    let is_own = text.is_ok_and(|text| text.contains("the bad image"));
                    sender.send(is_own).expect("a test");
                }
            }
        });
        for case in CASES {
            for bad in bad() {
                let found = receiver.recv_timeout(Duration::from_secs(60));
                assert_eq!(found, Ok(true), "{case:?}, image {bad}: no hang, and its own panic");
            }
        }
    }
}
