//! What every competitor is given, and what it gives back.

use crate::ours::Dataset;

/// 784-`hidden`-10: weights are (inputs, outputs), row after row.
#[derive(Clone)]
pub struct Weights {
    pub hidden: usize,
    pub w1: Vec<f32>,
    pub b1: Vec<f32>,
    pub w2: Vec<f32>,
    pub b2: Vec<f32>,
}

/// A training of 784-`hidden`-10.
#[derive(Debug, Clone, Copy, PartialEq, clap::Args)]
pub struct Job {
    /// Training images: the first ones, or all of them again and again.
    #[arg(long, default_value_t = 60_000)]
    pub images: usize,
    #[arg(long, default_value_t = 128)]
    pub hidden: usize,
    #[arg(long, default_value_t = 64)]
    pub batch: usize,
    #[arg(long, default_value_t = 1)]
    pub epochs: usize,
    #[arg(long, default_value_t = 0.05)]
    pub learning_rate: f32,
    #[arg(long, default_value_t = 0.9)]
    pub momentum: f32,
}

impl Default for Job {
    fn default() -> Self {
        Self {
            images: 60_000,
            hidden: 128,
            batch: 64,
            epochs: 1,
            learning_rate: 0.05,
            momentum: 0.9,
        }
    }
}

impl Job {
    /// The command line of this job.
    pub fn arguments(&self) -> Vec<String> {
        let Self { images, hidden, batch, epochs, learning_rate, momentum } = self;
        vec![
            format!("--images={images}"),
            format!("--hidden={hidden}"),
            format!("--batch={batch}"),
            format!("--epochs={epochs}"),
            format!("--learning-rate={learning_rate}"),
            format!("--momentum={momentum}"),
        ]
    }
}

/// Pixels 0 to 1 in, ten probabilities out.
pub trait Predictor {
    fn one(&mut self, image: &[f32], probabilities: &mut [f32]);
    /// Takes the images for [`many`](Self::many), in the form it wants them.
    fn prepare(&mut self, images: &[f32]);
    fn many(&mut self) -> Vec<f32>;
}

/// The batches of the peers: images in a random order, as `f32` from 0 to 1.
pub struct Batches<'a> {
    dataset: &'a Dataset,
    order: Vec<u32>,
    state: u64,
}

impl<'a> Batches<'a> {
    pub fn new(dataset: &'a Dataset) -> Self {
        Self { dataset, order: (0..dataset.len() as u32).collect(), state: 42 }
    }

    /// Fisher and Yates' shuffle, for an epoch.
    pub fn shuffle(&mut self) {
        for last in (1..self.order.len()).rev() {
            // Knuth's MMIX generator; its high bits are the good ones.
            self.state =
                self.state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let other = ((self.state >> 32) * (last as u64 + 1)) >> 32;
            self.order.swap(last, other as usize);
        }
    }

    /// Calls `step` with each batch's indices.
    pub fn indices(&self, batch: usize) -> impl Iterator<Item = &[u32]> {
        self.order.chunks(batch)
    }

    /// Writes the pixels of images into `inputs`, image after image.
    pub fn gather(&self, indices: &[u32], inputs: &mut [f32]) {
        for (&index, input) in indices.iter().zip(inputs.chunks_exact_mut(784)) {
            for (x, &pixel) in input.iter_mut().zip(self.dataset.images().image(index as usize)) {
                *x = f32::from(pixel) * (1.0 / 255.0);
            }
        }
    }

    pub fn label(&self, index: u32) -> u8 {
        self.dataset.labels()[index as usize]
    }
}
