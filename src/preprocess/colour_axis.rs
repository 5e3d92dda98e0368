//! From colour to one value a pixel, so that ink and paper differ most.

use crate::preprocess::grid::Plane;
use crate::preprocess::reduce::Colours;

/// Colours are compared over this share of the picture's shorter side: wider
/// than the soft edge of a stroke, too narrow for the light to change.
const LAG: f32 = 1.0 / 48.0;

/// Steps of the power iteration; each at least halves what is not the axis, if
/// the axis has twice the variance of the others.
const STEPS: usize = 24;

/// The position of each pixel along the axis, −255 to 255; where there is only
/// gray, this is the gray value.
///
/// The axis is the first principal component of the colour differences between
/// neighbouring pixels. Light varies slowly and cancels in them; noise has no
/// direction; so the axis is that from paper to ink, even where the two are
/// equally bright.
///
/// # Source
/// Pearson, *On lines and planes of closest fit to systems of points in space*
/// (Philosophical Magazine, 1901); power iteration: Golub, Van Loan, *Matrix
/// computations* (2013), section 8.2.1.
pub(super) fn along_axis(colours: &Colours) -> (Plane, [f32; 3]) {
    let [red, green, blue] = colours;
    if red.values == green.values && green.values == blue.values {
        return (red.clone(), [1.0 / 3.0; 3]);
    }
    let axis = axis(&covariance(colours));
    let values = red.values.iter().zip(&green.values).zip(&blue.values);
    let values =
        values.map(|((red, green), blue)| axis[0] * red + axis[1] * green + axis[2] * blue);
    let plane = Plane { width: red.width, height: red.height, values: values.collect() };
    (plane, axis)
}

/// Sums of products of the channels' differences, to the right and downwards.
fn covariance(colours: &Colours) -> [[f32; 3]; 3] {
    let (width, height) = (colours[0].width, colours[0].height);
    let lag = ((colours[0].shorter_side() as f32 * LAG) as usize).max(1);
    let mut sums = [[0.0_f32; 3]; 3];
    let mut add = |at: usize, other: usize| {
        let difference: [f32; 3] =
            std::array::from_fn(|c| colours[c].values[at] - colours[c].values[other]);
        for (row, a) in sums.iter_mut().zip(difference) {
            for (sum, b) in row.iter_mut().zip(difference) {
                *sum += a * b;
            }
        }
    };
    for y in 0..height {
        for x in (0..width).step_by(2) {
            let at = y * width + x;
            if x + lag < width {
                add(at, at + lag);
            }
            if y + lag < height {
                add(at, at + lag * width);
            }
        }
    }
    sums
}

/// The eigenvector of the largest eigenvalue; brightness grows along it, and the
/// magnitudes of its components sum to 1.
fn axis(covariance: &[[f32; 3]; 3]) -> [f32; 3] {
    let dot = |a: &[f32; 3], b: &[f32; 3]| a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    // ITU-R BT.601, section 2.5.1: a start that is not across any axis of note.
    let luma = [0.299, 0.587, 0.114];
    let normalised = |v: [f32; 3]| {
        let sum = v[0].abs() + v[1].abs() + v[2].abs();
        if sum > 0.0 { v.map(|value| value / sum) } else { luma }
    };
    // A start across the axis would stay there: the longest column is not.
    let longest =
        (0..3).fold(0, |best, c| if covariance[c][c] > covariance[best][best] { c } else { best });
    let mut v = normalised(covariance[longest]);
    for _ in 0..STEPS {
        v = normalised([dot(&covariance[0], &v), dot(&covariance[1], &v), dot(&covariance[2], &v)]);
    }
    if dot(&luma, &v) < 0.0 { v.map(|value| -value) } else { v }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stripes of two colours, under light that changes.
    fn stripes(paper: [f32; 3], ink: [f32; 3]) -> Colours {
        std::array::from_fn(|channel| {
            let value = |at: usize| {
                let (x, y) = (at % 96, at / 96);
                let light = 0.6 + 0.4 * y as f32 / 96.0;
                light * if (x / 5) % 4 == 1 { ink[channel] } else { paper[channel] }
            };
            Plane { width: 96, height: 96, values: (0..96 * 96).map(value).collect() }
        })
    }

    #[test]
    fn equally_bright_colours_differ_along_the_axis() {
        // Brightness 0.299 r + 0.587 g + 0.114 b is the same for both.
        let (plane, axis) = along_axis(&stripes([200.0, 60.0, 90.0], [60.0, 131.3, 90.0]));
        let sum: f32 = axis.iter().map(|share| share.abs()).sum();
        assert!((sum - 1.0).abs() < 1e-5 && axis[0] * axis[1] < 0.0, "{axis:?}");
        assert!((plane.at(6, 95) - plane.at(0, 95)).abs() > 60.0);
    }

    #[test]
    fn gray_stays_gray() {
        let colours = stripes([220.0; 3], [30.0; 3]);
        assert_eq!(along_axis(&colours), (colours[0].clone(), [1.0 / 3.0; 3]));
    }

    #[test]
    fn the_axis_points_to_the_brighter_side() {
        for (paper, ink) in
            [([240.0, 230.0, 150.0], [30.0, 30.0, 120.0]), ([20.0, 60.0, 40.0], [250.0; 3])]
        {
            let (_, axis) = along_axis(&stripes(paper, ink));
            assert!(0.299 * axis[0] + 0.587 * axis[1] + 0.114 * axis[2] > 0.0, "{axis:?}");
        }
    }
}
