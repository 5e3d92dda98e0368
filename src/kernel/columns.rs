//! Sparse rows column by column.
//!
//! The gradient Xᵀ·D adds, for each column of X, rows of D. Listed by column, the
//! sum stays in registers; listed by row, it is loaded and stored for each entry.
//! That is worth the listing where rows of D are long.

use crate::kernel::sparse::{BLOCK, Entry, SparseRows};

/// The numbers of each column that are not zero, and their rows.
#[derive(Default)]
pub(crate) struct SparseColumns {
    /// The places of each column: as many as there are rows.
    room: usize,
    entries: Vec<Entry>,
    /// Where the entries of each column end.
    ends: Vec<usize>,
}

impl SparseColumns {
    /// Takes over the entries of some rows; the memory is used again.
    pub(crate) fn fill(&mut self, rows: &SparseRows) {
        self.room = rows.rows();
        let columns = rows.blocks() * BLOCK;
        if self.entries.len() < columns * self.room {
            self.entries.resize(columns * self.room, Entry::default());
        }
        self.ends.clear();
        self.ends.extend((0..columns).map(|column| column * self.room));
        // The ends of a block's lists are in the L1 cache together.
        for (block, ends) in self.ends.chunks_exact_mut(BLOCK).enumerate() {
            for row in 0..rows.rows() {
                for entry in rows.block(row, block) {
                    let end = &mut ends[entry.column as usize];
                    self.entries[*end] = Entry { column: row as u32, value: entry.value };
                    *end += 1;
                }
            }
        }
    }

    /// The entries of a column: their rows and values, in the order of the rows.
    #[inline(always)]
    pub(crate) fn column(&self, column: usize) -> &[Entry] {
        &self.entries[column * self.room..self.ends[column]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::level::Level;

    #[test]
    fn columns_have_the_entries_of_the_rows_in_order() {
        let mut columns = SparseColumns::default();
        for (count, cols) in [(5, 300), (1, 16), (3, 273)] {
            let pixel = |row, col| if (row + col) % 3 == 0 { (row * 7 + col) as u8 } else { 0 };
            let mut rows = SparseRows::default();
            rows.clear(count, cols);
            for row in 0..count {
                let pixels: Vec<u8> = (0..cols).map(|col| pixel(row, col)).collect();
                rows.push(Level::best(), [&pixels[..]].into_iter());
            }
            columns.fill(&rows);
            for col in 0..cols {
                let found = columns.column(col).iter().map(|entry| (entry.column, entry.value));
                let expected = (0..count).filter(|&row| pixel(row, col) != 0);
                let expected = expected.map(|row| (row as u32, f32::from(pixel(row, col)) / 255.0));
                assert!(found.eq(expected), "column {col} of {count} x {cols}");
            }
        }
    }
}
