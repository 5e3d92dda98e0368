//! The gradient Xᵀ·D of a tile of weights.
//!
//! Each element is one chain of fused multiply-adds, image after image. In a wide first
//! layer it is added up by the images' columns: the sums stay in registers, and the step
//! is taken from there. Where X is listed, it is added up by rows.

use std::ops::Range;

use crate::kernel::columns::{InkedColumns, NUMBERS, WORD};
use crate::kernel::simd::Simd;
use crate::kernel::sparse::{Entry, GROUP, MAX_BLOCK, SparseRows};
use crate::kernel::step::{Step, descend};
use crate::kernel::tiles::Tile;
use crate::kernel::width::{AtWidth, MAX_VECTORS, Sums, load_row, store_row};

/// Images that are added up in one turn: two words of them, whose rows of D, 128 × 64
/// floats, fill an L1 cache. (With one, a step of 128 images takes 4 % longer.)
pub(crate) const TURN: usize = 2 * WORD;

/// Sums of a gradient that are kept from one turn to the next: 25 KiB, part of an L1 cache.
pub(crate) const SUMS: usize = MAX_BLOCK * 16;

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
    /// Room for [`SUMS`], where there are more rows of X than in a [`TURN`].
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
        // Columns side by side have ink in much the same images: a row of D is loaded once for
        // two. AVX2 has no registers for the sums of both.
        if WIDTH / S::LANES <= 4 {
            self.words_at_once::<S, WIDTH, 2>(simd);
        } else {
            self.words_at_once::<S, WIDTH, 1>(simd);
        }
    }
}

impl<'a, 'i, F, I> DescendImages<'_, F, I>
where
    F: Iterator<Item = (&'a InkedColumns, &'a [f32])> + Clone,
    I: Fn(usize) -> &'i [u8],
{
    /// `COUNT` columns at once, and as many words as there are, up to a turn.
    #[inline(always)]
    fn words_at_once<S: Simd, const WIDTH: usize, const COUNT: usize>(self, simd: S) {
        if self.images > WORD {
            self.columns_at_once::<S, WIDTH, COUNT, { TURN / WORD }>(simd);
        } else {
            self.columns_at_once::<S, WIDTH, COUNT, 1>(simd);
        }
    }

    /// `COUNT` columns and `WORDS` words at once.
    #[inline(always)]
    #[allow(clippy::needless_range_loop, reason = "unrolled, so that the sums are in registers")]
    fn columns_at_once<S: Simd, const WIDTH: usize, const COUNT: usize, const WORDS: usize>(
        self,
        simd: S,
    ) {
        let Tile { values, velocity, variance, gradient, .. } = self.tile;
        if self.step.is_none() {
            gradient.resize(values.len());
        }
        let values = values.as_chunks_mut::<WIDTH>().0;
        let velocity = velocity.as_chunks_mut::<WIDTH>().0;
        let variance = variance.as_chunks_mut::<WIDTH>().0;
        let gradient = gradient.as_chunks_mut::<WIDTH>().0;
        let between_turns = self.sums.as_chunks_mut::<WIDTH>().0;
        let turns = self.images.div_ceil(WORDS * WORD);
        let stripe = if turns > 1 { between_turns.len() / GROUP * GROUP } else { MAX_BLOCK };
        for first in self.columns.clone().step_by(stripe) {
            let stripe = first..(first + stripe).min(self.columns.end);
            for turn in 0..turns {
                let mut words = [const { Word::<WIDTH>::EMPTY }; WORDS];
                for (number, word) in (turn * WORDS..).zip(&mut words) {
                    word.fill(number, &stripe, self.factors.clone(), &self.image);
                }
                for column in stripe.clone().step_by(COUNT) {
                    let (row, index) = (column - self.columns.start, column - stripe.start);
                    let count = COUNT.min(stripe.end - column);
                    let mut sums = [[simd.splat(0.0); MAX_VECTORS]; COUNT];
                    for c in 0..COUNT {
                        if c < count && turn > 0 {
                            sums[c] = load_row::<S, WIDTH>(simd, &between_turns[index + c]);
                        } else if c < count && !self.is_first {
                            sums[c] = load_row::<S, WIDTH>(simd, &gradient[row + c]);
                        }
                    }
                    for word in &words {
                        word.add_to(simd, column, &word.inked[index..index + count], &mut sums);
                    }
                    for c in 0..COUNT {
                        if c >= count {
                            break;
                        }
                        let (row, sums) = (row + c, &sums[c]);
                        if turn + 1 < turns {
                            store_row::<S, WIDTH>(simd, sums, &mut between_turns[index + c]);
                        } else if let Some(step) = self.step {
                            let mut gradient = [0.0; WIDTH];
                            store_row::<S, WIDTH>(simd, sums, &mut gradient);
                            let variance = variance.get_mut(row).map_or(&mut [][..], |row| row);
                            descend(
                                step,
                                &gradient,
                                &mut values[row],
                                &mut velocity[row],
                                variance,
                            );
                        } else {
                            store_row::<S, WIDTH>(simd, sums, &mut gradient[row]);
                        }
                    }
                }
            }
        }
    }
}

