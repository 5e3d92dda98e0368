//! The forward pass of a batch on all cores.
//!
//! The images of a batch are dealt into parts, one for each thread, which share
//! nothing that one of them changes. A layer's bias is the last row of its weights,
//! and each input ends with a 1. How images are dealt changes no sum: each element
//! of X·W is one chain over the inputs.

use std::ops::Range;

use crate::activation::Activation;
use crate::dense::Dense;
use crate::dropout::Dropout;
use crate::kernel::aligned::Aligned;
use crate::kernel::level::Level;
use crate::kernel::parallel::{Pool, share};
use crate::kernel::products::Forward;
use crate::kernel::sparse::{Entry, Number, PixelPair, SparseRows};
use crate::kernel::tiles::{Slot, Tiles, panels_of};

/// Images that are in memory as numbers at once; larger batches go through in
/// chunks of this many.
pub(crate) const CHUNK: usize = 1024;

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
    /// (inputs + 1, outputs); the last row is the bias.
    pub(crate) weights: Tiles,
}

impl PackedLayer {
    fn new(layer: &Dense) -> Self {
        let (inputs, outputs) = (layer.inputs(), layer.outputs());
        let weights = Tiles::zeros(inputs + 1, outputs);
        let mut packed = Self { inputs, outputs, activation: layer.activation(), weights };
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

    /// Y = f(X·W + b), all panels.
    fn forward<E: Entry<ROWS>, const ROWS: usize>(
        &self,
        level: Level,
        inputs: &SparseRows<E>,
        outputs: &mut [Aligned],
    ) {
        for (panel, outputs) in outputs.iter_mut().enumerate() {
            self.forward_panel(level, panel, inputs, outputs);
        }
    }

    /// Y = f(X·W + b), one panel.
    pub(crate) fn forward_panel<E: Entry<ROWS>, const ROWS: usize>(
        &self,
        level: Level,
        panel: usize,
        inputs: &SparseRows<E>,
        outputs: &mut Aligned,
    ) {
        let (width, _) = panels_of(self.outputs);
        outputs.resize(inputs.rows() * width);
        level.run(Forward {
            inputs,
            weights: self.weights.panel(panel),
            width,
            activation: self.activation,
            outputs,
        });
    }
}

impl Packed {
    pub(crate) fn new(layers: &[Dense]) -> Self {
        Self { layers: layers.iter().map(PackedLayer::new).collect() }
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
    pixels: SparseRows<PixelPair>,
    pub(crate) layers: Vec<PartLayer>,
}

/// A part's values at a layer.
pub(crate) struct PartLayer {
    /// X, with the 1 that the bias is multiplied with.
    pub(crate) inputs: SparseRows<Number>,
    /// Y, in panels: (images, width) in each.
    pub(crate) outputs: Vec<Aligned>,
}

impl Part {
    fn new(packed: &Packed) -> Self {
        let layer = |layer: &PackedLayer| {
            let (_, panels) = panels_of(layer.outputs);
            PartLayer { inputs: SparseRows::default(), outputs: vec![Aligned::default(); panels] }
        };
        let layers = packed.layers.iter().map(layer).collect();
        Self { images: 0..0, pixels: SparseRows::default(), layers }
    }

    /// The layers after the first; the outputs below each may lose some.
    pub(crate) fn forward(&mut self, packed: &Packed, level: Level, dropout: Option<Dropout<'_>>) {
        for (index, layer) in packed.layers.iter().enumerate().skip(1) {
            let (before, rest) = self.layers.split_at_mut(index);
            if let Some(dropout) = dropout {
                let panels = before[index - 1].outputs.iter_mut().enumerate();
                panels.for_each(|(panel, y)| dropout.forward(level, index, panel, &self.images, y));
            }
            let PartLayer { inputs, outputs } = &mut rest[0];
            let (count, below) = (self.images.len(), &before[index - 1].outputs);
            fill_rows(inputs, level, count, below, layer.inputs, layer.inputs + 1);
            layer.forward(level, inputs, outputs);
        }
    }

    /// The logits of an image of this part, copied to the start of `logits`.
    pub(crate) fn copy_logits(&self, row: usize, logits: &mut [f32]) {
        let outputs = &self.layers[self.layers.len() - 1].outputs;
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
            let outputs = &mut self.layers.last_mut().expect("a network has a layer").outputs;
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
        let PartLayer { inputs, outputs } = &mut part.layers[0];
        inputs.clear(part.images.len(), layer.inputs + 1);
        part.images.clone().for_each(|number| inputs.push(level, [image(number)].into_iter()));
        layer.forward(level, inputs, outputs);
    }
}

impl Value for u8 {
    fn forward<'a>(
        part: &mut Part,
        layer: &PackedLayer,
        level: Level,
        image: impl Fn(usize) -> &'a [u8],
    ) {
        part.pixels.fill(level, part.images.clone(), layer.inputs + 1, image);
        layer.forward(level, &part.pixels, &mut part.layers[0].outputs);
    }
}

/// Fills sparse rows from the values of images in panels, of which `outputs`
/// columns count, and with a 1 where `cols` is one more.
pub(crate) fn fill_rows(
    rows: &mut SparseRows<Number>,
    level: Level,
    images: usize,
    panels: &[Aligned],
    outputs: usize,
    cols: usize,
) {
    let (width, _) = panels_of(outputs);
    rows.clear(images, cols);
    for row in 0..images {
        let pieces = panels
            .iter()
            .zip((0..outputs).step_by(width))
            .map(|(panel, first)| &panel[row * width..][..width.min(outputs - first)]);
        rows.push(level, pieces);
    }
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
        self.pool.run_each(&mut self.parts, |_, part| {
            V::forward(part, layer, level, &image);
            part.forward(packed, level, None);
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
