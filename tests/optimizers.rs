//! Each setting of a training against the few lines of its definition, in f64.
//!
//! The network is softmax alone, so that its gradient fits on one line.

use std::ops::ControlFlow;

use digit_recognizer::{
    Activation, Dataset, Images, NO_CLASS, Network, Optimizer, Schedule, TrainConfig, Trainer,
};

const INPUTS: usize = 5;
const CLASSES: usize = 3;
const STEPS: usize = 7;

fn dataset() -> Dataset {
    let pixels = (0..40 * INPUTS).map(|i| (i * i * 31 % 251) as u8).collect();
    let labels = (0..40).map(|i| (i * 7 % 5 % CLASSES) as u8).collect();
    Dataset::new(Images::new(1, INPUTS, pixels).expect("whole images"), labels).expect("labels")
}

fn start() -> Network {
    Network::new(&[INPUTS, CLASSES], Activation::Relu, 3).expect("sizes")
}

/// The weights, row by row, and then the bias.
fn parameters(network: &Network) -> Vec<f64> {
    let layer = &network.layers()[0];
    let values = layer.weights().as_slice().iter().chain(layer.bias());
    values.map(|&value| f64::from(value)).collect()
}

/// The gradient of the mean cross-entropy with targets that are smoothed.
fn gradient(parameters: &[f64], dataset: &Dataset, smoothing: f64) -> Vec<f64> {
    let mut gradient = vec![0.0; parameters.len()];
    for (image, &label) in dataset.labels().iter().enumerate() {
        let pixels = dataset.images().image(image).iter().map(|&pixel| f64::from(pixel) / 255.0);
        let inputs: Vec<f64> = pixels.chain([1.0]).collect();
        let logit = |j| (0..=INPUTS).map(|i| inputs[i] * parameters[i * CLASSES + j]).sum::<f64>();
        let exps: Vec<f64> = (0..CLASSES).map(|j| logit(j).exp()).collect();
        for j in 0..CLASSES {
            let smoothing = if label == NO_CLASS { 1.0 } else { smoothing };
            let is_label = f64::from(u8::from(j == usize::from(label)));
            let target = (1.0 - smoothing) * is_label + smoothing / CLASSES as f64;
            let error = exps[j] / exps.iter().sum::<f64>() - target;
            for i in 0..=INPUTS {
                gradient[i * CLASSES + j] += inputs[i] * error / dataset.len() as f64;
            }
        }
    }
    gradient
}

/// Full-batch steps, each an epoch.
fn config() -> TrainConfig {
    TrainConfig {
        epochs: STEPS,
        batch_size: usize::MAX,
        learning_rate: 0.5,
        schedule: Schedule::Constant,
        optimizer: Optimizer::Sgd { momentum: 0.0 },
        threads: 2,
        ..Default::default()
    }
}

/// Trains, and compares with a rule that changes the parameters given their
/// gradient and the number of the step.
fn check(config: TrainConfig, rule: impl FnMut(&mut [f64], &[f64], usize)) {
    check_on(&dataset(), config, rule);
}

fn check_on(
    dataset: &Dataset,
    config: TrainConfig,
    mut rule: impl FnMut(&mut [f64], &[f64], usize),
) {
    let mut network = start();
    let mut expected = parameters(&network);
    network.train(dataset, None, &config, |_| ControlFlow::Continue(())).expect("training");
    for step in 1..=STEPS {
        let gradient = gradient(&expected, dataset, f64::from(config.label_smoothing));
        rule(&mut expected, &gradient, step);
    }
    let before = parameters(&start());
    for ((found, expected), before) in parameters(&network).iter().zip(&expected).zip(before) {
        assert!((found - expected).abs() < 1e-5, "{found} for {expected}");
        assert!((expected - before).abs() > 1e-4, "the oracle has not moved");
    }
}

fn descend(parameters: &mut [f64], gradient: &[f64], learning_rate: f64) {
    parameters.iter_mut().zip(gradient).for_each(|(w, g)| *w -= learning_rate * g);
}

#[test]
fn momentum_keeps_a_share_of_the_velocity() {
    let config = TrainConfig { optimizer: Optimizer::Sgd { momentum: 0.8 }, ..config() };
    let mut velocity = [0.0; (INPUTS + 1) * CLASSES];
    check(config, |parameters, gradient, _| {
        for ((w, g), v) in parameters.iter_mut().zip(gradient).zip(&mut velocity) {
            *v = 0.8 * *v - 0.5 * g;
            *w += *v;
        }
    });
}

#[test]
fn adam_steps_by_the_mean_gradient_over_the_root_of_the_mean_square() {
    let optimizer = Optimizer::Adam { beta1: 0.7, beta2: 0.95, epsilon: 1e-3 };
    let config = TrainConfig { optimizer, learning_rate: 0.01, weight_decay: 0.3, ..config() };
    let (mut mean, mut square) = (vec![0.0; 18], vec![0.0; 18]);
    check(config, |parameters, gradient, step| {
        for (i, &g) in gradient.iter().enumerate() {
            mean[i] = 0.7 * mean[i] + 0.3 * g;
            square[i] = 0.95 * square[i] + 0.05 * g * g;
            let corrected = mean[i] / (1.0 - 0.7_f64.powi(step as i32));
            let root = (square[i] / (1.0 - 0.95_f64.powi(step as i32))).sqrt();
            let decayed = (1.0 - 0.01 * 0.3) * parameters[i];
            parameters[i] = decayed - 0.01 * corrected / (root + 1e-3);
        }
    });
}

