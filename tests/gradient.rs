//! Back-propagation against central differences, for every kind of layer.
//!
//! A full-batch step without momentum moves each parameter by −η times its
//! gradient, so the gradient is read off a step. Its oracle is the loss, written
//! down again here in f64 and differentiated numerically.

use std::ops::ControlFlow;

use digit_recognizer::{
    Activation, Dataset, Dense, Images, Matrix, Network, Optimizer, TrainConfig,
};

/// A layer's weights (inputs × outputs, row by row) and bias, in f64.
#[derive(Clone)]
struct Layer {
    weights: Vec<f64>,
    bias: Vec<f64>,
    activation: Activation,
}

fn activate(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::Relu => x.max(0.0),
        Activation::Tanh => x.tanh(),
        Activation::Sigmoid => 1.0 / (1.0 + (-x).exp()),
        _ => x,
    }
}

/// The mean cross-entropy of the images.
fn loss(layers: &[Layer], dataset: &Dataset) -> f64 {
    let mut sum = 0.0;
    for (index, &label) in dataset.labels().iter().enumerate() {
        let image = dataset.images().image(index);
        let mut values: Vec<f64> = image.iter().map(|&pixel| f64::from(pixel) / 255.0).collect();
        for layer in layers {
            let outputs = layer.bias.len();
            let output = |j: usize| {
                let products = values.iter().enumerate();
                let sum: f64 = products.map(|(i, x)| x * layer.weights[i * outputs + j]).sum();
                activate(layer.activation, sum + layer.bias[j])
            };
            values = (0..outputs).map(output).collect();
        }
        let sum_exp: f64 = values.iter().map(|logit| logit.exp()).sum();
        sum += sum_exp.ln() - values[usize::from(label)];
    }
    sum / dataset.len() as f64
}

fn in_f64(network: &Network) -> Vec<Layer> {
    let widen = |values: &[f32]| values.iter().map(|&value| f64::from(value)).collect();
    let layer = |layer: &Dense| Layer {
        weights: widen(layer.weights().as_slice()),
        bias: widen(layer.bias()),
        activation: layer.activation(),
    };
    network.layers().iter().map(layer).collect()
}

/// All parameters of a layer.
fn parameters(layer: &Layer) -> Vec<f64> {
    layer.weights.iter().chain(&layer.bias).copied().collect()
}

fn set_parameter(layer: &mut Layer, index: usize, value: f64) {
    match index.checked_sub(layer.weights.len()) {
        None => layer.weights[index] = value,
        Some(index) => layer.bias[index] = value,
    }
}

fn check(sizes: &[usize], hidden: Activation) {
    let mut state = 12345_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        state >> 33
    };
    // Images for each thread, so that the gradient is gathered from several
    // parts.
    let pixels: Vec<u8> = (0..300 * sizes[0]).map(|_| random() as u8).collect();
    let classes = sizes[sizes.len() - 1] as u64;
    let labels = (0..300).map(|_| (random() % classes) as u8).collect();
    let images = Images::new(1, sizes[0], pixels).expect("whole images");
    let dataset = Dataset::new(images, labels).expect("a label for each");

    // A random bias too: with a bias of 0, an error in its use would not show.
    let start = Network::new(sizes, hidden, 9).expect("sizes");
    let with_bias = start.layers().iter().map(|layer| {
        let bias = (0..layer.outputs()).map(|j| 0.1 * (j as f32 - 1.0)).collect();
        let weights = Matrix::clone(layer.weights());
        Dense::new(weights, bias, layer.activation())
    });
    let start = Network::from_layers(with_bias.collect()).expect("the same layers");

    let mut stepped = start.clone();
    let config = TrainConfig {
        epochs: 1,
        batch_size: 300,
        learning_rate: 1.0,
        optimizer: Optimizer::Sgd { momentum: 0.0 },
        ..Default::default()
    };
    stepped.train(&dataset, None, &config, |_| ControlFlow::Continue(())).expect("a step");

    let (before, after) = (in_f64(&start), in_f64(&stepped));
    for (l, (before_layer, after_layer)) in before.iter().zip(&after).enumerate() {
        let (before_layer, after_layer) = (parameters(before_layer), parameters(after_layer));
        let mut largest: f64 = 0.0;
        for (index, (&from, to)) in before_layer.iter().zip(after_layer).enumerate() {
            let gradient = from - to;
            let mut nudged = before.clone();
            let mut loss_at = |value| {
                set_parameter(&mut nudged[l], index, value);
                loss(&nudged, &dataset)
            };
            let step = 1e-5;
            let numeric = (loss_at(from + step) - loss_at(from - step)) / (2.0 * step);
            // A rectifier's kink within ±step moves the quotient by up to its
            // share of the 300 images; f32 rounds the step itself to 1e-7.
            let error = (gradient - numeric).abs();
            assert!(
                error < 2e-6 + 1e-4 * numeric.abs(),
                "{hidden:?} {sizes:?}, layer {l}, parameter {index}: {gradient} for {numeric}"
            );
            largest = largest.max(numeric.abs());
        }
        assert!(largest > 1e-3, "{hidden:?} {sizes:?}, layer {l}: the gradient is all but zero");
    }
}

