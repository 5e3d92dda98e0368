//! Telling ink from paper.

use std::ops::RangeInclusive;

use crate::error::{Error, Result};
use crate::preprocess::luminance::Luminance;

/// The least difference between the median gray values of ink and paper, as a
/// share of black to white. The two halves of sensor noise or of JPEG blocks on
/// blank paper differ by less; faint pencil differs by more.
const MIN_CONTRAST: f32 = 0.04;

/// Ink below this share of the full stroke is paper: it keeps the soft edge of
/// a stroke and drops the unevenness of paper.
const FLOOR: f32 = 0.2;

/// How much ink each gray value stands for.
pub(super) struct Ink {
    /// From 0 for paper to 1 for ink.
    by_gray: [f32; 256],
}

impl Ink {
    /// The ink of a pixel, 0 to 1.
    pub(super) fn of(&self, gray: u8) -> f32 {
        self.by_gray[usize::from(gray)]
    }
}

/// Finds the gray values of ink and paper.
///
/// Otsu's threshold splits the pixels into dark and bright ones. The paper is
/// the class that has most of the picture's border; the other one is ink.
pub(super) fn find(luminance: &Luminance) -> Result<Ink> {
    let mut histogram = [0; 256];
    for &gray in &luminance.values {
        histogram[usize::from(gray)] += 1;
    }
    let threshold = otsu_threshold(&histogram);
    let classes = median(&histogram, 0..=threshold).zip(median(&histogram, threshold + 1..=255));
    let contrast = classes.map_or(0.0, |(dark, bright)| (bright - dark) / 255.0);
    let Some((dark, bright)) = classes.filter(|_| contrast >= MIN_CONTRAST) else {
        return Err(Error::NoInk { expected: MIN_CONTRAST, found: contrast });
    };
    let (mut border, mut bright_border) = (0, 0);
    for gray in border_values(luminance) {
        border += 1;
        bright_border += usize::from(usize::from(gray) > threshold);
    }
    let (paper, ink) = if 2 * bright_border >= border { (bright, dark) } else { (dark, bright) };
    let by_gray = std::array::from_fn(|gray| {
        let share = ((gray as f32 - paper) / (ink - paper)).min(1.0);
        if share < FLOOR { 0.0 } else { share }
    });
    Ok(Ink { by_gray })
}

/// The gray value that splits a histogram into two classes, the values up to it
/// and those above, so that the variance between the classes is largest.
///
/// # Source
/// Otsu, *A threshold selection method from gray-level histograms* (IEEE
/// Transactions on Systems, Man, and Cybernetics, 1979).
fn otsu_threshold(histogram: &[usize; 256]) -> usize {
    let total: usize = histogram.iter().sum();
    let total_sum: usize = histogram.iter().enumerate().map(|(gray, count)| gray * count).sum();
    let (mut below, mut below_sum) = (0, 0);
    let (mut best, mut best_variance) = (0, 0.0);
    for (gray, &count) in histogram.iter().enumerate() {
        below += count;
        below_sum += gray * count;
        let above = total - below;
        if below == 0 || above == 0 {
            continue;
        }
        let difference =
            below_sum as f64 / below as f64 - (total_sum - below_sum) as f64 / above as f64;
        let variance = below as f64 * above as f64 * difference * difference;
        if variance > best_variance {
            (best, best_variance) = (gray, variance);
        }
    }
    best
}

/// The median gray value of the pixels in `range`, where there are some.
fn median(histogram: &[usize; 256], mut range: RangeInclusive<usize>) -> Option<f32> {
    let count: usize = histogram[range.clone()].iter().sum();
    let mut below = 0;
    range
        .find(|&gray| {
            below += histogram[gray];
            below > 0 && 2 * below >= count
        })
        .map(|gray| gray as f32)
}

/// The gray values of the outermost rows and columns; corners come twice.
fn border_values(luminance: &Luminance) -> impl Iterator<Item = u8> {
    let (width, height, values) = (luminance.width, luminance.height, &luminance.values);
    let rows = (0..width).flat_map(move |x| [values[x], values[(height - 1) * width + x]]);
    let columns = (0..height).flat_map(move |y| [values[y * width], values[y * width + width - 1]]);
    rows.chain(columns)
}
