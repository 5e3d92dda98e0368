//! Reducing a picture to a working size, by area averaging.

use std::ops::Range;

use crate::picture::Picture;
use crate::preprocess::grid::Plane;

/// Pixels of a working picture at most. A digit needs about 20 × 20, and is at
/// least a tenth as high as most pictures are; a smaller one is looked at again.
const WORKING_PIXELS: usize = 192 * 192;

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
}

/// Red, green and blue, 0 to 255 each.
pub(super) type Colours = [Plane; 3];

/// The mean colour of each block of `block` × `block` pixels; the last blocks of
/// a row or column may be smaller. `colour` gives each pixel's.
pub(super) fn reduced(
    picture: &Picture,
    part: &Part,
    block: usize,
    colour: Option<impl Fn([u8; 4]) -> [u8; 3]>,
) -> Colours {
    let width = part.columns.len();
    let (columns, rows) = (width.div_ceil(block), part.rows.len().div_ceil(block));
    let mut colours = [const { Vec::new() }; 3];
    let mut sums = vec![0_u32; 4 * width];
    for first in part.rows.clone().step_by(block) {
        let last = (first + block).min(part.rows.end);
        sums.fill(0);
        for y in first..last {
            let row = &picture.pixels()[y * picture.width()..][part.columns.clone()];
            match &colour {
                None => {
                    for (sum, &byte) in sums.iter_mut().zip(row.as_flattened()) {
                        *sum += u32::from(byte);
                    }
                }
                Some(colour) => {
                    for (sums, &pixel) in sums.as_chunks_mut::<4>().0.iter_mut().zip(row) {
                        for (sum, byte) in sums.iter_mut().zip(colour(pixel)) {
                            *sum += u32::from(byte);
                        }
                    }
                }
            }
        }
        for sums in sums.chunks(4 * block) {
            let mut total = [0; 4];
            for sums in sums.as_chunks::<4>().0 {
                for (total, sum) in total.iter_mut().zip(sums) {
                    *total += sum;
                }
            }
            let scale = 1.0 / ((last - first) * (sums.len() / 4)) as f32;
            for (values, total) in colours.iter_mut().zip(total) {
                values.push(total as f32 * scale);
            }
        }
    }
    colours.map(|values| Plane { width: columns, height: rows, values })
}
