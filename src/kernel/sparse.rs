//! Rows of numbers without their zeros.
//!
//! Four of five pixels of an MNIST image are zero, and after a rectifier about
//! half of the activations. A product that passes them over does less work, and
//! leaves the same bits: a fused multiply-add of zero changes nothing.

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

/// A number that is not zero, and its column within its block.
#[derive(Clone, Copy, Default)]
#[repr(C)]
pub(crate) struct Entry {
    pub(crate) column: u32,
    pub(crate) value: f32,
}

/// What a row is made from.
pub(crate) trait Element: Copy + Default {
    /// The number 1, which a bias is multiplied with.
    const ONE: Self;

    /// Writes those of some groups of a block that are not zero to the start of `to`; returns
    /// how many. What is after them in `to` is unspecified, and there is room for
    /// a group more. `first` is the column of the first within its block.
    fn keep<S: Simd>(simd: S, from: &[[Self; GROUP]], first: u32, to: &mut [Entry]) -> usize;
}

impl Element for f32 {
    const ONE: Self = 1.0;

    #[inline(always)]
    fn keep<S: Simd>(simd: S, from: &[[f32; GROUP]], first: u32, to: &mut [Entry]) -> usize {
        let mut kept = 0;
        for (group, first) in from.iter().zip((first..).step_by(GROUP)) {
            let to = to[kept..].first_chunk_mut().expect("room for a group");
            kept += simd.keep_numbers(group, first, to);
        }
        kept
    }
}

/// A pixel: 0 to 255 stand for 0 to 1.
impl Element for u8 {
    const ONE: Self = 255;

    #[inline(always)]
    fn keep<S: Simd>(simd: S, from: &[[u8; GROUP]], first: u32, to: &mut [Entry]) -> usize {
        simd.keep_pixels(from, first, to)
    }
}

/// Rows without their zeros, one after the other.
#[derive(Default)]
pub(crate) struct SparseRows {
    rows: usize,
    cols: usize,
    /// The columns of a block, and the number of blocks.
    block: usize,
    blocks: usize,
    entries: Vec<Entry>,
    /// How many of the entries are in use.
    end: usize,
    /// Where each row's entries of each block of columns end, after a 0.
    ends: Vec<usize>,
}

impl SparseRows {
    /// The number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The number of blocks of columns.
    pub(crate) fn blocks(&self) -> usize {
        self.blocks
    }

    /// The entries of a row in a block of columns.
    #[inline(always)]
    pub(crate) fn block(&self, row: usize, block: usize) -> &[Entry] {
        let index = row * self.blocks + block;
        &self.entries[self.ends[index]..self.ends[index + 1]]
    }

    /// No rows, and room for some of another length; the memory is used again.
    pub(crate) fn clear(&mut self, rows: usize, cols: usize) {
        (self.rows, self.cols, self.end) = (0, cols, 0);
        (self.block, self.blocks) = blocks_of(cols);
        // A group is written whole, whatever is kept of it.
        let room = rows * cols + GROUP;
        if self.entries.len() < room {
            self.entries.resize(room, Entry::default());
        }
        self.ends.clear();
        self.ends.reserve(rows * self.blocks + 1);
        self.ends.push(0);
    }

    /// Adds a row: `pieces` one after the other, each but the last a multiple of
    /// [`GROUP`] long, and a 1 where a column is left.
    ///
    /// # Panics
    /// If these are not as many as there are columns, or there is no room.
    pub(crate) fn push<'a, E: Element + 'a>(
        &mut self,
        level: Level,
        pieces: impl Iterator<Item = &'a [E]>,
    ) {
        level.run(Push { rows: self, pieces });
    }
}

/// Adds a row.
struct Push<'r, P> {
    rows: &'r mut SparseRows,
    pieces: P,
}

impl<'a, E: Element + 'a, P: Iterator<Item = &'a [E]>> Kernel for Push<'_, P> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let SparseRows { rows, cols, block, entries, end, ends, .. } = self.rows;
        // A value of its own, so that it is in registers.
        let mut row = Row { entries, ends, end: *end, block: *block, column: 0, left: *cols };
        let mut last: &[E] = &[];
        for piece in self.pieces {
            assert!(last.is_empty(), "whole groups before the last piece");
            let mut groups;
            (groups, last) = piece.as_chunks();
            while !groups.is_empty() {
                let here = groups.len().min((row.block - row.column) / GROUP);
                row.keep(simd, &groups[..here], here * GROUP);
                groups = &groups[here..];
            }
        }
        assert!(row.left == last.len() || row.left == last.len() + 1, "an element a column");
        if row.left > 0 {
            let mut group = [E::default(); GROUP];
            group[..last.len()].copy_from_slice(last);
            if row.left > last.len() {
                group[last.len()] = E::ONE;
            }
            row.keep(simd, &[group], row.left);
        }
        *end = row.end;
        *rows += 1;
    }
}