/// The images whose bits are in one word.
struct Word<'a, 'i, const WIDTH: usize> {
    /// The row of D and the pixels of each.
    rows: [(&'a [f32; WIDTH], &'i [u8]); WORD],
    /// Which of them have ink, in each column of a stripe.
    inked: [u64; MAX_BLOCK],
}

impl<'a, 'i, const WIDTH: usize> Word<'a, 'i, WIDTH> {
    const EMPTY: Self = Self { rows: [(&[0.0; WIDTH], &[]); WORD], inked: [0; MAX_BLOCK] };

    /// Takes over word number `number` of some images; it was empty.
    #[inline(always)]
    fn fill(
        &mut self,
        number: usize,
        stripe: &Range<usize>,
        factors: impl Iterator<Item = (&'a InkedColumns, &'a [f32])>,
        image: impl Fn(usize) -> &'i [u8],
    ) {
        for (columns, errors) in factors {
            let images = columns.images(number);
            if images.is_empty() {
                continue;
            }
            let errors = &errors.as_chunks::<WIDTH>().0[columns.row(images.start)..];
            for (index, errors) in images.zip(errors) {
                self.rows[index % WORD] = (errors, image(index));
            }
            columns.add_word(number, stripe.clone(), &mut self.inked);
        }
    }

    /// Adds each image's pixels, of as many columns from `column` on, times its row of D.
    #[inline(always)]
    #[allow(clippy::needless_range_loop, reason = "as above")]
    fn add_to<S: Simd, const COUNT: usize>(
        &self,
        simd: S,
        column: usize,
        inked: &[u64],
        sums: &mut Sums<S::Vector, COUNT>,
    ) {
        let mut images = inked.iter().fold(0, |images, inked| images | inked);
        while images != 0 {
            let (errors, pixels) = self.rows[images.trailing_zeros() as usize % WORD];
            images &= images - 1;
            // After the last pixel is the 1.
            let pixels: [u8; COUNT] = match pixels.get(column..column + COUNT) {
                Some(pixels) => pixels.try_into().expect("as many"),
                None => std::array::from_fn(|c| *pixels.get(column + c).unwrap_or(&u8::MAX)),
            };
            let pixels = pixels.map(|pixel| simd.splat(NUMBERS[usize::from(pixel)]));
            for v in 0..WIDTH / S::LANES {
                let errors = simd.load(&errors[v * S::LANES..]);
                for c in 0..COUNT {
                    sums[c][v] = simd.mul_add(pixels[c], errors, sums[c][v]);
                }
            }
        }
    }
}

/// G += Xᵀ·D, for one tile of G, where X is listed.
pub(crate) struct AddGradient<'a, E, const ROWS: usize> {
    /// X; the block of its columns that are the tile's rows.
    pub(crate) inputs: &'a SparseRows<E>,
    pub(crate) block: usize,
    /// The tile's panel of D, (X's rows, width).
    pub(crate) errors: &'a [f32],
    pub(crate) width: usize,
    /// The tile's.
    pub(crate) gradient: &'a mut [f32],
}

