//! The products of training and prediction: panels of weights and sparse rows.
//!
//! Each element of a result is one chain of fused multiply-adds, in the order of the
//! summed index.

use std::ops::Range;

use crate::activation::Activation;
use crate::kernel::columns::{InkedColumns, NUMBERS, WORD};
use crate::kernel::simd::{Kernel, Simd};
use crate::kernel::sparse::{Element, Entry, MAX_BLOCK, SparseRows};
use crate::kernel::step::{Step, descend};
use crate::kernel::tiles::{MAX_WIDTH, Tile};

/// Vectors of a panel's row, where they are shortest.
const MAX_VECTORS: usize = MAX_WIDTH / 8;

/// Rows of a gradient whose sums are kept from one word of images to the next: 100 × 64
/// floats are 25 KiB, part of an L1 cache.
pub(crate) const STRIPE: usize = MAX_BLOCK / 4;

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
    add_row::<S, WIDTH>(simd, entry.value, &weights[entry.column as usize], sums);
}

/// Adds `value` times a row.
#[inline(always)]
fn add_row<S: Simd, const WIDTH: usize>(
    simd: S,
    value: f32,
    row: &[f32; WIDTH],
    sums: &mut [S::Vector; MAX_VECTORS],
) {
    let value = simd.splat(value);
    for v in 0..WIDTH / S::LANES {
        sums[v] = simd.mul_add(value, simd.load(&row[v * S::LANES..]), sums[v]);
    }
}

/// G += Xᵀ·D, for one tile of G, where X are images; and the step, row by row.
pub(crate) struct DescendImages<'a, F, I> {
    /// Where X is not zero, and the panel of D, (X's rows, width), part after part.
    pub(crate) factors: F,
    /// Gives the pixels of each row of X; a 1 follows.
    pub(crate) image: I,
    /// Rows of X.
    pub(crate) images: usize,
    pub(crate) width: usize,
    /// The columns of X that are the tile's rows.
    pub(crate) columns: Range<usize>,
    /// Whether G is zero before.
    pub(crate) is_first: bool,
    /// The step, if it is the time; or else G is kept with the tile.
    pub(crate) step: Option<Step>,
    pub(crate) tile: &'a mut Tile,
    /// Room for sums, ([`STRIPE`], width), where there are more rows of X than a
    /// [`WORD`] has bits.
    pub(crate) sums: &'a mut [f32],
}

