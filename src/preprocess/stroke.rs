//! Bringing the stroke to the width that MNIST's have.

use crate::digit_image::BOX;
use crate::preprocess::bounds::Bounds;
use crate::preprocess::distance::distance;
use crate::preprocess::grid::{Mask, Plane};
use crate::preprocess::labels::{Connectivity, label};
use crate::preprocess::morphology::dilation;
use crate::preprocess::thinning::skeleton;

/// The longer side of a digit on the canonical grid: 3.2 times the box of the
/// result, so that a stroke's edge lies within a sixth of a pixel there.
const LONGER: f32 = 3.2 * BOX;

/// Empty pixels around the digit, more than a hair grows by.
const MARGIN: usize = 10;

/// The widths that are left as they are, in pixels of a digit whose box is 20:
/// those of the middle half of MNIST's training images, as [`width`] finds them
/// (quartiles 1.96, 2.35 and 2.80 in every tenth image).
const WIDTHS: (f32, f32) = (1.95, 2.8);

/// A digit whose longer side has 10 pixels in the picture keeps the grays within its
/// strokes, and one of 30 none: the fewer there are, the more loops are only gray. Of
/// scanned digits of 8×8 pixels 99.0 % are read so, and 96.0 % without.
const GRAYS: (f32, f32) = (10.0, 30.0);

/// The ink within the bounds, on a grid on which the longer side has 64 pixels.
pub(super) fn canonical(ink: &Plane, bounds: Bounds) -> Plane {
    let scale = bounds.longer_side() as f32 / LONGER;
    let size = |first: usize, last: usize| {
        ((last + 1 - first) as f32 / scale).ceil() as usize + 2 * MARGIN
    };
    let (width, height) = (size(bounds.left, bounds.right), size(bounds.top, bounds.bottom));
    let columns = samples(bounds.left, width, ink.width, scale);
    let rows = samples(bounds.top, height, ink.height, scale);
    let mut narrow = Plane::filled(width, ink.height, 0.0);
    for y in 0..ink.height {
        let row = ink.row(y);
        for (value, (first, weights)) in narrow.values[y * width..].iter_mut().zip(&columns) {
            *value = row[*first..].iter().zip(weights).map(|(ink, weight)| ink * weight).sum();
        }
    }
    let mut result = Plane::filled(width, height, 0.0);
    for (row, (first, weights)) in result.values.chunks_exact_mut(width).zip(&rows) {
        for (index, &weight) in weights.iter().enumerate() {
            for (value, ink) in row.iter_mut().zip(narrow.row(first + index)) {
                *value += weight * ink;
            }
        }
    }
    result
}

/// For each pixel of the canonical grid along an axis the first pixel of the
/// plane that it takes from, and the weights: those of a triangle as wide as two
/// pixels of the plane or of the grid, whichever are larger. Beyond the plane is
/// no ink.
fn samples(start: usize, count: usize, length: usize, scale: f32) -> Vec<(usize, Vec<f32>)> {
    let radius = scale.max(1.0);
    let sample = |index: usize| {
        let middle = start as f32 + (index as f32 + 0.5 - MARGIN as f32) * scale;
        let weight = |pixel: f32| (1.0 - (pixel + 0.5 - middle).abs() / radius).max(0.0);
        let (first, last) = ((middle - radius).floor(), (middle + radius).ceil());
        let total: f32 = (0..(last - first) as usize).map(|i| weight(first + i as f32)).sum();
        let bound = |value: f32| value.clamp(0.0, length as f32) as usize;
        let (first, last) = (bound(first), bound(last));
        let weights: Vec<f32> = (first..last).map(|pixel| weight(pixel as f32) / total).collect();
        (first, weights)
    };
    (0..count).map(sample).collect()
}

/// The width of the strokes within which these are the distances from what is
/// beside them: over a ribbon, the distance from its edge is a quarter of its width
/// on average.
fn width(inside: &Plane) -> f32 {
    let (mut count, mut sum) = (0, 0.0);
    for depth in inside.values.iter().filter(|distance| **distance > 0.0) {
        count += 1;
        // An edge is half-way between two pixels' middles.
        sum += depth - 0.5;
    }
    4.0 * sum / count.max(1) as f32
}

/// The digit with its strokes' edges moved so that their width is MNIST's; with few
/// `pixels` along its longer side in the picture it keeps grays.
///
/// # Source
/// Level sets of the distance: Osher, Sethian, *Fronts propagating with
/// curvature-dependent speed* (Journal of Computational Physics, 1988), with the
/// same speed everywhere.
pub(super) fn normalised(ink: &Plane, normalise: bool, pixels: f32) -> Plane {
    let kept = ((GRAYS.1 - pixels) / (GRAYS.1 - GRAYS.0)).clamp(0.0, 1.0);
    // A hair fills its pixels only in part.
    let most = dilation(ink, 3);
    let values = ink.values.iter().zip(&most.values);
    let values = values.map(|(&ink, most)| ink >= 0.5 * most.max(0.25)).collect();
    let mask = Mask { width: ink.width, height: ink.height, values };
    let inside = distance(&mask.map(|ink| !ink), f32::MAX);
    let width = width(&inside);
    let Some(bounds) = Bounds::of(&mask) else { return ink.clone() };
    let target = if normalise { target(width, bounds.longer_side() as f32) } else { width };
    let offset = (target - width) / 2.0;
    let middle = (offset < 0.0).then(|| distance(&skeleton(&mask), 0.5 + target / 2.0));
    // Half of what is deeper is more than strokes grow by.
    let outside = distance(&mask, 2.0 * offset.max(0.0) + 1.0);
    let limit = (offset > 0.0).then(|| hole_depths(&mask, &outside));
    let mut result = outside;
    for (distance, within) in result.values.iter_mut().zip(&inside.values) {
        *distance = if *distance > 0.0 { *distance - 0.5 } else { 0.5 - within };
    }
    for (at, value) in result.values.iter_mut().enumerate() {
        let most = limit.as_ref().map_or(f32::MAX, |limit| 0.5 * limit.values[at]);
        let whole = (0.5 - *value).clamp(0.0, 1.0);
        *value = (0.5 + offset.min(most) - *value).clamp(0.0, 1.0);
        if let Some(middle) = &middle {
            // Where the stroke is thinner than elsewhere, its middle stays.
            let stroke = (0.5 + target / 2.0 - middle.values[at]).clamp(0.0, 1.0);
            *value = value.max(stroke.min(whole));
        }
        if mask.values[at] {
            *value += kept * (ink.values[at] - *value);
        }
    }
    result
}

