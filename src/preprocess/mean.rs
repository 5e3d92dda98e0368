//! The mean around each pixel.

use crate::preprocess::grid::Plane;

/// The mean in the square of 2·`radius` + 1 pixels around each pixel, as far as
/// the picture goes.
///
/// # Source
/// Running sums: McDonnell, *Box-filtering techniques* (Computer Graphics and
/// Image Processing, 1981).
pub(super) fn box_mean(plane: &Plane, radius: usize) -> Plane {
    let across = column_means(&plane.transposed(), radius);
    column_means(&across.transposed(), radius)
}

fn column_means(plane: &Plane, radius: usize) -> Plane {
    let (width, height) = (plane.width, plane.height);
    let mut sums = vec![0.0; width];
    let mut values = Vec::with_capacity(plane.values.len());
    for y in 0..radius.min(height) {
        sums.iter_mut().zip(plane.row(y)).for_each(|(sum, value)| *sum += value);
    }
    for y in 0..height {
        if y + radius < height {
            sums.iter_mut().zip(plane.row(y + radius)).for_each(|(sum, value)| *sum += value);
        }
        if y > radius {
            sums.iter_mut().zip(plane.row(y - radius - 1)).for_each(|(sum, value)| *sum -= value);
        }
        let count = (y + radius).min(height - 1) - y.saturating_sub(radius) + 1;
        values.extend(sums.iter().map(|sum| sum / count as f32));
    }
    Plane { width, height, values }
}