#[test]
fn gradients_of_softmax_alone() {
    check(&[5, 3], Activation::Relu);
}

/// More classes than a panel of the kernels is wide.
#[test]
fn gradients_of_many_classes() {
    check(&[3, 2, 70], Activation::Tanh);
    check(&[3, 70], Activation::Tanh);
}

#[test]
fn gradients_through_relu() {
    check(&[5, 6, 3], Activation::Relu);
    check(&[4, 9, 5, 3], Activation::Relu);
}

#[test]
fn gradients_through_tanh() {
    check(&[5, 6, 3], Activation::Tanh);
    check(&[4, 9, 5, 3], Activation::Tanh);
}

#[test]
fn gradients_through_sigmoid() {
    check(&[5, 6, 3], Activation::Sigmoid);
    check(&[4, 9, 5, 3], Activation::Sigmoid);
}

/// With dropout the loss is random, but the same for the same seed and epoch: the
/// gradient of a step is that of the loss which the same step reports.
#[test]
fn gradients_through_dropout() {
    let pixels: Vec<u8> = (0..40 * 5).map(|i| (i * i * 37 % 253) as u8).collect();
    let labels = (0..40).map(|i| (i * 7 % 5 % 3) as u8).collect();
    let images = Images::new(1, 5, pixels).expect("whole images");
    let dataset = Dataset::new(images, labels).expect("a label for each");
    let config = TrainConfig {
        epochs: 1,
        batch_size: 40,
        learning_rate: 1.0,
        optimizer: Optimizer::Sgd { momentum: 0.0 },
        dropout: 0.4,
        ..Default::default()
    };
    let step = |network: &Network| {
        let mut network = network.clone();
        let history =
            network.train(&dataset, None, &config, |_| ControlFlow::Continue(())).expect("a step");
        (network, history[0].loss)
    };
    let start = Network::new(&[5, 7, 6, 3], Activation::Tanh, 9).expect("sizes");
    let (stepped, with_dropout) = step(&start);
    assert!((with_dropout - loss(&in_f64(&start), &dataset)).abs() > 0.01, "nothing was dropped");
    for l in 0..3 {
        let layer = &start.layers()[l];
        for index in 0..layer.weights().as_slice().len() {
            let nudged = |by: f32| {
                let layers = start.layers().iter().enumerate().map(|(number, layer)| {
                    let mut weights = layer.weights().clone();
                    if number == l {
                        weights.as_mut_slice()[index] += by;
                    }
                    Dense::new(weights, layer.bias().to_vec(), layer.activation())
                });
                step(&Network::from_layers(layers.collect()).expect("the same layers")).1
            };
            let numeric = (nudged(0.01) - nudged(-0.01)) / 0.02;
            let before = layer.weights().as_slice()[index];
            let gradient = f64::from(before - stepped.layers()[l].weights().as_slice()[index]);
            let error = (gradient - numeric).abs();
            assert!(error < 1e-4, "layer {l}, weight {index}: {gradient} for {numeric}");
        }
    }
}

#[test]
fn dropout_keeps_the_mean() {
    // Each of 4,000 hidden outputs is 1, and their sum 1 in the first logit.
    let images = Images::new(1, 1, vec![255; 50]).expect("whole images");
    let dataset = Dataset::new(images, vec![0; 50]).expect("a label for each");
    let hidden =
        Dense::new(Matrix::from_fn(1, 4_000, |_, _| 1.0), vec![0.0; 4_000], Activation::Relu);
    let sum = Matrix::from_fn(4_000, 2, |_, class| if class == 0 { 1.0 / 4_000.0 } else { 0.0 });
    let last = Dense::new(sum, vec![0.0; 2], Activation::Linear);
    let mut network = Network::from_layers(vec![hidden, last]).expect("layers that chain");
    let config = TrainConfig { epochs: 1, batch_size: 50, dropout: 0.75, ..Default::default() };
    let history =
        network.train(&dataset, None, &config, |_| ControlFlow::Continue(())).expect("a step");
    let expected = (1.0 + (-1.0_f64).exp()).ln();
    assert!((history[0].loss - expected).abs() < 0.003, "{} for {expected}", history[0].loss);
}
