//! Images column by column, without their zeros.
//!
//! The gradient Xᵀ·D adds, for each column of X, rows of D. Taken by column, the
//! sum stays in registers; taken by row, it is loaded and stored for each pixel.

use std::ops::Range;

use crate::kernel::entry::{Entry, GROUP, Pixel};
use crate::kernel::level::Level;
use crate::kernel::simd::{Kernel, Simd};
use crate::kernel::sparse::SparseRows;

/// Images that are listed together, whose rows of D, 128 × 64 floats, fill an L1 cache.
pub(crate) const TURN: usize = 128;

/// The columns of some images of a chunk.
#[derive(Default)]
pub(crate) struct InkedColumns {
    images: usize,
    cols: usize,
    /// Turn by turn a list for each column; what an entry calls its column is the image's
    /// number in the turn.
    lists: SparseRows<Pixel>,
}

impl InkedColumns {
    /// Takes over `parts` of a chunk of `images`, and a 1 after each of them; the memory is used
    /// again.
    ///
    /// # Panics
    /// If an image has not one pixel fewer than `cols`.
    pub(crate) fn fill<'a>(
        &mut self,
        level: Level,
        (images, cols): (usize, usize),
        parts: impl Iterator<Item = Range<usize>> + Clone,
        image: impl Fn(usize) -> &'a [u8],
    ) {
        (self.images, self.cols) = (images, cols);
        let turns = images.div_ceil(TURN);
        self.lists.clear(turns * cols, TURN.min(images), (TURN, 1));
        for first in (0..images).step_by(TURN) {
            // Of other parts, nothing.
            let mut turn: [&[u8]; TURN] = [&[]; TURN];
            let images = first..images.min(first + TURN);
            for part in parts.clone() {
                for number in part.start.max(images.start)..part.end.min(images.end) {
                    let pixels = image(number);
                    assert_eq!(pixels.len() + 1, cols, "a column for each pixel and the 1");
                    turn[number - first] = pixels;
                }
            }
            let images = &turn.as_chunks().0[..images.len().div_ceil(8)];
            level.run(PushColumns { lists: &mut self.lists, images, cols });
        }
    }

    /// How many images there are in the chunk.
    pub(crate) fn images(&self) -> usize {
        self.images
    }

    /// Which images of a turn have ink, column by column; `within` some of them, if not all are
    /// asked for.
    #[inline(always)]
    pub(crate) fn lists(
        &self,
        turn: usize,
        columns: Range<usize>,
        within: Option<Range<usize>>,
    ) -> impl Iterator<Item = &[Pixel]> {
        let first = turn * self.cols;
        let lists = self.lists.lists(first + columns.start..first + columns.end, 0);
        lists.map(move |list| {
            let Some(within) = &within else { return list };
            let place = |image| list.partition_point(|entry| entry.column() < image);
            &list[place(within.start)..place(within.end)]
        })
    }
}

/// Adds the columns of a turn's images.
struct PushColumns<'l, 'a> {
    lists: &'l mut SparseRows<Pixel>,
    images: &'l [[&'a [u8]; 8]],
    cols: usize,
}

impl Kernel for PushColumns<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { lists, images, cols } = self;
        // Sixteen columns; of each the pixels, by image, eight of them at once.
        let mut stripe = [[[0; 8]; TURN / 8]; GROUP];
        let groups = images.len().div_ceil(2);
        for first in (0..cols).step_by(GROUP) {
            let is_whole = first + GROUP < cols;
            for (group, images) in images.iter().enumerate() {
                let rest: [_; 8];
                let rows = if is_whole {
                    std::array::from_fn(|i| {
                        images[i].get(first..).and_then(<[u8]>::first_chunk).unwrap_or(&[0; GROUP])
                    })
                } else {
                    rest = std::array::from_fn(|i| {
                        let mut row = [0; GROUP];
                        let rest = images[i].get(first..).unwrap_or_default();
                        row[..rest.len()].copy_from_slice(rest);
                        row[rest.len()] = if images[i].is_empty() { 0 } else { u8::MAX };
                        row
                    });
                    rest.each_ref()
                };
                for (column, pixels) in stripe.iter_mut().zip(simd.columns(rows)) {
                    column[group] = pixels;
                }
            }
            for pixels in &stripe[..GROUP.min(cols - first)] {
                lists.push_groups(simd, &pixels.as_flattened().as_chunks().0[..groups]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_tell_which_images_have_ink() {
        let (images, cols) = if cfg!(miri) { (131, 4) } else { (300, 40) };
        let pixels = cols - 1;
        let bytes: Vec<u8> =
            (0..images * pixels).map(|i: usize| (i * i % 7 % 3) as u8 * 99).collect();
        let image = |image: usize| &bytes[image * pixels..][..pixels];
        let mut columns = InkedColumns::default();
        for (count, missing) in [(images, 0..0), (1, 0..0), (0, 0..0), (images - 2, 5..129)] {
            let given = |number: usize| Some(image(number)).filter(|_| !missing.contains(&number));
            for level in Level::available() {
                let parts = [0..missing.start, missing.end..count];
                columns.fill(level, (count, cols), parts.into_iter(), image);
                for turn in 0..count.div_ceil(TURN) {
                    for within in [None, Some(0..TURN), Some(3..9), Some(1..2)] {
                        let lists = columns.lists(turn, 1..cols, within.clone());
                        for (col, list) in (1..).zip(lists) {
                            let found: Vec<_> =
                                list.iter().map(|entry| (entry.column(), entry.pixel)).collect();
                            let pixel = |i| {
                                let image = given(turn * TURN + i)?;
                                image.get(col).copied().or(Some(u8::MAX)).filter(|&pixel| pixel > 0)
                            };
                            let expected: Vec<_> = within
                                .clone()
                                .unwrap_or(0..TURN)
                                .take_while(|i| turn * TURN + i < count)
                                .filter_map(|i| Some((i, pixel(i)?)))
                                .collect();
                            assert_eq!(found, expected, "{level}, {turn}, {within:?}, {col}");
                        }
                    }
                }
            }
        }
    }
}
