//! Says which digit a picture shows.

mod shared;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use digit_recognizer::{
    Crop, DigitImage, Network, Picture, Polarity, Prediction, Preprocess, Stage,
};
use image::imageops::{FilterType, overlay, resize};
use image::{ImageFormat, Rgba, RgbaImage};

/// Says which digit each picture shows.
///
/// Prints a line for each picture: its path, the digit, and the digit's
/// probability from 0 to 1, with tabs between them. A picture that cannot be
/// read is named on stderr, and the exit status is then 1.
#[derive(Parser)]
#[command(after_help = "Example:
  cargo run --release --example recognize -- --show seven.png")]
struct Args {
    /// A weights file or .npz [default: the network in the library]
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,

    /// Show what the network sees, and the probability of every digit
    #[arg(long)]
    show: bool,

    /// Write the steps from the picture to the network's input side by side, each
    /// 224 pixels high, as a PNG; of one picture
    #[arg(long, value_name = "FILE.png")]
    stages: Option<PathBuf>,

    /// Whether the ink is dark or light [default: found out]
    #[arg(long, value_enum)]
    polarity: Option<Ink>,

    /// Look at this part of the picture only: its first column and row, its width
    /// and height, in pixels
    #[arg(long, value_name = "X,Y,W,H", value_parser = crop)]
    crop: Option<Crop>,

    /// Leave strokes as wide as they are drawn
    #[arg(long)]
    keep_stroke: bool,

    /// PNG, JPEG, BMP, GIF or WebP files, each with one digit
    #[arg(required = true, value_name = "PICTURE")]
    pictures: Vec<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Ink {
    Dark,
    Light,
}

fn main() -> ExitCode {
    shared::finish(run(&Args::parse()))
}

fn run(args: &Args) -> shared::Result<ExitCode> {
    if args.stages.is_some() && args.pictures.len() > 1 {
        return Err("--stages: expected one picture, found several".into());
    }
    let network = shared::digit_model(args.model.as_deref())?;
    let preprocess = Preprocess {
        polarity: args.polarity.map(|ink| match ink {
            Ink::Dark => Polarity::Dark,
            Ink::Light => Polarity::Light,
        }),
        crop: args.crop,
        normalise_stroke: !args.keep_stroke,
    };
    let mut stdout = io::stdout().lock();
    let mut code = ExitCode::SUCCESS;
    for path in &args.pictures {
        match recognize(&network, &preprocess, path, args.stages.as_deref()) {
            Ok((image, answer)) => {
                let (digit, probability) = (answer.digit(), answer.confidence());
                writeln!(stdout, "{}\t{digit}\t{probability:.4}", path.display())?;
                if args.show {
                    show(&mut stdout, &image, &answer)?;
                }
            }
            Err(error) => {
                shared::report(error);
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

/// What the network sees of a picture, and its answer, or what went wrong with
/// which file. The stages are written also where they lead to no image.
fn recognize(
    network: &Network,
    preprocess: &Preprocess,
    path: &Path,
    stages_to: Option<&Path>,
) -> Result<(DigitImage, Prediction), String> {
    let named = |error| shared::name_file(path, &error);
    let picture = Picture::open(path).map_err(named)?;
    let image = match stages_to {
        None => preprocess.run(&picture),
        Some(file) => {
            let (stages, image) = preprocess.stages(&picture);
            let saved = side_by_side(&stages).save_with_format(file, ImageFormat::Png);
            saved.map_err(|error| format!("{}: {error}", file.display()))?;
            image
        }
    };
    let image = image.map_err(named)?;
    let answer = network.predict(&image);
    Ok((image, answer))
}

/// The pictures in a row, of one height; pixels of small ones stay squares.
fn side_by_side(stages: &[Stage]) -> RgbaImage {
    const HEIGHT: u32 = 224;
    const WIDEST: u32 = 896;
    const GAP: u32 = 8;
    let scaled: Vec<RgbaImage> = stages
        .iter()
        .filter_map(|Stage { picture, .. }| {
            let (width, height) = (picture.width() as u32, picture.height() as u32);
            let pixels = RgbaImage::from_raw(width, height, picture.rgba8().to_vec())?;
            let new_width = f64::from(HEIGHT) * f64::from(width) / f64::from(height);
            let new_width = (new_width.round() as u32).clamp(1, WIDEST);
            let filter = if height < HEIGHT { FilterType::Nearest } else { FilterType::Triangle };
            Some(resize(&pixels, new_width, HEIGHT, filter))
        })
        .collect();
    let width = scaled.iter().map(|picture| picture.width() + GAP).sum::<u32>() + GAP;
    let mut row = RgbaImage::from_pixel(width, HEIGHT + 2 * GAP, Rgba([90, 120, 160, 255]));
    let mut left = GAP;
    for picture in &scaled {
        overlay(&mut row, picture, i64::from(left), i64::from(GAP));
        left += picture.width() + GAP;
    }
    row
}

fn crop(text: &str) -> Result<Crop, String> {
    let numbers: Result<Vec<usize>, _> = text.split(',').map(str::parse).collect();
    match numbers.as_deref() {
        Ok(&[x, y, width, height]) => Ok(Crop { x, y, width, height }),
        _ => Err("expected four whole numbers with commas between them".to_owned()),
    }
}

fn show(out: &mut impl Write, image: &DigitImage, answer: &Prediction) -> io::Result<()> {
    const WIDTH: usize = 40;
    writeln!(out, "\n{image}")?;
    for (digit, &probability) in answer.probabilities().iter().enumerate() {
        let bar = "#".repeat((probability * WIDTH as f32).round() as usize);
        writeln!(out, "{digit} |{bar:WIDTH$}| {:5.1} %", 100.0 * probability)?;
    }
    writeln!(out)
}
