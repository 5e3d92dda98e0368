//! Rows of numbers without their zeros.
//!
//! Four of five pixels of an MNIST image are zero, and after a rectifier about
//! half of the activations. A product that passes them over does less work, and
//! leaves the same bits: a fused multiply-add of zero changes nothing.
//!
//! Images are listed two by two, since strokes are in much the same place: a row of
//! weights comes from the cache once for both, and where only one of them has ink the
//! other adds a zero. (Of infinite weights that would be NaN: a network has none, and a
//! training that makes some ends with an error.)

use std::ops::Range;

use crate::kernel::columns::NUMBERS;
use crate::kernel::level::Level;
use crate::kernel::simd::{Kernel, Simd};

/// Columns that are looked at together, a vector of AVX-512.
pub(crate) const GROUP: usize = 16;

/// Columns that are listed together, at most: 400 rows of weights of a layer with few
/// outputs, 400 × 16 floats, are 25 KiB and stay in the L1 cache. In wider layers,
/// 400 × 64 floats are in the L2 cache; with blocks of 112 or 208 training takes 5 to
/// 10 % longer.
pub(crate) const MAX_BLOCK: usize = 400;

/// The columns of a block, a multiple of [`GROUP`], and the number of blocks: they are
/// as large as each other, so that threads have as much to do.
pub(crate) fn blocks_of(cols: usize) -> (usize, usize) {
    let fewest = cols.div_ceil(MAX_BLOCK).max(1);
    let block = cols.div_ceil(fewest).next_multiple_of(GROUP).max(GROUP);
    (block, cols.div_ceil(block))
}

/// What a list has of a column of its `ROWS` rows, at least one of which is not zero there.
pub(crate) trait Entry<const ROWS: usize>: Copy + Default {
    /// The column within its block.
    fn column(self) -> usize;

    /// The rows' values there.
    fn values(self) -> [f32; ROWS];
}

/// A number of one row.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub(crate) struct Number {
    pub(crate) column: u32,
    pub(crate) value: f32,
}

impl Entry<1> for Number {
    #[inline(always)]
    fn column(self) -> usize {
        self.column as usize
    }

    #[inline(always)]
    fn values(self) -> [f32; 1] {
        [self.value]
    }
}

/// The pixels of two images, 0 to 255 for 0 to 1.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub(crate) struct PixelPair {
    pub(crate) column: u16,
    pub(crate) pixels: [u8; 2],
}

impl Entry<2> for PixelPair {
    #[inline(always)]
    fn column(self) -> usize {
        usize::from(self.column)
    }

    #[inline(always)]
    fn values(self) -> [f32; 2] {
        self.pixels.map(|pixel| NUMBERS[usize::from(pixel)])
    }
}

/// Rows without their zeros, list after list: a list is of one row or of two.
#[derive(Default)]
pub(crate) struct SparseRows<E> {
    rows: usize,
    cols: usize,
    /// The columns of a block, and the number of blocks.
    block: usize,
    blocks: usize,
    entries: Vec<E>,
    /// How many of the entries are in use.
    end: usize,
    /// Where each list's entries of each block of columns end, after a 0.
    ends: Vec<usize>,
}

impl<E: Copy + Default> SparseRows<E> {
    /// The number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The number of blocks of columns.
    pub(crate) fn blocks(&self) -> usize {
        self.blocks
    }

    /// The entries of a list in a block of columns.
    #[inline(always)]
    pub(crate) fn block(&self, list: usize, block: usize) -> &[E] {
        let index = list * self.blocks + block;
        &self.entries[self.ends[index]..self.ends[index + 1]]
    }

    /// No rows, and room for some of another length, in blocks of as many columns and as
    /// many blocks; the memory is used again.
    pub(crate) fn clear(&mut self, rows: usize, cols: usize, blocks: (usize, usize)) {
        (self.rows, self.cols, self.end) = (0, cols, 0);
        (self.block, self.blocks) = blocks;
        // A group is written whole, whatever is kept of it.
        let room = rows * cols + GROUP;
        if self.entries.len() < room {
            self.entries.resize(room, E::default());
        }
        self.ends.clear();
        self.ends.reserve(rows * self.blocks + 1);
        self.ends.push(0);
    }
}

