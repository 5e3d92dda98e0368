//! Measures how many digits a network gets right.

mod charts;
mod shared;
mod sheet;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use digit_recognizer::{ConfusionMatrix, Network, Picture, Reliability, mnist};
use sheet::Wrong;

/// Measures how many digits a network gets right.
#[derive(Parser)]
#[command(after_help = "Examples:
  cargo run --release --example evaluate -- mnist fixtures/mnist
  cargo run --release --example evaluate -- --model my.digits pictures my-pictures")]
struct Args {
    /// A weights file or .npz [default: the network in the library]
    #[arg(long, value_name = "FILE", global = true)]
    model: Option<PathBuf>,

    /// Write a diagram: how many answers of each confidence are right
    #[arg(long, value_name = "FILE.svg", global = true)]
    reliability: Option<PathBuf>,

    #[command(subcommand)]
    data: Data,
}

#[derive(Subcommand)]
enum Data {
    /// The test images of MNIST
    ///
    /// Prints the accuracy of each digit, the confusion matrix, the expected
    /// calibration error, between which shares the true accuracy is with a
    /// probability of 95 %, and last the accuracy of all:
    /// `accuracy 9812/10000 = 98.12 %`.
    Mnist {
        /// The folder with MNIST's four files, gzipped or not
        dir: PathBuf,
    },
    /// Pictures of digits, by the condition they were made in
    ///
    /// Reads DIR/<condition>/<label>_<anything>.<ext>, such as
    /// my-pictures/pencil/7_first.png. Prints a line for each condition, for all
    /// pictures the expected calibration error and the interval of 95 %, and
    /// last the conditions' mean and the worst:
    /// `mean 85.21 % worst 71.33 % (pencil)`. A picture that cannot be read is
    /// named on stderr and counts as wrong.
    Pictures {
        /// Write a picture of the wrong ones: each beside what the network saw of
        /// it, above its label, the answer and the answer's probability
        #[arg(long, value_name = "FILE.png")]
        wrong: Option<PathBuf>,

        /// The folder with a folder for each condition
        dir: PathBuf,
    },
}

fn main() -> ExitCode {
    shared::finish(run(&Args::parse()))
}

fn run(args: &Args) -> shared::Result<ExitCode> {
    let model = args.model.as_deref();
    let reliability = match &args.data {
        // Sets in MNIST's form may have images of another size.
        Data::Mnist { dir } => evaluate_mnist(&shared::model(model)?, dir)?,
        Data::Pictures { wrong, dir } => {
            evaluate_pictures(&shared::digit_model(model)?, dir, wrong.as_deref())?
        }
    };
    if let Some(path) = &args.reliability {
        fs::write(path, charts::reliability_diagram(&reliability)?)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        shared::report(format_args!("wrote {}", path.display()));
    }
    Ok(ExitCode::SUCCESS)
}

fn evaluate_mnist(network: &Network, dir: &Path) -> shared::Result<Reliability> {
    let (confusion, reliability) = shared::with_spinner("evaluating the test images", || {
        let test = mnist::load(dir, mnist::Split::Test)?;
        Ok((network.evaluate(&test)?, network.reliability(&test)?))
    })
    .map_err(|error: digit_recognizer::Error| shared::name_file(dir, &error))?;

    let mut stdout = io::stdout().lock();
    for digit in 0..confusion.classes() {
        let (correct, total) = (confusion.count(digit, digit), confusion.label_total(digit));
        writeln!(stdout, "{digit}: {}", shared::share(correct, total))?;
    }
    writeln!(stdout)?;
    write_confusion(&mut stdout, &confusion)?;
    writeln!(stdout)?;
    write_certainty(&mut stdout, &reliability, confusion.correct(), confusion.total())?;
    writeln!(stdout, "accuracy {}", shared::share(confusion.correct(), confusion.total()))?;
    Ok(reliability)
}

/// How far confidences and the share of right answers can be trusted.
fn write_certainty(
    out: &mut impl Write,
    reliability: &Reliability,
    correct: usize,
    total: usize,
) -> io::Result<()> {
    let error = 100.0 * reliability.calibration_error();
    let (low, high) = shared::confidence_interval(correct, total);
    writeln!(out, "expected calibration error {error:.2} %")?;
    writeln!(out, "95 % interval of the accuracy {:.2} % to {:.2} %", 100.0 * low, 100.0 * high)
}

