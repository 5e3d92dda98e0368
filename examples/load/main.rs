//! Measures how many pictures `web` reads, and how fast.

mod client;
mod digits;
mod pictures;
mod server;
#[path = "../shared/mod.rs"]
mod shared;

use std::io::{self, Write};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Parser;
use tokio::runtime;
use tokio::time::sleep;

use client::{Request, Seen, ask, request};
use pictures::picture;
use server::Server;

/// Different pictures that are sent: each digit ten times.
const PICTURES: usize = 100;

/// Measures the server of the example `web`: starts it, and sends pictures of 280x280
/// pixels over connections that are kept open.
///
/// The exit status is 1 if anything but an answer came back.
#[derive(Debug, Parser)]
#[command(after_help = "Example:
  cargo build --release --example web && cargo run --release --example load -- --seconds 30")]
struct Args {
    /// Connections at once
    #[arg(long, default_value_t = 64)]
    connections: usize,

    /// How long to measure
    #[arg(long, default_value_t = 30)]
    seconds: u64,
}

fn main() -> ExitCode {
    shared::finish(run(&Args::parse()))
}

fn run(args: &Args) -> shared::Result<ExitCode> {
    let requests: Arc<[Request]> =
        (0..PICTURES).map(|number| request(&picture(number), number % 10)).collect();
    let server = Server::start()?;
    let start = Instant::now();
    let end = start + Duration::from_secs(args.seconds);
    let early = Duration::from_secs(args.seconds) / 6;
    // One thread: the server needs the cores.
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let (seen, early_memory) = runtime.block_on(async {
        let connections: Vec<_> = (0..args.connections)
            .map(|number| {
                let (requests, address) = (Arc::clone(&requests), server.address);
                let first = number * PICTURES / args.connections;
                tokio::spawn(async move { ask(address, &requests, first, end).await })
            })
            .collect();
        sleep(early).await;
        let early_memory = server.memory("VmRSS");
        let mut seen = Seen::default();
        for connection in connections {
            let one = connection.await?;
            seen.times.extend(one.times);
            seen.errors += one.errors;
            seen.misread += one.misread;
        }
        Ok::<_, tokio::task::JoinError>((seen, early_memory))
    })?;
    let seconds = start.elapsed().as_secs_f64();
    print(seen, seconds, [early_memory, server.memory("VmRSS"), server.memory("VmHWM")])
}

fn print(
    mut seen: Seen,
    seconds: f64,
    [early, late, peak]: [Option<usize>; 3],
) -> shared::Result<ExitCode> {
    let mut out = io::stdout().lock();
    seen.times.sort_unstable();
    let count = seen.times.len();
    writeln!(out, "answers   {count} in {seconds:.1} s, {:.0} a second", count as f64 / seconds)?;
    writeln!(out, "errors    {}", seen.errors)?;
    writeln!(out, "misread   {}", seen.misread)?;
    if let Some(last) = count.checked_sub(1) {
        let at = |share: f64| 1000.0 * seen.times[(share * last as f64) as usize].as_secs_f64();
        let [half, most, longest] = [0.5, 0.99, 1.0].map(at);
        writeln!(out, "time      p50 {half:.1} ms, p99 {most:.1} ms, longest {longest:.1} ms")?;
    }
    if let (Some(early), Some(late), Some(peak)) = (early, late, peak) {
        let [early, late, peak] = [early, late, peak].map(|bytes| bytes as f64 / 1e6);
        writeln!(
            out,
            "memory    {early:.1} MB early, {late:.1} MB at the end, {peak:.1} MB at most"
        )?;
    }
    let failed = count == 0 || seen.errors > 0;
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
