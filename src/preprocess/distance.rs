//! How far each pixel is from a mask.

use crate::kernel::level::Level;
use crate::kernel::simd::{Kernel, Simd};
use crate::preprocess::grid::{Mask, Plane};

/// Farther than any two pixels of a working picture, also when squared.
const FAR: f32 = 1e12;

/// The Euclidean distance from the middle of each pixel to that of the nearest
/// pixel of the mask, where it is at most `limit`; elsewhere something larger, which
/// takes less time.
///
/// # Source
/// Saito, Toriwaki, *New algorithms for Euclidean distance transformation of an
/// n-dimensional digitized picture with applications* (Pattern Recognition, 1994):
/// along the columns by counting, then along the rows the least of all sums of
/// squares, as far as they can be less.
pub(super) fn distance(mask: &Mask, limit: f32) -> Plane {
    let mut result = mask.map(|inside| if inside { 0.0 } else { FAR });
    Level::best().run(FromZeros { distances: &mut result, limit });
    result
}

/// The distance from each pixel to the nearest zero, where the others are [`FAR`].
struct FromZeros<'a> {
    distances: &'a mut Plane,
    limit: f32,
}

impl Kernel for FromZeros<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let Self { distances: Plane { width, height, values }, limit } = self;
        let (width, height, farthest) = (*width, *height, limit * limit);
        for y in 1..height {
            let (above, this) = values.split_at_mut(y * width);
            count_on(&mut this[..width], &above[(y - 1) * width..]);
        }
        for y in (1..height).rev() {
            let (above, this) = values.split_at_mut(y * width);
            count_on(&mut above[(y - 1) * width..], &this[..width]);
        }
        let mut heights = vec![0.0; width];
        for row in values.chunks_exact_mut(width) {
            for distance in row.iter_mut() {
                *distance = if *distance < FAR { *distance * *distance } else { *distance };
            }
            heights.copy_from_slice(row);
            lower(row, &heights, farthest);
        }
        // All roots together become SIMD.
        values.iter_mut().for_each(|value| *value = value.sqrt());
    }
}

/// One more than the distance in the next row, if that is nearer.
#[inline(always)]
fn count_on(row: &mut [f32], next: &[f32]) {
    for (distance, &next) in row.iter_mut().zip(next) {
        *distance = if next + 1.0 < *distance { next + 1.0 } else { *distance };
    }
}

/// `squares[q]` becomes the least over p of (q − p)² + `heights[p]`, where that is
/// at most `farthest`; it is `heights[q]` before.
#[inline(always)]
fn lower(squares: &mut [f32], heights: &[f32], farthest: f32) {
    for apart in 1..heights.len() {
        let square = (apart * apart) as f32;
        // From here on, no sum is less.
        if square > farthest || !squares.iter().fold(false, |any, &least| any | (least > square)) {
            return;
        }
        let rest = heights.len() - apart;
        lower_to(&mut squares[..rest], &heights[apart..], square);
        lower_to(&mut squares[apart..], &heights[..rest], square);
    }
}

#[inline(always)]
fn lower_to(squares: &mut [f32], heights: &[f32], square: f32) {
    for (least, &height) in squares.iter_mut().zip(heights) {
        *least = if height + square < *least { height + square } else { *least };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preprocess::grid::tests::random_mask;

    #[test]
    fn distances_are_those_to_the_nearest_of_all_pixels() {
        for (width, height, share) in
            [(1, 1, 1.0), (1, 12, 0.2), (12, 1, 0.2), (23, 17, 0.03), (9, 30, 0.5)]
        {
            for seed in 0..20 {
                let mask = random_mask(width, height, share, seed);
                let found = distance(&mask, f32::MAX);
                let limited = distance(&mask, 3.0);
                let inside: Vec<usize> = (0..width * height).filter(|&i| mask.values[i]).collect();
                for at in 0..width * height {
                    let squared = |&i: &usize| {
                        (i % width).abs_diff(at % width).pow(2)
                            + (i / width).abs_diff(at / width).pow(2)
                    };
                    let nearest = inside.iter().map(squared).min();
                    let expected = nearest.map_or(FAR, |squared| squared as f32).sqrt();
                    assert_eq!(found.values[at], expected, "{width} x {height} at {at}");
                    let limited = limited.values[at];
                    assert!(if expected <= 3.0 { limited == expected } else { limited > 3.0 });
                }
            }
        }
    }
}
