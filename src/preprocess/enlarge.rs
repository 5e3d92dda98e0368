//! Enlarging a small working picture, so that the steps after it see smooth edges.

use crate::preprocess::grid::Plane;

/// A plane with `zoom` × `zoom` pixels for each. Beyond its border is what is at the
/// border; no value is beyond those of the plane.
///
/// # Source
/// Keys, *Cubic convolution interpolation for digital image processing* (IEEE
/// Transactions on Acoustics, Speech, and Signal Processing, 1981).
pub(super) fn enlarged(plane: Plane, zoom: usize) -> Plane {
    if zoom == 1 {
        return plane;
    }
    let (least, most) = plane.range();
    let across = with_rows_between(&plane, zoom).transposed();
    let enlarged = with_rows_between(&across, zoom).transposed();
    enlarged.map(|value| value.clamp(least, most))
}

/// A plane with `zoom` rows for each.
fn with_rows_between(plane: &Plane, zoom: usize) -> Plane {
    let (width, last) = (plane.width, (plane.height - 1) as f32);
    let mut result = Plane::filled(width, plane.height * zoom, 0.0);
    for (index, row) in result.values.chunks_exact_mut(width).enumerate() {
        // Where its middle is among those of the plane's rows.
        let middle = (index as f32 + 0.5) / zoom as f32 - 0.5;
        for tap in [-1.0, 0.0, 1.0, 2.0] {
            let at = middle.floor() + tap;
            let weight = kernel((at - middle).abs());
            let from = plane.row(at.clamp(0.0, last) as usize);
            row.iter_mut().zip(from).for_each(|(value, &from)| *value += weight * from);
        }
    }
    result
}

/// The weight of what is `apart` rows away, 0 to 2: Keys's kernel with a = −1/2.
fn kernel(apart: f32) -> f32 {
    if apart <= 1.0 {
        (1.5 * apart - 2.5) * apart * apart + 1.0
    } else {
        ((2.5 - 0.5 * apart) * apart - 4.0) * apart + 2.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preprocess::grid::tests::random_plane;

    #[test]
    fn slopes_and_curves_go_on_between_pixels() {
        // The kernel makes quadratics again.
        let value = |x: f32, y: f32| 3.0 + 2.0 * x - y + 0.1 * x * x - 0.2 * x * y;
        let mut plane = Plane::filled(12, 9, 0.0);
        for (x, y) in (0..9).flat_map(|y| (0..12).map(move |x| (x, y))) {
            plane.set(x, y, value(x as f32, y as f32));
        }
        for zoom in [1, 2, 3, 4] {
            let found = enlarged(plane.clone(), zoom);
            assert_eq!((found.width, found.height), (12 * zoom, 9 * zoom));
            let middle = |index: usize| (index as f32 + 0.5) / zoom as f32 - 0.5;
            for (x, y) in
                (2 * zoom..7 * zoom).flat_map(|y| (2 * zoom..10 * zoom).map(move |x| (x, y)))
            {
                let expected = value(middle(x), middle(y));
                assert!((found.at(x, y) - expected).abs() < 1e-3, "{zoom} at ({x}, {y})");
            }
        }
    }

    #[test]
    fn no_value_is_beyond_those_that_were_there() {
        let plane = random_plane(7, 5, 3);
        assert_eq!(enlarged(plane.clone(), 4).range(), plane.range());
        assert_eq!(enlarged(Plane::filled(1, 1, 5.0), 3), Plane::filled(3, 3, 5.0));
    }
}
