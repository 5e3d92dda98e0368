//! Who competes, and one run of one of them in a process of its own: the number
//! of threads is an environment variable that most of them read once.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use burn::tensor::Device;
use clap::ValueEnum;

use crate::job::{Job, Predictor, Weights};
use crate::ours::{self, Dataset};
use crate::peers::{burn as burn_peer, candle, ndarray, tract};
use crate::report::Rounds;

#[derive(Debug, Clone, Copy, PartialEq, ValueEnum)]
pub enum Competitor {
    /// Packed once.
    Ours,
    /// Packed for each call.
    OursNetwork,
    Ndarray,
    Candle,
    BurnFlex,
    BurnNdarray,
    Tract,
}

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// One run of one competitor.
#[derive(Debug, clap::Args)]
pub struct Worker {
    #[arg(long, value_enum, default_value_t = Competitor::Ours)]
    pub competitor: Competitor,
    /// Threads of ours; those of the peers are RAYON_NUM_THREADS and
    /// MATMUL_NUM_THREADS.
    #[arg(long, default_value_t = 1)]
    pub threads: usize,
    /// The folder with the MNIST files.
    #[arg(long)]
    pub data: PathBuf,
}

impl Competitor {
    pub fn name(self) -> String {
        self.to_possible_value().expect("none is hidden").get_name().to_owned()
    }

    /// The numbers of threads to try.
    pub fn threads(self) -> &'static [usize] {
        match self {
            Self::Ours => ours::THREADS,
            // As many as there are cores; one.
            Self::OursNetwork | Self::Tract => &[1],
            _ => &[1, 2],
        }
    }

    pub fn is_ours(self) -> bool {
        matches!(self, Self::Ours | Self::OursNetwork)
    }

    #[expect(deprecated, reason = "burn-ndarray still is one of burn's backends")]
    fn train(self, start: &Weights, data: &Dataset, job: &Job, threads: usize) -> Result<Weights> {
        Ok(match self {
            Self::Ours => ours::train(start, data, job, threads)?,
            Self::Ndarray => ndarray::train(start, data, job),
            Self::Candle => candle::train(start, data, job)?,
            Self::BurnFlex => burn_peer::train(start, data, job, Device::flex()),
            Self::BurnNdarray => burn_peer::train(start, data, job, Device::ndarray()),
            Self::OursNetwork | Self::Tract => {
                return Err(format!("{} does not train", self.name()).into());
            }
        })
    }

    #[expect(deprecated, reason = "burn-ndarray still is one of burn's backends")]
    fn predictor(self, weights: &Weights, threads: usize) -> Result<Box<dyn Predictor>> {
        Ok(match self {
            Self::Ours => ours::predictor(weights, threads)?,
            Self::OursNetwork => ours::network_predictor(weights)?,
            Self::Ndarray => ndarray::predictor(weights),
            Self::Candle => candle::predictor(weights)?,
            Self::BurnFlex => burn_peer::predictor(weights, Device::flex()),
            Self::BurnNdarray => burn_peer::predictor(weights, Device::ndarray()),
            Self::Tract => tract::predictor(weights)?,
        })
    }
}

impl Worker {
    /// Seconds of the training and the accuracy on the test images.
    pub fn train(&self, job: &Job) -> Result<[f64; 2]> {
        let training = ours::cycled(&ours::load_training(&self.data)?, job.images)?;
        let initial = ours::initial(job.hidden)?;
        // Starts threads and maps memory.
        let warm_up = Job { epochs: 1, ..*job };
        let few = ours::cycled(&training, job.images.min(2 * job.batch).min(2_000))?;
        self.competitor.train(&initial, &few, &warm_up, self.threads)?;

        let start = Instant::now();
        let weights = self.competitor.train(&initial, &training, job, self.threads)?;
        let seconds = start.elapsed().as_secs_f64();
        let accuracy = ours::accuracy(&weights, &ours::load_test(&self.data)?)?;
        Ok([seconds, accuracy])
    }

    /// Microseconds for one image, milliseconds for all test images, and the
    /// largest difference from our probabilities.
    pub fn predict(&self) -> Result<[f64; 3]> {
        let training = ours::cycled(&ours::load_training(&self.data)?, 10_000)?;
        let weights = ours::train(&ours::initial(128)?, &training, &Job::default(), 1)?;
        let test = ours::load_test(&self.data)?;
        let images: Vec<f32> =
            test.images().pixels().iter().map(|&pixel| f32::from(pixel) / 255.0).collect();

        let mut ours = ours::predictor(&weights, 1)?;
        ours.prepare(&images);
        let expected = ours.many();
        let mut predictor = self.competitor.predictor(&weights, self.threads)?;

        let mut found = vec![0.0; 10 * test.len()];
        let mut times = Rounds::default();
        for (image, probabilities) in images.chunks(784).zip(found.chunks_mut(10)) {
            let start = Instant::now();
            predictor.one(image, probabilities);
            times.0.push(start.elapsed().as_secs_f64());
        }
        let mut largest = difference(&found, &expected);

        predictor.prepare(&images);
        predictor.many();
        let mut many = Rounds::default();
        for _ in 0..5 {
            let start = Instant::now();
            let found = predictor.many();
            many.0.push(start.elapsed().as_secs_f64());
            largest = largest.max(difference(&found, &expected));
        }
        Ok([times.median() * 1e6, many.median() * 1e3, largest])
    }
}

fn difference(found: &[f32], expected: &[f32]) -> f64 {
    assert_eq!(found.len(), expected.len(), "probabilities");
    // NaN is as different as can be.
    let differences = found.iter().zip(expected).map(|(x, y)| f64::from((x - y).abs()));
    differences.fold(0.0, |max, x| if x <= max { max } else { x })
}

/// A run of this program's `command` with `arguments` for a competitor: the
/// numbers that it prints.
pub fn spawn<const N: usize>(
    command: &str,
    competitor: Competitor,
    threads: usize,
    data: &Path,
    arguments: &[String],
) -> Result<[f64; N]> {
    let threads = threads.to_string();
    let output = Command::new(std::env::current_exe()?)
        .arg(command)
        .args(["--competitor", &competitor.name(), "--threads", &threads, "--data"])
        .arg(data)
        .args(arguments)
        .env("RAYON_NUM_THREADS", &threads)
        .env("MATMUL_NUM_THREADS", &threads)
        .output()?;
    let failed = |why: String| format!("{command} {}: {why}", competitor.name());
    if !output.status.success() {
        return Err(failed(String::from_utf8_lossy(&output.stderr).into_owned()).into());
    }
    let text = String::from_utf8(output.stdout)?;
    let numbers: std::result::Result<Vec<f64>, _> =
        text.split_whitespace().map(str::parse).collect();
    numbers?.try_into().map_err(|_| failed(format!("unexpected output {text:?}")).into())
}
