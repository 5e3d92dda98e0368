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
use crate::kernel::width::{AtWidth, MAX_VECTORS, load_row, store_row};

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
        let strides = [a_width, 1];
        level.run(AddProduct { a, strides, b, width, is_first: index == 0, c });
        if !last.is_empty() {
            level.run(AddProduct {
                a: &[1.0],
                strides: [0, 0],
                b: last,
                width,
                is_first: false,
                c,
            });
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
    let (strides, is_first) = ([1, x_width], false);
    level.run(AddProduct { a: x.panel(block), strides, b: d, width, is_first, c });
    level.run(AddProduct { a: &[1.0], strides: [0, 0], b: d, width, is_first, c: last });
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

/// C += A·B, for one panel of B and of C.
///
/// Each element is one chain of fused multiply-adds, in the order of the rows of B.
struct AddProduct<'a> {
    a: &'a [f32],
    /// How far apart in `a` two rows of A are, and two columns: those of Aᵀ are A's
    /// exchanged.
    strides: [usize; 2],
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
        // So many sums at once that no addition waits for the one before, and all are
        // in registers.
        match WIDTH / S::LANES {
            1 => self.rows_at_once::<S, WIDTH, 8>(simd),
            2 => self.rows_at_once::<S, WIDTH, 4>(simd),
            3 | 4 => self.rows_at_once::<S, WIDTH, 2>(simd),
            _ => self.rows_at_once::<S, WIDTH, 1>(simd),
        }
    }
}

impl AddProduct<'_> {
    /// `COUNT` rows of C at once, and those that are left one by one.
    #[inline(always)]
    fn rows_at_once<S: Simd, const WIDTH: usize, const COUNT: usize>(self, simd: S) {
        let Self { a, strides, b, is_first, .. } = self;
        let b = b.as_chunks::<WIDTH>().0;
        let (groups, rest) = self.c.as_chunks_mut::<WIDTH>().0.as_chunks_mut::<COUNT>();
        let whole = groups.len() * COUNT;
        for (row, group) in (0..).step_by(COUNT).zip(groups) {
            add_rows(simd, &a[row * strides[0]..], strides, b, is_first, group);
        }
        for (row, c) in (whole..).zip(rest) {
            add_rows(simd, &a[row * strides[0]..], strides, b, is_first, std::array::from_mut(c));
        }
    }
}

/// Adds the product of some rows of A, from the start of `a` on.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "unrolled, so that the sums are in registers")]
fn add_rows<S: Simd, const WIDTH: usize, const COUNT: usize>(
    simd: S,
    a: &[f32],
    [down, right]: [usize; 2],
    b: &[[f32; WIDTH]],
    is_first: bool,
    c: &mut [[f32; WIDTH]; COUNT],
) {
    let mut sums = [[simd.splat(0.0); MAX_VECTORS]; COUNT];
    if !is_first {
        for row in 0..COUNT {
            sums[row] = load_row::<S, WIDTH>(simd, &c[row]);
        }
    }
    for (column, b) in b.iter().enumerate() {
        let a = &a[column * right..];
        let b = load_row::<S, WIDTH>(simd, b);
        for row in 0..COUNT {
            let value = simd.splat(a[row * down]);
            for v in 0..WIDTH / S::LANES {
                sums[row][v] = simd.mul_add(value, b[v], sums[row][v]);
            }
        }
    }
    for row in 0..COUNT {
        store_row::<S, WIDTH>(simd, &sums[row], &mut c[row]);
    }
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
