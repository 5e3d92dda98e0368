//! Products of sparse rows with a panel of dense ones.
//!
//! Each element of a result is one chain of fused multiply-adds, in the order of the
//! summed index.

use std::ops::Range;

use crate::activation::Activation;
use crate::kernel::entry::Entry;
use crate::kernel::simd::Simd;
use crate::kernel::sparse::{STRIP, SparseRows};
use crate::kernel::tiles::{Tile, block_of};
use crate::kernel::width::{AtWidth, MAX_VECTORS, Vectors, load_row, store_row};

/// Y = f(X·W), for some rows of X and one panel of W.
pub(crate) struct Forward<'a, B> {
    /// X, block by block, and which of its rows.
    pub(crate) inputs: B,
    pub(crate) rows: Range<usize>,
    /// How many columns each block has, the last one more or fewer.
    pub(crate) block: usize,
    /// The panel's tiles: these blocks, or one.
    pub(crate) weights: &'a [Tile],
    pub(crate) width: usize,
    pub(crate) activation: Activation,
    /// Y, (rows, width).
    pub(crate) outputs: &'a mut [f32],
}

impl<'a, E: Entry + 'a, B> AtWidth for Forward<'_, B>
where
    B: Iterator<Item = &'a SparseRows<E>> + Clone,
{
    #[inline(always)]
    fn width(&self) -> usize {
        self.width
    }

    #[inline(always)]
    fn at_width<S: Simd, const WIDTH: usize>(self, simd: S) {
        let Self { inputs, rows, block, weights, .. } = self;
        let outputs = self.outputs.as_chunks_mut::<WIDTH>().0;
        assert_eq!(outputs.len(), rows.len(), "outputs of each row");
        let blocks = inputs.clone().count();
        for (outputs, start) in outputs.chunks_mut(STRIP).zip(rows.step_by(STRIP)) {
            for (number, inputs) in inputs.clone().enumerate() {
                let lists = inputs.lists(start..start + outputs.len());
                let weights = block_of(weights, number, blocks, block * WIDTH);
                let weights = weights.as_chunks::<WIDTH>().0;
                let mut sums = Sums { rows: outputs, is_zero: number == 0 };
                add_products(simd, lists, weights, &mut sums);
            }
        }
        self.activation.forward(outputs.as_flattened_mut());
    }
}

/// The rows of a result.
pub(super) trait Results<S: Simd> {
    /// A row before something is added to it.
    fn begin(&self, simd: S, row: usize) -> Vectors<S>;

    /// Takes over the row.
    fn finish(&mut self, simd: S, row: usize, sums: &Vectors<S>);
}

/// Rows to which products are added, some now and some later.
pub(super) struct Sums<'a, const WIDTH: usize> {
    pub(super) rows: &'a mut [[f32; WIDTH]],
    /// Whether nothing was added yet, whatever is in them.
    pub(super) is_zero: bool,
}

impl<S: Simd, const WIDTH: usize> Results<S> for Sums<'_, WIDTH> {
    #[inline(always)]
    fn begin(&self, simd: S, row: usize) -> Vectors<S> {
        if self.is_zero {
            [simd.splat(0.0); MAX_VECTORS]
        } else {
            load_row::<S, WIDTH>(simd, &self.rows[row])
        }
    }

    #[inline(always)]
    fn finish(&mut self, simd: S, row: usize, sums: &Vectors<S>) {
        store_row::<S, WIDTH>(simd, sums, &mut self.rows[row]);
    }
}

/// Adds each list's values times the rows of their columns to the list's row of the
/// results.
#[inline(always)]
fn add_products<'a, S: Simd, E: Entry + 'a, const WIDTH: usize>(
    simd: S,
    lists: impl Iterator<Item = &'a [E]>,
    rows: &[[f32; WIDTH]],
    results: &mut Sums<'_, WIDTH>,
) {
    // Each addition of a chain waits for the one before: of narrow rows there are some at once,
    // so that there are always some that need not wait.
    match WIDTH / S::LANES {
        1 | 2 => add_at_once::<S, E, WIDTH, 4>(simd, lists, rows, results),
        3 | 4 => add_at_once::<S, E, WIDTH, 2>(simd, lists, rows, results),
        // The sums of one fill the registers.
        _ => {
            for (place, list) in lists.enumerate() {
                let mut sums = results.begin(simd, place);
                for &entry in list {
                    add::<S, E, WIDTH>(simd, entry, rows, &mut sums);
                }
                results.finish(simd, place, &sums);
            }
        }
    }
}

