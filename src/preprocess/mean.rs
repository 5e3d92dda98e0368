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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preprocess::grid::tests::random_plane;

    #[test]
    fn means_are_those_of_the_square_within_the_picture() {
        for (width, height) in [(1, 1), (1, 7), (11, 6)] {
            let plane = random_plane(width, height, 3);
            for radius in [1, 2, 5, 20] {
                let found = box_mean(&plane, radius);
                for y in 0..height {
                    for x in 0..width {
                        let rows = y.saturating_sub(radius)..(y + radius + 1).min(height);
                        let columns = x.saturating_sub(radius)..(x + radius + 1).min(width);
                        let part = plane.part(columns, rows);
                        let mean = part.values.iter().sum::<f32>() / part.values.len() as f32;
                        assert!((found.at(x, y) - mean).abs() < 1e-5, "{radius} at ({x}, {y})");
                    }
                }
            }
        }
    }
}
