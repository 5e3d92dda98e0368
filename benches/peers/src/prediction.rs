//! The ten probabilities of 784-128-10, for one image and for 10,000.

use std::error::Error;
use std::path::Path;

use clap::ValueEnum;

use crate::competitor::{Competitor, spawn};
use crate::report::{Rounds, Table, print_header};

pub fn run(data: &Path, rounds: usize) -> Result<(), Box<dyn Error>> {
    print_header("Prediction: 784-128-10");
    let entries = Competitor::value_variants().iter().flat_map(|&competitor| {
        competitor.threads().iter().map(move |&threads| (competitor, threads))
    });
    let mut entries: Vec<_> = entries.map(|entry| (entry, Times::default())).collect();
    for _ in 0..rounds {
        for ((competitor, threads), times) in &mut entries {
            let [one, many, difference] = spawn("predict-once", *competitor, *threads, data, &[])?;
            if difference.is_nan() || difference >= 1e-4 {
                return Err(format!("{}: differs by {difference}", competitor.name()).into());
            }
            times.one.0.push(one);
            times.many.0.push(many);
            times.difference = times.difference.max(difference);
        }
    }

    let best = |ours: bool, of: fn(&Times) -> f64| {
        let entries = entries.iter().filter(|((c, _), _)| c.is_ours() == ours);
        entries.map(|(_, times)| of(times)).fold(f64::INFINITY, f64::min)
    };
    let one: fn(&Times) -> f64 = |times| times.one.median();
    let many: fn(&Times) -> f64 = |times| times.many.median();
    let mut table = Table::new([
        "",
        "threads",
        "one: µs",
        "÷ ours",
        "10,000: ms",
        "÷ ours",
        "largest difference",
    ]);
    for ((competitor, threads), times) in &entries {
        table.row([
            competitor.name(),
            threads.to_string(),
            format!("{:.2}", one(times)),
            format!("{:.2}", one(times) / best(true, one)),
            format!("{:.2}", many(times)),
            format!("{:.2}", many(times) / best(true, many)),
            format!("{:.1e}", times.difference),
        ]);
    }
    println!("{table}");
    println!(
        "Best peer ÷ ours: {:.2} for one, {:.2} for 10,000. Medians of {rounds} rounds; one image \
         in a round is the median of 10,000 calls, each on another image.",
        best(false, one) / best(true, one),
        best(false, many) / best(true, many),
    );
    Ok(())
}

#[derive(Default)]
struct Times {
    one: Rounds,
    many: Rounds,
    difference: f64,
}
