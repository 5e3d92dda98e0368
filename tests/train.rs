//! Training on data small enough for every test run.

use std::ops::ControlFlow;

use digit_recognizer::{
    Activation, Augmentation, Dataset, Dense, Error, Images, Matrix, Network, Optimizer, Schedule,
    TrainConfig,
};

/// `count` images of 4×4 pixels whose class is the brightest quarter, among noise.
fn quarters(count: usize, seed: u64) -> Dataset {
    let mut state = seed | 1;
    let mut random = |bound: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % bound
    };
    let mut pixels = Vec::new();
    let mut labels = Vec::new();
    for _ in 0..count {
        let class = random(4);
        for y in 0..4 {
            for x in 0..4 {
                let bright = class == y / 2 * 2 + x / 2;
                pixels.push((random(100) + if bright { 60 } else { 0 }) as u8);
            }
        }
        labels.push(class as u8);
    }
    Dataset::new(Images::new(4, 4, pixels).expect("whole images"), labels).expect("labels")
}

fn network(hidden: Activation) -> Network {
    Network::new(&[16, 12, 4], hidden, 3).expect("sizes")
}

fn config() -> TrainConfig {
    TrainConfig {
        epochs: 20,
        batch_size: 16,
        seed: 7,
        schedule: Schedule::Constant,
        threads: 2,
        ..Default::default()
    }
}

fn go_on(_: &digit_recognizer::Epoch) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

#[test]
fn every_activation_learns() {
    let (training, validation) = (quarters(400, 1), quarters(200, 2));
    for hidden in [Activation::Relu, Activation::Tanh, Activation::Sigmoid] {
        let mut network = network(hidden);
        let history =
            network.train(&training, Some(&validation), &config(), go_on).expect("training");
        let (first, last) = (history[0], history[history.len() - 1]);
        assert_eq!((first.number, last.number), (1, 20));
        assert!(last.loss < 0.5 * first.loss, "{hidden:?}: {first:?} {last:?}");
        let measured = network.evaluate(&validation).expect("it fits").accuracy();
        assert_eq!(last.validation_accuracy, Some(measured));
        assert!(measured > 0.9 && last.accuracy > 0.9, "{hidden:?}: {last:?}");
    }
}

#[test]
fn the_first_loss_is_the_untrained_networks() {
    // Full batch: the first epoch's loss and accuracy are those of the start.
    let training = quarters(300, 1);
    let mut network = network(Activation::Relu);
    let before = network.clone();
    let config = TrainConfig { epochs: 1, batch_size: usize::MAX, ..config() };
    let history = network.train(&training, None, &config, go_on).expect("training");

    let mut loss = 0.0;
    for (index, &label) in training.labels().iter().enumerate() {
        let image: Vec<f32> =
            training.images().image(index).iter().map(|&pixel| f32::from(pixel) / 255.0).collect();
        loss -= f64::from(before.predict(&image).probabilities()[usize::from(label)]).ln();
    }
    assert!((history[0].loss - loss / 300.0).abs() < 1e-5, "{history:?}, {}", loss / 300.0);
    assert_eq!(history[0].accuracy, before.evaluate(&training).expect("it fits").accuracy());
    assert_eq!(history[0].validation_accuracy, None);
}

#[test]
fn a_seed_decides_the_result() {
    let training = quarters(100, 1);
    let trained = |seed| {
        let mut network = network(Activation::Relu);
        let config = TrainConfig { seed, epochs: 3, ..config() };
        network.train(&training, None, &config, go_on).expect("training");
        network
    };
    assert_eq!(trained(1), trained(1));
    assert_ne!(trained(1), trained(2));
}

const AUGMENTATION: Augmentation =
    Augmentation { rotation: 20.0, shift: 1.0, alpha: 5.0, sigma: 1.0, ..Augmentation::NONE };

/// The network after an epoch on augmented images, and after one on images that were
/// augmented before.
fn augmented_now_and_before(training: &Dataset, plain: &TrainConfig) -> [Network; 2] {
    let plain = TrainConfig { epochs: 1, ..*plain };
    let trained = |dataset: &Dataset, config: &TrainConfig| {
        let mut network = network(Activation::Relu);
        network.train(dataset, None, config, go_on).expect("training");
        network
    };
    let now = TrainConfig { augmentation: Some(AUGMENTATION), ..plain };
    let before = AUGMENTATION.apply(training, plain.seed, 1).expect("settings");
    assert_ne!(before, *training);
    [trained(training, &now), trained(&before, &plain)]
}

#[test]
fn an_epoch_sees_the_images_that_its_augmentation_gives() {
    let training = quarters(1_500, 1);
    for (batch_size, threads) in [(1, 1), (16, 2), (7, 3), (1_499, 2)] {
        let plain = TrainConfig { batch_size, threads, ..config() };
        let [now, before] = augmented_now_and_before(&training, &plain);
        assert_eq!(now, before, "{batch_size}");
    }
}

#[test]
fn a_full_batch_is_one_step_whatever_the_order() {
    // More images than are in memory as numbers at once, once in the order of what is to
    // be augmented and once of what was: the same step but for rounding.
    let plain = TrainConfig { batch_size: 5_000, ..config() };
    let [now, before] = augmented_now_and_before(&quarters(5_000, 1), &plain);
    assert_ne!(now, before, "the order shows in the last bits");
    for (now, before) in now.layers().iter().zip(before.layers()) {
        for (now, before) in now.weights().as_slice().iter().zip(before.weights().as_slice()) {
            assert!((now - before).abs() < 1e-5, "{now} {before}");
        }
    }
}

