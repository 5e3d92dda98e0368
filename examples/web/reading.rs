//! From an upload to its answer.

use std::io::Cursor;

use axum::body::Bytes;
use digit_recognizer::{DigitImage, Error, Network, Picture, Preprocess, Stage, Strokes};
use image::{ImageFormat, ImageReader};
use serde::Deserialize;

use crate::answer::Answer;
use crate::keep::Keep;
use crate::refusal::Refusal;
use crate::upload::Upload;
use crate::wishes::Wishes;

/// Pixels of the largest picture: with what decoding and preparing it takes, 16 bytes
/// a pixel at most, 256 MiB.
pub(crate) const MAX_PIXELS: u64 = 16 << 20;

/// Pixels up to which a picture takes milliseconds and 16 MiB at most. Larger ones
/// are read one at a time.
pub(crate) const QUICK_PIXELS: u64 = 1 << 20;

/// Bytes of the longest strokes: twice what 65,536 points with four digits a
/// coordinate take. In memory they are eight times as large at most.
const MAX_STROKES: usize = 2 << 20;

/// How far reading came.
#[derive(Debug)]
pub(crate) enum Outcome {
    Answered(Result<Answer, Refusal>),
    /// The picture has more pixels than allowed here.
    Larger(Upload),
}

/// The digit as the network sees it, and how it became so.
#[derive(Debug)]
struct Prepared {
    image: DigitImage,
    stages: Vec<Stage>,
}

/// Reads the digit in a picture of up to `pixels` pixels, or in strokes.
pub(crate) fn read(
    network: &Network,
    upload: Upload,
    pixels: u64,
    wishes: Wishes,
    keep: Option<&Keep>,
) -> Outcome {
    let (bytes, extension, prepared) = match &upload {
        Upload::Strokes(json) => (json, "json", draw(json)),
        Upload::Picture(bytes) => match size(bytes) {
            Ok((_, size)) if size > pixels && size <= MAX_PIXELS => return Outcome::Larger(upload),
            Ok((format, size)) => {
                let extension = format.extensions_str().first().copied().unwrap_or("bin");
                (bytes, extension, prepare(bytes, size, wishes.stages))
            }
            Err(refusal) => (bytes, "bin", Err(refusal)),
        },
    };
    if let Some(keep) = keep {
        let image = prepared.as_ref().ok().map(|prepared| &prepared.image);
        keep.store(bytes, extension, image);
    }
    Outcome::Answered(prepared.map(|Prepared { image, stages }| {
        let mut answer = Answer::new(&network.predict(&image));
        if wishes.inputs {
            answer = answer.with_inputs(&image);
        }
        if wishes.stages {
            answer = answer.with_stages(&stages);
        }
        answer
    }))
}

/// The format of a picture and its number of pixels, of which nothing is decoded.
fn size(bytes: &Bytes) -> Result<(ImageFormat, u64), Refusal> {
    use ImageFormat::{Bmp, Gif, Jpeg, Png, WebP};

    let no_picture = || {
        let message = "The upload is not a picture: it should be PNG, JPEG, BMP, GIF or WebP.";
        Refusal::unsupported("not_a_picture", message)
    };
    let reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format();
    let reader = reader.map_err(|_| no_picture())?;
    let Some(format @ (Png | Jpeg | Bmp | Gif | WebP)) = reader.format() else {
        return Err(no_picture());
    };
    let (width, height) = reader.into_dimensions().map_err(damaged)?;
    Ok((format, u64::from(width) * u64::from(height)))
}

fn prepare(bytes: &Bytes, size: u64, watched: bool) -> Result<Prepared, Refusal> {
    if size > MAX_PIXELS {
        let limit = MAX_PIXELS >> 20;
        let message = format!("The picture has more than {limit} million pixels.");
        return Err(Refusal::too_large("too_many_pixels", message));
    }
    let picture = Picture::decode(bytes).map_err(|error| match error {
        Error::Picture { source } => damaged(source),
        other => damaged(other),
    })?;
    let (stages, image) = if watched {
        let (mut stages, image) = Preprocess::default().stages(&picture);
        // The first is the picture itself, which the client has.
        stages.remove(0);
        (stages, image)
    } else {
        (Vec::new(), Preprocess::default().run(&picture))
    };
    let image = image.map_err(|error| match error {
        Error::NoInk { .. } => {
            let message = "No digit: nothing in the picture stands out from its paper.";
            Refusal::unprocessable("no_ink", message)
        }
        other => damaged(other),
    })?;
    Ok(Prepared { image, stages })
}

fn damaged(error: impl std::fmt::Display) -> Refusal {
    Refusal::unprocessable("damaged_picture", format!("The picture cannot be read: {error}."))
}

/// A drawing, as JSON says it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Drawing {
    strokes: Vec<Vec<(f32, f32)>>,
}

fn draw(json: &Bytes) -> Result<Prepared, Refusal> {
    if json.len() > MAX_STROKES {
        let limit = MAX_STROKES >> 20;
        let message = format!("The strokes have more than {limit} MiB.");
        return Err(Refusal::too_large("body_too_large", message));
    }
    let drawing: Drawing = serde_json::from_slice(json).map_err(|error| {
        Refusal::bad_request("malformed_json", format!("The strokes cannot be read: {error}."))
    })?;
    let image = Strokes::new(drawing.strokes).and_then(|strokes| strokes.draw(Strokes::PEN_WIDTH));
    let image = image.map_err(|error| {
        Refusal::unprocessable("bad_strokes", format!("The strokes are no digit: {error}."))
    })?;
    Ok(Prepared { image, stages: Vec::new() })
}
