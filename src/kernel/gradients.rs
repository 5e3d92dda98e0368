//! The gradient Xᵀ·D of a tile of weights.
//!
//! Each element is one chain of fused multiply-adds, image after image. In a wide first
//! layer it is added up by the images' columns: the sums stay in registers, and the step
//! is taken from there. Where X is listed, it is added up by rows.

use crate::kernel::columns::{Columns, SET};
use crate::kernel::entry::{Entry, Pixel};
use crate::kernel::products::{Results, Sums, add};
use crate::kernel::simd::Simd;
use crate::kernel::sparse::{STRIP, SparseRows};
use crate::kernel::step::{Step, descend};
use crate::kernel::tiles::Tile;
use crate::kernel::width::{AtWidth, MAX_VECTORS, Vectors, load_row, store_row};

/// G += Xᵀ·D, for one tile of G, where X are images; and the step, row by row.
pub(crate) struct DescendImages<'a, B> {
    /// X, strip by strip, the columns that are the tile's rows.
    pub(crate) inputs: B,
    /// The tile's panel of D, (X's rows, width).
    pub(crate) errors: &'a [f32],
    pub(crate) width: usize,
    /// Whether G is zero before.
    pub(crate) is_first: bool,
    /// The step, if it is the time; or else G is kept with the tile.
    pub(crate) step: Option<Step>,
    pub(crate) tile: &'a mut Tile,
    /// Room for as many sums as there are weights in the tile, if X has more than one strip.
    pub(crate) sums: &'a mut [f32],
}

impl<'a, B: Iterator<Item = &'a Columns>> AtWidth for DescendImages<'_, B> {
    #[inline(always)]
    fn width(&self) -> usize {
        self.width
    }

    #[inline(always)]
    fn at_width<S: Simd, const WIDTH: usize>(self, simd: S) {
        let Self { mut inputs, is_first, step, tile, .. } = self;
        let Tile { values, velocity, variance, gradient, .. } = tile;
        let errors = self.errors.as_chunks::<WIDTH>().0;
        if let Some(step) = step
            && is_first
            && errors.len() <= STRIP
        {
            let Some(inputs) = inputs.next() else { return };
            let (values, velocity) = (values.as_chunks_mut().0, velocity.as_chunks_mut().0);
            let variance = variance.as_chunks_mut().0;
            let mut rows = Stepping::<WIDTH> { values, velocity, variance, step };
            // What the compiler knows of a step, it leaves out of the loop.
            if let Some(plain) = step.plain() {
                rows.step = plain;
                add_columns(simd, inputs, errors, &mut rows);
            } else {
                add_columns(simd, inputs, errors, &mut rows);
            }
            return;
        }
        let is_kept = !is_first || step.is_none();
        if is_kept {
            gradient.resize(values.len());
        }
        let sums = if is_kept { &mut **gradient } else { self.sums };
        let mut rows = Sums { rows: sums.as_chunks_mut::<WIDTH>().0, is_zero: is_first };
        for (errors, inputs) in errors.chunks(STRIP).zip(inputs) {
            add_columns(simd, inputs, errors, &mut rows);
            rows.is_zero = false;
        }
        if let Some(step) = step {
            descend(step, sums, values, velocity, variance);
        }
    }
}

/// Adds, for each column of images, the errors of those with ink times their pixels to its row
/// of the results.
#[inline(always)]
fn add_columns<S: Simd, const WIDTH: usize>(
    simd: S,
    columns: &Columns,
    errors: &[[f32; WIDTH]],
    results: &mut impl Results<S>,
) {
    const { assert!(STRIP == 2 * SET) };
    if errors.len() <= SET {
        add_sets::<S, WIDTH, 1>(simd, columns, errors, results);
    } else {
        add_sets::<S, WIDTH, 2>(simd, columns, errors, results);
    }
}

/// The same, of so many sets of images.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "unrolled, so that the sums are in registers")]
fn add_sets<S: Simd, const WIDTH: usize, const SETS: usize>(
    simd: S,
    columns: &Columns,
    errors: &[[f32; WIDTH]],
    results: &mut impl Results<S>,
) {
    let sets: [_; SETS] = std::array::from_fn(|set| columns.set(set));
    for col in 0..columns.cols() {
        let mut sums = results.begin(simd, col);
        for set in 0..SETS {
            let (mut inked, pixels) = (sets[set].inked(col), sets[set].pixels(col));
            let errors = &errors[set * SET..];
            while inked != 0 {
                let image = inked.trailing_zeros() as usize;
                inked &= inked - 1;
                let entry = Pixel { column: image as u8, pixel: pixels[image] };
                add::<S, Pixel, WIDTH>(simd, entry, errors, &mut sums);
            }
        }
        results.finish(simd, col, &sums);
    }
}

