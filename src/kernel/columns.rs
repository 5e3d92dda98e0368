//! Images column by column.
//!
//! The gradient Xᵀ·D adds, for each column of X, rows of D. Taken by column, the
//! sum stays in registers; taken by row, it is loaded and stored for each pixel.
//! Which images have ink in a column are the bits of a word: that is found faster
//! than a list of them, and is little for another core to read.

use std::ops::Range;

use crate::kernel::level::Level;
use crate::kernel::simd::{Kernel, Simd};

/// Images whose bits are in one word.
pub(crate) const WORD: usize = 64;

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
    /// A word for each column, for each [`WORD`] images of the chunk that some of
    /// these are among.
    words: Vec<u64>,
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
        let words = images.end.div_ceil(WORD) - images.start / WORD;
        (self.images, self.cols) = (images, cols);
        self.words.clear();
        self.words.resize(words * cols, 0);
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

    /// A word of some columns: bit i says whether image i of the word's is not zero
    /// there. Some of these must be among the word's images.
    #[inline(always)]
    pub(crate) fn word(&self, word: usize, columns: Range<usize>) -> &[u64] {
        let start = (word - self.images.start / WORD) * self.cols;
        &self.words[start..][..self.cols][columns]
    }
}

/// Sets the bits in the words, which are zeros.
struct Fill<'c, F> {
    columns: &'c mut InkedColumns,
    image: F,
}

impl<'a, F: Fn(usize) -> &'a [u8]> Kernel for Fill<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, _: S) {
        let InkedColumns { images, cols, words } = self.columns;
        let first_word = images.start / WORD;
        for image in images.clone() {
            let words = &mut words[(image / WORD - first_word) * *cols..][..*cols];
            let (one, words) = words.split_last_mut().expect("a column for the 1");
            let pixels = (self.image)(image);
            assert_eq!(pixels.len(), words.len(), "a column for each pixel");
            let bit = 1 << (image % WORD);
            *one |= bit;
            for (word, &pixel) in words.iter_mut().zip(pixels) {
                *word |= if pixel == 0 { 0 } else { bit };
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
                    for col in 3..cols {
                        let inked = |&i: &usize| image(i).get(col).is_none_or(|&pixel| pixel > 0);
                        let expected =
                            here.clone().filter(inked).fold(0, |word, i| word | 1 << (i % WORD));
                        assert_eq!(columns.word(word, 3..cols)[col - 3], expected, "{level}");
                    }
                }
            }
        }
    }
}
