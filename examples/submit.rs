//! Answers Kaggle's test.csv.

mod shared;

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use digit_recognizer::kaggle;

/// Answers the test.csv of Kaggle's Digit Recognizer competition.
///
/// Writes the file to upload: the columns ImageId and Label.
#[derive(Parser)]
#[command(after_help = "Example:
  cargo run --release --example submit -- test.csv submission.csv")]
struct Args {
    /// A weights file or .npz [default: the network in the library]
    #[arg(long, value_name = "FILE")]
    model: Option<PathBuf>,

    /// The images: a row for each, a column for each pixel
    #[arg(value_name = "test.csv")]
    test: PathBuf,

    /// The file to write
    #[arg(value_name = "submission.csv")]
    submission: PathBuf,
}

fn main() -> ExitCode {
    shared::finish(run(&Args::parse()))
}

fn run(args: &Args) -> shared::Result<ExitCode> {
    let network = shared::digit_model(args.model.as_deref())?;
    let answers = shared::with_spinner(format!("answering {}", args.test.display()), || {
        let images = kaggle::load_test(&args.test)?;
        network.classify(&images)
    })
    .map_err(|error| shared::name_file(&args.test, &error))?;
    kaggle::save_submission(&args.submission, &answers)
        .map_err(|error| shared::name_file(&args.submission, &error))?;

    let path = args.submission.display();
    writeln!(io::stdout().lock(), "wrote {path} with {} answers", answers.len())?;
    Ok(ExitCode::SUCCESS)
}
