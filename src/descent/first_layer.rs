//! The first layer's values, panel by panel.
//!
//! A panel of weights and their velocity stay in the cache of the core that changes
//! them, and so do the outputs and the errors D of its columns.

use std::ops::Range;

use crate::descent::errors::{Backward, PartErrors};
use crate::kernel::aligned::Aligned;
use crate::kernel::columns::InkedColumns;
use crate::kernel::entry::Pixel;
use crate::kernel::gradients::{AddGradient, Factors};
use crate::kernel::level::Level;
use crate::kernel::parallel::share;
use crate::kernel::recurring::{AddGradientRecurring, Recurring};
use crate::kernel::sparse::SparseRows;
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
    listed: Vec<SparseRows<Pixel>>,
    /// Again, by column, of all of these parts; only where the layer is not narrow.
    inked: InkedColumns,
    /// X of each part of each chunk that recurs, where the layer is narrow.
    recurring: Vec<Vec<Recurring>>,
    /// Y of each pair: (images, width).
    outputs: Vec<Aligned>,
    /// D of each panel that is in these pairs: (images of the chunk, width).
    errors: Vec<Aligned>,
}

impl FirstLayer {
    /// For each of as many threads its share.
    pub(super) fn shares(layer: &PackedLayer, threads: usize) -> Vec<Self> {
        let (_, panels) = panels_of(layer.outputs);
        let new = |number| {
            let pairs = share(panels * threads, threads, number);
            Self {
                listed: (0..threads).map(|_| SparseRows::default()).collect(),
                inked: InkedColumns::default(),
                recurring: Vec::new(),
                outputs: vec![Aligned::default(); pairs.len()],
                errors: vec![
                    Aligned::default();
                    pairs.end.div_ceil(threads) - pairs.start / threads
                ],
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
        layer: &PackedLayer,
        level: Level,
        parts: &[Part],
        shape: (usize, usize),
        image: impl Fn(usize) -> &'a [u8],
    ) {
        if chunk < self.recurring.len() {
            return;
        }
        let (width, _) = panels_of(layer.outputs);
        let is_own = |part: usize| self.pairs.clone().any(|pair| pair % parts.len() == part);
        let inputs = parts.iter().enumerate().map(|(number, part)| {
            let images = if is_own(number) { part.images.clone() } else { 0..0 };
            Recurring::new(images, shape, width, level, &image)
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
        let (first, count) = if self.has_all(parts.len()) {
            // Each thread begins with another, so that they do not wait for the same memory.
            (number, parts.len())
        } else {
            (self.pairs.start % parts.len(), self.pairs.len())
        };
        let own = (first..first + count).map(|part| part % parts.len());
        let images: usize = own.clone().map(|part| parts[part].images.len()).sum();
        let (start, all) = (parts[first].images.start, parts[parts.len() - 1].images.end);
        let shape = (layer.inputs + 1, panels_of(layer.outputs).0);
        for part in own.clone() {
            self.listed[part].fill(level, parts[part].images.clone(), shape, |number| {
                let later = (number + all - start) % all + PREFETCH;
                // After its last one, a thread's first of the next batch.
                let (chunk, later) =
                    if later < images { (0, later) } else { (all, later - images) };
                announce(chunk + (start + later) % all);
                image(number)
            });
        }
        if !layer.is_narrow() {
            // While the images are in the cache.
            let own = own.map(|part| parts[part].images.clone());
            self.inked.fill(level, (all, layer.inputs + 1), own, image);
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
                None => layer.forward_panel(level, panel, &self.listed[part], outputs),
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
    pub(super) fn take_errors(&mut self, parts: &[Part], width: usize, errors: &[PartErrors]) {
        for_each_pair(&self.pairs, parts, width, &mut self.errors, |panel, part, own| {
            own.copy_from_slice(&errors[part].layers[0][panel]);
        });
    }

    /// D, from the errors of the second layer.
    pub(super) fn backward(
        &mut self,
        backward: &Backward<'_>,
        parts: &[Part],
        errors: &[PartErrors],
    ) {
        let (width, _) = panels_of(backward.layer.outputs);
        for_each_pair(&self.pairs, parts, width, &mut self.errors, |panel, part, own| {
            let above = &errors[part];
            backward.run(panel, &parts[part], &above.layers[1], &above.listed[1], own);
        });
    }

    /// Whether it has all parts of some panel, so that it lists all.
    fn has_all(&self, count: usize) -> bool {
        self.pairs.len() >= count
    }

    /// Which parts it has of a panel.
    fn parts_of(&self, panel: usize, count: usize) -> Range<usize> {
        let all = panel * count..(panel + 1) * count;
        let place = |pair: usize| pair.clamp(all.start, all.end) - all.start;
        place(self.pairs.start)..place(self.pairs.end)
    }

    /// D of a panel.
    fn errors(&self, panel: usize, count: usize) -> &[f32] {
        &self.errors[panel - self.pairs.start / count]
    }
}

/// Calls `fill` with each of the pairs and its D, which are in those of the panels.
fn for_each_pair(
    pairs: &Range<usize>,
    parts: &[Part],
    width: usize,
    errors: &mut [Aligned],
    fill: impl Fn(usize, usize, &mut [f32]),
) {
    let (count, images) = (parts.len(), parts[parts.len() - 1].images.end);
    errors.iter_mut().for_each(|errors| errors.resize(images * width));
    for pair in pairs.clone() {
        let (panel, part) = (pair / count, pair % count);
        let Range { start, end } = parts[part].images;
        let errors = &mut errors[panel - pairs.start / count];
        fill(panel, part, &mut errors[start * width..end * width]);
    }
}

/// G += Xᵀ·D, for one tile of a narrow layer of as many outputs.
pub(super) fn add_narrow_gradient(
    shares: &[FirstLayer],
    parts: &[Part],
    recurs_as: Option<usize>,
    outputs: usize,
    (panel, block): (usize, usize),
    level: Level,
    gradient: &mut [f32],
) {
    let (width, _) = panels_of(outputs);
    for share in shares {
        for part in share.parts_of(panel, parts.len()) {
            let Range { start, end } = parts[part].images;
            let errors = &share.errors(panel, parts.len())[start * width..end * width];
            if let Some(chunk) = recurs_as {
                let (inputs, used) = (&share.recurring[chunk][part], outputs);
                level.run(AddGradientRecurring { inputs, block, errors, used, width, gradient });
            } else {
                let inputs = &share.listed[part];
                level.run(AddGradient { inputs, block, errors, width, gradient });
            }
        }
    }
}

/// Where each share has listed all images, brings D of a panel that is in two of them together
/// in the first.
pub(super) fn join_errors(shares: &mut [FirstLayer], parts: &[Part], width: usize) {
    for index in 1..shares.len() {
        let (before, after) = shares.split_at_mut(index);
        let (first, second) = (&mut before[index - 1], &after[0]);
        let part = second.pairs.start % parts.len();
        if part == 0 || !first.has_all(parts.len()) {
            continue;
        }
        let start = parts[part].images.start * width;
        if let (Some(to), Some(from)) = (first.errors.last_mut(), second.errors.first()) {
            to[start..].copy_from_slice(&from[start..]);
        }
    }
}

/// X and D of all images, for a panel, once D was joined.
pub(super) fn factors<'a>(
    shares: &'a [FirstLayer],
    parts: &'a [Part],
    panel: usize,
) -> impl Iterator<Item = Factors<'a>> + Clone {
    shares.iter().filter_map(move |share| {
        let own = match share.parts_of(panel, parts.len()) {
            own if !share.has_all(parts.len()) => own,
            own if own.start == 0 && !own.is_empty() => 0..parts.len(),
            _ => return None,
        };
        let images = parts.get(own)?;
        let images = images.first()?.images.start..images.last()?.images.end;
        let errors = share.errors(panel, parts.len());
        Some(Factors { inputs: &share.inked, images, errors })
    })
}
