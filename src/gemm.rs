//! The matrix product, blocked and packed.
//!
//! The loops are those of Goto's algorithm in the words of BLIS: the product is
//! cut into blocks that stay in a cache, each operand's block is copied
//! ("packed") into the order in which the innermost loop reads it, and that
//! innermost loop, the micro-kernel, keeps an `MR`×`NR` tile of the result in
//! registers. It runs over rows and columns of the result and never over the
//! summed index, so that the compiler may turn it into SIMD instructions
//! without changing the order of any sum.
//!
//! # Source
//! Goto, van de Geijn, *Anatomy of high-performance matrix multiplication*
//! (ACM TOMS 2008); Van Zee, van de Geijn, *BLIS* (ACM TOMS 2015).

/// Rows of the micro-kernel's tile.
///
/// 4×8 floats are 8 of the 16 SSE registers; two more hold the row of B, and
/// one the element of A.
pub(crate) const MR: usize = 4;
/// Columns of the micro-kernel's tile.
pub(crate) const NR: usize = 8;
/// Summed index of a block: a strip of B, `KC`×`NR` floats, is 8 KiB and shares
/// a 32 KiB L1 cache with the strip of A.
pub(crate) const KC: usize = 256;
/// Rows of a block of A: `MC`×`KC` floats are 128 KiB, half of a small L2 cache.
pub(crate) const MC: usize = 128;
/// Columns of a block of B: `KC`×`NC` floats are 1 MiB, for the L3 cache.
pub(crate) const NC: usize = 1024;

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
pub(crate) fn gemm(a: View<'_>, b: View<'_>, c: &mut [f32]) {
    assert_eq!(a.cols, b.rows, "columns of A against rows of B");
    assert_eq!(c.len(), a.rows * b.cols, "elements of C");
    let (m, n, k) = (a.rows, b.cols, a.cols);

    let mut packed_a = vec![0.0; KC.min(k) * MC.min(m).next_multiple_of(MR)];
    let mut packed_b = vec![0.0; KC.min(k) * NC.min(n).next_multiple_of(NR)];
    // A block of B for the L3 cache, then one of A for the L2 cache.
    for jc in (0..n).step_by(NC) {
        let nc = NC.min(n - jc);
        for pc in (0..k).step_by(KC) {
            let kc = KC.min(k - pc);
            pack::<NR>(b.transposed(), jc, nc, pc, kc, &mut packed_b);
            for ic in (0..m).step_by(MC) {
                let mc = MC.min(m - ic);
                pack::<MR>(a, ic, mc, pc, kc, &mut packed_a);
                multiply_block(&packed_a, &packed_b, kc, &mut c[ic * n + jc..], n, mc, nc);
            }
        }
    }
}

/// Copies rows `first..first + rows` and columns `pc..pc + kc` of `from` into
/// strips of `R` rows: all `R` values of a column, then the next column's. Rows
/// that are missing in the last strip become 0.
fn pack<const R: usize>(
    from: View<'_>,
    first: usize,
    rows: usize,
    pc: usize,
    kc: usize,
    packed: &mut [f32],
) {
    for (strip, packed) in packed.chunks_exact_mut(R * kc).take(rows.div_ceil(R)).enumerate() {
        let top = first + strip * R;
        let height = R.min(first + rows - top);
        let start = top * from.row_stride + pc * from.col_stride;
        if from.row_stride == 1 && height == R {
            for (p, values) in packed.chunks_exact_mut(R).enumerate() {
                values.copy_from_slice(&from.data[start + p * from.col_stride..][..R]);
            }
        } else {
            for (p, values) in packed.chunks_exact_mut(R).enumerate() {
                for (i, value) in values.iter_mut().enumerate() {
                    *value = if i < height {
                        from.data[start + i * from.row_stride + p * from.col_stride]
                    } else {
                        0.0
                    };
                }
            }
        }
    }
}

/// The product of a packed block of A and one of B, tile by tile, added to the
/// `mc`×`nc` corner of `c`, whose rows are `row_len` apart.
fn multiply_block(
    packed_a: &[f32],
    packed_b: &[f32],
    kc: usize,
    c: &mut [f32],
    row_len: usize,
    mc: usize,
    nc: usize,
) {
    for (jr, b) in (0..nc).step_by(NR).zip(packed_b.chunks_exact(NR * kc)) {
        for (ir, a) in (0..mc).step_by(MR).zip(packed_a.chunks_exact(MR * kc)) {
            let tile = micro_kernel(a, b);
            let width = NR.min(nc - jr);
            for (i, sums) in tile.iter().enumerate().take(mc - ir) {
                let c = &mut c[(ir + i) * row_len + jr..][..width];
                for (c, sum) in c.iter_mut().zip(sums) {
                    *c += sum;
                }
            }
        }
    }
}

/// The product of a strip of A, `kc` columns of `MR`, and a strip of B, `kc`
/// rows of `NR`.
#[inline(always)]
fn micro_kernel(a: &[f32], b: &[f32]) -> [[f32; NR]; MR] {
    let mut tile = [[0.0; NR]; MR];
    for (a, b) in a.as_chunks::<MR>().0.iter().zip(b.as_chunks::<NR>().0) {
        for i in 0..MR {
            for j in 0..NR {
                tile[i][j] += a[i] * b[j];
            }
        }
    }
    tile
}