/// A row for each label, a column for each answer.
fn write_confusion(out: &mut impl Write, confusion: &ConfusionMatrix) -> io::Result<()> {
    write!(out, "label\\answer")?;
    for answer in 0..confusion.classes() {
        write!(out, "{answer:>6}")?;
    }
    writeln!(out)?;
    for label in 0..confusion.classes() {
        write!(out, "{label:>12}")?;
        for answer in 0..confusion.classes() {
            write!(out, "{:>6}", confusion.count(label, answer))?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// Pictures that were made in the same way.
struct Condition {
    name: String,
    pictures: Vec<(usize, PathBuf)>,
}

fn evaluate_pictures(
    network: &Network,
    dir: &Path,
    sheet: Option<&Path>,
) -> shared::Result<Reliability> {
    let conditions = find_conditions(dir)?;
    let total = conditions.iter().map(|condition| condition.pictures.len()).sum();
    let bar = shared::progress_bar(total, "{bar:40} {pos}/{len} {msg}  {eta} left")?;

    let mut results = Vec::new();
    let mut reliability = Reliability::default();
    let mut wrong = Vec::new();
    for condition in &conditions {
        bar.set_message(condition.name.clone());
        let mut correct = 0;
        for (label, path) in &condition.pictures {
            let answer = match Picture::open(path).and_then(|picture| network.recognize(&picture)) {
                Ok(answer) => {
                    reliability.record(answer.confidence(), answer.digit() == *label);
                    Some(answer)
                }
                Err(error) => {
                    bar.suspend(|| shared::report(shared::name_file(path, &error)));
                    None
                }
            };
            match answer {
                Some(answer) if answer.digit() == *label => correct += 1,
                answer => wrong.push(Wrong { path, label: *label, answer }),
            }
            bar.inc(1);
        }
        results.push((&condition.name, correct, condition.pictures.len()));
    }
    bar.finish_and_clear();

    let mut stdout = io::stdout().lock();
    let mut mean = 0.0;
    let mut worst = (f64::INFINITY, "");
    for &(name, correct, total) in &results {
        writeln!(stdout, "{name} {}", shared::share(correct, total))?;
        let percent = 100.0 * correct as f64 / total as f64;
        mean += percent / results.len() as f64;
        if percent < worst.0 {
            worst = (percent, name);
        }
    }
    write_certainty(&mut stdout, &reliability, total - wrong.len(), total)?;
    writeln!(stdout, "mean {mean:.2} % worst {:.2} % ({})", worst.0, worst.1)?;
    drop(stdout);
    match sheet {
        None => {}
        Some(path) if wrong.is_empty() => {
            shared::report(format_args!("no picture was wrong: {} is not written", path.display()));
        }
        Some(path) => {
            sheet::write(path, &wrong)?;
            let count = wrong.len().min(sheet::MAX_PICTURES);
            shared::report(format_args!(
                "wrote {}: {count} of {} wrong pictures",
                path.display(),
                wrong.len()
            ));
        }
    }
    Ok(reliability)
}

/// The conditions in `dir`, at least one, each with at least one picture.
fn find_conditions(dir: &Path) -> shared::Result<Vec<Condition>> {
    let mut conditions = Vec::new();
    for folder in sorted_entries(dir)?.into_iter().filter(|path| path.is_dir()) {
        let mut pictures = Vec::new();
        for path in sorted_entries(&folder)? {
            match label(&path) {
                Some(label) => pictures.push((label, path)),
                None => shared::report(format_args!(
                    "{}: left out: expected a name such as 7_first.png",
                    path.display()
                )),
            }
        }
        if !pictures.is_empty() {
            let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
            conditions.push(Condition { name, pictures });
        }
    }
    if conditions.is_empty() {
        let message = "expected pictures such as <condition>/7_first.png, found none";
        return Err(format!("{}: {message}", dir.display()).into());
    }
    Ok(conditions)
}

/// What a folder holds, by name, without hidden files.
fn sorted_entries(dir: &Path) -> shared::Result<Vec<PathBuf>> {
    let read = || -> io::Result<Vec<PathBuf>> {
        fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect()
    };
    let mut paths = read().map_err(|error| format!("{}: {error}", dir.display()))?;
    paths.retain(|path| !path.file_name().unwrap_or_default().as_encoded_bytes().starts_with(b"."));
    paths.sort();
    Ok(paths)
}

/// The label in a name such as `7_first.png`.
fn label(path: &Path) -> Option<usize> {
    path.extension()?;
    match path.file_name()?.as_encoded_bytes() {
        [digit @ b'0'..=b'9', b'_', ..] => Some(usize::from(digit - b'0')),
        _ => None,
    }
}
