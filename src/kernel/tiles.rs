//! A layer's parameters in tiles, and their products with sparse rows.
//!
//! A matrix is cut into panels of at most 64 columns, which are four vectors of
//! AVX-512 or eight of AVX2 and stay in registers while they are added up; and a
//! panel into blocks of [`BLOCK`] rows, which stay close to the core while the
//! images pass by. Such a tile belongs to one task, so that its weights and
//! their velocity stay in that core's L2 cache from step to step.

use crate::activation::Activation;
use crate::kernel::aligned::Aligned;
use crate::kernel::simd::{Kernel, Simd};
use crate::kernel::sparse::{BLOCK, SparseRows};

/// Columns of the widest panel.
pub(crate) const MAX_WIDTH: usize = 64;

/// Vectors of a panel's row, where they are shortest.
const MAX_VECTORS: usize = MAX_WIDTH / 8;

/// The width of a matrix's panels, a multiple of 16, and their number.
pub(crate) fn panels_of(cols: usize) -> (usize, usize) {
    let width = cols.next_multiple_of(16).clamp(16, MAX_WIDTH);
    (width, cols.div_ceil(width))
}

/// [`BLOCK`] rows of a panel: (`BLOCK`, width), zeros where it reaches over the
/// matrix.
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
        let tile = Tile { values: Aligned::zeros(BLOCK * width), ..Tile::default() };
        Self { rows, cols, tiles: vec![tile; panels * rows.div_ceil(BLOCK)] }
    }

    /// The number of blocks of rows.
    pub(crate) fn blocks(&self) -> usize {
        self.rows.div_ceil(BLOCK)
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
        let blocks = self.cols.div_ceil(BLOCK);
        let (left, top) = (index / blocks * width, index % blocks * BLOCK);
        // Squares of 16 × 16: each is whole within a panel of this matrix, as a
        // panel's width is a multiple of 16, and stays in the L1 cache. Columns
        // after the last are zeros here too.
        let bottom = (top + BLOCK).min(self.cols);
        for first in (top / 16 * 16..bottom).step_by(16) {
            let panel = self.panel(first / from_width);
            let rows_here = first.max(top)..(first + 16).min(bottom);
            for square in (left..rows.min(left + width)).step_by(16) {
                let mut columns = [[0.0; 16]; 16];
                for (row, column) in (square..rows.min(square + 16)).zip(0..) {
                    let start = row % BLOCK * from_width + first % from_width;
                    let values = &panel[row / BLOCK].values[start..][..16];
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
        let blocks = self.blocks();
        for (panel, values) in values.chunks(width).enumerate() {
            let tile = &mut self.tiles[panel * blocks + row / BLOCK];
            tile.slot_mut(slot)[row % BLOCK * width..][..values.len()].copy_from_slice(values);
        }
    }

    /// Writes a row out.
    pub(crate) fn copy_row(&self, slot: Slot, row: usize, values: &mut [f32]) {
        let (width, _) = panels_of(self.cols);
        for (panel, values) in values.chunks_mut(width).enumerate() {
            let tile = &self.panel(panel)[row / BLOCK];
            values.copy_from_slice(&tile.slot(slot)[row % BLOCK * width..][..values.len()]);
        }
    }
}

/// A loop over the rows of a panel, whose width the compiler knows.
trait AtWidth {
    fn at_width<S: Simd, const WIDTH: usize>(self, simd: S);
}

/// Runs a loop at a panel's width, one of those that [`panels_of`] gives.
#[inline(always)]
fn run_at_width<S: Simd>(kernel: impl AtWidth, width: usize, simd: S) {
    match width {
        16 => kernel.at_width::<S, 16>(simd),
        32 => kernel.at_width::<S, 32>(simd),
        48 => kernel.at_width::<S, 48>(simd),
        _ => kernel.at_width::<S, MAX_WIDTH>(simd),
    }
}

/// Y = f(X·W), for one panel of W.
pub(crate) struct Forward<'a> {
    /// X.
    pub(crate) inputs: &'a SparseRows,
    /// The panel's tiles.
    pub(crate) weights: &'a [Tile],
    pub(crate) width: usize,
    pub(crate) activation: Activation,
    /// Y, (X's rows, width).
    pub(crate) outputs: &'a mut [f32],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let width = self.width;
        run_at_width(self, width, simd);
    }
}

