//! Where the seeds come from: small good files of every kind, each near a branch.

use std::fs;
use std::io::Write;
use std::path::Path;

use digit_recognizer::{Activation, DigitImage, Network, Storage};
use flate2::Compression;
use flate2::write::GzEncoder;
use image::{DynamicImage, ImageFormat, Luma, LumaA, Rgb, Rgba};

use crate::builder::{archive, deflated, float64, header, npy_with_header, stored};
use crate::checkpoint::{dataset, trainer};

/// Writes `fixtures/seeds`, which is in the repository.
#[test]
#[ignore = "writes into the repository"]
fn write_the_seeds() {
    let _ = fs::remove_dir_all("fixtures/seeds");
    weights();
    safetensors();
    npz();
    idx();
    csv();
    unipen();
    checkpoint();
    picture();
    pixels();
}

fn write(target: &str, name: &str, bytes: impl AsRef<[u8]>) {
    let folder = Path::new("fixtures/seeds").join(target);
    fs::create_dir_all(&folder).expect("a folder");
    fs::write(folder.join(name), bytes).expect("a seed");
}

/// With the byte that tells a body what to make of the rest.
fn with_mode(mode: u8, bytes: impl AsRef<[u8]>) -> Vec<u8> {
    [&[mode], bytes.as_ref()].concat()
}

fn weights() {
    let network = Network::new(&[3, 4, 2], Activation::Tanh, 1).expect("sizes");
    let network = network.with_temperature(1.5).expect("above 0");
    for storage in [Storage::F32, Storage::F16, Storage::I8] {
        let mut file = Vec::new();
        network.write_as(&mut file, storage).expect("small weights");
        write("weights", &format!("{storage:?}").to_lowercase(), file);
    }
    write("weights", "version-1", fs::read("fixtures/version-1.digits").expect("a fixture"));
}

fn safetensors() {
    let network = Network::new(&[2, 3, 2], Activation::Sigmoid, 1).expect("sizes");
    let mut file = Vec::new();
    network.write_safetensors(&mut file).expect("a vector takes everything");
    let length = u64::from_le_bytes(*file.first_chunk().expect("a length")) as usize;
    write("safetensors", "header", &file[8..8 + length]);
    write("safetensors", "file", file);
}

