//! The forward pass, its shapes and its checks.

use digit_recognizer::{Activation, Dataset, Dense, DigitImage, Error, Images, Matrix, Network};

/// 2-2-2 by hand: weights (inputs, outputs).
fn small(hidden: Activation) -> Network {
    let first = Matrix::from_vec(2, 2, vec![1.0, -1.0, 2.0, 0.5]);
    let second = Matrix::from_vec(2, 2, vec![1.0, 0.0, 0.0, 1.0]);
    Network::from_layers(vec![
        Dense::new(first, vec![0.5, -0.25], hidden),
        Dense::new(second, vec![0.0, 0.0], Activation::Linear),
    ])
    .expect("layers that chain")
}

/// Softmax of two logits, in f64.
fn softmax2(logits: [f64; 2]) -> [f64; 2] {
    let second = 1.0 / (1.0 + (logits[0] - logits[1]).exp());
    [1.0 - second, second]
}

#[test]
fn probabilities_are_those_of_the_formula() {
    // x = (1, 0.5): the sums are 1 + 1 + 0.5 = 2.5 and −1 + 0.25 − 0.25 = −1.
    let cases = [
        (Activation::Relu, [2.5, 0.0]),
        (Activation::Tanh, [2.5_f64.tanh(), -(1.0_f64.tanh())]),
        (Activation::Sigmoid, [1.0 / (1.0 + (-2.5_f64).exp()), 1.0 / (1.0 + 1.0_f64.exp())]),
    ];
    for (hidden, logits) in cases {
        let prediction = small(hidden).predict(&[1.0, 0.5]);
        for (found, expected) in prediction.probabilities().iter().zip(softmax2(logits)) {
            assert!((f64::from(*found) - expected).abs() < 1e-6, "{hidden:?}: {prediction:?}");
        }
        assert_eq!(prediction.digit(), 0);
        assert_eq!(prediction.confidence(), prediction.probabilities()[0]);
    }
}

#[test]
fn one_image_and_a_batch_give_the_same() {
    let network = Network::new(&[784, 20, 10], Activation::Tanh, 5).expect("sizes");
    let images = Matrix::from_fn(7, 784, |i, j| ((i * 37 + j * 11) % 256) as f32 / 255.0);
    let batch = network.predict_batch(&images);
    assert_eq!((batch.rows(), batch.cols()), (7, 10));
    for (row, probabilities) in images.iter_rows().zip(batch.iter_rows()) {
        assert_eq!(network.predict(row).probabilities(), probabilities);
        assert!((probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-5);
    }
}

#[test]
fn bytes_and_floats_give_the_same_class() {
    let network = Network::new(&[784, 20, 10], Activation::Relu, 6).expect("sizes");
    // More than one chunk of images.
    let pixels: Vec<u8> = (0..300 * 784_u64).map(|i| (i * i % 251) as u8).collect();
    let images = Images::new(28, 28, pixels).expect("whole images");
    let classes = network.classify(&images).expect("784 pixels");
    assert_eq!(classes.len(), 300);
    for (index, &class) in classes.iter().enumerate() {
        let image = DigitImage::from_bytes(images.image(index).try_into().expect("784 bytes"));
        assert_eq!(network.predict(&image).digit(), usize::from(class), "image {index}");
    }
}

#[test]
fn huge_logits_stay_finite() {
    let weights = Matrix::from_vec(1, 2, vec![3.0e38, -3.0e38]);
    let layer = Dense::new(weights, vec![0.0; 2], Activation::Linear);
    let network = Network::from_layers(vec![layer]).expect("one layer");
    assert_eq!(network.predict(&[1.0]).probabilities(), [1.0, 0.0]);
}

#[test]
fn evaluation_counts_labels_against_answers() {
    // The class is the brighter of two pixels.
    let weights = Matrix::from_vec(2, 2, vec![1.0, 0.0, 0.0, 1.0]);
    let layer = Dense::new(weights, vec![0.0; 2], Activation::Linear);
    let network = Network::from_layers(vec![layer]).expect("one layer");
    let images = Images::new(1, 2, vec![255, 0, 0, 255, 0, 255]).expect("three images");
    let dataset = Dataset::new(images, vec![0, 1, 0]).expect("three labels");
    let confusion = network.evaluate(&dataset).expect("it fits");
    assert_eq!((confusion.correct(), confusion.total()), (2, 3));
    assert_eq!((confusion.count(0, 1), confusion.count(1, 0)), (1, 0));
    assert_eq!(confusion.label_total(0), 2);
    assert!((confusion.accuracy() - 2.0 / 3.0).abs() < 1e-12);
}

#[test]
fn a_seed_decides_the_start() {
    let start = |seed| Network::new(&[12, 5, 3], Activation::Relu, seed).expect("sizes");
    assert_eq!(start(1), start(1));
    assert_ne!(start(1), start(2));
    let network = start(1);
    assert_eq!(network.sizes(), [12, 5, 3]);
    assert_eq!(network.parameter_count(), 12 * 5 + 5 + 5 * 3 + 3);
    // Within the limits of He (rectifier) and of Glorot (logits), and near them.
    for (layer, limit) in
        network.layers().iter().zip([(6.0_f32 / 12.0).sqrt(), (6.0_f32 / 8.0).sqrt()])
    {
        let largest = layer.weights().as_slice().iter().fold(0.0, |a: f32, w| a.max(w.abs()));
        assert!(largest <= limit && largest > 0.8 * limit, "{largest} of {limit}");
        assert!(layer.bias().iter().all(|&bias| bias == 0.0));
    }
}

/// The message of the error, which must name what was expected and found.
fn message<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    result.expect_err("an error").to_string()
}

