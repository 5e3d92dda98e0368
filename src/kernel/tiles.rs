//! A layer's parameters in tiles, and their products with sparse rows.
//!
//! A matrix is cut into panels of at most 64 columns, which are four vectors of
//! AVX-512 or eight of AVX2 and stay in registers while they are added up; and a
//! panel into blocks of [`BLOCK`] rows, which stay close to the core while the
//! images pass by. Such a tile belongs to one task, so that its weights and
//! their velocity stay in that core's L2 cache from step to step.

use crate::activation::Activation;
use crate::kernel::aligned::Aligned;
use crate::kernel::columns::SparseColumns;
use crate::kernel::simd::{Kernel, Simd};
use crate::kernel::sparse::{BLOCK, Entry, SparseRows};

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
        // A chain of additions waits for each before the next, so that narrow rows
        // come four at once.
        if WIDTH / S::LANES <= 2 && outputs.len() >= 4 {
            forward_rows::<S, WIDTH, 4>(simd, self.inputs, self.weights, outputs);
        } else if !outputs.is_empty() {
            forward_rows::<S, WIDTH, 1>(simd, self.inputs, self.weights, outputs);
        }
        self.activation.forward(outputs.as_flattened_mut());
    }
}

/// Y = X·W for one panel, `COUNT` rows of X at once. When one of them ends, the
/// next takes its place.
#[inline(always)]
fn forward_rows<S: Simd, const WIDTH: usize, const COUNT: usize>(
    simd: S,
    inputs: &SparseRows,
    weights: &[Tile],
    outputs: &mut [[f32; WIDTH]],
) {
    for (block, tile) in weights.iter().enumerate() {
        let weights = tile.values.as_chunks::<WIDTH>().0;
        let mut rows: [usize; COUNT] = std::array::from_fn(|slot| slot);
        let mut entries: [&[Entry]; COUNT] = [&[]; COUNT];
        let mut sums = [[simd.splat(0.0); MAX_VECTORS]; COUNT];
        for slot in 0..COUNT {
            entries[slot] = inputs.block(slot, block);
            if block > 0 {
                sums[slot] = load_row::<S, WIDTH>(simd, &outputs[slot]);
            }
        }
        let mut next = COUNT;
        let mut all_busy = true;
        while all_busy {
            let mut len = entries[0].len();
            for slot in 1..COUNT {
                len = len.min(entries[slot].len());
            }
            let mut heads = entries;
            for slot in 0..COUNT {
                heads[slot] = &entries[slot][..len];
            }
            for index in 0..len {
                for slot in 0..COUNT {
                    add_product::<S, WIDTH>(simd, heads[slot][index], weights, &mut sums[slot]);
                }
            }
            for slot in 0..COUNT {
                entries[slot] = &entries[slot][len..];
                if !entries[slot].is_empty() {
                    continue;
                }
                store_row::<S, WIDTH>(simd, &sums[slot], &mut outputs[rows[slot]]);
                if next == outputs.len() {
                    all_busy = false;
                    continue;
                }
                rows[slot] = next;
                entries[slot] = inputs.block(next, block);
                sums[slot] = if block == 0 {
                    [simd.splat(0.0); MAX_VECTORS]
                } else {
                    load_row::<S, WIDTH>(simd, &outputs[next])
                };
                next += 1;
            }
        }
        for slot in 0..COUNT {
            for &entry in entries[slot] {
                add_product::<S, WIDTH>(simd, entry, weights, &mut sums[slot]);
            }
            store_row::<S, WIDTH>(simd, &sums[slot], &mut outputs[rows[slot]]);
        }
    }
}

/// Adds an element of X times its row of W.
#[inline(always)]
fn add_product<S: Simd, const WIDTH: usize>(
    simd: S,
    entry: Entry,
    weights: &[[f32; WIDTH]],
    sums: &mut [S::Vector; MAX_VECTORS],
) {
    let value = simd.splat(entry.value);
    let weights = &weights[entry.column as usize];
    for v in 0..WIDTH / S::LANES {
        sums[v] = simd.mul_add(value, simd.load(&weights[v * S::LANES..]), sums[v]);
    }
}

/// G += Xᵀ·D, for some rows of a panel of G that is wide.
pub(crate) struct AddWideGradient<'a, F> {
    /// X by columns and the panel of D, (X's rows, width), part after part.
    pub(crate) factors: F,
    pub(crate) width: usize,
    /// The column of X that is the first of these rows of G.
    pub(crate) first: usize,
    /// (rows, width).
    pub(crate) gradient: &'a mut [f32],
}

impl<'a, F> Kernel for AddWideGradient<'_, F>
where
    F: Iterator<Item = (&'a SparseColumns, &'a [f32])> + Clone,
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let width = self.width;
        run_at_width(self, width, simd);
    }
}

impl<'a, F> AtWidth for AddWideGradient<'_, F>
where
    F: Iterator<Item = (&'a SparseColumns, &'a [f32])> + Clone,
{
    #[inline(always)]
    fn at_width<S: Simd, const WIDTH: usize>(self, simd: S) {
        let gradient = self.gradient.as_chunks_mut::<WIDTH>().0;
        for (column, gradient) in (self.first..).zip(gradient) {
            let mut sums = load_row::<S, WIDTH>(simd, gradient);
            for (inputs, errors) in self.factors.clone() {
                let errors = errors.as_chunks::<WIDTH>().0;
                for &entry in inputs.column(column) {
                    add_product::<S, WIDTH>(simd, entry, errors, &mut sums);
                }
            }
            store_row::<S, WIDTH>(simd, &sums, gradient);
        }
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
