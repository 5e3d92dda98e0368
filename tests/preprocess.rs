//! From a picture to the 28×28 image.

use digit_recognizer::{Crop, DigitImage, Error, Picture, Polarity, Preprocess, SIDE, preprocess};
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

/// As it is, but for size and place.
fn as_wide(picture: &Picture) -> DigitImage {
    let preprocess = Preprocess { normalise_stroke: false, ..Preprocess::default() };
    preprocess.run(picture).expect("a picture with ink")
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

/// The mean difference between two images.
fn mean_difference(one: &DigitImage, other: &DigitImage) -> f32 {
    let pairs = one.pixels().iter().zip(other.pixels());
    pairs.map(|(one, other)| (one - other).abs()).sum::<f32>() / 784.0
}

/// The largest difference between two images.
fn difference(one: &DigitImage, other: &DigitImage) -> f32 {
    let pairs = one.pixels().iter().zip(other.pixels());
    pairs.map(|(one, other)| (one - other).abs()).fold(0.0, f32::max)
}

#[test]
fn the_longer_side_becomes_20_and_the_aspect_ratio_stays() {
    // 10 × 40 pixels become 5 × 20, 60 × 30 become 20 × 10.
    let tall = as_wide(&picture(100, 90, rectangle(3..13, 40..80)));
    assert_eq!(bounds(&tall), (12, 16, 4, 24));
    assert!((tall.pixels().iter().sum::<f32>() - 100.0).abs() < 3.0);
    let wide = as_wide(&picture(100, 90, rectangle(20..80, 10..40)));
    assert_eq!(bounds(&wide), (4, 24, 9, 19));
    assert!((wide.pixels().iter().sum::<f32>() - 200.0).abs() < 4.0);
}

#[test]
fn edges_are_antialiased() {
    // 20 pixels around the middle of pixel 14: half a pixel at each end.
    let image = as_wide(&picture(100, 90, rectangle(3..13, 40..80)));
    let column: Vec<f32> = (0..SIDE).map(|y| image.pixels()[y * SIDE + 14]).collect();
    for (y, ink) in column.iter().enumerate() {
        let (expected, tolerance) = match y {
            4 | 24 => (0.5, 0.2),
            5..24 => (1.0, 0.01),
            _ => (0.0, 0.01),
        };
        assert!((ink - expected).abs() < tolerance, "{column:?}");
    }
}

/// How many pixels a stroke along the rows takes of column 14.
fn thickness(image: &DigitImage) -> f32 {
    (0..SIDE).map(|y| image.pixels()[y * SIDE + 14]).sum()
}

#[test]
fn strokes_get_the_width_that_mnist_has() {
    // A stroke 200 pixels long, from a hair to a marker.
    for width in [2, 5, 10, 20, 40, 60] {
        let wide = picture(400, 300, rectangle(50..250, 100..100 + width));
        let found = thickness(&prepared(&wide));
        assert!((1.5..=3.6).contains(&found), "{width}: {found}");
        let kept = thickness(&as_wide(&wide));
        let expected = width as f32 / 10.0;
        assert!(width < 10 || (kept - expected).abs() < 0.3 * expected, "{width}: {kept}");
    }
}

#[test]
fn a_tiny_picture_is_read_as_a_large_one() {
    // A 6 without its curve, in the square of side 1: a ring and a stroke.
    let six = |x: f32, y: f32| {
        let ring = ((x - 0.5).hypot(y - 0.65) - 0.2).abs() < 0.06;
        ring || ((x - 0.36).abs() < 0.06 && (0.12..0.65).contains(&y))
    };
    // Each pixel is the share of 16 × 16 points that are ink.
    let drawn = |side: usize| {
        let points = 16 * side;
        picture(side, side, |x, y| {
            let at = |index: usize| (index as f32 + 0.5) / points as f32;
            let rows = 16 * y..16 * y + 16;
            let inked = rows.flat_map(|y| (16 * x..16 * x + 16).map(move |x| (x, y)));
            inked.filter(|&(x, y)| six(at(x), at(y))).count() as f32 / 256.0
        })
    };
    let large = prepared(&drawn(140));
    for (side, tolerance) in [(16, 0.026), (28, 0.009), (70, 0.007)] {
        let difference = mean_difference(&prepared(&drawn(side)), &large);
        assert!(difference < tolerance, "{side}: {difference}");
    }
}

#[test]
fn a_hole_stays_a_hole_and_what_joins_two_blots_stays() {
    // A hair's ring so small that a wide stroke would fill it.
    let ring = |x: usize, y: usize| {
        let (x, y) = (x as f32 - 100.0, y as f32 - 60.0);
        (x * x + y * y).sqrt()
    };
    let small = picture(200, 300, |x, y| {
        let stem = (98..102).contains(&x) && (70..270).contains(&y);
        let loop_ = (8.0..11.0).contains(&ring(x, y));
        f32::from(u8::from(stem || loop_))
    });
    let image = prepared(&small);
    let hole = (0..SIDE).any(|y| {
        let row = &image.pixels()[y * SIDE..][..SIDE];
        (1..SIDE - 1).any(|x| {
            let around =
                row[..x].iter().any(|&ink| ink > 0.5) && row[x + 1..].iter().any(|&ink| ink > 0.5);
            around && row[x] < 0.8
        })
    });
    assert!(hole, "{image}");

    let blots = picture(300, 300, |x, y| {
        let blot = |cy: usize| x.abs_diff(150).pow(2) + y.abs_diff(cy).pow(2) < 40 * 40;
        let hair = (135..165).contains(&x) && (60..240).contains(&y);
        f32::from(u8::from(blot(60) || blot(240) || hair))
    });
    let image = prepared(&blots);
    for y in 6..22 {
        let most = image.pixels()[y * SIDE..][..SIDE].iter().copied().fold(0.0, f32::max);
        assert!(most > 0.4, "row {y} of\n{image}");
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
    // Twice as many pixels make blocks twice as large, which lie elsewhere.
    let off = mean_difference(&image, &larger);
    assert!(off < 0.02, "{off}");

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

/// Numbers from 0 to 255 that look random.
fn random(seed: u64) -> impl FnMut() -> u8 {
    let mut state = seed | 1;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 32) as u8
    }
}

/// About normal noise with a deviation of 1.
fn noise(random: &mut impl FnMut() -> u8) -> f32 {
    let sum: f32 = (0..4).map(|_| f32::from(random()) / 255.0 - 0.5).sum();
    sum * 3.0_f32.sqrt()
}

#[test]
fn noise_alone_is_no_ink() {
    for (width, height) in [(28, 28), (40, 40), (100, 70), (300, 300), (700, 400)] {
        for deviation in [2.0, 10.0, 40.0] {
            let mut random = random(width as u64);
            let gray: Vec<u8> = (0..width * height)
                .map(|_| (128.0 + deviation * noise(&mut random)) as u8)
                .collect();
            let picture = Picture::from_gray8(width, height, &gray).expect("a value a pixel");
            let found = preprocess(&picture);
            assert!(
                matches!(found, Err(Error::NoInk { .. })),
                "{width} x {height}, {deviation}: {found:?}"
            );
        }
    }
}

/// A hook under conditions; `gray(x, y, ink)` from 0 to 255.
fn hook_with(gray: impl Fn(usize, usize, f32) -> f32) -> Picture {
    let hook = hook(110, 50, 30);
    let gray: Vec<u8> = (0..300 * 280)
        .map(|i| gray(i % 300, i / 300, hook(i % 300, i / 300)).round().clamp(0.0, 255.0) as u8)
        .collect();
    Picture::from_gray8(300, 280, &gray).expect("a value a pixel")
}

#[test]
fn light_shadow_noise_and_lines_are_not_the_digit() {
    let clean = prepared(&hook_with(|_, _, ink| 235.0 - 200.0 * ink));
    let noises: Vec<f32> = {
        let mut random = random(5);
        (0..300 * 280).map(|_| noise(&mut random)).collect()
    };
    let line = |position: usize, every: usize| f32::from(u8::from(position % every < 2));
    let on = |paper: f32, ink: f32| paper * (1.0 - 0.8 * ink);
    let cases: [(&str, Picture); 9] = [
        ("uneven light", hook_with(|x, y, ink| on(90.0 + 0.3 * x as f32 + 0.25 * y as f32, ink))),
        (
            "a sharp shadow",
            hook_with(|x, y, ink| on(if 2 * x + y > 420 { 230.0 } else { 120.0 }, ink)),
        ),
        ("noise", hook_with(|x, y, ink| on(215.0, ink) + 18.0 * noises[y * 300 + x])),
        ("low contrast", hook_with(|x, y, ink| 150.0 - 16.0 * ink + noises[y * 300 + x])),
        ("ruled paper", hook_with(|_, y, ink| on(235.0 - 90.0 * line(y, 37), ink))),
        (
            "squared paper",
            hook_with(|x, y, ink| on(235.0 - 80.0 * line(x, 31).max(line(y, 31)), ink)),
        ),
        (
            "a printed box",
            hook_with(|x, y, ink| {
                let (dx, dy) = (x.abs_diff(165), y.abs_diff(140));
                let side = dx.max(dy);
                on(if (115..118).contains(&side) { 60.0 } else { 235.0 }, ink)
            }),
        ),
        (
            "a table around the paper",
            hook_with(|x, y, ink| on(if x < 30 || y > 262 { 70.0 } else { 230.0 }, ink)),
        ),
        (
            "chalk",
            hook_with(|x, y, ink| 40.0 + 0.1 * x as f32 + 160.0 * ink + 4.0 * noises[y * 300 + x]),
        ),
    ];
    for (name, picture) in cases {
        let found = prepared(&picture);
        let off = mean_difference(&found, &clean);
        assert!(off < 0.02, "{name}: {off}\n{found}");
    }
}

#[test]
fn equally_bright_colours_are_read() {
    let full = prepared(&picture(200, 150, hook(20, 30, 12)));
    // 0.299 r + 0.587 g + 0.114 b is 100 for both.
    let found = prepared(&coloured([220, 47, 56, 255], [40, 123, 140, 255]));
    assert!(difference(&found, &full) < 0.05, "{found}");
}

#[test]
#[cfg(feature = "gzip")]
fn pictures_in_the_form_of_mnist_are_left_as_they_are() {
    use digit_recognizer::mnist::{self, Split};

    let mut bar = [0; 784];
    for y in 4..24 {
        for x in 13..16 {
            bar[y * 28 + x] = if x == 13 { 120 } else { 200 + 2 * y as u8 };
        }
    }
    let sample = mnist::load("fixtures/mnist", Split::Train).expect("the fixtures");
    let digits = (0..300).map(|index| sample.images().image(index).try_into().expect("784 pixels"));
    for bytes in digits.chain([bar]) {
        let expected = DigitImage::from_bytes(&bytes);
        let light = Picture::from_gray8(28, 28, &bytes).expect("784 values");
        let dark = Picture::from_gray8(28, 28, &bytes.map(|byte| 255 - byte)).expect("784 values");
        assert_eq!(prepared(&light), expected);
        assert_eq!(prepared(&dark), expected);
        // Who says that it is the other way round gets what he asked for.
        let wrong = Preprocess { polarity: Some(Polarity::Dark), ..Preprocess::default() };
        assert!(wrong.run(&light).map_or(true, |image| image != expected));
    }
}

#[test]
fn the_caller_can_say_what_he_knows() {
    let two = picture(300, 120, |x, y| hook(20, 20, 12)(x, y).max(hook(180, 20, 12)(x, y)));
    let one = picture(150, 120, hook(20, 20, 12));
    let crop = Crop { x: 0, y: 0, width: 150, height: 120 };
    let cropped = Preprocess { crop: Some(crop), ..Preprocess::default() };
    assert_eq!(cropped.run(&two).expect("ink"), prepared(&one));

    // On a transparent canvas the ink is known.
    let drawing = coloured([0; 4], [255, 255, 255, 255]);
    let light = Preprocess { polarity: Some(Polarity::Light), ..Preprocess::default() };
    assert_eq!(light.run(&drawing).expect("ink"), prepared(&drawing));

    // A ring: as dark ink it is a 0, as light ink its hole is a blot.
    let ring = picture(100, 100, |x, y| {
        let squared = x.abs_diff(50).pow(2) + y.abs_diff(50).pow(2);
        f32::from(u8::from((30 * 30..40 * 40).contains(&squared)))
    });
    let as_polarity = |polarity| {
        let preprocess = Preprocess { polarity: Some(polarity), ..Preprocess::default() };
        preprocess.run(&ring).map(|image| image.pixels()[14 * SIDE + 14])
    };
    assert!(as_polarity(Polarity::Dark).expect("a ring") < 0.1);
    assert!(as_polarity(Polarity::Light).expect("a blot") > 0.9);

    for (x, y, width, height) in
        [(0, 0, 0, 5), (0, 0, 5, 0), (296, 0, 5, 5), (0, 116, 5, 5), (usize::MAX, 0, 2, 2)]
    {
        let crop = Some(Crop { x, y, width, height });
        let error = Preprocess { crop, ..Preprocess::default() }.run(&two);
        let text = error.expect_err("not within the picture").to_string();
        assert!(text.contains("300 x 120 pixels") && text.contains(&x.to_string()), "{text}");
    }
}

#[test]
fn the_stages_lead_from_the_picture_to_the_image() {
    let noisy = hook_with(|x, _, ink| 120.0 + 0.3 * x as f32 - 90.0 * ink);
    let (stages, image) = Preprocess::default().stages(&noisy);
    let image = image.expect("ink");
    assert_eq!(image, prepared(&noisy));
    let names: Vec<_> = stages.iter().map(|stage| stage.name).collect();
    assert_eq!(
        names,
        [
            "picture",
            "reduced",
            "colour axis",
            "without noise",
            "contrast",
            "ink without lines",
            "digit",
            "ink of the digit",
            "canonical",
            "stroke",
            "centred",
        ]
    );
    assert_eq!(stages[0].picture, noisy);
    let last = &stages[stages.len() - 1].picture;
    assert_eq!((last.width(), last.height()), (28, 28));
    for (pixel, ink) in last.rgba8().chunks(4).zip(image.pixels()) {
        assert_eq!(pixel[0], 255 - (255.0 * ink).round() as u8);
    }
    // As far as it came.
    let blank = Picture::from_gray8(50, 50, &[200; 2_500]).expect("2500 values");
    let (stages, error) = Preprocess::default().stages(&blank);
    assert!(matches!(error, Err(Error::NoInk { .. })));
    assert!(stages.iter().any(|stage| stage.name == "colour axis"));
}

/// FNV-1a, 64 bits: <http://www.isthe.com/chongo/tech/comp/fnv/>.
fn hash(bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// The hash of what becomes of some pictures. It was computed on x86-64; every
/// machine must find it again.
const REFERENCE: u64 = 0x6332_242f_e151_4c68;

#[test]
fn the_same_bits_on_every_machine() {
    let mut random = random(9);
    let noises: Vec<f32> = (0..300 * 280).map(|_| noise(&mut random)).collect();
    let pictures = [
        picture(200, 150, hook(20, 30, 12)),
        picture(1_000, 700, hook(300, 200, 25)),
        picture(16, 16, hook(3, 2, 2)),
        coloured([220, 47, 56, 255], [40, 123, 140, 255]),
        coloured([0; 4], [255, 0, 0, 128]),
        hook_with(|x, y, ink| {
            (90.0 + 0.4 * x as f32) * (1.0 - 0.7 * ink) + 9.0 * noises[y * 300 + x]
        }),
        hook_with(|x, y, ink| {
            235.0 - 60.0 * f32::from(u8::from(x % 40 < 2 || y % 40 < 2)) - 160.0 * ink
        }),
    ];
    let images = pictures.iter().map(prepared);
    let found = hash(images.flat_map(|image| image.pixels().map(f32::to_le_bytes)).flatten());
    assert_eq!(found, REFERENCE, "{found:#018x}");
}

#[test]
fn odd_shapes_are_answered() {
    let one = Picture::from_gray8(1, 1, &[0]).expect("a pixel");
    assert!(matches!(preprocess(&one), Err(Error::NoInk { .. })));
    for (width, height) in [(1, 65_535), (65_535, 1), (2, 30_000), (3, 3), (1, 2), (40_000, 7)] {
        let strip = picture(width, height, |x, y| f32::from(u8::from((x + y) % 3_000 > 1_500)));
        match preprocess(&strip) {
            Ok(image) => assert!(DigitImage::from_pixels(image.pixels()).is_ok()),
            Err(error) => assert!(matches!(error, Error::NoInk { .. }), "{error:?}"),
        }
    }
    let dot = prepared(&picture(28, 28, rectangle(3..4, 20..21)));
    assert!(dot.pixels()[14 * SIDE + 14] > 0.9);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn any_pixels_give_an_image_or_no_ink(
        width in 1..40usize, height in 1..40usize, seed: u64, opaque: bool,
    ) {
        let mut random = random(seed);
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

#[test]
fn faint_ink_that_noise_hides_nearer_by_is_still_found() {
    // Means of blocks show it; the contrast of its pixels is less than two deviations
    // of their noise.
    let hook = hook(200, 120, 10);
    let mut random = random(3);
    let gray: Vec<u8> = (0..600 * 400)
        .map(|i| (190.0 - 40.0 * hook(i % 600, i / 600) + 24.0 * noise(&mut random)) as u8)
        .collect();
    let (stages, result) = Preprocess::default()
        .stages(&Picture::from_gray8(600, 400, &gray).expect("a value a pixel"));
    let looks = stages.iter().filter(|stage| stage.name == "reduced").count();
    assert_eq!(looks, 2);
    let sharp = prepared(&picture(600, 400, hook));
    let difference = mean_difference(&result.expect("ink"), &sharp);
    assert!(difference < 0.05, "{difference}");
}

#[test]
fn squared_paper_around_a_small_digit_leaves_no_trace() {
    // 600 × 600 pixels, in which the digit is small: it is looked at twice.
    let lines = |pitch: usize| {
        move |x: usize, y: usize| if x % pitch < 4 || y % pitch < 4 { 0.9 } else { 0.0 }
    };
    let digit = hook(203, 211, 14);
    let plain = prepared(&picture(600, 600, &digit));
    for pitch in [50, 90, 140] {
        let squared = picture(600, 600, |x, y| digit(x, y).max(lines(pitch)(x, y)));
        let off = mean_difference(&prepared(&squared), &plain);
        assert!(off < 0.02, "{pitch}: {off}");
    }
}
