//! Images that come again in every step, as in full-batch training.
//!
//! A narrow layer's row of weights fills few lanes of a vector: ten digits, 10 of 16.
//! Where the same images are multiplied hundreds of times, it pays to lay them out anew,
//! twice, so that pixels fill all lanes and those that are zero are seldom among them:
//!
//! - for X·W, 16 images side by side: of each column in which one of them has ink, their
//!   pixels, which are multiplied with each weight of that row of W. Images that are alike
//!   have their ink in the same columns.
//! - for Xᵀ·D, patches of 4 × 4 pixels: of each patch with ink, its pixels, which are
//!   multiplied with each error of the image's row of D.
//!
//! Either way each element is one chain of fused multiply-adds, in the order of the columns
//! or of the images: the bits are those of [`products`](super::products) and
//! [`gradients`](super::gradients).

use std::ops::Range;

use crate::activation::Activation;
use crate::kernel::entry::GROUP;
use crate::kernel::level::Level;
use crate::kernel::simd::{Kernel, Simd};
use crate::kernel::sparse::blocks_of;
use crate::kernel::tiles::Tile;

/// Pixels in a row of a patch, and rows.
const PATCH: usize = 4;

/// Outputs whose sums fit into the registers of AVX2, as many as there are digits. A layer
/// with more has [`GROUP`] at once.
const DIGITS: usize = 10;

/// Lists of pixels, 0 to 255 for 0 to 1, a vector of them with the number of the row that they
/// are multiplied with; without those that are all zero.
#[derive(Default)]
struct Lists {
    rows: Vec<u16>,
    pixels: Vec<u8>,
    /// Where each list ends.
    ends: Vec<usize>,
}

impl Lists {
    /// Adds to the list that is not ended.
    fn push(&mut self, row: usize, pixels: &[u8]) {
        // Every level's vectors are a multiple of eight.
        let eights = pixels.as_chunks::<8>().0;
        if eights.iter().any(|eight| *eight != [0; 8]) {
            self.rows.push(row as u16);
            eights.iter().for_each(|eight| self.pixels.extend_from_slice(eight));
        }
    }

    fn end(&mut self) {
        self.ends.push(self.rows.len());
    }

    /// The rows' numbers and the vectors of pixels of a list.
    #[inline(always)]
    fn get<S: Simd>(&self, _: S, list: usize) -> impl Iterator<Item = (&u16, &[u8])> {
        let start = list.checked_sub(1).map_or(0, |before| self.ends[before]);
        let end = self.ends[list];
        let pixels = &self.pixels[start * S::LANES..end * S::LANES];
        self.rows[start..end].iter().zip(pixels.chunks_exact(S::LANES))
    }
}

/// Pixels that make a vector.
struct Lanes;

impl Kernel for Lanes {
    type Output = usize;

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> usize {
        S::LANES
    }
}

/// Images, and a 1 after the pixels of each, laid out for a level.
#[derive(Default)]
pub(crate) struct Recurring {
    images: usize,
    /// The blocks of columns.
    blocks: usize,
    /// For each 16 images, a vector of them after the other, for each block: by column within
    /// the block.
    side_by_side: Lists,
    /// For each patch, a vector of its pixels after the other: by image.
    in_patches: Lists,
    patches: Vec<Patch>,
}

/// Pixels that are close to each other, at most 16.
struct Patch {
    block: usize,
    /// Their columns within the block.
    columns: Vec<usize>,
}

