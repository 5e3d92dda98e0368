//! The forward pass: sparse rows times a panel of weights.
//!
//! Each element of a result is one chain of fused multiply-adds, in the order of the
//! summed index.

use crate::activation::Activation;
use crate::kernel::simd::Simd;
use crate::kernel::sparse::{Entry, SparseRows};
use crate::kernel::tiles::Tile;
use crate::kernel::width::{AtWidth, MAX_VECTORS, Sums};

/// Y = f(X·W), for one panel of W.
pub(crate) struct Forward<'a, E, const ROWS: usize> {
    /// X.
    pub(crate) inputs: &'a SparseRows<E>,
    /// The panel's tiles.
    pub(crate) weights: &'a [Tile],
    pub(crate) width: usize,
    pub(crate) activation: Activation,
    /// Y, (X's rows, width).
    pub(crate) outputs: &'a mut [f32],
}

impl<E: Entry<ROWS>, const ROWS: usize> AtWidth for Forward<'_, E, ROWS> {
    #[inline(always)]
    fn width(&self) -> usize {
        self.width
    }

    #[inline(always)]
    fn at_width<S: Simd, const WIDTH: usize>(self, simd: S) {
        let outputs = self.outputs.as_chunks_mut::<WIDTH>().0;
        assert_eq!(outputs.len(), self.inputs.rows(), "outputs of each row");
        assert_eq!(self.weights.len(), self.inputs.blocks(), "weights for each column");
        let (inputs, weights) = (self.inputs, self.weights);
        let product = Product { simd, inputs, weights, outputs: &mut *outputs };
        // Each addition of a chain waits for the one before: narrow rows come some at once,
        // so that there are always some that need not wait. The sums of two wide rows are
        // too many for the registers of AVX2.
        let lists = product.lists();
        match (ROWS, WIDTH / S::LANES) {
            _ if lists == 0 => {}
            (1, ..=2) if lists >= 4 => product.run::<4, 1>(),
            (2, ..=2) if lists >= 2 => product.run::<2, 1>(),
            (2, 5..) => product.run::<1, 2>(),
            _ => product.run::<1, 1>(),
        }
        self.activation.forward(outputs.as_flattened_mut());
    }
}

/// Y = X·W for one panel.
struct Product<'a, S, E, const ROWS: usize, const WIDTH: usize> {
    simd: S,
    inputs: &'a SparseRows<E>,
    weights: &'a [Tile],
    outputs: &'a mut [[f32; WIDTH]],
}

