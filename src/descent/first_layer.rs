//! The first layer's values, panel by panel.
//!
//! A panel of weights and their velocity stay in the cache of the core that changes
//! them, and so do the outputs and the errors D of its columns.

use std::ops::Range;

use crate::descent::errors::{Backward, PartErrors};
use crate::kernel::aligned::Aligned;
use crate::kernel::columns::InkedColumns;
use crate::kernel::level::Level;
use crate::kernel::parallel::share;
use crate::kernel::sparse::{PixelPair, SparseRows};
use crate::kernel::tiles::panels_of;
use crate::pass::{PackedLayer, Part};

/// How many images ahead memory is asked for: as long as it takes to come.
const PREFETCH: usize = 6;

/// What one thread does of the first layer.
pub(super) struct FirstLayer {
    /// Which of all pairs of a panel and a part: number i is of panel i / parts and of
    /// part i % parts.
    pairs: Range<usize>,
    /// X of each part that is in these pairs; of another one, nothing. What another core
    /// has listed takes longer to read than to list again.
    inputs: Vec<Inputs>,
    /// The same of each chunk that recurs, but for the one at hand, which has changed places
    /// with `inputs`.
    recurring: Vec<Vec<Inputs>>,
    /// The number of that one.
    at_hand: Option<usize>,
    /// Y of each pair, and D: (images, width).
    outputs: Vec<Aligned>,
    errors: Vec<Aligned>,
}

/// X of a part.
#[derive(Clone, Default)]
pub(super) struct Inputs {
    pub(super) listed: SparseRows<PixelPair>,
    /// Again, by column; only where the layer is not narrow.
    pub(super) inked: InkedColumns,
}

impl FirstLayer {
    /// For each of as many threads its share.
    pub(super) fn shares(layer: &PackedLayer, threads: usize) -> Vec<Self> {
        let (_, panels) = panels_of(layer.outputs);
        let new = |number| {
            let pairs = share(panels * threads, threads, number);
            Self {
                inputs: vec![Inputs::default(); threads],
                recurring: Vec::new(),
                at_hand: None,
                outputs: vec![Aligned::default(); pairs.len()],
                errors: vec![Aligned::default(); pairs.len()],
                pairs,
            }
        };
        (0..threads).map(new).collect()
    }

    /// Has X of a chunk at hand: from `list`, unless it recurs and was there before. The
    /// numbers of those that recur come in order the first time.
    pub(super) fn recall(&mut self, recurs_as: Option<usize>, list: impl FnOnce(&mut Self)) {
        if let Some(last) = self.at_hand.take() {
            std::mem::swap(&mut self.inputs, &mut self.recurring[last]);
        }
        if let Some(chunk) = recurs_as.filter(|&chunk| chunk < self.recurring.len()) {
            std::mem::swap(&mut self.inputs, &mut self.recurring[chunk]);
            self.at_hand = Some(chunk);
            return;
        }
        list(self);
        if recurs_as.is_some() {
            self.recurring.push(self.inputs.clone());
        }
    }

    /// Lists X, for share number `number`.
    pub(super) fn list<'a>(
        &mut self,
        number: usize,
        layer: &PackedLayer,
        level: Level,
        parts: &[Part],
        announce: impl Fn(usize),
        image: impl Fn(usize) -> &'a [u8],
    ) {
        let (first, count) = match self.pairs.len() {
            // All parts: each thread begins with another, so that they do not wait for the
            // same memory.
            pairs if pairs >= parts.len() => (number, parts.len()),
            pairs => (self.pairs.start % parts.len(), pairs),
        };
        let own = (first..first + count).map(|part| part % parts.len());
        let images: usize = own.clone().map(|part| parts[part].images.len()).sum();
        let (start, all) = (parts[first].images.start, parts[parts.len() - 1].images.end);
        for part in own {
            let Inputs { listed, inked } = &mut self.inputs[part];
            let here = parts[part].images.clone();
            listed.fill(level, here.clone(), layer.inputs + 1, |number| {
                let later = (number + all - start) % all + PREFETCH;
                // After its last one, a thread's first of the next batch.
                let (chunk, later) =
                    if later < images { (0, later) } else { (all, later - images) };
                announce(chunk + (start + later) % all);
                image(number)
            });
            if !layer.is_narrow() {
                // While its images are in the cache.
                inked.fill(level, here, layer.inputs + 1, &image);
            }
        }
    }

    /// Y = f(X·W + b) of each pair.
    pub(super) fn forward(&mut self, layer: &PackedLayer, level: Level, parts: &[Part]) {
        for (pair, outputs) in self.pairs.clone().zip(&mut self.outputs) {
            let (panel, part) = (pair / parts.len(), pair % parts.len());
            layer.forward_panel(level, panel, &self.inputs[part].listed, outputs);
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

/// X of a part, and D of its images for a panel.
pub(super) fn factors(shares: &[FirstLayer], panel: usize, part: usize) -> (&Inputs, &[f32]) {
    let pair = panel * shares.len() + part;
    let has_it = |share: &&FirstLayer| share.pairs.contains(&pair);
    let share = shares.iter().find(has_it).expect("each pair is some thread's");
    (&share.inputs[part], &share.errors[pair - share.pairs.start])
}
