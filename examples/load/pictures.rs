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
    let strokes: Vec<Vec<Point>> =
        strokes.iter().map(|stroke| stroke.iter().map(place).collect()).collect();
    let pixel = |x: u32, y: u32| {
        let middle = (f64::from(x) + 0.5, f64::from(y) + 0.5);
        let pairs = strokes.iter().flat_map(|stroke| stroke.windows(2));
        let distance = pairs.map(|pair| distance(middle, pair[0], pair[1])).fold(1e9, f64::min);
        // Ink up to the pen's edge, which is one pixel soft.
        let gray = (255.0 * (distance - pen + 0.5).clamp(0.0, 1.0)) as u8;
        Rgba([gray, gray, gray, 255])
    };
    let mut png = Cursor::new(Vec::new());
    let picture = RgbaImage::from_fn(SIDE, SIDE, pixel);
    picture.write_to(&mut png, ImageFormat::Png).expect("a vector takes everything");
    png.into_inner()
}

/// From a point to the line between two others.
fn distance((x, y): Point, (from_x, from_y): Point, (to_x, to_y): Point) -> f64 {
    let (dx, dy) = (to_x - from_x, to_y - from_y);
    let length = (dx * dx + dy * dy).max(1e-9);
    let along = (((x - from_x) * dx + (y - from_y) * dy) / length).clamp(0.0, 1.0);
    (x - from_x - along * dx).hypot(y - from_y - along * dy)
}
