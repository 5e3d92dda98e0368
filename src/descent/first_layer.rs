//! The first layer's values, panel by panel.
//!
//! A panel of weights and their velocity stay in the cache of the core that changes
//! them, and so do the outputs and the errors D of its columns.

use std::ops::Range;

use crate::descent::errors::{Backward, PartErrors};
use crate::kernel::aligned::Aligned;
use crate::kernel::columns::InkedColumns;
use crate::kernel::gradients::AddGradient;
use crate::kernel::level::Level;
use crate::kernel::parallel::share;
use crate::kernel::recurring::{AddGradientRecurring, Recurring};
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
    /// The same of each chunk that recurs, where the layer is narrow.
    recurring: Vec<Vec<Recurring>>,
    /// Y of each pair, and D: (images, width).
    outputs: Vec<Aligned>,
    errors: Vec<Aligned>,
}

/// X of a part.
#[derive(Default)]
struct Inputs {
    listed: SparseRows<PixelPair>,
    /// Again, by column; only where the layer is not narrow.
    inked: InkedColumns,
}

impl FirstLayer {
    /// For each of as many threads its share.
    pub(super) fn shares(layer: &PackedLayer, threads: usize) -> Vec<Self> {
        let (_, panels) = panels_of(layer.outputs);
        let new = |number| {
            let pairs = share(panels * threads, threads, number);
            Self {
                inputs: (0..threads).map(|_| Inputs::default()).collect(),
                recurring: Vec::new(),
                outputs: vec![Aligned::default(); pairs.len()],
                errors: vec![Aligned::default(); pairs.len()],
                pairs,
            }
        };
        (0..threads).map(new).collect()
    }

    /// Lays out X of a chunk that recurs, unless it was there before. The numbers of chunks
    /// come in order the first time.
    pub(super) fn lay_out<'a>(
        &mut self,
        chunk: usize,
        parts: &[Part],
        shape: (usize, usize),
        image: impl Fn(usize) -> &'a [u8],
    ) {
        if chunk < self.recurring.len() {
            return;
        }
        let is_own = |part: usize| self.pairs.clone().any(|pair| pair % parts.len() == part);
        let inputs = parts.iter().enumerate().map(|(number, part)| {
            let images = if is_own(number) { part.images.clone() } else { 0..0 };
            Recurring::new(images, shape, &image)
        });
        let inputs = inputs.collect();
        self.recurring.push(inputs);
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

    /// Y = f(X·W + b) of each pair, of what was listed, or of a chunk that recurs.
    pub(super) fn forward(
        &mut self,
        layer: &PackedLayer,
        level: Level,
        parts: &[Part],
        recurs_as: Option<usize>,
    ) {
        for (pair, outputs) in self.pairs.clone().zip(&mut self.outputs) {
            let (panel, part) = (pair / parts.len(), pair % parts.len());
            match recurs_as {
                Some(chunk) => {
                    layer.forward_recurring(level, panel, &self.recurring[chunk][part], outputs);
                }
                None => layer.forward_panel(level, panel, &self.inputs[part].listed, outputs),
            }
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

/// G += Xᵀ·D, for one tile of a narrow layer of as many outputs.
pub(super) fn add_narrow_gradient(
    shares: &[FirstLayer],
    recurs_as: Option<usize>,
    outputs: usize,
    (panel, block): (usize, usize),
    level: Level,
    gradient: &mut [f32],
) {
    let (width, _) = panels_of(outputs);
    for part in 0..shares.len() {
        let (share, errors) = errors_of(shares, panel, part);
        if let Some(chunk) = recurs_as {
            let (inputs, used) = (&share.recurring[chunk][part], outputs);
            level.run(AddGradientRecurring { inputs, block, errors, used, width, gradient });
        } else {
            let inputs = &share.inputs[part].listed;
            level.run(AddGradient { inputs, block, errors, width, gradient });
        }
    }
}

/// X of a part by column, and D of its images for a panel.
pub(super) fn factors(shares: &[FirstLayer], panel: usize, part: usize) -> (&InkedColumns, &[f32]) {
    let (share, errors) = errors_of(shares, panel, part);
    (&share.inputs[part].inked, errors)
}

/// Which share a part is in, for a panel, and D of its images.
fn errors_of(shares: &[FirstLayer], panel: usize, part: usize) -> (&FirstLayer, &[f32]) {
    let pair = panel * shares.len() + part;
    let has_it = |share: &&FirstLayer| share.pairs.contains(&pair);
    let share = shares.iter().find(has_it).expect("each pair is some thread's");
    (share, &share.errors[pair - share.pairs.start])
}
