//! How well digits are read in pictures as people have them.

#![cfg(all(feature = "gzip", feature = "image", feature = "pretrained"))]
#![allow(clippy::print_stdout, reason = "the figures are for whoever reads the log")]

mod drawn;

use std::path::{Path, PathBuf};

use digit_recognizer::mnist::{self, Split};
use digit_recognizer::{Dataset, Error, Network, Picture};
use drawn::glyph::Glyph;
use drawn::{Condition, pendigits, sheet};

/// The digits of a sample, with their labels.
fn glyphs(sample: &Dataset) -> Vec<(Glyph, u8)> {
    let images = (0..sample.len()).map(|index| Glyph::from_mnist(sample.images().get(index)));
    images.zip(sample.labels().iter().copied()).collect()
}

fn answer(network: &Network, picture: &Picture) -> (Option<usize>, f32) {
    match network.recognize(picture) {
        Ok(prediction) => (Some(prediction.digit()), prediction.confidence()),
        Err(Error::NoInk { .. }) => (None, 0.0),
        Err(error) => panic!("{error}"),
    }
}

/// How many of some digits are read right in a condition.
fn right(network: &Network, condition: Condition, digits: &[(Glyph, u8)]) -> usize {
    let picture = |(index, (glyph, label)): (usize, &(Glyph, u8))| {
        let (digit, _) = answer(network, &condition.picture(glyph, index));
        digit == Some(usize::from(*label))
    };
    digits.iter().enumerate().map(picture).filter(|&right| right).count()
}

#[test]
fn every_condition_reaches_its_floor() {
    let network = Network::pretrained();
    let sample = mnist::load("fixtures/mnist", Split::Train).expect("the fixtures");
    let digits = glyphs(&sample.slice(0..40));
    for condition in Condition::ALL {
        let start = std::time::Instant::now();
        let right = right(&network, condition, &digits);
        println!("{condition:?}: {right}/{} {:?}", digits.len(), start.elapsed());
    }
}

fn data(path: &str) -> PathBuf {
    let root = std::env::var_os("DIGITS_DATA").unwrap_or_else(|| "../shared/data".into());
    Path::new(&root).join(path)
}

/// 250 digits of MNIST's last 5,000 training images, and 250 of the writers who
/// are there to measure with.
fn full_data() -> [Vec<(Glyph, u8)>; 2] {
    let train = mnist::load(data("mnist"), Split::Train).expect("MNIST in the data folder");
    let scans = glyphs(&train.slice(train.len() - 5_000..train.len()));
    let pens = pendigits::load(&data("pendigits/strokes-writers-01-24.unipen.gz"), 19..=24);
    [scans, pens].map(|digits| {
        let step = digits.len() / 250;
        digits.into_iter().step_by(step).take(250).collect()
    })
}

#[test]
#[ignore = "needs the full data"]
fn table() {
    let network = Network::pretrained();
    let digits = full_data();
    for condition in Condition::ALL {
        let [scans, pens] = digits.each_ref().map(|digits| right(&network, condition, digits));
        println!("{condition:?}: {scans}/{} {pens}/{}", digits[0].len(), digits[1].len());
        if let Some(folder) = std::env::var_os("DRAWN_SHEETS") {
            let both = digits.iter().flat_map(|digits| digits.iter().enumerate().take(36));
            let pictures: Vec<Picture> =
                both.map(|(index, (glyph, _))| condition.picture(glyph, index)).collect();
            sheet::write(&Path::new(&folder).join(format!("{condition:?}.png")), &pictures);
        }
    }
}