/// A row that is being added.
struct Row<'a> {
    entries: &'a mut [Entry],
    ends: &'a mut Vec<usize>,
    end: usize,
    /// The columns of a block.
    block: usize,
    /// The column that comes next, within its block.
    column: usize,
    /// How many columns are still to come.
    left: usize,
}

impl Row<'_> {
    /// Adds groups of one block, the first `count` columns of which belong to the row.
    #[inline(always)]
    fn keep<S: Simd, E: Element>(&mut self, simd: S, groups: &[[E; GROUP]], count: usize) {
        let to = &mut self.entries[self.end..];
        self.end += E::keep(simd, groups, self.column as u32, to);
        (self.column, self.left) = (self.column + count, self.left - count);
        if self.column == self.block || self.left == 0 {
            self.ends.push(self.end);
            self.column = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The row as it was before its zeros were left out.
    fn dense(rows: &SparseRows, row: usize) -> Vec<f32> {
        let mut values = vec![0.0; rows.cols];
        for block in 0..rows.blocks() {
            for entry in rows.block(row, block) {
                assert_ne!(entry.value, 0.0);
                values[block * rows.block + entry.column as usize] = entry.value;
            }
        }
        values
    }

    #[test]
    fn rows_come_back_with_their_zeros() {
        for level in Level::available() {
            for cols in [1, 2, 15, 16, 17, 127, 128, 399, 400, 401, 784, 800] {
                let pixels: Vec<u8> = (0..cols)
                    .map(|j| if j / 5 % 3 == 0 { (j * 7 % 256) as u8 } else { 0 })
                    .collect();
                let mut floats: Vec<f32> =
                    pixels.iter().map(|&pixel| f32::from(pixel) / 255.0).collect();
                for with_one in [0, 1] {
                    let mut bytes = SparseRows::default();
                    let mut numbers = SparseRows::default();
                    bytes.clear(2, cols + with_one);
                    numbers.clear(2, cols + with_one);
                    for piece in [32, cols] {
                        bytes.push(level, pixels.chunks(piece));
                        numbers.push(level, floats.chunks(piece));
                    }
                    floats.resize(cols + with_one, 1.0);
                    for row in [0, 1] {
                        assert_eq!(dense(&bytes, row), floats, "{level}, {cols}");
                        assert_eq!(dense(&numbers, row), floats, "{level}, {cols}");
                    }
                }
            }
        }
    }

    #[test]
    fn every_pixel_is_its_255th_part() {
        let pixels: Vec<u8> = (0..=255).collect();
        for level in Level::available() {
            let mut rows = SparseRows::default();
            rows.clear(1, 256);
            rows.push(level, [&pixels[..]].into_iter());
            let found = rows.block(0, 0).iter().map(|entry| (entry.column, entry.value.to_bits()));
            let expected = (1..=255).map(|pixel| (pixel, (pixel as f32 / 255.0).to_bits()));
            assert!(found.eq(expected), "{level}");
        }
    }

    #[test]
    fn any_number_of_a_group_is_kept() {
        for level in Level::available() {
            for count in 0..=GROUP {
                let group: [u8; GROUP] = std::array::from_fn(|i| u8::from(i >= GROUP - count));
                let mut rows = SparseRows::default();
                rows.clear(1, GROUP);
                rows.push(level, [&group[..]].into_iter());
                assert_eq!(dense(&rows, 0), group.map(|pixel| f32::from(pixel) / 255.0), "{level}");
            }
        }
    }

    #[test]
    fn signs_of_zero_are_left_out_and_what_is_no_number_stays() {
        for level in Level::available() {
            let mut rows = SparseRows::default();
            rows.clear(1, 4);
            rows.push(level, [&[-0.0, f32::NAN, f32::MIN_POSITIVE / 2.0, 0.0][..]].into_iter());
            let columns: Vec<u32> = rows.block(0, 0).iter().map(|entry| entry.column).collect();
            assert_eq!(columns, [1, 2], "{level}");
        }
    }
}
