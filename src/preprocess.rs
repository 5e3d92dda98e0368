//! From a picture to the network's input, as MNIST's images were made.

mod canvas;
mod centre;
mod colour_axis;
mod components;
mod contrast;
mod distance;
mod grid;
mod lines;
mod mean;
mod mnist_form;
mod morphology;
mod noise;
mod reduce;
mod scale;
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
use grid::{Mask, Plane};
use reduce::Part;
use stages::Watch;
use stroke::Bounds;
use threshold::Level;

/// Working pixels around the digit in which its soft edges are.
const MARGIN: usize = 4;

/// A digit whose longer side has fewer working pixels is looked at again.
const SMALL: usize = 48;

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

/// What the caller knows about the picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preprocess {
    /// Whether the ink is dark or light; found where it is `None`.
    pub polarity: Option<Polarity>,
    /// The part to look at; the whole picture where it is `None`.
    pub crop: Option<Crop>,
    /// Whether to bring the stroke to MNIST's width.
    pub normalise_stroke: bool,
}

impl Default for Preprocess {
    fn default() -> Self {
        Self { polarity: None, crop: None, normalise_stroke: true }
    }
}

impl Preprocess {
    /// Prepares a picture with one digit for the network.
    ///
    /// # Errors
    /// [`Error::NoInk`] if nothing in the picture stands out
    /// from its background; [`Error::Mismatch`] if the crop is not within the picture.
    pub fn run(&self, picture: &Picture) -> Result<DigitImage> {
        self.prepare(picture, &mut Watch::nobody())
    }

    /// As [`run`](Self::run), with the result of each step, as far as it came.
    pub fn stages(&self, picture: &Picture) -> (Vec<Stage>, Result<DigitImage>) {
        let mut watch = Watch::somebody();
        let result = self.prepare(picture, &mut watch);
        (watch.into_stages(), result)
    }

    fn prepare(&self, picture: &Picture, watch: &mut Watch) -> Result<DigitImage> {
        watch.picture("picture", || picture.clone());
        let part = self.part(picture)?;
        if self.crop.is_none()
            && let Some(digit) = mnist_form::digit(picture, self.polarity)
        {
            return Ok(digit);
        }
        let mut found = locate(picture, &part, self.polarity, watch)?;
        if let Some(nearer) = found.nearer(&part) {
            found = locate(picture, &nearer, Some(found.polarity), watch)?;
        }
        let canonical = stroke::canonical(&found.ink, found.bounds);
        watch.plane("canonical", &canonical, 1.0, 0.0);
        let stroke = stroke::normalised(&canonical, self.normalise_stroke);
        watch.plane("stroke", &stroke, 1.0, 0.0);
        let digit = centre::normalise(&stroke);
        watch.plane(
            "centred",
            &Plane { width: 28, height: 28, values: digit.pixels().to_vec() },
            1.0,
            0.0,
        );
        Ok(digit)
    }

    fn part(&self, picture: &Picture) -> Result<Part> {
        let whole = Part::whole(picture);
        let Some(Crop { x, y, width, height }) = self.crop else { return Ok(whole) };
        let range = |start: usize, length: usize| Some(start..start.checked_add(length)?);
        match (range(x, width), range(y, height)) {
            (Some(columns), Some(rows))
                if width > 0
                    && height > 0
                    && columns.end <= picture.width()
                    && rows.end <= picture.height() =>
            {
                Ok(Part { columns, rows })
            }
            _ => Err(Error::Mismatch {
                what: "the crop of a picture",
                expected: format!("a part of {} x {} pixels", picture.width(), picture.height()),
                found: format!("{width} x {height} from ({x}, {y})"),
            }),
        }
    }
}

/// A digit in a working picture.
struct Found {
    /// 0 to 1, without what is not the digit; only the part around the digit.
    ink: Plane,
    /// Where the digit is in `ink`, and in the working picture.
    bounds: Bounds,
    place: Bounds,
    polarity: Polarity,
    block: usize,
}

impl Found {
    /// The part around a digit that is too small, where there is more to see.
    fn nearer(&self, part: &Part) -> Option<Part> {
        let longer = self.place.longer_side();
        if self.block == 1 || longer >= SMALL {
            return None;
        }
        let margin = (longer * 2 / 5).max(3);
        let span = |start: usize, end: usize, first: usize, last: usize| {
            start + first.saturating_sub(margin) * self.block
                ..(start + (last + 1 + margin) * self.block).min(end)
        };
        let Bounds { left, right, top, bottom } = self.place;
        let nearer = Part {
            columns: span(part.columns.start, part.columns.end, left, right),
            rows: span(part.rows.start, part.rows.end, top, bottom),
        };
        (nearer.block() < self.block).then_some(nearer)
    }
}

