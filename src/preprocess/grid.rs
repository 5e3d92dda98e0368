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
        let values = rows.clone().flat_map(|y| &self.row(y)[columns.clone()]).copied().collect();
        Self { width: columns.len(), height: rows.len(), values }
    }

    /// Columns become rows.
    pub(super) fn transposed(&self) -> Self {
        let (width, height) = (self.width, self.height);
        let mut values = Vec::with_capacity(self.values.len());
        for x in 0..width {
            values.extend(self.values[x..].iter().step_by(width));
        }
        Self { width: height, height: width, values }
    }
}

impl Plane {
    /// The value below which this share of the values lies, from every third.
    pub(super) fn quantile(&self, share: f32) -> f32 {
        let mut sample: Vec<f32> = self.values.iter().step_by(3).copied().collect();
        quantile(&mut sample, share)
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
