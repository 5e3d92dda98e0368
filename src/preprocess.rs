//! From a picture to the network's input, as MNIST's images were made.
//!
//! 1. Luminance: colour and opacity become one gray value a pixel.
//! 2. Ink: Otsu's threshold separates ink from paper, whichever of them is
//!    dark; the paper becomes 0, the ink 1, and edges stay soft.
//! 3. Normalisation: the ink's bounding box is scaled so that its longer side
//!    is 20 pixels, and moved so that the ink's centre of mass is in the middle
//!    of 28×28.
//!
//! The picture needs a digit on paper whose brightness is even; shadows, noise
//! and lines on the paper are taken for ink where they are as dark.
//!
//! Memory: one byte a pixel besides the picture itself, and four for each pixel
//! of the bounding box's longest row.
//!
//! # Source
//! The normalisation is that of LeCun, Cortes and Burges, *The MNIST database
//! of handwritten digits*: "The original black and white images from NIST were
//! size normalized to fit in a 20x20 pixel box while preserving their aspect
//! ratio. [...] the images were centered in a 28x28 image by computing the
//! center of mass of the pixels, and translating the image so as to position
//! this point at the center of the 28x28 field."

mod centre;
mod ink;
mod luminance;

use crate::digit_image::DigitImage;
use crate::error::Result;
use crate::network::{Network, Preprocessing};
use crate::picture::Picture;
use crate::prediction::Prediction;
use crate::strokes::Strokes;

/// Prepares a picture with one digit for the network.
///
/// ```
/// use digit_recognizer::{Picture, preprocess};
///
/// // A thick black stroke, 2 x 10 pixels, in the corner of white paper.
/// let mut gray = [255; 40 * 40];
/// for y in 3..13 {
///     gray[y * 40 + 5..y * 40 + 7].fill(0);
/// }
/// let digit = preprocess(&Picture::from_gray8(40, 40, &gray)?)?;
/// // Twice as large, and its centre of mass in the middle of pixel 14.
/// assert_eq!(digit.pixels()[14 * 28..15 * 28][11..18], [0.0, 0.5, 1.0, 1.0, 1.0, 0.5, 0.0]);
/// # Ok::<(), digit_recognizer::Error>(())
/// ```
///
/// # Errors
/// [`Error::NoInk`](crate::Error::NoInk) if nothing in the picture stands out
/// from its background.
pub fn preprocess(picture: &Picture) -> Result<DigitImage> {
    let luminance = luminance::luminance(picture);
    let ink = ink::find(&luminance)?;
    Ok(centre::normalise(&luminance, &ink))
}

impl Network {
    /// Reads the digit in a picture: prepares it as the network expects
    /// ([`preprocess()`]), then [predicts](Network::predict).
    ///
    /// # Errors
    /// [`Error::NoInk`](crate::Error::NoInk) if nothing in the picture stands
    /// out from its background.
    ///
    /// # Panics
    /// If the network has not 784 inputs.
    pub fn recognize(&self, picture: &Picture) -> Result<Prediction> {
        match self.preprocessing() {
            Preprocessing::Mnist => Ok(self.predict(&preprocess(picture)?)),
        }
    }

    /// Reads the digit that a pen drew: [draws](Strokes::draw) it as the network
    /// expects, with a pen of [`Strokes::PEN_WIDTH`], then
    /// [predicts](Network::predict). No picture is made on the way, so nothing
    /// has to be told from paper.
    ///
    /// ```
    /// # #[cfg(feature = "pretrained")] {
    /// use digit_recognizer::{Network, Strokes};
    ///
    /// // A 4, as a canvas reports it: x to the right, y downwards.
    /// let strokes = Strokes::new(vec![
    ///     vec![(70.0, 10.0), (45.0, 45.0), (20.0, 80.0), (100.0, 80.0)],
    ///     vec![(75.0, 45.0), (75.0, 130.0)],
    /// ])?;
    /// let prediction = Network::pretrained().recognize_strokes(&strokes)?;
    /// assert_eq!(prediction.digit(), 4);
    /// # }
    /// # Ok::<(), digit_recognizer::Error>(())
    /// ```
    ///
    /// # Errors
    /// For networks with [`Preprocessing::Mnist`] there are none: [`Strokes`]
    /// always have ink.
    ///
    /// # Panics
    /// If the network has not 784 inputs.
    pub fn recognize_strokes(&self, strokes: &Strokes) -> Result<Prediction> {
        match self.preprocessing() {
            Preprocessing::Mnist => Ok(self.predict(&strokes.draw(Strokes::PEN_WIDTH)?)),
        }
    }
}