#[test]
fn the_caller_can_stop() {
    let mut calls = 0;
    let history = network(Activation::Relu)
        .train(&quarters(50, 1), None, &config(), |epoch| {
            calls += 1;
            if epoch.number == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .expect("training");
    assert_eq!((calls, history.len()), (3, 3));
    assert!(history.iter().all(|epoch| epoch.seconds >= 0.0));
}

#[test]
fn no_epoch_leaves_the_network_as_it_is() {
    let mut trained = network(Activation::Relu);
    let config = TrainConfig { epochs: 0, ..config() };
    let history = trained.train(&quarters(50, 1), None, &config, go_on).expect("training");
    assert!(history.is_empty());
    assert_eq!(trained, network(Activation::Relu));
}

#[test]
fn a_diverging_training_says_where_and_keeps_the_last_good_weights() {
    let mut trained = network(Activation::Relu);
    let config = TrainConfig { learning_rate: 1.0e30, ..config() };
    let error = trained.train(&quarters(100, 1), None, &config, go_on).expect_err("divergence");
    assert!(matches!(error, Error::Diverged { epoch: 1, step: 2.. }), "{error}");
    assert_eq!(trained, network(Activation::Relu));
}

#[test]
fn weights_that_diverge_in_the_last_step_are_an_error_too() {
    // One step: its loss is taken before it, and is finite. Large weights above
    // give the layer below a gradient that no f32 holds once it is scaled.
    let layer = |rows, cols, value, activation| {
        let weights = Matrix::from_fn(rows, cols, |i, j| value * (1.0 + ((i + j) % 3) as f32));
        Dense::new(weights, vec![0.0; cols], activation)
    };
    let layers = vec![layer(16, 5, 0.1, Activation::Relu), layer(5, 4, 1.0e20, Activation::Linear)];
    let start = Network::from_layers(layers).expect("layers that chain");
    let mut trained = start.clone();
    let config = TrainConfig { learning_rate: 1.0e30, epochs: 1, batch_size: 100, ..config() };
    let error = trained.train(&quarters(100, 1), None, &config, go_on).expect_err("divergence");
    assert!(matches!(error, Error::Diverged { epoch: 1, step: 1 }), "{error}");
    assert_eq!(trained, start);
}

#[test]
fn settings_outside_their_range_are_errors() {
    let wrong = Augmentation { rotation: 90.0, ..Augmentation::NONE };
    let adam = |beta1, beta2, epsilon| Optimizer::Adam { beta1, beta2, epsilon };
    let cases = [
        (TrainConfig { batch_size: 0, ..config() }, "batch_size"),
        (TrainConfig { learning_rate: 0.0, ..config() }, "learning_rate"),
        (TrainConfig { learning_rate: f32::NAN, ..config() }, "learning_rate"),
        (TrainConfig { learning_rate: f32::INFINITY, ..config() }, "learning_rate"),
        (TrainConfig { optimizer: Optimizer::Sgd { momentum: 1.0 }, ..config() }, "momentum"),
        (TrainConfig { optimizer: Optimizer::Sgd { momentum: -0.1 }, ..config() }, "momentum"),
        (TrainConfig { threads: usize::MAX, ..config() }, "threads"),
        (TrainConfig { warm_up: 1.0, ..config() }, "warm_up"),
        (TrainConfig { weight_decay: -0.1, ..config() }, "weight_decay"),
        (TrainConfig { weight_decay: 10.0, ..config() }, "weight_decay"),
        (TrainConfig { clip_norm: Some(0.0), ..config() }, "clip_norm"),
        (TrainConfig { label_smoothing: 1.0, ..config() }, "label_smoothing"),
        (TrainConfig { dropout: 1.0, ..config() }, "dropout"),
        (TrainConfig { dropout: f32::NAN, ..config() }, "dropout"),
        (TrainConfig { patience: Some(0), ..config() }, "patience"),
        (TrainConfig { augmentation: Some(wrong), ..config() }, "rotation"),
        (TrainConfig { optimizer: adam(1.0, 0.9, 1e-8), ..config() }, "beta1"),
        (TrainConfig { optimizer: adam(0.9, -0.1, 1e-8), ..config() }, "beta2"),
        (TrainConfig { optimizer: adam(0.9, 0.9, 0.0), ..config() }, "epsilon"),
    ];
    for (config, name) in cases {
        let result = network(Activation::Relu).train(&quarters(10, 1), None, &config, go_on);
        match result {
            Err(Error::InvalidConfig { field, .. }) => assert_eq!(field, name),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn data_that_does_not_fit_is_an_error() {
    let mut network = Network::new(&[4, 3, 4], Activation::Relu, 1).expect("sizes");
    let result = network.train(&quarters(10, 1), None, &config(), go_on);
    assert!(matches!(result, Err(Error::Mismatch { .. })), "{result:?}");
    let nothing = quarters(10, 1).slice(0..0);
    let result = self::network(Activation::Relu).train(&nothing, None, &config(), go_on);
    let text = result.expect_err("an error").to_string();
    assert!(text.contains("at least one") && text.contains("none"), "{text}");
}
