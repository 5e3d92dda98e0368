//! Temperatures, reliability and the area under the ROC curve.

use digit_recognizer::{
    Activation, Dataset, Dense, Error, Images, Matrix, Network, Prediction, Predictor, Reliability,
    area_under_roc,
};
use proptest::prelude::*;

/// A network of one layer, which turns the bytes of an image into the logits
/// byte / 12 − 4.
fn network(classes: usize) -> Network {
    let weights = Matrix::from_fn(classes, classes, |i, j| f32::from(i == j) * 255.0 / 12.0);
    let layer = Dense::new(weights, vec![-4.0; classes], Activation::Linear);
    Network::from_layers(vec![layer]).expect("one layer")
}

fn dataset(classes: usize, bytes: Vec<u8>, labels: Vec<u8>) -> Dataset {
    let images = Images::new(1, classes, bytes).expect("whole images");
    Dataset::new(images, labels).expect("a label for each image")
}

/// 400 images of 4 classes, of which 71 % are answered right:
///
/// ```text
/// byte_ij = (37·i² + 101·i·j + 17·j) mod 97
/// label_i = the largest if 7·i mod 10 < 6, else 3·i mod 4
/// ```
fn golden() -> Dataset {
    let byte = |i: usize, j: usize| ((i * i * 37 + i * j * 101 + j * 17) % 97) as u8;
    let bytes = (0..400).flat_map(|i| (0..4).map(move |j| byte(i, j))).collect();
    let label = |i: usize| match (i * 7) % 10 < 6 {
        true => (0..4).rev().max_by_key(|&j| byte(i, j)).expect("4 classes"),
        false => (i * 3) % 4,
    };
    dataset(4, bytes, (0..400).map(|i| label(i) as u8).collect())
}

/// The numbers are NumPy's and SciPy's, in float64:
///
/// ```text
/// z = byte / 12 - 4
/// loss(T) = (logsumexp(z / T, axis=1) - z[label] / T).mean()
/// T = exp(minimize_scalar(lambda t: loss(exp(t)), bounds=(-3, 3)).x)
/// b = ceil(15 * p.max(1))
/// error = sum(abs(right[b == k].sum() - p.max(1)[b == k].sum()) for k in 1..15) / 400
/// ```
#[test]
fn calibration_finds_what_scipy_finds() {
    let mut network = network(4);
    let found = network.calibrate(&golden()).expect("it fits");
    assert!((f64::from(found.temperature) - 2.263_206_9).abs() < 1e-5, "{found:?}");
    assert!((found.before.loss - 1.318_768_212).abs() < 1e-6, "{found:?}");
    assert!((found.after.loss - 1.100_335_096).abs() < 1e-6, "{found:?}");
    assert!((found.before.calibration_error - 0.203_061_841).abs() < 1e-6, "{found:?}");
    assert!((found.after.calibration_error - 0.186_869_967).abs() < 1e-6, "{found:?}");
    assert_eq!(network.temperature(), found.temperature);
    let reliability = network.reliability(&golden()).expect("it fits");
    assert_eq!(reliability.calibration_error(), found.after.calibration_error);
    assert_eq!(reliability.total(), 400);
    // From there, the same again: the logits do not depend on the temperature.
    let again = network.calibrate(&golden()).expect("it fits");
    assert_eq!((again.temperature, again.before), (found.temperature, found.after));
}

#[test]
fn a_known_temperature_is_found_again() {
    for expected in [0.5_f64, 1.0, 1.7, 4.0] {
        let (mut bytes, mut labels) = (Vec::new(), Vec::new());
        for i in 0..40_u32 {
            let image: Vec<u8> =
                (0..5_u32).map(|j| ((i * i * 31 + i * j * 53) % 97) as u8).collect();
            let e: Vec<f64> =
                image.iter().map(|&byte| (f64::from(byte) / 12.0 / expected).exp()).collect();
            let sum: f64 = e.iter().sum();
            // Each label as often as its probability says.
            let mut below = 0.0;
            for (label, e) in e.iter().enumerate() {
                let from = (below * 1_000.0_f64).round() as usize;
                below += e / sum;
                for _ in from..(below * 1_000.0).round() as usize {
                    bytes.extend(&image);
                    labels.push(label as u8);
                }
            }
        }
        let dataset = dataset(5, bytes, labels);
        let mut network = network(5);
        let found = network.calibrate(&dataset).expect("it fits");
        let error = (f64::from(found.temperature) / expected - 1.0).abs();
        assert!(error < 0.005, "{expected}: {found:?}");
        assert!(found.after.calibration_error < 0.01, "{found:?}");
    }
}

