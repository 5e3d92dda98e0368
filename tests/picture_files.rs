//! Picture files of every kind, from the bytes to the answer.

#![cfg(all(feature = "gzip", feature = "image", feature = "pretrained"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::io::{Cursor, Write};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use digit_recognizer::{Error, Network, Picture, Prediction, Result};
use flate2::{Compression, Crc, write::ZlibEncoder};
use image::codecs::gif::GifEncoder;
use image::{
    DynamicImage, Frame, GrayAlphaImage, GrayImage, ImageFormat, Luma, LumaA, Rgba, RgbaImage,
};

static NETWORK: LazyLock<Network> = LazyLock::new(Network::pretrained);

const WIDTH: u32 = 40;
const HEIGHT: u32 = 44;

/// Whether a 7 has ink there.
fn is_ink(x: u32, y: u32) -> bool {
    let across = (8..32).contains(&x) && (6..10).contains(&y);
    // Down, two columns to the left in three rows.
    let right = 32 - (y.saturating_sub(6) * 5).div_ceil(10);
    across || ((6..38).contains(&y) && (right.saturating_sub(5)..right).contains(&x))
}

fn seven() -> GrayImage {
    GrayImage::from_fn(WIDTH, HEIGHT, |x, y| Luma([if is_ink(x, y) { 20 } else { 240 }]))
}

fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    image.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

fn png(image: impl Into<DynamicImage>) -> Vec<u8> {
    encoded(image, ImageFormat::Png)
}

fn recognize(file: &[u8]) -> Result<Prediction> {
    NETWORK.recognize(&Picture::decode(file)?)
}

#[track_caller]
fn assert_seven(file: &[u8]) {
    let prediction = recognize(file).expect("a digit");
    assert_eq!(prediction.digit(), 7, "{prediction:?}");
}

#[track_caller]
fn assert_no_ink(file: &[u8]) {
    let error = recognize(file).expect_err("no digit");
    assert!(matches!(error, Error::NoInk { .. }), "{error:?}");
    let text = error.to_string();
    assert!(
        text.contains("expected a contrast of at least") && text.contains("found 0."),
        "{text}"
    );
}

#[track_caller]
fn assert_refused(file: &[u8], parts: &[&str]) {
    let error = Picture::decode(file).expect_err("a refusal");
    assert!(matches!(error, Error::Picture { .. }), "{error:?}");
    let text = error.to_string();
    assert!(parts.iter().all(|part| text.contains(part)), "{text}");
}

/// A PNG by hand: its header's last five bytes, chunks before the pixels, and the
/// rows with their filter bytes.
fn png_of(
    width: u32,
    height: u32,
    kind: [u8; 5],
    before: &[(&[u8; 4], Vec<u8>)],
    rows: &[u8],
) -> Vec<u8> {
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |name: &[u8; 4], data: &[u8]| {
        let mut crc = Crc::new();
        crc.update(name);
        crc.update(data);
        file.extend((data.len() as u32).to_be_bytes());
        file.extend([name, data, &crc.sum().to_be_bytes()].concat());
    };
    chunk(b"IHDR", &[&width.to_be_bytes()[..], &height.to_be_bytes(), &kind].concat());
    before.iter().for_each(|(name, data)| chunk(name, data));
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
    packed.write_all(rows).unwrap();
    chunk(b"IDAT", &packed.finish().unwrap());
    chunk(b"IEND", &[]);
    file
}

/// The rows of every pass of Adam7: first column and row, and their steps.
fn interlaced(image: &GrayImage) -> Vec<u8> {
    let passes = [
        (0, 0, 8, 8),
        (4, 0, 8, 8),
        (0, 4, 4, 8),
        (2, 0, 4, 4),
        (0, 2, 2, 4),
        (1, 0, 2, 2),
        (0, 1, 1, 2),
    ];
    let mut rows = Vec::new();
    for (left, top, right, down) in passes {
        for y in (top..image.height()).step_by(down) {
            rows.push(0);
            rows.extend((left..image.width()).step_by(right).map(|x| image.get_pixel(x, y)[0]));
        }
    }
    rows
}

#[test]
fn blank_pictures_have_no_ink() {
    for gray in [0, 128, 255] {
        assert_no_ink(&png(GrayImage::from_pixel(60, 50, Luma([gray]))));
    }
    for colour in [[0, 0, 0, 0], [255, 255, 255, 0], [200, 10, 10, 0]] {
        assert_no_ink(&png(RgbaImage::from_pixel(60, 50, Rgba(colour))));
    }
}

#[test]
fn one_pixel_has_no_ink() {
    for gray in [0, 255] {
        assert_no_ink(&png(GrayImage::from_pixel(1, 1, Luma([gray]))));
    }
}

