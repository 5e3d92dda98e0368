//! The product of one row with a matrix as it is.
//!
//! A packed matrix is read faster, but packing it takes longer than one product.

use crate::kernel::simd::{Kernel, Simd};

/// Rows of the matrix that are added at once, so that the sums are loaded and
/// stored seldom.
const GROUP: usize = 4;

/// y += x·W, past the zeros of x.
pub(crate) struct AddRowProduct<'a> {
    /// x, as many as W has rows.
    pub(crate) inputs: &'a [f32],
    /// W, row by row.
    pub(crate) weights: &'a [f32],
    /// y, as many as W has columns.
    pub(crate) sums: &'a mut [f32],
}

impl Kernel for AddRowProduct<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let cols = self.sums.len();
        assert_eq!(self.weights.len(), self.inputs.len() * cols, "a weight for each product");
        let mut group = [(0.0, 0); GROUP];
        let mut len = 0;
        for (row, &input) in self.inputs.iter().enumerate() {
            if input != 0.0 {
                group[len] = (input, row);
                len += 1;
                if len == GROUP {
                    let rows = group.map(|(_, row)| &self.weights[row * cols..][..cols]);
                    add_group(simd, group.map(|(input, _)| input), rows, self.sums);
                    len = 0;
                }
            }
        }
        for (input, row) in &group[..len] {
            add_group(simd, [*input], [&self.weights[row * cols..][..cols]], self.sums);
        }
    }
}

/// Adds some rows to the sums, each element of them in the order of the rows.
#[inline(always)]
fn add_group<S: Simd, const N: usize>(
    simd: S,
    inputs: [f32; N],
    rows: [&[f32]; N],
    sums: &mut [f32],
) {
    let values = inputs.map(|input| simd.splat(input));
    let whole = sums.len() - sums.len() % S::LANES;
    for first in (0..whole).step_by(S::LANES) {
        let mut sum = simd.load(&sums[first..]);
        for (value, row) in values.iter().zip(rows) {
            sum = simd.mul_add(*value, simd.load(&row[first..]), sum);
        }
        simd.store(sum, &mut sums[first..]);
    }
    for index in whole..sums.len() {
        for (input, row) in inputs.iter().zip(rows) {
            sums[index] = input.mul_add(row[index], sums[index]);
        }
    }
}
