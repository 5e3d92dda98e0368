//! MNIST's form for a picture of any size.

use std::ops::Range;

use crate::digit_image::{BOX, MIDDLE, PIXELS, SIDE};

/// A picture's ink, 0 to 1, as a 28×28 image: its longer side scaled to 20 pixels,
/// its centre of mass in the middle of pixel 14. A picture without ink stays so.
///
/// Each pixel is the mean of the area that it covers, and the darkest is full ink.
/// Where nothing is scaled, the ink moves by whole pixels and stays as sharp.
pub(super) fn frame(pixels: &[f32], width: usize) -> [f32; PIXELS] {
    let height = pixels.len() / width;
    let sum = |row: usize, column: usize| pixels[row * width + column];
    let columns: Vec<f32> = (0..width).map(|x| (0..height).map(|y| sum(y, x)).sum()).collect();
    let rows: Vec<f32> = (0..height).map(|y| (0..width).map(|x| sum(y, x)).sum()).collect();
    let (across, down) = (extent(&columns), extent(&rows));
    let scale = across.len().max(down.len()).max(1) as f32 / BOX;
    let (left, top) = (origin(&columns, &across, scale), origin(&rows, &down, scale));

    let mut framed = [0.0; PIXELS];
    for (index, result) in framed.iter_mut().enumerate() {
        let (row, column) = (index / SIDE, index % SIDE);
        for (y, high) in covered(top + row as f32 * scale, scale, &down) {
            for (x, wide) in covered(left + column as f32 * scale, scale, &across) {
                *result += high * wide * pixels[y * width + x];
            }
        }
    }
    let darkest = framed.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    framed.map(|pixel| (pixel / darkest).clamp(0.0, 1.0))
}

/// From where to where a profile has ink.
fn extent(profile: &[f32]) -> Range<usize> {
    let first = profile.iter().position(|&mass| mass > 0.0).unwrap_or(0);
    first..profile.iter().rposition(|&mass| mass > 0.0).map_or(first, |last| last + 1)
}

/// Where along the picture the image begins.
fn origin(profile: &[f32], extent: &Range<usize>, scale: f32) -> f32 {
    let mass: f32 = profile.iter().sum();
    let moment: f32 = profile.iter().enumerate().map(|(i, mass)| (i as f32 + 0.5) * mass).sum();
    let centre = if mass > 0.0 { moment / mass } else { 0.0 };
    // Ink that would leave the image moves its centre.
    let least = extent.end as f32 - SIDE as f32 * scale;
    let origin = (centre - MIDDLE * scale).clamp(least, extent.start as f32);
    if scale == 1.0 { origin.round() } else { origin }
}

/// The pixels from `start` on that one of the image covers, and their shares of it.
/// Where the picture is enlarged, a pixel's width makes it a linear interpolation.
fn covered(start: f32, scale: f32, extent: &Range<usize>) -> impl Iterator<Item = (usize, f32)> {
    let width = scale.max(1.0);
    let (left, right) = (start + (scale - width) / 2.0, start + (scale + width) / 2.0);
    // Casts of negative numbers give 0.
    let range = (left as usize).max(extent.start)..(right.ceil() as usize).min(extent.end);
    range.map(move |pixel| {
        let overlap = right.min(pixel as f32 + 1.0) - left.max(pixel as f32);
        (pixel, overlap.max(0.0) / width)
    })
}
