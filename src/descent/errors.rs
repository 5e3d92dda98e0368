//! The loss of a part's images, and the errors D of each layer after the first.

use std::ops::Range;

use crate::activation::Activation;
use crate::descent::Chunk;
use crate::dropout::Dropout;
use crate::kernel::aligned::Aligned;
use crate::kernel::entry::Number;
use crate::kernel::level::Level;
use crate::kernel::panels::{Differentiate, multiply};
use crate::kernel::products::Forward;
use crate::kernel::simd::{Kernel, Simd};
use crate::kernel::sparse::SparseRows;
use crate::kernel::tiles::{Tiles, panels_of};
use crate::loss::{Loss, cross_entropy};
use crate::pass::{Packed, PackedLayer, Part, fill_rows};

/// Images whose loss is computed at once: a vector of AVX-512.
const SAMPLES: usize = 16;

/// The errors of the images of a part, and their loss.
pub(super) struct PartErrors {
    /// D of each layer, in panels: (images, width) in each.
    pub(super) layers: Vec<Vec<Aligned>>,
    /// Again, for the product with Wᵀ, where a layer is not narrow.
    pub(super) listed: Vec<SparseRows<Number>>,
    pub(super) losses: Vec<Loss>,
    /// Those of some images, class by class.
    logits: Vec<[f32; SAMPLES]>,
}

impl PartErrors {
    pub(super) fn new(packed: &Packed) -> Self {
        let errors = |layer: &PackedLayer| vec![Aligned::default(); panels_of(layer.outputs).1];
        Self {
            layers: packed.layers.iter().map(errors).collect(),
            listed: packed.layers.iter().map(|_| SparseRows::default()).collect(),
            losses: Vec::new(),
            logits: Vec::new(),
        }
    }

    /// The loss of each image of a part, and the errors of each layer after the first.
    pub(super) fn backward(
        &mut self,
        part: &Part,
        packed: &Packed,
        transposed: &[Tiles],
        chunk: &Chunk<'_>,
        level: Level,
    ) {
        self.loss(part, packed.classes(), chunk, level);
        for index in (1..self.layers.len()).rev() {
            let (below, above) = self.layers.split_at_mut(index);
            let outputs = packed.layers[index].outputs;
            if !packed.layers[index].is_narrow() {
                let (listed, count) = (&mut self.listed[index], part.images.len());
                fill_rows(listed, level, count, &above[0], outputs, outputs);
            }
            if index == 1 {
                break;
            }
            let (layer, transposed) = (&packed.layers[index - 1], &transposed[index]);
            let is_narrow = packed.layers[index].is_narrow();
            let backward = Backward { layer, index, transposed, is_narrow, chunk, level };
            let (width, _) = panels_of(layer.outputs);
            for (panel, errors) in below[index - 1].iter_mut().enumerate() {
                errors.resize(part.images.len() * width);
                backward.run(panel, part, &above[0], &self.listed[index], errors);
            }
        }
    }

    /// The loss of each image, and D of the last layer, which is linear: D is the
    /// gradient of its outputs.
    fn loss(&mut self, part: &Part, classes: usize, chunk: &Chunk<'_>, level: Level) {
        let (width, _) = panels_of(classes);
        let panels = self.layers.last_mut().expect("a network has a layer");
        for panel in &mut *panels {
            panel.resize(part.images.len() * width);
        }
        self.losses.clear();
        self.logits.resize(panels.len() * width, [0.0; SAMPLES]);
        let outputs = &part.outputs[part.outputs.len() - 1];
        let labels = chunk.labels[part.images.clone()].chunks(SAMPLES);
        for (first, labels) in (0..).step_by(SAMPLES).zip(labels) {
            let mut padded = [0; SAMPLES];
            padded[..labels.len()].copy_from_slice(labels);
            let losses = level.run(CrossEntropy {
                outputs,
                errors: &mut *panels,
                width,
                rows: first..first + labels.len(),
                logits: &mut self.logits,
                classes,
                labels: &padded,
                chunk,
            });
            self.losses.extend(&losses[..labels.len()]);
        }
    }
}

/// The way from the errors of a layer to those of the layer below.
pub(super) struct Backward<'a> {
    /// The layer below.
    pub(super) layer: &'a PackedLayer,
    /// The number of the layer above, and its Wᵀ.
    pub(super) index: usize,
    pub(super) transposed: &'a Tiles,
    /// Whether the layer above is narrow.
    pub(super) is_narrow: bool,
    pub(super) chunk: &'a Chunk<'a>,
    pub(super) level: Level,
}

impl Backward<'_> {
    /// D = (D'·Wᵀ) ∘ f′, one panel, (images, width), for the images of a part: `above` is D',
    /// which is also listed if the layer above is not narrow.
    pub(super) fn run(
        &self,
        panel: usize,
        part: &Part,
        above: &[Aligned],
        listed: &SparseRows<Number>,
        errors: &mut [f32],
    ) {
        let Self { layer, index, transposed, level, .. } = *self;
        let (width, _) = panels_of(layer.outputs);
        let weights = transposed.panel(panel);
        if self.is_narrow {
            multiply(level, above, transposed.rows(), weights, width, errors);
        } else {
            let (inputs, activation) = (listed, Activation::Linear);
            level.run(Forward { inputs, weights, width, activation, outputs: errors });
        }
        if let Some(dropout) = self.chunk.dropout {
            dropout.apply(level, index, panel, &part.images, errors);
        }
        let scale = self.chunk.dropout.map_or(1.0, Dropout::kept);
        let (activation, outputs) = (layer.activation, &part.outputs[index - 1][panel]);
        level.run(Differentiate { activation, outputs, scale, errors });
    }
}

/// The loss of at most [`SAMPLES`] images of a part, and the gradient of their logits.
struct CrossEntropy<'a> {
    /// The logits of all images of the part, in panels, and room for the gradient.
    outputs: &'a [Aligned],
    errors: &'a mut [Aligned],
    width: usize,
    /// Which of them.
    rows: Range<usize>,
    /// Room for a row for each column of the panels.
    logits: &'a mut [[f32; SAMPLES]],
    classes: usize,
    labels: &'a [u8; SAMPLES],
    chunk: &'a Chunk<'a>,
}

impl Kernel for CrossEntropy<'_> {
    type Output = [Loss; SAMPLES];

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) -> [Loss; SAMPLES] {
        let Self { width, logits, classes, .. } = self;
        let Chunk { label_smoothing, batch_size, .. } = *self.chunk;
        let values = self.rows.start * width..self.rows.end * width;
        let squares = || (0..).step_by(SAMPLES).map(|class| (class / width, class % width));
        for ((panel, first), square) in squares().zip(logits.as_chunks_mut().0) {
            let rows = self.outputs[panel][values.clone()].chunks_exact(width);
            for (to, row) in square.iter_mut().zip(rows) {
                to.copy_from_slice(&row[first..first + SAMPLES]);
            }
            simd.transpose(square);
        }
        let losses =
            cross_entropy(&mut logits[..classes], self.labels, label_smoothing, batch_size);
        // What is after the last class is no error.
        logits[classes..].fill([0.0; SAMPLES]);
        for ((panel, first), square) in squares().zip(logits.as_chunks_mut().0) {
            simd.transpose(square);
            let rows = self.errors[panel][values.clone()].chunks_exact_mut(width);
            for (from, row) in square.iter().zip(rows) {
                row[first..first + SAMPLES].copy_from_slice(from);
            }
        }
        losses
    }
}
