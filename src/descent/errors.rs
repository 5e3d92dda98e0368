//! The loss of a part's images, and the errors D of each layer after the first.

use std::ops::Range;

use crate::activation::Activation;
use crate::descent::Chunk;
use crate::kernel::aligned::Aligned;
use crate::kernel::columns::InkedColumns;
use crate::kernel::level::Level;
use crate::kernel::products::Forward;
use crate::kernel::simd::{Kernel, Simd};
use crate::kernel::sparse::{Number, SparseRows};
use crate::kernel::tiles::{Tiles, panels_of};
use crate::loss::{Loss, cross_entropy};
use crate::pass::{Packed, PackedLayer, Part, fill_rows};

/// Images whose loss is computed at once: a vector of AVX-512.
const SAMPLES: usize = 16;

/// The errors of the images of a part, and their loss.
pub(super) struct PartErrors {
    pub(super) layers: Vec<LayerErrors>,
    /// The images by column, where D of the first layer is wide.
    pub(super) inked: InkedColumns,
    pub(super) losses: Vec<Loss>,
    /// Those of some images, class by class.
    logits: Vec<[f32; SAMPLES]>,
}

/// D of a layer.
pub(super) struct LayerErrors {
    /// In panels: (images, width) in each.
    pub(super) panels: Vec<Aligned>,
    /// Again, for the product with Wᵀ.
    pub(super) sparse: SparseRows<Number>,
}

impl PartErrors {
    pub(super) fn new(packed: &Packed) -> Self {
        let layers = packed.layers.iter().map(|layer| {
            let (_, panels) = panels_of(layer.outputs);
            LayerErrors { panels: vec![Aligned::default(); panels], sparse: SparseRows::default() }
        });
        Self {
            layers: layers.collect(),
            inked: InkedColumns::default(),
            losses: Vec::new(),
            logits: Vec::new(),
        }
    }

    /// The loss of each image of a part, and the errors of each layer after the first.
    pub(super) fn backward(
        &mut self,
        part: &mut Part,
        packed: &Packed,
        transposed: &[Tiles],
        chunk: &Chunk<'_>,
        level: Level,
    ) {
        let last = self.layers.len() - 1;
        self.loss(part, packed.classes(), chunk, level);
        for index in (1..=last).rev() {
            let (below, rest) = self.layers.split_at_mut(index);
            let LayerErrors { panels, sparse, .. } = &mut rest[0];
            let outputs = packed.layers[index].outputs;
            fill_rows(sparse, level, part.images.len(), panels, outputs, outputs);
            if index == 1 {
                break;
            }
            let layer = &packed.layers[index - 1];
            let transposed = &transposed[index];
            let backward = Backward { layer, index, transposed, chunk, level };
            let outputs = &mut part.layers[index - 1].outputs;
            let errors = &mut below[index - 1].panels;
            for (panel, (outputs, errors)) in outputs.iter_mut().zip(errors).enumerate() {
                backward.run(panel, &part.images, sparse, outputs, errors);
            }
        }
    }

    /// The loss of each image, and D of the last layer, which is linear: D is the
    /// gradient of its outputs.
    fn loss(&mut self, part: &Part, classes: usize, chunk: &Chunk<'_>, level: Level) {
        let (width, _) = panels_of(classes);
        let panels = &mut self.layers.last_mut().expect("a network has a layer").panels;
        for panel in &mut *panels {
            panel.resize(part.images.len() * width);
            panel.fill(0.0);
        }
        self.losses.clear();
        self.logits.resize(classes, [0.0; SAMPLES]);
        let outputs = &part.layers[part.layers.len() - 1].outputs;
        let labels = chunk.labels[part.images.clone()].chunks(SAMPLES);
        for (first, labels) in (0..).step_by(SAMPLES).zip(labels) {
            let place = |sample, class| (class / width, (first + sample) * width + class % width);
            let mut padded = [0; SAMPLES];
            padded[..labels.len()].copy_from_slice(labels);
            for (class, logits) in self.logits.iter_mut().enumerate() {
                for (sample, logit) in logits[..labels.len()].iter_mut().enumerate() {
                    let (panel, index) = place(sample, class);
                    *logit = outputs[panel][index];
                }
            }
            let losses =
                level.run(CrossEntropy { logits: &mut self.logits, labels: &padded, chunk });
            self.losses.extend(&losses[..labels.len()]);
            for (class, gradients) in self.logits.iter().enumerate() {
                for (sample, &gradient) in gradients[..labels.len()].iter().enumerate() {
                    let (panel, index) = place(sample, class);
                    panels[panel][index] = gradient;
                }
            }
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
    pub(super) chunk: &'a Chunk<'a>,
    pub(super) level: Level,
}

impl Backward<'_> {
    /// D = (D'·Wᵀ) ∘ f′, one panel, for these images: `above` is D' and `outputs` are
    /// those of the layer below.
    pub(super) fn run(
        &self,
        panel: usize,
        images: &Range<usize>,
        above: &SparseRows<Number>,
        outputs: &mut Aligned,
        errors: &mut Aligned,
    ) {
        let (width, _) = panels_of(self.layer.outputs);
        errors.resize(images.len() * width);
        self.level.run(Forward {
            inputs: above,
            weights: self.transposed.panel(panel),
            width,
            activation: Activation::Linear,
            outputs: errors,
        });
        if let Some(dropout) = self.chunk.dropout {
            dropout.backward(self.level, self.index, panel, images, outputs, errors);
        }
        self.layer.activation.backward(outputs, errors);
    }
}

/// The loss of some images, and the gradient of their logits.
struct CrossEntropy<'a> {
    logits: &'a mut [[f32; SAMPLES]],
    labels: &'a [u8; SAMPLES],
    chunk: &'a Chunk<'a>,
}

impl Kernel for CrossEntropy<'_> {
    type Output = [Loss; SAMPLES];

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> [Loss; SAMPLES] {
        let Chunk { label_smoothing, batch_size, .. } = *self.chunk;
        cross_entropy(self.logits, self.labels, label_smoothing, batch_size)
    }
}
