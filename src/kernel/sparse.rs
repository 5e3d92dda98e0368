//! Rows of numbers without their zeros.
//!
//! Four of five pixels of an MNIST image are zero, and after a rectifier about
//! half of the activations. A product that passes them over does less work, and
//! leaves the same bits: a fused multiply-add of zero changes nothing.

/// Columns that are listed together. The rows of weights that belong to them,
/// 264 × 64 floats, are 66 KiB: most of them are in an L1 cache of 48 KiB when
/// the next image needs them, and the rest in the L2 cache. Of the sizes from 64
/// to 400, training and prediction were fastest from 200 on; 264 cuts the 785
/// inputs of an MNIST image into three with little left over.
pub(crate) const BLOCK: usize = 264;

/// A number that is not zero, and its column within its block.
#[derive(Clone, Copy, Default)]
pub(crate) struct Entry {
    pub(crate) column: u32,
    pub(crate) value: f32,
}

/// Rows without their zeros. Each row has room for all of its columns.
#[derive(Default)]
pub(crate) struct SparseRows {
    rows: usize,
    cols: usize,
    entries: Vec<Entry>,
    /// For each row, where in its room the entries of each block of columns end.
    ends: Vec<u32>,
}

impl SparseRows {
    /// Another shape; the memory is used again, and old rows are unspecified.
    pub(crate) fn resize(&mut self, rows: usize, cols: usize) {
        (self.rows, self.cols) = (rows, cols);
        self.entries.resize(rows * cols, Entry::default());
        self.ends.resize(rows * self.blocks(), 0);
    }

    /// The number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The number of blocks of columns.
    pub(crate) fn blocks(&self) -> usize {
        self.cols.div_ceil(BLOCK)
    }

    /// The entries of a row in a block of columns.
    #[inline(always)]
    pub(crate) fn block(&self, row: usize, block: usize) -> &[Entry] {
        let ends = &self.ends[row * self.blocks()..][..=block];
        let start = if block == 0 { 0 } else { ends[block - 1] };
        &self.entries[row * self.cols..][..self.cols][start as usize..ends[block] as usize]
    }

    /// Starts to fill a row, whose columns then come in order.
    pub(crate) fn write(&mut self, row: usize) -> RowWriter<'_> {
        let blocks = self.blocks();
        RowWriter {
            entries: &mut self.entries[row * self.cols..][..self.cols],
            ends: &mut self.ends[row * blocks..][..blocks],
            len: 0,
            column: 0,
        }
    }
}

/// Fills a row of [`SparseRows`].
pub(crate) struct RowWriter<'a> {
    entries: &'a mut [Entry],
    ends: &'a mut [u32],
    len: usize,
    column: usize,
}

impl RowWriter<'_> {
    /// The next columns, from pixels, as values from 0 to 1.
    pub(crate) fn pixels(&mut self, pixels: &[u8]) {
        self.write(
            pixels,
            |pixel| PIXEL_VALUES[usize::from(pixel)],
            |group| u64::from_ne_bytes(*group) == 0,
        );
    }

    /// The next columns.
    pub(crate) fn floats(&mut self, values: &[f32]) {
        self.write(
            values,
            |value| value,
            |group| {
                // Zero has no bits but its sign.
                group.iter().fold(0, |bits, value| bits | value.to_bits()) << 1 == 0
            },
        );
    }

    /// Writes columns in groups of eight, and passes over groups of zeros: most
    /// of an image is paper.
    #[inline(always)]
    fn write<T: Copy>(
        &mut self,
        mut values: &[T],
        value_of: impl Fn(T) -> f32,
        is_zero: impl Fn(&[T; 8]) -> bool,
    ) {
        while !values.is_empty() {
            // The columns up to the end of a block.
            let room = BLOCK - self.column % BLOCK;
            let (block, rest) = values.split_at(room.min(values.len()));
            let mut column = (self.column % BLOCK) as u32;
            let mut len = self.len;
            let mut push = |column, value| {
                // Written in any case, kept if it is not zero: no branch to guess.
                self.entries[len] = Entry { column, value };
                len += usize::from(value != 0.0);
            };
            let (groups, last) = block.as_chunks::<8>();
            for group in groups {
                if !is_zero(group) {
                    for (i, &value) in (0..).zip(group) {
                        push(column + i, value_of(value));
                    }
                }
                column += 8;
            }
            for (i, &value) in (0..).zip(last) {
                push(column + i, value_of(value));
            }
            self.ends[self.column / BLOCK] = len as u32;
            self.len = len;
            self.column += block.len();
            values = rest;
        }
    }
}

/// The value of each pixel byte, from 0 to 1.
const PIXEL_VALUES: [f32; 256] = {
    let mut values = [0.0; 256];
    let mut byte = 0;
    while byte < 256 {
        values[byte] = byte as f32 / 255.0;
        byte += 1;
    }
    values
};

#[cfg(test)]
mod tests {
    use super::*;

    /// The row as it was before its zeros were left out.
    fn dense(rows: &SparseRows, row: usize) -> Vec<f32> {
        let mut values = vec![0.0; rows.cols];
        for block in 0..rows.blocks() {
            for entry in rows.block(row, block) {
                assert_ne!(entry.value, 0.0);
                values[block * BLOCK + entry.column as usize] = entry.value;
            }
        }
        values
    }

    #[test]
    fn rows_come_back_with_their_zeros() {
        for cols in [1, 2, 7, 8, 9, 127, 128, 129, 300, 784] {
            let mut rows = SparseRows::default();
            rows.resize(2, cols);
            let pixels: Vec<u8> =
                (0..cols).map(|j| if j / 5 % 3 == 0 { (j * 7 % 256) as u8 } else { 0 }).collect();
            let floats: Vec<f32> = pixels.iter().map(|&pixel| f32::from(pixel) / 255.0).collect();
            rows.write(1).pixels(&pixels);
            // In pieces of any length.
            let mut writer = rows.write(0);
            floats.chunks(11).for_each(|piece| writer.floats(piece));
            assert_eq!(dense(&rows, 0), floats, "{cols}");
            assert_eq!(dense(&rows, 1), floats, "{cols}");
        }
    }
}
