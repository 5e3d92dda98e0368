//! Measuring noise, and smoothing as much as it asks for.

use crate::preprocess::grid::{Plane, quantile};

/// The noise that is left may be this share of the contrast: four deviations
/// then stay below a quarter of the ink.
const TOLERATED: f32 = 0.06;

/// Passes of the smoothing at most; thin strokes drown in more.
const MAX_PASSES: usize = 4;

/// The shorter side that a picture has for each pass: in a smaller one strokes
/// are too few pixels wide.
const PASS_SIDE: usize = 40;

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
    if plane.width < 3 || plane.height < 3 {
        return plane.clone();
    }
    let (width, height) = (plane.width, plane.height);
    // A row with its neighbours beyond the border, where the picture is mirrored.
    let wide = |y: usize| {
        let row = plane.row(y);
        let mut wide = Vec::with_capacity(width + 2);
        wide.push(row[1]);
        wide.extend_from_slice(row);
        wide.push(row[width - 2]);
        wide
    };
    let mut values = Vec::with_capacity(width * height);
    let (mut above, mut row, mut below) = (wide(1), wide(0), wide(1));
    for y in 0..height {
        let neighbours = [
            &above[..width],
            &above[1..=width],
            &above[2..],
            &row[..width],
            &row[2..],
            &below[..width],
            &below[1..=width],
            &below[2..],
        ];
        values.extend((0..width).map(|x| {
            let (mut most, mut second_most) = (f32::MIN, f32::MIN);
            let (mut least, mut second_least) = (f32::MAX, f32::MAX);
            for neighbour in neighbours {
                let value = neighbour[x];
                second_most = larger(second_most, smaller(most, value));
                most = larger(most, value);
                second_least = smaller(second_least, larger(least, value));
                least = smaller(least, value);
            }
            larger(smaller(row[x + 1], second_most), second_least)
        }));
        (above, row) = (row, below);
        below = wide(if y + 2 < height { y + 2 } else { height - 2 });
    }
    Plane { width, height, values }
}

/// As `f32::max` without its rule for NaN, which costs more than the comparison.
fn larger(one: f32, other: f32) -> f32 {
    if one > other { one } else { other }
}

fn smaller(one: f32, other: f32) -> f32 {
    if one < other { one } else { other }
}

/// Smooths until the noise is small beside the contrast.
pub(super) fn smoothed(plane: Plane, deviation: f32, contrast: f32) -> Plane {
    let (mut plane, mut left) = (plane, deviation);
    let most = (plane.shorter_side() / PASS_SIDE).min(MAX_PASSES);
    for _ in 0..most {
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
