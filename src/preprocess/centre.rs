//! Scaling the digit to 20×20 and moving its centre of mass to the middle.
//!
//! Both are done in one step, without rounding to whole pixels: each pixel of
//! the result is the mean ink of the part of the plane that it covers.

use std::ops::Range;

use crate::digit_image::{BOX, DigitImage, MIDDLE, PIXELS, SIDE};
use crate::preprocess::grid::Plane;

/// Where the ink is, in pixels of the plane.
struct Extent {
    /// The columns and rows with ink.
    columns: Range<usize>,
    rows: Range<usize>,
    /// The centre of mass; the middle of the first pixel is 0.5.
    centre: (f32, f32),
}

/// A plane's ink, 0 to 1, as a 28×28 image.
pub(super) fn normalise(ink: &Plane) -> DigitImage {
    let extent = extent(ink);
    let longer = extent.columns.len().max(extent.rows.len());
    let scale = longer as f32 / BOX;
    let columns = Coverage::new(&extent.columns, extent.centre.0, scale);
    let rows = Coverage::new(&extent.rows, extent.centre.1, scale);

    let mut pixels = [0.0; PIXELS];
    for y in extent.rows.clone() {
        let row = &ink.row(y)[extent.columns.clone()];
        let mut narrow = [0.0; SIDE];
        for (target, sum) in narrow.iter_mut().enumerate() {
            let (first, weights) = columns.of(target);
            *sum = row[first..].iter().zip(weights).map(|(ink, weight)| ink * weight).sum();
        }
        for (target, pixels) in pixels.chunks_exact_mut(SIDE).enumerate() {
            let (first, weights) = rows.of(target);
            let index = (y - extent.rows.start).checked_sub(first);
            let Some(weight) = index.and_then(|index| weights.get(index)) else { continue };
            for (pixel, sum) in pixels.iter_mut().zip(narrow) {
                *pixel += weight * sum;
            }
        }
    }
    // A hair-thin stroke covers a pixel only in part; the darkest is full ink.
    let darkest = pixels.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    pixels.iter_mut().for_each(|pixel| *pixel = (*pixel / darkest).min(1.0));
    DigitImage::from_unit_pixels(pixels)
}

fn extent(ink: &Plane) -> Extent {
    let mut columns = vec![0.0; ink.width];
    let mut rows = vec![0.0; ink.height];
    for (values, row) in ink.values.chunks_exact(ink.width).zip(&mut rows) {
        for (&ink, column) in values.iter().zip(&mut columns) {
            let ink = f64::from(ink);
            *column += ink;
            *row += ink;
        }
    }
    let (columns, x) = extent_along(&columns);
    let (rows, y) = extent_along(&rows);
    Extent { columns, rows, centre: (x, y) }
}
/// Where a profile is above 0, and its centre of mass.
fn extent_along(profile: &[f64]) -> (Range<usize>, f32) {
    let first = profile.iter().position(|&mass| mass > 0.0).unwrap_or(0);
    let last = profile.iter().rposition(|&mass| mass > 0.0).unwrap_or(0);
    let mass: f64 = profile.iter().sum();
    let moment: f64 = profile.iter().enumerate().map(|(i, mass)| (i as f64 + 0.5) * mass).sum();
    (first..last + 1, (moment / mass) as f32)
}

/// Which pixels of the plane each pixel of the result covers, along one axis.
struct Coverage {
    /// For each of the 28 pixels the first one covered, counted from the start
    /// of the extent, and each one's weight; the weights of a pixel that is
    /// within the extent sum to 1.
    spans: [(usize, Vec<f32>); SIDE],
}

impl Coverage {
    /// `scale` is the number of the plane's pixels that one of the result
    /// takes; `centre` is the point of the plane that comes to the middle.
    fn new(extent: &Range<usize>, centre: f32, scale: f32) -> Self {
        let (start, end) = (extent.start as f32, extent.end as f32);
        // A centre of mass so far off that ink would leave the image gives way.
        let (least, most) = (end - (SIDE as f32 - MIDDLE) * scale, start + MIDDLE * scale);
        let centre = centre.clamp(least, most) - start;
        // Where the digit is enlarged, a pixel's width makes it a linear
        // interpolation.
        let half_width = scale.max(1.0) / 2.0;
        let spans = std::array::from_fn(|target| {
            let middle = centre + (target as f32 + 0.5 - MIDDLE) * scale;
            let (left, right) = (middle - half_width, middle + half_width);
            let covered = |value: f32| value.clamp(0.0, end - start) as usize;
            let (first, last) = (covered(left.floor()), covered(right.ceil()));
            let weights = (first..last).map(|pixel| {
                let overlap = right.min(pixel as f32 + 1.0) - left.max(pixel as f32);
                overlap.max(0.0) / (2.0 * half_width)
            });
            (first, weights.collect())
        });
        Self { spans }
    }

    fn of(&self, target: usize) -> (usize, &[f32]) {
        let (first, weights) = &self.spans[target];
        (*first, weights)
    }
}
