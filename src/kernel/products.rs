//! The products of training and prediction: panels of weights and sparse rows.
//!
//! Each element of a result is one chain of fused multiply-adds, in the order of the
//! summed index.

use crate::activation::Activation;
use crate::kernel::columns::SparseColumns;
use crate::kernel::simd::{Kernel, Simd};
use crate::kernel::sparse::{Entry, SparseRows};
use crate::kernel::tiles::{MAX_WIDTH, Tile};

/// Vectors of a panel's row, where they are shortest.
const MAX_VECTORS: usize = MAX_WIDTH / 8;

/// A loop over the rows of a panel, whose width the compiler knows.
trait AtWidth {
    /// The panel's, one of those that [`panels_of`](crate::kernel::tiles::panels_of)
    /// gives.
    fn width(&self) -> usize;

    fn at_width<S: Simd, const WIDTH: usize>(self, simd: S);
}

impl<K: AtWidth> Kernel for K {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        match self.width() {
            16 => self.at_width::<S, 16>(simd),
            32 => self.at_width::<S, 32>(simd),
            48 => self.at_width::<S, 48>(simd),
            _ => self.at_width::<S, MAX_WIDTH>(simd),
        }
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

impl AtWidth for Forward<'_> {
    #[inline(always)]
    fn width(&self) -> usize {
        self.width
    }

    #[inline(always)]
    fn at_width<S: Simd, const WIDTH: usize>(self, simd: S) {
        let outputs = self.outputs.as_chunks_mut::<WIDTH>().0;
        assert_eq!(outputs.len(), self.inputs.rows(), "outputs of each row");
        assert_eq!(self.weights.len(), self.inputs.blocks(), "weights for each column");
        // Each addition of a chain waits for the one before: narrow rows come four
        // at once, so that there are always some that need not wait.
        if WIDTH / S::LANES <= 2 && outputs.len() >= 4 {
            multiply::<S, WIDTH, 4>(simd, self.inputs, self.weights, outputs);
        } else if !outputs.is_empty() {
            multiply::<S, WIDTH, 1>(simd, self.inputs, self.weights, outputs);
        }
        self.activation.forward(outputs.as_flattened_mut());
    }
}

/// Y = X·W for one panel, `COUNT` rows of X at once (there are as
/// many). Where one of them ends, the next takes its place.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "unrolled, so that the sums are in registers")]
fn multiply<S: Simd, const WIDTH: usize, const COUNT: usize>(
    simd: S,
    inputs: &SparseRows,
    weights: &[Tile],
    outputs: &mut [[f32; WIDTH]],
) {
    for (block, tile) in weights.iter().enumerate() {
        let weights = tile.values.as_chunks::<WIDTH>().0;
        let mut rows = [0; COUNT];
        let mut entries: [&[Entry]; COUNT] = [&[]; COUNT];
        let mut sums = [[simd.splat(0.0); MAX_VECTORS]; COUNT];
        for slot in 0..COUNT {
            rows[slot] = slot;
            entries[slot] = inputs.block(slot, block);
            sums[slot] = sums_before::<S, WIDTH>(simd, block, &outputs[slot]);
        }
        let mut next = COUNT;
        let mut is_over = false;
        while !is_over {
            let len = entries.iter().fold(usize::MAX, |len, entries| len.min(entries.len()));
            let mut heads = entries;
            for slot in 0..COUNT {
                (heads[slot], entries[slot]) = entries[slot].split_at(len);
            }
            for index in 0..len {
                for slot in 0..COUNT {
                    add_product::<S, WIDTH>(simd, heads[slot][index], weights, &mut sums[slot]);
                }
            }
            for slot in 0..COUNT {
                if !entries[slot].is_empty() {
                    continue;
                }
                store_row::<S, WIDTH>(simd, &sums[slot], &mut outputs[rows[slot]]);
                if next < outputs.len() {
                    rows[slot] = next;
                    entries[slot] = inputs.block(next, block);
                    sums[slot] = sums_before::<S, WIDTH>(simd, block, &outputs[next]);
                    next += 1;
                } else {
                    is_over = true;
                }
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

/// What a row's sums are before a block.
#[inline(always)]
fn sums_before<S: Simd, const WIDTH: usize>(
    simd: S,
    block: usize,
    output: &[f32; WIDTH],
) -> [S::Vector; MAX_VECTORS] {
    match block {
        0 => [simd.splat(0.0); MAX_VECTORS],
        _ => load_row::<S, WIDTH>(simd, output),
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

impl<'a, F> AtWidth for AddWideGradient<'_, F>
where
    F: Iterator<Item = (&'a SparseColumns, &'a [f32])> + Clone,
{
    #[inline(always)]
    fn width(&self) -> usize {
        self.width
    }

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
    /// (`BLOCK` rows, width).
    pub(crate) gradient: &'a mut [f32],
}

impl AtWidth for AddGradient<'_> {
    #[inline(always)]
    fn width(&self) -> usize {
        self.width
    }

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
