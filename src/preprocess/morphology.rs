//! Grayscale morphology with flat squares.
//!
//! # Source
//! Serra, *Image analysis and mathematical morphology* (1982). Maxima and minima
//! in a window along the columns, three comparisons a pixel at any size of the
//! window: van Herk, *A fast algorithm for local minimum and maximum filters on
//! rectangular and octagonal kernels* (Pattern Recognition Letters, 1992). Along the
//! rows by windows that double, which become SIMD: Pecht, *Speeding-up successive
//! Minkowski operations with bit-plane computers* (Pattern Recognition Letters, 1985).

use crate::kernel::level::Level;
use crate::kernel::simd::{Kernel, Simd};
use crate::preprocess::grid::{Grid, Mask, Plane};

/// The closing: dark things in which a square of 2·`radius` + 1 pixels does not
/// fit take the brightness around them. Outside of the picture is nothing.
pub(super) fn closing(plane: &Plane, radius: usize) -> Plane {
    best_around(&dilation(plane, radius), radius, f32::MAX, smaller)
}

/// The largest value in the square of 2·`radius` + 1 pixels around each.
pub(super) fn dilation(plane: &Plane, radius: usize) -> Plane {
    best_around(plane, radius, f32::MIN, larger)
}

/// The pixels within `radius` rows and columns of the mask.
pub(super) fn grown(mask: &Mask, radius: usize) -> Mask {
    best_around(mask, radius, false, |one, other| one | other)
}

/// As `f32::max` without its rule for NaN, which costs more than the comparison.
pub(super) fn larger(one: f32, other: f32) -> f32 {
    if one > other { one } else { other }
}

/// As `f32::min` without its rule for NaN.
pub(super) fn smaller(one: f32, other: f32) -> f32 {
    if one < other { one } else { other }
}

/// The best value in the square around each; `worst` is worse than all.
fn best_around<T: Copy>(
    grid: &Grid<T>,
    radius: usize,
    worst: T,
    best: impl Fn(T, T) -> T + Copy,
) -> Grid<T> {
    if radius == 0 {
        return grid.clone();
    }
    Level::best().run(BestAround { grid, radius, worst, best })
}

struct BestAround<'a, T, F> {
    grid: &'a Grid<T>,
    radius: usize,
    worst: T,
    best: F,
}

impl<T: Copy, F: Fn(T, T) -> T + Copy> Kernel for BestAround<'_, T, F> {
    type Output = Grid<T>;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> Grid<T> {
        let Self { grid, radius, worst, best } = self;
        let mut result = columns(grid, radius, best);
        rows(&mut result, radius, worst, best);
        result
    }
}

/// The best value among `radius` rows above and below, for each pixel.
#[inline(always)]
fn columns<T: Copy>(grid: &Grid<T>, radius: usize, best: impl Fn(T, T) -> T + Copy) -> Grid<T> {
    let (width, height) = (grid.width, grid.height);
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

/// Takes the best value among `radius` columns to the left and right, for each pixel.
#[inline(always)]
fn rows<T: Copy>(grid: &mut Grid<T>, radius: usize, worst: T, best: impl Fn(T, T) -> T + Copy) {
    let width = grid.width;
    // No window needs to reach farther than a row does.
    let radius = radius.min(width - 1);
    let mut wide = vec![worst; width + 2 * radius];
    let mut wider = wide.clone();
    for row in grid.values.chunks_exact_mut(width) {
        wide.fill(worst);
        wide[radius..][..width].copy_from_slice(row);
        // Each value is the best of so many from it on.
        let mut window = 1;
        while 2 * window <= 2 * radius + 1 {
            let pairs = wide.iter().zip(&wide[window..]);
            for (wider, (&one, &other)) in wider.iter_mut().zip(pairs) {
                *wider = best(one, other);
            }
            std::mem::swap(&mut wide, &mut wider);
            window *= 2;
        }
        let pairs = wide.iter().zip(&wide[2 * radius + 1 - window..]);
        for (value, (&one, &other)) in row.iter_mut().zip(pairs) {
            *value = best(one, other);
        }
    }
}

#[inline(always)]
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