impl Recurring {
    /// Lays out these images, of `rows` × `cols` pixels each, for panels of a `width`.
    ///
    /// # Panics
    /// If an image has fewer pixels, or there are more than 65,536 images.
    pub(crate) fn new<'a>(
        images: Range<usize>,
        (rows, cols): (usize, usize),
        width: usize,
        level: Level,
        image: impl Fn(usize) -> &'a [u8],
    ) -> Self {
        let lanes = level.run(Lanes);
        assert!(images.len() <= 1 << 16, "images that 16 bits can count");
        let pixels = rows * cols;
        let (block, blocks) = blocks_of(pixels + 1, width);
        let mut patches = Vec::new();
        // The columns of patch after patch.
        let mut order: Vec<usize> = Vec::new();
        for (number, start) in (0..=pixels).step_by(block).enumerate() {
            let mut columns: Vec<usize> = (start..(start + block).min(pixels)).collect();
            columns.sort_by_key(|column| (column / cols / PATCH, column % cols / PATCH));
            for columns in columns.chunks(GROUP) {
                // What is after the last column is not asked for.
                order.extend((0..GROUP).map(|index| columns.get(index).unwrap_or(&columns[0])));
                let columns = columns.iter().map(|column| column - start).collect();
                patches.push(Patch { block: number, columns });
            }
        }
        let mut side_by_side = Lists::default();
        let mut ordered = Vec::with_capacity(images.len() * order.len());
        let mut inked = vec![0; pixels];
        for first in images.clone().step_by(GROUP) {
            let group: [_; GROUP] = std::array::from_fn(|index| {
                // Again the last one, whose copies are not asked for.
                &image((first + index).min(images.end - 1))[..pixels]
            });
            inked.fill(0);
            for image in group {
                inked.iter_mut().zip(image).for_each(|(inked, pixel)| *inked |= pixel);
                ordered.extend(order.iter().map(|&column| image[column]));
            }
            for lane in (0..GROUP).step_by(lanes) {
                for start in (0..=pixels).step_by(block) {
                    let end = (start + block).min(pixels + 1);
                    for column in (start..end.min(pixels)).filter(|&column| inked[column] != 0) {
                        let values: [_; GROUP] = std::array::from_fn(|index| group[index][column]);
                        side_by_side.push(column - start, &values[lane..][..lanes]);
                    }
                    if end > pixels {
                        side_by_side.push(pixels - start, &[u8::MAX; GROUP][..lanes]);
                    }
                    side_by_side.end();
                }
            }
        }
        let mut in_patches = Lists::default();
        for number in 0..patches.len() * (GROUP / lanes) {
            let vectors = ordered.chunks_exact(lanes).skip(number);
            let of_images = vectors.step_by(patches.len() * (GROUP / lanes)).take(images.len());
            of_images.enumerate().for_each(|(row, pixels)| in_patches.push(row, pixels));
            in_patches.end();
        }
        Self { images: images.len(), blocks, side_by_side, in_patches, patches }
    }
}

/// Y = f(X·W), for one panel of W.
pub(crate) struct ForwardRecurring<'a> {
    pub(crate) inputs: &'a Recurring,
    /// The panel's tiles, and how many of its columns are in use.
    pub(crate) weights: &'a [Tile],
    pub(crate) used: usize,
    pub(crate) width: usize,
    pub(crate) activation: Activation,
    /// Y, (X's rows, width).
    pub(crate) outputs: &'a mut [f32],
}

impl Kernel for ForwardRecurring<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { inputs, weights, used, width, .. } = self;
        assert_eq!(weights.len(), inputs.blocks, "weights for each column");
        assert_eq!(self.outputs.len(), inputs.images * width, "outputs of each row");
        let stride = width / GROUP;
        let outputs = self.outputs.as_chunks_mut::<GROUP>().0;
        for (number, outputs) in outputs.chunks_mut(GROUP * stride).enumerate() {
            for group in 0..stride {
                let mut sums = [[0.0; GROUP]; GROUP];
                for (block, tile) in weights.iter().enumerate() {
                    let rows = Rows { rows: tile.values.as_chunks().0, stride, group, used };
                    add_products(simd, &inputs.side_by_side, rows, &mut sums, |vector| {
                        (number * (GROUP / S::LANES) + vector) * inputs.blocks + block
                    });
                }
                simd.transpose(&mut sums);
                for (outputs, sums) in outputs.chunks_mut(stride).zip(sums) {
                    outputs[group] = sums;
                }
            }
        }
        self.activation.forward(self.outputs);
    }
}

/// G += Xᵀ·D, for one tile of G.
pub(crate) struct AddGradientRecurring<'a> {
    /// X; the block of its columns that are the tile's rows.
    pub(crate) inputs: &'a Recurring,
    pub(crate) block: usize,
    /// The tile's panel of D, (X's rows, width), and how many of its columns are in use.
    pub(crate) errors: &'a [f32],
    pub(crate) used: usize,
    pub(crate) width: usize,
    /// The tile's.
    pub(crate) gradient: &'a mut [f32],
}

