//! The network's input: one digit, 28×28.

use std::fmt;

use crate::error::{Error, Result};

/// Rows and columns of a [`DigitImage`].
pub const SIDE: usize = 28;

/// Pixels of a [`DigitImage`].
pub const PIXELS: usize = SIDE * SIDE;

/// The longer side of the digit's ink, in pixels.
pub(crate) const BOX: f32 = 20.0;

/// Where the ink's centre of mass is, in pixels from the left and from the top:
/// the middle of pixel 14, counted from 0. MNIST's images were moved by whole
/// pixels; their centres are spread evenly over that pixel, and their mean is here.
pub(crate) const MIDDLE: f32 = 14.5;

/// One digit as the network sees it: 28×28 pixels, row by row from the top
/// left, 0 where the paper is and 1 where the ink is.
///
/// This is the form of the MNIST images: the digit fills a 20×20 box, and its
/// centre of mass is in the middle of the picture (LeCun, Cortes and Burges,
/// *The MNIST database of handwritten digits*).
///
/// ```
/// use digit_recognizer::DigitImage;
///
/// let mut bytes = [0; 784];
/// bytes[14 * 28 + 14] = 255;
/// let image = DigitImage::from_bytes(&bytes);
/// assert_eq!(image.pixels()[14 * 28 + 14], 1.0);
/// ```
#[derive(Clone, PartialEq)]
pub struct DigitImage {
    pixels: [f32; PIXELS],
}

impl DigitImage {
    /// A digit from its 784 pixels, each 0 (paper) to 1 (ink).
    ///
    /// # Errors
    /// [`Error::Mismatch`] if there are not 784 values, or one is not within 0..=1.
    pub fn from_pixels(pixels: &[f32]) -> Result<Self> {
        let pixels: [f32; PIXELS] = pixels.try_into().map_err(|_| Error::Mismatch {
            what: "pixels of a digit image",
            expected: format!("{PIXELS} values"),
            found: format!("{} values", pixels.len()),
        })?;
        if let Some(index) = pixels.iter().position(|pixel| !(0.0..=1.0).contains(pixel)) {
            return Err(Error::Mismatch {
                what: "pixels of a digit image",
                expected: "values from 0 to 1".to_owned(),
                found: format!("{} at index {index}", pixels[index]),
            });
        }
        Ok(Self { pixels })
    }

    /// A digit from 784 bytes as MNIST stores them, 0 (paper) to 255 (ink).
    pub fn from_bytes(bytes: &[u8; PIXELS]) -> Self {
        Self { pixels: bytes.map(|byte| f32::from(byte) / 255.0) }
    }

    /// A digit from pixels that are known to be within 0..=1.
    pub(crate) fn from_unit_pixels(pixels: [f32; PIXELS]) -> Self {
        debug_assert!(pixels.iter().all(|pixel| (0.0..=1.0).contains(pixel)));
        Self { pixels }
    }

    /// The 784 pixels, row by row, each 0 (paper) to 1 (ink).
    pub fn pixels(&self) -> &[f32; PIXELS] {
        &self.pixels
    }
}

impl AsRef<[f32]> for DigitImage {
    fn as_ref(&self) -> &[f32] {
        &self.pixels
    }
}

/// The picture as text: a line for each row, darker characters for more ink.
impl fmt::Display for DigitImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHADES: [char; 10] = [' ', '.', ':', '-', '=', '+', '*', '#', '%', '@'];
        for row in self.pixels.chunks_exact(SIDE) {
            for pixel in row {
                // Pixels are within 0..=1, so the shade is within 0..=9.
                write!(f, "{}", SHADES[(pixel * 9.0).round() as usize])?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl fmt::Debug for DigitImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "DigitImage")?;
        fmt::Display::fmt(self, f)
    }
}
