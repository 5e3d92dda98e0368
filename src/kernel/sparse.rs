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
pub(super) const MAX_ROWS: usize = 256;

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
    entries: Vec<E>,
    /// Where the entries of each row end, after a 0.
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

impl<E: Copy + Default> SparseRows<E> {
    /// The number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.ends.len() - 1
    }

    /// What there is of some rows, one after the other: a list begins where the one before it
    /// ends, and nothing else needs to be looked up.
    #[inline(always)]
    pub(crate) fn lists(&self, rows: Range<usize>) -> impl Iterator<Item = &[E]> {
        let ends = &self.ends[rows.start..=rows.end];
        let (mut start, entries) = (ends[0], &self.entries[..]);
        ends[1..].iter().map(move |&end| &entries[std::mem::replace(&mut start, end)..end])
    }

    /// No rows, and room for some of as many columns; the memory is used again.
    pub(crate) fn clear(&mut self, rows: usize, cols: usize) {
        (self.lists, self.end) = (0, 0);
        // A group is written whole, whatever is kept of it.
        let room = rows * cols + GROUP;
        if self.entries.len() < room {
            self.entries.resize(room, E::default());
        }
        self.ends.clear();
        self.ends.resize(rows + 1, 0);
    }

    /// Adds what `write` writes.
    #[inline(always)]
    pub(super) fn append(&mut self, write: impl FnOnce(&mut Lists<'_, E>)) {
        let Self { entries, ends, lists, end } = self;
        let mut written = Lists { entries, ends, lists: *lists, end: *end };
        write(&mut written);
        (*lists, *end) = (written.lists, written.end);
    }
}

impl<E> Lists<'_, E> {
    /// Adds to the row that is not ended.
    ///
    /// # Panics
    /// If there is no room.
    #[inline(always)]
    fn keep_one(&mut self, entry: E) {
        self.entries[self.end] = entry;
        self.end += 1;
    }

    /// Ends a row.
    #[inline(always)]
    fn end_row(&mut self) {
        self.lists += 1;
        self.ends[self.lists] = self.end;
    }
}

/// Lists rows of numbers, of so many columns in blocks of `block`, the last one of more or
/// fewer: `piece(row, number)` gives the numbers of a block, as many as it has columns; of the
/// last one they may be one fewer, and then a 1 follows.
///
/// # Panics
/// If they are not.
pub(crate) fn list_rows<'a>(
    blocks: &mut Vec<SparseRows<Number>>,
    level: Level,
    (rows, cols): (usize, usize),
    (block, count): (usize, usize),
    piece: impl Fn(usize, usize) -> &'a [f32],
) {
    blocks.resize_with(count, SparseRows::default);
    let cols_of = |number| if number + 1 < count { block } else { cols - number * block };
    for (number, block) in blocks.iter_mut().enumerate() {
        block.clear(rows, cols_of(number));
    }
    level.run(ListRows { blocks, rows, cols_of, piece });
}

impl Lists<'_, Number> {
    /// Adds a row: numbers, and a 1 after them if there is a column more.
    ///
    /// # Panics
    /// If there is no room.
    #[inline(always)]
    fn push<S: Simd>(&mut self, simd: S, numbers: &[f32], cols: usize) {
        let (groups, rest) = numbers.as_chunks();
        self.keep(simd, groups, 0);
        if !rest.is_empty() {
            self.keep(simd, &[padded(rest)], (groups.len() * GROUP) as u32);
        }
        if numbers.len() < cols {
            self.keep_one(Number { column: numbers.len() as u32, value: 1.0 });
        }
        self.end_row();
    }

    /// Adds to the row that is not ended, from column `first` on.
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

