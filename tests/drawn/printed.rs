//! What is printed on paper before anyone writes: lines, squares and boxes.

use digit_recognizer::Picture;

use super::glyph::Glyph;
use super::ink::Coverage;
use super::paper::{Colour, Paper, gray};
use super::random::Random;
use super::scene::{Plain, pen_colour, photographed, plain, sides, white_paper};

/// Printers' ink for lines: light blue, gray, violet, and sometimes dark.
fn line_colour(random: &mut Random) -> Colour {
    let light = random.between(130.0, 205.0);
    match random.below(5) {
        0 | 1 => [light * 0.8, light * 0.95, (light * 1.2).min(255.0)],
        2 => [light, light * 0.85, light],
        3 => gray(random.between(40.0, 110.0)),
        _ => gray(light),
    }
}

/// Lines `spacing` pixels apart, along (1, `slope`), or across that.
fn lines(random: &mut Random, ink: &mut Coverage, spacing: f32, slope: f32, upright: bool) {
    let (length, span) = (ink.width.max(ink.height) as f32, spacing.max(3.0));
    let width = random.between(0.015, 0.05) * spacing;
    let mut at = -length * slope.abs() - random.unit() * span;
    while at < length * (1.0 + slope.abs()) {
        let (from, to) = ((0.0, at), (length, at + slope * length));
        let turned =
            |(along, across): (f32, f32)| if upright { (-across, along) } else { (along, across) };
        let shift = |(x, y): (f32, f32)| if upright { (x + length, y) } else { (x, y) };
        ink.polyline(&[shift(turned(from)), shift(turned(to))], width.clamp(0.7, 4.0));
        at += span;
    }
}

/// A digit on printed paper, scanned or photographed.
fn on(random: &mut Random, parts: &Plain, printed: &Coverage, colour: Colour) -> Picture {
    let mut paper = Paper::new(parts.page, white_paper(random));
    paper.ink(printed, colour);
    paper.ink(&parts.ink, pen_colour(random));
    if random.chance(0.5) {
        return paper.picture();
    }
    let fall = random.between(0.0, 0.5);
    paper.lit_from_a_side(random, fall, 0.1);
    photographed(random, paper)
}

fn slope(random: &mut Random) -> f32 {
    if random.chance(0.4) { 0.0 } else { random.between(-0.07, 0.07) }
}

pub(crate) fn ruled(random: &mut Random, glyph: &Glyph) -> Picture {
    let page = sides(random);
    let parts = plain(random, glyph, page, (0.3, 0.7), (0.04, 0.1));
    let mut printed = Coverage::empty(page.0, page.1);
    // From a digit that takes half a line to one over three.
    let spacing = random.between(0.35, 2.0) * parts.size;
    let slope = slope(random);
    lines(random, &mut printed, spacing, slope, false);
    let colour = line_colour(random);
    on(random, &parts, &printed, colour)
}

pub(crate) fn squared(random: &mut Random, glyph: &Glyph) -> Picture {
    let page = sides(random);
    let parts = plain(random, glyph, page, (0.3, 0.7), (0.04, 0.1));
    let mut printed = Coverage::empty(page.0, page.1);
    let spacing = random.between(0.25, 1.2) * parts.size;
    let slope = slope(random);
    for upright in [false, true] {
        lines(random, &mut printed, spacing, slope, upright);
    }
    let colour = line_colour(random);
    on(random, &parts, &printed, colour)
}

/// A form's box, or the middle one of a row; some digits reach over its border.
pub(crate) fn boxed(random: &mut Random, glyph: &Glyph) -> Picture {
    let page = sides(random);
    let parts = plain(random, glyph, page, (0.35, 0.6), (0.04, 0.1));
    let mut printed = Coverage::empty(page.0, page.1);
    let reach = parts.size / 2.0;
    let (wide, high) = (reach * random.between(0.95, 1.6), reach * random.between(0.95, 1.6));
    let width = (parts.size * random.between(0.01, 0.04)).max(0.8);
    // Few write in the middle of the box.
    let mut aside = || random.between(-0.12, 0.12) * parts.size;
    let (x, y) = (parts.centre.0 + aside(), parts.centre.1 + aside());
    let row = if random.chance(0.35) { -2..3 } else { 0..1 };
    for number in row {
        let middle = x + 2.0 * wide * number as f32;
        let (left, right) = (middle - wide, middle + wide);
        let (top, bottom) = (y - high, y + high);
        let corners = [(left, top), (right, top), (right, bottom), (left, bottom), (left, top)];
        printed.polyline(&corners, width);
    }
    let colour =
        if random.chance(0.5) { gray(random.between(0.0, 80.0)) } else { line_colour(random) };
    on(random, &parts, &printed, colour)
}

/// Ruled or squared paper that nobody wrote on.
pub(crate) fn empty_paper(random: &mut Random, page: (usize, usize)) -> Paper {
    let mut printed = Coverage::empty(page.0, page.1);
    let spacing = random.between(0.1, 0.5) * page.0.min(page.1) as f32;
    let (slope, squared) = (slope(random), random.chance(0.5));
    lines(random, &mut printed, spacing, slope, false);
    if squared {
        lines(random, &mut printed, spacing, slope, true);
    }
    let mut paper = Paper::new(page, white_paper(random));
    paper.ink(&printed, line_colour(random));
    paper
}
