//! The forward pass of a batch on all cores.
//!
//! The images of a batch are dealt into parts, one for each thread, which share
//! nothing that one of them changes. A layer's bias is the last row of its weights,
//! and each input ends with a 1. How images are dealt changes no sum: each element
//! of X·W is one chain over the inputs. One image alone has a pass of its own, [`RowPass`].

mod row;

use std::ops::Range;

use crate::activation::Activation;
use crate::dense::Dense;
use crate::dropout::Dropout;
use crate::kernel::aligned::Aligned;
use crate::kernel::entry::{Entry, Number};
use crate::kernel::level::Level;
use crate::kernel::panels::{Activate, Panels, multiply};
use crate::kernel::parallel::{Pool, share};
use crate::kernel::products::Forward;
use crate::kernel::sparse::{STRIP, SparseRows, blocks_of, list_rows};
use crate::kernel::strips::{Block, Shape, Strips};
use crate::kernel::tiles::{Slot, Tile, Tiles, panels_of};
pub(crate) use crate::pass::row::RowPass;

/// Images that are in memory as numbers at once; larger batches go through in
/// chunks of this many.
pub(crate) const CHUNK: usize = 1024;

/// Outputs of the widest layer whose inputs are not listed, or whose gradient is added up
/// by rows of images: two vectors of AVX-512.
pub(crate) const NARROW: usize = 32;

/// The largest number of classes: labels are bytes.
pub(crate) const MAX_CLASSES: usize = 256;

/// A network's parameters, as the kernels read them.
pub(crate) struct Packed {
    pub(crate) layers: Vec<PackedLayer>,
}

pub(crate) struct PackedLayer {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    pub(crate) activation: Activation,
    /// The columns of each block of its inputs, and how many blocks: of the first layer's as
    /// they are listed, of another's the panels of the layer below.
    blocks: (usize, usize),
    /// (inputs + 1, outputs); the last row is the bias. For training, the rows of a block are
    /// a tile; for prediction, a panel is.
    pub(crate) weights: Tiles,
}

impl PackedLayer {
    fn new(index: usize, layer: &Dense, has_blocks: bool) -> Self {
        let (inputs, outputs) = (layer.inputs(), layer.outputs());
        let (width, _) = panels_of(outputs);
        let blocks = if index == 0 { blocks_of(inputs + 1, width) } else { panels_of(inputs) };
        let tiles = if has_blocks { blocks } else { (inputs + 1, 1) };
        let weights = Tiles::zeros(inputs + 1, outputs, tiles);
        let mut packed = Self { inputs, outputs, activation: layer.activation(), blocks, weights };
        packed.set(Slot::Values, layer);
        packed
    }

    /// Takes over a layer's parameters.
    pub(crate) fn set(&mut self, slot: Slot, layer: &Dense) {
        for (row, values) in layer.weights().iter_rows().enumerate() {
            self.weights.set_row(slot, row, values);
        }
        self.weights.set_row(slot, self.inputs, layer.bias());
    }

    /// Whether it has so few outputs that looking for zeros takes longer than what is done
    /// with a value: after the first layer, X is multiplied as it is.
    pub(crate) fn is_narrow(&self) -> bool {
        self.outputs <= NARROW
    }

    /// What makes Y of one of its panels.
    pub(crate) fn of_panel(&self) -> PanelForward {
        let (width, _) = panels_of(self.outputs);
        PanelForward { block: self.blocks.0, width, activation: self.activation }
    }

    /// Y = f(X·W + b), where X is numbers that are listed.
    fn forward(
        &self,
        level: Level,
        images: usize,
        inputs: &[SparseRows<Number>],
        outputs: &mut [Aligned],
    ) {
        let of_panel = self.of_panel();
        for (panel, outputs) in outputs.iter_mut().enumerate() {
            outputs.resize(images * of_panel.width);
            of_panel.rows(level, self.weights.panel(panel), inputs.iter(), 0..images, outputs);
        }
    }

    /// Y = f(X·W + b) of a narrow layer, where X is in panels too.
    fn forward_narrow(
        &self,
        level: Level,
        images: usize,
        inputs: Panels<'_>,
        outputs: &mut [Aligned],
    ) {
        let (width, _) = panels_of(self.outputs);
        for (panel, outputs) in outputs.iter_mut().enumerate() {
            outputs.resize(images * width);
            multiply(level, inputs, self.inputs, self.weights.panel(panel), width, outputs);
            level.run(Activate { activation: self.activation, values: outputs });
        }
    }
}

/// Y = f(X·W + b), for one panel of W, whose tiles are given.
#[derive(Clone, Copy)]
pub(crate) struct PanelForward {
    block: usize,
    width: usize,
    activation: Activation,
}

