//! Images of no digit, to train a network with that is to doubt.
//!
//! Softmax is sure of itself also where it has seen nothing alike. A network that
//! is trained on images of no class too, with the same probability for each class
//! as their target, learns to be unsure there.
//!
//! The images are drawn by random numbers and put together from digits; none is
//! taken from elsewhere. They have the form of MNIST's images, as if
//! [`preprocess`](mod@crate::preprocess) had made them.
//!
//! # Source
//! Hendrycks, Mazeika, Dietterich, *Deep anomaly detection with outlier exposure*
//! (ICLR 2019).

mod blots;
mod bows;
mod frame;
mod lines;
mod pieces;
mod scribbles;
mod shape;

use crate::dataset::{Dataset, Images, NO_CLASS};
use crate::digit_image::{PIXELS, SIDE};
use crate::error::{Error, Result};
use crate::outliers::pieces::Digits;
use crate::outliers::shape::{Stroke, between};
use crate::rng::Rng;
use crate::strokes::Strokes;

/// The widths of the pens in pixels: 5 % to 95 % of those of MNIST's training
/// images (see [`Strokes::PEN_WIDTH`]).
const PENS: (f32, f32) = (1.6, 3.9);

/// Makes `count` images of no digit, 28×28, labelled [`NO_CLASS`].
///
/// Six kinds take turns:
///
/// | image | shows |
/// |---|---|
/// | 0, 6, ... | straight lines that branch, cross or go up and down |
/// | 1, 7, ... | arcs and rings with lines |
/// | 2, 8, ... | scribbles: random curves, hatching, spirals, waves |
/// | 3, 9, ... | two of the digits beside or over each other, or halves of two |
/// | 4, 10, ... | one of the digits, mirrored or turned so that it is none |
/// | 5, 11, ... | speckles, clouds and blots |
///
/// The same digits and seed give the same images on every machine; with a smaller
/// count, the first of them. Train with another seed than you measure with.
///
/// ```
/// use digit_recognizer::{Dataset, Images, NO_CLASS, outliers};
///
/// // Two digits; MNIST's training images have more.
/// let mut pixels = vec![0; 2 * 784];
/// (8..20).for_each(|row| pixels[row * 28 + 14] = 255);
/// (8..20).for_each(|row| pixels[784 + row * 28 + 34 - row] = 255);
/// let mut dataset = Dataset::new(Images::new(28, 28, pixels)?, vec![1, 7])?;
///
/// let outliers = outliers(&dataset, 12, 42)?;
/// assert_eq!(outliers.labels(), [NO_CLASS; 12]);
/// dataset.extend(&outliers)?;
/// # Ok::<(), digit_recognizer::Error>(())
/// ```
///
/// # Errors
/// [`Error::Mismatch`] if the digits are not 28×28, or fewer than two of the labels
/// 0 to 9 are among them.
pub fn outliers(digits: &Dataset, count: usize, seed: u64) -> Result<Dataset> {
    let (rows, cols) = (digits.images().rows(), digits.images().cols());
    if (rows, cols) != (SIDE, SIDE) {
        return Err(Error::Mismatch {
            what: "size of the digits to make outliers of",
            expected: format!("{SIDE} x {SIDE} pixels"),
            found: format!("{rows} x {cols} pixels"),
        });
    }
    let digits = Digits::new(digits);
    if digits.count() < 2 {
        return Err(Error::Mismatch {
            what: "classes of the digits to make outliers of",
            expected: "at least two of 0 to 9".to_owned(),
            found: digits.count().to_string(),
        });
    }
    let mut pixels = Vec::new();
    for index in 0..count {
        let rng = &mut Rng::with_stream(seed, index as u64);
        let image = match index % 6 {
            0 => draw(lines::lines, rng)?,
            1 => draw(bows::bows, rng)?,
            2 => draw(scribbles::scribbles, rng)?,
            3 => pieces::pieces(&digits, rng),
            4 => pieces::turned(&digits, rng),
            _ => blots::blots(rng),
        };
        pixels.extend(image.map(|pixel| (pixel * 255.0).round() as u8));
    }
    Dataset::new(Images::new(SIDE, SIDE, pixels)?, vec![NO_CLASS; count])
}

/// Draws strokes with a pen of random width.
fn draw(strokes: fn(&mut Rng) -> Vec<Stroke>, rng: &mut Rng) -> Result<[f32; PIXELS]> {
    let strokes = Strokes::new(strokes(rng))?;
    Ok(*strokes.draw(between(rng, PENS.0, PENS.1))?.pixels())
}