fn npz() {
    write("npz", "numpy", with_mode(0, fs::read("fixtures/tiny.npz").expect("a fixture")));
    let weights = float64("(2, 3)", &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    let bias = float64("(2, 1)", &[7.0, 8.0]);
    let mut w1 = deflated("W1.npy", &weights);
    w1.zip64 = true;
    write("npz", "deflated", with_mode(0, archive(&[w1, stored("b1.npy", &bias)])));
    write("npz", "array", with_mode(1, &weights));
    write("npz", "array-deflated", with_mode(2, &weights));
    let halves = npy_with_header(2, &header("<f2", "True", "(2, 3)"), &[0x3c; 12]);
    write("npz", "array-halves", with_mode(1, halves));
    write("npz", "header", with_mode(3, header("<f8", "False", "(2, 3)")));
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("a vector takes everything");
    encoder.finish().expect("a vector takes everything")
}

fn idx() {
    let images = [
        &[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3][..],
        &[0, 50, 100, 150, 200, 255].repeat(2),
    ]
    .concat();
    let labels = [0, 0, 8, 1, 0, 0, 0, 3, 9, 0, 4];
    write("idx", "images", &images);
    write("idx", "labels", labels);
    write("idx", "images-gzipped", gzip(&images));
    write("idx", "members", [gzip(&images[..9]), gzip(&images[9..])].concat());
}

fn csv() {
    let pixels: Vec<String> = (0..784).map(|index| (index * 7 % 256).to_string()).collect();
    let row = pixels.join(",");
    let names: Vec<String> = (0..784).map(|index| format!("pixel{index}")).collect();
    let names = names.join(",");
    write("csv", "train", with_mode(0, format!("label,{names}\n7,{row}\n")));
    write("csv", "test", with_mode(1, format!("\u{feff}{names}\r\n{row}\r\n")));
    write("csv", "rows", with_mode(2, format!("3,{row}\n4,{row}")));
    write("csv", "row", with_mode(3, format!("{}\n", row.replace("7,", "\"7\","))));
    let mut digit = Vec::new();
    let image = DigitImage::from_bytes(&std::array::from_fn(|index| index as u8));
    image.write_csv(&mut digit).expect("a vector takes everything");
    write("csv", "digit", with_mode(4, digit));
}

fn unipen() {
    let text = fs::read("fixtures/digits.unipen").expect("a fixture");
    write("unipen", "digits-gzipped", gzip(&text));
    write("unipen", "digits", text);
    let other = ".VERSION 1.0\n.COORD X Y\n.SEGMENT DIGIT 0-1 ? \"4\"\n.COMMENT 4 1 1\n\
                 .PEN_DOWN\n 1e1 -2\n 3 4.5\n.PEN_UP\n.DT 9\n.PEN_DOWN\n 7 7\n.PEN_UP\n";
    write("unipen", "statements", other);
}

fn checkpoint() {
    let dataset = dataset();
    let mut trainer = trainer(&dataset);
    for epochs in 0..2 {
        let mut file = Vec::new();
        trainer.write(&mut file).expect("a vector takes everything");
        // The time that an epoch took is no part of a seed.
        write("checkpoint", &format!("after-{epochs}"), file);
        trainer.next_epoch().expect("an epoch");
    }
}

fn picture() {
    // A 7 of two strokes, in the corner of 40 × 30 pixels.
    let is_ink = |x: u32, y: u32| {
        (6..26).contains(&x) && ((5..8).contains(&y) || x + y == 30 || x + y == 31) && y < 26
    };
    let gray =
        image::GrayImage::from_fn(40, 30, |x, y| Luma([if is_ink(x, y) { 30 } else { 230 }]));
    let alpha = image::GrayAlphaImage::from_fn(40, 30, |x, y| {
        LumaA([0, if is_ink(x, y) { 255 } else { 0 }])
    });
    let rgb = image::RgbImage::from_fn(40, 30, |x, y| {
        if is_ink(x, y) { Rgb([20, 40, 160]) } else { Rgb([250, 245, 230]) }
    });
    let rgba = image::RgbaImage::from_fn(40, 30, |x, y| {
        Rgba([200, 0, 0, if is_ink(x, y) { 255 } else { 0 }])
    });
    let encoded = |image: DynamicImage, format| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        image.write_to(&mut bytes, format).expect("a vector takes everything");
        bytes.into_inner()
    };
    write("picture", "gray.png", encoded(gray.clone().into(), ImageFormat::Png));
    write("picture", "alpha.png", encoded(alpha.into(), ImageFormat::Png));
    write("picture", "photo.jpg", encoded(rgb.clone().into(), ImageFormat::Jpeg));
    write("picture", "colour.gif", encoded(rgba.clone().into(), ImageFormat::Gif));
    write("picture", "colour.bmp", encoded(rgb.into(), ImageFormat::Bmp));
    write("picture", "canvas.webp", encoded(rgba.into(), ImageFormat::WebP));
    write("picture", "gray.jpg", encoded(gray.into(), ImageFormat::Jpeg));
}

fn pixels() {
    let is_ink =
        |x: usize, y: usize| (4..18).contains(&x) && ((4..6).contains(&y) || x + y == 20) && y < 18;
    let plane = |ink: u8, paper: u8| {
        (0..24 * 24).map(move |i| if is_ink(i % 24, i / 24) { ink } else { paper })
    };
    let file = |head: [u8; 4], pixels: Vec<u8>| [&head[..], &pixels].concat();
    write("pixels", "dark", file([23, 0, 0, 3], plane(20, 220).collect()));
    write("pixels", "light", file([23, 4, 0, 0], plane(220, 20).collect()));
    write("pixels", "crop", file([23, 8, 0x22, 1], plane(90, 120).collect()));
    let canvas = plane(255, 0).flat_map(|alpha| [0, 0, 0, alpha]).collect();
    write("pixels", "canvas", file([23, 1 + 16, 0, 1], canvas));
}
