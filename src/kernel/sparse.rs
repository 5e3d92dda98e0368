//! Rows of numbers without their zeros.
//!
//! Four of five pixels of an MNIST image are zero, and after a rectifier about
//! half of the activations. A product that passes them over does less work, and
//! leaves the same bits: a fused multiply-add of zero changes nothing.

use std::ops::Range;

use crate::kernel::entry::{GROUP, Number, Pixel};
use crate::kernel::level::Level;
use crate::kernel::simd::{Kernel, Simd};

/// Floats of a block of a panel, at most: 48 KiB. Six of ten rows are of pixels that a batch has
/// ink at, and these stay in an L1 cache of 32 KiB while its rows pass by. (With 32 and 56 KiB,
/// training takes 1 to 3 % longer.)
pub(crate) const MAX_FLOATS: usize = 12_288;

/// Rows that each block is multiplied with before the next one's turn: theirs of another
/// panel are 128 × 64 floats. (With 64, a batch of 128 takes 1 % longer.)
pub(crate) const STRIP: usize = 128;

/// Rows of the highest block: a byte counts them.
const MAX_ROWS: usize = 256;

/// The columns of a block, a multiple of [`GROUP`], and the number of blocks, where each column
/// is multiplied with a row of `width` weights: they are as large as each other.
pub(crate) fn blocks_of(cols: usize, width: usize) -> (usize, usize) {
    let most = (MAX_FLOATS / width / GROUP * GROUP).min(MAX_ROWS);
    let fewest = cols.div_ceil(most).max(1);
    let block = cols.div_ceil(fewest).next_multiple_of(GROUP).max(GROUP);
    (block, cols.div_ceil(block))
}

/// Rows without their zeros, one after the other.
#[derive(Default)]
pub(crate) struct SparseRows<E> {
    cols: usize,
    /// How many blocks of columns there are.
    blocks: usize,
    entries: Vec<E>,
    /// Where each row's entries of each block of columns end, after a 0.
    ends: Vec<usize>,
    /// How many lists there are, and how many entries.
    lists: usize,
    end: usize,
}

/// The lists of some rows while they are written: what is known of them stays in registers,
/// which a pixel that is written cannot change.
pub(super) struct Lists<'a, E> {
    entries: &'a mut [E],
    ends: &'a mut [usize],
    lists: usize,
    end: usize,
}

/// A block of columns of some rows.
#[derive(Clone, Copy)]
pub(crate) struct SparseBlock<'a, E> {
    rows: &'a SparseRows<E>,
    number: usize,
}

impl<E: Copy + Default> SparseRows<E> {
    /// The blocks.
    pub(crate) fn blocks(&self) -> impl Iterator<Item = SparseBlock<'_, E>> + Clone {
        (0..self.blocks).map(|number| self.block(number))
    }

    pub(crate) fn block(&self, number: usize) -> SparseBlock<'_, E> {
        assert!(number < self.blocks, "block {number} of {}", self.blocks);
        SparseBlock { rows: self, number }
    }

    /// What there is of each row, where all of it is in one block. A list begins where the one
    /// before it ends, and nothing else needs to be looked up.
    ///
    /// # Panics
    /// If there are more blocks.
    #[inline(always)]
    pub(crate) fn lists(&self) -> impl Iterator<Item = &[E]> {
        assert_eq!(self.blocks, 1, "blocks");
        let (mut start, entries) = (0, &self.entries[..]);
        self.ends.iter().skip(1).map(move |&end| &entries[std::mem::replace(&mut start, end)..end])
    }

    /// No rows, and room for some of as many columns, in as many blocks; the memory is used
    /// again.
    pub(crate) fn clear(&mut self, rows: usize, cols: usize, blocks: usize) {
        (self.cols, self.blocks, self.lists, self.end) = (cols, blocks, 0, 0);
        // A group is written whole, whatever is kept of it.
        let room = rows * cols + GROUP;
        if self.entries.len() < room {
            self.entries.resize(room, E::default());
        }
        self.ends.clear();
        self.ends.resize(rows * blocks + 1, 0);
    }

    /// Adds what `write` writes.
    #[inline(always)]
    pub(super) fn append(&mut self, write: impl FnOnce(&mut Lists<'_, E>)) {
        let Self { entries, ends, lists, end, .. } = self;
        let mut written = Lists { entries, ends, lists: *lists, end: *end };
        write(&mut written);
        (*lists, *end) = (written.lists, written.end);
    }
}

