//! Values in panels, and their products with a narrow layer's weights.
//!
//! After a rectifier half of the values are zero, but where a layer has few outputs, as
//! the last one, to list the others takes longer than to multiply with all; and none of
//! the last layer's errors is zero.

use std::ops::Range;

use crate::activation::Activation;
use crate::kernel::aligned::Aligned;
use crate::kernel::level::Level;
use crate::kernel::simd::{Kernel, Simd};
use crate::kernel::tiles::{Tile, block_of, panels_of};
use crate::kernel::width::AtWidth;

/// The values of some images in each of a layer's panels, (images, width).
#[derive(Clone, Copy)]
pub(crate) struct Panels<'a> {
    /// Panel after panel, each in as many pieces, one image after the other.
    pieces: &'a [Aligned],
    per_panel: usize,
    /// The piece that these images are in, and from where to where.
    piece: usize,
    start: usize,
    end: usize,
}

impl<'a> Panels<'a> {
    /// Panels whose pieces are whole.
    pub(crate) fn new(panels: &'a [Aligned]) -> Self {
        let end = panels.first().map_or(0, |panel| panel.len());
        Self { pieces: panels, per_panel: 1, piece: 0, start: 0, end }
    }

    /// Those in one of the pieces that each panel is in; the range is of floats.
    pub(crate) fn in_pieces(
        pieces: &'a [Aligned],
        per_panel: usize,
        piece: usize,
        Range { start, end }: Range<usize>,
    ) -> Self {
        Self { pieces, per_panel, piece, start, end }
    }

    pub(crate) fn panel(self, number: usize) -> &'a [f32] {
        &self.pieces[number * self.per_panel + self.piece][self.start..self.end]
    }

    /// All of them.
    pub(crate) fn iter(self) -> impl Iterator<Item = &'a [f32]> + Clone {
        (0..self.pieces.len() / self.per_panel).map(move |number| self.panel(number))
    }
}

/// C = A·B, for one panel of B and of C: A's `cols` columns are in panels, which are as wide
/// as B's blocks are high, which are tiles or all in one; where B has a row more, a 1 follows in
/// each row of A.
pub(crate) fn multiply(
    level: Level,
    a: Panels<'_>,
    cols: usize,
    b: &[Tile],
    width: usize,
    c: &mut [f32],
) {
    let (a_width, _) = panels_of(cols);
    let blocks = a.iter().count();
    for (index, a) in a.iter().enumerate() {
        let depth = a_width.min(cols - index * a_width);
        let (b, last) = block_of(b, index, blocks, a_width * width).split_at(depth * width);
        level.run(AddProduct { a: Factor::Rows(a, a_width), b, width, is_first: index == 0, c });
        if !last.is_empty() {
            level.run(AddProduct { a: Factor::Ones, b: last, width, is_first: false, c });
        }
    }
}

/// G += Xᵀ·D, for one tile of G: X's `cols` columns are in panels, and the tile's rows are
/// those of panel number `block`; where it has a row more, that is of the 1 after them.
pub(crate) fn add_gradient(
    level: Level,
    x: Panels<'_>,
    cols: usize,
    block: usize,
    d: &[f32],
    width: usize,
    gradient: &mut [f32],
) {
    if d.is_empty() {
        return;
    }
    let (x_width, _) = panels_of(cols);
    let rows = x_width.min(cols - block * x_width);
    let (c, last) = gradient.split_at_mut(rows * width);
    let a = Factor::Columns(x.panel(block), x_width);
    level.run(AddProduct { a, b: d, width, is_first: false, c });
    level.run(AddProduct { a: Factor::Ones, b: d, width, is_first: false, c: last });
}

/// Y = f(Y).
pub(crate) struct Activate<'a> {
    pub(crate) activation: Activation,
    pub(crate) values: &'a mut [f32],
}

impl Kernel for Activate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        self.activation.forward(self.values);
    }
}

/// D = D ∘ f′.
pub(crate) struct Differentiate<'a> {
    pub(crate) activation: Activation,
    /// Y, divided by `scale`.
    pub(crate) outputs: &'a [f32],
    pub(crate) scale: f32,
    /// D, of as many elements, a multiple of 16.
    pub(crate) errors: &'a mut [f32],
}

impl Kernel for Differentiate<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let outputs = self.outputs.as_chunks::<16>().0;
        for (outputs, errors) in outputs.iter().zip(self.errors.as_chunks_mut::<16>().0) {
            self.activation.backward(&outputs.map(|y| y * self.scale), errors);
        }
    }
}