impl Kernel for AddGradientRecurring<'_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { inputs, block, used, width, .. } = self;
        assert_eq!(self.errors.len(), inputs.images * width, "errors of each row");
        let stride = width / GROUP;
        let errors = self.errors.as_chunks().0;
        let gradient = self.gradient.as_chunks_mut::<GROUP>().0;
        for (number, patch) in inputs.patches.iter().enumerate() {
            if patch.block != block {
                continue;
            }
            for group in 0..stride {
                let mut sums = [[0.0; GROUP]; GROUP];
                for (sums, column) in sums.iter_mut().zip(&patch.columns) {
                    *sums = gradient[column * stride + group];
                }
                simd.transpose(&mut sums);
                let rows = Rows { rows: errors, stride, group, used };
                add_products(simd, &inputs.in_patches, rows, &mut sums, |vector| {
                    number * (GROUP / S::LANES) + vector
                });
                simd.transpose(&mut sums);
                for (sums, column) in sums.iter().zip(&patch.columns) {
                    gradient[column * stride + group] = *sums;
                }
            }
        }
        if block + 1 == inputs.blocks {
            // Of the 1 after the pixels.
            let (_, sums) = self.gradient.split_at_mut(self.gradient.len() - width);
            for errors in self.errors.chunks(width) {
                sums.iter_mut().zip(errors).for_each(|(sum, error)| *sum += error);
            }
        }
    }
}

/// The rows that pixels are multiplied with, in groups of 16.
#[derive(Clone, Copy)]
struct Rows<'a> {
    rows: &'a [[f32; GROUP]],
    /// The groups of a row, and which one is asked for.
    stride: usize,
    group: usize,
    /// Numbers of a row that are in use.
    used: usize,
}

/// Adds the pixels of the list of each vector, whose number `list` gives, times each number of
/// their row: a row of `sums` is of one number, and has a lane for each pixel.
#[inline(always)]
fn add_products<S: Simd>(
    simd: S,
    lists: &Lists,
    rows: Rows<'_>,
    sums: &mut [[f32; GROUP]; GROUP],
    list: impl Fn(usize) -> usize,
) {
    for vector in 0..GROUP / S::LANES {
        // What is done of one alone leaves the registers for its sums.
        let vector = std::hint::black_box(vector);
        let list = lists.get(simd, list(vector));
        let first = vector * S::LANES;
        if rows.used <= DIGITS {
            add_some_products::<S, DIGITS>(simd, list, rows, sums, first);
        } else {
            add_some_products::<S, GROUP>(simd, list, rows, sums, first);
        }
    }
}

