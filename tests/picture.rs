//! Decoding picture files, good and bad, up to the answer.

#![cfg(all(feature = "image", feature = "pretrained"))]

use digit_recognizer::{Error, Network, Picture};
use image::{DynamicImage, ImageFormat, Rgba, RgbaImage};

/// The encoded form of 3×2 pixels: a row of red, green, blue, one of grays.
fn encoded(format: ImageFormat) -> Vec<u8> {
    let colours =
        [[255, 0, 0], [0, 255, 0], [0, 0, 255], [0, 0, 0], [128, 128, 128], [255, 255, 255]];
    let image = RgbaImage::from_fn(3, 2, |x, y| {
        let [red, green, blue] = colours[(y * 3 + x) as usize];
        Rgba([red, green, blue, 255])
    });
    let image = match format {
        ImageFormat::Jpeg => DynamicImage::ImageRgb8(DynamicImage::ImageRgba8(image).into_rgb8()),
        _ => DynamicImage::ImageRgba8(image),
    };
    let mut bytes = std::io::Cursor::new(Vec::new());
    image.write_to(&mut bytes, format).expect("a vector takes everything");
    bytes.into_inner()
}

#[test]
fn each_format_is_told_by_its_content() {
    for format in
        [ImageFormat::Png, ImageFormat::Jpeg, ImageFormat::Bmp, ImageFormat::Gif, ImageFormat::WebP]
    {
        let picture = Picture::decode(&encoded(format)).expect("a good file");
        assert_eq!((picture.width(), picture.height()), (3, 2), "{format:?}");
        // The last pixel is white; JPEG blurs it with the blue above.
        let tolerance = if format == ImageFormat::Jpeg { 80 } else { 0 };
        let last = &picture.rgba8()[20..23];
        assert!(last.iter().all(|&channel| channel >= 255 - tolerance), "{format:?}: {last:?}");
    }
}

#[test]
fn sixteen_bits_and_gray_with_opacity_are_read() {
    let deep = image::ImageBuffer::from_fn(2, 1, |x, _| image::LumaA([x as u16 * 65_535, 32_896]));
    let mut bytes = std::io::Cursor::new(Vec::new());
    DynamicImage::ImageLumaA16(deep).write_to(&mut bytes, ImageFormat::Png).expect("a PNG");
    let picture = Picture::decode(&bytes.into_inner()).expect("a good file");
    assert_eq!(picture.rgba8(), [0, 0, 0, 128, 255, 255, 255, 128]);
}

#[test]
fn exif_orientation_turns_the_picture() {
    // An APP1 segment with one entry, orientation 6 (turn right), after the
    // JPEG's start marker.
    let exif = b"\xff\xe1\x00\x22Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    let plain = encoded(ImageFormat::Jpeg);
    let turned = [&plain[..2], exif, &plain[2..]].concat();
    let picture = Picture::decode(&turned).expect("a good file");
    assert_eq!((picture.width(), picture.height()), (2, 3));
}

fn refusal(bytes: &[u8]) -> Error {
    let error = Picture::decode(bytes).expect_err("a bad file");
    assert!(matches!(error, Error::Picture { .. }), "{error:?}");
    assert!(error.to_string().starts_with("not a readable picture: "), "{error}");
    error
}

#[test]
fn every_truncation_of_a_png_is_an_error() {
    let file = encoded(ImageFormat::Png);
    // All that may be missing unnoticed is the empty end chunk, 12 bytes.
    for length in 0..file.len() - 12 {
        refusal(&file[..length]);
    }
}

#[test]
fn every_flipped_bit_is_an_error_or_a_picture() {
    for format in [ImageFormat::Png, ImageFormat::Gif, ImageFormat::Bmp, ImageFormat::WebP] {
        let good = encoded(format);
        for bit in 0..8 * good.len() {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            if let Err(error) = Picture::decode(&bad) {
                assert!(matches!(error, Error::Picture { .. }), "{format:?} bit {bit}: {error:?}");
            }
        }
    }
}

#[test]
fn text_and_nothing_are_no_pictures() {
    refusal(b"label,pixel0,pixel1\n7,0,0\n");
    refusal(b"");
}

#[test]
fn a_small_file_that_claims_a_huge_picture_is_refused() {
    // The header of a good PNG, changed to 65535 × 65535, and its checksum.
    let mut file = encoded(ImageFormat::Png);
    file[16..24].copy_from_slice(&[0, 0, 255, 255, 0, 0, 255, 255]);
    let mut state = !0_u32;
    for &byte in &file[12..29] {
        state ^= u32::from(byte);
        for _ in 0..8 {
            state = (state >> 1) ^ ((state & 1) * 0xedb8_8320);
        }
    }
    file[29..33].copy_from_slice(&(!state).to_be_bytes());
    let text = refusal(&file).to_string();
    assert!(text.contains("65535 x 65535") || text.contains("limit"), "{text}");
}

#[test]
fn a_path_that_cannot_be_read_is_named() {
    for path in ["fixtures/nowhere.png", "fixtures"] {
        let error = Picture::open(path).expect_err("no picture");
        assert!(matches!(error, Error::File { .. }), "{error:?}");
        assert!(error.to_string().starts_with(path), "{error}");
    }
}

#[test]
fn pixels_must_fill_the_picture() {
    for (width, height, bytes) in [(0, 0, 0), (2, 2, 15), (usize::MAX, 2, 8)] {
        let error = Picture::from_rgba8(width, height, vec![0; bytes]).expect_err("a mismatch");
        assert!(matches!(error, Error::Mismatch { .. }), "{error:?}");
    }
    assert!(Picture::from_gray8(2, 2, &[0; 3]).is_err());
}

#[test]
fn the_model_in_the_box_reads_the_pictures_in_fixtures() {
    let network = Network::pretrained();
    for (file, digit) in [("seven.png", 7), ("three.jpg", 3), ("five.png", 5)] {
        let picture = Picture::open(format!("fixtures/{file}")).expect("a fixture");
        let prediction = network.recognize(&picture).expect("ink");
        assert_eq!(prediction.digit(), digit, "{file}: {prediction:?}");
        assert!(prediction.confidence() > 0.9, "{file}: {prediction:?}");
    }
}
