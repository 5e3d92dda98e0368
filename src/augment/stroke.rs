//! Thicker and thinner strokes.

use crate::augment::{LANES, lanes, whole};

/// An image of which the stroke's width changes.
pub(super) struct Stroke {
    rows: usize,
    cols: usize,
    /// Floats of a row of `pixels`.
    width: usize,
    /// 0 to 255. Around it is paper: a row above and below, a column on the left,
    /// and on the right as many as fill the lanes and one more.
    pixels: Vec<f32>,
}

impl Stroke {
    pub(super) fn new(rows: usize, cols: usize) -> Self {
        let width = cols.next_multiple_of(LANES) + 2;
        Self { rows, cols, width, pixels: vec![0.0; (rows + 2) * width] }
    }

    /// Takes over the pixels of a row, from column `first` on.
    #[inline(always)]
    pub(super) fn set(&mut self, row: usize, first: usize, pixels: &[f32; LANES]) {
        let start = (row + 1) * self.width + 1 + first;
        let places = &mut self.pixels[start..][..LANES];
        for lane in 0..LANES {
            places[lane] = if first + lane < self.cols { pixels[lane] } else { 0.0 };
        }
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
        assert_eq!(result.len(), self.rows * self.cols, "pixels of the result");
        // The smallest is the largest of the negatives.
        let sign = if thicker < 0.0 { -1.0 } else { 1.0 };
        let share = thicker * sign;
        for (row, result) in result.chunks_exact_mut(self.cols).enumerate() {
            let start = (row + 1) * self.width + 1;
            for (chunk, result) in result.chunks_mut(LANES).enumerate() {
                let start = start + chunk * LANES;
                let here = lanes(&self.pixels, start);
                let neighbours = [start - 1, start + 1, start - self.width, start + self.width]
                    .map(|start| lanes(&self.pixels, start));
                let mut bytes = [0; LANES];
                for lane in 0..LANES {
                    let mut extreme = sign * here[lane];
                    for neighbour in neighbours {
                        let neighbour = sign * neighbour[lane];
                        extreme = if neighbour > extreme { neighbour } else { extreme };
                    }
                    let value = here[lane] + share * (sign * extreme - here[lane]);
                    bytes[lane] = whole(value) as u8;
                }
                result.copy_from_slice(&bytes[..result.len()]);
            }
        }
    }
}
