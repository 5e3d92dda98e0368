//! One gray value a pixel.

use crate::picture::Picture;

/// Opacity from which a pixel counts as visible.
const VISIBLE: u8 = 128;

/// Gray values that differ by less than this are one colour on a transparent
/// canvas; JPEG-like noise around one colour stays below it.
const ONE_COLOUR: u8 = 16;

/// The gray values of a picture, 0 black to 255 white, row by row.
pub(super) struct Luminance {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) values: Vec<u8>,
}

/// What lies behind the pixels that are not opaque.
enum Canvas {
    /// The drawing is on a transparent canvas: opacity is ink, and the colour
    /// says nothing.
    Transparent,
    /// The drawing has a paper, whose gray value this is.
    Paper(u8),
}

/// Turns colour into gray, and opacity into ink or paper.
pub(super) fn luminance(picture: &Picture) -> Luminance {
    let canvas = canvas(picture);
    let value = |&[red, green, blue, opacity]: &[u8; 4]| match canvas {
        Canvas::Transparent => u8::MAX - opacity,
        Canvas::Paper(paper) => {
            let (gray, opacity) = (u32::from(luma([red, green, blue])), u32::from(opacity));
            // A mean of two bytes, so it is a byte.
            ((gray * opacity + u32::from(paper) * (255 - opacity) + 127) / 255) as u8
        }
    };
    Luminance {
        width: picture.width(),
        height: picture.height(),
        values: picture.pixels().iter().map(value).collect(),
    }
}

/// The brightness of a colour.
///
/// # Source
/// ITU-R BT.601, section 2.5.1, in whole numbers.
fn luma([red, green, blue]: [u8; 3]) -> u8 {
    // The weights sum to 1000, so the quotient is a byte.
    ((299 * u32::from(red) + 587 * u32::from(green) + 114 * u32::from(blue) + 500) / 1000) as u8
}

/// Tells a drawing on a transparent canvas from one on paper: its visible
/// pixels are of one colour, or are fewer than the others.
fn canvas(picture: &Picture) -> Canvas {
    let pixels = picture.pixels();
    if pixels.iter().all(|pixel| pixel[3] == u8::MAX) {
        return Canvas::Paper(u8::MAX);
    }
    let visible = pixels.iter().filter(|pixel| pixel[3] >= VISIBLE);
    let mut histogram = [0; 256];
    for &[red, green, blue, _] in visible {
        histogram[usize::from(luma([red, green, blue]))] += 1;
    }
    let count: usize = histogram.iter().sum();
    let darkest = histogram.iter().position(|&count| count > 0).unwrap_or(0);
    let brightest = histogram.iter().rposition(|&count| count > 0).unwrap_or(0);
    if 2 * count < pixels.len() || brightest - darkest < usize::from(ONE_COLOUR) {
        return Canvas::Transparent;
    }
    let mut below = 0;
    let median = (0..=u8::MAX).find(|&gray| {
        below += histogram[usize::from(gray)];
        2 * below >= count
    });
    Canvas::Paper(median.unwrap_or(u8::MAX))
}
