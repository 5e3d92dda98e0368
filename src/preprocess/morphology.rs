//! Grayscale morphology with flat squares.
//!
//! # Source
//! Serra, *Image analysis and mathematical morphology* (1982). Maxima and minima
//! in a window, three comparisons a pixel at any size of the window: van Herk,
//! *A fast algorithm for local minimum and maximum filters on rectangular and
//! octagonal kernels* (Pattern Recognition Letters, 1992).

use crate::preprocess::grid::{Grid, Mask, Plane};

/// The closing: dark things in which a square of 2·`radius` + 1 pixels does not
/// fit take the brightness around them. Outside of the picture is nothing.
pub(super) fn closing(plane: &Plane, radius: usize) -> Plane {
    let dilated = columns(plane, radius, f32::max).transposed();
    let across = columns(&columns(&dilated, radius, f32::max), radius, f32::min);
    columns(&across.transposed(), radius, f32::min)
}

/// The largest value in the square of 2·`radius` + 1 pixels around each.
pub(super) fn dilation(plane: &Plane, radius: usize) -> Plane {
    let across = columns(&plane.transposed(), radius, f32::max);
    columns(&across.transposed(), radius, f32::max)
}

/// The pixels within `radius` rows and columns of the mask.
pub(super) fn grown(mask: &Mask, radius: usize) -> Mask {
    let either = |one: u8, other: u8| one | other;
    let across = columns(&mask.map(u8::from).transposed(), radius, either);
    columns(&across.transposed(), radius, either).map(|value| value != 0)
}

/// The best value among `radius` rows above and below, for each pixel.
fn columns<T: Copy>(grid: &Grid<T>, radius: usize, best: impl Fn(T, T) -> T + Copy) -> Grid<T> {
    let (width, height) = (grid.width, grid.height);
    if radius == 0 || width == 0 {
        return grid.clone();
    }
    let window = 2 * radius + 1;
    // Of each block of rows as long as the window: the best from its start on,
    // and the best to its end.
    let (mut from_start, mut to_end) = (grid.values.clone(), grid.values.clone());
    for y in (1..height).filter(|y| y % window != 0) {
        let (before, this) = from_start.split_at_mut(y * width);
        take(&mut this[..width], &before[(y - 1) * width..], best);
    }
    for y in (0..height - 1).rev().filter(|y| (y + 1) % window != 0) {
        let (this, after) = to_end.split_at_mut((y + 1) * width);
        take(&mut this[y * width..], &after[..width], best);
    }
    let mut values = Vec::with_capacity(grid.values.len());
    for y in 0..height {
        let (first, last) = (y.saturating_sub(radius), (y + radius).min(height - 1));
        let heads = &from_start[last * width..][..width];
        let tails = &to_end[first * width..][..width];
        if first / window != last / window {
            values.extend(heads.iter().zip(tails).map(|(&head, &tail)| best(head, tail)));
        } else if first % window == 0 {
            values.extend_from_slice(heads);
        } else {
            values.extend_from_slice(tails);
        }
    }
    Grid { width, height, values }
}

fn take<T: Copy>(into: &mut [T], from: &[T], best: impl Fn(T, T) -> T) {
    for (into, &from) in into.iter_mut().zip(from) {
        *into = best(*into, from);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preprocess::grid::tests::{random_mask, random_plane};

    /// The best value in each pixel's square, by looking at all of it.
    fn naive(plane: &Plane, radius: usize, best: fn(f32, f32) -> f32) -> Plane {
        let mut result = plane.clone();
        for y in 0..plane.height {
            for x in 0..plane.width {
                let rows = y.saturating_sub(radius)..(y + radius + 1).min(plane.height);
                let columns = x.saturating_sub(radius)..(x + radius + 1).min(plane.width);
                let around = rows.flat_map(|y| &plane.row(y)[columns.clone()]).copied();
                result.set(x, y, around.reduce(best).expect("the pixel itself"));
            }
        }
        result
    }

    #[test]
    fn any_size_of_window_gives_what_looking_gives() {
        for (width, height) in [(1, 1), (1, 9), (9, 1), (13, 8), (20, 21)] {
            let plane = random_plane(width, height, 7);
            let mask = random_mask(width, height, 0.1, 8);
            for radius in [0, 1, 2, 3, 5, 9, 30] {
                let most = naive(&plane, radius, f32::max);
                assert_eq!(dilation(&plane, radius), most, "{width} x {height}, {radius}");
                let closed = naive(&most, radius, f32::min);
                assert_eq!(closing(&plane, radius), closed, "{width} x {height}, {radius}");
                let near = naive(&mask.map(|ink| f32::from(u8::from(ink))), radius, f32::max);
                assert_eq!(grown(&mask, radius), near.map(|value| value > 0.5));
            }
        }
    }
}