/// The rows of a tile's weights, which take the step as soon as their gradient is known.
struct Stepping<'a, const WIDTH: usize> {
    values: &'a mut [[f32; WIDTH]],
    velocity: &'a mut [[f32; WIDTH]],
    variance: &'a mut [[f32; WIDTH]],
    step: Step,
}

impl<S: Simd, const WIDTH: usize> Results<S> for Stepping<'_, WIDTH> {
    #[inline(always)]
    fn begin(&self, simd: S, _: usize) -> Vectors<S> {
        [simd.splat(0.0); MAX_VECTORS]
    }

    #[inline(always)]
    fn finish(&mut self, simd: S, row: usize, sums: &Vectors<S>) {
        let mut gradient = [0.0; WIDTH];
        store_row::<S, WIDTH>(simd, sums, &mut gradient);
        let variance = self.variance.get_mut(row).map_or(&mut [][..], |row| row);
        descend(self.step, &gradient, &mut self.values[row], &mut self.velocity[row], variance);
    }
}

/// G += Xᵀ·D, for one tile of G, where X is listed.
pub(crate) struct AddGradient<'a, E> {
    /// X, the columns that are the tile's rows.
    pub(crate) inputs: &'a SparseRows<E>,
    /// The tile's panel of D, (X's rows, width).
    pub(crate) errors: &'a [f32],
    pub(crate) width: usize,
    /// The tile's.
    pub(crate) gradient: &'a mut [f32],
}

