//! From a decoded picture to the 28×28 image, and from a file's bytes to a digit.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use digit_recognizer::{Picture, preprocess};

/// A ring of ink on paper, as a hand-drawn 0, under light from 1 to `darkest`.
fn zero(side: usize, darkest: f32) -> Picture {
    let value = |i: usize| {
        let offset = |position: usize| position as f32 / side as f32 - 0.5;
        let distance = offset(i % side).hypot(offset(i / side));
        let light = 1.0 - (1.0 - darkest) * (i / side) as f32 / side as f32;
        // Grain of the paper, a few gray values.
        let grain = (i.wrapping_mul(2_654_435) >> 16) % 5;
        let ink = (distance - 0.3).abs() < 0.04;
        let paper = if darkest < 1.0 { 233 + grain } else { 235 };
        ((if ink { 40.0 } else { paper as f32 }) * light) as u8
    };
    let gray: Vec<u8> = (0..side * side).map(value).collect();
    Picture::from_gray8(side, side, &gray).expect("a gray value for each pixel")
}

fn preprocessing(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("preprocess");
    for (name, darkest) in [("drawing", 1.0), ("photo", 0.5)] {
        for side in [28, 280, 1000] {
            let picture = zero(side, darkest);
            group.bench_function(BenchmarkId::new(name, format!("{side}x{side}")), |bencher| {
                bencher.iter(|| preprocess(black_box(&picture)).expect("ink"));
            });
        }
    }
    group.finish();
}

/// A PNG of 280×280, as a canvas gives it, to its digit.
#[cfg(all(feature = "image", feature = "pretrained"))]
fn from_bytes(criterion: &mut Criterion) {
    use digit_recognizer::Network;

    let picture = zero(280, 1.0);
    let pixels = image::RgbaImage::from_raw(280, 280, picture.rgba8().to_vec()).expect("280 x 280");
    let mut png = std::io::Cursor::new(Vec::new());
    pixels.write_to(&mut png, image::ImageFormat::Png).expect("a vector takes everything");
    let png = png.into_inner();
    let mut predictor = Network::pretrained().predictor();
    criterion.bench_function("png of 280x280 to its digit", |bencher| {
        bencher.iter(|| {
            let picture = Picture::decode(black_box(&png)).expect("a picture");
            predictor.predict(&preprocess(&picture).expect("ink")).to_vec()
        });
    });
}

#[cfg(not(all(feature = "image", feature = "pretrained")))]
fn from_bytes(_: &mut Criterion) {}

criterion_group!(benches, preprocessing, from_bytes);
criterion_main!(benches);