impl Lists<'_, Pixel> {
    /// Adds a row: pixels, and the 1 after them if there is a column more.
    ///
    /// # Panics
    /// If there is no room.
    #[inline(always)]
    pub(super) fn push<S: Simd>(&mut self, simd: S, pixels: &[u8], cols: usize) {
        let (groups, rest) = pixels.as_chunks();
        self.keep(simd, groups, 0);
        if !rest.is_empty() {
            self.keep(simd, &[padded(rest)], (groups.len() * GROUP) as u8);
        }
        if pixels.len() < cols {
            self.keep_one(Pixel { column: pixels.len() as u8, pixel: u8::MAX });
        }
        self.end_row();
    }

    /// Adds to the row that is not ended, from column `first` on.
    ///
    /// # Panics
    /// If there is no room.
    #[inline(always)]
    fn keep<S: Simd>(&mut self, simd: S, groups: &[[u8; GROUP]], first: u8) {
        self.end += simd.keep_pixels(groups, first, &mut self.entries[self.end..]);
    }
}

/// Fewer than a group, and zeros after them.
#[inline(always)]
fn padded<T: Copy + Default>(rest: &[T]) -> [T; GROUP] {
    let mut group = [T::default(); GROUP];
    group[..rest.len()].copy_from_slice(rest);
    group
}

/// Lists rows of numbers.
struct ListRows<'b, C, P> {
    blocks: &'b mut [SparseRows<Number>],
    rows: usize,
    cols_of: C,
    piece: P,
}

impl<'a, C, P> Kernel for ListRows<'_, C, P>
where
    C: Fn(usize) -> usize,
    P: Fn(usize, usize) -> &'a [f32],
{
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { blocks, rows, cols_of, piece } = self;
        let count = blocks.len();
        for row in 0..rows {
            for (number, block) in blocks.iter_mut().enumerate() {
                let (piece, cols) = (piece(row, number), cols_of(number));
                let with_one = piece.len() + usize::from(number + 1 == count);
                assert!(piece.len() == cols || with_one == cols, "an element a column");
                block.append(|lists| lists.push(simd, piece, cols));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::entry::Entry;
    use crate::kernel::tiles::panels_of;

    #[test]
    fn numbers_come_back_with_their_zeros() {
        for level in Level::available() {
            for cols in [1, 2, 15, 16, 17, 127, 128, 399, 400, 401, 784, 800] {
                let mut numbers: Vec<f32> =
                    (0..cols).map(|j| if j / 5 % 3 == 0 { j as f32 * 0.3 } else { 0.0 }).collect();
                for with_one in [0, 1] {
                    let blocks = [16, 64].map(|width| blocks_of(cols + with_one, width));
                    for (block, count) in blocks.into_iter().chain([panels_of(cols)]) {
                        let mut blocks = Vec::new();
                        let shape = (2, cols + with_one);
                        list_rows(&mut blocks, level, shape, (block, count), |_, number| {
                            &numbers[number * block..cols.min((number + 1) * block)]
                        });
                        let mut found = [(); 2].map(|()| vec![0.0; cols + with_one]);
                        for (number, rows) in blocks.iter().enumerate() {
                            assert_eq!(rows.rows(), 2);
                            for (found, list) in found.iter_mut().zip(rows.lists(0..2)) {
                                for entry in list {
                                    assert!(entry.value != 0.0);
                                    found[number * block + entry.column()] = entry.value;
                                }
                            }
                        }
                        numbers.resize(cols + with_one, 1.0);
                        assert_eq!(found, [&numbers[..]; 2], "{level}, {cols}");
                    }
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
                    lists.end_row();
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
                rows.clear(1, GROUP);
                level.run(Keep(&mut rows, group));
                let found = rows.lists(0..1).flatten().map(|entry| (entry.column, entry.pixel));
                let expected = (0..16).filter(|column| inked >> column & 1 == 1);
                assert!(found.eq(expected.map(|column| (column, 7))), "{level}, {inked:b}");
            }
        }
    }

    #[test]
    fn signs_of_zero_are_left_out_and_what_is_no_number_stays() {
        for level in Level::available() {
            let mut rows = Vec::new();
            list_rows(&mut rows, level, (1, 5), (16, 1), |_, _| {
                &[-0.0, f32::NAN, f32::MIN_POSITIVE / 2.0, 0.0]
            });
            let lists = rows[0].lists(0..1).flatten();
            let columns: Vec<u32> = lists.map(|entry| entry.column).collect();
            assert_eq!(columns, [1, 2, 4], "{level}");
        }
    }
}
