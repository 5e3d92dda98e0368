//! Reading a request's body: so many bytes, in so much time.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use http_body_util::BodyExt;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};

use crate::refusal::Refusal;

/// Bytes of the largest body: a photo of 16 million pixels has half of it.
pub(crate) const MAX_BODY: usize = 8 << 20;

/// Bytes of all bodies that are held at once. With what vectors leave behind as they
/// grow, up to three times as much memory is taken.
const MAX_BODIES: usize = 64 << 20;

/// How much of a refused body is still read, and how long. Who is still sending
/// when the connection closes never sees the answer.
const LINGER: (usize, Duration) = (4 * MAX_BODY, Duration::from_secs(2));

/// Where bodies are read.
#[derive(Debug)]
pub(crate) struct Bodies {
    memory: Arc<Semaphore>,
    timeout: Duration,
}

/// A body, whose memory is counted until this is dropped.
#[derive(Debug)]
pub(crate) struct Received {
    pub(crate) bytes: Bytes,
    _memory: Option<OwnedSemaphorePermit>,
}

impl Bodies {
    pub(crate) fn new(timeout: Duration) -> Self {
        Self { memory: Arc::new(Semaphore::new(MAX_BODIES)), timeout }
    }

    /// Reads the body to its end. `announced` is what its Content-Length says.
    pub(crate) async fn read(
        &self,
        announced: Option<u64>,
        body: &mut Body,
    ) -> Result<Received, Refusal> {
        if announced.is_some_and(|length| length > MAX_BODY as u64) {
            return Err(too_large());
        }
        let deadline = Instant::now() + self.timeout;
        let (mut bytes, mut memory) = (Vec::new(), None);
        loop {
            let frame = timeout_at(deadline, body.frame()).await.map_err(|_| self.too_slow())?;
            let Some(frame) = frame else { break };
            let Ok(data) = frame.map_err(broken)?.into_data() else { continue };
            if bytes.len() + data.len() > MAX_BODY {
                return Err(too_large());
            }
            // A frame is at most as long as a connection's buffer.
            let more = Arc::clone(&self.memory).try_acquire_many_owned(data.len() as u32);
            let more = more.map_err(|_| Refusal::busy())?;
            match &mut memory {
                None => memory = Some(more),
                Some(memory) => memory.merge(more),
            }
            bytes.extend_from_slice(&data);
        }
        Ok(Received { bytes: bytes.into(), _memory: memory })
    }

    fn too_slow(&self) -> Refusal {
        let seconds = self.timeout.as_secs_f64();
        let message = format!("The body did not arrive within {seconds} seconds.");
        Refusal::new(StatusCode::REQUEST_TIMEOUT, "body_timeout", message)
    }
}

fn too_large() -> Refusal {
    let limit = MAX_BODY >> 20;
    Refusal::too_large("body_too_large", format!("The upload has more than {limit} MiB."))
}

fn broken(error: axum::Error) -> Refusal {
    Refusal::bad_request("broken_body", format!("The body broke off: {error}."))
}

/// Reads what comes of a refused body, aside, and forgets it.
pub(crate) fn linger(mut body: Body) {
    let (mut left, time) = LINGER;
    let read = async move {
        while let Some(Ok(frame)) = body.frame().await {
            let length = frame.data_ref().map_or(0, Bytes::len);
            match left.checked_sub(length) {
                Some(less) => left = less,
                None => break,
            }
        }
    };
    tokio::spawn(timeout(time, read));
}
