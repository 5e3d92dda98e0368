//! What is answered where there is a digit.

use std::io::Cursor;

use digit_recognizer::{DigitImage, Prediction, Stage};
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder};
use serde::Serialize;

use crate::base64::base64;

/// From which probability on an answer counts as sure.
///
/// Of the digits and the non-digits that the tests draw, 99 % and 5 % are above it:
/// `cargo test --test conditions -- --nocapture confidence` prints the counts.
const SURE: f32 = 0.9;

/// An answer, as JSON says it.
#[derive(Debug, Serialize)]
pub(crate) struct Answer {
    digit: usize,
    /// The digit's probability, 0 to 1.
    confidence: f32,
    /// Whether that is enough to call it a digit.
    sure: bool,
    probabilities: Vec<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    inputs: Option<Vec<f32>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    stages: Option<Vec<StagePicture>>,
}

#[derive(Debug, Serialize)]
struct StagePicture {
    name: &'static str,
    width: usize,
    height: usize,
    /// A PNG, as a `data:` address.
    png: String,
}

impl Answer {
    pub(crate) fn new(prediction: &Prediction) -> Self {
        Self {
            digit: prediction.digit(),
            confidence: prediction.confidence(),
            sure: prediction.confidence() >= SURE,
            probabilities: prediction.probabilities().to_vec(),
            inputs: None,
            stages: None,
        }
    }

    pub(crate) fn with_inputs(self, image: &DigitImage) -> Self {
        Self { inputs: Some(image.pixels().to_vec()), ..self }
    }

    pub(crate) fn with_stages(self, stages: &[Stage]) -> Self {
        Self { stages: Some(stages.iter().map(StagePicture::new).collect()), ..self }
    }
}

impl StagePicture {
    fn new(stage: &Stage) -> Self {
        let picture = &stage.picture;
        let (width, height) = (picture.width(), picture.height());
        let mut png = Cursor::new(Vec::new());
        let encoder =
            PngEncoder::new_with_quality(&mut png, CompressionType::Fast, FilterType::Adaptive);
        // A stage's sides are at most those of a decoded picture, so they are u32.
        encoder
            .write_image(picture.rgba8(), width as u32, height as u32, ExtendedColorType::Rgba8)
            .expect("a vector takes everything");
        let png = format!("data:image/png;base64,{}", base64(png.get_ref()));
        Self { name: stage.name, width, height, png }
    }
}
