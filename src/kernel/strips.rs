//! The images of a chunk without their zeros, strip by strip.
//!
//! Each block of columns is there twice: listed by row for the product X·W, and by
//! [column](crate::kernel::columns) for the gradient Xᵀ·D. That adds, for each column of X, rows
//! of D: taken by column, the sum stays in registers; taken by row, it is loaded and stored for
//! each pixel.

use crate::kernel::columns::Columns;
use crate::kernel::entry::Pixel;
use crate::kernel::level::Level;
use crate::kernel::prefetch::prefetch_each;
use crate::kernel::simd::{Kernel, Simd};
use crate::kernel::sparse::{STRIP, SparseRows, blocks_of};

/// For how many images the pixels are asked for together, before their turn: images come in
/// random order, which the processor cannot guess. (With 16 and 32, or a step before, training
/// takes up to 2 % longer.)
const AHEAD: usize = 8;

/// The images of a chunk, and a 1 after the pixels of each.
#[derive(Default)]
pub(crate) struct Strips {
    shape: Shape,
    /// Strip after strip.
    blocks: Vec<Block>,
}

/// Some columns of a strip's images, as many as there are rows of weights in a tile.
#[derive(Default)]
pub(crate) struct Block {
    rows: SparseRows<Pixel>,
    columns: Columns,
}

impl Block {
    /// Row by row.
    pub(crate) fn rows(&self) -> &SparseRows<Pixel> {
        &self.rows
    }

    /// Column by column.
    pub(crate) fn columns(&self) -> &Columns {
        &self.columns
    }
}

/// How many images there are, and what becomes of them.
#[derive(Clone, Copy, Default)]
pub(crate) struct Shape {
    pub(crate) images: usize,
    /// Of an image, with the 1.
    pub(crate) cols: usize,
    /// Of the panels that they are multiplied with.
    pub(crate) width: usize,
    /// Whether their columns are taken too.
    pub(crate) has_columns: bool,
}

impl Strips {
    /// Makes room for other images, and returns the blocks, which [`fill`](Shape::fill) fills
    /// one by one.
    pub(crate) fn clear(&mut self, shape: Shape) -> &mut [Block] {
        self.shape = shape;
        let (_, blocks) = blocks_of(shape.cols, shape.width);
        let count = shape.images.div_ceil(STRIP) * blocks;
        if self.blocks.len() < count {
            self.blocks.resize_with(count, Block::default);
        }
        &mut self.blocks[..count]
    }

    /// Takes other images, on this thread.
    ///
    /// # Panics
    /// As [`Shape::fill`].
    pub(crate) fn fill<'a>(
        &mut self,
        shape: Shape,
        level: Level,
        image: impl Fn(usize) -> &'a [u8],
    ) {
        for (index, block) in self.clear(shape).iter_mut().enumerate() {
            shape.fill(index, block, level, &image);
        }
    }

    /// The number of images.
    pub(crate) fn images(&self) -> usize {
        self.shape.images
    }

    /// The blocks of a strip.
    pub(crate) fn strip(&self, number: usize) -> &[Block] {
        let (_, blocks) = blocks_of(self.shape.cols, self.shape.width);
        &self.blocks[number * blocks..][..blocks]
    }

    /// One block of each strip.
    pub(crate) fn blocks(&self, block: usize) -> impl Iterator<Item = &Block> + Clone {
        let strips = self.shape.images.div_ceil(STRIP);
        (0..strips).map(move |number| &self.strip(number)[block])
    }
}

impl Shape {
    /// Fills number `index` of the blocks.
    ///
    /// # Panics
    /// If an image has not one pixel fewer than there are columns.
    pub(crate) fn fill<'a>(
        self,
        index: usize,
        block: &mut Block,
        level: Level,
        image: impl Fn(usize) -> &'a [u8],
    ) {
        let (width, blocks) = blocks_of(self.cols, self.width);
        let (strip, number) = (index / blocks * STRIP, index % blocks);
        let images = strip..self.images.min(strip + STRIP);
        let (first, end) = (number * width, self.cols.min((number + 1) * width));
        let mut pieces: [&[u8]; STRIP] = [&[]; STRIP];
        for (piece, image_number) in pieces.iter_mut().zip(images.clone()) {
            let image = image(image_number);
            assert_eq!(image.len() + 1, self.cols, "a column for each pixel and the 1");
            *piece = &image[first..end.min(image.len())];
        }
        let images = &pieces[..images.len()];
        level.run(Fill { block, images, cols: end - first, has_columns: self.has_columns });
    }
}

/// Fills a block.
struct Fill<'b, 'a> {
    block: &'b mut Block,
    /// Of each image, its pixels; the 1 after them where there is a column more.
    images: &'b [&'a [u8]],
    cols: usize,
    has_columns: bool,
}

