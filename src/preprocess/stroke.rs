//! Bringing the stroke to the width that MNIST's have.

use crate::preprocess::bounds::Bounds;
use crate::digit_image::BOX;
use crate::preprocess::distance::distance;
use crate::preprocess::grid::{Grid, Mask, Plane};
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

/// How far each pixel is from the edge of a mask, negative inside.
pub(super) fn signed_distance(mask: &Mask) -> Plane {
    let outside = distance(mask);
    let inside = distance(&mask.map(|ink| !ink));
    let values = outside.values.iter().zip(&inside.values);
    // An edge is half-way between two pixels' middles.
    let values = values.map(|(out, within)| if *out > 0.0 { out - 0.5 } else { 0.5 - within });
    Plane { values: values.collect(), ..outside }
}

/// The width of the strokes whose distances from the edge these are: over a
/// ribbon, the distance from its edge is a quarter of its width on average.
pub(super) fn width(signed: &Plane) -> f32 {
    let (mut count, mut sum) = (0, 0.0);
    for depth in signed.values.iter().filter(|distance| **distance < 0.0) {
        count += 1;
        sum -= depth;
    }
    4.0 * sum / count.max(1) as f32
}

/// The digit with its strokes' edges moved so that their width is MNIST's.
///
/// # Source
/// Level sets of the distance: Osher, Sethian, *Fronts propagating with
/// curvature-dependent speed* (Journal of Computational Physics, 1988), with the
/// same speed everywhere.
pub(super) fn normalised(ink: &Plane, normalise: bool) -> Plane {
    // A hair fills its pixels only in part.
    let most = dilation(ink, 3);
    let values = ink.values.iter().zip(&most.values);
    let values = values.map(|(&ink, most)| ink >= 0.5 * most.max(0.25)).collect();
    let mask = Mask { width: ink.width, height: ink.height, values };
    let signed = signed_distance(&mask);
    let width = width(&signed);
    let Some(bounds) = Bounds::of(&mask) else { return ink.clone() };
    let target = if normalise { target(width, bounds.longer_side() as f32) } else { width };
    let offset = (target - width) / 2.0;
    let middle = (offset < 0.0).then(|| distance(&skeleton(&mask)));
    let limit = if offset > 0.0 { Some(hole_depths(&signed)) } else { None };
    let mut result = signed;
    for (at, value) in result.values.iter_mut().enumerate() {
        let most = limit.as_ref().map_or(f32::MAX, |limit| 0.5 * limit.values[at]);
        let whole = (0.5 - *value).clamp(0.0, 1.0);
        *value = (0.5 + offset.min(most) - *value).clamp(0.0, 1.0);
        if let Some(middle) = &middle {
            // Where the stroke is thinner than elsewhere, its middle stays.
            let stroke = (0.5 + target / 2.0 - middle.values[at]).clamp(0.0, 1.0);
            *value = value.max(stroke.min(whole));
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
/// is from the edge; elsewhere very far.
fn hole_depths(signed: &Plane) -> Plane {
    let (width, height) = (signed.width, signed.height);
    let mut depths = Grid::filled(width, height, f32::MAX);
    let mut seen = signed.map(|distance| distance <= 0.0);
    let mut open = Vec::new();
    let mut hole = Vec::new();
    for start in 0..signed.values.len() {
        if seen.values[start] {
            continue;
        }
        hole.clear();
        let (mut deepest, mut at_border) = (0.0_f32, false);
        seen.values[start] = true;
        open.push(start);
        while let Some(at) = open.pop() {
            hole.push(at);
            deepest = deepest.max(signed.values[at]);
            let (x, y) = (at % width, at / width);
            at_border |= x == 0 || y == 0 || x + 1 == width || y + 1 == height;
            let mut visit = |near: usize| {
                if !seen.values[near] {
                    seen.values[near] = true;
                    open.push(near);
                }
            };
            if x > 0 {
                visit(at - 1);
            }
            if x + 1 < width {
                visit(at + 1);
            }
            if y > 0 {
                visit(at - width);
            }
            if y + 1 < height {
                visit(at + width);
            }
        }
        if !at_border {
            hole.iter().for_each(|&at| depths.values[at] = deepest);
        }
    }
    depths
}
