//! Written on paper or on a board, and photographed.

use digit_recognizer::Picture;

use super::glyph::Glyph;
use super::paper::{Paper, gray};
use super::random::{Field, Random};
use super::scene::{Plain, pen_colour, pen_on_paper, photographed, plain, sides, white_paper};

pub(crate) fn photo(random: &mut Random, glyph: &Glyph) -> Picture {
    let mut paper = pen_on_paper(random, glyph);
    let (fall, vignette) = (random.between(0.2, 0.8), random.between(0.0, 0.4));
    paper.lit_from_a_side(random, fall, vignette);
    photographed(random, paper)
}

pub(crate) fn shadow(random: &mut Random, glyph: &Glyph) -> Picture {
    let mut paper = pen_on_paper(random, glyph);
    let (depth, softness) = (random.between(0.4, 0.8), random.between(0.01, 0.3));
    paper.shaded(random, depth, softness);
    let fall = random.between(0.0, 0.3);
    paper.lit_from_a_side(random, fall, 0.1);
    photographed(random, paper)
}

/// A board, wiped but not clean.
pub(crate) fn board(random: &mut Random, page: (usize, usize)) -> Paper {
    let dark = random.between(25.0, 60.0);
    let colour = match random.below(3) {
        0 => gray(dark),
        1 => [dark * 0.7, dark * 1.4, dark],
        _ => [dark * 0.8, dark, dark * 1.3],
    };
    let mut paper = Paper::new(page, colour);
    let (wiped, fine) = (Field::new(random, 4), Field::new(random, 40));
    let (dx, dy) = random.direction();
    let chalk = random.between(5.0, 45.0);
    paper.each(|x, y, pixel| {
        // Streaks run along one direction.
        let streak = fine.at((x * dx + y * dy) * 0.5 + 0.5, (y * dx - x * dy) * 0.05 + 0.5);
        let left = (0.5 + 0.5 * wiped.at(x, y)) * (0.7 + 0.3 * streak) * chalk;
        *pixel = pixel.map(|channel| channel + left);
    });
    paper
}

pub(crate) fn chalk(random: &mut Random, glyph: &Glyph) -> Picture {
    let page = sides(random);
    let Plain { ink, .. } = plain(random, glyph, page, (0.35, 0.85), (0.05, 0.12));
    // The board's grain takes chalk only where it is pressed.
    let (pressure, missing) = (Field::new(random, 5), random.between(0.1, 0.5));
    let ink = ink.textured(|x, y| {
        let grain = random.unit() + 0.3 * pressure.at(x, y) - missing;
        0.15 + 2.5 * grain
    });
    let mut paper = board(random, page);
    let colour =
        random.choose(&[[240.0, 240.0, 235.0], [240.0, 225.0, 130.0], [235.0, 170.0, 180.0]]);
    paper.ink(&ink, colour);
    paper.blurred((0.7, 0.7));
    let fall = random.between(0.0, 0.5);
    paper.lit_from_a_side(random, fall, 0.2);
    photographed(random, paper)
}

pub(crate) fn pencil(random: &mut Random, glyph: &Glyph) -> Picture {
    let page = sides(random);
    let Plain { ink, .. } = plain(random, glyph, page, (0.4, 0.9), (0.012, 0.03));
    let pressure = Field::new(random, 6);
    let ink = ink.textured(|x, y| 0.75 + 0.25 * pressure.at(x, y) - 0.5 * random.unit());
    let mut paper = Paper::new(page, white_paper(random));
    paper.stain(random, 60, 3.0);
    paper.ink(&ink, gray(random.between(60.0, 120.0)));
    paper.blurred((0.5, 0.5));
    paper.noisy(random, 2.0, false);
    paper.jpeg(random.between(70.0, 95.0) as u8)
}

pub(crate) fn exif(random: &mut Random, glyph: &Glyph) -> Picture {
    let mut paper = pen_on_paper(random, glyph);
    let fall = random.between(0.0, 0.3);
    paper.lit_from_a_side(random, fall, 0.1);
    paper.jpeg_lying(85, 1 + random.below(8) as u8)
}

/// As a phone's camera or a scanner makes it: millions of pixels, and the digit
/// a small or a large part of them.
pub(crate) fn large(random: &mut Random, glyph: &Glyph) -> Picture {
    let page = if random.chance(0.5) { (2000, 1500) } else { (1500, 2000) };
    let Plain { ink, .. } = plain(random, glyph, page, (0.1, 0.9), (0.015, 0.1));
    let mut paper = Paper::new(page, white_paper(random));
    paper.ink(&ink, pen_colour(random));
    let fall = random.between(0.0, 0.5);
    paper.lit_from_a_side(random, fall, 0.2);
    paper.noisy(random, 4.0, false);
    paper.picture()
}