impl Kernel for Fill<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { block: Block { rows, columns }, images, cols, has_columns } = self;
        rows.clear(images.len(), cols);
        let mut groups = images.chunks(AHEAD);
        prefetch_each(groups.next().unwrap_or_default());
        rows.append(|lists| {
            for group in images.chunks(AHEAD) {
                prefetch_each(groups.next().unwrap_or_default());
                for image in group {
                    lists.push(simd, image, cols);
                }
            }
        });
        if has_columns {
            columns.fill(simd, images, cols);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::columns::SET;
    use crate::kernel::entry::Entry;

    #[test]
    fn lists_tell_what_has_ink() {
        let most = if cfg!(miri) { 131 } else { 300 };
        // The memory is used again.
        let mut strips = Strips::default();
        let shapes = [(most, 40, 64), (1, 301, 16), (0, 9, 64), (most - 2, 17, 48), (9, 785, 64)];
        for (images, cols, width) in shapes.into_iter().take(if cfg!(miri) { 4 } else { 5 }) {
            let pixels = cols - 1;
            let bytes: Vec<u8> =
                (0..images * pixels).map(|i: usize| (i * i % 7 % 3) as u8 * 99).collect();
            let image = |image: usize| &bytes[image * pixels..][..pixels];
            let pixel = |number: usize, col: usize| *image(number).get(col).unwrap_or(&u8::MAX);
            for (level, has_columns) in Level::available().flat_map(|l| [(l, true), (l, false)]) {
                let shape = Shape { images, cols, width, has_columns };
                strips.fill(shape, level, image);
                let (block, blocks) = blocks_of(cols, width);
                for strip in 0..images.div_ceil(STRIP) {
                    let first = strip * STRIP;
                    let numbers = first..images.min(first + STRIP);
                    assert_eq!(strips.strip(strip).len(), blocks);
                    for (index, lists) in strips.strip(strip).iter().enumerate() {
                        let cols = index * block..cols.min((index + 1) * block);
                        let name = format!("{level}, {images} x {cols:?}, strip {strip}");
                        assert_eq!(lists.rows().rows(), numbers.len(), "{name}");
                        for (number, list) in
                            numbers.clone().zip(lists.rows().lists(0..numbers.len()))
                        {
                            let expected =
                                cols.clone().map(|col| (col - cols.start, pixel(number, col)));
                            let found = list.iter().map(|entry| (entry.column(), entry.pixel));
                            assert!(found.eq(expected.filter(|&(_, pixel)| pixel > 0)), "{name}");
                        }
                        if !has_columns {
                            continue;
                        }
                        assert_eq!(lists.columns().cols(), cols.len(), "{name}");
                        for (index, col) in cols.enumerate() {
                            let expected =
                                numbers.clone().map(|number| (number - first, pixel(number, col)));
                            let found = column(lists.columns(), index, numbers.len());
                            assert!(found.eq(expected.filter(|&(_, pixel)| pixel > 0)), "{name}");
                        }
                    }
                }
            }
        }
    }

    /// The images with ink in a column, and their pixels.
    fn column(columns: &Columns, col: usize, images: usize) -> impl Iterator<Item = (usize, u8)> {
        (0..images.next_multiple_of(SET)).filter_map(move |image| {
            let set = columns.set(image / SET);
            let is_inked = set.inked(col) >> (image % SET) & 1 == 1;
            is_inked.then(|| (image, set.pixels(col)[image % SET]))
        })
    }

    #[test]
    fn images_come_back_with_their_zeros() {
        for level in Level::available() {
            for pixels in [1, 2, 15, 16, 17, 127, 128, 399, 400, 401, 784, 800] {
                let pixel = |image: usize, j: usize| match (j / 5 + image) % 3 {
                    0 => (j * 7 % 256) as u8,
                    _ => 0,
                };
                let images = [0, 1, 2]
                    .map(|image| (0..pixels).map(|j| pixel(image, j)).collect::<Vec<u8>>());
                let expected = images.each_ref().map(|image| {
                    let numbers = image.iter().map(|&pixel| f32::from(pixel) / 255.0);
                    numbers.chain([1.0]).collect::<Vec<f32>>()
                });
                for width in [16, 32, 48, 64] {
                    let shape = Shape { images: 3, cols: pixels + 1, width, has_columns: false };
                    let mut strips = Strips::default();
                    strips.fill(shape, level, |number| &images[number]);
                    let (block, _) = blocks_of(pixels + 1, width);
                    let mut found = [(); 3].map(|()| vec![0.0; pixels + 1]);
                    for (number, lists) in strips.strip(0).iter().enumerate() {
                        assert_eq!(lists.rows().rows(), 3);
                        for (found, list) in found.iter_mut().zip(lists.rows().lists(0..3)) {
                            for entry in list {
                                assert!(entry.value() != 0.0);
                                found[number * block + entry.column()] = entry.value();
                            }
                        }
                    }
                    assert_eq!(found, expected, "{level}, {pixels}, width {width}");
                }
            }
        }
    }
}
