//! The first layer's values.
//!
//! A panel of weights and their velocity stay in the cache of the core that changes them. X is
//! listed once, by any thread, and read by all.

pub(super) mod units;

use std::ops::Range;

use crate::descent::first_layer::units::Units;
use crate::descent::{Chunk, Gradients, descend_tile, with_zeros};
use crate::kernel::aligned::Aligned;
use crate::kernel::gradients::{AddGradient, DescendImages};
use crate::kernel::level::Level;
use crate::kernel::panels::Panels;
use crate::kernel::parallel::{Pool, Rows, share};
use crate::kernel::recurring::{AddGradientRecurring, ForwardRecurring, Recurring};
use crate::kernel::sparse::STRIP;
use crate::kernel::strips::{Block, Shape, Strips};
use crate::kernel::tiles::{Tile, Tiles, panels_of};
use crate::pass::{Packed, PackedLayer, Part};

/// X, Y and D of the first layer, for the images of a chunk.
pub(super) struct FirstLayer {
    /// The number of outputs.
    used: usize,
    /// How X is listed; of a narrow layer, by row only.
    shape: Shape,
    inputs: Strips,
    /// X of the two chunks that follow, if they have images; or else only the memory.
    next: Strips,
    pub(super) after: Strips,
    /// X of each part of each chunk that recurs, where the layer is narrow.
    recurring: Vec<Vec<Recurring>>,
    /// How many pieces the images of each panel are cut into, each of which is a task.
    pieces: usize,
    /// Y, panel after panel: (images, width) in each piece.
    outputs: Vec<Aligned>,
    /// D, panel after panel: (images, width) in each.
    errors: Aligned,
    /// The hidden units of each panel.
    units: Vec<Units>,
    /// Whether these know Y of the chunk that follows.
    is_ahead: bool,
}

impl FirstLayer {
    pub(super) fn new(layer: &PackedLayer, threads: usize) -> Self {
        let (width, panels) = panels_of(layer.outputs);
        let (cols, has_columns) = (layer.inputs + 1, !layer.is_narrow());
        // The fewest that give each thread as many tasks.
        let is_even = |pieces: &usize| (panels * pieces).is_multiple_of(threads);
        let pieces = (1..threads).find(is_even).unwrap_or(threads);
        Self {
            used: layer.outputs,
            shape: Shape { images: 0, cols, width, has_columns },
            inputs: Strips::default(),
            next: Strips::default(),
            after: Strips::default(),
            recurring: Vec::new(),
            pieces,
            outputs: vec![Aligned::default(); panels * pieces],
            errors: Aligned::default(),
            units: (0..panels).map(|_| Units::default()).collect(),
            is_ahead: false,
        }
    }

