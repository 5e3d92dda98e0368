//! Images of no digit: their form, their kinds, and what they are made of.

#![cfg(feature = "gzip")]

use digit_recognizer::mnist::{self, Split};
use digit_recognizer::{Dataset, Images, NO_CLASS, outliers};

fn digits() -> Dataset {
    mnist::load("fixtures/mnist", Split::Train).expect("the sample of MNIST")
}

#[test]
fn dump() {
    let Ok(path) = std::env::var("DUMP") else { return };
    let images = outliers(&digits(), 6000, 3).expect("outliers");
    std::fs::write(path, images.images().pixels()).expect("write");
}
