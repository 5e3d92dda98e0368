//! A rectangle of values, row by row.

use std::ops::Range;

/// Values in rows and columns, row by row from the top left.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Grid<T> {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) values: Vec<T>,
}

/// Brightness, contrast or distance at each pixel.
pub(super) type Plane = Grid<f32>;

/// Whether each pixel belongs to something.
pub(super) type Mask = Grid<bool>;

impl<T: Copy> Grid<T> {
    pub(super) fn filled(width: usize, height: usize, value: T) -> Self {
        Self { width, height, values: vec![value; width * height] }
    }

    pub(super) fn at(&self, x: usize, y: usize) -> T {
        self.values[y * self.width + x]
    }

    pub(super) fn set(&mut self, x: usize, y: usize, value: T) {
        self.values[y * self.width + x] = value;
    }

    pub(super) fn row(&self, y: usize) -> &[T] {
        &self.values[y * self.width..][..self.width]
    }

    pub(super) fn shorter_side(&self) -> usize {
        self.width.min(self.height)
    }

    pub(super) fn map<U>(&self, to: impl FnMut(T) -> U) -> Grid<U> {
        Grid {
            width: self.width,
            height: self.height,
            values: self.values.iter().copied().map(to).collect(),
        }
    }

    /// The part from a column and a row on.
    pub(super) fn part(&self, columns: Range<usize>, rows: Range<usize>) -> Self {
        let (width, height) = (columns.len(), rows.len());
        let mut values = Vec::with_capacity(width * height);
        rows.for_each(|y| values.extend_from_slice(&self.row(y)[columns.clone()]));
        Self { width, height, values }
    }

    /// Columns become rows.
    pub(super) fn transposed(&self) -> Self {
        /// Rows that are taken at a time, so that what is written stays in the cache.
        const ROWS: usize = 16;
        let (width, height) = (self.width, self.height);
        let mut values = self.values.clone();
        for first in (0..height).step_by(ROWS) {
            let rows = first..(first + ROWS).min(height);
            for x in 0..width {
                let column = &mut values[x * height..][rows.clone()];
                let source = self.values[first * width + x..].iter().step_by(width);
                column.iter_mut().zip(source).for_each(|(into, &value)| *into = value);
            }
        }
        Self { width: height, height: width, values }
    }
}

impl Mask {
    /// How many are set.
    pub(super) fn count(&self) -> usize {
        self.values.iter().filter(|set| **set).count()
    }
}

impl Plane {
    /// The least and the largest value, of a plane with one at least.
    pub(super) fn range(&self) -> (f32, f32) {
        // Eight of each, so that the loop becomes SIMD.
        let (mut least, mut most) = ([self.values[0]; 8], [self.values[0]; 8]);
        let (chunks, rest) = self.values.as_chunks::<8>();
        for chunk in chunks {
            for ((least, most), &value) in least.iter_mut().zip(&mut most).zip(chunk) {
                *least = if value < *least { value } else { *least };
                *most = if value > *most { value } else { *most };
            }
        }
        let all = || least.iter().chain(&most).chain(rest).copied();
        (all().fold(f32::MAX, f32::min), all().fold(f32::MIN, f32::max))
    }

    /// The values below which these shares of the values lie, the least first; from
    /// every third value, of a plane with one at least.
    pub(super) fn quantiles<const N: usize>(&self, shares: [f32; N]) -> [f32; N] {
        let mut sample: Vec<f32> = self.values.iter().step_by(3).copied().collect();
        let last = (sample.len() - 1) as f32;
        let mut rest = sample.as_mut_slice();
        let mut found = [0.0; N];
        for (found, share) in found.iter_mut().zip(shares).rev() {
            let index = (last * share) as usize;
            *found = *rest.select_nth_unstable_by(index, f32::total_cmp).1;
            // What is less is before it now.
            rest = &mut rest[..=index];
        }
        found
    }
}

/// The value below which a share of the values lies; they are reordered.
pub(super) fn quantile(values: &mut [f32], share: f32) -> f32 {
    if values.is_empty() {
        return 0.0;
    }
    let index = ((values.len() - 1) as f32 * share) as usize;
    *values.select_nth_unstable_by(index, f32::total_cmp).1
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::rng::Rng;

    /// A mask of which about this share is set.
    pub(in crate::preprocess) fn random_mask(
        width: usize,
        height: usize,
        share: f32,
        seed: u64,
    ) -> Mask {
        random_plane(width, height, seed).map(|value| value < share)
    }

    /// Values from 0 to 1.
    pub(in crate::preprocess) fn random_plane(width: usize, height: usize, seed: u64) -> Plane {
        let mut rng = Rng::with_stream(seed, 0);
        let values = (0..width * height).map(|_| rng.below(1 << 16) as f32 / 65_536.0).collect();
        Plane { width, height, values }
    }

    /// A mask from a drawing: `#` is set.
    pub(in crate::preprocess) fn drawn(rows: &[&str]) -> Mask {
        let values = rows.iter().flat_map(|row| row.chars().map(|c| c == '#')).collect();
        Mask { width: rows[0].len(), height: rows.len(), values }
    }

    #[test]
    fn transposing_swaps_rows_and_columns() {
        let plane = random_plane(5, 3, 1);
        let transposed = plane.transposed();
        assert_eq!((transposed.width, transposed.height), (3, 5));
        assert!((0..15).all(|i| plane.at(i % 5, i / 5) == transposed.at(i / 5, i % 5)));
        assert_eq!(transposed.transposed(), plane);
    }

    #[test]
    fn a_part_is_its_columns_and_rows() {
        let plane = random_plane(6, 4, 2);
        let part = plane.part(2..5, 1..3);
        assert_eq!((part.width, part.height), (3, 2));
        assert_eq!(part.values, [&plane.row(1)[2..5], &plane.row(2)[2..5]].concat());
    }

    #[test]
    fn the_range_is_from_the_least_to_the_largest() {
        for length in [1, 7, 8, 9, 40] {
            let plane = random_plane(length, 1, length as u64);
            let (least, most) = plane.range();
            assert!(plane.values.iter().all(|value| (least..=most).contains(value)));
            assert!(plane.values.contains(&least) && plane.values.contains(&most));
        }
    }

    #[test]
    fn quantiles_are_those_of_the_sorted_values() {
        let mut values: Vec<f32> = (0..101).rev().map(|i| i as f32).collect();
        for (share, expected) in [(0.0, 0.0), (0.25, 25.0), (0.5, 50.0), (1.0, 100.0)] {
            assert_eq!(quantile(&mut values, share), expected);
        }
        assert_eq!(quantile(&mut [], 0.5), 0.0);
        let plane = Plane { width: 101, height: 3, values: (0..303).map(|i| i as f32).collect() };
        assert_eq!(plane.quantiles([0.0, 0.25, 0.25, 1.0]), [0.0, 75.0, 75.0, 300.0]);
        assert_eq!(Plane::filled(1, 1, 7.0).quantiles([0.1, 0.9]), [7.0; 2]);
    }
}
