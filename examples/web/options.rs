//! The command's options.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

/// Serves a page on which digits are drawn, dropped or photographed, and read.
///
/// It prints the page's address, then a line a request, to stderr. SIGINT and
/// SIGTERM stop it: what has begun is finished first.
#[derive(Debug, Parser)]
#[command(after_help = "Example:
  cargo run --release --example web -- --port 8080")]
pub(crate) struct Options {
    /// The address to listen on; 0.0.0.0 and :: are all that the machine has
    #[arg(long, env = "HOST", default_value = "127.0.0.1")]
    pub(crate) host: IpAddr,

    /// The port to listen on; 0 is any free one
    #[arg(long, env = "PORT", default_value_t = 8000)]
    pub(crate) port: u16,

    /// A weights file or .npz [default: the network in the library]
    #[arg(long, value_name = "FILE")]
    pub(crate) model: Option<PathBuf>,

    /// Keep every upload in this folder, with the network's input as CSV beside
    /// it [default: nothing touches the disk]
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,

    /// Pictures on the way at once, beyond which the answer is 503; of one client
    /// half as many, beyond which it is 429
    #[arg(long, value_name = "COUNT", default_value_t = 256, value_parser = count)]
    pub(crate) at_once: usize,

    /// How long a client may take for a request's header, and be idle
    #[arg(long, value_name = "SECONDS", default_value = "15", value_parser = seconds)]
    pub(crate) header_timeout: Duration,

    /// How long a client may take for a request's body
    #[arg(long, value_name = "SECONDS", default_value = "30", value_parser = seconds)]
    pub(crate) body_timeout: Duration,

    /// How long stopping waits for what has begun
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = seconds)]
    pub(crate) stop_timeout: Duration,
}

fn count(text: &str) -> Result<usize, String> {
    let count = text.parse().ok().filter(|count| (2..=65_536).contains(count));
    count.ok_or_else(|| "expected a whole number from 2 to 65536".to_owned())
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.01..=3600.0).contains(seconds));
    let seconds = seconds.map(Duration::from_secs_f64);
    seconds.ok_or_else(|| "expected a number of seconds from 0.01 to 3600".to_owned())
}
