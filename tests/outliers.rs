//! Images of no digit: their form, what they are made of, and who takes them.

#![cfg(feature = "gzip")]

use std::ops::ControlFlow;

use digit_recognizer::mnist::{self, Split};
use digit_recognizer::{
    Activation, Dataset, Error, Images, NO_CLASS, Network, TrainConfig, outliers,
};

const KINDS: usize = 6;
const PIECES: usize = 3;
const TURNED: usize = 4;
const BLOTS: usize = 5;

fn digits() -> Dataset {
    mnist::load("fixtures/mnist", Split::Train).expect("the sample of MNIST")
}

fn images(digits: &Dataset, count: usize, seed: u64) -> Images {
    outliers(digits, count, seed).expect("digits of ten classes").images().clone()
}

#[test]
fn a_seed_gives_the_same_images_and_another_gives_others() {
    let digits = digits();
    let dataset = outliers(&digits, 120, 7).expect("digits");
    assert_eq!(dataset.labels(), [NO_CLASS; 120]);
    assert_eq!(dataset, outliers(&digits, 120, 7).expect("digits"));
    assert_eq!(dataset.slice(0..50), outliers(&digits, 50, 7).expect("digits"));
    assert!(outliers(&digits, 0, 7).expect("digits").is_empty());
    let (first, second) = (dataset.images(), images(&digits, 120, 8));
    assert!((0..120).all(|index| first.image(index) != second.image(index)));
}

/// The bits are the same on every machine; FNV-1a, 64 bits, computed on x86-64.
#[test]
fn images_are_those_of_every_machine() {
    let images = images(&digits(), 600, 1);
    let hash = images.pixels().iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    assert_eq!(hash, 0x4211_9cf7_0dc2_d4de, "{hash:#x}");
}

/// First and last index with ink and the centre of mass along an axis.
fn along(profile: &[f64; 28]) -> (usize, usize, f64) {
    let first = profile.iter().position(|&ink| ink > 0.0).expect("ink");
    let last = profile.iter().rposition(|&ink| ink > 0.0).expect("ink");
    let moment: f64 = profile.iter().enumerate().map(|(i, ink)| (i as f64 + 0.5) * ink).sum();
    (first, last, moment / profile.iter().sum::<f64>())
}

#[test]
fn images_have_the_form_of_mnist() {
    let images = images(&digits(), 3_000, 2);
    let mut dots = 0;
    for index in 0..images.len() {
        let (mut columns, mut rows) = ([0.0; 28], [0.0; 28]);
        for (place, &pixel) in images.image(index).iter().enumerate() {
            columns[place % 28] += f64::from(pixel);
            rows[place / 28] += f64::from(pixel);
        }
        let sides = [along(&columns), along(&rows)].map(|(first, last, centre)| {
            let is_pushed = first == 0 || last == 27;
            assert!(is_pushed || (centre - 14.5).abs() < 0.6, "{centre} in image {index}");
            last + 1 - first
        });
        let longer = sides[0].max(sides[1]);
        // What is enlarged has softer edges.
        let most = if index % KINDS == BLOTS { 24 } else { 22 };
        assert!(longer <= most, "{sides:?} in image {index}");
        dots += usize::from(longer < 18);
        assert!(images.image(index).iter().any(|&pixel| pixel > 200), "faint image {index}");
    }
    assert!((1..60).contains(&dots), "{dots}");
}

fn sorted(pixels: &[u8]) -> Vec<u8> {
    let mut pixels = pixels.to_vec();
    pixels.sort_unstable();
    pixels
}

