//! The images of a chunk as they are trained on: each changed anew.

use crate::augment::{Augmentation, Distorter, stream};
use crate::dataset::Dataset;
use crate::kernel::level::Level;
use crate::kernel::parallel::Pool;

/// Distorts images on all cores, and keeps the results.
pub(super) struct Augmented {
    parts: Vec<Part>,
    image_len: usize,
    /// Images of each part.
    share: usize,
}

/// The images that one thread works on.
struct Part {
    distorter: Distorter,
    pixels: Vec<u8>,
}

impl Augmented {
    /// For images like those of `dataset`.
    pub(super) fn new(
        augmentation: Augmentation,
        dataset: &Dataset,
        threads: usize,
        level: Level,
    ) -> Self {
        let (rows, cols) = (dataset.images().rows(), dataset.images().cols());
        let part = || Part {
            distorter: Distorter::new(augmentation, rows, cols, level),
            pixels: Vec::new(),
        };
        Self { parts: (0..threads).map(|_| part()).collect(), image_len: rows * cols, share: 1 }
    }

    /// Takes these images, as `seed` changes them in an epoch.
    pub(super) fn fill(
        &mut self,
        pool: &mut Pool,
        dataset: &Dataset,
        images: &[usize],
        seed: u64,
        epoch: u64,
    ) {
        let (share, len) = (images.len().div_ceil(self.parts.len()), self.image_len);
        self.share = share;
        pool.run_each(&mut self.parts, |index, part| {
            let start = (index * share).min(images.len());
            let images = &images[start..(start + share).min(images.len())];
            part.pixels.resize(images.len() * len, 0);
            for (&image, result) in images.iter().zip(part.pixels.chunks_exact_mut(len)) {
                let (pixels, label) = (dataset.images().image(image), dataset.labels()[image]);
                part.distorter.distort(pixels, label, &mut stream(seed, epoch, image), result);
            }
        });
    }

    /// The image at `row` of the chunk.
    pub(super) fn get(&self, row: usize) -> &[u8] {
        &self.parts[row / self.share].pixels[row % self.share * self.image_len..][..self.image_len]
    }
}
