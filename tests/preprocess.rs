//! From a picture to the 28×28 image.

use digit_recognizer::{DigitImage, Error, Picture, SIDE, preprocess};
use proptest::prelude::*;

/// A picture of dark strokes on white: `ink(x, y)` is 0 to 1.
fn picture(width: usize, height: usize, ink: impl Fn(usize, usize) -> f32) -> Picture {
    let gray: Vec<u8> = (0..width * height)
        .map(|i| 255 - (255.0 * ink(i % width, i / width)).round() as u8)
        .collect();
    Picture::from_gray8(width, height, &gray).expect("a gray value for each pixel")
}

/// 1 within the rectangle, else 0.
fn rectangle(x: std::ops::Range<usize>, y: std::ops::Range<usize>) -> impl Fn(usize, usize) -> f32 {
    move |px, py| f32::from(u8::from(x.contains(&px) && y.contains(&py)))
}

/// The letter L as a 7 upside down: a shape without symmetry.
fn hook(left: usize, top: usize, unit: usize) -> impl Fn(usize, usize) -> f32 {
    let down = rectangle(left..left + unit, top..top + 6 * unit);
    let foot = rectangle(left..left + 4 * unit, top + 5 * unit..top + 6 * unit);
    move |x, y| down(x, y).max(foot(x, y))
}

fn prepared(picture: &Picture) -> DigitImage {
    preprocess(picture).expect("a picture with ink")
}

/// The columns and rows with ink, first and last.
fn bounds(image: &DigitImage) -> (usize, usize, usize, usize) {
    let inked: Vec<usize> = (0..784).filter(|&i| image.pixels()[i] > 0.05).collect();
    let columns = inked.iter().map(|i| i % SIDE);
    let rows = inked.iter().map(|i| i / SIDE);
    (
        columns.clone().min().expect("ink"),
        columns.max().expect("ink"),
        rows.clone().min().expect("ink"),
        rows.max().expect("ink"),
    )
}

/// The centre of mass; that of MNIST's images is on average (14.5, 14.5).
fn centre(image: &DigitImage) -> (f32, f32) {
    let mass: f32 = image.pixels().iter().sum();
    let mean = |position: fn(usize) -> usize| {
        let moments = image.pixels().iter().enumerate();
        moments.map(|(i, ink)| (position(i) as f32 + 0.5) * ink).sum::<f32>() / mass
    };
    (mean(|i| i % SIDE), mean(|i| i / SIDE))
}

/// The largest difference between two images.
fn difference(one: &DigitImage, other: &DigitImage) -> f32 {
    let pairs = one.pixels().iter().zip(other.pixels());
    pairs.map(|(one, other)| (one - other).abs()).fold(0.0, f32::max)
}

#[test]
fn the_longer_side_becomes_20_and_the_aspect_ratio_stays() {
    // 10 × 40 pixels become 5 × 20, 60 × 30 become 20 × 10.
    let tall = prepared(&picture(100, 90, rectangle(3..13, 40..80)));
    assert_eq!(bounds(&tall), (12, 16, 4, 24));
    assert!((tall.pixels().iter().sum::<f32>() - 100.0).abs() < 0.5);
    let wide = prepared(&picture(100, 90, rectangle(20..80, 10..40)));
    assert_eq!(bounds(&wide), (4, 24, 9, 19));
    assert!((wide.pixels().iter().sum::<f32>() - 200.0).abs() < 0.5);
}

#[test]
fn edges_are_antialiased() {
    // 20 pixels around the middle of pixel 14: half a pixel at each end.
    let image = prepared(&picture(100, 90, rectangle(3..13, 40..80)));
    let column: Vec<f32> = (0..SIDE).map(|y| image.pixels()[y * SIDE + 14]).collect();
    for (y, ink) in column.iter().enumerate() {
        let expected = match y {
            4 | 24 => 0.5,
            5..24 => 1.0,
            _ => 0.0,
        };
        assert!((ink - expected).abs() < 0.01, "{column:?}");
    }
}

#[test]
fn the_centre_of_mass_comes_to_the_middle() {
    let image = prepared(&picture(200, 150, hook(20, 30, 12)));
    let (x, y) = centre(&image);
    assert!((x - 14.5).abs() < 0.05 && (y - 14.5).abs() < 0.05, "({x}, {y})");
    // The box itself is off the middle, as the ink is heavier at its foot.
    let (left, right, top, bottom) = bounds(&image);
    assert!(left + right > 29 && top + bottom < 27, "{:?}", bounds(&image));
}

#[test]
fn no_ink_leaves_the_image_however_far_off_its_centre_of_mass_is() {
    // A heavy block at one end of a hair: the centre of mass is near that end.
    let block = rectangle(10..50, 10..50);
    let hair = rectangle(50..410, 27..33);
    let image = prepared(&picture(420, 60, move |x, y| block(x, y).max(hair(x, y))));
    let (left, right, ..) = bounds(&image);
    assert!(right <= 27 && (19..=20).contains(&(right - left)), "{left} {right}");
}

