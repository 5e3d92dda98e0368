//! Drawn on a screen, and what files and programs do to it.

use digit_recognizer::Picture;

use super::glyph::Glyph;
use super::paper::{Colour, Paper, brightness, gray};
use super::random::Random;
use super::scene::{
    Plain, any_colour, black_on_white, common, pen_colour, plain, sides, white_paper,
};

pub(crate) fn paint(random: &mut Random, glyph: &Glyph) -> Picture {
    let Plain { page, ink, .. } = common(random, glyph);
    black_on_white(page, if random.chance(0.4) { ink.hard() } else { ink })
}

pub(crate) fn hair(random: &mut Random, glyph: &Glyph) -> Picture {
    let page = sides(random);
    let Plain { ink, .. } = plain(random, glyph, page, (0.4, 0.9), (0.006, 0.015));
    black_on_white(page, ink)
}

pub(crate) fn marker(random: &mut Random, glyph: &Glyph) -> Picture {
    let page = sides(random);
    let Plain { ink, .. } = plain(random, glyph, page, (0.4, 0.8), (0.13, 0.2));
    black_on_white(page, ink)
}

pub(crate) fn off_centre(random: &mut Random, glyph: &Glyph) -> Picture {
    let page = sides(random);
    let Plain { ink, .. } = plain(random, glyph, page, (0.1, 0.4), (0.04, 0.12));
    black_on_white(page, ink)
}

pub(crate) fn distant(random: &mut Random, glyph: &Glyph) -> Picture {
    let page = (random.between(400.0, 700.0) as usize, random.between(300.0, 400.0) as usize);
    let Plain { ink, .. } = plain(random, glyph, page, (0.05, 0.12), (0.06, 0.14));
    let mut paper = Paper::new(page, white_paper(random));
    paper.ink(&ink, pen_colour(random));
    let amount = random.between(0.0, 5.0);
    paper.noisy(random, amount, true);
    paper.picture()
}

/// Cut out, as a program that looks for digits does: hardly any paper around.
pub(crate) fn cropped(random: &mut Random, glyph: &Glyph) -> Picture {
    let Plain { ink, size, .. } = common(random, glyph);
    let margin = random.between(0.0, 0.06) * size;
    let ink = ink.cropped(margin as usize);
    let mut paper = Paper::new((ink.width, ink.height), white_paper(random));
    paper.ink(&ink, pen_colour(random));
    if random.chance(0.5) {
        paper.noisy(random, 4.0, true);
    }
    paper.picture()
}

pub(crate) fn strip(random: &mut Random, glyph: &Glyph) -> Picture {
    let short = random.between(40.0, 120.0);
    let page = ((short * random.between(3.0, 10.0)) as usize, short as usize);
    let page = if random.chance(0.7) { page } else { (page.1, page.0) };
    let Plain { ink, .. } = plain(random, glyph, page, (0.5, 0.9), (0.04, 0.12));
    black_on_white(page, ink)
}

pub(crate) fn low_contrast(random: &mut Random, glyph: &Glyph) -> Picture {
    let Plain { page, ink, .. } = common(random, glyph);
    let contrast = random.between(10.0, 50.0);
    let light = random.between(contrast, 255.0);
    let (ground, tone) =
        if random.chance(0.5) { (light, light - contrast) } else { (light - contrast, light) };
    let mut paper = Paper::new(page, gray(ground));
    paper.ink(&ink, gray(tone));
    if random.chance(0.5) {
        paper.noisy(random, contrast / 15.0, false);
    }
    paper.picture()
}

pub(crate) fn noise(random: &mut Random, glyph: &Glyph) -> Picture {
    let Plain { page, ink, .. } = common(random, glyph);
    let mut paper = Paper::new(page, white_paper(random));
    paper.ink(&ink, pen_colour(random));
    let (amount, coloured) = (random.between(5.0, 35.0), random.chance(0.5));
    paper.noisy(random, amount, coloured);
    paper.picture()
}

