//! What is made of digits and is none: halves of two, two in one, and digits that
//! are turned or mirrored.

use crate::dataset::Dataset;
use crate::digit_image::{PIXELS, SIDE};
use crate::outliers::frame::frame;
use crate::outliers::shape::chance;
use crate::rng::Rng;

/// A picture large enough for two digits side by side.
const WIDE: usize = 3 * SIDE;

/// Digits by their class.
pub(super) struct Digits<'a> {
    dataset: &'a Dataset,
    /// The images of each of the ten classes.
    classes: [Vec<usize>; 10],
}

impl<'a> Digits<'a> {
    pub(super) fn new(dataset: &'a Dataset) -> Self {
        let mut classes: [Vec<usize>; 10] = Default::default();
        for (index, &label) in dataset.labels().iter().enumerate() {
            if let Some(class) = classes.get_mut(usize::from(label)) {
                class.push(index);
            }
        }
        Self { dataset, classes }
    }

    /// How many of the ten classes there are.
    pub(super) fn count(&self) -> usize {
        self.classes.iter().filter(|class| !class.is_empty()).count()
    }

    /// A random image of one of these classes, if there is one.
    fn pick(&self, classes: &[usize], rng: &mut Rng) -> Option<&'a [u8]> {
        let present: Vec<&Vec<usize>> =
            classes.iter().map(|&class| &self.classes[class]).filter(|i| !i.is_empty()).collect();
        let images = *present.get(rng.below(present.len()))?;
        Some(self.dataset.images().image(images[rng.below(images.len())]))
    }

    /// Images of two different classes.
    ///
    /// # Panics
    /// If there is one class at most.
    fn pair(&self, rng: &mut Rng) -> [&'a [u8]; 2] {
        let mut present: Vec<usize> = (0..10).filter(|&i| !self.classes[i].is_empty()).collect();
        rng.shuffle(&mut present);
        [0, 1].map(|i| self.pick(&present[i..=i], rng).expect("a class that has images"))
    }
}

/// Two digits of different classes in one picture.
pub(super) fn pieces(digits: &Digits<'_>, rng: &mut Rng) -> [f32; PIXELS] {
    if chance(rng, 35)
        && let Some(halves) = halves(digits, rng)
    {
        return halves;
    }
    let [first, second] = digits.pair(rng);
    // Beside each other, or one over the other, well apart.
    let (x, y) = if chance(rng, 65) {
        (13 + rng.below(9), 6 + rng.below(5))
    } else {
        ((5 + rng.below(5)), [1, 2, 13, 14][rng.below(4)])
    };
    let mut picture = [0.0; WIDE * WIDE];
    for (pixels, x, y) in [(first, 0, 8), (second, x, y)] {
        for (row, pixels) in pixels.chunks_exact(SIDE).enumerate() {
            let target = &mut picture[(y + row) * WIDE + x..][..SIDE];
            for (ink, &pixel) in target.iter_mut().zip(pixels) {
                *ink = f32::max(*ink, f32::from(pixel) / 255.0);
            }
        }
    }
    frame(&picture, WIDE)
}

/// Halves that make no digit together: the class of the left half and those of the
/// right one. Most upper and lower halves make a 2, a 3, an 8 or a 9.
const LEFT_AND_RIGHT: [(usize, &[usize]); 6] =
    [(0, &[2, 5, 4]), (2, &[0, 6, 4]), (4, &[2, 3, 6]), (5, &[4]), (6, &[4, 2]), (8, &[4, 5])];

/// The class of the upper half and that of the lower one.
const UPPER_AND_LOWER: (usize, &[usize]) = (4, &[2]);

fn halves(digits: &Digits<'_>, rng: &mut Rng) -> Option<[f32; PIXELS]> {
    let is_upper = chance(rng, 15);
    let (first, others) =
        if is_upper { UPPER_AND_LOWER } else { LEFT_AND_RIGHT[rng.below(LEFT_AND_RIGHT.len())] };
    let [first, second] = [digits.pick(&[first], rng)?, digits.pick(others, rng)?];
    let cut = 13 + rng.below(3);
    let pixel = |index: usize| {
        let along = if is_upper { index / SIDE } else { index % SIDE };
        f32::from(if along < cut { first[index] } else { second[index] }) / 255.0
    };
    Some(frame(&std::array::from_fn::<f32, PIXELS, _>(pixel), SIDE))
}

/// A digit as no one writes it. Without such digits in the dataset, two in one.
///
/// A 0, a 1 and an 8 are their own mirror images, and a 2 and a 5 nearly each
/// other's; a 6 upside down is a 9, and a 4 nearly a 6; a 1 and an 8 that lean lie
/// down to lean the other way, and a mirrored 4 is still read as one.
pub(super) fn turned(digits: &Digits<'_>, rng: &mut Rng) -> [f32; PIXELS] {
    let (classes, is_mirrored, quarters): (&[usize], bool, usize) = match rng.below(4) {
        0 => (&[3, 6, 7, 9], true, 0),
        1 => (&[4, 6, 7, 9], true, 2),
        2 => (&[3, 7], false, 2),
        _ => (&[2, 3, 5, 6, 7, 9], chance(rng, 50), 1 + 2 * rng.below(2)),
    };
    let Some(image) = digits.pick(classes, rng) else { return pieces(digits, rng) };
    std::array::from_fn(|index| {
        let (mut row, mut column) = (index / SIDE, index % SIDE);
        // About the middle of pixel 14, from which SIDE − 14 is as far as 14.
        for _ in 0..quarters {
            (row, column) = (column, SIDE - row);
        }
        if is_mirrored {
            column = SIDE - column;
        }
        let is_inside = row < SIDE && column < SIDE;
        if is_inside { f32::from(image[row * SIDE + column]) / 255.0 } else { 0.0 }
    })
}
