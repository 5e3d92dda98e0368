//! One epoch of MNIST, from pixels in memory to trained weights.

use std::error::Error;
use std::path::Path;

use crate::competitor::{Competitor, spawn};
use crate::job::Job;
use crate::report::{Rounds, Table, print_header};

const COMPETITORS: [Competitor; 5] = [
    Competitor::Ours,
    Competitor::Ndarray,
    Competitor::Candle,
    Competitor::BurnFlex,
    Competitor::BurnNdarray,
];

/// A run that is below has not done the work.
const LEAST_ACCURACY: f64 = 0.93;

pub fn run(data: &Path, rounds: usize) -> Result<(), Box<dyn Error>> {
    print_header("Training: one epoch over 60,000 images");
    for (hidden, batch) in [(128, 64), (512, 128)] {
        let job = Job { hidden, batch, ..Job::default() };
        let entries: Vec<Entry> = COMPETITORS
            .iter()
            .flat_map(|&competitor| competitor.threads().iter().map(move |&t| (competitor, t)))
            .map(|(competitor, threads)| Entry::new(competitor, threads))
            .collect();
        let entries = measure(entries, data, rounds, &job)?;
        println!("784-{hidden}-10, batch {batch}, SGD with momentum, {rounds} rounds\n");
        print_table(&entries);
    }
    Ok(())
}

/// A competitor with a number of threads, and its results.
struct Entry {
    competitor: Competitor,
    threads: usize,
    seconds: Rounds,
    /// The least of the rounds.
    accuracy: f64,
}

impl Entry {
    fn new(competitor: Competitor, threads: usize) -> Self {
        Self { competitor, threads, seconds: Rounds::default(), accuracy: 1.0 }
    }
}

/// Each round runs every entry once, in turn, so that noise meets all alike.
fn measure(
    mut entries: Vec<Entry>,
    data: &Path,
    rounds: usize,
    job: &Job,
) -> Result<Vec<Entry>, Box<dyn Error>> {
    for _ in 0..rounds {
        for Entry { competitor, threads, seconds, accuracy } in &mut entries {
            let arguments = job.arguments();
            let [time, right] = spawn("train-once", *competitor, *threads, data, &arguments)?;
            if right.is_nan() || right <= LEAST_ACCURACY {
                return Err(format!("{}: accuracy {right}", competitor.name()).into());
            }
            seconds.0.push(time);
            *accuracy = accuracy.min(right);
        }
    }
    Ok(entries)
}

fn print_table(entries: &[Entry]) {
    let best = |ours: bool, of: fn(&Rounds) -> f64| {
        let entries = entries.iter().filter(|e| e.competitor.is_ours() == ours);
        entries.map(|entry| of(&entry.seconds)).fold(f64::INFINITY, f64::min)
    };
    let mut table =
        Table::new(["", "threads", "seconds, least", "median", "accuracy", "÷ ours (median)"]);
    let ours = best(true, Rounds::median);
    for entry in entries {
        table.row([
            entry.competitor.name(),
            entry.threads.to_string(),
            format!("{:.3}", entry.seconds.min()),
            format!("{:.3}", entry.seconds.median()),
            format!("{:.4}", entry.accuracy),
            format!("{:.2}", entry.seconds.median() / ours),
        ]);
    }
    println!("{table}");
    println!(
        "Best peer ÷ ours: {:.2} by the median, {:.2} by the least.\n",
        best(false, Rounds::median) / ours,
        best(false, Rounds::min) / best(true, Rounds::min),
    );
}