impl<S: Simd, E: Entry<ROWS>, const ROWS: usize, const WIDTH: usize>
    Product<'_, S, E, ROWS, WIDTH>
{
    /// The lists of X.
    #[inline(always)]
    fn lists(&self) -> usize {
        self.outputs.len().div_ceil(ROWS)
    }

    /// `COUNT` lists of X at once (there are as many), and one of `PARTS` of the panel
    /// after the other. Where a list ends, the next takes its place.
    #[inline(always)]
    #[allow(clippy::needless_range_loop, reason = "unrolled, so that the sums are in registers")]
    fn run<const COUNT: usize, const PARTS: usize>(mut self) {
        let lists = self.lists();
        for (block, tile) in self.weights.iter().enumerate() {
            let weights = tile.values.as_chunks::<WIDTH>().0;
            for first in (0..WIDTH).step_by(WIDTH / PARTS) {
                let mut places = [0; COUNT];
                let mut entries: [&[E]; COUNT] = [&[]; COUNT];
                let mut sums = [[[self.simd.splat(0.0); MAX_VECTORS]; ROWS]; COUNT];
                for slot in 0..COUNT {
                    places[slot] = slot;
                    entries[slot] = self.inputs.block(slot, block);
                    self.begin::<PARTS>(&mut sums[slot], slot, block, first);
                }
                let mut next = COUNT;
                let mut is_over = false;
                while !is_over {
                    let lens = entries.map(<[E]>::len);
                    let len = lens.into_iter().fold(usize::MAX, usize::min);
                    let mut heads = entries;
                    for slot in 0..COUNT {
                        (heads[slot], entries[slot]) = entries[slot].split_at(len);
                    }
                    for index in 0..len {
                        for slot in 0..COUNT {
                            self.add::<PARTS>(heads[slot][index], weights, first, &mut sums[slot]);
                        }
                    }
                    for slot in 0..COUNT {
                        if !entries[slot].is_empty() {
                            continue;
                        }
                        self.store::<PARTS>(&sums[slot], places[slot], first);
                        if next < lists {
                            places[slot] = next;
                            entries[slot] = self.inputs.block(next, block);
                            self.begin::<PARTS>(&mut sums[slot], next, block, first);
                            next += 1;
                        } else {
                            is_over = true;
                        }
                    }
                }
                for slot in 0..COUNT {
                    for &entry in entries[slot] {
                        self.add::<PARTS>(entry, weights, first, &mut sums[slot]);
                    }
                    self.store::<PARTS>(&sums[slot], places[slot], first);
                }
            }
        }
    }

    /// Sets a list's sums to what they are before a block, from column `first` of the panel on.
    #[inline(always)]
    #[allow(clippy::needless_range_loop, reason = "as above")]
    fn begin<const PARTS: usize>(
        &self,
        sums: &mut Sums<S::Vector, ROWS>,
        list: usize,
        block: usize,
        first: usize,
    ) {
        for row in 0..ROWS {
            let output = self.outputs.get(list * ROWS + row).filter(|_| block > 0);
            for v in 0..WIDTH / PARTS / S::LANES {
                sums[row][v] = match output {
                    Some(output) => self.simd.load(&output[first + v * S::LANES..]),
                    None => self.simd.splat(0.0),
                };
            }
        }
    }

    /// Adds each row's element of X times its row of W.
    #[inline(always)]
    #[allow(clippy::needless_range_loop, reason = "as above")]
    fn add<const PARTS: usize>(
        &self,
        entry: E,
        weights: &[[f32; WIDTH]],
        first: usize,
        sums: &mut Sums<S::Vector, ROWS>,
    ) {
        let simd = self.simd;
        let values = entry.values().map(|value| simd.splat(value));
        let weights = &weights[entry.column()];
        for v in 0..WIDTH / PARTS / S::LANES {
            let weights = simd.load(&weights[first + v * S::LANES..]);
            for row in 0..ROWS {
                sums[row][v] = simd.mul_add(values[row], weights, sums[row][v]);
            }
        }
    }

    #[inline(always)]
    #[allow(clippy::needless_range_loop, reason = "as above")]
    fn store<const PARTS: usize>(
        &mut self,
        sums: &Sums<S::Vector, ROWS>,
        list: usize,
        first: usize,
    ) {
        for row in 0..ROWS {
            let Some(output) = self.outputs.get_mut(list * ROWS + row) else { continue };
            for v in 0..WIDTH / PARTS / S::LANES {
                self.simd.store(sums[row][v], &mut output[first + v * S::LANES..]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::level::Level;
    use crate::kernel::sparse::blocks_of;
    use crate::kernel::tiles::{Slot, Tiles};

    /// Each element is one chain of fused multiply-adds over the columns.
    fn chains(rows: &[Vec<f32>], weights: &[Vec<f32>]) -> Vec<f32> {
        let outputs = 0..weights[0].len();
        let chain = |row: &[f32], j: usize| {
            row.iter().zip(weights).fold(0.0, |sum, (x, weights)| x.mul_add(weights[j], sum))
        };
        rows.iter().flat_map(|row| outputs.clone().map(move |j| chain(row, j))).collect()
    }

    #[test]
    fn products_are_chains_over_the_columns() {
        let number = |i: usize| (i * 7919 % 1013) as f32 / 506.0 - 1.0;
        // Under Miri a product takes a microsecond.
        let pixels = if cfg!(miri) { 20 } else { 470 };
        for width in [16, 32, 48, 64] {
            let mut tiles = Tiles::zeros(pixels + 1, width, blocks_of(pixels + 1));
            let weights: Vec<Vec<f32>> = (0..=pixels)
                .map(|row| (0..width).map(|j| number(row * width + j)).collect())
                .collect();
            for (row, weights) in weights.iter().enumerate() {
                tiles.set_row(Slot::Values, row, weights);
            }
            for count in [0, 1, 2, 3, 5, 9] {
                let bytes: Vec<Vec<u8>> = (0..count)
                    .map(|image| (0..pixels).map(|j| pixel(image, j)).collect())
                    .collect();
                let rows: Vec<Vec<f32>> = bytes
                    .iter()
                    .map(|image| image.iter().map(|&p| f32::from(p) / 255.0).chain([1.0]).collect())
                    .collect();
                let expected = chains(&rows, &weights);
                for level in Level::available() {
                    let mut numbers = SparseRows::default();
                    let (block, blocks) = blocks_of(pixels + 1);
                    numbers.clear(count, pixels + 1, (block, blocks));
                    rows.iter().for_each(|row| numbers.push(level, row[..pixels].chunks(block)));
                    let mut pairs = SparseRows::default();
                    pairs.fill(level, 0..count, pixels + 1, |image| &bytes[image]);
                    let found = forward(level, &numbers, &tiles, width);
                    assert_eq!(found, expected, "{level}, {count} rows of width {width}");
                    let found = forward(level, &pairs, &tiles, width);
                    assert_eq!(found, expected, "{level}, {count} images, width {width}");
                }
            }
        }
    }

    /// Ink here and there, less in some images.
    fn pixel(image: usize, j: usize) -> u8 {
        if (j / 9 + image).is_multiple_of(2 + image) { (j * 31) as u8 } else { 0 }
    }

    fn forward<E: Entry<ROWS>, const ROWS: usize>(
        level: Level,
        inputs: &SparseRows<E>,
        tiles: &Tiles,
        width: usize,
    ) -> Vec<f32> {
        let mut outputs = vec![f32::NAN; inputs.rows() * width];
        let (weights, activation) = (tiles.panel(0), Activation::Linear);
        level.run(Forward { inputs, weights, width, activation, outputs: &mut outputs });
        outputs
    }
}