    /// Sees to it that X is known, and that of the chunk that follows: it was listed in a step
    /// before, or it is now; or it was laid out when it came the first time.
    pub(super) fn prepare<'a>(
        &mut self,
        pool: &mut Pool,
        level: Level,
        parts: &[Part],
        chunk: &Chunk<'_>,
        image: impl Fn(usize) -> &'a [u8] + Sync,
    ) {
        let images = chunk.labels.len();
        if let Some(number) = chunk.recurs_as {
            // The numbers of chunks come in order the first time.
            if number == self.recurring.len() {
                let mut inputs: Vec<_> = parts.iter().map(|_| Recurring::default()).collect();
                pool.run_each(&mut inputs, |part, inputs| {
                    let (images, width) = (parts[part].images.clone(), self.shape.width);
                    *inputs = Recurring::new(images, chunk.shape, width, level, &image);
                });
                self.recurring.push(inputs);
            }
            return;
        }
        std::mem::swap(&mut self.inputs, &mut self.next);
        std::mem::swap(&mut self.next, &mut self.after);
        let [next, _] = chunk.follow;
        for (inputs, first, images) in
            [(&mut self.inputs, 0, images), (&mut self.next, images, next)]
        {
            match inputs.images() {
                0 => {
                    let shape = Shape { images, ..self.shape };
                    pool.run_each(inputs.clear(shape), |index, block| {
                        shape.fill(index, block, level, |number| image(first + number));
                    });
                }
                listed => assert_eq!(listed, images, "the chunk that was to follow"),
            }
        }
        self.after.clear(self.shape);
    }

    /// The tasks that list X of the second chunk that follows.
    pub(super) fn list_after<'s, 'a>(
        &self,
        after: &'s mut Strips,
        level: Level,
        chunk: &Chunk<'_>,
        image: impl Fn(usize) -> &'a [u8] + Sync,
    ) -> (&'s mut [Block], impl Fn(usize, &mut Block) + Sync) {
        let [next, images] = chunk.follow;
        let first = chunk.labels.len() + next;
        let images = if chunk.recurs_as.is_some() { 0 } else { images };
        let shape = Shape { images, ..self.shape };
        (after.clear(shape), move |index: usize, block: &mut Block| {
            shape.fill(index, block, level, |number| image(first + number));
        })
    }

    /// Y = f(X·W + b), where it is not known; and Wᵀ of the second layer, if it is asked for.
    pub(super) fn forward(
        &mut self,
        pool: &mut Pool,
        level: Level,
        packed: &Packed,
        chunk: &Chunk<'_>,
        transposed: Option<&mut Tiles>,
    ) {
        let Self { inputs, recurring, outputs, .. } = self;
        let (width, pieces, layer) = (self.shape.width, self.pieces, &packed.layers[0]);
        let forward = |index: usize, outputs: &mut Aligned| {
            let (panel, piece) = (index / pieces, index % pieces);
            let images = share(chunk.labels.len(), pieces, piece);
            outputs.resize(images.len() * width);
            if let Some(number) = chunk.recurs_as {
                level.run(ForwardRecurring {
                    inputs: &recurring[number][piece],
                    weights: layer.weights.panel(panel),
                    used: layer.outputs,
                    width,
                    activation: layer.activation,
                    outputs,
                });
            } else {
                let weights = layer.weights.panel(panel);
                layer.of_panel().images(level, weights, inputs, images.clone(), outputs);
            }
            if let Some(dropout) = chunk.dropout.filter(|_| packed.layers.len() > 1) {
                dropout.apply(level, 1, panel, &images, outputs);
            }
        };
        let transpose = |number: usize, tile: &mut Tile| {
            packed.layers[1].weights.transpose_tile(number, tile);
        };
        let tiles = transposed.map_or(&mut [][..], Tiles::tiles_mut);
        let outputs = if std::mem::take(&mut self.is_ahead) {
            for (outputs, units) in outputs.iter_mut().zip(&mut self.units) {
                std::mem::swap(outputs, &mut units.outputs);
            }
            &mut [][..]
        } else {
            &mut outputs[..]
        };
        pool.run_both((outputs, forward), (tiles, transpose));
    }

    /// Y, and room for D.
    pub(super) fn outputs_and_errors(
        &mut self,
        images: usize,
        parts: usize,
    ) -> (Outputs<'_>, Rows<'_>) {
        let (width, pieces) = (self.shape.width, self.pieces);
        self.errors.resize(self.outputs.len() / pieces * images * width);
        let outputs = Outputs { values: &self.outputs, pieces, images, parts, width };
        (outputs, Rows { values: &mut self.errors, rows: images, width })
    }

    /// Y.
    pub(super) fn outputs(&self, images: usize, parts: usize) -> Outputs<'_> {
        let (width, pieces) = (self.shape.width, self.pieces);
        Outputs { values: &self.outputs, pieces, images, parts, width }
    }

    /// A panel of D.
    pub(super) fn errors(&self, panel: usize, images: usize) -> &[f32] {
        let len = images * self.shape.width;
        &self.errors[panel * len..][..len]
    }

    /// G += Xᵀ·D, for the tile of a block, of whose panel D is given; and the step.
    pub(super) fn descend(
        &self,
        block: usize,
        errors: &[f32],
        tile: &mut Tile,
        gradients: &Gradients<'_>,
    ) {
        let Gradients { chunk, parts, step, level, .. } = *gradients;
        let Self { used, shape: Shape { width, has_columns, .. }, .. } = *self;
        let (images, is_first) = (chunk.labels.len(), chunk.is_first);
        if has_columns {
            // Of many images, the sums are put away in between.
            let room = if images <= STRIP { 0 } else { tile.values.len() };
            with_zeros(room, |sums| {
                let inputs = self.inputs.blocks(block).map(Block::columns);
                level.run(DescendImages { inputs, errors, width, is_first, step, tile, sums });
            });
            return;
        }
        descend_tile(tile, is_first, step, level, |gradient| {
            let Some(number) = chunk.recurs_as else {
                let strips = self.inputs.blocks(block).zip(errors.chunks(STRIP * width));
                for (inputs, errors) in strips {
                    let inputs = inputs.rows();
                    level.run(AddGradient { inputs, errors, width, gradient });
                }
                return;
            };
            for (inputs, part) in self.recurring[number].iter().zip(parts) {
                let Range { start, end } = part.images;
                let errors = &errors[start * width..end * width];
                level.run(AddGradientRecurring { inputs, block, errors, used, width, gradient });
            }
        });
    }
}

/// Y of the images, which are in pieces of some parts each.
#[derive(Clone, Copy)]
pub(super) struct Outputs<'a> {
    values: &'a [Aligned],
    pieces: usize,
    images: usize,
    parts: usize,
    width: usize,
}

impl<'a> Outputs<'a> {
    /// That of number `part` of the parts.
    pub(super) fn of(self, part: usize) -> Panels<'a> {
        let Self { values, pieces, images, parts, width } = self;
        let piece = part * pieces / parts;
        let first = share(images, pieces, piece).start;
        let Range { start, end } = share(images, parts, part);
        Panels::in_pieces(values, pieces, piece, (start - first) * width..(end - first) * width)
    }
}