impl<E: Entry<ROWS>, const ROWS: usize> AtWidth for AddGradient<'_, E, ROWS> {
    #[inline(always)]
    fn width(&self) -> usize {
        self.width
    }

    #[inline(always)]
    #[allow(clippy::needless_range_loop, reason = "unrolled, so that the errors are in registers")]
    fn at_width<S: Simd, const WIDTH: usize>(self, simd: S) {
        let gradient = self.gradient.as_chunks_mut::<WIDTH>().0;
        let errors = self.errors.as_chunks::<WIDTH>().0;
        assert_eq!(errors.len(), self.inputs.rows(), "errors of each row");
        for (list, rows) in errors.chunks(ROWS).enumerate() {
            // Of a row that is not there, zeros.
            let mut errors = [[simd.splat(0.0); MAX_VECTORS]; ROWS];
            for row in 0..ROWS {
                if let Some(of) = rows.get(row) {
                    errors[row] = load_row::<S, WIDTH>(simd, of);
                }
            }
            for &entry in self.inputs.block(list, self.block) {
                let values = entry.values().map(|value| simd.splat(value));
                let gradient = &mut gradient[entry.column()];
                for v in 0..WIDTH / S::LANES {
                    let gradient = &mut gradient[v * S::LANES..];
                    let mut sum = simd.load(gradient);
                    for row in 0..ROWS {
                        sum = simd.mul_add(values[row], errors[row][v], sum);
                    }
                    simd.store(sum, gradient);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::aligned::Aligned;
    use crate::kernel::level::Level;
    use crate::kernel::sparse::blocks_of;

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
                    sums: &mut [0.0; SUMS],
                });
                let gradient = &tile.gradient[..];
                assert_eq!(gradient, expected, "{level}, width {width}");
            }
        }
    }

    #[test]
    fn the_gradient_of_rows_is_the_sum_over_them_in_order() {
        let number = |i: usize| (i * 7919 % 1013) as f32 / 506.0 - 1.0;
        let (pixels, cols, block) = (469, 470, 1);
        for (width, count) in [(16, 1), (16, 4), (32, 3), (48, 5), (64, 2)] {
            let pixel = |i: usize| if (i / 9).is_multiple_of(3) { (i * 31) as u8 } else { 0 };
            let bytes: Vec<u8> = (0..count * pixels).map(pixel).collect();
            let row = |image: &[u8]| image.iter().map(|&p| f32::from(p) / 255.0).collect();
            let inputs: Vec<Vec<f32>> = bytes.chunks(pixels).map(row).collect();
            let (rows, _) = blocks_of(cols);
            let errors: Vec<f32> = (0..count * width).map(number).collect();
            let before: Vec<f32> = (0..rows * width).map(|i| number(i + 5)).collect();
            let mut expected = before.clone();
            for (column, sums) in (block * rows..cols).zip(expected.chunks_mut(width)) {
                for (input, errors) in inputs.iter().zip(errors.chunks(width)) {
                    let x = input.get(column).copied().unwrap_or(1.0);
                    sums.iter_mut().zip(errors).for_each(|(sum, d)| *sum = x.mul_add(*d, *sum));
                }
            }
            let errors = &errors;
            for level in Level::available() {
                let mut numbers = SparseRows::default();
                numbers.clear(count, cols, blocks_of(cols));
                inputs.iter().for_each(|row| numbers.push(level, row.chunks(rows)));
                let mut gradient = before.clone();
                let (inputs, sums) = (&numbers, &mut gradient);
                level.run(AddGradient { inputs, block, errors, width, gradient: sums });
                assert_eq!(gradient, expected, "{level}, width {width}, {count} rows");
                let mut pairs = SparseRows::default();
                pairs.fill(level, 0..count, cols, |image| &bytes[image * pixels..][..pixels]);
                let mut gradient = before.clone();
                let (inputs, sums) = (&pairs, &mut gradient);
                level.run(AddGradient { inputs, block, errors, width, gradient: sums });
                assert_eq!(gradient, expected, "{level}, width {width}, {count} images");
            }
        }
    }
}