impl<E> Lists<'_, E> {
    /// Ends a block of a row.
    #[inline(always)]
    pub(super) fn end_block(&mut self) {
        self.lists += 1;
        self.ends[self.lists] = self.end;
    }
}

impl<'a, E> SparseBlock<'a, E> {
    /// The number of rows.
    pub(crate) fn rows(self) -> usize {
        (self.rows.ends.len() - 1) / self.rows.blocks
    }

    /// What there is of some rows, one after the other.
    #[inline(always)]
    pub(crate) fn lists(self, rows: Range<usize>) -> impl Iterator<Item = &'a [E]> {
        let SparseRows { blocks, entries, ends, .. } = self.rows;
        let ends = &ends[rows.start * blocks..=rows.end * blocks];
        let ends = ends.get(self.number..).unwrap_or_default().windows(2).step_by(*blocks);
        ends.map(|ends| &entries[ends[0]..ends[1]])
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

impl Lists<'_, Number> {
    /// Adds to the block that is not ended, from column `first` on.
    #[inline(always)]
    fn keep<S: Simd>(&mut self, simd: S, groups: &[[f32; GROUP]], first: u32) {
        let mut end = self.end;
        for (group, first) in groups.iter().zip((first..).step_by(GROUP)) {
            let to = self.entries[end..].first_chunk_mut().expect("room for a group");
            end += simd.keep_numbers(group, first, to);
        }
        self.end = end;
    }
}

impl SparseRows<Pixel> {
    /// Adds an image, and a 1 after it, of as many columns in a block.
    ///
    /// # Panics
    /// If it has not one pixel fewer than there are columns, or there is no room.
    pub(crate) fn push_image(&mut self, level: Level, image: &[u8], block: usize) {
        level.run(PushImage { rows: self, image, block });
    }
}

impl Lists<'_, Pixel> {
    /// Adds a block of a row: pixels, and the 1 after them if there is a column more.
    ///
    /// # Panics
    /// If there is no room.
    #[inline(always)]
    pub(super) fn push_block<S: Simd>(&mut self, simd: S, pixels: &[u8], cols: usize) {
        let (groups, rest) = pixels.as_chunks();
        self.keep(simd, groups, 0);
        if pixels.len() < cols {
            self.keep(simd, &[with_one(rest)], (groups.len() * GROUP) as u8);
        }
        self.end_block();
    }

    /// Adds to the block that is not ended, from column `first` on.
    ///
    /// # Panics
    /// If there is no room.
    #[inline(always)]
    pub(super) fn keep<S: Simd>(&mut self, simd: S, groups: &[[u8; GROUP]], first: u8) {
        self.end += simd.keep_pixels(groups, first, &mut self.entries[self.end..]);
    }
}

/// Adds an image.
struct PushImage<'r, 'a> {
    rows: &'r mut SparseRows<Pixel>,
    image: &'a [u8],
    block: usize,
}

impl Kernel for PushImage<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { rows, image, block } = self;
        assert_eq!(image.len() + 1, rows.cols, "a column for each pixel and the 1");
        let cols = rows.cols;
        rows.append(|lists| {
            for first in (0..cols).step_by(block) {
                let end = cols.min(first + block);
                lists.push_block(simd, &image[first..end.min(image.len())], end - first);
            }
        });
    }
}

