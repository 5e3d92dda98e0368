//! Thicker and thinner strokes.

use crate::augment::LANES;

/// An image of which the stroke's width changes.
pub(super) struct Stroke {
    cols: usize,
    /// Floats of a row of `pixels`.
    width: usize,
    /// 0 to 255, with a row of paper above and below, and a column of it on the
    /// left and the right.
    pixels: Vec<f32>,
}

impl Stroke {
    pub(super) fn new(rows: usize, cols: usize) -> Self {
        let width = cols + 2;
        Self { cols, width, pixels: vec![0.0; (rows + 2) * width] }
    }

    /// Takes over pixels of a row, from column `first` on.
    #[inline(always)]
    pub(super) fn set(&mut self, row: usize, first: usize, pixels: &[f32; LANES]) {
        let len = LANES.min(self.cols - first);
        let start = (row + 1) * self.width + first + 1;
        self.pixels[start..][..len].copy_from_slice(&pixels[..len]);
    }

    /// What the stroke starts from, to the last bit.
    #[cfg(test)]
    pub(super) fn bits(&self) -> impl Iterator<Item = u8> {
        self.pixels.iter().flat_map(|pixel| pixel.to_le_bytes())
    }

    /// Writes the image with strokes `thicker` pixels thicker on each side, or
    /// thinner where that is negative.
    ///
    /// # Panics
    /// If `result` has not as many pixels as the image.
    #[inline(always)]
    pub(super) fn write(&self, thicker: f32, result: &mut [u8]) {
        assert_eq!(
            result.len(),
            (self.pixels.len() / self.width - 2) * self.cols,
            "pixels of the result"
        );
        let share = thicker.abs();
        for (row, result) in result.chunks_exact_mut(self.cols).enumerate() {
            let [above, here, below] =
                [0, 1, 2].map(|i| &self.pixels[(row + i) * self.width..][..self.width]);
            for (col, result) in result.iter_mut().enumerate() {
                let value = here[col + 1];
                let neighbours = [here[col], here[col + 2], above[col + 1], below[col + 1]];
                let mut extreme = value;
                for neighbour in neighbours {
                    let further =
                        if thicker > 0.0 { neighbour > extreme } else { neighbour < extreme };
                    extreme = if further { neighbour } else { extreme };
                }
                *result = (value + share * (extreme - value) + 0.5) as u8;
            }
        }
    }
}
