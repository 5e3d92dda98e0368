//! The same bits at every level, on any number of threads, on every machine.

#![cfg(feature = "gzip")]

use std::ops::ControlFlow;

use digit_recognizer::mnist::{self, Split};
use digit_recognizer::{
    Activation, Augmentation, Dataset, Images, Level, Matrix, Network, Optimizer, Predictor,
    Schedule, TrainConfig,
};

/// The hash of [`reference_training`]'s weights and biases. It was computed on x86-64
/// with AVX-512; every machine must find it again.
const REFERENCE: u64 = 0x3575_3454_6015_f3b7;

fn sample() -> Dataset {
    mnist::load("fixtures/mnist", Split::Train).expect("the sample of MNIST")
}

/// As many images: those of the sample, again and again.
fn images(count: usize) -> Dataset {
    let sample = sample();
    let numbers = (0..count).map(|number| number % sample.len());
    let pixels = numbers.clone().flat_map(|number| sample.images().image(number).to_vec());
    let images = Images::new(28, 28, pixels.collect()).expect("whole images");
    let labels = numbers.map(|number| sample.labels()[number]);
    Dataset::new(images, labels.collect()).expect("a label for each")
}

/// The bytes of all weights and biases after training on the sample.
fn trained(sizes: &[usize], hidden: Activation, images: usize, config: &TrainConfig) -> Vec<u8> {
    let mut network = Network::new(sizes, hidden, 5).expect("sizes");
    let dataset = self::images(images);
    network.train(&dataset, None, config, |_| ControlFlow::Continue(())).expect("training");
    let layers = network.layers().iter();
    let values = layers.flat_map(|layer| layer.weights().as_slice().iter().chain(layer.bias()));
    values.flat_map(|value| value.to_le_bytes()).collect()
}

