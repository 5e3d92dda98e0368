//! Connections: as many as there is room for, each with a time for its headers.

use std::io;
use std::time::Duration;

use axum::Router;
use axum::extract::Extension;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use crate::client::Client;
use crate::patience::Patient;
use crate::places::{Full, Place, Places};
use crate::shared::report;

/// Connections at once; half of it are a client's. Most systems allow a program
/// 1,024 open files.
const CONNECTIONS: usize = 768;

/// Bytes of a connection's buffer, which the header has to fit into.
const BUFFER: usize = 32 << 10;

/// How long connections may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Times {
    /// For a request's header, and between two requests.
    pub(crate) header: Duration,
    /// For the client to take anything of an answer.
    pub(crate) answer: Duration,
    /// For what has begun when the server is stopped.
    pub(crate) stop: Duration,
}

/// Serves until `stop`, then ends what has begun; if some of that takes too long, an
/// error says how many connections were cut.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    times: Times,
    stop: impl Future<Output = ()>,
) -> Result<(), String> {
    let places = Places::new(CONNECTIONS);
    let (stopping, stopped) = watch::channel(());
    let accept_all = async {
        loop {
            match accept(&listener, &places).await {
                Ok(Some((stream, client, place))) => {
                    let connection =
                        connection(stream, client, place, router.clone(), times, stopped.clone());
                    tokio::spawn(connection);
                }
                // Closed as soon as it came.
                Ok(None) => {}
                // A client that was gone before its turn.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                Err(error) => {
                    report(format_args!("error: no connection could be taken: {error}"));
                    // Out of files or memory, which others may give back.
                    sleep(Duration::from_millis(100)).await;
                }
            }
        }
    };
    tokio::select! {
        () = accept_all => {}
        () = stop => {}
    }
    drop((listener, stopped));
    // Nobody listening means that no connection is left, which is no error.
    let _ = stopping.send(());
    let ended = timeout(times.stop, stopping.closed()).await;
    ended.map_err(|_| format!("{} connections were cut", stopping.receiver_count()))
}

/// The next connection, or nothing if there is no place for it.
async fn accept(
    listener: &TcpListener,
    places: &std::sync::Arc<Places>,
) -> io::Result<Option<(TcpStream, Client, Place)>> {
    let (stream, address) = listener.accept().await?;
    // Answers are written whole; waiting for more to send only delays them. It fails
    // where the client is gone, which reading will find out.
    let _ = stream.set_nodelay(true);
    match places.take(address.ip()) {
        Ok(place) => Ok(Some((stream, Client(address.ip()), place))),
        Err(Full::ForClient | Full::ForAll) => Ok(None),
    }
}

async fn connection(
    stream: TcpStream,
    client: Client,
    _place: Place,
    router: Router,
    times: Times,
    mut stopping: watch::Receiver<()>,
) {
    let service = TowerToHyperService::new(router.layer(Extension(client)));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(times.header)
        .max_buf_size(BUFFER)
        .serve_connection(TokioIo::new(Patient::new(stream, times.answer)), service);
    tokio::pin!(connection);
    // How a connection ends is its client's affair: what the server refused is in the
    // log already.
    tokio::select! {
        _ = connection.as_mut() => {}
        _ = stopping.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}
