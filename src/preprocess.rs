//! From a picture to the network's input, as MNIST's images were made.
//!
//! A picture of 28×28 that already has MNIST's form is left as it is. Any other
//! goes through these steps, each a function with its source:
//!
//! | step | what it does |
//! |---|---|
//! | reduced | the means of blocks make a working picture of at most 144×144 pixels |
//! | colour axis | colour becomes one value, along the axis from paper to ink; on a transparent canvas opacity is ink |
//! | without noise | single pixels go; as much smoothing as the noise asks for |
//! | contrast | how much darker (or lighter) than the paper around; light and shadow cancel |
//! | ink without lines | what stands out, without ruled lines and printed boxes |
//! | digit | the heaviest group of components, without specks, dashes and the picture's rim |
//! | ink of the digit | its soft edges, half-way between ink and paper |
//! | canonical | the digit with 64 pixels along its longer side |
//! | stroke | its edges moved until the stroke has MNIST's width |
//! | centred | scaled to 20 pixels, the centre of mass in the middle of 28×28 |
//!
//! On plain paper noise is left, as there is none. A digit that is small in the
//! working picture goes through the first steps twice: the second time only what
//! is around it. A picture of at most 72×72 pixels, or such a part of one, is
//! enlarged: a digit of 16×16 pixels has no edges to speak of before.
//!
//! What the caller knows he can say: [`Preprocess`]. The steps can be watched:
//! [`Preprocess::stages`].
//!
//! Time is in proportion to the picture's pixels only where they are reduced.
//! Memory: at most the bytes of one row of the picture six times, and 4 MiB.
//!
//! # Source
//! The form is that of LeCun, Cortes and Burges, *The MNIST database of
//! handwritten digits*: "The original black and white images from NIST were
//! size normalized to fit in a 20x20 pixel box while preserving their aspect
//! ratio. [...] the images were centered in a 28x28 image by computing the
//! center of mass of the pixels, and translating the image so as to position
//! this point at the center of the 28x28 field."

mod bounds;
mod canvas;
mod centre;
mod colour_axis;
mod components;
mod contrast;
mod distance;
mod enlarge;
mod grid;
mod labels;
mod lines;
mod locate;
mod mean;
mod mnist_form;
mod morphology;
mod noise;
mod reduce;
mod scale;
mod segments;
mod separation;
mod sides;
mod stages;
mod stroke;
mod thinning;
mod threshold;

pub use contrast::Polarity;
pub use stages::Stage;

use crate::digit_image::DigitImage;
use crate::error::{Error, Result};
use crate::network::{Network, Preprocessing};
use crate::picture::Picture;
use crate::prediction::Prediction;
use crate::strokes::Strokes;
use reduce::Part;
use stages::Watch;

/// A part of a picture, in its pixels from the top left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Crop {
    /// The first column.
    pub x: usize,
    /// The first row.
    pub y: usize,
    /// The number of columns, at least 1.
    pub width: usize,
    /// The number of rows, at least 1.
    pub height: usize,
}

/// How to prepare a picture: what the caller knows about it.
///
/// ```
/// use digit_recognizer::{Picture, Polarity, Preprocess};
///
/// // A stroke, 8 x 40 pixels, on dark paper.
/// let mut gray = [40; 100 * 100];
/// for y in 30..70 {
///     gray[y * 100 + 60..y * 100 + 68].fill(200);
/// }
/// let picture = Picture::from_gray8(100, 100, &gray)?;
/// let chalk = Preprocess { polarity: Some(Polarity::Light), ..Preprocess::default() };
/// let digit = chalk.run(&picture)?;
/// // 20 pixels high, and its centre of mass in the middle of pixel 14.
/// let rows = digit.pixels().chunks(28).filter(|row| row[14] > 0.5);
/// assert!((19..=21).contains(&rows.count()));
/// # Ok::<(), digit_recognizer::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preprocess {
    /// Whether the ink is darker or lighter than its paper; found out where this
    /// is `None`. On a transparent canvas opacity is ink, whatever this says.
    pub polarity: Option<Polarity>,
    /// The part of the picture to look at; all of it where this is `None`.
    pub crop: Option<Crop>,
    /// Whether to bring the stroke to the width that MNIST's have.
    pub normalise_stroke: bool,
}

impl Default for Preprocess {
    /// Nothing is known, and the stroke is brought to MNIST's width.
    fn default() -> Self {
        Self { polarity: None, crop: None, normalise_stroke: true }
    }
}

