//! A layer's parameters in tiles.
//!
//! A matrix is cut into panels of at most 64 columns, which are four vectors of
//! AVX-512 or eight of AVX2 and stay in registers while they are added up; and a
//! panel into [blocks](blocks_of) of rows, which stay close to the core while the
//! images pass by. Such a tile belongs to one task, so that its weights and
//! their velocity stay in that core's L2 cache from step to step.

use crate::kernel::aligned::Aligned;
use crate::kernel::sparse::blocks_of;

/// Columns of the widest panel.
pub(crate) const MAX_WIDTH: usize = 64;

/// The width of a matrix's panels, a multiple of 16, and their number.
pub(crate) fn panels_of(cols: usize) -> (usize, usize) {
    let width = cols.next_multiple_of(16).clamp(16, MAX_WIDTH);
    (width, cols.div_ceil(width))
}

/// A block of a panel: (rows, width), zeros where it reaches over the matrix.
#[derive(Clone, Default)]
pub(crate) struct Tile {
    pub(crate) values: Aligned,
    /// How fast the values move, or the mean of their gradients; only while they
    /// are trained.
    pub(crate) velocity: Aligned,
    /// The mean of the squares of their gradients; only for Adam.
    pub(crate) variance: Aligned,
    /// The gradient of the images so far; only while a batch comes in chunks, or
    /// all gradients are needed before the step.
    pub(crate) gradient: Aligned,
    /// The sum of its squares; only where gradients are clipped.
    pub(crate) squared_norm: f64,
}

/// Which of a tile's arrays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Slot {
    Values,
    Velocity,
    Variance,
}

impl Tile {
    pub(crate) fn slot(&self, slot: Slot) -> &Aligned {
        match slot {
            Slot::Values => &self.values,
            Slot::Velocity => &self.velocity,
            Slot::Variance => &self.variance,
        }
    }

    pub(crate) fn slot_mut(&mut self, slot: Slot) -> &mut Aligned {
        match slot {
            Slot::Values => &mut self.values,
            Slot::Velocity => &mut self.velocity,
            Slot::Variance => &mut self.variance,
        }
    }
}

/// A matrix in tiles: panel after panel, each from the top to the bottom.
pub(crate) struct Tiles {
    rows: usize,
    cols: usize,
    tiles: Vec<Tile>,
}

impl Tiles {
    pub(crate) fn zeros(rows: usize, cols: usize) -> Self {
        let (width, panels) = panels_of(cols);
        let (block, blocks) = blocks_of(rows);
        let tile = Tile { values: Aligned::zeros(block * width), ..Tile::default() };
        Self { rows, cols, tiles: vec![tile; panels * blocks] }
    }

    /// The number of blocks of rows.
    pub(crate) fn blocks(&self) -> usize {
        blocks_of(self.rows).1
    }

    /// The tiles of a panel, from the top to the bottom.
    pub(crate) fn panel(&self, panel: usize) -> &[Tile] {
        &self.tiles[panel * self.blocks()..][..self.blocks()]
    }

    /// Whether no value is infinite or NaN.
    pub(crate) fn is_finite(&self) -> bool {
        self.tiles.iter().all(|tile| tile.values.iter().all(|value| value.is_finite()))
    }

    /// All tiles; number i is in panel i / blocks and block i % blocks.
    pub(crate) fn tiles_mut(&mut self) -> &mut [Tile] {
        &mut self.tiles
    }

    /// Fills tile `index` of the first `rows` rows of this matrix, transposed.
    pub(crate) fn transpose_tile(&self, index: usize, rows: usize, tile: &mut Tile) {
        let (width, _) = panels_of(rows);
        let (from_width, _) = panels_of(self.cols);
        let (block, blocks) = blocks_of(self.cols);
        let (from_block, _) = blocks_of(self.rows);
        let (left, top) = (index / blocks * width, index % blocks * block);
        // Squares of 16 × 16: each is whole within a panel of this matrix, as a
        // panel's width is a multiple of 16, and stays in the L1 cache. Columns
        // after the last are zeros here too.
        let bottom = (top + block).min(self.cols);
        for first in (top / 16 * 16..bottom).step_by(16) {
            let panel = self.panel(first / from_width);
            let rows_here = first.max(top)..(first + 16).min(bottom);
            for square in (left..rows.min(left + width)).step_by(16) {
                let mut columns = [[0.0; 16]; 16];
                for (row, column) in (square..rows.min(square + 16)).zip(0..) {
                    let start = row % from_block * from_width + first % from_width;
                    let values = &panel[row / from_block].values[start..][..16];
                    for (line, &value) in columns.iter_mut().zip(values) {
                        line[column] = value;
                    }
                }
                for row in rows_here.clone() {
                    let start = (row - top) * width + square - left;
                    tile.values[start..][..16].copy_from_slice(&columns[row - first]);
                }
            }
        }
    }

    /// Takes over a row.
    pub(crate) fn set_row(&mut self, slot: Slot, row: usize, values: &[f32]) {
        let (width, _) = panels_of(self.cols);
        let (block, blocks) = blocks_of(self.rows);
        for (panel, values) in values.chunks(width).enumerate() {
            let tile = &mut self.tiles[panel * blocks + row / block];
            tile.slot_mut(slot)[row % block * width..][..values.len()].copy_from_slice(values);
        }
    }

    /// Writes a row out.
    pub(crate) fn copy_row(&self, slot: Slot, row: usize, values: &mut [f32]) {
        let ((width, _), (block, _)) = (panels_of(self.cols), blocks_of(self.rows));
        for (panel, values) in values.chunks_mut(width).enumerate() {
            let tile = &self.panel(panel)[row / block];
            values.copy_from_slice(&tile.slot(slot)[row % block * width..][..values.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Element (`row`, `col`), and the zeros around.
    fn element(tiles: &Tiles, row: usize, col: usize) -> f32 {
        let ((width, _), (block, _)) = (panels_of(tiles.cols), blocks_of(tiles.rows));
        tiles.panel(col / width)[row / block].values[row % block * width + col % width]
    }

    #[test]
    fn transposed_tiles_are_the_transposed_matrix() {
        let sizes = [(1, 1), (5, 16), (17, 40), (64, 65), (265, 70), (70, 600), (530, 280)];
        for (rows, cols) in sizes.into_iter().take(if cfg!(miri) { 3 } else { 7 }) {
            // The last row is the bias, which is left out.
            let mut matrix = Tiles::zeros(rows + 1, cols);
            for row in 0..=rows {
                let values: Vec<f32> = (0..cols).map(|col| (1 + row * cols + col) as f32).collect();
                matrix.set_row(Slot::Values, row, &values);
            }
            let mut transposed = Tiles::zeros(cols, rows);
            for (index, tile) in transposed.tiles_mut().iter_mut().enumerate() {
                matrix.transpose_tile(index, rows, tile);
            }
            let (width, panels) = panels_of(rows);
            let (block, blocks) = blocks_of(cols);
            for row in 0..block * blocks {
                for col in 0..panels * width {
                    let is_inside = row < cols && col < rows;
                    let expected = if is_inside { element(&matrix, col, row) } else { 0.0 };
                    assert_eq!(
                        element(&transposed, row, col),
                        expected,
                        "{rows} x {cols}: {row}, {col}"
                    );
                }
            }
        }
    }
}
