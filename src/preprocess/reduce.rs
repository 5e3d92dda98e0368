//! Reducing a picture to a working size, by area averaging.

use std::ops::Range;

use crate::kernel::level::Level;
use crate::kernel::simd::{Kernel, Simd};
use crate::picture::Picture;
use crate::preprocess::grid::Plane;

/// Pixels of a working picture at most. A digit needs about 20 × 20, and is at
/// least a tenth as high as most pictures are; a smaller one is looked at again.
const WORKING_PIXELS: usize = 144 * 144;

/// Small pictures are enlarged so many times at most. Of drawn digits of 16×16
/// pixels 97.6 % are read without, 98.6 % so, and no more with 6 or 8 times.
const LARGEST_ZOOM: usize = 4;

/// A part of a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) columns: Range<usize>,
    pub(super) rows: Range<usize>,
}

impl Part {
    pub(super) fn whole(picture: &Picture) -> Self {
        Self { columns: 0..picture.width(), rows: 0..picture.height() }
    }

    /// The least side of a block with which the part fits into a working picture.
    pub(super) fn block(&self) -> usize {
        let (width, height) = (self.columns.len(), self.rows.len());
        (1..).find(|k| width.div_ceil(*k) * height.div_ceil(*k) <= WORKING_PIXELS).unwrap_or(1)
    }

    /// How many working pixels each pixel becomes along an axis; 1 where the part is
    /// reduced.
    pub(super) fn zoom(&self) -> usize {
        let pixels = self.columns.len() * self.rows.len();
        let fits = |zoom: &usize| pixels.saturating_mul(zoom * zoom) <= WORKING_PIXELS;
        (1..=LARGEST_ZOOM).rev().find(fits).unwrap_or(1)
    }
}

/// Red, green and blue, 0 to 255 each.
pub(super) type Colours = [Plane; 3];

/// The mean colour of each block of `block` × `block` pixels, if every pixel is
/// opaque; the last blocks of a row or column may be smaller.
pub(super) fn reduced(picture: &Picture, part: &Part, block: usize) -> Option<Colours> {
    let add = |sums: &mut [u16], row: &[[u8; 4]]| {
        for (sum, &byte) in sums.iter_mut().zip(row.as_flattened()) {
            *sum += u16::from(byte);
        }
        row.iter().fold(u8::MAX, |all, pixel| all & pixel[3]) == u8::MAX
    };
    let (colours, opaque) = Level::best().run(Reduction { picture, part, block, add });
    opaque.then_some(colours)
}

/// As [`reduced`], of any picture; `colour` gives what is seen of each pixel.
pub(super) fn reduced_as(
    colour: impl Fn([u8; 4]) -> [u8; 3],
    picture: &Picture,
    part: &Part,
    block: usize,
) -> Colours {
    let add = |sums: &mut [u16], row: &[[u8; 4]]| {
        for (sums, &pixel) in sums.as_chunks_mut::<4>().0.iter_mut().zip(row) {
            for (sum, byte) in sums.iter_mut().zip(colour(pixel)) {
                *sum += u16::from(byte);
            }
        }
        true
    };
    Level::best().run(Reduction { picture, part, block, add }).0
}

struct Reduction<'a, A> {
    picture: &'a Picture,
    part: &'a Part,
    block: usize,
    /// Adds a row's bytes to the sums, four a pixel, and says whether it is opaque.
    add: A,
}

