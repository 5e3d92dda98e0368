//! The product of two dense matrices, blocked and packed.
//!
//! The loops are those of Goto's algorithm in the words of BLIS: the product is
//! cut into blocks that stay in a cache, each operand's block is copied
//! ("packed") into the order in which the innermost loop reads it, and that
//! innermost loop, the micro-kernel, keeps a tile of the result in registers.
//! The next block of the summed index goes on from the tile's old values, so
//! that each element stays one chain of fused multiply-adds.
//!
//! # Source
//! Goto, van de Geijn, *Anatomy of high-performance matrix multiplication*
//! (ACM TOMS 2008); Van Zee, van de Geijn, *BLIS* (ACM TOMS 2015).

use std::cell::RefCell;

use crate::kernel::aligned::Aligned;
use crate::kernel::level::Level;
use crate::kernel::simd::{Kernel, Simd};

/// Summed index of a block, at most. A strip of B, 512 rows of 32 floats, is then
/// 64 KiB and comes from the L2 cache, two loads for 24 multiply-adds; deeper blocks
/// write C less often. From 400 on the depth matters by 3 % at most.
const KC: usize = 512;
/// Rows of a block of A, a multiple of every tile's rows: 240 × `KC` floats are
/// 480 KiB, part of an L2 cache.
const MC: usize = 240;
/// Columns of a block of B, a multiple of every tile's columns: `KC` × 1024
/// floats are 2 MiB, for the L3 cache.
const NC: usize = 1024;

/// Rows, and vectors in a row, of the largest tile of any level.
const MAX_ROWS: usize = 12;
const MAX_VECTORS: usize = 2;

/// A matrix as the product reads it: element (i, j) is
/// `data[i * row_stride + j * col_stride]`. Exchanging the strides transposes it.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) rows: usize,
    pub(crate) cols: usize,
    pub(crate) row_stride: usize,
    pub(crate) col_stride: usize,
}

impl View<'_> {
    pub(crate) fn transposed(self) -> Self {
        Self {
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
            ..self
        }
    }
}

/// C += A·B, with `c` row-major, (a.rows, b.cols).
///
/// # Panics
/// If the shapes do not fit.
pub(crate) fn gemm(level: Level, a: View<'_>, b: View<'_>, c: &mut [f32]) {
    assert_eq!(a.cols, b.rows, "columns of A against rows of B");
    assert_eq!(c.len(), a.rows * b.cols, "elements of C");
    // Fresh memory costs more to get than to fill, so each thread keeps its own.
    thread_local! {
        static PACKED: RefCell<[Aligned; 2]> = RefCell::default();
    }
    PACKED.with_borrow_mut(|packed| level.run(Gemm { a, b, c, packed }));
}

struct Gemm<'a> {
    a: View<'a>,
    b: View<'a>,
    c: &'a mut [f32],
    packed: &'a mut [Aligned; 2],
}

impl Kernel for Gemm<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let (m, n, k) = (self.a.rows, self.b.cols, self.a.cols);
        let tile_cols = S::TILE_VECTORS * S::LANES;
        // Blocks of equal depth, so that none is too shallow to pay for its tiles.
        let depth = k.div_ceil(k.div_ceil(KC).max(1)).max(1);
        let (kc, nc, mc) = (depth.min(k), NC.min(n), MC.min(m));
        let [packed_a, packed_b] = self.packed;
        packed_a.resize(kc * mc.next_multiple_of(S::TILE_ROWS));
        packed_b.resize(kc * nc.next_multiple_of(tile_cols));
        // A block of B for the L3 cache, then one of A for the L2 cache.
        for jc in (0..n).step_by(NC) {
            let nc = NC.min(n - jc);
            for pc in (0..k).step_by(depth) {
                let kc = depth.min(k - pc);
                let block = Block { first: jc, lines: nc, from: pc, depth: kc };
                pack(self.b.transposed(), &block, tile_cols, packed_b);
                for ic in (0..m).step_by(MC) {
                    let mc = MC.min(m - ic);
                    let block = Block { first: ic, lines: mc, from: pc, depth: kc };
                    pack(self.a, &block, S::TILE_ROWS, packed_a);
                    let c = &mut self.c[ic * n + jc..];
                    multiply_block(simd, packed_a, packed_b, kc, c, n, mc, nc);
                }
            }
        }
    }
}

/// A part of a matrix: some rows, and a range of their elements.
struct Block {
    first: usize,
    lines: usize,
    from: usize,
    depth: usize,
}

