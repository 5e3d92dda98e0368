//! Loops over the rows of a panel, whose width the compiler knows.

use crate::kernel::simd::{Kernel, Simd};
use crate::kernel::tiles::MAX_WIDTH;

/// Vectors of a panel's row, where they are shortest.
pub(super) const MAX_VECTORS: usize = MAX_WIDTH / 8;

/// A row, in as many vectors of these as it needs.
pub(super) type Vectors<S> = [<S as Simd>::Vector; MAX_VECTORS];

/// A loop over the rows of a panel, whose width the compiler knows.
pub(super) trait AtWidth {
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

#[inline(always)]
pub(super) fn load_row<S: Simd, const WIDTH: usize>(simd: S, row: &[f32; WIDTH]) -> Vectors<S> {
    let mut vectors = [simd.splat(0.0); MAX_VECTORS];
    for v in 0..WIDTH / S::LANES {
        vectors[v] = simd.load(&row[v * S::LANES..]);
    }
    vectors
}

#[inline(always)]
pub(super) fn store_row<S: Simd, const WIDTH: usize>(
    simd: S,
    vectors: &Vectors<S>,
    row: &mut [f32; WIDTH],
) {
    for v in 0..WIDTH / S::LANES {
        simd.store(vectors[v], &mut row[v * S::LANES..]);
    }
}