impl SparseRows<Number> {
    /// Adds a row, of a piece for each block, and a 1 where a column is left.
    ///
    /// # Panics
    /// If these are not as many as there are columns, or there is no room.
    pub(crate) fn push<'a>(&mut self, level: Level, pieces: impl Iterator<Item = &'a [f32]>) {
        level.run(Push { rows: self, pieces });
    }
}

impl SparseRows<PixelPair> {
    /// Takes over these images, two by two, and a 1 after each; the memory is used again.
    ///
    /// # Panics
    /// If an image has not one pixel fewer than `cols`.
    pub(crate) fn fill<'a>(
        &mut self,
        level: Level,
        images: Range<usize>,
        cols: usize,
        image: impl Fn(usize) -> &'a [u8],
    ) {
        self.clear(images.len(), cols, blocks_of(cols));
        self.rows = images.len();
        for number in images.clone().step_by(2) {
            let first = image(number);
            // The last one is beside itself.
            let second = if number + 1 < images.end { image(number + 1) } else { first };
            level.run(PushImages { rows: self, images: [first, second] });
        }
    }
}

/// Adds a row of numbers.
struct Push<'r, P> {
    rows: &'r mut SparseRows<Number>,
    pieces: P,
}

impl<'a, P: Iterator<Item = &'a [f32]>> Kernel for Push<'_, P> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(mut self, simd: S) {
        let SparseRows { rows, cols, blocks, entries, end, ends, .. } = self.rows;
        let mut left = *cols;
        for number in 0..*blocks {
            let piece = self.pieces.next().unwrap_or_default();
            let (groups, rest) = piece.as_chunks();
            let after = (groups.len() * GROUP) as u32;
            for (group, first) in groups.iter().zip((0..).step_by(GROUP)) {
                let to = entries[*end..].first_chunk_mut().expect("room for a group");
                *end += simd.keep_numbers(group, first, to);
            }
            left -= piece.len();
            let has_one = number + 1 == *blocks && left > 0;
            if has_one || !rest.is_empty() {
                let mut group = [0.0; GROUP];
                group[..rest.len()].copy_from_slice(rest);
                group[rest.len()] = if has_one { 1.0 } else { 0.0 };
                let to = entries[*end..].first_chunk_mut().expect("room for a group");
                *end += simd.keep_numbers(&group, after, to);
                left -= usize::from(has_one);
            }
            ends.push(*end);
        }
        assert_eq!(left, 0, "an element a column");
        *rows += 1;
    }
}