/// The same for a list and the first `COUNT` numbers of each row.
#[inline(always)]
#[allow(clippy::needless_range_loop, reason = "unrolled, so that the sums are in registers")]
fn add_some_products<'a, S: Simd, const COUNT: usize>(
    simd: S,
    list: impl Iterator<Item = (&'a u16, &'a [u8])>,
    Rows { rows, stride, group, .. }: Rows<'_>,
    sums: &mut [[f32; GROUP]; GROUP],
    first: usize,
) {
    let mut lanes = [simd.splat(0.0); COUNT];
    for number in 0..COUNT {
        lanes[number] = simd.load(&sums[number][first..]);
    }
    let scale = simd.pixel_scale();
    for (&row, pixels) in list {
        let pixels = simd.load_pixels(pixels, scale);
        let row = &rows[usize::from(row) * stride + group];
        for number in 0..COUNT {
            lanes[number] = simd.mul_add(pixels, simd.splat(row[number]), lanes[number]);
        }
    }
    for number in 0..COUNT {
        simd.store(lanes[number], &mut sums[number][first..]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::tiles::{Slot, Tiles, panels_of};

    fn number(i: usize) -> f32 {
        (i * 7919 % 1013) as f32 / 506.0 - 1.0
    }

    /// Ink here and there, and none at all in some patches.
    fn image(image: usize, pixels: usize) -> Vec<u8> {
        let pixel = |j: usize| if (j / 9 + image).is_multiple_of(3) { (j * 31) as u8 } else { 0 };
        (0..pixels).map(pixel).collect()
    }

    /// The pixels as numbers, and the 1 after them.
    fn numbers(image: &[u8]) -> impl Iterator<Item = f32> {
        image.iter().map(|&pixel| f32::from(pixel) / 255.0).chain([1.0])
    }

    /// Rows and columns of an image, some of more than one block; under Miri a product takes
    /// a microsecond.
    const SHAPES: [(usize, usize); 5] = [(1, 1), (3, 5), (4, 4), (21, 20), (28, 28)];
    const TESTED: usize = if cfg!(miri) { 3 } else { 5 };

    #[test]
    fn products_are_chains_over_the_columns() {
        for (rows, cols) in SHAPES.into_iter().take(TESTED) {
            let pixels = rows * cols;
            for outputs in [1, 10, 11, 20, 32] {
                let weight = |row: usize, j: usize| number(row * outputs + j + 3);
                let (width, _) = panels_of(outputs);
                let mut tiles = Tiles::zeros(pixels + 1, outputs, blocks_of(pixels + 1, width));
                for row in 0..=pixels {
                    let weights: Vec<f32> = (0..outputs).map(|j| weight(row, j)).collect();
                    tiles.set_row(Slot::Values, row, &weights);
                }
                for count in [0, 1, 16, 19] {
                    let images: Vec<_> = (0..count).map(|i| image(i, pixels)).collect();
                    let chain = |image: &[u8], j: usize| {
                        let columns = numbers(image).enumerate();
                        columns.fold(0.0, |sum, (row, x): (_, f32)| x.mul_add(weight(row, j), sum))
                    };
                    let unused = vec![0.0; width - outputs];
                    let row = |image: &Vec<u8>| {
                        let used = (0..outputs).map(|j| chain(image, j));
                        used.chain(unused.iter().copied()).collect::<Vec<_>>()
                    };
                    let expected: Vec<f32> = images.iter().flat_map(row).collect();
                    // Not the first ones of all.
                    for level in Level::available() {
                        let (range, shape) = (2..count + 2, (rows, cols));
                        let inputs = Recurring::new(range, shape, width, level, |i| &images[i - 2]);
                        let mut found = vec![f32::NAN; count * width];
                        level.run(ForwardRecurring {
                            inputs: &inputs,
                            weights: tiles.panel(0),
                            used: outputs,
                            width,
                            activation: Activation::Linear,
                            outputs: &mut found,
                        });
                        assert_eq!(found, expected, "{level}: {count} × {pixels} × {outputs}");
                    }
                }
            }
        }
    }

    #[test]
    fn gradients_are_chains_over_the_images() {
        for (rows, cols) in SHAPES.into_iter().take(TESTED) {
            let pixels = rows * cols;
            for used in [1, 10, 11, 20, 32] {
                let (width, _) = panels_of(used);
                let (block, blocks) = blocks_of(pixels + 1, width);
                for count in [0, 1, 19] {
                    let images: Vec<_> = (0..count).map(|i| image(i, pixels)).collect();
                    let inputs = |level| {
                        let shape = (rows, cols);
                        Recurring::new(0..count, shape, width, level, |i| &images[i])
                    };
                    let error = |i| if i % width < used { number(i * 3 + 1) } else { 0.0 };
                    let errors: Vec<f32> = (0..count * width).map(error).collect();
                    for number in 0..blocks {
                        let columns = number * block..((number + 1) * block).min(pixels + 1);
                        let before: Vec<f32> =
                            (0..columns.len() * width).map(|i| error(i + width)).collect();
                        let mut expected = before.clone();
                        for (image, errors) in images.iter().zip(errors.chunks(width)) {
                            let numbers = numbers(image).skip(columns.start).take(block);
                            for (x, sums) in numbers.zip(expected.chunks_mut(width)) {
                                let sums = sums.iter_mut().zip(errors);
                                sums.for_each(|(sum, error)| *sum = x.mul_add(*error, *sum));
                            }
                        }
                        for level in Level::available() {
                            let mut found = before.clone();
                            level.run(AddGradientRecurring {
                                inputs: &inputs(level),
                                block: number,
                                errors: &errors,
                                used,
                                width,
                                gradient: &mut found,
                            });
                            assert_eq!(found, expected, "{level}: {count} × {pixels} × {used}");
                        }
                    }
                }
            }
        }
    }
}
