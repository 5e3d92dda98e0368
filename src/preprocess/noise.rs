//! Measuring noise, and smoothing as much as it asks for.

use crate::preprocess::grid::{Plane, quantile};

/// The noise that is left may be this share of the contrast: four deviations
/// then stay below a quarter of the ink.
const TOLERATED: f32 = 0.06;

/// Passes of the smoothing at most; thin strokes drown in more.
const MAX_PASSES: usize = 4;

/// What a pass of [`binomial`] leaves of the deviation of white noise, about.
const LEFT_BY_A_PASS: f32 = 0.45;

/// The standard deviation of the noise.
///
/// # Source
/// Immerkær, *Fast noise variance estimation* (Computer Vision and Image
/// Understanding, 1996): an operator that is blind to slopes and edges. Its
/// lowest fifth instead of its mean is blind to strokes too, if they leave that
/// much of the picture.
pub(super) fn deviation(plane: &Plane) -> f32 {
    if plane.width < 3 || plane.height < 3 {
        return 0.0;
    }
    let mut found = Vec::with_capacity(plane.values.len() / 2);
    for y in (1..plane.height - 1).step_by(2) {
        let (above, row, below) = (plane.row(y - 1), plane.row(y), plane.row(y + 1));
        found.extend(above.windows(3).zip(row.windows(3)).zip(below.windows(3)).map(
            |((a, b), c)| {
                let corners = a[0] + a[2] + c[0] + c[2];
                let sides = a[1] + b[0] + b[2] + c[1];
                (corners - 2.0 * sides + 4.0 * b[1]).abs()
            },
        ));
    }
    // The operator has the norm 6; a fifth of |x| is below 0.2533 deviations.
    quantile(&mut found, 0.2) / (6.0 * 0.2533)
}

/// Single pixels and pairs that stand out become as their neighbours are.
///
/// A pixel is bounded by the second-largest and the second-smallest of its eight
/// neighbours; a stroke, however thin, has two of its own kind at each pixel.
///
/// # Source
/// The rank-conditioned filters of Hardie, Barner, *Rank conditioned rank
/// selection filters for signal restoration* (IEEE Transactions on Image
/// Processing, 1994).
pub(super) fn without_impulses(plane: &Plane) -> Plane {
    let mut result = plane.clone();
    if plane.width < 3 || plane.height < 3 {
        return result;
    }
    let width = plane.width;
    for y in 0..plane.height {
        // Beyond the border the picture is mirrored.
        let above = plane.row(if y == 0 { 1 } else { y - 1 });
        let below = plane.row(if y + 1 == plane.height { y - 1 } else { y + 1 });
        let row = plane.row(y);
        let bound = |left: usize, x: usize, right: usize| {
            let neighbours = [
                above[left],
                above[x],
                above[right],
                row[left],
                row[right],
                below[left],
                below[x],
                below[right],
            ];
            let (mut most, mut second_most) = (f32::MIN, f32::MIN);
            let (mut least, mut second_least) = (f32::MAX, f32::MAX);
            for value in neighbours {
                second_most = second_most.max(most.min(value));
                most = most.max(value);
                second_least = second_least.min(least.max(value));
                least = least.min(value);
            }
            row[x].min(second_most).max(second_least)
        };
        let into = &mut result.values[y * width..][..width];
        for x in 1..width - 1 {
            into[x] = bound(x - 1, x, x + 1);
        }
        into[0] = bound(1, 0, 1);
        into[width - 1] = bound(width - 2, width - 1, width - 2);
    }
    result
}

/// Smooths until the noise is small beside the contrast.
pub(super) fn smoothed(plane: Plane, deviation: f32, contrast: f32) -> Plane {
    let (mut plane, mut left) = (plane, deviation);
    for _ in 0..MAX_PASSES {
        if left <= TOLERATED * contrast {
            break;
        }
        plane = binomial(&plane);
        left *= LEFT_BY_A_PASS;
    }
    plane
}

/// The weighted mean with the eight neighbours, 1 2 1 along both axes.
///
/// # Source
/// Jähne, *Digital image processing* (2005), section 11.4: binomial filters.
fn binomial(plane: &Plane) -> Plane {
    let mut result = plane.clone();
    for _ in 0..2 {
        result = result.transposed();
        let (width, height) = (result.width, result.height);
        let source = result.values.clone();
        for y in 0..height {
            let above = &source[y.saturating_sub(1) * width..][..width];
            let below = &source[(y + 1).min(height - 1) * width..][..width];
            let row = &mut result.values[y * width..][..width];
            for ((value, above), below) in row.iter_mut().zip(above).zip(below) {
                *value = 0.5 * *value + 0.25 * (above + below);
            }
        }
    }
    result
}
