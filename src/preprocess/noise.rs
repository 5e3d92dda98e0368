//! Measuring noise, and smoothing as much as it asks for.

use crate::preprocess::grid::{Plane, quantile};
use crate::preprocess::morphology::{larger, smaller};

/// The noise that is left may be this share of the contrast: four deviations
/// then stay below a quarter of the ink.
const TOLERATED: f32 = 0.06;

/// What passes of [`binomial`] leave of the deviation of white noise: n of them
/// are the binomial of 4n, whose squared weights sum to binom(4n, 2n) / 16ⁿ along
/// each axis. Thin strokes drown in more than four.
const LEFT: [f32; 5] = [1.0, 0.375, 0.273_437_5, 0.225_585_94, 0.196_380_62];

/// The shorter side that a picture has for each pass: in a smaller one strokes
/// are too few pixels wide.
const PASS_SIDE: usize = 40;

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
    // Thousands of values are enough.
    let step = plane.values.len().div_ceil(6_000);
    let mut found = Vec::with_capacity(plane.values.len() / step);
    for y in (1..plane.height - 1).step_by(step) {
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

/// Smooths until the noise is small beside the contrast; also gives the deviation
/// that is left.
pub(super) fn smoothed(plane: Plane, deviation: f32, contrast: f32) -> (Plane, f32) {
    let most = (plane.shorter_side() / PASS_SIDE).min(LEFT.len() - 1);
    let enough = |&passes: &usize| deviation * LEFT[passes] <= TOLERATED * contrast;
    let passes = (0..most).find(enough).unwrap_or(most);
    let plane = (0..passes).fold(plane, |plane, _| binomial(&plane));
    (plane, deviation * LEFT[passes])
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preprocess::grid::tests::random_plane;

    /// Twelve uniform numbers make a nearly normal one, whose deviation is 1.
    fn noise(width: usize, height: usize) -> Plane {
        let mut sum = Plane::filled(width, height, -6.0);
        for seed in 0..12 {
            let uniform = random_plane(width, height, seed);
            sum.values.iter_mut().zip(uniform.values).for_each(|(sum, value)| *sum += value);
        }
        sum
    }

    #[test]
    fn the_deviation_is_found_on_slopes_and_beside_strokes() {
        let noise = noise(120, 90);
        for expected in [0.0, 2.0, 10.0] {
            let mut plane = noise.map(|value| 128.0 + expected * value);
            for y in 0..90 {
                for x in 0..120 {
                    let ink = if (x / 6) % 5 == 2 { -90.0 } else { 0.0 };
                    plane.set(x, y, plane.at(x, y) + ink + 0.4 * x as f32 - 0.2 * y as f32);
                }
            }
            let found = deviation(&plane);
            assert!((found - expected).abs() <= 0.15 * expected + 0.05, "{expected}: {found}");
        }
        assert_eq!(deviation(&Plane::filled(2, 50, 1.0)), 0.0);
    }

    #[test]
    fn impulses_go_and_hairs_stay() {
        let mut plane = Plane::filled(30, 20, 200.0);
        (0..30).for_each(|x| plane.set(x, 9, 10.0));
        let hair = plane.clone();
        for (x, y) in [(3, 3), (4, 3), (20, 15), (0, 0), (29, 19), (12, 5), (12, 4)] {
            plane.set(x, y, if y % 2 == 0 { 0.0 } else { 255.0 });
        }
        for (x, y) in [(7, 15), (8, 16), (24, 3), (25, 3)] {
            plane.set(x, y, 0.0);
        }
        let found = without_impulses(&plane);
        let differ = found.values.iter().zip(&hair.values).filter(|(a, b)| a != b).count();
        assert_eq!(differ, 0);
        assert_eq!(without_impulses(&hair), hair);
    }

    #[test]
    fn smoothing_goes_on_until_the_noise_is_small() {
        let plane = noise(120, 90).map(|value| 100.0 + 20.0 * value);
        let mean = |plane: &Plane| plane.values.iter().sum::<f32>() / plane.values.len() as f32;
        let left = |plane: &Plane| {
            let mean = mean(plane);
            let squares: f32 = plane.values.iter().map(|value| (value - mean).powi(2)).sum();
            (squares / plane.values.len() as f32).sqrt()
        };
        assert_eq!(smoothed(plane.clone(), 20.0, 20.0 / TOLERATED).0, plane);
        let (smooth, expected) = smoothed(plane.clone(), 20.0, 100.0);
        assert!(left(&smooth) < 0.5 * left(&plane), "{} of {}", left(&smooth), left(&plane));
        assert!((left(&smooth) / expected - 1.0).abs() < 0.1, "{} for {expected}", left(&smooth));
        assert!((mean(&smooth) - mean(&plane)).abs() < 0.5);
    }
}
