//! What pictures have in common: a page, a digit on it, a pen, a camera.

use digit_recognizer::Picture;

use super::glyph::Glyph;
use super::ink::{Coverage, Pen, Place};
use super::paper::{Colour, Paper, gray};
use super::random::Random;

/// Sides of a common picture, so small that hundreds are quick.
const SIDES: (f32, f32) = (120.0, 400.0);

/// A plain page's parts: size, digit and pen.
pub(crate) struct Plain {
    pub(crate) page: (usize, usize),
    pub(crate) ink: Coverage,
    /// The digit's size in pixels, and its middle.
    pub(crate) size: f32,
    pub(crate) centre: (f32, f32),
    pub(crate) width: f32,
}

/// The digit takes a share of the page's shorter side from `size.0` to `size.1`,
/// and the pen a share of the digit from `pen.0` to `pen.1`.
pub(crate) fn plain(
    random: &mut Random,
    glyph: &Glyph,
    page: (usize, usize),
    size: (f32, f32),
    pen: (f32, f32),
) -> Plain {
    let pen = random.between(pen.0, pen.1);
    let place = Place::somewhere(random, glyph, page, size, pen);
    let width = pen * place.size.0;
    let ink = Coverage::written(page, glyph, &place, Pen::Round(width));
    Plain { page, ink, size: place.size.0, centre: place.centre, width }
}

/// A digit as most write it: half or more of the page, and either as it was
/// scanned or with a pen from a ball to a felt tip.
pub(crate) fn common(random: &mut Random, glyph: &Glyph) -> Plain {
    let page = sides(random);
    let pen = random.between(0.04, 0.12);
    let place = Place::somewhere(random, glyph, page, (0.35, 0.85), pen);
    let width = pen * place.size.0;
    let kind = if random.chance(0.5) { Pen::AsWritten(width) } else { Pen::Round(width) };
    let ink = Coverage::written(page, glyph, &place, kind);
    Plain { page, ink, size: place.size.0, centre: place.centre, width }
}

/// A page between upright and lying.
pub(crate) fn sides(random: &mut Random) -> (usize, usize) {
    let side = random.between(SIDES.0, SIDES.1);
    let other = side * random.between(0.7, 1.0);
    let (side, other) = (side as usize, other as usize);
    if random.chance(0.5) { (side, other) } else { (other, side) }
}

pub(crate) fn white_paper(random: &mut Random) -> Colour {
    let white = random.between(205.0, 255.0);
    [white, white - random.between(0.0, 8.0), white - random.between(0.0, 30.0)]
}

/// The ink of pens: black, blue, sometimes red or green.
pub(crate) fn pen_colour(random: &mut Random) -> Colour {
    let dark = random.between(0.0, 70.0);
    match random.below(6) {
        0 | 1 => [dark * 0.6, dark, 120.0 + dark],
        2 => [150.0 + dark, dark * 0.6, dark * 0.6],
        3 => [dark * 0.5, 80.0 + dark, dark * 0.8],
        _ => gray(dark),
    }
}

pub(crate) fn any_colour(random: &mut Random) -> Colour {
    [0; 3].map(|_| random.between(0.0, 255.0))
}

pub(crate) fn black_on_white(page: (usize, usize), ink: Coverage) -> Picture {
    let mut paper = Paper::new(page, gray(255.0));
    paper.ink(&ink, gray(0.0));
    paper.picture()
}

/// Pen on paper, before any light.
pub(crate) fn pen_on_paper(random: &mut Random, glyph: &Glyph) -> Paper {
    let Plain { page, ink, .. } = common(random, glyph);
    let mut paper = Paper::new(page, white_paper(random));
    paper.stain(random, 60, 3.0);
    paper.ink(&ink, pen_colour(random));
    paper
}

/// What a phone's camera adds to a page.
pub(crate) fn photographed(random: &mut Random, mut paper: Paper) -> Picture {
    let softness = random.between(0.4, 1.5);
    paper.blurred((softness, softness));
    let amount = random.between(1.5, 8.0);
    paper.noisy(random, amount, true);
    paper.jpeg(random.between(50.0, 95.0) as u8)
}