impl PanelForward {
    /// Of some images.
    pub(crate) fn images(
        self,
        level: Level,
        weights: &[Tile],
        inputs: &Strips,
        images: Range<usize>,
        mut outputs: &mut [f32],
    ) {
        for strip in images.start / STRIP..images.end.div_ceil(STRIP) {
            let first = strip * STRIP;
            let end = images.end.min(first + STRIP);
            let rows = images.start.max(first) - first..end - first;
            let (here, rest) = outputs.split_at_mut(rows.len() * self.width);
            let inputs = inputs.strip(strip).iter().map(Block::rows);
            self.rows(level, weights, inputs, rows, here);
            outputs = rest;
        }
    }

    /// Of some rows.
    fn rows<'a, E: Entry + 'a>(
        self,
        level: Level,
        weights: &[Tile],
        inputs: impl Iterator<Item = &'a SparseRows<E>> + Clone,
        rows: Range<usize>,
        outputs: &mut [f32],
    ) {
        let Self { block, width, activation } = self;
        level.run(Forward { inputs, rows, block, weights, width, activation, outputs });
    }
}

impl Packed {
    /// For training: in tiles that are tasks.
    pub(crate) fn new(layers: &[Dense]) -> Self {
        Self::of(layers, true)
    }

    /// For prediction: in whole panels, which one image passes by without a stop.
    pub(crate) fn in_panels(layers: &[Dense]) -> Self {
        Self::of(layers, false)
    }

    fn of(layers: &[Dense], has_blocks: bool) -> Self {
        let layers = layers.iter().enumerate();
        let layer = |(index, layer)| PackedLayer::new(index, layer, has_blocks);
        Self { layers: layers.map(layer).collect() }
    }

    /// Writes the parameters, or what belongs to each of them, into layers of
    /// these shapes.
    pub(crate) fn copy_to(&self, slot: Slot, layers: &mut [Dense]) {
        for (packed, layer) in self.layers.iter().zip(layers) {
            let (weights, bias) = layer.parameters_mut();
            for row in 0..packed.inputs {
                packed.weights.copy_row(slot, row, weights.row_mut(row));
            }
            packed.weights.copy_row(slot, packed.inputs, bias);
        }
    }

    pub(crate) fn inputs(&self) -> usize {
        self.layers[0].inputs
    }

    pub(crate) fn classes(&self) -> usize {
        self.layers[self.layers.len() - 1].outputs
    }
}

/// The threads and the buffers of a forward pass.
pub(crate) struct Pass {
    pub(crate) pool: Pool,
    pub(crate) level: Level,
    pub(crate) parts: Vec<Part>,
}

/// The images of a batch that one thread works on.
pub(crate) struct Part {
    pub(crate) images: Range<usize>,
    /// X of the first layer, where images are bytes that a predictor is given.
    pixels: Strips,
    /// X of each layer, where it is listed, block by block.
    pub(crate) inputs: Vec<Vec<SparseRows<Number>>>,
    /// Y of each layer, in panels: (images, width) in each; in training, not of the first.
    pub(crate) outputs: Vec<Vec<Aligned>>,
}

impl Part {
    fn new(packed: &Packed) -> Self {
        let outputs = |layer: &PackedLayer| vec![Aligned::default(); panels_of(layer.outputs).1];
        Self {
            images: 0..0,
            pixels: Strips::default(),
            inputs: packed.layers.iter().map(|_| Vec::new()).collect(),
            outputs: packed.layers.iter().map(outputs).collect(),
        }
    }

    /// The layers after the first, whose outputs are given, or else are this part's.
    pub(crate) fn forward(
        &mut self,
        packed: &Packed,
        level: Level,
        first: Option<Panels<'_>>,
        dropout: Option<Dropout<'_>>,
    ) {
        let count = self.images.len();
        for (index, layer) in packed.layers.iter().enumerate().skip(1) {
            let (before, rest) = self.outputs.split_at_mut(index);
            let below = first.filter(|_| index == 1);
            let below = below.unwrap_or_else(|| Panels::new(&before[index - 1]));
            let outputs = &mut rest[0];
            if layer.is_narrow() {
                layer.forward_narrow(level, count, below, outputs);
            } else {
                let inputs = &mut self.inputs[index];
                fill_rows(inputs, level, count, below, layer.inputs, layer.inputs + 1);
                layer.forward(level, count, inputs, outputs);
            }
            if let Some(dropout) = dropout.filter(|_| index + 1 < packed.layers.len()) {
                for (panel, outputs) in outputs.iter_mut().enumerate() {
                    dropout.apply(level, index + 1, panel, &self.images, outputs);
                }
            }
        }
    }

    /// The logits of an image of this part, copied to the start of `logits`.
    pub(crate) fn copy_logits(&self, row: usize, logits: &mut [f32]) {
        let outputs = &self.outputs[self.outputs.len() - 1];
        let (width, _) = panels_of(logits.len());
        for (logits, panel) in logits.chunks_mut(width).zip(outputs) {
            logits.copy_from_slice(&panel[row * width..][..logits.len()]);
        }
    }

