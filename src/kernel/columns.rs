//! Images column by column.
//!
//! The gradient Xᵀ·D adds, for each column of X, rows of D. Taken by column, the
//! sum stays in registers; taken by row, it is loaded and stored for each pixel.
//! Which images have ink in a column are the bits of a word: that is found faster
//! than a list of them. Eight images make a byte for each column; eight bytes are put
//! together where they are used.

use std::ops::Range;

use crate::kernel::level::Level;
use crate::kernel::simd::{Kernel, Simd};

/// Images whose bits are in one word, and in one byte of it.
pub(crate) const WORD: usize = 64;
const BYTE: usize = 8;

/// What a pixel stands for.
pub(crate) const NUMBERS: [f32; 256] = {
    let mut numbers = [0.0; 256];
    let mut pixel = 0;
    while pixel < 256 {
        numbers[pixel] = pixel as f32 / 255.0;
        pixel += 1;
    }
    numbers
};

/// In which columns some images of a chunk are not zero.
#[derive(Default)]
pub(crate) struct InkedColumns {
    /// Which images of the chunk.
    images: Range<usize>,
    cols: usize,
    /// A byte for each column, for each [`BYTE`] images of the chunk that some of
    /// these are among.
    bytes: Vec<u8>,
}

impl InkedColumns {
    /// Takes over these images of a chunk, and a 1 after each; the memory is used again.
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
        let bytes = images.end.div_ceil(BYTE) - images.start / BYTE;
        (self.images, self.cols) = (images, cols);
        self.bytes.clear();
        self.bytes.resize(bytes * cols, 0);
        level.run(Fill { columns: self, image });
    }

    /// Which of a word's images are among these.
    #[inline(always)]
    pub(crate) fn images(&self, word: usize) -> Range<usize> {
        let (first, end) = (word * WORD, (word + 1) * WORD);
        self.images.start.clamp(first, end)..self.images.end.clamp(first, end)
    }

    /// The place of an image of the chunk among these.
    #[inline(always)]
    pub(crate) fn row(&self, image: usize) -> usize {
        image - self.images.start
    }

    /// Adds to the words of some columns: bit i says whether image i of the word's is not
    /// zero there.
    #[inline(always)]
    pub(crate) fn add_word(&self, word: usize, columns: Range<usize>, words: &mut [u64]) {
        let images = self.images(word);
        let first = self.images.start / BYTE;
        for byte in images.start / BYTE..images.end.div_ceil(BYTE) {
            let bytes = &self.bytes[(byte - first) * self.cols..][..self.cols][columns.clone()];
            let shift = byte * BYTE % WORD;
            for (word, &byte) in words.iter_mut().zip(bytes) {
                *word |= u64::from(byte) << shift;
            }
        }
    }
}

/// Sets the bits in the bytes, which are zeros.
struct Fill<'c, F> {
    columns: &'c mut InkedColumns,
    image: F,
}

impl<'a, F: Fn(usize) -> &'a [u8]> Kernel for Fill<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let InkedColumns { images, cols, bytes } = self.columns;
        let first = images.start / BYTE;
        for image in images.clone() {
            let bytes = &mut bytes[(image / BYTE - first) * *cols..][..*cols];
            let (one, bytes) = bytes.split_last_mut().expect("a column for the 1");
            let pixels = (self.image)(image);
            assert_eq!(pixels.len(), bytes.len(), "a column for each pixel");
            let bit = 1 << (image % BYTE);
            *one |= bit;
            for (byte, &pixel) in bytes.iter_mut().zip(pixels) {
                *byte |= if pixel == 0 { 0 } else { bit };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_tell_which_images_have_ink() {
        let cols = 40;
        let pixels: Vec<u8> = (0..150 * 39).map(|i: usize| (i * i % 7 % 3) as u8 * 99).collect();
        let image = |image: usize| &pixels[image * 39..][..39];
        let mut columns = InkedColumns::default();
        for images in [0..150, 60..70, 64..128, 0..1, 5..5, 63..65] {
            for level in Level::available() {
                columns.fill(level, images.clone(), cols, image);
                for word in images.start / WORD..images.end.div_ceil(WORD) {
                    let here = columns.images(word);
                    let inside = |i: &usize| images.contains(i) && i / WORD == word;
                    assert!(here.clone().eq((0..150).filter(inside)), "{images:?}, {word}");
                    let mut words = [0; 37];
                    columns.add_word(word, 3..cols, &mut words);
                    for col in 3..cols {
                        let inked = |&i: &usize| image(i).get(col).is_none_or(|&pixel| pixel > 0);
                        let expected =
                            here.clone().filter(inked).fold(0, |word, i| word | 1 << (i % WORD));
                        assert_eq!(words[col - 3], expected, "{level}");
                    }
                }
            }
        }
    }
}