#[test]
fn images_that_say_nothing_of_the_temperature() {
    // All right: the loss falls with the temperature, to 0 or to the end of the range.
    let right = dataset(2, vec![96, 0, 0, 96], vec![0, 1]);
    let found = network(2).calibrate(&right).expect("it fits");
    assert!(found.temperature < 0.1 && found.after.loss == 0.0, "{found:?}");
    let right = dataset(2, vec![49, 48, 48, 49], vec![0, 1]);
    assert_eq!(network(2).calibrate(&right).expect("it fits").temperature, 1.0 / 16.0);
    // All wrong: it falls with a higher temperature.
    let wrong = dataset(2, vec![96, 0, 0, 96], vec![1, 0]);
    assert_eq!(network(2).calibrate(&wrong).expect("it fits").temperature, 16.0);
    // Equal logits, or one class: any temperature gives the same.
    let equal = dataset(2, vec![5, 5], vec![1]);
    assert_eq!(network(2).calibrate(&equal).expect("it fits").temperature, 1.0);
    let single = dataset(1, vec![5], vec![0]);
    assert_eq!(network(1).calibrate(&single).expect("it fits").temperature, 1.0);
}

#[test]
fn what_cannot_calibrate_is_an_error_and_changes_nothing() {
    let message = |mut network: Network, dataset: &Dataset| {
        let before = network.clone();
        let error = network.calibrate(dataset).expect_err("an error");
        assert!(matches!(error, Error::Mismatch { .. }), "{error:?}");
        assert!(network == before);
        error.to_string()
    };
    let text = message(network(2), &dataset(2, vec![], vec![]));
    assert!(text.contains("validation images") && text.contains("none"), "{text}");
    let text = message(network(2), &dataset(3, vec![0; 3], vec![0]));
    assert!(text.contains("2 pixels"), "{text}");
    let text = message(network(2), &dataset(2, vec![0; 2], vec![2]));
    assert!(text.contains("below 2"), "{text}");
    assert!(network(2).reliability(&dataset(2, vec![0; 2], vec![2])).is_err());
    let layer =
        Dense::new(Matrix::from_vec(2, 1, vec![f32::MAX; 2]), vec![0.0], Activation::Linear);
    let huge = Network::from_layers(vec![layer]).expect("one layer");
    let text = message(huge, &dataset(2, vec![255; 2], vec![0]));
    assert!(text.contains("finite") && text.contains("image 0"), "{text}");
}

#[test]
fn the_temperature_divides_the_logits_wherever_there_is_an_answer() {
    let hot = network(4).with_temperature(2.5).expect("above 0");
    let expected = |bytes: &[u8]| -> Vec<f64> {
        let e: Vec<f64> = bytes.iter().map(|&b| (f64::from(b) / 12.0 / 2.5).exp()).collect();
        e.iter().map(|e_j| e_j / e.iter().sum::<f64>()).collect()
    };
    let golden = golden();
    let images = golden.images();
    let inputs = Matrix::from_fn(images.len(), 4, |i, j| f32::from(images.image(i)[j]) / 255.0);
    let batch = hot.predict_batch(&inputs);
    for (index, row) in batch.iter_rows().enumerate() {
        for (found, expected) in row.iter().zip(expected(images.image(index))) {
            assert!((f64::from(*found) - expected).abs() < 1e-6, "image {index}: {row:?}");
        }
        assert_eq!(hot.predict(inputs.row(index)).probabilities(), row);
    }
    let mut from_bytes = Matrix::default();
    Predictor::new(&hot, 2).predict_images(images, &mut from_bytes).expect("4 pixels");
    assert_eq!(from_bytes, batch);
    // It changes no answer.
    assert_eq!(hot.classify(images).expect("fits"), network(4).classify(images).expect("fits"));
}

#[test]
fn temperatures_are_finite_and_above_0() {
    for bad in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let error = network(2).with_temperature(bad).expect_err("an error");
        assert!(matches!(error, Error::InvalidConfig { field: "temperature", .. }), "{error:?}");
    }
    assert_eq!(network(2).temperature(), 1.0);
    // Even the lowest leaves probabilities.
    let cold = network(2).with_temperature(f32::from_bits(1)).expect("above 0");
    assert_eq!(cold.predict(&[0.5, 0.25]).probabilities(), [1.0, 0.0]);
    assert_eq!(cold.predict(&[0.5, 0.5]).probabilities(), [0.5, 0.5]);
    assert!(network(2) != network(2).with_temperature(2.0).expect("above 0"));
}

