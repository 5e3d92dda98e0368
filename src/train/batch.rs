//! The step of a batch, in chunks that memory holds.

use crate::dataset::{Dataset, Images};
use crate::descent::{Chunk, Descent, MAX_CHUNK};
use crate::dropout::Dropout;
use crate::kernel::step::Step;
use crate::loss::Loss;
use crate::rng::Rng;
use crate::train::augmented::Augmented;
use crate::train::config::TrainConfig;

/// Cells in a row of the grid that tells where an image has ink, and rows: a word's bits.
const CELLS: usize = 8;

/// The images of a step.
pub(super) struct Batch<'a> {
    /// These and those of the steps that follow, of as many images each but the last.
    pub(super) order: &'a [usize],
    pub(super) batch_size: usize,
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
        let mut labels = [0; MAX_CHUNK];
        // Most trainings need none, and to set them to zero takes a while.
        let mut keys = (config.dropout > 0.0).then_some([0; MAX_CHUNK]);
        let size = descent.chunk(self.recurs);
        let count = self.order.len().min(self.batch_size);
        let chunks = count.div_ceil(size);
        for (number, images) in self.order[..count].chunks(size).enumerate() {
            for (index, &image) in images.iter().enumerate() {
                labels[index] = self.dataset.labels()[image];
                if let Some(keys) = &mut keys {
                    keys[index] = dropout_key(config.seed, self.epoch, image);
                }
            }
            if let Some(augmented) = augmented {
                augmented.fill(descent.pool(), self.dataset, images, config.seed, self.epoch);
            }
            let next = number * size + images.len();
            let after = next + self.chunk_at(next, size);
            let follow = [next, after].map(|start| self.chunk_at(start, size));
            let chunk = Chunk {
                labels: &labels[..images.len()],
                label_smoothing: config.label_smoothing,
                dropout: keys
                    .as_ref()
                    .and_then(|keys| Dropout::new(config.dropout, &keys[..images.len()])),
                batch_size: count,
                is_first: number == 0,
                is_last: number + 1 == chunks,
                recurs_as: self.recurs.then_some(number),
                // They are changed first.
                follow: if augmented.is_some() { [0; 2] } else { follow },
                shape: (self.dataset.images().rows(), self.dataset.images().cols()),
            };
            let augmented = augmented.as_ref();
            let later = &self.order[number * size..];
            let image = |row| match augmented {
                Some(augmented) => augmented.get(row),
                None => self.dataset.images().image(later[row]),
            };
            loss += descent.step(&chunk, step, config.clip_norm, image);
        }
        loss
    }

    /// How many images the chunk has that starts there: as many as a chunk may, and a batch has
    /// left.
    fn chunk_at(&self, start: usize, size: usize) -> usize {
        let left = self.batch_size - start % self.batch_size;
        size.min(left).min(self.order.len() - start)
    }
}

/// All images, in an order in which those with ink at the same places are neighbours: what
/// is done for some at once can pass over more.
pub(super) fn order_by_ink(images: &Images) -> Vec<usize> {
    let (rows, cols) = (images.rows(), images.cols());
    let cell = |pixel: usize| pixel / cols * CELLS / rows * CELLS + pixel % cols * CELLS / cols;
    let cells: Vec<usize> = (0..rows * cols).map(cell).collect();
    let inked_cells = |&image: &usize| {
        let pixels = images.image(image).iter().zip(&cells);
        pixels.fold(0_u64, |inked, (&pixel, cell)| inked | u64::from(pixel != 0) << cell)
    };
    let mut order: Vec<usize> = (0..images.len()).collect();
    order.sort_by_cached_key(inked_cells);
    order
}

/// The key of what an image loses in an epoch. The streams of the shuffles are
/// counted from below, these from above.
fn dropout_key(seed: u64, epoch: u64, image: usize) -> u64 {
    let key = Rng::with_stream(seed, u64::MAX - epoch).next_u64();
    Rng::with_stream(key, image as u64).next_u64()
}
