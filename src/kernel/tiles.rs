//! A layer's parameters in tiles.
//!
//! A matrix is cut into panels of at most 64 columns, which are four vectors of
//! AVX-512 or eight of AVX2 and stay in registers while they are added up; and a
//! panel into [blocks](crate::kernel::sparse::blocks_of) of rows, which stay close to
//! the core while the images pass by. Such a tile belongs to one task, so that its
//! weights and their velocity stay in that core's L2 cache from step to step.

use crate::kernel::aligned::Aligned;

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

    /// Fills another tile, whose rows are `to_width` long, with so many of this one's rows, of
    /// this width, as columns.
    pub(crate) fn transpose(&self, (rows, width): (usize, usize), to: &mut Tile, to_width: usize) {
        let cols = to.values.len() / to_width;
        // Squares of 16 × 16 stay in the L1 cache.
        for left in (0..rows).step_by(16) {
            for top in (0..cols).step_by(16) {
                let mut columns = [[0.0; 16]; 16];
                for (row, index) in (left..rows.min(left + 16)).zip(0..) {
                    let values = &self.values[row * width + top..][..16];
                    for (column, &value) in columns.iter_mut().zip(values) {
                        column[index] = value;
                    }
                }
                for (row, column) in (top..cols.min(top + 16)).zip(columns) {
                    to.values[row * to_width + left..][..16].copy_from_slice(&column);
                }
            }
        }
    }
}

/// Number `number` of the `blocks` blocks of a panel, each of `floats` floats, the last one of
/// more or fewer: the panel's tiles are these, or one that has them all.
pub(crate) fn block_of(panel: &[Tile], number: usize, blocks: usize, floats: usize) -> &[f32] {
    match panel {
        [whole] if number + 1 < blocks => &whole.values[number * floats..][..floats],
        [whole] => &whole.values[number * floats..],
        tiles => &tiles[number].values,
    }
}

/// A matrix in tiles: panel after panel, each from the top to the bottom.
pub(crate) struct Tiles {
    rows: usize,
    cols: usize,
    /// The rows of each block but the last, which has those that are left, and how many
    /// blocks.
    block: usize,
    blocks: usize,
    tiles: Vec<Tile>,
}

impl Tiles {
    /// In `blocks` blocks of `block` rows each, the last one of more or fewer.
    pub(crate) fn zeros(rows: usize, cols: usize, (block, blocks): (usize, usize)) -> Self {
        let (width, panels) = panels_of(cols);
        let tile = |index| {
            let first = index % blocks * block;
            let rows = if index % blocks + 1 < blocks { block } else { rows - first };
            Tile { values: Aligned::zeros(rows * width), ..Tile::default() }
        };
        Self { rows, cols, block, blocks, tiles: (0..panels * blocks).map(tile).collect() }
    }

    /// The number of blocks of rows.
    pub(crate) fn blocks(&self) -> usize {
        self.blocks
    }

    /// The tiles of a panel, from the top to the bottom.
    pub(crate) fn panel(&self, panel: usize) -> &[Tile] {
        &self.tiles[panel * self.blocks..][..self.blocks]
    }

    /// A panel that is one tile.
    ///
    /// # Panics
    /// If it is in more than one.
    pub(crate) fn whole_panel(&self, panel: usize) -> &Tile {
        assert_eq!(self.blocks, 1, "tiles of a panel");
        &self.tiles[panel]
    }

    /// The block that a row is in, and its place there.
    fn place(&self, row: usize) -> (usize, usize) {
        let block = (row / self.block).min(self.blocks - 1);
        (block, row - block * self.block)
    }

    /// Whether no value is infinite or NaN.
    pub(crate) fn is_finite(&self) -> bool {
        self.tiles.iter().all(|tile| tile.values.iter().all(|value| value.is_finite()))
    }

    /// All tiles; number i is in panel i / blocks and block i % blocks.
    pub(crate) fn tiles_mut(&mut self) -> &mut [Tile] {
        &mut self.tiles
    }

    /// Fills tile `index` of this matrix transposed, without its last row: each block of
    /// one is a panel of the other.
    pub(crate) fn transpose_tile(&self, index: usize, tile: &mut Tile) {
        let (width, panels) = panels_of(self.cols);
        let rows = (self.rows - 1 - index / panels * self.block).min(self.block);
        self.panel(index % panels)[index / panels].transpose((rows, width), tile, self.block);
    }

    /// Takes over a row.
    pub(crate) fn set_row(&mut self, slot: Slot, row: usize, values: &[f32]) {
        let ((width, _), (block, row)) = (panels_of(self.cols), self.place(row));
        for (panel, values) in values.chunks(width).enumerate() {
            let tile = &mut self.tiles[panel * self.blocks + block];
            tile.slot_mut(slot)[row * width..][..values.len()].copy_from_slice(values);
        }
    }

    /// Writes a row out.
    pub(crate) fn copy_row(&self, slot: Slot, row: usize, values: &mut [f32]) {
        let ((width, _), (block, row)) = (panels_of(self.cols), self.place(row));
        for (panel, values) in values.chunks_mut(width).enumerate() {
            let tile = &self.panel(panel)[block];
            values.copy_from_slice(&tile.slot(slot)[row * width..][..values.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Element (`row`, `col`), and the zeros beside.
    fn element(tiles: &Tiles, row: usize, col: usize) -> f32 {
        let ((width, _), (block, row)) = (panels_of(tiles.cols), tiles.place(row));
        tiles.panel(col / width)[block].values[row * width + col % width]
    }

    #[test]
    fn transposed_tiles_are_the_transposed_matrix() {
        let sizes = [(1, 1), (5, 16), (17, 40), (64, 65), (265, 70), (70, 600), (530, 280)];
        for (rows, cols) in sizes.into_iter().take(if cfg!(miri) { 3 } else { 7 }) {
            // The last row is the bias, which is left out.
            let mut matrix = Tiles::zeros(rows + 1, cols, panels_of(rows));
            for row in 0..=rows {
                let values: Vec<f32> = (0..cols).map(|col| (1 + row * cols + col) as f32).collect();
                matrix.set_row(Slot::Values, row, &values);
            }
            let mut transposed = Tiles::zeros(cols, rows, panels_of(cols));
            for (index, tile) in transposed.tiles_mut().iter_mut().enumerate() {
                matrix.transpose_tile(index, tile);
            }
            let (width, panels) = panels_of(rows);
            for row in 0..cols {
                for col in 0..panels * width {
                    let expected = if col < rows { element(&matrix, col, row) } else { 0.0 };
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
