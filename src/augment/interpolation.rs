//! Reading an image between its pixels.

use crate::augment::{LANES, WHOLE, whole};

/// Places on longer sides have no room in an `f32` for the share between pixels.
const MAX_SIDE: usize = 1 << 20;

/// An image, with paper around it.
pub(super) struct Source {
    rows: usize,
    cols: usize,
    /// The pixels around each place, (rows + 2, cols + 2). The four bytes of cell
    /// (i, j) are pixels (i − 1, j − 1), (i − 1, j), (i, j − 1) and (i, j), the first
    /// in the lowest byte, so that one load brings all that a place needs.
    cells: Vec<u32>,
}

impl Source {
    /// # Panics
    /// If a side has `MAX_SIDE` pixels or more.
    pub(super) fn new(rows: usize, cols: usize) -> Self {
        assert!(rows.max(cols) < MAX_SIDE, "{rows} x {cols} pixels, from a side of {MAX_SIDE}");
        Self { rows, cols, cells: vec![0; (rows + 2) * (cols + 2)] }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn cols(&self) -> usize {
        self.cols
    }

    /// Takes over an image.
    ///
    /// # Panics
    /// If it has not as many pixels as the size says.
    #[inline(always)]
    pub(super) fn load(&mut self, image: &[u8]) {
        assert_eq!(image.len(), self.rows * self.cols, "pixels of the image");
        let width = self.cols + 2;
        self.cells.fill(0);
        for (row, pixels) in image.chunks_exact(self.cols).enumerate() {
            // Each pixel is in four cells.
            for (down, right, shift) in [(0, 0, 24), (0, 1, 16), (1, 0, 8), (1, 1, 0)] {
                let cells = &mut self.cells[(row + down) * width + right..];
                for (cell, &pixel) in cells.iter_mut().zip(pixels) {
                    *cell |= u32::from(pixel) << shift;
                }
            }
        }
    }

    /// The image at columns `x` and rows `y`, 0 to 255; linear between the four
    /// pixels around each place.
    #[inline(always)]
    pub(super) fn interpolate(&self, x: [f32; LANES], y: [f32; LANES]) -> [f32; LANES] {
        let width = self.cols + 2;
        let (column, x) = split(x, self.cols);
        let (row, y) = split(y, self.rows);
        let mut cells = [0; LANES];
        for lane in 0..LANES {
            cells[lane] = self.cells[row[lane] as usize * width + column[lane] as usize];
        }
        let mut values = [0.0; LANES];
        for lane in 0..LANES {
            let pixel = |shift: u32| (cells[lane] >> shift & 255) as i32 as f32;
            let upper = pixel(0) + x[lane] * (pixel(8) - pixel(0));
            let lower = pixel(16) + x[lane] * (pixel(24) - pixel(16));
            values[lane] = upper + y[lane] * (lower - upper);
        }
        values
    }
}

/// Places along an axis of `length` pixels as the cell, 0 to `length` + 1, and the
/// share of the way to the next one.
#[inline(always)]
fn split(places: [f32; LANES], length: usize) -> ([u32; LANES], [f32; LANES]) {
    let last = (length + 1) as f32;
    let (mut cells, mut shares) = ([0; LANES], [0.0; LANES]);
    for lane in 0..LANES {
        // Pixel −1, which is paper, is in cell 0; so is everything beyond it.
        let place = places[lane] + 1.0;
        let place = if place > 0.0 { place } else { 0.0 };
        let place = if place < last { place } else { last };
        let nearest = (place + WHOLE) - WHOLE;
        let cell = if nearest > place { nearest - 1.0 } else { nearest };
        cells[lane] = whole(cell);
        shares[lane] = place - cell;
    }
    (cells, shares)
}
