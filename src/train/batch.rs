//! The step of a batch, in chunks that memory holds.

use crate::dataset::Dataset;
use crate::descent::{Chunk, Descent};
use crate::dropout::Dropout;
use crate::kernel::prefetch::prefetch;
use crate::kernel::step::Step;
use crate::loss::Loss;
use crate::pass::CHUNK;
use crate::rng::Rng;
use crate::train::augmented::Augmented;
use crate::train::config::TrainConfig;

/// For how many images the page is looked up at once. Images in random order are on
/// pages that the processor does not remember; it looks up several side by side, but
/// waits for each where they are asked for one by one.
const PAGES: usize = 16;

/// The images of a step.
pub(super) struct Batch<'a> {
    /// These and those of the steps that follow.
    pub(super) order: &'a [usize],
    /// How many these are.
    pub(super) size: usize,
    pub(super) dataset: &'a Dataset,
    pub(super) epoch: u64,
    /// Whether those of each step are the same, in the same order.
    pub(super) recurs: bool,
}

impl Batch<'_> {
    /// Takes the step; returns the loss before it.
    pub(super) fn take_step(
        &self,
        descent: &mut Descent,
        augmented: &mut Option<Augmented>,
        config: &TrainConfig,
        step: Step,
    ) -> Loss {
        let mut loss = Loss::default();
        let mut labels = [0; CHUNK];
        let mut keys = [0; CHUNK];
        let chunks = self.size.div_ceil(CHUNK);
        for (number, images) in self.order[..self.size].chunks(CHUNK).enumerate() {
            for (index, &image) in images.iter().enumerate() {
                labels[index] = self.dataset.labels()[image];
                if config.dropout > 0.0 {
                    keys[index] = dropout_key(config.seed, self.epoch, image);
                }
            }
            if let Some(augmented) = augmented {
                augmented.fill(descent.pool(), self.dataset, images, config.seed, self.epoch);
            }
            let chunk = Chunk {
                labels: &labels[..images.len()],
                label_smoothing: config.label_smoothing,
                dropout: Dropout::new(config.dropout, &keys[..images.len()]),
                batch_size: self.size,
                is_first: number == 0,
                is_last: number + 1 == chunks,
                recurs_as: self.recurs.then_some(number),
            };
            let augmented = augmented.as_ref();
            let later = &self.order[number * CHUNK..];
            let announce = |row: usize| {
                if augmented.is_some() || row >= later.len() {
                    return;
                }
                let pixels = |&image: &usize| self.dataset.images().image(image);
                if row.is_multiple_of(PAGES) {
                    let pages = later[row..].iter().take(PAGES);
                    pages.for_each(|image| prefetch(&pixels(image)[..1]));
                }
                prefetch(pixels(&later[row]));
            };
            let image = |row| match augmented {
                Some(augmented) => augmented.get(row),
                None => self.dataset.images().image(images[row]),
            };
            loss += descent.step(&chunk, step, config.clip_norm, announce, image);
        }
        loss
    }
}

/// The key of what an image loses in an epoch. The streams of the shuffles are
/// counted from below, these from above.
fn dropout_key(seed: u64, epoch: u64, image: usize) -> u64 {
    let key = Rng::with_stream(seed, u64::MAX - epoch).next_u64();
    Rng::with_stream(key, image as u64).next_u64()
}
