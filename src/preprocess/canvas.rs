//! What opacity means in a picture.

use crate::picture::Picture;
use crate::preprocess::reduce::Part;

/// Opacity from which a pixel counts as visible.
const VISIBLE: u8 = 128;

/// Gray values that differ by less than this are one colour on a transparent
/// canvas; JPEG-like noise around one colour stays below it.
const ONE_COLOUR: u8 = 16;

/// What lies behind the pixels of a picture that is not opaque.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Canvas {
    /// The drawing is on a transparent canvas: opacity is ink, and the colour
    /// says nothing.
    Transparent,
    /// The drawing has a paper, whose colour this is.
    Paper([u8; 3]),
}

impl Canvas {
    /// The colour that is seen of a pixel.
    pub(super) fn colour(self, [red, green, blue, opacity]: [u8; 4]) -> [u8; 3] {
        let over = |colour: u8, paper: u8| {
            let (share, rest) = (u32::from(opacity), u32::from(u8::MAX - opacity));
            // A mean of two bytes, so it is a byte.
            ((u32::from(colour) * share + u32::from(paper) * rest + 127) / 255) as u8
        };
        match self {
            Self::Transparent => [u8::MAX - opacity; 3],
            Self::Paper(paper) => {
                [over(red, paper[0]), over(green, paper[1]), over(blue, paper[2])]
            }
        }
    }
}

/// Tells a drawing on a transparent canvas from one on paper: its visible
/// pixels are of one colour, or are fewer than the others.
pub(super) fn canvas(picture: &Picture, part: &Part) -> Canvas {
    let rows = part.rows.clone();
    let rows = rows.map(|y| &picture.pixels()[y * picture.width()..][part.columns.clone()]);
    let mut histograms = [[0_usize; 256]; 3];
    for pixel in rows.flatten().filter(|pixel| pixel[3] >= VISIBLE) {
        for (histogram, &value) in histograms.iter_mut().zip(pixel) {
            histogram[usize::from(value)] += 1;
        }
    }
    let visible: usize = histograms[0].iter().sum();
    let one_colour = histograms.iter().all(|histogram| {
        let darkest = histogram.iter().position(|&count| count > 0).unwrap_or(0);
        let brightest = histogram.iter().rposition(|&count| count > 0).unwrap_or(0);
        brightest - darkest < usize::from(ONE_COLOUR)
    });
    if one_colour || 2 * visible < part.columns.len() * part.rows.len() {
        return Canvas::Transparent;
    }
    Canvas::Paper(histograms.map(|histogram| {
        let mut below = 0;
        let median = (0..=u8::MAX).find(|&value| {
            below += histogram[usize::from(value)];
            2 * below >= visible
        });
        median.unwrap_or(u8::MAX)
    }))
}