/// The width to give strokes of a digit whose longer side is `longer`, so that it
/// is within [`WIDTHS`] when the new digit's box is 20.
fn target(width: f32, longer: f32) -> f32 {
    let skeleton = (longer - width).max(1.0);
    // Of the skeleton's length s, a width w makes a box of s + w.
    let to = |wanted: f32| wanted * skeleton / (BOX - wanted);
    width.clamp(to(WIDTHS.0), to(WIDTHS.1))
}

/// For each pixel of a hole, such as the loop of a 6, how far its deepest pixel
/// is from the edge, given the distances from the mask; elsewhere very far.
fn hole_depths(mask: &Mask, outside: &Plane) -> Plane {
    let holes = label(&mask.map(|ink| !ink), Connectivity::Four);
    let mut depths = vec![0.0_f32; holes.count + 1];
    for (&hole, distance) in holes.of.values.iter().zip(&outside.values) {
        let depth = &mut depths[hole as usize];
        *depth = depth.max(distance - 0.5);
    }
    let (right, bottom) = (mask.width - 1, mask.height - 1);
    let sides = (0..=bottom).flat_map(|y| [(0, y), (right, y)]);
    let ends = (0..=right).flat_map(|x| [(x, 0), (x, bottom)]);
    sides.chain(ends).for_each(|(x, y)| depths[holes.of.at(x, y) as usize] = f32::MAX);
    depths[0] = f32::MAX;
    holes.of.map(|hole| depths[hole as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A ribbon of a width along the columns.
    fn ribbon(width: usize) -> Plane {
        let mut ink = Plane::filled(120, 80, 0.0);
        for y in 30..30 + width {
            (10..110).for_each(|x| ink.set(x, y, 1.0));
        }
        ink
    }

    fn rows_of_ink(ink: &Plane) -> f32 {
        (0..ink.height).map(|y| ink.at(60, y)).sum()
    }

    #[test]
    fn the_width_of_a_ribbon_is_found_and_brought_to_that_of_mnist() {
        for drawn in [1, 3, 6, 10, 20] {
            let ink = ribbon(drawn);
            let found = width(&distance(&ink.map(|ink| ink <= 0.5), f32::MAX));
            // Its ends are edges too.
            assert!((found / drawn as f32 - 1.0).abs() < 0.25 || drawn == 1, "{drawn}: {found}");
            assert!((rows_of_ink(&normalised(&ink, false, 100.0)) - drawn as f32).abs() < 0.01);
            // The ribbon's length makes 20 pixels of the result.
            let wide = rows_of_ink(&normalised(&ink, true, 100.0)) * 20.0 / 100.0;
            let (least, most) = (0.75 * WIDTHS.0, 1.25 * WIDTHS.1);
            assert!((least..=most).contains(&wide), "{drawn}: {wide}");
        }
    }

    #[test]
    fn what_is_gray_stays_gray_where_there_are_few_pixels() {
        let mut ink = ribbon(7);
        (10..110).for_each(|x| ink.set(x, 33, 0.7));
        for (pixels, expected) in [(100.0, 1.0), (20.0, 0.85), (8.0, 0.7)] {
            let found = normalised(&ink, false, pixels).at(60, 33);
            assert!((found - expected).abs() < 1e-6, "{pixels}: {found}");
        }
    }

    #[test]
    fn growing_strokes_leave_a_hole_open() {
        let mut ink = ribbon(2);
        for at in 0..ink.values.len() {
            let (x, y) = ((at % 120) as f32 - 30.0, (at / 120) as f32 - 30.0);
            let radius = (x * x + y * y).sqrt();
            if (3.5..5.5).contains(&radius) {
                ink.values[at] = 1.0;
            } else if radius < 3.5 {
                ink.values[at] = 0.0;
            }
        }
        let wide = normalised(&ink, true, 100.0);
        assert!(rows_of_ink(&wide) > 6.0, "grown");
        assert!(wide.at(30, 30) < 0.3, "{}", wide.at(30, 30));
    }

    #[test]
    fn shrinking_strokes_leave_the_thin_parts() {
        let mut ink = ribbon(24);
        // In the middle a sixth as wide.
        for y in (0..40).chain(44..80) {
            (50..70).for_each(|x| ink.set(x, y, 0.0));
        }
        let thin = normalised(&ink, true, 100.0);
        let left: Vec<f32> = (50..70).map(|x| (0..80).map(|y| thin.at(x, y)).sum()).collect();
        assert!(left.iter().all(|&rows| rows > 2.0), "{left:?}");
    }
}