/// Copies a block into strips of `height` rows: all values of a column, then the
/// next column's. Rows that are missing in the last strip keep old values, whose
/// products are computed and not used.
#[inline(always)]
fn pack(matrix: View<'_>, block: &Block, height: usize, packed: &mut [f32]) {
    let strips = packed.chunks_exact_mut(height * block.depth);
    for (strip, packed) in strips.take(block.lines.div_ceil(height)).enumerate() {
        let top = strip * height;
        let rows = height.min(block.lines - top);
        let start = (block.first + top) * matrix.row_stride + block.from * matrix.col_stride;
        if matrix.row_stride == 1 {
            let from = &matrix.data[start..];
            match (rows == height).then_some(height) {
                Some(4) => copy_columns::<4>(from, matrix.col_stride, packed),
                Some(6) => copy_columns::<6>(from, matrix.col_stride, packed),
                Some(12) => copy_columns::<12>(from, matrix.col_stride, packed),
                Some(16) => copy_columns::<16>(from, matrix.col_stride, packed),
                Some(32) => copy_columns::<32>(from, matrix.col_stride, packed),
                _ => {
                    for (p, column) in packed.chunks_exact_mut(height).enumerate() {
                        column[..rows].copy_from_slice(&from[p * matrix.col_stride..][..rows]);
                    }
                }
            }
            continue;
        }
        assert_eq!(matrix.col_stride, 1, "a matrix by rows or by columns");
        let row = |i: usize| &matrix.data[start + i * matrix.row_stride..][..block.depth];
        // Some rows at once make few stores: as many as a strip has, or a part of it.
        let mut i = 0;
        while i < rows {
            i += match rows - i {
                8.. => interleave::<8>(std::array::from_fn(|n| row(i + n)), packed, height, i),
                6 => interleave::<6>(std::array::from_fn(|n| row(i + n)), packed, height, i),
                4.. => interleave::<4>(std::array::from_fn(|n| row(i + n)), packed, height, i),
                _ => interleave([row(i)], packed, height, i),
            };
        }
    }
}

/// Copies columns of `N` values that are `stride` apart; a length that the
/// compiler knows makes each a few vectors and no call.
#[inline(always)]
fn copy_columns<const N: usize>(from: &[f32], stride: usize, packed: &mut [f32]) {
    for (p, column) in packed.as_chunks_mut::<N>().0.iter_mut().enumerate() {
        column.copy_from_slice(&from[p * stride..][..N]);
    }
}

/// Writes `rows` to the places `first` and following of each column; returns how many.
#[inline(always)]
fn interleave<const N: usize>(
    rows: [&[f32]; N],
    packed: &mut [f32],
    height: usize,
    first: usize,
) -> usize {
    for (p, column) in packed.chunks_exact_mut(height).enumerate() {
        column[first..first + N].copy_from_slice(&rows.map(|row| row[p]));
    }
    N
}

/// The product of a packed block of A and one of B, tile by tile, added to the
/// `mc`×`nc` corner of `c`, whose rows are `row_len` apart.
#[inline(always)]
#[allow(clippy::too_many_arguments, reason = "the loop nest's own variables")]
fn multiply_block<S: Simd>(
    simd: S,
    packed_a: &[f32],
    packed_b: &[f32],
    kc: usize,
    c: &mut [f32],
    row_len: usize,
    mc: usize,
    nc: usize,
) {
    let tile_cols = S::TILE_VECTORS * S::LANES;
    for (jr, b) in (0..nc).step_by(tile_cols).zip(packed_b.chunks_exact(tile_cols * kc)) {
        let cols = tile_cols.min(nc - jr);
        for (ir, a) in (0..mc).step_by(S::TILE_ROWS).zip(packed_a.chunks_exact(S::TILE_ROWS * kc)) {
            let rows = S::TILE_ROWS.min(mc - ir);
            let c = &mut c[ir * row_len + jr..];
            // Rows that are not there take as long as those that are.
            match rows {
                0..=4 => multiply_tile::<S, 4>(simd, a, b, c, row_len, rows, cols),
                5..=8 => multiply_tile::<S, 8>(simd, a, b, c, row_len, rows, cols),
                _ => multiply_tile::<S, MAX_ROWS>(simd, a, b, c, row_len, rows, cols),
            }
        }
    }
}