fn locate(
    picture: &Picture,
    part: &Part,
    polarity: Option<Polarity>,
    watch: &mut Watch,
) -> Result<Found> {
    let block = part.block();
    let canvas = canvas::canvas(picture, part);
    let colour = (canvas != canvas::Canvas::Opaque).then_some(|pixel| canvas.colour(pixel));
    let colours = reduce::reduced(picture, part, block, colour);
    let (plane, axis) = colour_axis::along_axis(&colours);
    watch.plane("brightness", &plane, plane.quantile(0.0), plane.quantile(1.0));
    let polarity = match canvas {
        canvas::Canvas::Transparent => polarity.or(Some(Polarity::Dark)),
        _ => polarity,
    };
    let inked = match scale::on_plain_paper(&plane, polarity) {
        Some(inked) => inked,
        None => {
            let plane = noise::without_impulses(&plane);
            let deviation = noise::deviation(&plane);
            let range = plane.quantile(0.995) - plane.quantile(0.005);
            let plane = noise::smoothed(plane, deviation, range);
            watch.plane("smoothed", &plane, plane.quantile(0.0), plane.quantile(1.0));
            let shaded = axis.iter().all(|&share| share >= 0.0);
            scale::find(&plane, shaded, polarity)?
        }
    };
    let scale::Inked { polarity, contrast, level, mask, digit, .. } = inked;
    watch.plane("contrast", &contrast, level.ink, 0.0);
    watch.mask("ink", &mask);
    let nothing = || Error::NoInk { expected: 1.0, found: 0.0 };
    let around = Bounds::of(&digit).ok_or_else(nothing)?;
    let (columns, rows) = around.grown(MARGIN, &digit);
    let offset = (columns.start, rows.start);
    let contrast = contrast.part(columns.clone(), rows.clone());
    let mask = mask.part(columns.clone(), rows.clone());
    let digit = digit.part(columns, rows);
    let width = components::stroke_width(&digit);
    let digit = components::without_thin_parts(&digit, &contrast, width);
    watch.mask("digit", &digit);
    let bounds = Bounds::of(&digit).ok_or_else(nothing)?;
    let ink = local_ink(&contrast, level, &mask, &digit, width.round() as usize);
    watch.plane("digit's ink", &ink, 1.0, 0.0);
    Ok(Found { ink, bounds, place: bounds.moved(offset), polarity, block })
}

/// The contrast, so that 0.5 is the edge.
fn local_ink(contrast: &Plane, level: Level, mask: &Mask, digit: &Mask, radius: usize) -> Plane {
    let radius = radius.max(2);
    let most = morphology::dilation(contrast, radius);
    let least = morphology::dilation(&contrast.map(|value| -value), radius);
    let near = morphology::grown(digit, 1);
    let mut ink = contrast.clone();
    for (at, ink) in ink.values.iter_mut().enumerate() {
        let other = mask.values[at] && !digit.values[at];
        let most = most.values[at].max(0.5 * level.ink);
        let least = -least.values[at];
        let edge = (0.5 * (most + least)).min(0.75 * most);
        *ink = if near.values[at] && !other {
            (0.5 + (*ink - edge) / most).clamp(0.0, 1.0)
        } else {
            0.0
        };
    }
    ink
}

/// Prepares a picture with one digit for the network.
///
/// # Errors
/// [`Error::NoInk`] if nothing in the picture stands out
/// from its background.
pub fn preprocess(picture: &Picture) -> Result<DigitImage> {
    Preprocess::default().run(picture)
}

impl Network {
    /// Reads the digit in a picture: prepares it as the network expects
    /// ([`preprocess()`]), then [predicts](Network::predict).
    ///
    /// # Errors
    /// [`Error::NoInk`] if nothing in the picture stands
    /// out from its background.
    ///
    /// # Panics
    /// If the network has not 784 inputs.
    pub fn recognize(&self, picture: &Picture) -> Result<Prediction> {
        self.recognize_with(picture, &Preprocess::default())
    }

    /// As [`recognize`](Self::recognize), with what the caller knows about the picture.
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
}