/// FNV-1a, 64 bits: <http://www.isthe.com/chongo/tech/comp/fnv/>.
fn hash(bytes: &[u8], state: u64) -> u64 {
    bytes.iter().fold(state, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The hash of the bytes of some runs, one after the other.
fn hash_of_all(runs: &[Vec<u8>]) -> u64 {
    runs.iter().fold(0xcbf2_9ce4_8422_2325, |state, bytes| hash(bytes, state))
}

/// One run of everything whose bits could differ: each activation, a batch that
/// goes through in chunks, a last batch that is not full, both schedules, layers
/// of several panels.
fn reference_training(level: Level, threads: usize) -> u64 {
    let config = TrainConfig {
        epochs: 2,
        learning_rate: 0.05,
        schedule: Schedule::Constant,
        level: Some(level),
        threads,
        ..Default::default()
    };
    let runs = [
        trained(
            &[784, 72, 40, 10],
            Activation::Relu,
            1_111,
            &TrainConfig { batch_size: 64, schedule: Schedule::Linear, ..config },
        ),
        trained(&[784, 17, 10], Activation::Tanh, 500, &TrainConfig { batch_size: 100, ..config }),
        trained(
            &[784, 24, 10],
            Activation::Sigmoid,
            300,
            &TrainConfig { batch_size: 7, optimizer: Optimizer::Sgd { momentum: 0.0 }, ..config },
        ),
        trained(
            &[784, 10, 10],
            Activation::Relu,
            4_500,
            &TrainConfig { batch_size: 4_500, ..config },
        ),
    ];
    hash_of_all(&runs)
}

#[test]
fn images_that_recur_give_the_same_bits_as_seen_for_the_first_time() {
    // Chunk after chunk, where the first layer is narrow and where it is not.
    for (hidden, count) in [(10, 4_500), (40, 2_000)] {
        let config = TrainConfig {
            epochs: 3,
            batch_size: count,
            optimizer: Optimizer::Sgd { momentum: 0.0 },
            schedule: Schedule::Constant,
            threads: 3,
            ..Default::default()
        };
        let dataset = images(count);
        let train = |network: &mut Network, epochs| {
            let config = TrainConfig { epochs, ..config };
            network
                .train(&dataset, None, &config, |_| ControlFlow::Continue(()))
                .expect("training");
        };
        let mut at_once = Network::new(&[784, hidden, 10], Activation::Relu, 5).expect("sizes");
        let mut one_by_one = at_once.clone();
        train(&mut at_once, config.epochs);
        (0..config.epochs).for_each(|_| train(&mut one_by_one, 1));
        assert!(at_once == one_by_one, "{hidden} hidden units");
    }
}

#[test]
fn panels_that_threads_share_give_the_same_bits() {
    // Of three panels two threads have one and a half each, and four have less than one; three
    // keep theirs from step to step, and so does one.
    let config = TrainConfig { epochs: 2, ..Default::default() };
    let cases = [
        (10, TrainConfig { batch_size: 64, ..config }),
        (10, TrainConfig { batch_size: 300, ..config }),
        (10, TrainConfig { dropout: 0.2, ..config }),
        (10, TrainConfig { clip_norm: Some(0.1), ..config }),
        // A wide layer after the first, of two panels.
        (70, config),
    ];
    for (outputs, config) in cases {
        let run = |threads| {
            let config = TrainConfig { threads, ..config };
            trained(&[784, 140, outputs], Activation::Relu, 500, &config)
        };
        let expected = run(1);
        for threads in 2..6 {
            assert!(run(threads) == expected, "{outputs} outputs, {threads} threads, {config:?}");
        }
    }
}

/// Compares the hash of a run with the one in the repository.
fn assert_hash(expected: u64, run: impl Fn(Level, usize) -> u64) {
    for level in Level::available() {
        // The portable level is slow where it has no fused multiply-add.
        for threads in [1, 2, 3, 8] {
            let found = run(level, threads);
            assert_eq!(found, expected, "{level} on {threads} threads: {found:#018x}");
        }
    }
}

#[test]
fn training_gives_the_same_bits_at_every_level_on_any_number_of_threads() {
    let best = Level::best();
    assert!(Level::available().any(|level| level == best));
    assert_hash(REFERENCE, reference_training);
}

/// The hash of [`regularised_training`]'s parameters, computed in the same way.
const REGULARISED: u64 = 0x37d5_45af_b7df_db0b;

/// One run of what the reference training leaves out: Adam and decay, the other
/// schedules, augmentation, dropout, smoothing, clipping and averaging, in batches
/// of one chunk and of two.
fn regularised_training(level: Level, threads: usize) -> u64 {
    let config = TrainConfig {
        epochs: 2,
        optimizer: Optimizer::ADAM,
        learning_rate: 0.002,
        schedule: Schedule::Cosine,
        warm_up: 0.2,
        weight_decay: 0.01,
        dropout: 0.3,
        label_smoothing: 0.1,
        augmentation: Some(Augmentation { shift: 1.0, stroke: 0.3, ..Augmentation::default() }),
        averaged_epochs: 2,
        level: Some(level),
        threads,
        ..Default::default()
    };
    let clipped = TrainConfig {
        optimizer: Optimizer::Sgd { momentum: 0.9 },
        schedule: Schedule::OneCycle,
        batch_size: 1_100,
        clip_norm: Some(0.1),
        ..config
    };
    let runs = [
        trained(&[784, 72, 300, 10], Activation::Relu, 300, &config),
        trained(&[784, 17, 20, 10], Activation::Tanh, 1_200, &clipped),
    ];
    hash_of_all(&runs)
}

#[test]
fn regularised_training_gives_the_same_bits_too() {
    assert_hash(REGULARISED, regularised_training);
}

/// The hash of [`large_batches`]' parameters, computed in the same way.
const LARGE_BATCHES: u64 = 0xbf65_39a4_66ee_8657;

/// A first layer of two panels, whose gradient is added up by columns, in batches of more
/// images than a word has bits: in one turn, in two, and in two chunks of some.
fn large_batches(level: Level, threads: usize) -> u64 {
    let runs = [100, 200, 1_100].map(|batch_size| {
        let config = TrainConfig {
            epochs: 1,
            batch_size,
            learning_rate: 0.05,
            level: Some(level),
            threads,
            ..Default::default()
        };
        trained(&[784, 72, 10], Activation::Relu, 1_200, &config)
    });
    hash_of_all(&runs)
}

#[test]
fn training_in_large_batches_gives_the_same_bits_too() {
    assert_hash(LARGE_BATCHES, large_batches);
}

#[test]
fn the_test_tells_one_bit() {
    let mut weights = trained(&[784, 17, 10], Activation::Relu, 50, &TrainConfig::default());
    let before = hash(&weights, 1);
    weights[1_000] ^= 1;
    assert_ne!(hash(&weights, 1), before);
}

#[test]
fn prediction_gives_the_same_bits_alone_and_among_others() {
    let dataset = sample();
    let images = dataset.images().slice(0..1_200);
    let inputs = Matrix::from_fn(images.len(), 784, |i, j| f32::from(images.image(i)[j]) / 255.0);
    for hidden in [Activation::Relu, Activation::Tanh, Activation::Sigmoid] {
        let network = Network::new(&[784, 300, 33, 10], hidden, 8).expect("sizes");
        let expected = network.predict_batch(&inputs);
        for level in Level::available() {
            for threads in [1, 2, 3, 8] {
                let mut predictor = Predictor::with_level(&network, threads, level);
                let mut found = Matrix::default();
                predictor.predict_batch(&inputs, &mut found);
                assert_eq!(found, expected, "{level} on {threads} threads");
                predictor.predict_images(&images, &mut found).expect("784 pixels");
                assert_eq!(found, expected, "{level} on {threads} threads, from bytes");
                for image in [0, 1, 777] {
                    let alone = predictor.predict(inputs.row(image));
                    assert_eq!(alone, expected.row(image), "{level} on {threads} threads");
                }
            }
        }
        for image in [0, 9, 1_199] {
            let alone = network.predict(inputs.row(image));
            assert_eq!(alone.probabilities(), expected.row(image));
        }
    }
}