/// The same, `COUNT` lists at once: where one ends, the next takes its place.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "unrolled, so that the sums are in registers")]
fn add_at_once<'a, S: Simd, E: Entry + 'a, const WIDTH: usize, const COUNT: usize>(
    simd: S,
    lists: impl Iterator<Item = &'a [E]>,
    rows: &[[f32; WIDTH]],
    results: &mut Sums<'_, WIDTH>,
) {
    let mut lists = lists.enumerate();
    let mut places = [0; COUNT];
    let mut entries: [&[E]; COUNT] = [&[]; COUNT];
    let mut sums = [[simd.splat(0.0); MAX_VECTORS]; COUNT];
    let mut used = 0;
    for (slot, (place, list)) in (0..COUNT).zip(&mut lists) {
        (places[slot], entries[slot], sums[slot]) = (place, list, results.begin(simd, place));
        used = slot + 1;
    }
    let mut is_over = used < COUNT;
    while !is_over {
        let lens = entries.map(<[E]>::len);
        let len = lens.into_iter().fold(usize::MAX, usize::min);
        let mut heads = entries;
        for slot in 0..COUNT {
            (heads[slot], entries[slot]) = entries[slot].split_at(len);
        }
        for index in 0..len {
            for slot in 0..COUNT {
                add::<S, E, WIDTH>(simd, heads[slot][index], rows, &mut sums[slot]);
            }
        }
        for slot in 0..COUNT {
            if !entries[slot].is_empty() {
                continue;
            }
            let Some((place, list)) = lists.next() else {
                is_over = true;
                continue;
            };
            results.finish(simd, places[slot], &sums[slot]);
            (places[slot], entries[slot], sums[slot]) = (place, list, results.begin(simd, place));
        }
    }
    for slot in 0..used {
        for &entry in entries[slot] {
            add::<S, E, WIDTH>(simd, entry, rows, &mut sums[slot]);
        }
        results.finish(simd, places[slot], &sums[slot]);
    }
}

/// Adds an entry's value times the row of its column.
#[inline(always)]
pub(super) fn add<S: Simd, E: Entry, const WIDTH: usize>(
    simd: S,
    entry: E,
    rows: &[[f32; WIDTH]],
    sums: &mut Vectors<S>,
) {
    let (value, row) = (simd.splat(entry.value()), &rows[entry.column()]);
    for v in 0..WIDTH / S::LANES {
        sums[v] = simd.mul_add(value, simd.load(&row[v * S::LANES..]), sums[v]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::level::Level;
    use crate::kernel::sparse::{blocks_of, list_rows};
    use crate::kernel::strips::{Block, Shape, Strips};
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
            let (block, blocks) = blocks_of(pixels + 1, width);
            // In blocks, and whole.
            let mut tiles = [(block, blocks), (pixels + 1, 1)]
                .map(|blocks| Tiles::zeros(pixels + 1, width, blocks));
            let weights: Vec<Vec<f32>> = (0..=pixels)
                .map(|row| (0..width).map(|j| number(row * width + j)).collect())
                .collect();
            for (row, weights) in weights.iter().enumerate() {
                tiles.iter_mut().for_each(|tiles| tiles.set_row(Slot::Values, row, weights));
            }
            for count in [0, 1, 2, 3, 5, 9, if cfg!(miri) { 4 } else { STRIP + 1 }] {
                let bytes: Vec<Vec<u8>> = (0..count)
                    .map(|image| (0..pixels).map(|j| pixel(image, j)).collect())
                    .collect();
                let rows: Vec<Vec<f32>> = bytes
                    .iter()
                    .map(|image| image.iter().map(|&p| f32::from(p) / 255.0).chain([1.0]).collect())
                    .collect();
                let expected = chains(&rows, &weights);
                for level in Level::available() {
                    let mut numbers = Vec::new();
                    let shape = (count, pixels + 1);
                    list_rows(&mut numbers, level, shape, (block, blocks), |row, number| {
                        &rows[row][number * block..pixels.min((number + 1) * block)]
                    });
                    for tiles in &tiles {
                        let found = forward(level, numbers.iter(), count, tiles, (width, block));
                        assert_eq!(found, expected, "{level}, {count} rows of width {width}");
                    }
                    let mut images = Strips::default();
                    let shape =
                        Shape { images: count, cols: pixels + 1, width, has_columns: false };
                    images.fill(shape, level, |image| &bytes[image]);
                    for tiles in &tiles {
                        let found =
                            (0..count).step_by(STRIP).enumerate().flat_map(|(strip, first)| {
                                let lists = images.strip(strip).iter().map(Block::rows);
                                forward(
                                    level,
                                    lists,
                                    STRIP.min(count - first),
                                    tiles,
                                    (width, block),
                                )
                            });
                        let found: Vec<f32> = found.collect();
                        assert_eq!(found, expected, "{level}, {count} images, width {width}");
                    }
                }
            }
        }
    }

    /// Ink here and there, less in some images.
    fn pixel(image: usize, j: usize) -> u8 {
        if (j / 9 + image).is_multiple_of(2 + image % 7) { (j * 31) as u8 } else { 0 }
    }

    fn forward<'a, E: Entry + 'a>(
        level: Level,
        inputs: impl Iterator<Item = &'a SparseRows<E>> + Clone,
        count: usize,
        tiles: &Tiles,
        (width, block): (usize, usize),
    ) -> Vec<f32> {
        let mut outputs = vec![f32::NAN; count * width];
        let (weights, activation) = (tiles.panel(0), Activation::Linear);
        // All but the last one, and then that alone.
        let (first, last) = outputs.split_at_mut(count.saturating_sub(1) * width);
        let rows = 0..first.len() / width;
        for (rows, outputs) in [(rows.end..count, last), (rows, first)] {
            let inputs = inputs.clone();
            level.run(Forward { inputs, rows, block, weights, width, activation, outputs });
        }
        outputs
    }
}
