//! Serves a page on which digits are drawn, dropped or photographed, and read.

mod allocator;
mod answer;
mod around;
mod base64;
mod body;
mod client;
mod connections;
mod keep;
mod options;
mod page;
mod patience;
mod places;
mod pool;
mod reading;
mod refusal;
mod routes;
#[path = "../shared/mod.rs"]
mod shared;
mod stop;
mod timestamp;
mod upload;
mod wishes;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::thread::available_parallelism;

use clap::Parser;
use tokio::net::TcpListener;
use tokio::runtime;

use allocator::keep_freed_memory;
use body::Bodies;
use connections::{Times, serve};
use keep::Keep;
use options::Options;
use places::Places;
use pool::Pool;
use routes::{Reader, router};
use stop::asked_to_stop;

/// Photos on the way at once: the last of them waits for some seconds.
const LARGE_AT_ONCE: usize = 16;

fn main() -> ExitCode {
    shared::finish(run(&Options::parse()))
}

fn run(options: &Options) -> shared::Result<ExitCode> {
    keep_freed_memory();
    let network = shared::digit_model(options.model.as_deref())?;
    if let (Some(path), classes) = (&options.model, network.classes())
        && classes != 10
    {
        let message = format!("expected a network with 10 classes, found {classes}");
        return Err(format!("{}: {message}", path.display()).into());
    }
    let keep = match &options.keep {
        None => None,
        Some(folder) => {
            let keep = Keep::new(folder);
            Some(keep.map_err(|error| format!("{}: {error}", folder.display()))?)
        }
    };
    let reader = Reader {
        network,
        quick: Pool::start("reader", available_parallelism().map_or(1, usize::from))?,
        large: Pool::start("large reader", 1)?,
        places: Places::new(options.at_once),
        large_places: Places::new(LARGE_AT_ONCE),
        bodies: Bodies::new(options.body_timeout),
        keep,
    };
    let times = Times {
        header: options.header_timeout,
        answer: options.body_timeout,
        stop: options.stop_timeout,
    };
    // Connections are cheap: they share this thread.
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let address = SocketAddr::new(options.host, options.port);
        let listener = TcpListener::bind(address).await;
        let listener = listener.map_err(|error| format!("{address}: {error}"))?;
        let stop = async {
            if let Err(error) = asked_to_stop().await {
                shared::report(format_args!("error: no signal can be waited for: {error}"));
            }
            shared::report("stopping");
        };
        shared::report(format_args!("listening on http://{}", listener.local_addr()?));
        serve(listener, router(reader), times, stop).await?;
        Ok(ExitCode::SUCCESS)
    })
}