#[test]
fn place_size_and_polarity_mean_nothing() {
    let image = prepared(&picture(200, 150, hook(20, 30, 12)));
    let elsewhere = prepared(&picture(300, 100, hook(230, 22, 12)));
    assert_eq!(difference(&image, &elsewhere), 0.0);
    let larger = prepared(&picture(400, 300, hook(10, 10, 24)));
    assert!(difference(&image, &larger) < 0.01);

    let dark = picture(200, 150, hook(20, 30, 12));
    let inverted: Vec<u8> = dark.rgba8().chunks(4).map(|pixel| 255 - pixel[0]).collect();
    let inverted = Picture::from_gray8(200, 150, &inverted).expect("as large");
    assert!(difference(&image, &prepared(&inverted)) < 1e-6);
}

#[test]
fn a_small_digit_is_enlarged() {
    // 1 × 3 and 4 × 6 pixels in the picture.
    for unit in [1, 2] {
        let small = prepared(&picture(20, 20, hook(8, 9, unit)));
        let (left, right, top, bottom) = bounds(&small);
        assert!(bottom - top >= 19 && right > left, "{:?}", bounds(&small));
        let (x, y) = centre(&small);
        assert!((x - 14.5).abs() < 0.3 && (y - 14.5).abs() < 0.3, "({x}, {y})");
    }
}

#[test]
fn low_contrast_becomes_full_ink() {
    let gray = |x, y| 120 + (40.0 * hook(20, 30, 12)(x, y)) as u8;
    let values: Vec<u8> = (0..200 * 150).map(|i| gray(i % 200, i / 200)).collect();
    let faint = prepared(&Picture::from_gray8(200, 150, &values).expect("as large"));
    let full = prepared(&picture(200, 150, hook(20, 30, 12)));
    assert!(difference(&faint, &full) < 1e-6);
}

/// A picture whose pixels are `paper`, or where the hook is `ink`.
fn coloured(paper: [u8; 4], ink: [u8; 4]) -> Picture {
    let hook = hook(20, 30, 12);
    let pixel = |i: usize| if hook(i % 200, i / 200) > 0.5 { ink } else { paper };
    Picture::from_rgba8(200, 150, (0..200 * 150).flat_map(pixel).collect()).expect("as large")
}

#[test]
fn colour_and_opacity_are_read() {
    let full = prepared(&picture(200, 150, hook(20, 30, 12)));
    let cases = [
        ("blue on yellow", [255, 240, 120, 255], [20, 30, 160, 255]),
        ("white on green", [30, 90, 60, 255], [250, 250, 250, 255]),
        ("black on transparent black", [0, 0, 0, 0], [0, 0, 0, 255]),
        ("black on transparent white", [255, 255, 255, 0], [0, 0, 0, 255]),
        ("white on transparent black", [0, 0, 0, 0], [255, 255, 255, 255]),
        ("red, half opaque, on transparent", [0, 0, 0, 0], [255, 0, 0, 128]),
        ("half opaque ink on opaque paper", [255, 255, 255, 255], [0, 0, 0, 128]),
    ];
    for (name, paper, ink) in cases {
        assert!(difference(&prepared(&coloured(paper, ink)), &full) < 1e-6, "{name}");
    }
}

#[test]
fn a_picture_without_ink_is_an_error() {
    let plain =
        |rgba: [u8; 4]| Picture::from_rgba8(30, 20, rgba.repeat(600)).expect("four bytes a pixel");
    let cases = [
        ("white", [255; 4]),
        ("black", [0, 0, 0, 255]),
        ("transparent", [0; 4]),
        ("transparent white", [255, 255, 255, 0]),
        ("red", [200, 30, 30, 255]),
        ("half opaque", [0, 0, 0, 128]),
    ];
    for (name, rgba) in cases {
        let error = preprocess(&plain(rgba)).expect_err(name);
        assert!(matches!(error, Error::NoInk { .. }), "{name}: {error:?}");
        let text = error.to_string();
        assert!(text.contains("no ink") && text.contains("found 0.000"), "{text}");
    }
    let almost: Vec<u8> = (0..600).map(|i| 250 + (i % 5) as u8).collect();
    let almost = Picture::from_gray8(30, 20, &almost).expect("as large");
    assert!(matches!(preprocess(&almost), Err(Error::NoInk { .. })));
}

#[test]
fn odd_shapes_are_answered() {
    let one = Picture::from_gray8(1, 1, &[0]).expect("a pixel");
    assert!(matches!(preprocess(&one), Err(Error::NoInk { .. })));
    let strip = picture(1, 65_535, |_, y| f32::from(u8::from((1_000..2_000).contains(&y))));
    let (_, _, top, bottom) = bounds(&prepared(&strip));
    assert_eq!((top, bottom), (4, 24));
    let dot = prepared(&picture(28, 28, rectangle(3..4, 20..21)));
    assert!(dot.pixels()[14 * SIDE + 14] > 0.9);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn any_pixels_give_an_image_or_no_ink(
        width in 1..40usize, height in 1..40usize, seed: u64, opaque: bool,
    ) {
        let mut state = seed | 1;
        let mut random = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state as u8
        };
        let mut rgba: Vec<u8> = (0..width * height * 4).map(|_| random()).collect();
        if opaque {
            rgba.chunks_mut(4).for_each(|pixel| pixel[3] = 255);
        }
        let picture = Picture::from_rgba8(width, height, rgba).expect("four bytes a pixel");
        match preprocess(&picture) {
            Ok(image) => prop_assert!(DigitImage::from_pixels(image.pixels()).is_ok()),
            Err(error) => prop_assert!(matches!(error, Error::NoInk { .. }), "{error:?}"),
        }
    }
}
