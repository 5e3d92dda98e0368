//! What several commands need.

#![allow(dead_code, reason = "each command uses a part")]

use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use clap::ValueEnum;
use digit_recognizer::{Error, Storage};
#[cfg(feature = "pretrained")]
use digit_recognizer::{Network, PIXELS};
use indicatif::{ProgressBar, ProgressStyle};

/// The result of a command and its parts.
pub(crate) type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// How a weights file holds a weight, as an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StorageName {
    /// Every bit of the network
    F32,
    /// 16-bit floats
    F16,
    /// Whole numbers of 8 bits, with a scale for each output
    I8,
}

impl From<StorageName> for Storage {
    fn from(name: StorageName) -> Self {
        match name {
            StorageName::F32 => Self::F32,
            StorageName::F16 => Self::F16,
            StorageName::I8 => Self::I8,
        }
    }
}

/// Turns a command's result into its exit status, and reports its error.
///
/// Whoever reads the output may stop early, as `head` does; that is no error.
pub(crate) fn finish(result: Result<ExitCode>) -> ExitCode {
    match result {
        Ok(code) => code,
        Err(error) => match error.downcast_ref::<io::Error>() {
            Some(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
            _ => {
                report(format_args!("error: {error}"));
                ExitCode::FAILURE
            }
        },
    }
}

/// Writes a line to stderr.
pub(crate) fn report(line: impl Display) {
    // With stderr closed there is nobody to tell.
    let _ = writeln!(io::stderr(), "{line}");
}

/// An error's message that names the file, once.
pub(crate) fn name_file(path: &Path, error: &Error) -> String {
    match error {
        Error::File { .. } => error.to_string(),
        _ => format!("{}: {error}", path.display()),
    }
}

/// The network in a file, or without one the network in the library.
#[cfg(feature = "pretrained")]
pub(crate) fn model(path: Option<&Path>) -> Result<Network> {
    match path {
        Some(path) => Network::load(path).map_err(|error| name_file(path, &error).into()),
        None => Ok(Network::pretrained()),
    }
}

/// The same, if it takes digit images.
#[cfg(feature = "pretrained")]
pub(crate) fn digit_model(path: Option<&Path>) -> Result<Network> {
    let network = model(path)?;
    match (path, network.inputs()) {
        (Some(path), inputs) if inputs != PIXELS => {
            let message = format!("expected a network with {PIXELS} inputs, found {inputs}");
            Err(format!("{}: {message}", path.display()).into())
        }
        _ => Ok(network),
    }
}

/// A share as a count and as a percentage: `9812/10000 = 98.12 %`.
pub(crate) fn share(part: usize, whole: usize) -> String {
    let percent = 100.0 * part as f64 / whole.max(1) as f64;
    format!("{part}/{whole} = {percent:.2} %")
}

/// Between which shares, 0 to 1, the true one is with a probability of 95 %.
///
/// # Source
/// Wilson, *Probable inference, the law of succession, and statistical inference*
/// (Journal of the American Statistical Association, 1927).
pub(crate) fn confidence_interval(part: usize, whole: usize) -> (f64, f64) {
    // Where the normal distribution has 97.5 % below.
    const Z: f64 = 1.959_964;
    let n = whole.max(1) as f64;
    let share = part as f64 / n;
    let centre = share + Z * Z / (2.0 * n);
    let spread = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    ((centre - spread) / scale, (centre + spread) / scale)
}

/// Runs `work` beside a turning wheel, which shows on a terminal only.
pub(crate) fn with_spinner<T>(message: impl Into<String>, work: impl FnOnce() -> T) -> T {
    let spinner = ProgressBar::new_spinner().with_message(message.into());
    spinner.enable_steady_tick(Duration::from_millis(100));
    let result = work();
    spinner.finish_and_clear();
    result
}

/// A progress bar, which shows on a terminal only.
///
/// `template` is in indicatif's notation.
pub(crate) fn progress_bar(len: usize, template: &str) -> Result<ProgressBar> {
    let style = ProgressStyle::with_template(template)?;
    let bar = ProgressBar::new(len as u64).with_style(style.progress_chars("=> "));
    bar.enable_steady_tick(Duration::from_millis(200));
    Ok(bar)
}
