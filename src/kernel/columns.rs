//! The columns of some images: which of the images have ink there, as the bits of a word, and
//! their pixels.
//!
//! To turn rows into columns takes a vector of pixels at once; to list them, as rows are, would
//! take longer than to look for the next bit that is set.

use crate::kernel::entry::GROUP;
use crate::kernel::simd::{BYTES, Simd};
use crate::kernel::sparse::MAX_ROWS;

/// Images of a set: bits of a word.
pub(crate) const SET: usize = 64;

/// Columns of images, set by set.
#[derive(Default)]
pub(crate) struct Columns {
    cols: usize,
    /// How many there is room for in each set.
    stride: usize,
    inked: Vec<Inked>,
    pixels: Vec<Pixels>,
}

/// A bit for each image of a set.
type Inked = [u32; SET / BYTES];

/// A set's pixels of a column, in a cache line.
#[derive(Clone, Copy)]
#[repr(align(64))]
struct Pixels([[u8; BYTES]; SET / BYTES]);

const NO_INK: Pixels = Pixels([[0; BYTES]; SET / BYTES]);

/// What a set of images has in each column.
#[derive(Clone, Copy)]
pub(crate) struct Set<'a> {
    inked: &'a [Inked],
    pixels: &'a [Pixels],
}

impl<'a> Set<'a> {
    /// A bit for each image that has ink in a column, the first one's the lowest.
    #[inline(always)]
    pub(crate) fn inked(self, col: usize) -> u64 {
        let [low, high] = self.inked[col].map(u64::from);
        low | high << BYTES
    }

    /// A column's pixels, by image.
    #[inline(always)]
    pub(crate) fn pixels(self, col: usize) -> &'a [u8; SET] {
        self.pixels[col].0.as_flattened().first_chunk().expect("a pixel of each image")
    }
}

impl Columns {
    /// The number of columns.
    pub(crate) fn cols(&self) -> usize {
        self.cols
    }

    /// Number `number` of the sets.
    #[inline(always)]
    pub(crate) fn set(&self, number: usize) -> Set<'_> {
        let place = number * self.stride..number * self.stride + self.cols;
        Set { inked: &self.inked[place.clone()], pixels: &self.pixels[place] }
    }

    /// Takes the columns of other images, and a 1 after the pixels of each if there is a column
    /// more; the memory is used again.
    ///
    /// # Panics
    /// If an image has fewer pixels than that.
    #[inline(always)]
    pub(super) fn fill<S: Simd>(&mut self, simd: S, images: &[&[u8]], cols: usize) {
        self.cols = cols;
        self.stride = cols.next_multiple_of(GROUP);
        let room = images.len().div_ceil(SET) * self.stride;
        self.pixels.resize(room.max(self.pixels.len()), NO_INK);
        self.inked.clear();
        self.inked.resize(room, Inked::default());
        // Columns that are a group, and those that are left.
        let groups = images.first().map_or(0, |image| image.len() / GROUP);
        for (number, images) in images.chunks(BYTES).enumerate() {
            self.fill_groups(simd, number, images, groups);
        }
        for (set, images) in images.chunks(SET).enumerate() {
            for col in groups * GROUP..cols {
                let pixels = &mut self.pixels[set * self.stride + col];
                *pixels = NO_INK;
                for (to, image) in pixels.0.as_flattened_mut().iter_mut().zip(images) {
                    assert!(col <= image.len(), "an element a column");
                    *to = image.get(col).copied().unwrap_or(u8::MAX);
                }
                let inked = pixels.0.each_ref().map(|half| simd.inked(half));
                self.inked[set * self.stride + col] = inked;
            }
        }
    }

    /// Of half a set, so many groups of columns.
    #[inline(always)]
    fn fill_groups<S: Simd>(&mut self, simd: S, number: usize, images: &[&[u8]], groups: usize) {
        const BLANK: [[u8; GROUP]; MAX_ROWS / GROUP] = [[0; GROUP]; MAX_ROWS / GROUP];
        let mut rows = [&BLANK[..groups]; BYTES];
        for (row, image) in rows.iter_mut().zip(images) {
            *row = &image.as_chunks().0[..groups];
        }
        let (set, half) = (number / (SET / BYTES), number % (SET / BYTES));
        let place = set * self.stride..(set + 1) * self.stride;
        let pixels = self.pixels[place.clone()].as_chunks_mut::<GROUP>().0;
        let inked = self.inked[place].as_chunks_mut::<GROUP>().0;
        for (group, (pixels, inked)) in pixels.iter_mut().zip(inked).take(groups).enumerate() {
            simd.columns(|image| &rows[image][group], pixels.each_mut().map(|to| &mut to.0[half]));
            for (inked, pixels) in inked.iter_mut().zip(pixels) {
                inked[half] = simd.inked(&pixels.0[half]);
            }
        }
    }
}
