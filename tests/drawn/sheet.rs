//! Contact sheets, to look at many pictures at once.

use std::path::Path;

use digit_recognizer::Picture;
use image::imageops::{self, FilterType};
use image::{Rgba, RgbaImage};

const COLUMNS: usize = 12;
const THUMBNAIL: u32 = 96;

/// Writes the pictures into one PNG. What is transparent is a reddish gray.
pub(crate) fn write(file: &Path, pictures: &[Picture]) {
    let cell = THUMBNAIL + 4;
    let (columns, rows) = (COLUMNS as u32, pictures.len().div_ceil(COLUMNS) as u32);
    let mut sheet = RgbaImage::from_pixel(columns * cell, rows * cell, Rgba([160, 130, 130, 255]));
    for (number, picture) in pictures.iter().enumerate() {
        let (width, height) = (picture.width() as u32, picture.height() as u32);
        let image = RgbaImage::from_raw(width, height, picture.rgba8().to_vec());
        let longer = width.max(height);
        let side = |side: u32| (side * THUMBNAIL / longer).max(1);
        let filter = if longer < THUMBNAIL { FilterType::Nearest } else { FilterType::Triangle };
        let image = image.expect("a whole picture");
        let small = imageops::resize(&image, side(width), side(height), filter);
        let at = |place: usize| (place as u32 * cell + 2) as i64;
        imageops::overlay(&mut sheet, &small, at(number % COLUMNS), at(number / COLUMNS));
    }
    sheet.save(file).expect("a folder for the sheets");
}
