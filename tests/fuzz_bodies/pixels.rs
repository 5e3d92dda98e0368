//! Any pixels of any shape, with anything that a caller may know, to the prediction.

use digit_recognizer::{Crop, Error, Picture, Polarity, Preprocess};

use crate::network::network;

pub(crate) fn run(data: &[u8]) {
    let Some((&[width, flags, crop, scale], bytes)) = data.split_first_chunk::<4>() else { return };
    let width = usize::from(width) + 1;
    // The same pixels also as squares of up to 8×8: larger pictures from few bytes.
    let scale = usize::from(scale % 8) + 1;
    let in_colour = flags & 1 != 0;
    let depth = if in_colour { 4 } else { 1 };
    let height = bytes.len() / (width * depth);
    let pixel = |x: usize, y: usize| {
        let at = ((y / scale) * width + x / scale) * depth;
        match in_colour {
            true => [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]],
            false => [bytes[at], bytes[at], bytes[at], 255],
        }
    };
    let (columns, rows) = (width * scale, height * scale);
    let rgba = (0..rows).flat_map(|y| (0..columns).flat_map(move |x| pixel(x, y))).collect();
    let Ok(picture) = Picture::from_rgba8(columns, rows, rgba) else { return };
    let preprocess = Preprocess {
        polarity: [None, Some(Polarity::Dark), Some(Polarity::Light), None]
            [usize::from(flags >> 1) % 4],
        crop: (flags & 8 != 0).then(|| Crop {
            x: usize::from(crop % 16),
            y: usize::from(crop / 16),
            width: columns / 2,
            height: rows / 2,
        }),
        normalise_stroke: flags & 16 == 0,
    };
    match network().recognize_with(&picture, &preprocess) {
        Ok(prediction) => assert!(prediction.probabilities().iter().all(|p| p.is_finite())),
        Err(error) => {
            assert!(matches!(error, Error::NoInk { .. } | Error::Mismatch { .. }), "{error:?}");
        }
    }
}
