//! From a picture to the ink of its digit.

use crate::error::{Error, Result};
use crate::picture::Picture;
use crate::preprocess::bounds::Bounds;
use crate::preprocess::canvas::{Canvas, canvas};
use crate::preprocess::colour_axis::along_axis;
use crate::preprocess::components::{stroke_width, without_thin_parts};
use crate::preprocess::contrast::Polarity;
use crate::preprocess::enlarge::enlarged;
use crate::preprocess::grid::{Mask, Plane};
use crate::preprocess::lines::Lines;
use crate::preprocess::morphology::{dilation, grown};
use crate::preprocess::noise::{deviation, smoothed, without_impulses};
use crate::preprocess::reduce::{Part, reduced, reduced_as};
use crate::preprocess::scale::{self, Inked, Known, Scene};
use crate::preprocess::stages::Watch;

/// A digit whose longer side has fewer working pixels is looked at again.
const SMALL: usize = 48;

/// What is around it then, as a share of its longer side: enough to tell lines
/// and paper.
const AROUND: f32 = 0.4;

/// Working pixels around the digit in which its soft edges are.
const MARGIN: usize = 4;

/// Working pixels beside a digit in which its finer parts may be.
const BESIDE: usize = 2;

/// Contrast below this share of the ink's is not the fullest of any stroke, and
/// the middle of an edge is at most at this share of the fullest nearby.
const FULL: f32 = 0.5;
const HIGHEST_EDGE: f32 = 0.75;

/// A digit in a working picture.
pub(super) struct Found {
    /// The ink, 0 to 1, half where its edge is; only the part around the digit,
    /// without what is not the digit.
    pub(super) ink: Plane,
    /// Where the digit is in `ink`.
    pub(super) bounds: Bounds,
    /// Its longer side in the picture.
    pub(super) pixels: f32,
    /// Its pixels there.
    digit: Mask,
    /// Where `ink` begins in the working picture.
    corner: (usize, usize),
    polarity: Polarity,
    /// The lines of the working picture.
    lines: Lines,
    /// The side of the blocks of which the working picture is made.
    block: usize,
}

/// Finds the digit in a part of a picture; if it is small there, it is looked at
/// again in a part of that part, which is reduced less.
pub(super) fn locate(
    picture: &Picture,
    part: &Part,
    polarity: Option<Polarity>,
    watch: &mut Watch,
) -> Result<Found> {
    let found = find(picture, part, polarity, None, watch)?;
    match nearer(&found, part) {
        Some(nearer) => {
            let known = Known {
                digit: within(&found, part, &nearer),
                lines: found.lines.clone(),
                scale: (found.block * nearer.zoom()) as f32 / nearer.block() as f32,
                start: (
                    (nearer.columns.start - part.columns.start) as f32 / found.block as f32,
                    (nearer.rows.start - part.rows.start) as f32 / found.block as f32,
                ),
            };
            // What is reduced less has more noise: faint ink may be below it.
            let again = find(picture, &nearer, Some(found.polarity), Some(&known), watch);
            again.or(Ok(found))
        }
        None => Ok(found),
    }
}

/// The part around a digit that is small, where there is more to see.
fn nearer(found: &Found, part: &Part) -> Option<Part> {
    let longer = found.bounds.longer_side();
    if found.block == 1 || longer >= SMALL {
        return None;
    }
    let margin = (longer as f32 * AROUND) as usize + 3;
    let span = |start: usize, end: usize, first: usize, last: usize| {
        start + first.saturating_sub(margin) * found.block
            ..(start + (last + 1 + margin) * found.block).min(end)
    };
    let Bounds { left, right, top, bottom } = found.bounds.moved(found.corner);
    let nearer = Part {
        columns: span(part.columns.start, part.columns.end, left, right),
        rows: span(part.rows.start, part.rows.end, top, bottom),
    };
    (nearer.block() < found.block).then_some(nearer)
}

/// The pixels of the nearer part's working picture that are beside those of a
/// digit found in the whole part's.
fn within(found: &Found, part: &Part, nearer: &Part) -> Mask {
    let near = grown(&found.digit, BESIDE);
    let (block, zoom) = (nearer.block(), nearer.zoom());
    let size = |length: usize| length.div_ceil(block) * zoom;
    let (width, height) = (size(nearer.columns.len()), size(nearer.rows.len()));
    let mut result = Mask::filled(width, height, false);
    // Where a pixel of the nearer part is in the mask, along an axis.
    let place = |index: usize, nearer: usize, part: usize, corner: usize, length: usize| {
        let at = (nearer + index / zoom * block - part) / found.block;
        at.checked_sub(corner).filter(|&at| at < length)
    };
    for y in 0..height {
        let row = place(y, nearer.rows.start, part.rows.start, found.corner.1, near.height);
        for x in 0..width {
            let (start, end) = (nearer.columns.start, part.columns.start);
            let column = place(x, start, end, found.corner.0, near.width);
            result.set(x, y, column.zip(row).is_some_and(|(x, y)| near.at(x, y)));
        }
    }
    result
}

