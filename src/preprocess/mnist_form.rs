//! Pictures that already are as MNIST's images.

use crate::digit_image::MIDDLE;
use crate::digit_image::{DigitImage, PIXELS, SIDE};
use crate::picture::Picture;
use crate::preprocess::contrast::Polarity;

/// The longer side of the digit's box, as it is in all training images: a few
/// have faint ink in the twentieth row.
const BOX: std::ops::RangeInclusive<usize> = 19..=20;

/// How far the centre of mass may be from the middle. The training images were
/// moved by whole pixels, and none is off by more.
const OFF_CENTRE: f32 = 0.6;

/// The digit of an opaque gray picture of 28×28, if its corners and most of it
/// are pure paper, its digit fills a box of 20×20, and the centre of mass is in
/// the middle.
pub(super) fn digit(picture: &Picture, polarity: Option<Polarity>) -> Option<DigitImage> {
    if (picture.width(), picture.height()) != (SIDE, SIDE) {
        return None;
    }
    let mut bytes = [0; PIXELS];
    for (byte, &[red, green, blue, opacity]) in bytes.iter_mut().zip(picture.pixels()) {
        if red != green || green != blue || opacity != u8::MAX {
            return None;
        }
        *byte = red;
    }
    let found = if bytes[0] == u8::MAX { Polarity::Dark } else { Polarity::Light };
    if polarity.is_some_and(|polarity| polarity != found) {
        return None;
    }
    if found == Polarity::Dark {
        bytes.iter_mut().for_each(|byte| *byte = u8::MAX - *byte);
    }
    let (mut columns, mut rows) = ([0_u32; SIDE], [0_u32; SIDE]);
    for (at, &byte) in bytes.iter().enumerate() {
        columns[at % SIDE] += u32::from(byte);
        rows[at / SIDE] += u32::from(byte);
    }
    let longer = length(&columns)?.max(length(&rows)?);
    let centred = |profile| (centre(profile) - MIDDLE).abs() <= OFF_CENTRE;
    let paper = bytes.iter().filter(|&&byte| byte == 0).count();
    let corners = [0, SIDE - 1, PIXELS - SIDE, PIXELS - 1];
    let pure = 2 * paper > PIXELS && corners.iter().all(|&at| bytes[at] == 0);
    (pure && BOX.contains(&longer) && centred(&columns) && centred(&rows))
        .then(|| DigitImage::from_bytes(&bytes))
}

fn length(profile: &[u32; SIDE]) -> Option<usize> {
    let first = profile.iter().position(|&mass| mass > 0)?;
    let last = profile.iter().rposition(|&mass| mass > 0)?;
    Some(last - first + 1)
}

fn centre(profile: &[u32; SIDE]) -> f32 {
    let mass: u32 = profile.iter().sum();
    let moment: f32 =
        profile.iter().enumerate().map(|(i, &mass)| (i as f32 + 0.5) * mass as f32).sum();
    moment / mass as f32
}