    /// Replaces the logits of each image.
    fn finish(&mut self, classes: usize, finish: impl Fn(&mut [f32])) {
        let (width, _) = panels_of(classes);
        let mut logits = [0.0; MAX_CLASSES];
        let logits = &mut logits[..classes];
        for row in 0..self.images.len() {
            self.copy_logits(row, logits);
            finish(logits);
            let outputs = self.outputs.last_mut().expect("a network has a layer");
            for (logits, panel) in logits.chunks(width).zip(outputs) {
                panel[row * width..][..logits.len()].copy_from_slice(logits);
            }
        }
    }
}

/// What images are made of: pixels, or numbers.
pub(crate) trait Value: Sync + Sized {
    /// The first layer, for the images of a part.
    fn forward<'a>(
        part: &mut Part,
        layer: &PackedLayer,
        level: Level,
        image: impl Fn(usize) -> &'a [Self],
    ) where
        Self: 'a;
}

impl Value for f32 {
    fn forward<'a>(
        part: &mut Part,
        layer: &PackedLayer,
        level: Level,
        image: impl Fn(usize) -> &'a [f32],
    ) {
        let (first, shape) = (part.images.start, (part.images.len(), layer.inputs + 1));
        let (inputs, (block, _)) = (&mut part.inputs[0], layer.blocks);
        list_rows(inputs, level, shape, layer.blocks, |row, number| {
            let image = image(first + row);
            assert_eq!(image.len(), layer.inputs, "an element a column");
            &image[number * block..image.len().min((number + 1) * block)]
        });
        layer.forward(level, part.images.len(), inputs, &mut part.outputs[0]);
    }
}

impl Value for u8 {
    fn forward<'a>(
        part: &mut Part,
        layer: &PackedLayer,
        level: Level,
        image: impl Fn(usize) -> &'a [u8],
    ) {
        let (first, images) = (part.images.start, part.images.len());
        let (cols, (width, _)) = (layer.inputs + 1, panels_of(layer.outputs));
        let shape = Shape { images, cols, width, has_columns: false };
        part.pixels.fill(shape, level, |number| image(first + number));
        for (panel, outputs) in part.outputs[0].iter_mut().enumerate() {
            outputs.resize(images * width);
            let weights = layer.weights.panel(panel);
            layer.of_panel().images(level, weights, &part.pixels, 0..images, outputs);
        }
    }
}

/// Fills sparse rows, a block for each panel, from the values of images in panels, of which
/// `outputs` columns count, and with a 1 where `cols` is one more.
pub(crate) fn fill_rows(
    blocks: &mut Vec<SparseRows<Number>>,
    level: Level,
    images: usize,
    panels: Panels<'_>,
    outputs: usize,
    cols: usize,
) {
    let (width, count) = panels_of(outputs);
    list_rows(blocks, level, (images, cols), (width, count), |row, number| {
        let used = width.min(outputs - number * width);
        &panels.panel(number)[row * width..][..used]
    });
}

impl Pass {
    pub(crate) fn new(packed: &Packed, threads: usize, level: Level) -> Self {
        let pool = Pool::new(threads);
        let parts: Vec<Part> = (0..pool.threads()).map(|_| Part::new(packed)).collect();
        Self { pool, level, parts }
    }

    /// Deals as many images to the parts.
    pub(crate) fn deal(&mut self, count: usize) {
        let parts = self.parts.len();
        for (index, part) in self.parts.iter_mut().enumerate() {
            part.images = share(count, parts, index);
        }
    }

    /// The forward pass of `count` images, at most [`CHUNK`]; `image` gives each, and
    /// `finish` makes answers of its logits.
    pub(crate) fn forward<'a, V: Value + 'a>(
        &mut self,
        packed: &Packed,
        count: usize,
        image: impl Fn(usize) -> &'a [V] + Sync,
        finish: impl Fn(&mut [f32]) + Sync,
    ) {
        self.deal(count);
        let (level, layer) = (self.level, &packed.layers[0]);
        // One image, which is the last part's, is done before another thread has heard of it.
        let first = if count == 1 { self.parts.len() - 1 } else { 0 };
        self.pool.run_each(&mut self.parts[first..], |_, part| {
            V::forward(part, layer, level, &image);
            part.forward(packed, level, None, None);
            part.finish(packed.classes(), &finish);
        });
    }

    /// Calls `each` with each image of the last forward pass and its answers.
    pub(crate) fn for_each_answer(&self, classes: usize, mut each: impl FnMut(usize, &[f32])) {
        let mut answers = [0.0; MAX_CLASSES];
        let answers = &mut answers[..classes];
        for part in &self.parts {
            for (row, image) in part.images.clone().enumerate() {
                part.copy_logits(row, answers);
                each(image, answers);
            }
        }
    }
}