#[test]
fn one_row_or_column_of_65535_is_answered() {
    for (width, height) in [(1, 65_535), (65_535, 1)] {
        assert_no_ink(&png(GrayImage::from_pixel(width, height, Luma([255]))));
        let some = GrayImage::from_fn(width, height, |x, y| {
            Luma([if (20_000..40_000).contains(&(x + y)) { 0 } else { 255 }])
        });
        match recognize(&png(some)) {
            Ok(prediction) => assert_eq!(prediction.probabilities().len(), 10),
            Err(error) => assert!(matches!(error, Error::NoInk { .. }), "{error:?}"),
        }
    }
}

#[test]
fn a_palette_is_looked_up() {
    let palette = vec![255, 250, 230, 20, 30, 120];
    let rows = (0..HEIGHT)
        .flat_map(|y| std::iter::once(0).chain((0..WIDTH).map(move |x| u8::from(is_ink(x, y)))));
    let file =
        png_of(WIDTH, HEIGHT, [8, 3, 0, 0, 0], &[(b"PLTE", palette)], &rows.collect::<Vec<_>>());
    let picture = Picture::decode(&file).unwrap();
    assert_eq!(picture.rgba8()[..4], [255, 250, 230, 255]);
    assert_seven(&file);
    // An index that the palette has not.
    let rows = [0, 0, 1, 0, 2, 3];
    let file = png_of(2, 2, [8, 3, 0, 0, 0], &[(b"PLTE", vec![0, 0, 0, 9, 9, 9])], &rows);
    if let Err(error) = Picture::decode(&file) {
        assert!(matches!(error, Error::Picture { .. }), "{error:?}");
    }
}

#[test]
fn an_interlaced_picture_is_the_same() {
    let image = seven();
    let file = png_of(WIDTH, HEIGHT, [8, 0, 0, 0, 1], &[], &interlaced(&image));
    assert_eq!(Picture::decode(&file).unwrap(), Picture::decode(&png(image)).unwrap());
}

#[test]
fn ink_may_be_in_the_opacity_alone() {
    let ink = |x, y| if is_ink(x, y) { 255 } else { 0 };
    assert_seven(&png(GrayAlphaImage::from_fn(WIDTH, HEIGHT, |x, y| LumaA([0, ink(x, y)]))));
    assert_seven(&png(GrayAlphaImage::from_fn(WIDTH, HEIGHT, |x, y| LumaA([255, ink(x, y)]))));
    let webp = RgbaImage::from_fn(WIDTH, HEIGHT, |x, y| Rgba([9, 9, 9, ink(x, y)]));
    assert_seven(&encoded(webp, ImageFormat::WebP));
}

#[test]
fn either_polarity_is_read() {
    let light = GrayImage::from_fn(WIDTH, HEIGHT, |x, y| Luma([255 - seven().get_pixel(x, y)[0]]));
    for image in [seven(), light] {
        for format in [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Bmp] {
            assert_seven(&encoded(image.clone(), format));
        }
    }
}

/// `fixtures/cmyk.jpg` is a 7 of yellow with some black on white, and a black
/// square in the corner.
#[test]
fn a_jpeg_of_printers_colours_is_read() {
    let picture = Picture::open("fixtures/cmyk.jpg").unwrap();
    assert_eq!((picture.width(), picture.height()), (48, 40));
    let pixel = |x: usize, y: usize| &picture.rgba8()[4 * (y * 48 + x)..][..3];
    assert!(pixel(1, 1).iter().all(|&value| value < 40), "{:?}", pixel(1, 1));
    assert!(pixel(44, 36).iter().all(|&value| value > 230), "{:?}", pixel(44, 36));
    let stroke = pixel(22, 8);
    assert!(stroke[2] > 120 && stroke[0] < 60 && stroke[1] < 60, "{stroke:?}");
}

#[test]
fn the_first_picture_of_an_animation_is_read() {
    let colour = |image: GrayImage| DynamicImage::from(image).into_rgba8();
    let mut file = Vec::new();
    let mut encoder = GifEncoder::new(&mut file);
    encoder.encode_frame(Frame::new(colour(seven()))).unwrap();
    let blank = GrayImage::from_pixel(WIDTH, HEIGHT, Luma([240]));
    encoder.encode_frame(Frame::new(colour(blank))).unwrap();
    drop(encoder);
    assert_seven(&file);
}

