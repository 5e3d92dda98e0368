//! Every call of digit-recognizer: what changes there is adapted here.

use std::ops::ControlFlow;
use std::path::Path;

use digit_recognizer::mnist::{self, Split};
use digit_recognizer::{
    Activation, Dense, Images, Matrix, Network, Optimizer, Predictor as Packed, Schedule, TrainConfig,
};

use crate::job::{Job, Predictor, Weights};

pub use digit_recognizer::Dataset;

/// The numbers of threads that training can be told to use.
pub const THREADS: &[usize] = &[1, 2];

pub type Result<T> = digit_recognizer::Result<T>;

pub fn load_training(data: &Path) -> Result<Dataset> {
    mnist::load(data, Split::Train)
}

pub fn load_test(data: &Path) -> Result<Dataset> {
    mnist::load(data, Split::Test)
}

/// The first `count` images, from the first again where there are fewer.
pub fn cycled(dataset: &Dataset, count: usize) -> Result<Dataset> {
    let images = dataset.images();
    let bytes = count * images.image_len();
    let pixels = images.pixels().iter().copied().cycle().take(bytes).collect();
    let labels = dataset.labels().iter().copied().cycle().take(count).collect();
    Dataset::new(Images::new(images.rows(), images.cols(), pixels)?, labels)
}

/// The weights that all start from.
pub fn initial(hidden: usize) -> Result<Weights> {
    Ok(to_weights(&Network::new(&[784, hidden, 10], Activation::Relu, 42)?))
}

pub fn train(initial: &Weights, dataset: &Dataset, job: &Job, threads: usize) -> Result<Weights> {
    let config = TrainConfig {
        epochs: job.epochs,
        batch_size: job.batch,
        learning_rate: job.learning_rate,
        optimizer: Optimizer::Sgd { momentum: job.momentum },
        seed: 42,
        schedule: Schedule::Constant,
        threads,
        ..TrainConfig::default()
    };
    let mut network = to_network(initial)?;
    network.train(dataset, None, &config, |_| ControlFlow::Continue(()))?;
    Ok(to_weights(&network))
}

pub fn accuracy(weights: &Weights, test: &Dataset) -> Result<f64> {
    Ok(to_network(weights)?.evaluate(test)?.accuracy())
}

/// A network that is packed once, as the peers keep a plan or a session.
pub fn predictor(weights: &Weights, threads: usize) -> Result<Box<dyn Predictor>> {
    let network = to_network(weights)?;
    Ok(Box::new(PackedOnce { packed: Packed::new(&network, threads), images: Matrix::default() }))
}

struct PackedOnce {
    packed: Packed,
    images: Matrix,
}

impl Predictor for PackedOnce {
    fn one(&mut self, image: &[f32], probabilities: &mut [f32]) {
        probabilities.copy_from_slice(self.packed.predict(image));
    }

    fn prepare(&mut self, images: &[f32]) {
        self.images = to_matrix(images);
    }

    fn many(&mut self) -> Vec<f32> {
        let mut probabilities = Matrix::default();
        self.packed.predict_batch(&self.images, &mut probabilities);
        probabilities.as_slice().to_vec()
    }
}

/// The short way, which packs the network for each call.
pub fn network_predictor(weights: &Weights) -> Result<Box<dyn Predictor>> {
    Ok(Box::new(PackedEachTime { network: to_network(weights)?, images: Matrix::default() }))
}

struct PackedEachTime {
    network: Network,
    images: Matrix,
}

impl Predictor for PackedEachTime {
    fn one(&mut self, image: &[f32], probabilities: &mut [f32]) {
        probabilities.copy_from_slice(self.network.predict(image).probabilities());
    }

    fn prepare(&mut self, images: &[f32]) {
        self.images = to_matrix(images);
    }

    fn many(&mut self) -> Vec<f32> {
        self.network.predict_batch(&self.images).as_slice().to_vec()
    }
}

fn to_matrix(images: &[f32]) -> Matrix {
    Matrix::from_vec(images.len() / 784, 784, images.to_vec())
}

/// The operands of a matrix product, and where it goes.
pub struct Product {
    a: Matrix,
    b: Matrix,
    c: Matrix,
}

impl Product {
    /// `a` and `b` as they are stored: (rows, columns, elements).
    pub fn new(a: (usize, usize, &[f32]), b: (usize, usize, &[f32])) -> Self {
        let matrix = |(rows, cols, data): (usize, usize, &[f32])| {
            Matrix::from_vec(rows, cols, data.to_vec())
        };
        Self { a: matrix(a), b: matrix(b), c: Matrix::default() }
    }

    pub fn compute(&mut self, a_transposed: bool, b_transposed: bool) -> &[f32] {
        match (a_transposed, b_transposed) {
            (false, false) => self.a.multiply_into(&self.b, &mut self.c),
            (true, false) => self.a.transpose_multiply_into(&self.b, &mut self.c),
            (false, true) => self.a.multiply_transpose_into(&self.b, &mut self.c),
            (true, true) => unreachable!("training has no such product"),
        }
        self.c.as_slice()
    }
}

fn to_network(weights: &Weights) -> Result<Network> {
    let layer = |rows, cols, weights: &[f32], bias: &[f32], activation| {
        Dense::new(Matrix::from_vec(rows, cols, weights.to_vec()), bias.to_vec(), activation)
    };
    let Weights { hidden, w1, b1, w2, b2 } = weights;
    Network::from_layers(vec![
        layer(784, *hidden, w1, b1, Activation::Relu),
        layer(*hidden, 10, w2, b2, Activation::Linear),
    ])
}

fn to_weights(network: &Network) -> Weights {
    let [first, second] = network.layers() else { unreachable!("two layers") };
    Weights {
        hidden: first.outputs(),
        w1: first.weights().as_slice().to_vec(),
        b1: first.bias().to_vec(),
        w2: second.weights().as_slice().to_vec(),
        b2: second.bias().to_vec(),
    }
}