/// The product of two strips, added to the `rows`×`cols` corner of `c`; `ROWS` are
/// as many rows or a few more.
#[inline(always)]
fn multiply_tile<S: Simd, const ROWS: usize>(
    simd: S,
    a: &[f32],
    b: &[f32],
    c: &mut [f32],
    row_len: usize,
    rows: usize,
    cols: usize,
) {
    let tile_cols = S::TILE_VECTORS * S::LANES;
    if rows == ROWS.min(S::TILE_ROWS) && cols == tile_cols {
        micro_kernel::<S, ROWS>(simd, a, b, c, row_len);
        return;
    }
    // A tile that reaches over the edge of C is computed beside it.
    let mut corner = [0.0; MAX_ROWS * 32];
    for i in 0..rows {
        corner[i * tile_cols..][..cols].copy_from_slice(&c[i * row_len..][..cols]);
    }
    micro_kernel::<S, ROWS>(simd, a, b, &mut corner, tile_cols);
    for i in 0..rows {
        c[i * row_len..][..cols].copy_from_slice(&corner[i * tile_cols..][..cols]);
    }
}

/// Adds the product of a strip of A, `kc` columns of `TILE_ROWS`, and a strip of
/// B, `kc` rows of `TILE_VECTORS` vectors, to the tile at the start of `c`, of which
/// the first `ROWS` rows count.
#[inline(always)]
fn micro_kernel<S: Simd, const ROWS: usize>(
    simd: S,
    a: &[f32],
    b: &[f32],
    c: &mut [f32],
    row_len: usize,
) {
    // Only as much of it as the level's tile has is ever in a register.
    let mut tile = [[simd.splat(0.0); MAX_VECTORS]; ROWS];
    let rows = ROWS.min(S::TILE_ROWS);
    for i in 0..rows {
        for v in 0..S::TILE_VECTORS {
            tile[i][v] = simd.load(&c[i * row_len + v * S::LANES..]);
        }
    }
    let columns = a.chunks_exact(S::TILE_ROWS);
    for (a, b) in columns.zip(b.chunks_exact(S::TILE_VECTORS * S::LANES)) {
        let mut row = [simd.splat(0.0); MAX_VECTORS];
        for v in 0..S::TILE_VECTORS {
            row[v] = simd.load(&b[v * S::LANES..]);
        }
        for i in 0..rows {
            let element = simd.splat(a[i]);
            for v in 0..S::TILE_VECTORS {
                tile[i][v] = simd.mul_add(element, row[v], tile[i][v]);
            }
        }
    }
    for i in 0..rows {
        for v in 0..S::TILE_VECTORS {
            simd.store(tile[i][v], &mut c[i * row_len + v * S::LANES..]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(len: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let mut number = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        (0..len).map(|_| number()).collect()
    }

    fn view(data: &[f32], rows: usize, cols: usize) -> View<'_> {
        View { data, rows, cols, row_stride: cols, col_stride: 1 }
    }

    /// C += A·B, each element as one chain of fused multiply-adds.
    fn naive(a: View<'_>, b: View<'_>, c: &mut [f32]) {
        for (index, c) in c.iter_mut().enumerate() {
            let (i, j) = (index / b.cols, index % b.cols);
            for k in 0..a.cols {
                let a = a.data[i * a.row_stride + k * a.col_stride];
                let b = b.data[k * b.row_stride + j * b.col_stride];
                *c = a.mul_add(b, *c);
            }
        }
    }

    #[test]
    fn every_level_gives_the_bits_of_the_triple_loop() {
        // Around every tile's edges, and past the blocks of rows and of the sum.
        let sizes = [
            (1, 1, 1),
            (13, 33, 5),
            (12, 32, 256),
            (16, 32, 7),
            (20, 64, 7),
            (5, 17, 257),
            (241, 31, 300),
        ];
        // Under Miri a product takes a microsecond.
        for (m, n, k) in sizes.into_iter().take(if cfg!(miri) { 2 } else { 7 }) {
            let (a, b, c) = (numbers(m * k, 1), numbers(k * n, 2), numbers(m * n, 3));
            let operands = [
                (view(&a, m, k), view(&b, k, n)),
                (view(&a, k, m).transposed(), view(&b, k, n)),
                (view(&a, m, k), view(&b, n, k).transposed()),
            ];
            for (a, b) in operands {
                let mut expected = c.clone();
                naive(a, b, &mut expected);
                for level in Level::available() {
                    let mut found = c.clone();
                    gemm(level, a, b, &mut found);
                    assert_eq!(found, expected, "{level}, {m} x {n} x {k}");
                }
            }
        }
    }
}