impl AtWidth for Forward<'_> {
    #[inline(always)]
    fn at_width<S: Simd, const WIDTH: usize>(self, simd: S) {
        let outputs = self.outputs.as_chunks_mut::<WIDTH>().0;
        assert_eq!(outputs.len(), self.inputs.rows(), "outputs of each row");
        assert_eq!(self.weights.len(), self.inputs.blocks(), "weights for each column");
        for (block, tile) in self.weights.iter().enumerate() {
            let weights = tile.values.as_chunks::<WIDTH>().0;
            for (row, output) in outputs.iter_mut().enumerate() {
                let mut sums = if block == 0 {
                    [simd.splat(0.0); MAX_VECTORS]
                } else {
                    load_row::<S, WIDTH>(simd, output)
                };
                for entry in self.inputs.block(row, block) {
                    let value = simd.splat(entry.value);
                    let weights = &weights[entry.column as usize];
                    for v in 0..WIDTH / S::LANES {
                        let weights = simd.load(&weights[v * S::LANES..]);
                        sums[v] = simd.mul_add(value, weights, sums[v]);
                    }
                }
                store_row::<S, WIDTH>(simd, &sums, output);
            }
        }
        self.activation.forward(outputs.as_flattened_mut());
    }
}

/// G += Xᵀ·D, for one tile of G.
pub(crate) struct AddGradient<'a> {
    /// X; the block of its columns that are the tile's rows.
    pub(crate) inputs: &'a SparseRows,
    pub(crate) block: usize,
    /// The tile's panel of D, (X's rows, width).
    pub(crate) errors: &'a [f32],
    pub(crate) width: usize,
    /// (`BLOCK`, width).
    pub(crate) gradient: &'a mut [f32],
}

impl Kernel for AddGradient<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let width = self.width;
        run_at_width(self, width, simd);
    }
}

impl AtWidth for AddGradient<'_> {
    #[inline(always)]
    fn at_width<S: Simd, const WIDTH: usize>(self, simd: S) {
        let gradient = self.gradient.as_chunks_mut::<WIDTH>().0;
        let errors = self.errors.as_chunks::<WIDTH>().0;
        assert_eq!(errors.len(), self.inputs.rows(), "errors of each row");
        for (row, errors) in errors.iter().enumerate() {
            let errors = load_row::<S, WIDTH>(simd, errors);
            for entry in self.inputs.block(row, self.block) {
                let value = simd.splat(entry.value);
                let gradient = &mut gradient[entry.column as usize];
                for v in 0..WIDTH / S::LANES {
                    let gradient = &mut gradient[v * S::LANES..];
                    let sum = simd.mul_add(value, errors[v], simd.load(gradient));
                    simd.store(sum, gradient);
                }
            }
        }
    }
}

#[inline(always)]
fn load_row<S: Simd, const WIDTH: usize>(simd: S, row: &[f32; WIDTH]) -> [S::Vector; MAX_VECTORS] {
    let mut vectors = [simd.splat(0.0); MAX_VECTORS];
    for v in 0..WIDTH / S::LANES {
        vectors[v] = simd.load(&row[v * S::LANES..]);
    }
    vectors
}

#[inline(always)]
fn store_row<S: Simd, const WIDTH: usize>(
    simd: S,
    vectors: &[S::Vector; MAX_VECTORS],
    row: &mut [f32; WIDTH],
) {
    for v in 0..WIDTH / S::LANES {
        simd.store(vectors[v], &mut row[v * S::LANES..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Element (`row`, `col`), and the zeros around.
    fn element(tiles: &Tiles, row: usize, col: usize) -> f32 {
        let (width, _) = panels_of(tiles.cols);
        tiles.panel(col / width)[row / BLOCK].values[row % BLOCK * width + col % width]
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
            for row in 0..transposed.blocks() * BLOCK {
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
