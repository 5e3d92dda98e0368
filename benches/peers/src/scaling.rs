//! How our time grows with images, hidden units and threads; and the job that
//! the crate's idea comes from.

use std::error::Error;
use std::path::Path;

use crate::competitor::{Competitor, spawn};
use crate::job::Job;
use crate::ours;
use crate::report::{Rounds, Table, print_header};

pub fn run(data: &Path, rounds: usize) -> Result<(), Box<dyn Error>> {
    print_header("Scaling: seconds of one epoch");
    let images = [1_000, 10_000, 60_000, 600_000].map(|images| Job { images, ..Job::default() });
    let hidden =
        [32, 128, 512, 2048, 4096].map(|hidden| Job { images: 10_000, hidden, ..Job::default() });
    for (title, jobs) in [
        ("Images, at 784-128-10 and batch 64", &images[..]),
        ("Hidden units, on 10,000 images at batch 64", &hidden[..]),
    ] {
        println!("{title}, {rounds} rounds\n");
        print_table(jobs, data, rounds)?;
    }
    Ok(())
}

/// 500 steps on 42,000 images at once, as Kaggle's training file has.
pub fn original(data: &Path, rounds: usize) -> Result<(), Box<dyn Error>> {
    print_header("The original's job: 784-10-10, 500 steps on 42,000 images");
    let job = Job {
        images: 42_000,
        hidden: 10,
        batch: 42_000,
        epochs: 500,
        learning_rate: 0.1,
        momentum: 0.0,
    };
    print_table(&[job], data, rounds)
}

fn print_table(jobs: &[Job], data: &Path, rounds: usize) -> Result<(), Box<dyn Error>> {
    let entries = jobs.iter().flat_map(|job| ours::THREADS.iter().map(move |&t| (job, t)));
    let mut entries: Vec<_> = entries.map(|entry| (entry, Rounds::default(), 0.0)).collect();
    for _ in 0..rounds {
        for ((job, threads), seconds, accuracy) in &mut entries {
            let arguments = job.arguments();
            let [time, right] = spawn("train-once", Competitor::Ours, *threads, data, &arguments)?;
            seconds.0.push(time);
            *accuracy = right;
        }
    }
    let mut table = Table::new([
        "images",
        "hidden",
        "threads",
        "seconds, least",
        "median",
        "ns per image and weight",
        "accuracy",
    ]);
    for ((job, threads), seconds, accuracy) in &entries {
        let work = (job.epochs * job.images * job.hidden * (784 + 10)) as f64;
        table.row([
            job.images.to_string(),
            job.hidden.to_string(),
            threads.to_string(),
            format!("{:.3}", seconds.min()),
            format!("{:.3}", seconds.median()),
            format!("{:.4}", 1e9 * seconds.median() / work),
            format!("{accuracy:.4}"),
        ]);
    }
    println!("{table}");
    Ok(())
}