/// A matrix that others are multiplied with.
#[derive(Clone, Copy)]
enum Factor<'a> {
    /// Its rows, which begin so many floats apart.
    Rows(&'a [f32], usize),
    /// Its columns, which do.
    Columns(&'a [f32], usize),
    Ones,
}

/// C += A·B, for one panel of B and of C.
///
/// Each element is one chain of fused multiply-adds, in the order of the rows of B.
struct AddProduct<'a> {
    a: Factor<'a>,
    /// B, (A's columns, width).
    b: &'a [f32],
    width: usize,
    /// Whether C is zero before.
    is_first: bool,
    /// C, (A's rows, width).
    c: &'a mut [f32],
}

impl AtWidth for AddProduct<'_> {
    #[inline(always)]
    fn width(&self) -> usize {
        self.width
    }

    #[inline(always)]
    fn at_width<S: Simd, const WIDTH: usize>(self, simd: S) {
        // So many sums at once that no addition waits for the one before, and all are in
        // registers, with a part of a row of B. (With ten or twelve of AVX2, in rows that are
        // often left over, this takes longer.)
        match WIDTH / S::LANES {
            1 => self.in_blocks::<S, WIDTH, 8, 1>(simd),
            2 => self.in_blocks::<S, WIDTH, 4, 2>(simd),
            3 | 6 => self.in_blocks::<S, WIDTH, 2, 3>(simd),
            _ => self.in_blocks::<S, WIDTH, 2, 4>(simd),
        }
    }
}

impl AddProduct<'_> {
    /// `ROWS` rows of C at once, and those that are left one by one; `VECTORS` vectors of each.
    #[inline(always)]
    fn in_blocks<S: Simd, const WIDTH: usize, const ROWS: usize, const VECTORS: usize>(
        self,
        simd: S,
    ) {
        let Self { a, b, is_first, c, .. } = self;
        let b = b.as_chunks().0;
        let (groups, rest) = c.as_chunks_mut::<WIDTH>().0.as_chunks_mut::<ROWS>();
        let whole = groups.len() * ROWS;
        for (row, c) in (0..).step_by(ROWS).zip(groups) {
            a.add_rows::<S, WIDTH, ROWS, VECTORS>(simd, row, b, is_first, c);
        }
        for (row, c) in (whole..).zip(rest.as_chunks_mut().0) {
            a.add_rows::<S, WIDTH, 1, VECTORS>(simd, row, b, is_first, c);
        }
    }
}

impl Factor<'_> {
    /// Adds the product of some rows, from number `first` on.
    #[inline(always)]
    fn add_rows<S: Simd, const WIDTH: usize, const ROWS: usize, const VECTORS: usize>(
        self,
        simd: S,
        first: usize,
        b: &[[f32; WIDTH]],
        is_first: bool,
        c: &mut [[f32; WIDTH]; ROWS],
    ) {
        match self {
            Self::Rows(values, apart) => {
                let row = |row| &values[(first + row) * apart..][..b.len()];
                let rows: [&[f32]; ROWS] = std::array::from_fn(row);
                let column = |column| std::array::from_fn(|row| rows[row][column]);
                add_rows::<S, WIDTH, ROWS, VECTORS>(simd, column, b, is_first, c);
            }
            Self::Columns(values, apart) => {
                let values = &values[first..];
                let column = |column| *values[column * apart..].first_chunk().expect("rows");
                add_rows::<S, WIDTH, ROWS, VECTORS>(simd, column, b, is_first, c);
            }
            Self::Ones => {
                add_rows::<S, WIDTH, ROWS, VECTORS>(simd, |_| [1.0; ROWS], b, is_first, c);
            }
        }
    }
}

/// Adds the product of some rows of A.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "unrolled, so that the sums are in registers")]
fn add_rows<S: Simd, const WIDTH: usize, const ROWS: usize, const VECTORS: usize>(
    simd: S,
    a: impl Fn(usize) -> [f32; ROWS],
    b: &[[f32; WIDTH]],
    is_first: bool,
    c: &mut [[f32; WIDTH]; ROWS],
) {
    for first in (0..WIDTH).step_by(VECTORS * S::LANES) {
        let mut sums = [[simd.splat(0.0); VECTORS]; ROWS];
        if !is_first {
            for row in 0..ROWS {
                sums[row] = load(simd, &c[row][first..]);
            }
        }
        for (column, b) in b.iter().enumerate() {
            let a = a(column);
            let b: [S::Vector; VECTORS] = load(simd, &b[first..]);
            for row in 0..ROWS {
                let value = simd.splat(a[row]);
                for v in 0..VECTORS {
                    sums[row][v] = simd.mul_add(value, b[v], sums[row][v]);
                }
            }
        }
        for row in 0..ROWS {
            for v in 0..VECTORS {
                simd.store(sums[row][v], &mut c[row][first + v * S::LANES..]);
            }
        }
    }
}