/// The last pixels of an image, fewer than a group, and the 1 after them.
#[inline(always)]
pub(super) fn with_one(pixels: &[u8]) -> [u8; GROUP] {
    let mut group = [0; GROUP];
    group[..pixels.len()].copy_from_slice(pixels);
    group[pixels.len()] = u8::MAX;
    group
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
        let rows = self.rows;
        let (blocks, mut left) = (rows.blocks, rows.cols);
        rows.append(|lists| {
            for number in 0..blocks {
                let piece = self.pieces.next().unwrap_or_default();
                let (groups, rest) = piece.as_chunks();
                lists.keep(simd, groups, 0);
                left -= piece.len();
                let has_one = number + 1 == blocks && left > 0;
                if has_one || !rest.is_empty() {
                    let mut group = [0.0; GROUP];
                    group[..rest.len()].copy_from_slice(rest);
                    group[rest.len()] = if has_one { 1.0 } else { 0.0 };
                    lists.keep(simd, &[group], (groups.len() * GROUP) as u32);
                    left -= usize::from(has_one);
                }
                lists.end_block();
            }
        });
        assert_eq!(left, 0, "an element a column");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::entry::Entry;
    use crate::kernel::tiles::panels_of;

    /// The rows as they were before their zeros were left out.
    fn dense<E: Entry>(rows: &SparseRows<E>, block: usize) -> Vec<Vec<f32>> {
        let mut dense = vec![vec![0.0; rows.cols]; rows.block(0).rows()];
        for (number, rows) in rows.blocks().enumerate() {
            for (row, list) in dense.iter_mut().zip(rows.lists(0..rows.rows())) {
                for entry in list {
                    assert!(entry.value() != 0.0);
                    row[number * block + entry.column()] = entry.value();
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
                    let blocks = [16, 64].map(|width| blocks_of(cols + with_one, width));
                    for (block, blocks) in blocks.into_iter().chain([panels_of(cols)]) {
                        let mut rows = SparseRows::default();
                        rows.clear(2, cols + with_one, blocks);
                        for _ in 0..2 {
                            rows.push(level, numbers[..cols].chunks(block));
                        }
                        numbers.resize(cols + with_one, 1.0);
                        assert_eq!(dense(&rows, block), [&numbers[..]; 2], "{level}, {cols}");
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
                let expected = images.each_ref().map(|image| {
                    let numbers = image.iter().map(|&pixel| f32::from(pixel) / 255.0);
                    numbers.chain([1.0]).collect::<Vec<f32>>()
                });
                for width in [16, 32, 48, 64] {
                    let (block, blocks) = blocks_of(cols + 1, width);
                    let mut rows = SparseRows::<Pixel>::default();
                    rows.clear(3, cols + 1, blocks);
                    images.iter().for_each(|image| rows.push_image(level, image, block));
                    assert_eq!(dense(&rows, block), expected, "{level}, {cols}");
                }
            }
        }
    }

    #[test]
    fn any_number_of_a_group_is_kept() {
        struct Keep<'a>(&'a mut SparseRows<Pixel>, [u8; GROUP]);

        impl Kernel for Keep<'_> {
            type Output = ();

            #[inline(always)]
            fn run<S: Simd>(self, simd: S) {
                self.0.append(|lists| {
                    lists.keep(simd, &[self.1], 0);
                    lists.end_block();
                });
            }
        }

        for level in Level::available() {
            for inked in 0..=u16::MAX {
                // Under Miri, only some.
                if cfg!(miri) && inked % 4_001 > 0 {
                    continue;
                }
                let group: [u8; GROUP] = std::array::from_fn(|i| (inked >> i & 1) as u8 * 7);
                let mut rows = SparseRows::default();
                rows.clear(1, GROUP, 1);
                level.run(Keep(&mut rows, group));
                let found =
                    rows.block(0).lists(0..1).flatten().map(|entry| (entry.column, entry.pixel));
                let expected = (0..16).filter(|column| inked >> column & 1 == 1);
                assert!(found.eq(expected.map(|column| (column, 7))), "{level}, {inked:b}");
            }
        }
    }

    #[test]
    fn signs_of_zero_are_left_out_and_what_is_no_number_stays() {
        for level in Level::available() {
            let mut rows = SparseRows::default();
            rows.clear(1, 5, 1);
            rows.push(level, [&[-0.0, f32::NAN, f32::MIN_POSITIVE / 2.0, 0.0][..]].into_iter());
            let lists = rows.block(0).lists(0..1);
            let columns: Vec<u32> = lists.flatten().map(|entry| entry.column).collect();
            assert_eq!(columns, [1, 2, 4], "{level}");
        }
    }
}