#[test]
fn weight_decay_takes_its_share_of_each_weight() {
    check(TrainConfig { weight_decay: 0.2, ..config() }, |parameters, gradient, _| {
        parameters.iter_mut().for_each(|w| *w *= 1.0 - 0.5 * 0.2);
        descend(parameters, gradient, 0.5);
    });
}

#[test]
fn label_smoothing_spreads_the_targets() {
    check(TrainConfig { label_smoothing: 0.3, ..config() }, |parameters, gradient, _| {
        descend(parameters, gradient, 0.5);
    });
}

/// The dataset with every third image of no class.
fn with_outliers() -> Dataset {
    let dataset = dataset();
    let label = |(i, &label): (usize, &u8)| if i % 3 == 0 { NO_CLASS } else { label };
    let labels = dataset.labels().iter().enumerate().map(label).collect();
    Dataset::new(dataset.images().clone(), labels).expect("labels")
}

#[test]
fn images_of_no_class_have_the_same_target_for_each_class() {
    for label_smoothing in [0.0, 0.3] {
        let config = TrainConfig { label_smoothing, ..config() };
        check_on(&with_outliers(), config, |parameters, gradient, _| {
            descend(parameters, gradient, 0.5);
        });
    }
}

#[test]
fn images_of_no_class_count_for_the_loss_and_not_for_the_accuracy() {
    let dataset = with_outliers();
    let network = start();
    let (mut loss, mut correct, mut labelled) = (0.0, 0_usize, 0_usize);
    for (image, &label) in dataset.labels().iter().enumerate() {
        let pixels = dataset.images().image(image).iter().map(|&pixel| f32::from(pixel) / 255.0);
        let prediction = network.predict(&pixels.collect::<Vec<_>>());
        let losses: Vec<f64> =
            prediction.probabilities().iter().map(|&p| -f64::from(p).ln()).collect();
        if label == NO_CLASS {
            loss += losses.iter().sum::<f64>() / CLASSES as f64;
        } else {
            loss += losses[usize::from(label)];
            correct += usize::from(prediction.digit() == usize::from(label));
            labelled += 1;
        }
    }
    let mut trainer = Trainer::new(start(), &dataset, None, &config()).expect("settings");
    let epoch = trainer.next_epoch().expect("training").expect("an epoch");
    assert!((epoch.loss - loss / dataset.len() as f64).abs() < 1e-6, "{}", epoch.loss);
    assert!(correct > 0);
    assert_eq!(epoch.accuracy, correct as f64 / labelled as f64);
}

#[test]
fn long_gradients_are_clipped_and_short_ones_are_not() {
    for (clip_norm, clips) in [(0.05, true), (100.0, false)] {
        let config = TrainConfig { clip_norm: Some(clip_norm), ..config() };
        let mut clipped = 0;
        check(config, |parameters, gradient, _| {
            let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
            let scale = (f64::from(clip_norm) / norm).min(1.0);
            clipped += usize::from(scale < 1.0);
            descend(parameters, gradient, 0.5 * scale);
        });
        assert_eq!(clipped, if clips { STEPS } else { 0 });
    }
}

#[test]
fn the_learning_rate_warms_up_and_follows_the_schedule() {
    // Three of seven steps to warm up, four along the line.
    let config = TrainConfig { schedule: Schedule::Linear, warm_up: 0.45, ..config() };
    let shares = [0.25, 0.5, 0.75, 1.0, 0.75, 0.5, 0.25];
    check(config, |parameters, gradient, step| {
        descend(parameters, gradient, 0.5 * shares[step - 1]);
    });
}

#[test]
fn averaged_epochs_give_the_mean_of_their_weights() {
    let dataset = dataset();
    let config = TrainConfig { averaged_epochs: 3, ..config() };
    let mut averaged =
        Trainer::new(start(), &dataset, None, &config).expect("settings in their range");
    let plain = TrainConfig { averaged_epochs: 0, ..config };
    let mut latest = Trainer::new(start(), &dataset, None, &plain).expect("settings");
    let mut last = Vec::new();
    while let (Some(_), Some(epoch)) =
        (averaged.next_epoch().expect("an epoch"), latest.next_epoch().expect("an epoch"))
    {
        let weights = parameters(latest.network());
        if epoch.number <= STEPS - 3 {
            assert_eq!(parameters(averaged.network()), weights, "epoch {}", epoch.number);
        } else {
            last.push(weights);
        }
    }
    assert_eq!(last.len(), 3);
    for (i, found) in parameters(averaged.network()).iter().enumerate() {
        let mean = (last[0][i] + last[1][i] + last[2][i]) / 3.0;
        assert!((found - mean).abs() < 1e-6, "{found} for {mean}");
        assert!((last[2][i] - mean).abs() > 1e-5, "the mean is the last");
    }
}
