//! Says which digit a picture shows.

mod shared;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use digit_recognizer::{DigitImage, Network, Picture, Prediction, preprocess};

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

    /// PNG, JPEG, BMP, GIF or WebP files, each with one digit
    #[arg(required = true, value_name = "PICTURE")]
    pictures: Vec<PathBuf>,
}

fn main() -> ExitCode {
    shared::finish(run(&Args::parse()))
}

fn run(args: &Args) -> shared::Result<ExitCode> {
    let network = shared::digit_model(args.model.as_deref())?;
    let mut stdout = io::stdout().lock();
    let mut code = ExitCode::SUCCESS;
    for path in &args.pictures {
        match recognize(&network, path) {
            Ok((image, answer)) => {
                let (digit, probability) = (answer.digit(), answer.confidence());
                writeln!(stdout, "{}\t{digit}\t{probability:.4}", path.display())?;
                if args.show {
                    show(&mut stdout, &image, &answer)?;
                }
            }
            Err(error) => {
                shared::report(shared::name_file(path, &error));
                code = ExitCode::FAILURE;
            }
        }
    }
    Ok(code)
}

/// What the network sees of a picture, and its answer.
fn recognize(
    network: &Network,
    path: &Path,
) -> Result<(DigitImage, Prediction), digit_recognizer::Error> {
    let picture = Picture::open(path)?;
    Ok((preprocess(&picture)?, network.recognize(&picture)?))
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