pub(crate) fn faint(random: &mut Random, glyph: &Glyph) -> Picture {
    let Plain { page, ink, .. } = common(random, glyph);
    let mut paper = Paper::new(page, gray(190.0));
    paper.ink(&ink, gray(random.between(130.0, 160.0)));
    let amount = random.between(6.0, 20.0);
    paper.noisy(random, amount, false);
    paper.picture()
}

pub(crate) fn salt_and_pepper(random: &mut Random, glyph: &Glyph) -> Picture {
    let Plain { page, ink, .. } = common(random, glyph);
    let mut paper = Paper::new(page, gray(255.0));
    paper.ink(&ink, gray(0.0));
    let share = random.between(0.003, 0.06);
    paper.each(|_, _, pixel| {
        if random.chance(share) {
            *pixel = gray(if random.chance(0.5) { 0.0 } else { 255.0 });
        }
    });
    paper.picture()
}

pub(crate) fn jpeg(random: &mut Random, glyph: &Glyph) -> Picture {
    let Plain { page, ink, .. } = common(random, glyph);
    let mut paper = Paper::new(page, white_paper(random));
    paper.ink(&ink, pen_colour(random));
    paper.jpeg(random.between(3.0, 30.0) as u8)
}

pub(crate) fn blur(random: &mut Random, glyph: &Glyph) -> Picture {
    let Plain { page, ink, size, .. } = common(random, glyph);
    let mut paper = Paper::new(page, white_paper(random));
    paper.ink(&ink, pen_colour(random));
    let deviation = random.between(0.015, 0.06) * size;
    // Out of focus, or the hand moved.
    let other = if random.chance(0.6) { deviation } else { deviation / 4.0 };
    paper.blurred(if random.chance(0.5) { (deviation, other) } else { (other, deviation) });
    paper.noisy(random, 1.5, false);
    paper.picture()
}

/// Two colours that are told apart, a third of the time by hue alone.
fn two_colours(random: &mut Random) -> (Colour, Colour) {
    let equally_bright = random.chance(1.0 / 3.0);
    loop {
        let (paper, ink) = (any_colour(random), any_colour(random));
        let squares = paper.iter().zip(ink).map(|(a, b)| (a - b) * (a - b));
        let distance = squares.sum::<f32>().sqrt();
        let difference = (brightness(paper) - brightness(ink)).abs();
        if distance > 110.0 && if equally_bright { difference < 8.0 } else { difference > 30.0 } {
            return (paper, ink);
        }
    }
}

pub(crate) fn coloured(random: &mut Random, glyph: &Glyph) -> Picture {
    let Plain { page, ink, .. } = common(random, glyph);
    let (ground, colour) = two_colours(random);
    let mut paper = Paper::new(page, ground);
    paper.ink(&ink, colour);
    if random.chance(0.5) {
        paper.noisy(random, 3.0, true);
    }
    paper.picture()
}

pub(crate) fn inverted(random: &mut Random, glyph: &Glyph) -> Picture {
    let Plain { page, ink, .. } = common(random, glyph);
    let mut paper = Paper::new(page, gray(random.between(0.0, 40.0)));
    paper.ink(&ink, gray(random.between(180.0, 255.0)));
    paper.picture()
}

pub(crate) fn alpha(random: &mut Random, glyph: &Glyph) -> Picture {
    let Plain { page, ink, .. } = common(random, glyph);
    let colour = match random.below(3) {
        0 => gray(0.0),
        1 => gray(255.0),
        _ => any_colour(random),
    };
    let [red, green, blue] = colour.map(|channel| channel as u8);
    // A canvas that is cleared is black where nothing is seen.
    let cleared = random.chance(0.5);
    let pixel = |share: &f32| match (share * 255.0).round() as u8 {
        0 if cleared => [0; 4],
        opacity => [red, green, blue, opacity],
    };
    let rgba = ink.values.iter().flat_map(pixel).collect();
    Picture::from_rgba8(page.0, page.1, rgba).expect("a whole page")
}
