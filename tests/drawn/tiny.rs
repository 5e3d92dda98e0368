//! Pictures that are small already: those of MNIST, of its neighbours, and of a
//! canvas as small.

use digit_recognizer::Picture;

use super::glyph::Glyph;
use super::ink::{Coverage, Pen, Place};
use super::random::Random;

const UPRIGHT: (f32, f32) = (1.0, 0.0);

/// Light ink on black, or the other way round.
fn picture(ink: &Coverage, light: bool) -> Picture {
    let gray = |share: &f32| {
        let value = (share * 255.0).round() as u8;
        if light { value } else { 255 - value }
    };
    let gray: Vec<u8> = ink.values.iter().map(gray).collect();
    Picture::from_gray8(ink.width, ink.height, &gray).expect("a whole picture")
}

/// As MNIST has it: 20×20 pixels, the centre of mass in the middle of 28×28.
pub(crate) fn mnist_form(random: &mut Random, glyph: &Glyph) -> Picture {
    let pen = random.between(2.0, 3.2);
    let (size, pen) = match glyph.bitmap {
        Some(_) => (20.0, Pen::AsWritten(pen)),
        None => (20.0 - pen, Pen::Round(pen)),
    };
    let mut place = Place { centre: (14.0, 14.0), size: (size, size), turn: UPRIGHT };
    let ink = Coverage::written((28, 28), glyph, &place, pen);
    let total: f32 = ink.values.iter().sum();
    let moment = |of: fn(usize) -> usize| -> f32 {
        let weighted = ink.values.iter().enumerate();
        weighted.map(|(at, share)| (of(at) as f32 + 0.5) * share).sum::<f32>() / total
    };
    let mass = (moment(|at| at % 28), moment(|at| at / 28));
    place.centre = (28.0 - mass.0, 28.0 - mass.1);
    let ink = Coverage::written((28, 28), glyph, &place, pen);
    picture(&ink, random.chance(0.7))
}

/// Drawn on a canvas of 28×28, smaller than MNIST's digits and anywhere, with a
/// brush of 1 to 2 pixels.
pub(crate) fn paint28(random: &mut Random, glyph: &Glyph) -> Picture {
    let (size, pen) = (random.between(10.0, 22.0), random.between(1.0, 2.0));
    let share = size / 28.0;
    let place = Place::somewhere(random, glyph, (28, 28), (share, share), pen / size);
    let ink = Coverage::written((28, 28), glyph, &place, Pen::Round(pen));
    picture(&ink, random.chance(0.3))
}

/// As post offices cut digits out of envelopes: 16×16, touching the borders.
/// Narrow digits stay narrow (Hull, *A database for handwritten text recognition
/// research*, 1994; LeCun et al., 1989, has the 16×16 form).
pub(crate) fn post_office(random: &mut Random, glyph: &Glyph) -> Picture {
    let pen = random.between(1.8, 3.2);
    let room = if glyph.bitmap.is_some() { 16.0 } else { 16.0 - pen };
    // At most twice as wide as written.
    let fill = |extent: f32| room / extent.max(0.5);
    let place = Place {
        centre: (8.0, 8.0),
        size: (fill(glyph.extent.0), fill(glyph.extent.1)),
        turn: UPRIGHT,
    };
    let ink = Coverage::written((16, 16), glyph, &place, Pen::AsWritten(pen));
    picture(&ink, random.chance(0.7))
}
