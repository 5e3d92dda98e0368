//! Pictures as a canvas makes them.

use std::io::Cursor;

use image::{ImageFormat, Rgba, RgbaImage};

use crate::digits::{Point, digits};

/// Pixels of a picture's side.
const SIDE: u32 = 280;

/// A digit, black on white, as a PNG; another `number` is another digit, or the same in
/// another size, slant, place and width of the pen.
pub(crate) fn picture(number: usize) -> Vec<u8> {
    // Steps that do not divide each other, so that few pictures are alike.
    let turn = |period: usize| (number % period) as f64 / (period - 1) as f64;
    let size = 75.0 + 45.0 * turn(7);
    let slant = 0.35 * (turn(11) - 0.5);
    let (left, top) = (130.0 + 20.0 * turn(13), 130.0 + 20.0 * turn(17));
    let pen = 7.0 + 6.0 * turn(5);
    let strokes = &digits()[number % 10];
    let place = |&(x, y): &Point| (left + size * (x - slant * y), top + size * y);
    let mut picture = RgbaImage::from_pixel(SIDE, SIDE, Rgba([255; 4]));
    for stroke in strokes {
        let points: Vec<Point> = stroke.iter().map(place).collect();
        points.windows(2).for_each(|pair| draw(&mut picture, pen, pair[0], pair[1]));
    }
    let mut png = Cursor::new(Vec::new());
    picture.write_to(&mut png, ImageFormat::Png).expect("a vector takes everything");
    png.into_inner()
}

/// Draws a line with a round pen of this radius, whose edge is one pixel soft.
fn draw(picture: &mut RgbaImage, pen: f64, from: Point, to: Point) {
    let within = |one: f64, other: f64| {
        // Casts of negative numbers give 0.
        (one.min(other) - pen - 1.0) as u32..((one.max(other) + pen + 1.0) as u32).min(SIDE)
    };
    for y in within(from.1, to.1) {
        for x in within(from.0, to.0) {
            let distance = distance((f64::from(x) + 0.5, f64::from(y) + 0.5), from, to);
            let gray = (255.0 * (distance - pen + 0.5).clamp(0.0, 1.0)) as u8;
            let Rgba([darkest, ..]) = *picture.get_pixel(x, y);
            let gray = gray.min(darkest);
            picture.put_pixel(x, y, Rgba([gray, gray, gray, 255]));
        }
    }
}

/// From a point to the line between two others.
fn distance((x, y): Point, (from_x, from_y): Point, (to_x, to_y): Point) -> f64 {
    let (dx, dy) = (to_x - from_x, to_y - from_y);
    let length = (dx * dx + dy * dy).max(1e-9);
    let along = (((x - from_x) * dx + (y - from_y) * dy) / length).clamp(0.0, 1.0);
    (x - from_x - along * dx).hypot(y - from_y - along * dy)
}