impl<E: Entry> AtWidth for AddGradient<'_, E> {
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
        for (list, errors) in self.inputs.lists(0..errors.len()).zip(errors) {
            let errors = load_row::<S, WIDTH>(simd, errors);
            for &entry in list {
                let value = simd.splat(entry.value());
                let gradient = &mut gradient[entry.column()];
                for v in 0..WIDTH / S::LANES {
                    let gradient = &mut gradient[v * S::LANES..];
                    simd.store(simd.mul_add(value, errors[v], simd.load(gradient)), gradient);
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
    use crate::kernel::sparse::{blocks_of, list_rows};
    use crate::kernel::step::Rule;
    use crate::kernel::strips::{Block, Shape, Strips};

    #[test]
    fn the_gradient_of_images_is_the_sum_over_them_in_order() {
        // Under Miri a product takes a microsecond.
        let (pixels, cols) = if cfg!(miri) { (3, 4) } else { (270, 271) };
        let number = |i: usize| (i * 7919 % 1013) as f32 / 506.0 - 1.0;
        let bytes: Vec<u8> =
            (0..260 * pixels).map(|i| if i / 9 % 3 == 0 { (i * 31) as u8 } else { 0 }).collect();
        let image = |image: usize| &bytes[image * pixels..][..pixels];
        let sizes = [(16, 130), (32, 260), (48, 128), (64, 70), (64, 129)];
        for (width, images) in sizes.into_iter().take(if cfg!(miri) { 1 } else { 5 }) {
            let errors: Vec<f32> = (0..images * width).map(number).collect();
            let before: Vec<f32> = (0..cols * width).map(|i| number(i + 5)).collect();
            let mut expected = before.clone();
            for (column, sums) in expected.chunks_mut(width).enumerate() {
                for (row, errors) in errors.chunks(width).enumerate() {
                    let pixel = image(row).get(column).map_or(1.0, |&p| f32::from(p) / 255.0);
                    sums.iter_mut().zip(errors).for_each(|(sum, d)| *sum = pixel.mul_add(*d, *sum));
                }
            }
            let (rows, _) = blocks_of(cols, width);
            for level in Level::available() {
                let mut inputs = Strips::default();
                let shape = Shape { images, cols, width, has_columns: true };
                inputs.fill(shape, level, image);
                let blocks = before.chunks(rows * width).zip(expected.chunks(rows * width));
                for (block, (before, expected)) in blocks.enumerate() {
                    let mut tile = Tile { values: Aligned::zeros(before.len()), ..Tile::default() };
                    tile.gradient.resize(before.len());
                    tile.gradient.copy_from_slice(before);
                    level.run(DescendImages {
                        inputs: inputs.blocks(block).map(Block::columns),
                        errors: &errors,
                        width,
                        is_first: false,
                        step: None,
                        tile: &mut tile,
                        sums: &mut [],
                    });
                    let gradient = &tile.gradient[..];
                    assert_eq!(gradient, expected, "{level}, width {width}, block {block}");
                }
            }
        }
    }

    #[test]
    fn a_step_is_that_of_its_rule() {
        let (cols, width) = (17, 32);
        let number = |i: usize| (i * 7919 % 1013) as f32 / 506.0 - 1.0;
        let momentum = Rule::Momentum { momentum: 0.9 };
        let adam = Rule::Adam {
            beta1: 0.9,
            beta2: 0.99,
            epsilon: 1e-3,
            correction1: 2.0,
            correction2: 3.0,
        };
        // A set of images, and two.
        for (rule, keep, gradient_scale, images) in [
            (momentum, 1.0, 1.0, 5),
            (momentum, 1.0, 1.0, 100),
            (momentum, 0.75, 1.0, 100),
            (momentum, 1.0, 0.5, 5),
            (adam, 1.0, 1.0, 5),
            (adam, 0.75, 0.5, 100),
        ] {
            let bytes: Vec<u8> = (0..images * 16).map(|i| (i % 3 * 50) as u8).collect();
            let image = |image: usize| &bytes[image * 16..][..16];
            let errors: Vec<f32> = (0..images * width).map(number).collect();
            let step = Step { rule, learning_rate: 0.1, keep, gradient_scale };
            for level in Level::available() {
                let mut strips = Strips::default();
                let shape = Shape { images, cols, width, has_columns: true };
                strips.fill(shape, level, image);
                let aligned = |first: usize| {
                    let mut values = Aligned::zeros(cols * width);
                    values.iter_mut().zip(first..).for_each(|(v, i)| *v = number(i).abs());
                    values
                };
                let before = || Tile {
                    values: aligned(1),
                    velocity: aligned(2),
                    variance: aligned(3),
                    ..Tile::default()
                };
                let (mut stepped, mut kept) = (before(), before());
                for (tile, step) in [(&mut stepped, Some(step)), (&mut kept, None)] {
                    level.run(DescendImages {
                        inputs: strips.blocks(0).map(Block::columns),
                        errors: &errors,
                        width,
                        is_first: true,
                        step,
                        tile,
                        sums: &mut [],
                    });
                }
                for (i, &g) in kept.gradient.iter().enumerate() {
                    let g = gradient_scale * g;
                    let (w, v, s) = (kept.values[i], kept.velocity[i], kept.variance[i]);
                    let (w, v) = match rule {
                        Rule::Momentum { momentum } => {
                            let v = momentum * v - 0.1 * g;
                            (keep * w + v, v)
                        }
                        Rule::Adam { beta1, beta2, epsilon, correction1, correction2 } => {
                            let m = beta1 * v + (1.0 - beta1) * g;
                            let s = beta2 * s + (1.0 - beta2) * g * g;
                            let change = 0.1 * correction1 * m;
                            (keep * w - change / ((correction2 * s).sqrt() + epsilon), m)
                        }
                    };
                    let found = [stepped.values[i], stepped.velocity[i]];
                    let near = found.iter().zip([w, v]).all(|(a, b)| (a - b).abs() < 1e-5);
                    assert!(near, "{level}, {step:?}: {found:?} for {:?}", [w, v]);
                }
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
            let (rows, blocks) = blocks_of(cols, width);
            let errors: Vec<f32> = (0..count * width).map(number).collect();
            let before: Vec<f32> = (0..rows * width).map(|i| number(i + 5)).collect();
            let mut expected = before.clone();
            for (column, sums) in
                (block * rows..cols.min((block + 1) * rows)).zip(expected.chunks_mut(width))
            {
                for (input, errors) in inputs.iter().zip(errors.chunks(width)) {
                    let x = input.get(column).copied().unwrap_or(1.0);
                    sums.iter_mut().zip(errors).for_each(|(sum, d)| *sum = x.mul_add(*d, *sum));
                }
            }
            let errors = &errors;
            for level in Level::available() {
                let mut numbers = Vec::new();
                list_rows(&mut numbers, level, (count, cols), (rows, blocks), |row, number| {
                    &inputs[row][number * rows..pixels.min((number + 1) * rows)]
                });
                let mut gradient = before.clone();
                let (inputs, sums) = (&numbers[block], &mut gradient);
                level.run(AddGradient { inputs, errors, width, gradient: sums });
                assert_eq!(gradient, expected, "{level}, width {width}, {count} rows");
                let mut images = Strips::default();
                let image = |image: usize| &bytes[image * pixels..][..pixels];
                let shape = Shape { images: count, cols, width, has_columns: false };
                images.fill(shape, level, image);
                let mut gradient = before.clone();
                let (inputs, sums) = (images.strip(0)[block].rows(), &mut gradient);
                level.run(AddGradient { inputs, errors, width, gradient: sums });
                assert_eq!(gradient, expected, "{level}, width {width}, {count} images");
            }
        }
    }
}
