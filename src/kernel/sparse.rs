//! Rows of numbers without their zeros.
//!
//! Four of five pixels of an MNIST image are zero, and after a rectifier about
//! half of the activations. A product that passes them over does less work, and
//! leaves the same bits: a fused multiply-add of zero changes nothing.

use std::ops::Range;

use crate::kernel::entry::{GROUP, Number, Pixel};
use crate::kernel::level::Level;
use crate::kernel::simd::{Kernel, Simd};

/// Floats of a block of a panel, at most: 32 KiB, an L1 cache, which most of them stay in while
/// the rows of a batch pass by. (With 20 to 52 KiB, training takes as long within 4 %.)
pub(crate) const MAX_FLOATS: usize = 8_192;

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

/// Rows without their zeros, list after list.
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

    /// Those of some lists, one after the other.
    #[inline(always)]
    pub(crate) fn lists(&self, lists: Range<usize>, block: usize) -> impl Iterator<Item = &[E]> {
        let ends = &self.ends[lists.start * self.blocks..=lists.end * self.blocks];
        let ends = ends.get(block..).unwrap_or_default().windows(2).step_by(self.blocks);
        ends.map(|ends| &self.entries[ends[0]..ends[1]])
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

impl SparseRows<Pixel> {
    /// Takes over these images, and a 1 after each, in blocks of columns for panels of a
    /// `width`; the memory is used again.
    ///
    /// # Panics
    /// If an image has not one pixel fewer than `cols`.
    pub(crate) fn fill<'a>(
        &mut self,
        level: Level,
        images: Range<usize>,
        (cols, width): (usize, usize),
        image: impl Fn(usize) -> &'a [u8],
    ) {
        self.clear(images.len(), cols, blocks_of(cols, width));
        images.for_each(|number| level.run(PushImage { rows: self, image: image(number) }));
    }

    /// Adds a row of one block, of groups of pixels.
    ///
    /// # Panics
    /// If there is no room.
    #[inline(always)]
    pub(super) fn push_groups<S: Simd>(&mut self, simd: S, groups: &[[u8; GROUP]]) {
        self.keep_groups(simd, groups, 0);
        self.ends.push(self.end);
        self.rows += 1;
    }

    /// Adds to the block that is not ended, from column `first` on.
    #[inline(always)]
    fn keep_groups<S: Simd>(&mut self, simd: S, groups: &[[u8; GROUP]], first: u8) {
        let mut end = self.end;
        for (group, first) in groups.iter().zip((first..).step_by(GROUP)) {
            let to = self.entries[end..].first_chunk_mut().expect("room for a group");
            end += simd.keep_pixels(group, first, to);
        }
        self.end = end;
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

/// Adds an image.
struct PushImage<'r, 'a> {
    rows: &'r mut SparseRows<Pixel>,
    image: &'a [u8],
}

impl Kernel for PushImage<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { rows, image } = self;
        assert_eq!(image.len() + 1, rows.cols, "a column for each pixel and the 1");
        let (mut groups, rest) = image.as_chunks();
        for number in 0..rows.blocks {
            let here;
            (here, groups) = groups.split_at(groups.len().min(rows.block / GROUP));
            rows.keep_groups(simd, here, 0);
            if number + 1 == rows.blocks {
                let mut last = [0; GROUP];
                last[..rest.len()].copy_from_slice(rest);
                last[rest.len()] = u8::MAX;
                rows.keep_groups(simd, &[last], (here.len() * GROUP) as u8);
            }
            rows.ends.push(rows.end);
        }
        rows.rows += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::entry::Entry;
    use crate::kernel::tiles::panels_of;

    /// The rows as they were before their zeros were left out.
    fn dense<E: Entry>(rows: &SparseRows<E>) -> Vec<Vec<f32>> {
        let mut dense = vec![vec![0.0; rows.cols]; rows.rows()];
        for block in 0..rows.blocks() {
            let lists = rows.lists(0..rows.rows(), block);
            for ((number, row), list) in dense.iter_mut().enumerate().zip(lists) {
                assert_eq!(list.len(), rows.block(number, block).len());
                for entry in list {
                    assert!(entry.value() != 0.0);
                    row[block * rows.block + entry.column()] = entry.value();
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
                        rows.clear(2, cols + with_one, (block, blocks));
                        for _ in 0..2 {
                            rows.push(level, numbers[..cols].chunks(block));
                        }
                        numbers.resize(cols + with_one, 1.0);
                        assert_eq!(dense(&rows), [&numbers[..]; 2], "{level}, {cols}");
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
                    let mut rows = SparseRows::default();
                    rows.fill(level, 0..3, (cols + 1, width), |image| &images[image]);
                    assert_eq!(dense(&rows), expected, "{level}, {cols}");
                }
            }
        }
    }

    #[test]
    fn any_number_of_a_group_is_kept() {
        for level in Level::available() {
            for inked in 0..=u16::MAX {
                // Under Miri, only some.
                if cfg!(miri) && inked % 4_001 > 0 {
                    continue;
                }
                let group: [u8; GROUP] = std::array::from_fn(|i| (inked >> i & 1) as u8 * 7);
                let mut rows = SparseRows::default();
                rows.fill(level, 0..1, (GROUP + 1, 64), |_| &group);
                let found = rows.block(0, 0).iter().map(|entry| (entry.column, entry.pixel));
                let expected = (0..16).filter(|column| inked >> column & 1 == 1);
                let expected = expected.map(|column| (column, 7)).chain([(16, 255)]);
                assert!(found.eq(expected), "{level}, {inked:b}");
            }
        }
    }

    #[test]
    fn signs_of_zero_are_left_out_and_what_is_no_number_stays() {
        for level in Level::available() {
            let mut rows = SparseRows::default();
            rows.clear(1, 5, blocks_of(5, 64));
            rows.push(level, [&[-0.0, f32::NAN, f32::MIN_POSITIVE / 2.0, 0.0][..]].into_iter());
            let columns: Vec<u32> = rows.block(0, 0).iter().map(|entry| entry.column).collect();
            assert_eq!(columns, [1, 2, 4], "{level}");
        }
    }
}