#[test]
fn kinds_take_turns() {
    let digits = digits();
    let others = digits.slice(0..digits.len() / 2);
    let (images, from_others) = (images(&digits, 600, 3), images(&others, 600, 3));
    let bags: std::collections::HashSet<_> =
        (0..digits.len()).map(|index| sorted(digits.images().image(index))).collect();
    let originals: std::collections::HashSet<_> =
        (0..digits.len()).map(|index| digits.images().image(index)).collect();
    let mut changed = [0; KINDS];
    let mut permuted = [0; KINDS];
    let mut gray = [0; KINDS];
    for index in 0..images.len() {
        let image = images.image(index);
        changed[index % KINDS] += usize::from(image != from_others.image(index));
        permuted[index % KINDS] += usize::from(bags.contains(&sorted(image)));
        gray[index % KINDS] += image.iter().filter(|pixel| (64..192).contains(*pixel)).count();
        assert!(!originals.contains(image), "image {index} is a digit as it was");
    }
    // Two kinds are made of digits, one of them by moving their pixels.
    for kind in 0..KINDS {
        let is_made_of_digits = kind == PIECES || kind == TURNED;
        assert_eq!(changed[kind] > 90, is_made_of_digits, "{changed:?}");
        assert_eq!(permuted[kind] > 90, kind == TURNED, "{permuted:?}");
        assert!(is_made_of_digits || changed[kind] == 0, "{changed:?}");
        // Paper without a digit is grayer than what a pen draws.
        assert!(gray[kind] <= gray[BLOTS], "{gray:?}");
    }
    let distinct: std::collections::HashSet<_> =
        (0..600).map(|index| images.image(index)).collect();
    assert!(distinct.len() > 595, "{}", distinct.len());
}

#[test]
fn digits_of_two_classes_are_enough_and_of_one_are_not() {
    let digits = digits();
    let of = |classes: &[u8], side: usize| {
        let chosen: Vec<usize> =
            (0..digits.len()).filter(|&i| classes.contains(&digits.labels()[i])).collect();
        let pixels = chosen.iter().flat_map(|&i| &digits.images().image(i)[..side * side]).copied();
        let labels = chosen.iter().map(|&i| digits.labels()[i]).collect();
        let images = Images::new(side, side, pixels.collect()).expect("whole images");
        Dataset::new(images, labels).expect("as many labels")
    };
    // A 0 and a 1 are digits however they are turned; neither is left as it was.
    assert_eq!(outliers(&of(&[0, 1], 28), 60, 1).expect("two classes").len(), 60);
    for dataset in [of(&[3], 28), of(&[], 28), of(&[0, 1], 27)] {
        assert!(matches!(outliers(&dataset, 1, 1), Err(Error::Mismatch { .. })));
    }
    let unknown =
        Dataset::new(Images::new(28, 28, vec![9; 1_568]).expect("two"), vec![3, NO_CLASS]);
    assert!(matches!(outliers(&unknown.expect("two"), 1, 1), Err(Error::Mismatch { .. })));
}

#[test]
fn training_takes_images_of_no_class_and_measuring_refuses_them() {
    let dataset = outliers(&digits(), 12, 1).expect("digits");
    let mut network = Network::new(&[784, 10], Activation::Relu, 1).expect("sizes");
    let config = TrainConfig { epochs: 1, ..Default::default() };
    let train = |network: &mut Network, dataset: &Dataset, validation: Option<&Dataset>| {
        network.train(dataset, validation, &config, |_| ControlFlow::Continue(()))
    };
    let history = train(&mut network, &dataset, None).expect("training");
    assert_eq!(history[0].accuracy, 0.0);
    assert!(matches!(train(&mut network, &dataset, Some(&dataset)), Err(Error::Mismatch { .. })));
    assert!(matches!(network.evaluate(&dataset), Err(Error::Mismatch { .. })));
    assert!(matches!(network.calibrate(&dataset), Err(Error::Mismatch { .. })));
    let other = Dataset::new(dataset.images().slice(0..1), vec![254]).expect("one");
    assert!(matches!(train(&mut network, &other, None), Err(Error::Mismatch { .. })));
    assert!(matches!(network.reliability(&dataset), Err(Error::Mismatch { .. })));

    // With 256 classes the label is a class, as any other.
    let mut network = Network::new(&[784, 256], Activation::Relu, 1).expect("sizes");
    let one = Dataset::new(dataset.images().slice(0..1), vec![NO_CLASS]).expect("one");
    let config = TrainConfig { epochs: 30, ..config };
    network.train(&one, None, &config, |_| ControlFlow::Continue(())).expect("training");
    assert_eq!(network.evaluate(&one).expect("a class").accuracy(), 1.0);
}
