//! How well digits are read in pictures as people have them, and how well the
//! confidence tells digits from what is none.
//!
//! The table for development, of 500 digits a condition, is
//! `cargo test --test conditions -- --ignored --nocapture`. `DRAWN_ONLY=Photo`
//! asks for one condition, and `DRAWN_SHEETS` names a folder for contact sheets
//! of the pictures and of those that are misread.

#![cfg(all(feature = "gzip", feature = "image", feature = "pretrained"))]
#![allow(clippy::print_stdout, reason = "the figures are for whoever reads the log")]

mod drawn;

use std::path::{Path, PathBuf};

use digit_recognizer::mnist::{self, Split};
use digit_recognizer::{Dataset, Error, Network, Picture, unipen};
use drawn::glyph::{Glyph, smooth};
use drawn::non_digits::{self, NonDigit};
use drawn::{Condition, sheet};

/// Of the first 40 digits of the sample (8 where pictures are large), how many
/// have to be read right.
const FLOORS: [(Condition, usize); 28] = [
    (Condition::MnistForm, 40),
    (Condition::Paint, 40),
    (Condition::Paint28, 40),
    (Condition::Hair, 38),
    (Condition::Marker, 39),
    (Condition::OffCentre, 39),
    (Condition::Distant, 39),
    (Condition::Cropped, 38),
    (Condition::Strip, 38),
    (Condition::LowContrast, 39),
    (Condition::Noise, 39),
    (Condition::Faint, 36),
    (Condition::SaltAndPepper, 39),
    (Condition::Jpeg, 39),
    (Condition::Blur, 39),
    (Condition::Photo, 39),
    (Condition::Shadow, 39),
    (Condition::Coloured, 39),
    (Condition::Inverted, 39),
    (Condition::Chalk, 39),
    (Condition::Alpha, 39),
    (Condition::Ruled, 39),
    (Condition::Squared, 37),
    (Condition::Boxed, 39),
    (Condition::Pencil, 38),
    (Condition::Exif, 38),
    (Condition::Large, 7),
    (Condition::PostOffice, 39),
];

/// The area under the ROC curve that the confidence has to reach.
const LEAST_AREA: f64 = 0.99;

/// A drawn digit, and which it is.
type Digit = (Glyph, usize);

/// The digits of a part of MNIST.
fn scans(sample: &Dataset) -> Vec<Digit> {
    let images = (0..sample.len()).map(|index| Glyph::from_mnist(sample.images().image(index)));
    images.zip(sample.labels().iter().map(|&label| usize::from(label))).collect()
}

/// The digits of the sample in the repository: training images, since nothing is
/// chosen by test images.
fn sample(count: usize) -> Vec<Digit> {
    let sample = mnist::load("fixtures/mnist", Split::Train).expect("the fixtures");
    scans(&sample.slice(0..count))
}

/// The digit that is read, if there is ink, and its confidence.
fn answer(network: &Network, picture: &Picture) -> (Option<usize>, f32) {
    match network.recognize(picture) {
        Ok(prediction) => (Some(prediction.digit()), prediction.confidence()),
        Err(Error::NoInk { .. }) => (None, 0.0),
        Err(error) => panic!("{error}"),
    }
}

/// The numbers of the digits that are misread in a condition.
fn misread(network: &Network, condition: Condition, digits: &[Digit]) -> Vec<usize> {
    let wrong = |&index: &usize| {
        let (glyph, label) = &digits[index];
        answer(network, &condition.picture(glyph, index)).0 != Some(*label)
    };
    (0..digits.len()).filter(wrong).collect()
}

#[test]
fn every_condition_reaches_its_floor() {
    let network = Network::pretrained();
    let digits = sample(40);
    assert_eq!(FLOORS.map(|(condition, _)| condition), Condition::ALL);
    let mut below = Vec::new();
    for (condition, floor) in FLOORS {
        let count = if condition == Condition::Large { 8 } else { digits.len() };
        let right = count - misread(&network, condition, &digits[..count]).len();
        println!("{condition:?}: {right}/{count}, floor {floor}");
        if right < floor {
            below.push((condition, right, floor));
        }
    }
    assert!(below.is_empty(), "right, and the floor: {below:?}");
}

#[test]
fn a_picture_is_the_same_each_time_and_shows_its_digit() {
    let digits = sample(2);
    for condition in Condition::ALL {
        let [(five, _), (zero, _)] = &digits[..] else { panic!("two digits") };
        let picture = condition.picture(five, 1);
        assert!(picture == condition.picture(five, 1), "{condition:?}");
        let another = |index| picture != condition.picture(five, index);
        assert!((2..12).any(another), "{condition:?}");
        // Paper, light and noise are the same; only the digit is another.
        let other = condition.picture(zero, 1);
        let pairs = picture.rgba8().iter().zip(other.rgba8());
        let differ = pairs.filter(|(a, b)| a.abs_diff(**b) > 8).count();
        assert!(differ * 2_000 > picture.rgba8().len(), "{condition:?}: {differ} bytes");
    }
    for non_digit in NonDigit::ALL {
        assert!(non_digit.picture(1) == non_digit.picture(1), "{non_digit:?}");
    }
}