fn find(
    picture: &Picture,
    part: &Part,
    polarity: Option<Polarity>,
    known: Option<&Known>,
    watch: &mut Watch,
) -> Result<Found> {
    let block = part.block();
    let (colours, canvas) = match reduced(picture, part, block) {
        Some(colours) => (colours, None),
        None => {
            let canvas = canvas(picture, part);
            (reduced_as(|pixel| canvas.colour(pixel), picture, part, block), Some(canvas))
        }
    };
    watch.colours("reduced", &colours);
    let (plane, axis) = along_axis(&colours);
    let plane = enlarged(plane, part.zoom());
    watch.brightness("colour axis", &plane);
    // Opacity is ink, and the plane is dark where it is.
    let polarity =
        if canvas == Some(Canvas::Transparent) { Some(Polarity::Dark) } else { polarity };
    let shaded = axis.iter().all(|&share| share >= 0.0);
    let scene = Scene { plane: &plane, noise: 0.0, shaded, known, polarity };
    let inked = match scale::on_plain_paper(&scene) {
        Some(inked) => inked,
        None => {
            let plane = without_impulses(&plane);
            let [darkest, brightest] = plane.quantiles([0.005, 0.995]);
            let range = brightest - darkest;
            let deviation = deviation(&plane);
            let (plane, noise) = smoothed(plane, deviation, range);
            watch.brightness("without noise", &plane);
            scale::find(&Scene { plane: &plane, noise, ..scene })?
        }
    };
    let Inked { polarity, contrast, level, mask, digit, lines } = inked;
    watch.plane("contrast", &contrast, level.ink, 0.0);
    watch.mask("ink without lines", &mask);

    // Contrast, but nothing that could be a digit.
    let nothing = || Error::NoInk { expected: level.ink, found: 0.0 };
    let around = Bounds::of(&digit).ok_or_else(nothing)?;
    let (columns, rows) = around.grown(MARGIN, &digit);
    let corner = (columns.start, rows.start);
    let contrast = contrast.part(columns.clone(), rows.clone());
    let mask = mask.part(columns.clone(), rows.clone());
    let digit = digit.part(columns, rows);
    let width = stroke_width(&digit);
    let digit = without_thin_parts(&digit, &contrast, width);
    let bounds = Bounds::of(&digit).ok_or_else(nothing)?;
    watch.mask("digit", &digit);
    let ink = ink(&contrast, FULL * level.ink, &mask, &digit, width);
    watch.plane("ink of the digit", &ink, 1.0, 0.0);
    let pixels = (bounds.longer_side() * block) as f32 / part.zoom() as f32;
    Ok(Found { ink, bounds, pixels, digit, corner, polarity, lines, block })
}

/// The ink of the digit, so that it is 0.5 in the middle of a soft edge: half-way
/// between the most and the least contrast nearby. `full` is the contrast that
/// the most nearby has at least.
///
/// # Source
/// Bernsen, *Dynamic thresholding of gray-level images* (International Conference
/// on Pattern Recognition, 1986).
pub(super) fn ink(
    contrast: &Plane,
    full: f32,
    mask: &Mask,
    digit: &Mask,
    stroke_width: f32,
) -> Plane {
    let radius = (stroke_width.round() as usize).max(2);
    let most = dilation(contrast, radius);
    let least = dilation(&contrast.map(|value| -value), radius);
    let near = grown(digit, 1);
    let mut ink = contrast.clone();
    for (at, ink) in ink.values.iter_mut().enumerate() {
        let is_other = mask.values[at] && !digit.values[at];
        if is_other || !near.values[at] {
            *ink = 0.0;
            continue;
        }
        let (most, least) = (most.values[at].max(full), -least.values[at]);
        let edge = (0.5 * (most + least)).min(HIGHEST_EDGE * most);
        *ink = (0.5 + (*ink - edge) / most).clamp(0.0, 1.0);
    }
    ink
}