#[test]
fn training_keeps_the_temperature_and_does_not_look_at_it() {
    let config = digit_recognizer::TrainConfig { epochs: 2, ..Default::default() };
    let mut plain = network(4);
    let mut hot = network(4).with_temperature(3.0).expect("above 0");
    for network in [&mut plain, &mut hot] {
        let go_on = |_: &digit_recognizer::Epoch| std::ops::ControlFlow::Continue(());
        network.train(&golden(), None, &config, go_on).expect("training");
    }
    assert_eq!(hot.temperature(), 3.0);
    assert!(hot.layers() == plain.layers() && plain.layers() != network(4).layers());
}

#[test]
fn the_runner_up_is_the_second_most_probable() {
    let predict = |pixels: &[f32]| -> Prediction { network(pixels.len()).predict(pixels) };
    let prediction = predict(&[0.1, 0.3, 0.2]);
    let (second, probability) = prediction.runner_up().expect("three classes");
    assert_eq!((prediction.digit(), second), (1, 2));
    assert_eq!(probability, prediction.probabilities()[2]);
    // Of equals the lower.
    let equal = predict(&[0.2, 0.2, 0.2]);
    assert_eq!((equal.digit(), equal.runner_up().map(|(class, _)| class)), (0, Some(1)));
    let tied = predict(&[0.1, 0.2, 0.1]);
    assert_eq!((tied.digit(), tied.runner_up().map(|(class, _)| class)), (1, Some(0)));
    assert_eq!(predict(&[0.5]).runner_up(), None);
}

#[test]
fn bins_end_where_their_confidence_does() {
    let mut reliability = Reliability::default();
    assert_eq!((reliability.calibration_error(), reliability.total()), (0.0, 0));
    assert!(reliability.bins().is_empty());
    // 1/3 is the end of the fifth bin; its f32 is a little above, in the sixth.
    let third = 1.0_f32 / 3.0;
    for confidence in [0.0, 1.0, third, third.next_down(), 0.99] {
        reliability.record(confidence, confidence > 0.5);
    }
    let bins: Vec<_> = reliability.bins().iter().map(|bin| (bin.count, bin.accuracy)).collect();
    assert_eq!(bins, [(1, 0.0), (1, 0.0), (1, 0.0), (2, 1.0)]);
    assert!((reliability.bins()[3].confidence - 0.995).abs() < 1e-6);
    // (0 + 1/3 + 1/3 + 0.01) / 5
    assert!((reliability.calibration_error() - (2.0 / 3.0 + 0.01) / 5.0).abs() < 1e-6);
}

/// The definition: all pairs.
fn naive_area(positives: &[f32], negatives: &[f32]) -> f64 {
    let mut won = 0.0;
    for positive in positives {
        for negative in negatives {
            won += match positive.total_cmp(negative) {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            };
        }
    }
    won / (positives.len() * negatives.len()) as f64
}

#[test]
fn the_area_is_known_at_its_ends() {
    assert_eq!(area_under_roc(&[0.9, 0.8], &[0.1, 0.2, 0.3]), 1.0);
    assert_eq!(area_under_roc(&[0.1], &[0.2, 0.3]), 0.0);
    assert_eq!(area_under_roc(&[0.5; 3], &[0.5; 4]), 0.5);
    assert_eq!(area_under_roc(&[0.0], &[-0.0]), 0.5);
}

#[test]
#[should_panic(expected = "a score in each group")]
fn an_area_of_no_scores_is_a_mistake() {
    area_under_roc(&[0.5], &[]);
}

#[test]
#[should_panic(expected = "scores that are numbers")]
fn an_area_of_no_numbers_is_a_mistake() {
    area_under_roc(&[0.5], &[0.1, f32::NAN]);
}

proptest! {
    #[test]
    fn the_area_is_the_share_of_pairs_won(
        // Few values, so that many are tied.
        positives in prop::collection::vec((0..12_u8).prop_map(f32::from), 1..40),
        negatives in prop::collection::vec((0..12_u8).prop_map(f32::from), 1..40),
    ) {
        let found = area_under_roc(&positives, &negatives);
        prop_assert!((found - naive_area(&positives, &negatives)).abs() < 1e-12);
        prop_assert!((found + area_under_roc(&negatives, &positives) - 1.0).abs() < 1e-12);
    }
}
