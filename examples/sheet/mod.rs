//! A sheet of the pictures that were answered wrong.

use std::path::Path;

use digit_recognizer::{Picture, Prediction, SIDE, preprocess};
use image::{ImageBuffer, ImageFormat, Rgb, RgbImage, Rgba, imageops};

use crate::shared::Result;

/// Pictures on a sheet; any more would make it too large to be looked at.
pub(crate) const MAX_PICTURES: usize = 500;

/// Columns of the sheet.
const COLUMNS: usize = 10;

/// Screen pixels for each pixel of the network's input.
const ZOOM: u32 = 3;

/// Width and height of a thumbnail, and of the network's input beside it.
const BOX: u32 = ZOOM * SIDE as u32;

/// Between two boxes, and around a picture's part of the sheet.
const GAP: u32 = 4;
const MARGIN: u32 = 8;

/// Screen pixels for each pixel of a glyph.
const TEXT_ZOOM: u32 = 2;

/// A picture's part of the sheet: two boxes, and a line of text below them.
const CELL_WIDTH: u32 = 2 * BOX + GAP + 2 * MARGIN;
const CELL_HEIGHT: u32 = BOX + GAP + 7 * TEXT_ZOOM + 2 * MARGIN;

const WHITE: Rgb<u8> = Rgb([255; 3]);
const GREY: Rgb<u8> = Rgb([205; 3]);
const BLACK: Rgb<u8> = Rgb([0; 3]);

/// A picture that was answered wrong.
pub(crate) struct Wrong<'a> {
    pub(crate) path: &'a Path,
    pub(crate) label: usize,
    /// The answer; a picture that could not be read has none.
    pub(crate) answer: Option<Prediction>,
}

/// Writes a PNG with the first [`MAX_PICTURES`] of the pictures. Each is beside
/// what the network saw, above its label, the answer and the answer's probability.
pub(crate) fn write(path: &Path, pictures: &[Wrong<'_>]) -> Result<()> {
    let pictures = &pictures[..pictures.len().min(MAX_PICTURES)];
    let columns = pictures.len().clamp(1, COLUMNS);
    let rows = pictures.len().div_ceil(columns);
    let (width, height) = (columns as u32 * CELL_WIDTH, rows as u32 * CELL_HEIGHT);
    let mut sheet = RgbImage::from_pixel(width, height, WHITE);
    for (index, wrong) in pictures.iter().enumerate() {
        let left = (index % columns) as u32 * CELL_WIDTH + MARGIN;
        let top = (index / columns) as u32 * CELL_HEIGHT + MARGIN;
        draw(&mut sheet, (left, top), wrong);
    }
    let saved = sheet.save_with_format(path, ImageFormat::Png);
    saved.map_err(|error| format!("{}: {error}", path.display()).into())
}

fn draw(sheet: &mut RgbImage, (left, top): (u32, u32), wrong: &Wrong<'_>) {
    let input = left + BOX + GAP;
    for x in [left, input] {
        fill(sheet, (x, top), BOX, GREY);
    }
    if let Ok(picture) = Picture::open(wrong.path) {
        draw_thumbnail(sheet, (left, top), &picture);
        if let Ok(image) = preprocess(&picture) {
            for (index, pixel) in (0..).zip(image.pixels()) {
                let (x, y) = (index % SIDE as u32, index / SIDE as u32);
                let grey = Rgb([(255.0 * pixel).round() as u8; 3]);
                fill(sheet, (input + ZOOM * x, top + ZOOM * y), ZOOM, grey);
            }
        }
    }
    let label = wrong.label;
    let text = match &wrong.answer {
        Some(answer) => {
            format!("{label}→{} {:.0}%", answer.digit(), 100.0 * answer.confidence())
        }
        None => format!("{label}→?"),
    };
    for (index, letter) in (0..).zip(text.chars()) {
        let x = left + 6 * TEXT_ZOOM * index;
        draw_glyph(sheet, (x, top + BOX + GAP), letter);
    }
}

/// The picture on white, as large as its box allows, in the middle.
fn draw_thumbnail(sheet: &mut RgbImage, (left, top): (u32, u32), picture: &Picture) {
    // A decoded picture has at most 2²⁶ pixels, so that its sides are u32.
    let (width, height) = (picture.width() as u32, picture.height() as u32);
    let pixels = ImageBuffer::<Rgba<u8>, _>::from_raw(width, height, picture.rgba8());
    let Some(pixels) = pixels else { return };
    let scaled =
        |side: u32| (u64::from(side) * u64::from(BOX) / u64::from(width.max(height))).max(1) as u32;
    let small = imageops::thumbnail(&pixels, scaled(width), scaled(height));
    let (left, top) = (left + (BOX - small.width()) / 2, top + (BOX - small.height()) / 2);
    for (x, y, &Rgba([red, green, blue, alpha])) in small.enumerate_pixels() {
        let over_white = |colour: u8| {
            let (colour, alpha) = (u32::from(colour), u32::from(alpha));
            ((colour * alpha + 255 * (255 - alpha) + 127) / 255) as u8
        };
        sheet.put_pixel(left + x, top + y, Rgb([red, green, blue].map(over_white)));
    }
}

fn fill(sheet: &mut RgbImage, (left, top): (u32, u32), side: u32, colour: Rgb<u8>) {
    for (x, y) in (0..side).flat_map(|y| (0..side).map(move |x| (x, y))) {
        sheet.put_pixel(left + x, top + y, colour);
    }
}

/// The letters of the sheet, 5 × 7: a byte for each row, the left pixel its bit 4.
const GLYPHS: [(char, [u8; 7]); 13] = [
    ('0', [0x0e, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0e]),
    ('1', [0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e]),
    ('2', [0x0e, 0x11, 0x01, 0x02, 0x04, 0x08, 0x1f]),
    ('3', [0x1f, 0x02, 0x04, 0x02, 0x01, 0x11, 0x0e]),
    ('4', [0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02]),
    ('5', [0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e]),
    ('6', [0x06, 0x08, 0x10, 0x1e, 0x11, 0x11, 0x0e]),
    ('7', [0x1f, 0x01, 0x02, 0x04, 0x08, 0x08, 0x08]),
    ('8', [0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e]),
    ('9', [0x0e, 0x11, 0x11, 0x0f, 0x01, 0x02, 0x0c]),
    ('→', [0x00, 0x04, 0x02, 0x1f, 0x02, 0x04, 0x00]),
    ('?', [0x0e, 0x11, 0x01, 0x02, 0x04, 0x00, 0x04]),
    ('%', [0x18, 0x19, 0x02, 0x04, 0x08, 0x13, 0x03]),
];

/// Draws a letter; one that has no glyph is a space.
fn draw_glyph(sheet: &mut RgbImage, (left, top): (u32, u32), letter: char) {
    let Some((_, rows)) = GLYPHS.iter().find(|glyph| glyph.0 == letter) else { return };
    for (y, row) in (0..).zip(rows) {
        for x in (0..5).filter(|x| row >> (4 - x) & 1 == 1) {
            fill(sheet, (left + TEXT_ZOOM * x, top + TEXT_ZOOM * y), TEXT_ZOOM, BLACK);
        }
    }
}