#[test]
fn sizes_that_make_no_network_are_errors() {
    for sizes in
        [&[][..], &[784], &[784, 0, 10], &[usize::MAX, 3, 10], &[784, 1 << 20, 10], &[784, 257]]
    {
        let text = message(Network::new(sizes, Activation::Relu, 1));
        assert!(text.contains("expected"), "{text}");
    }
}

#[test]
fn layers_that_make_no_network_are_errors() {
    let layer = |inputs, outputs, activation| {
        Dense::new(Matrix::zeros(inputs, outputs), vec![0.0; outputs], activation)
    };
    let (relu, linear) = (Activation::Relu, Activation::Linear);
    let text = message(Network::from_layers(vec![]));
    assert!(text.contains("at least one"), "{text}");
    let text = message(Network::from_layers(vec![layer(3, 4, relu), layer(5, 2, linear)]));
    assert!(text.contains("layer 2 with 4 inputs") && text.contains("5 inputs"), "{text}");
    let text = message(Network::from_layers(vec![layer(3, 4, relu)]));
    assert!(text.contains("linear") && text.contains("Relu"), "{text}");
    for value in [f32::NAN, f32::INFINITY] {
        let bad = Dense::new(Matrix::zeros(2, 2), vec![0.0, value], linear);
        let text = message(Network::from_layers(vec![layer(3, 2, relu), bad]));
        assert!(text.contains("finite") && text.contains("layer 2"), "{text}");
    }
}

#[test]
fn datasets_that_do_not_fit_are_errors() {
    let network = Network::new(&[4, 2], Activation::Relu, 1).expect("sizes");
    let dataset = |rows, label| {
        let images = Images::new(rows, 2, vec![0; rows * 2]).expect("one image");
        Dataset::new(images, vec![label]).expect("one label")
    };
    assert!(network.evaluate(&dataset(2, 1)).is_ok());
    let text = message(network.evaluate(&dataset(3, 1)));
    assert!(text.contains("4 pixels") && text.contains("3 x 2"), "{text}");
    let text = message(network.evaluate(&dataset(2, 2)));
    assert!(text.contains("below 2") && text.contains("2 at image 0"), "{text}");
    let images = Images::new(2, 2, vec![0; 8]).expect("two images");
    let text = message(Dataset::new(images, vec![1]));
    assert!(text.contains("2 labels") && text.contains("1 labels"), "{text}");
    assert!(message(Images::new(2, 2, vec![0; 7])).contains("7 pixels"));
    assert!(Images::new(0, 2, vec![]).is_err());
}

#[test]
fn pixels_outside_the_range_make_no_digit_image() {
    let mut pixels = [0.0; 784];
    assert!(DigitImage::from_pixels(&pixels).is_ok());
    for bad in [-0.1, 1.1, f32::NAN, f32::INFINITY] {
        pixels[17] = bad;
        let text = message(DigitImage::from_pixels(&pixels));
        assert!(text.contains("0 to 1") && text.contains("index 17"), "{text}");
    }
    assert!(message(DigitImage::from_pixels(&[0.0; 783])).contains("783"));
}
