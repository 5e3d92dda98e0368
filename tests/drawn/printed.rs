//! What is printed on paper before anyone writes: lines, squares and boxes.

use digit_recognizer::Picture;

use super::glyph::{Glyph, Point};
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

/// Lines `spacing` pixels apart, along (1, `slope`), or across that; some are dotted,
/// and in some photos the far ones lean otherwise.
fn lines(random: &mut Random, ink: &mut Coverage, spacing: f32, slope: f32, upright: bool) {
    let (length, span) = (ink.width.max(ink.height) as f32, spacing.max(3.0));
    let width = random.between(0.015, 0.05) * spacing;
    let dots = random.chance(0.1).then(|| random.between(0.04, 0.12) * spacing);
    let converging = if random.chance(0.2) { random.between(-0.04, 0.04) } else { 0.0 };
    let mut at = -length * slope.abs() - random.unit() * span;
    while at < length * (1.0 + slope.abs()) {
        let slope = slope + converging * (at / length - 0.5);
        let (from, to) = ((0.0, at), (length, at + slope * length));
        let turned =
            |(along, across): (f32, f32)| if upright { (-across, along) } else { (along, across) };
        let shift = |(x, y): (f32, f32)| if upright { (x + length, y) } else { (x, y) };
        let ends = [shift(turned(from)), shift(turned(to))];
        line(ink, ends, width.clamp(0.7, 4.0), dots);
        at += span;
    }
}

/// A line, or dashes as long as the gaps between them.
fn line(ink: &mut Coverage, [from, to]: [Point; 2], width: f32, dash: Option<f32>) {
    let Some(dash) = dash else { return ink.polyline(&[from, to], width) };
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let dash = dash.max(2.0 * width) / (dx * dx + dy * dy).sqrt();
    let place = |share: f32| (from.0 + share * dx, from.1 + share * dy);
    let mut at = 0.0;
    while at < 1.0 {
        ink.polyline(&[place(at), place((at + dash).min(1.0))], width);
        at += 2.0 * dash + width / (dx * dx + dy * dy).sqrt();
    }
}

/// The red line beside a school book's margin, on some pages.
fn margin(random: &mut Random, paper: &mut Paper) {
    if random.chance(0.15) {
        let (width, height) = (paper.width as f32, paper.height as f32);
        let x = random.between(0.03, 0.25) * width;
        let x = if random.chance(0.5) { x } else { width - x };
        let mut line = Coverage::empty(paper.width, paper.height);
        let lean = random.between(-0.02, 0.02) * height;
        line.polyline(&[(x, 0.0), (x + lean, height)], (0.006 * width).max(1.0));
        paper.ink(&line, [random.between(190.0, 230.0), 110.0, 110.0]);
    }
}

/// A digit on printed paper, scanned or photographed.
fn on(random: &mut Random, parts: &Plain, mut paper: Paper) -> Picture {
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
    let mut paper = Paper::new(parts.page, white_paper(random));
    paper.ink(&printed, line_colour(random));
    margin(random, &mut paper);
    on(random, &parts, paper)
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
    let mut paper = Paper::new(parts.page, white_paper(random));
    paper.ink(&printed, line_colour(random));
    margin(random, &mut paper);
    on(random, &parts, paper)
}

/// A form's box, or one of a row; some digits reach over its border.
pub(crate) fn boxed(random: &mut Random, glyph: &Glyph) -> Picture {
    let page = sides(random);
    let parts = plain(random, glyph, page, (0.35, 0.6), (0.04, 0.1));
    let mut printed = Coverage::empty(page.0, page.1);
    let reach = parts.size / 2.0;
    let (wide, high) = (reach * random.between(0.95, 1.6), reach * random.between(0.95, 1.6));
    let width = (parts.size * random.between(0.01, 0.04)).max(0.8);
    // Few write in the middle of the box, and few hold paper upright.
    let mut aside = || random.between(-0.12, 0.12) * parts.size;
    let (x, y) = (parts.centre.0 + aside(), parts.centre.1 + aside());
    let sine = if random.chance(0.6) { 0.0 } else { random.between(-0.05, 0.05) };
    let turned = |(dx, dy): Point| (x + dx - sine * dy, y + dy + sine * dx);
    let row = match random.below(6) {
        0 | 1 => -2..3,
        2 => -(random.below(3) as isize)..1 + random.below(3) as isize,
        _ => 0..1,
    };
    // Boxes of a row share their sides, or stand apart; some have no upper side.
    let apart = if random.chance(0.2) { random.between(0.1, 0.4) * wide } else { 0.0 };
    let (open, dash) = (random.chance(0.08), random.chance(0.08).then_some(0.08 * parts.size));
    for number in row {
        let middle = (2.0 * wide + apart) * number as f32;
        let corners = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0), (-1.0, -1.0)]
            .map(|(across, down)| turned((middle + across * wide, down * high)));
        for (number, ends) in corners.windows(2).enumerate() {
            if !open || number > 0 {
                line(&mut printed, [ends[0], ends[1]], width, dash);
            }
        }
    }
    let colour =
        if random.chance(0.5) { gray(random.between(0.0, 80.0)) } else { line_colour(random) };
    let mut paper = Paper::new(parts.page, white_paper(random));
    paper.ink(&printed, colour);
    on(random, &parts, paper)
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
