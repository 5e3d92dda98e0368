//! The first layer's values, panel by panel.
//!
//! A panel of weights and their velocity stay in the cache of the core that changes
//! them, and so do the outputs and the errors D of its columns.

use std::ops::Range;

use crate::descent::errors::{Backward, PartErrors};
use crate::kernel::aligned::Aligned;
use crate::kernel::level::Level;
use crate::kernel::parallel::share;
use crate::kernel::sparse::{PixelPair, SparseRows};
use crate::kernel::tiles::panels_of;
use crate::pass::{PackedLayer, Part};

/// What one thread does of the first layer.
pub(super) struct FirstLayer {
    /// Which of all pairs of a panel and a part: number i is of panel i / parts and of
    /// part i % parts.
    pairs: Range<usize>,
    /// Y of each pair, and D: (images, width).
    outputs: Vec<Aligned>,
    errors: Vec<Aligned>,
}

impl FirstLayer {
    /// For each of as many threads its share.
    pub(super) fn shares(layer: &PackedLayer, threads: usize) -> Vec<Self> {
        let (_, panels) = panels_of(layer.outputs);
        let new = |number| {
            let pairs = share(panels * threads, threads, number);
            Self {
                outputs: vec![Aligned::default(); pairs.len()],
                errors: vec![Aligned::default(); pairs.len()],
                pairs,
            }
        };
        (0..threads).map(new).collect()
    }

    /// Y = f(X·W + b), where X is each part's.
    pub(super) fn forward(
        &mut self,
        layer: &PackedLayer,
        level: Level,
        inputs: &[SparseRows<PixelPair>],
    ) {
        for (pair, outputs) in self.pairs.clone().zip(&mut self.outputs) {
            let (panel, part) = (pair / inputs.len(), pair % inputs.len());
            layer.forward_panel(level, panel, &inputs[part], outputs);
        }
    }

    /// Hands the outputs to the parts, or takes them back.
    pub(super) fn exchange_outputs(&mut self, parts: &mut [Part]) {
        let count = parts.len();
        for (pair, outputs) in self.pairs.clone().zip(&mut self.outputs) {
            std::mem::swap(outputs, &mut parts[pair % count].outputs[0][pair / count]);
        }
    }

    /// Takes over D from the parts: there, the first layer is the last one too.
    pub(super) fn take_errors(&mut self, errors: &mut [PartErrors]) {
        let count = errors.len();
        for (pair, panel) in self.pairs.clone().zip(&mut self.errors) {
            std::mem::swap(panel, &mut errors[pair % count].layers[0][pair / count]);
        }
    }

    /// D, from the errors of the second layer.
    pub(super) fn backward(
        &mut self,
        backward: &Backward<'_>,
        parts: &[Part],
        errors: &[PartErrors],
    ) {
        for (pair, own) in self.pairs.clone().zip(&mut self.errors) {
            let (panel, part) = (pair / parts.len(), pair % parts.len());
            let above = &errors[part];
            backward.run(panel, &parts[part], &above.layers[1], &above.listed[1], own);
        }
    }
}

/// D of a part's images for a panel.
pub(super) fn errors_of(shares: &[FirstLayer], panel: usize, part: usize) -> &[f32] {
    let pair = panel * shares.len() + part;
    let has_it = |share: &&FirstLayer| share.pairs.contains(&pair);
    let share = shares.iter().find(has_it).expect("each pair is some thread's");
    &share.errors[pair - share.pairs.start]
}