/// The first vectors of a row.
#[inline(always)]
fn load<S: Simd, const VECTORS: usize>(simd: S, row: &[f32]) -> [S::Vector; VECTORS] {
    std::array::from_fn(|v| simd.load(&row[v * S::LANES..]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::tiles::{Slot, Tiles};

    fn number(i: usize) -> f32 {
        (i * 7919 % 1013) as f32 / 506.0 - 1.0
    }

    /// Rows of as many columns in panels, with numbers after the last column.
    fn panels(rows: &[Vec<f32>], cols: usize) -> Vec<Aligned> {
        let (width, count) = panels_of(cols);
        let mut panels = vec![Aligned::zeros(rows.len() * width); count];
        for (panel, first) in panels.iter_mut().zip((0..).step_by(width)) {
            for (to, row) in panel.chunks_mut(width).zip(rows) {
                to.fill(0.5);
                let from = &row[first..cols.min(first + width)];
                to[..from.len()].copy_from_slice(from);
            }
        }
        panels
    }

    fn rows(count: usize, cols: usize, first: usize) -> Vec<Vec<f32>> {
        let row = |i: usize| (0..cols).map(|j| number(first + i * cols + j)).collect();
        (0..count).map(row).collect()
    }

    #[test]
    fn products_are_chains_over_the_columns() {
        // Under Miri a product takes a microsecond.
        let sizes = [(1, 16), (10, 64), (16, 32), (70, 48), (130, 16)];
        for (cols, width) in sizes.into_iter().take(if cfg!(miri) { 2 } else { 5 }) {
            for with_one in [0, 1] {
                let weights = rows(cols + with_one, width, 3);
                let mut tiles = Tiles::zeros(weights.len(), width, panels_of(cols));
                for (row, weights) in weights.iter().enumerate() {
                    tiles.set_row(Slot::Values, row, weights);
                }
                for count in [0, 1, 7, 9, 16] {
                    let a = rows(count, cols, 11);
                    let expected = a.iter().flat_map(|row| {
                        let row: Vec<f32> = row.iter().copied().chain([1.0]).collect();
                        let weights = &weights;
                        (0..width).map(move |j| {
                            let pairs = row.iter().zip(weights);
                            pairs.fold(0.0, |sum, (a, weights)| a.mul_add(weights[j], sum))
                        })
                    });
                    let expected: Vec<f32> = expected.collect();
                    for level in Level::available() {
                        let mut c = vec![f32::NAN; count * width];
                        let a = panels(&a, cols);
                        multiply(level, Panels::new(&a), cols, tiles.panel(0), width, &mut c);
                        assert_eq!(c, expected, "{level}, {count} x {cols} x {width}");
                    }
                }
            }
        }
    }

    #[test]
    fn gradients_are_chains_over_the_rows() {
        let sizes = [(1, 64), (10, 16), (64, 32), (70, 16), (130, 48)];
        for (cols, width) in sizes.into_iter().take(if cfg!(miri) { 2 } else { 5 }) {
            let (x_width, blocks) = panels_of(cols);
            for count in [0, 1, 9] {
                let (x, d) = (rows(count, cols, 5), rows(count, width, 23));
                for block in 0..blocks {
                    // The last block has a row more, of the 1 after each row.
                    let columns = block * x_width..cols.min((block + 1) * x_width);
                    let columns = columns.start..columns.end + usize::from(block + 1 == blocks);
                    let before = rows(columns.len(), width, 41).concat();
                    let mut expected = before.clone();
                    for (column, sums) in columns.zip(expected.chunks_mut(width)) {
                        for (x, d) in x.iter().zip(&d) {
                            let x = x.get(column).copied().unwrap_or(1.0);
                            sums.iter_mut().zip(d).for_each(|(sum, d)| *sum = x.mul_add(*d, *sum));
                        }
                    }
                    for level in Level::available() {
                        let mut found = before.clone();
                        let (x, d) = (panels(&x, cols), d.concat());
                        add_gradient(level, Panels::new(&x), cols, block, &d, width, &mut found);
                        assert_eq!(found, expected, "{level}, {count} x {cols} x {width}");
                    }
                }
            }
        }
    }
}
