//! The first layer's values, panel by panel.
//!
//! A panel of weights and their velocity stay in the cache of the core that changes
//! them, and so do the outputs and the errors D of its columns. Each thread makes its
//! own rows without zeros of the images: that takes less time than to read those that
//! another core has made.

use std::ops::Range;

use crate::descent::errors::{Backward, PartErrors};
use crate::kernel::aligned::Aligned;
use crate::kernel::level::Level;
use crate::kernel::parallel::share;
use crate::kernel::sparse::{Pair, SparseRows};
use crate::kernel::tiles::panels_of;
use crate::pass::{PackedLayer, Part, fill_pairs};

/// How many images ahead memory is asked for: as long as it takes to come.
const PREFETCH: usize = 6;

/// What one thread does of the first layer.
pub(super) struct FirstLayer {
    /// Which of all pairs of a panel and a part: number i is of panel i / parts and of
    /// part i % parts.
    pairs: Range<usize>,
    /// The parts that are among them.
    parts: Range<usize>,
    /// X of those parts.
    inputs: Vec<SparseRows<Pair>>,
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
            // As many pairs as parts, or more, begin with the first part.
            let first = pairs.start % threads;
            let parts = match first + pairs.len() <= threads {
                true => first..first + pairs.len(),
                false => 0..threads,
            };
            Self {
                inputs: parts.clone().map(|_| SparseRows::default()).collect(),
                outputs: vec![Aligned::default(); pairs.len()],
                errors: vec![Aligned::default(); pairs.len()],
                pairs,
                parts,
            }
        };
        (0..threads).map(new).collect()
    }

    /// Makes X. `announce` hears which images are needed soon; from number `count` on they
    /// are those of the batch that follows.
    pub(super) fn list<'a>(
        &mut self,
        layer: &PackedLayer,
        level: Level,
        parts: &[Part],
        count: usize,
        announce: impl Fn(usize),
        image: impl Fn(usize) -> &'a [u8],
    ) {
        let here = &parts[self.parts.clone()];
        let (Some(first), Some(last)) = (here.first(), here.last()) else { return };
        let (start, end) = (first.images.start, last.images.end);
        for (part, inputs) in here.iter().zip(&mut self.inputs) {
            fill_pairs(inputs, level, part.images.clone(), layer.inputs + 1, |number| {
                // After its last one, a thread's first of the next batch.
                let later = number + PREFETCH;
                announce(if later < end { later } else { later - end + start + count });
                image(number)
            });
        }
    }

    /// Y = f(X·W + b), of as many parts.
    pub(super) fn forward(&mut self, layer: &PackedLayer, level: Level, parts: usize) {
        for (pair, outputs) in self.pairs.clone().zip(&mut self.outputs) {
            let inputs = &self.inputs[pair % parts - self.parts.start];
            layer.forward_panel(level, pair / parts, inputs, outputs);
        }
    }

    /// Hands the outputs to the parts, or takes them back.
    pub(super) fn exchange_outputs(&mut self, parts: &mut [Part]) {
        let count = parts.len();
        for (pair, outputs) in self.pairs.clone().zip(&mut self.outputs) {
            let part = &mut parts[pair % count].layers[0];
            std::mem::swap(outputs, &mut part.outputs[pair / count]);
        }
    }

    /// Takes over D from the parts: there, the first layer is the last one too.
    pub(super) fn take_errors(&mut self, errors: &mut [PartErrors]) {
        let count = errors.len();
        for (pair, panel) in self.pairs.clone().zip(&mut self.errors) {
            let layer = &mut errors[pair % count].layers[0];
            std::mem::swap(panel, &mut layer.panels[pair / count]);
        }
    }

    /// D, from the errors of the second layer.
    pub(super) fn backward(
        &mut self,
        backward: &Backward<'_>,
        parts: &[Part],
        errors: &[PartErrors],
    ) {
        let values = self.outputs.iter_mut().zip(&mut self.errors);
        for (pair, (outputs, panel)) in self.pairs.clone().zip(values) {
            let (index, part) = (pair / parts.len(), pair % parts.len());
            let above = &errors[part].layers[1].sparse;
            backward.run(index, &parts[part].images, above, outputs, panel);
        }
    }
}

/// X of a part, as one of the shares has it.
pub(super) fn inputs_of(shares: &[FirstLayer], part: usize) -> &SparseRows<Pair> {
    let has_it = |share: &&FirstLayer| share.parts.contains(&part);
    let share = shares.iter().find(has_it).expect("each part is some thread's");
    &share.inputs[part - share.parts.start]
}

/// D of a part's images for a panel.
pub(super) fn errors_of(shares: &[FirstLayer], panel: usize, part: usize) -> &[f32] {
    let pair = panel * shares.len() + part;
    let has_it = |share: &&FirstLayer| share.pairs.contains(&pair);
    let share = shares.iter().find(has_it).expect("each pair is some thread's");
    &share.errors[pair - share.pairs.start]
}