/// Adds two images.
struct PushImages<'r, 'a> {
    rows: &'r mut SparseRows<PixelPair>,
    images: [&'a [u8]; 2],
}

impl Kernel for PushImages<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let SparseRows { cols, block, blocks, entries, end, ends, .. } = self.rows;
        for image in self.images {
            assert_eq!(image.len() + 1, *cols, "a column for each pixel and the 1");
        }
        let [(first, first_rest), (second, second_rest)] = self.images.map(<[u8]>::as_chunks);
        let groups = *block / GROUP;
        for number in 0..*blocks {
            let here = (number * groups).min(first.len())..((number + 1) * groups).min(first.len());
            let columns = [&first[here.clone()], &second[here.clone()]];
            *end += simd.keep_pixels(columns, 0, &mut entries[*end..]);
            if number + 1 == *blocks {
                let mut last = [[0; GROUP]; 2];
                for (last, rest) in last.iter_mut().zip([first_rest, second_rest]) {
                    last[..rest.len()].copy_from_slice(rest);
                    last[rest.len()] = u8::MAX;
                }
                let last = last.each_ref().map(std::slice::from_ref);
                *end += simd.keep_pixels(last, (here.len() * GROUP) as u16, &mut entries[*end..]);
            }
            ends.push(*end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::tiles::panels_of;

    /// The rows as they were before their zeros were left out.
    fn dense<const ROWS: usize, E: Entry<ROWS>>(
        rows: &SparseRows<E>,
        list: usize,
    ) -> Vec<Vec<f32>> {
        let mut dense = vec![vec![0.0; rows.cols]; ROWS];
        for block in 0..rows.blocks() {
            for entry in rows.block(list, block) {
                assert!(entry.values().iter().any(|&value| value != 0.0));
                for (row, value) in dense.iter_mut().zip(entry.values()) {
                    row[block * rows.block + entry.column()] = value;
                }
            }
        }
        dense
    }

    const COLS: [usize; 12] = [1, 2, 15, 16, 17, 127, 128, 399, 400, 401, 784, 800];

    #[test]
    fn numbers_come_back_with_their_zeros() {
        for level in Level::available() {
            for cols in COLS {
                let mut numbers: Vec<f32> =
                    (0..cols).map(|j| if j / 5 % 3 == 0 { j as f32 * 0.3 } else { 0.0 }).collect();
                for with_one in [0, 1] {
                    for (block, blocks) in [blocks_of(cols + with_one), panels_of(cols)] {
                        let mut rows = SparseRows::default();
                        rows.clear(2, cols + with_one, (block, blocks));
                        for _ in 0..2 {
                            rows.push(level, numbers[..cols].chunks(block));
                        }
                        numbers.resize(cols + with_one, 1.0);
                        for row in [0, 1] {
                            assert_eq!(dense(&rows, row), [&numbers[..]], "{level}, {cols}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn images_come_back_with_their_zeros() {
        for level in Level::available() {
            for cols in COLS {
                let pixel = |image: usize, j: usize| match (j / 5 + image) % 3 {
                    0 => (j * 7 % 256) as u8,
                    _ => 0,
                };
                let image = |image| (0..cols).map(|j| pixel(image, j)).collect::<Vec<u8>>();
                let images = [0, 1, 2].map(image);
                let mut rows = SparseRows::default();
                rows.fill(level, 0..3, cols + 1, |image| &images[image]);
                assert_eq!(rows.rows(), 3);
                let expected = images.map(|image| {
                    let numbers = image.iter().map(|&pixel| f32::from(pixel) / 255.0);
                    numbers.chain([1.0]).collect::<Vec<f32>>()
                });
                assert_eq!(dense(&rows, 0), expected[..2], "{level}, {cols}");
                assert_eq!(dense(&rows, 1)[0], expected[2], "{level}, {cols}");
            }
        }
    }

    #[test]
    fn any_number_of_a_group_is_kept() {
        for level in Level::available() {
            for count in 0..=GROUP {
                let group: [u8; GROUP] = std::array::from_fn(|i| u8::from(i >= GROUP - count));
                let white = [0; GROUP];
                for images in [[&group, &white], [&white, &group], [&group, &group]] {
                    let mut rows = SparseRows::default();
                    rows.fill(level, 0..2, GROUP + 1, |image| images[image]);
                    assert_eq!(rows.block(0, 0).len(), count + 1, "{level}");
                    for (row, image) in dense(&rows, 0).iter().zip(images) {
                        assert_eq!(row[..GROUP], image.map(|p| f32::from(p) / 255.0), "{level}");
                    }
                }
            }
        }
    }

    #[test]
    fn signs_of_zero_are_left_out_and_what_is_no_number_stays() {
        for level in Level::available() {
            let mut rows = SparseRows::default();
            rows.clear(1, 5, blocks_of(5));
            rows.push(level, [&[-0.0, f32::NAN, f32::MIN_POSITIVE / 2.0, 0.0][..]].into_iter());
            let columns: Vec<u32> = rows.block(0, 0).iter().map(|entry| entry.column).collect();
            assert_eq!(columns, [1, 2, 4], "{level}");
        }
    }
}