impl<A: Fn(&mut [u16], &[[u8; 4]]) -> bool> Kernel for Reduction<'_, A> {
    type Output = (Colours, bool);

    #[inline(always)]
    fn run<S: Simd>(self, _: S) -> (Colours, bool) {
        let Self { picture, part, block, add } = self;
        let width = part.columns.len();
        let (columns, rows) = (width.div_ceil(block), part.rows.len().div_ceil(block));
        let mut colours = std::array::from_fn(|_| Plane::filled(columns, rows, 0.0));
        let mut sums = vec![0_u16; 4 * width];
        let mut totals = vec![[0_u32; 4]; columns];
        let mut opaque = true;
        for first in part.rows.clone().step_by(block) {
            let last = (first + block).min(part.rows.end);
            totals.fill([0; 4]);
            // 257 rows of bytes are the most that 16 bits hold.
            for rows in (first..last).step_by(257).map(|start| start..(start + 257).min(last)) {
                sums.fill(0);
                for y in rows {
                    let row = &picture.pixels()[y * picture.width()..][part.columns.clone()];
                    opaque &= add(&mut sums, row);
                }
                for (total, sums) in totals.iter_mut().zip(sums.as_chunks::<4>().0.chunks(block)) {
                    for sums in sums {
                        *total = std::array::from_fn(|c| total[c] + u32::from(sums[c]));
                    }
                }
            }
            // The last block may be narrower; its sums are made as those of a whole one.
            let rest = width - (columns - 1) * block;
            let scale = 1.0 / ((last - first) * block) as f32;
            let widened = block as f32 / rest as f32;
            let row = (first - part.rows.start) / block * columns..;
            let [red, green, blue]: &mut Colours = &mut colours;
            let values = red.values[row.clone()].iter_mut().zip(&mut green.values[row.clone()]);
            let values = values.zip(&mut blue.values[row.clone()]);
            for (((red, green), blue), total) in values.zip(&totals) {
                *red = total[0] as f32 * scale;
                *green = total[1] as f32 * scale;
                *blue = total[2] as f32 * scale;
            }
            let end = row.start + columns - 1;
            colours.iter_mut().for_each(|plane| plane.values[end] *= widened);
        }
        (colours, opaque)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_block_becomes_its_mean() {
        let (width, height) = (17, 11);
        let rgba: Vec<u8> = (0..width * height * 4).map(|i| (i * 37 % 251) as u8).collect();
        let picture = |rgba| Picture::from_rgba8(width, height, rgba).expect("four bytes a pixel");
        let opaque = picture(rgba.chunks(4).flat_map(|p| [p[0], p[1], p[2], 255]).collect());
        let picture = picture(rgba);
        let part = Part { columns: 2..16, rows: 1..11 };
        for block in [1, 2, 3, 4, 7, 20] {
            let found = reduced_as(|[r, g, b, _]| [r, g, b], &picture, &part, block);
            assert!(reduced(&picture, &part, block).is_none());
            assert_eq!(reduced(&opaque, &part, block).as_ref(), Some(&found));
            assert_eq!(
                (found[0].width, found[0].height),
                (14_usize.div_ceil(block), 10_usize.div_ceil(block))
            );
            for (channel, plane) in found.iter().enumerate() {
                for (at, &value) in plane.values.iter().enumerate() {
                    let (x, y) = (2 + at % plane.width * block, 1 + at / plane.width * block);
                    let pixels = (y..(y + block).min(11))
                        .flat_map(|y| (x..(x + block).min(16)).map(move |x| (x, y)));
                    let values: Vec<f32> = pixels
                        .map(|(x, y)| f32::from(picture.pixels()[y * width + x][channel]))
                        .collect();
                    let mean = values.iter().sum::<f32>() / values.len() as f32;
                    assert!((value - mean).abs() < 1e-3, "{block} at {at}: {value}, {mean}");
                }
            }
        }
    }

    #[test]
    fn a_working_picture_is_bounded() {
        for (width, height) in [
            (1, 1),
            (16, 16),
            (28, 28),
            (144, 144),
            (145, 144),
            (4_000, 3_000),
            (1, 65_535),
            (9_000, 70),
        ] {
            let part = Part { columns: 0..width, rows: 0..height };
            let block = part.block();
            let pixels = |block: usize| width.div_ceil(block) * height.div_ceil(block);
            assert!(pixels(block) <= WORKING_PIXELS);
            assert!(block == 1 || pixels(block - 1) > WORKING_PIXELS);
            assert!(part.zoom() == 1 || width * height * part.zoom().pow(2) <= WORKING_PIXELS);
        }
    }
}
