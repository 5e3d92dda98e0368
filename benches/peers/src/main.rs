//! digit-recognizer and its peers on the same work, in one run.

use std::error::Error;
use std::path::PathBuf;

use clap::{Parser, Subcommand};

mod competitor;
mod job;
mod ours;
mod peak;
mod peers;
mod prediction;
mod products;
mod report;
mod scaling;
mod training;

/// Compares digit-recognizer with its peers; prints Markdown tables.
///
/// Every round runs each competitor once, in turn, so that noise meets all
/// alike; still, leave the machine alone meanwhile.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Matrix products in f32 on one thread, and the peak of one core.
    Products {
        #[arg(long, default_value_t = 9)]
        rounds: usize,
    },
    /// One epoch over the MNIST training images.
    Training(Run),
    /// Probabilities for one image and for 10,000.
    Prediction(Run),
    /// Our time against the number of images, hidden units and threads.
    Scaling(Run),
    /// Our time for the original's job: 784-10-10, 500 steps on 42,000 images.
    Original(Run),
    /// One training of one competitor: prints its seconds and its accuracy.
    TrainOnce {
        #[command(flatten)]
        worker: competitor::Worker,
        #[command(flatten)]
        job: job::Job,
    },
    /// Predictions of one competitor: prints the microseconds for one image, the
    /// milliseconds for 10,000, and the largest difference from our probabilities.
    PredictOnce(competitor::Worker),
}

#[derive(clap::Args)]
struct Run {
    /// The folder with the MNIST files, plain or gzipped.
    #[arg(long)]
    data: PathBuf,
    #[arg(long, default_value_t = 5)]
    rounds: usize,
}

fn main() -> Result<(), Box<dyn Error>> {
    match Arguments::parse().command {
        Command::Products { rounds } => products::run(rounds),
        Command::Training(Run { data, rounds }) => training::run(&data, rounds)?,
        Command::Prediction(Run { data, rounds }) => prediction::run(&data, rounds)?,
        Command::Scaling(Run { data, rounds }) => scaling::run(&data, rounds)?,
        Command::Original(Run { data, rounds }) => scaling::original(&data, rounds)?,
        Command::TrainOnce { worker, job } => print_numbers(&worker.train(&job)?),
        Command::PredictOnce(worker) => print_numbers(&worker.predict()?),
    }
    Ok(())
}

fn print_numbers(numbers: &[f64]) {
    let numbers: Vec<String> = numbers.iter().map(f64::to_string).collect();
    println!("{}", numbers.join(" "));
}