#[test]
fn confidence_tells_digits_from_what_is_none() {
    let area = area_under_roc(&Network::pretrained(), &sample(240), 60);
    assert!(area >= LEAST_AREA, "{area}");
}

/// The area under the ROC curve of the confidence: how probable it is that a
/// digit has more of it than a picture of something else.
fn area_under_roc(network: &Network, digits: &[Digit], others_of_each_kind: usize) -> f64 {
    let conditions = non_digits::CONDITIONS.iter().cycle();
    let digits: Vec<f32> = (digits.iter().enumerate().zip(conditions))
        .map(|((index, (glyph, _)), condition)| answer(network, &condition.picture(glyph, index)).1)
        .collect();
    let mut areas = 0.0;
    for kind in NonDigit::ALL {
        let others: Vec<f32> =
            (0..others_of_each_kind).map(|index| answer(network, &kind.picture(index)).1).collect();
        let won = |digit: &f32| -> f64 {
            let points = |other: &f32| match digit.total_cmp(other) {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            };
            others.iter().map(points).sum()
        };
        let pairs = (digits.len() * others.len()) as f64;
        let area = digits.iter().map(won).sum::<f64>() / pairs;
        let sure = others.iter().filter(|&&confidence| confidence > 0.9).count();
        println!("{kind:?}: area {area:.4}, {sure}/{} above 0.9", others.len());
        areas += area;
    }
    let sure = digits.iter().filter(|&&confidence| confidence > 0.9).count();
    let area = areas / NonDigit::ALL.len() as f64;
    println!("all kinds: area {area:.4}; {sure}/{} digits above 0.9", digits.len());
    area
}

fn data(path: &str) -> PathBuf {
    let root = std::env::var_os("DIGITS_DATA").unwrap_or_else(|| "../shared/data".into());
    Path::new(&root).join(path)
}

/// Digits to develop with, half of them scans (MNIST's last 5,000 training
/// images) and half pen strokes (writers 23 and 24), in
/// turns: what the recipe's first two steps keep out of training, and its last does not.
fn development_digits() -> Vec<Digit> {
    let train = mnist::load(data("mnist"), Split::Train).expect("MNIST in the data folder");
    let scans = scans(&train.slice(train.len() - 5_000..train.len()));
    let pens = unipen::load(data("pendigits/strokes-writers-01-24.unipen.gz")).expect("strokes");
    let pens = pens.iter().filter(|digit| digit.writer >= 23).map(|digit| {
        let strokes = digit.strokes.as_slice().iter().map(|stroke| smooth(stroke)).collect();
        (Glyph::from_strokes(strokes), usize::from(digit.label))
    });
    let [scans, pens] = [scans, pens.collect()].map(|digits: Vec<Digit>| {
        let step = digits.len() / 250;
        digits.into_iter().step_by(step).take(250)
    });
    scans.zip(pens).flat_map(|(scan, pen)| [scan, pen]).collect()
}

fn write_sheet(name: &str, pictures: &[Picture]) {
    if let (Some(folder), false) = (std::env::var_os("DRAWN_SHEETS"), pictures.is_empty()) {
        sheet::write(&Path::new(&folder).join(format!("{name}.png")), pictures);
    }
}

#[test]
#[ignore = "needs the full data, and minutes"]
fn development_table() {
    let network = Network::pretrained();
    let digits = development_digits();
    let only = std::env::var("DRAWN_ONLY").ok();
    println!("{:14} {:>9} {:>9} {:>9}", "right", "scans", "pens", "all");
    for condition in Condition::ALL {
        let name = format!("{condition:?}");
        if only.as_ref().is_some_and(|only| *only != name) {
            continue;
        }
        let digits = if condition == Condition::Large { &digits[..100] } else { &digits[..] };
        let misread = misread(&network, condition, digits);
        let (half, scans) = (digits.len() / 2, misread.iter().filter(|&at| at % 2 == 0).count());
        let pens = misread.len() - scans;
        let right = |wrong: usize, of: usize| format!("{}/{of}", of - wrong);
        println!(
            "{name:14} {:>9} {:>9} {:>9}",
            right(scans, half),
            right(pens, half),
            right(misread.len(), digits.len())
        );

        let draw = |&index: &usize| condition.picture(&digits[index].0, index);
        let first: Vec<usize> = (0..60).collect();
        write_sheet(&name, &first.iter().map(draw).collect::<Vec<_>>());
        let misread: Vec<Picture> = misread.iter().take(60).map(draw).collect();
        write_sheet(&format!("{name}-misread"), &misread);
    }
    for kind in NonDigit::ALL {
        let pictures: Vec<Picture> = (0..60).map(|index| kind.picture(index)).collect();
        write_sheet(&format!("no-digit-{kind:?}"), &pictures);
    }
}

#[test]
#[ignore = "needs the full data"]
fn development_roc() {
    area_under_roc(&Network::pretrained(), &development_digits(), 300);
}