impl<'a, 'i, F, I> AtWidth for DescendImages<'_, F, I>
where
    F: Iterator<Item = (&'a InkedColumns, &'a [f32])> + Clone,
    I: Fn(usize) -> &'i [u8],
{
    #[inline(always)]
    fn width(&self) -> usize {
        self.width
    }

    #[inline(always)]
    fn at_width<S: Simd, const WIDTH: usize>(self, simd: S) {
        let Tile { values, velocity, variance, gradient, .. } = self.tile;
        if self.step.is_none() {
            gradient.resize(values.len());
        }
        let values = values.as_chunks_mut::<WIDTH>().0;
        let velocity = velocity.as_chunks_mut::<WIDTH>().0;
        let variance = variance.as_chunks_mut::<WIDTH>().0;
        let gradient = gradient.as_chunks_mut::<WIDTH>().0;
        let between_words = self.sums.as_chunks_mut::<WIDTH>().0;
        let words = self.images.div_ceil(WORD);
        let stripe = if words > 1 { STRIPE } else { MAX_BLOCK };
        for first in self.columns.clone().step_by(stripe) {
            let stripe = first..(first + stripe).min(self.columns.end);
            for word in 0..words {
                let mut inked = [0; MAX_BLOCK];
                let mut rows: [(&[f32; WIDTH], &[u8]); WORD] = [(&[0.0; WIDTH], &[]); WORD];
                for (columns, errors) in self.factors.clone() {
                    let images = columns.images(word);
                    if images.is_empty() {
                        continue;
                    }
                    let errors = &errors.as_chunks::<WIDTH>().0[columns.row(images.start)..];
                    for (image, errors) in images.zip(errors) {
                        rows[image % WORD] = (errors, (self.image)(image));
                    }
                    columns.add_word(word, stripe.clone(), &mut inked);
                }
                for (index, (column, &inked)) in stripe.clone().zip(&inked).enumerate() {
                    let (row, mut inked) = (column - self.columns.start, inked);
                    let mut sums = match word {
                        0 if self.is_first => [simd.splat(0.0); MAX_VECTORS],
                        0 => load_row::<S, WIDTH>(simd, &gradient[row]),
                        _ => load_row::<S, WIDTH>(simd, &between_words[index]),
                    };
                    while inked != 0 {
                        let (errors, pixels) = rows[inked.trailing_zeros() as usize % WORD];
                        inked &= inked - 1;
                        let pixel = pixels.get(column).map_or(u8::ONE, |&pixel| pixel);
                        add_row::<S, WIDTH>(simd, NUMBERS[usize::from(pixel)], errors, &mut sums);
                    }
                    if word + 1 < words {
                        store_row::<S, WIDTH>(simd, &sums, &mut between_words[index]);
                    } else if let Some(step) = self.step {
                        let mut gradient = [0.0; WIDTH];
                        store_row::<S, WIDTH>(simd, &sums, &mut gradient);
                        let variance = variance.get_mut(row).map_or(&mut [][..], |row| row);
                        descend(step, &gradient, &mut values[row], &mut velocity[row], variance);
                    } else {
                        store_row::<S, WIDTH>(simd, &sums, &mut gradient[row]);
                    }
                }
            }
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
    /// The tile's.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::aligned::Aligned;
    use crate::kernel::level::Level;

    #[test]
    fn the_gradient_of_images_is_the_sum_over_them_in_order() {
        let (pixels, cols) = (70, 71);
        let number = |i: usize| (i * 7919 % 1013) as f32 / 506.0 - 1.0;
        let bytes: Vec<u8> =
            (0..150 * pixels).map(|i| if i / 9 % 3 == 0 { (i * 31) as u8 } else { 0 }).collect();
        let image = |image: usize| &bytes[image * pixels..][..pixels];
        for (width, ends) in
            [(16, &[150][..]), (32, &[64, 150]), (48, &[0, 10, 63, 65, 150]), (64, &[40, 70])]
        {
            let count = ends[ends.len() - 1];
            let errors: Vec<f32> = (0..count * width).map(number).collect();
            let before: Vec<f32> = (0..40 * width).map(|i| number(i + 5)).collect();
            // Under Miri a product takes a microsecond.
            let columns = if cfg!(miri) { 69 } else { 40 }..cols;
            let mut expected = before.clone();
            for (column, sums) in columns.clone().zip(expected.chunks_mut(width)) {
                for (row, errors) in errors.chunks(width).enumerate() {
                    let pixel = image(row).get(column).map_or(1.0, |&p| f32::from(p) / 255.0);
                    sums.iter_mut().zip(errors).for_each(|(sum, d)| *sum = pixel.mul_add(*d, *sum));
                }
            }
            for level in Level::available() {
                let parts = ends.iter().scan(0, |start, &end| {
                    let images = std::mem::replace(start, end)..end;
                    let mut inked = InkedColumns::default();
                    inked.fill(level, images.clone(), cols, image);
                    Some((inked, &errors[images.start * width..images.end * width]))
                });
                let parts: Vec<_> = parts.collect();
                let mut tile = Tile { values: Aligned::zeros(before.len()), ..Tile::default() };
                tile.gradient.resize(before.len());
                tile.gradient.copy_from_slice(&before);
                level.run(DescendImages {
                    factors: parts.iter().map(|(inked, errors)| (inked, *errors)),
                    image,
                    images: count,
                    width,
                    columns: columns.clone(),
                    is_first: false,
                    step: None,
                    tile: &mut tile,
                    sums: &mut vec![0.0; STRIPE * width],
                });
                let gradient = &tile.gradient[..];
                assert_eq!(gradient, expected, "{level}, width {width}");
            }
        }
    }
}
