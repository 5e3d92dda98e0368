//! How far each pixel is from a mask.

use crate::preprocess::grid::{Mask, Plane};

/// Farther than any two pixels of a working picture, also when squared.
const FAR: f32 = 1e12;

/// The Euclidean distance from the middle of each pixel to that of the nearest
/// pixel of the mask; very large where the mask is empty.
///
/// # Source
/// Saito, Toriwaki, *New algorithms for Euclidean distance transformation of an
/// n-dimensional digitized picture with applications* (Pattern Recognition, 1994):
/// along the columns by counting, then along the rows the least of all sums of
/// squares, as far as they can be less.
pub(super) fn distance(mask: &Mask) -> Plane {
    if !mask.values.contains(&true) {
        return mask.map(|_| FAR);
    }
    let width = mask.width;
    let mut result = mask.map(|inside| if inside { 0.0 } else { FAR });
    let rows = &mut result.values;
    for y in 1..mask.height {
        let (above, this) = rows.split_at_mut(y * width);
        count_on(&mut this[..width], &above[(y - 1) * width..]);
    }
    for y in (1..mask.height).rev() {
        let (above, this) = rows.split_at_mut(y * width);
        count_on(&mut above[(y - 1) * width..], &this[..width]);
    }
    let mut heights = vec![0.0; width];
    for row in rows.chunks_exact_mut(width) {
        row.iter_mut()
            .filter(|distance| **distance < FAR)
            .for_each(|distance| *distance *= *distance);
        heights.copy_from_slice(row);
        lower(row, &heights);
    }
    // All roots together become SIMD.
    result.values.iter_mut().for_each(|value| *value = value.sqrt());
    result
}

/// One more than the distance in the next row, if that is nearer.
fn count_on(row: &mut [f32], next: &[f32]) {
    for (distance, &next) in row.iter_mut().zip(next) {
        *distance = if next + 1.0 < *distance { next + 1.0 } else { *distance };
    }
}

/// `squares[q]` becomes the least over p of (q − p)² + `heights[p]`; it is
/// `heights[q]` before.
fn lower(squares: &mut [f32], heights: &[f32]) {
    let to = |squares: &mut [f32], heights: &[f32], square: f32| {
        for (least, &height) in squares.iter_mut().zip(heights) {
            *least = if height + square < *least { height + square } else { *least };
        }
    };
    for apart in 1..heights.len() {
        let square = (apart * apart) as f32;
        // From here on, no sum is less.
        if !squares.iter().fold(false, |any, &least| any | (least > square)) {
            return;
        }
        let rest = heights.len() - apart;
        to(&mut squares[..rest], &heights[apart..], square);
        to(&mut squares[apart..], &heights[..rest], square);
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
                let found = distance(&mask);
                let inside: Vec<usize> = (0..width * height).filter(|&i| mask.values[i]).collect();
                for at in 0..width * height {
                    let squared = |&i: &usize| {
                        (i % width).abs_diff(at % width).pow(2)
                            + (i / width).abs_diff(at / width).pow(2)
                    };
                    let nearest = inside.iter().map(squared).min();
                    let expected = nearest.map_or(FAR, |squared| (squared as f32).sqrt());
                    assert_eq!(found.values[at], expected, "{width} x {height} at {at}");
                }
            }
        }
    }
}