impl Preprocess {
    /// Prepares a picture with one digit for the network.
    ///
    /// # Errors
    /// [`Error::NoInk`] if nothing in the picture stands out from its
    /// background; [`Error::Mismatch`] if the crop is not within the picture.
    pub fn run(&self, picture: &Picture) -> Result<DigitImage> {
        self.prepare(picture, &mut Watch::nobody())
    }

    /// As [`run`](Self::run), with the result of each step as a picture, in order
    /// and as far as it came. Those of the first steps come twice where the digit
    /// was small.
    pub fn stages(&self, picture: &Picture) -> (Vec<Stage>, Result<DigitImage>) {
        let mut watch = Watch::somebody();
        let result = self.prepare(picture, &mut watch);
        (watch.into_stages(), result)
    }

    fn prepare(&self, picture: &Picture, watch: &mut Watch) -> Result<DigitImage> {
        watch.picture("picture", || picture.clone());
        let part = self.part(picture)?;
        let formed = match self.crop {
            None => mnist_form::digit(picture, self.polarity),
            Some(_) => None,
        };
        let digit = match formed {
            Some(digit) => digit,
            None => {
                let found = locate::locate(picture, &part, self.polarity, watch)?;
                let canonical = stroke::canonical(&found.ink, found.bounds);
                watch.plane("canonical", &canonical, 1.0, 0.0);
                let stroke = stroke::normalised(&canonical, self.normalise_stroke, found.pixels);
                watch.plane("stroke", &stroke, 1.0, 0.0);
                centre::normalise(&stroke)
            }
        };
        watch.digit("centred", &digit);
        Ok(digit)
    }

    /// The part to look at.
    fn part(&self, picture: &Picture) -> Result<Part> {
        let Some(Crop { x, y, width, height }) = self.crop else { return Ok(Part::whole(picture)) };
        let within = |start: usize, length: usize, end: usize| {
            let last = start.checked_add(length).filter(|&last| last <= end);
            last.filter(|_| length > 0).map(|last| start..last)
        };
        let columns = within(x, width, picture.width());
        let rows = within(y, height, picture.height());
        match columns.zip(rows) {
            Some((columns, rows)) => Ok(Part { columns, rows }),
            None => Err(Error::Mismatch {
                what: "the crop of a picture",
                expected: format!("a part of {} x {} pixels", picture.width(), picture.height()),
                found: format!("{width} x {height} from column {x}, row {y}"),
            }),
        }
    }
}

/// Prepares a picture with one digit for the network, knowing nothing about it.
///
/// ```
/// use digit_recognizer::{Picture, preprocess};
///
/// // A black stroke, 3 x 20 pixels, in the corner of white paper.
/// let mut gray = [255; 60 * 60];
/// for y in 3..23 {
///     gray[y * 60 + 5..y * 60 + 8].fill(0);
/// }
/// let digit = preprocess(&Picture::from_gray8(60, 60, &gray)?)?;
/// // Its centre of mass is in the middle of pixel 14.
/// let row = &digit.pixels()[14 * 28..15 * 28];
/// assert!(row[14] > 0.99 && row[..12].iter().all(|&ink| ink == 0.0));
/// # Ok::<(), digit_recognizer::Error>(())
/// ```
///
/// # Errors
/// [`Error::NoInk`] if nothing in the picture stands out from its background.
pub fn preprocess(picture: &Picture) -> Result<DigitImage> {
    Preprocess::default().run(picture)
}

impl Network {
    /// Reads the digit in a picture: prepares it as the network expects
    /// ([`preprocess()`]), then [predicts](Network::predict).
    ///
    /// # Errors
    /// [`Error::NoInk`] if nothing in the picture stands out from its background.
    ///
    /// # Panics
    /// If the network has not 784 inputs.
    pub fn recognize(&self, picture: &Picture) -> Result<Prediction> {
        self.recognize_with(picture, &Preprocess::default())
    }

    /// As [`recognize`](Self::recognize), with what the caller knows about the
    /// picture.
    ///
    /// # Errors
    /// Those of [`Preprocess::run`].
    ///
    /// # Panics
    /// If the network has not 784 inputs.
    pub fn recognize_with(&self, picture: &Picture, preprocess: &Preprocess) -> Result<Prediction> {
        match self.preprocessing() {
            Preprocessing::Mnist => Ok(self.predict(&preprocess.run(picture)?)),
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
