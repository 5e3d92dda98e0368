//! The loss of a part's images, and the errors D of each layer.

use std::ops::Range;

use crate::activation::Activation;
use crate::descent::Chunk;
use crate::dropout::Dropout;
use crate::kernel::aligned::Aligned;
use crate::kernel::entry::Number;
use crate::kernel::level::Level;
use crate::kernel::panels::{Differentiate, Panels, multiply};
use crate::kernel::parallel::RowsShare;
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
    /// D of each layer, in panels: (images, width) in each; of the first, only where it is the
    /// last one too.
    pub(super) layers: Vec<Vec<Aligned>>,
    /// Again, for the product with Wᵀ, where a layer is not narrow.
    listed: Vec<Vec<SparseRows<Number>>>,
    pub(super) losses: Vec<Loss>,
    /// Those of some images, class by class.
    logits: Vec<[f32; SAMPLES]>,
}

impl PartErrors {
    pub(super) fn new(packed: &Packed) -> Self {
        let errors = |layer: &PackedLayer| vec![Aligned::default(); panels_of(layer.outputs).1];
        Self {
            layers: packed.layers.iter().map(errors).collect(),
            listed: packed.layers.iter().map(|_| Vec::new()).collect(),
            losses: Vec::new(),
            logits: Vec::new(),
        }
    }

    /// The loss of each image of a part, and the errors of each layer.
    pub(super) fn backward(
        &mut self,
        part: &Part,
        packed: &Packed,
        transposed: &[Tiles],
        chunk: &Chunk<'_>,
        level: Level,
        mut first: FirstPart<'_>,
    ) {
        let layers = &packed.layers;
        let outputs = |index: usize| match index {
            0 => first.outputs,
            _ => Panels::new(&part.outputs[index]),
        };
        self.loss(part, outputs(layers.len() - 1), packed.classes(), chunk, level);
        for index in (1..layers.len()).rev() {
            let (below, above) = self.layers.split_at_mut(index);
            let above = Panels::new(&above[0]);
            let (layer, listed) = (&layers[index - 1], &mut self.listed[index]);
            let is_narrow = layers[index].is_narrow();
            if !is_narrow {
                let cols = layers[index].outputs;
                fill_rows(listed, level, part.images.len(), above, cols, cols);
            }
            let (width, panels) = panels_of(layer.outputs);
            for panel in 0..panels {
                let errors = match below[index - 1].get_mut(panel).filter(|_| index > 1) {
                    Some(errors) => {
                        errors.resize(part.images.len() * width);
                        errors
                    }
                    None => {
                        let Some(errors) = &mut first.errors else { return };
                        errors.panel(panel)
                    }
                };
                let weights = transposed[index].panel(panel);
                if is_narrow {
                    multiply(level, above, layers[index].outputs, weights, width, errors);
                } else {
                    level.run(Forward {
                        inputs: listed.iter(),
                        rows: 0..part.images.len(),
                        block: panels_of(layers[index].outputs).0,
                        weights,
                        width,
                        activation: Activation::Linear,
                        outputs: errors,
                    });
                }
                if let Some(dropout) = chunk.dropout {
                    dropout.apply(level, index, panel, &part.images, errors);
                }
                let scale = chunk.dropout.map_or(1.0, Dropout::kept);
                let (activation, outputs) = (layer.activation, outputs(index - 1).panel(panel));
                level.run(Differentiate { activation, outputs, scale, errors });
            }
        }
        if let (1, Some(to)) = (layers.len(), &mut first.errors) {
            for (panel, errors) in self.layers[0].iter().enumerate() {
                to.panel(panel).copy_from_slice(errors);
            }
        }
    }

    /// The loss of each image, and D of the last layer, which is linear: D is the
    /// gradient of its outputs.
    fn loss(
        &mut self,
        part: &Part,
        outputs: Panels<'_>,
        classes: usize,
        chunk: &Chunk<'_>,
        level: Level,
    ) {
        let (width, _) = panels_of(classes);
        let panels = self.layers.last_mut().expect("a network has a layer");
        for panel in &mut *panels {
            panel.resize(part.images.len() * width);
        }
        self.losses.clear();
        self.logits.resize(panels.len() * width, [0.0; SAMPLES]);
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

/// What is of a part's images in the first layer.
pub(super) struct FirstPart<'a> {
    /// Y.
    pub(super) outputs: Panels<'a>,
    /// Room for D, if it is asked for.
    pub(super) errors: Option<RowsShare<'a>>,
}

/// The loss of at most [`SAMPLES`] images of a part, and the gradient of their logits.
struct CrossEntropy<'a> {
    /// The logits of all images of the part, and room for the gradient.
    outputs: Panels<'a>,
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
            let rows = self.outputs.panel(panel)[values.clone()].chunks_exact(width);
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