/// A folder of its own for a test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures").join(name);
    fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn the_content_decides_and_not_the_ending() {
    let folder = folder("endings");
    let path = folder.join("seven.jpg");
    fs::copy("fixtures/seven.png", &path).unwrap();
    assert_eq!(Picture::open(&path).unwrap(), Picture::open("fixtures/seven.png").unwrap());

    let path = folder.join("text.png");
    fs::write(&path, "label,pixel0\n7,0\n").unwrap();
    let error = Picture::open(&path).expect_err("text");
    let is_refused =
        matches!(&error, Error::File { source, .. } if matches!(**source, Error::Picture { .. }));
    assert!(is_refused, "{error:?}");
    let text = error.to_string();
    assert!(text.contains("text.png: not a readable picture: "), "{text}");
    fs::write(&path, "").unwrap();
    assert!(Picture::open(&path).is_err());
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_cannot_be_read_is_an_io_error() {
    // Its first page is never mapped.
    let error = Picture::open("/proc/self/mem").expect_err("an unreadable file");
    let is_io = matches!(&error, Error::File { source, .. } if matches!(**source, Error::Io(_)));
    assert!(is_io, "{error:?}");
}

#[test]
fn several_digits_are_answered() {
    let two = GrayImage::from_fn(2 * WIDTH, HEIGHT, |x, y| *seven().get_pixel(x % WIDTH, y));
    let prediction = recognize(&png(two)).expect("ink");
    assert!(prediction.confidence() <= 1.0);
}

#[test]
fn noise_is_answered() {
    let noise = |amplitude: u32| {
        let mut state = 1_u32;
        GrayImage::from_fn(60, 60, |_, _| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            Luma([(128 + (state >> 16) % (2 * amplitude) - amplitude) as u8])
        })
    };
    assert_no_ink(&png(noise(3)));
    match recognize(&png(noise(128))) {
        Ok(prediction) => assert!(prediction.probabilities().iter().all(|p| p.is_finite())),
        Err(error) => assert!(matches!(error, Error::NoInk { .. }), "{error:?}"),
    }
}

#[test]
fn a_claim_of_more_pixels_than_allowed_names_them() {
    let kind = [8, 0, 0, 0, 0];
    assert_refused(
        &png_of(65_535, 65_535, kind, &[], &[0; 100]),
        &["expected 1 to 67108864 pixels", "65535 x 65535"],
    );
    assert_refused(&png_of(0, 5, kind, &[], &[]), &["not a readable picture"]);
    // Within the bound, and without the bytes.
    assert_refused(&png_of(8_000, 8_000, kind, &[], &[0; 100]), &["not a readable picture"]);
}

/// A good file of each format, some pixels large.
fn good_files() -> Vec<(ImageFormat, Vec<u8>)> {
    let image = GrayImage::from_fn(9, 8, |x, y| Luma([(x * 20 + y * 9) as u8]));
    let colour: RgbaImage = DynamicImage::from(image.clone()).into_rgba8();
    vec![
        (ImageFormat::Png, png(image.clone())),
        (ImageFormat::Png, png_of(9, 8, [8, 0, 0, 0, 1], &[], &interlaced(&image))),
        (ImageFormat::Jpeg, encoded(image.clone(), ImageFormat::Jpeg)),
        (ImageFormat::Jpeg, fs::read("fixtures/cmyk.jpg").unwrap()),
        (ImageFormat::Gif, encoded(colour.clone(), ImageFormat::Gif)),
        (ImageFormat::Bmp, encoded(image, ImageFormat::Bmp)),
        (ImageFormat::WebP, encoded(colour, ImageFormat::WebP)),
    ]
}

/// A file that was cut is no picture, but for the bytes at the end that say nothing:
/// PNG's empty last chunk, and what tells GIF that no picture follows.
#[test]
fn every_truncation_is_refused() {
    for (format, file) in good_files() {
        let needed = match format {
            ImageFormat::Png => file.len() - 12,
            ImageFormat::Gif => file.len() - 4,
            _ => file.len(),
        };
        for length in 0..needed {
            let error = Picture::decode(&file[..length]).expect_err("a part of a file");
            assert!(matches!(error, Error::Picture { .. }), "{format:?}, {length}: {error:?}");
        }
    }
    let cut = fs::read("fixtures/three.jpg").unwrap();
    assert_refused(&cut[..cut.len() - 1], &["expected a JPEG with its end marker"]);
    // What follows the end is nobody's.
    let more = [cut, vec![0; 1_000], b"\xff".to_vec()].concat();
    assert!(Picture::decode(&more).is_ok());
}

#[test]
fn every_flipped_bit_is_refused_or_a_picture() {
    for (format, file) in good_files() {
        let mut changed = file.clone();
        for bit in 0..8 * file.len() {
            changed[bit / 8] ^= 1 << (bit % 8);
            match Picture::decode(&changed) {
                Ok(picture) => {
                    assert_eq!(picture.rgba8().len(), 4 * picture.width() * picture.height());
                }
                Err(Error::Picture { .. }) => {}
                Err(error) => panic!("{format:?}, bit {bit}: {error:?}"),
            }
            changed[bit / 8] ^= 1 << (bit % 8);
        }
    }
}
