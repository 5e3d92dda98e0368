//! What happens around each request: the log, the headers of all answers, and a
//! net below panics.

use std::panic::AssertUnwindSafe;
use std::time::{Instant, SystemTime};

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;

use crate::client::Client;
use crate::refusal::Refusal;
use crate::shared::report;
use crate::timestamp::timestamp;

/// The page needs its own files, pictures that it makes itself, and this server.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    img-src 'self' blob: data:; connect-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

const HEADERS: [(HeaderName, &str); 5] = [
    (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
];

pub(crate) async fn around(request: Request, next: Next) -> Response {
    let line = Line::new(&request);
    let answered = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    // The panic's message is on stderr.
    let mut response = answered.unwrap_or_else(|_| Refusal::internal().into_response());
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    line.end(&response);
    response
}

/// A line of the log, written when the request is answered or its client is gone.
struct Line {
    time: SystemTime,
    start: Instant,
    request: String,
    status: Option<u16>,
}

impl Line {
    fn new(request: &Request) -> Self {
        let client = request.extensions().get::<Client>();
        let client = client.map_or_else(|| "-".to_owned(), |Client(address)| address.to_string());
        // Neither has characters that would break a line.
        let request = format!("{client} {} {}", request.method(), request.uri());
        Self { time: SystemTime::now(), start: Instant::now(), request, status: None }
    }

    fn end(mut self, response: &Response) {
        self.status = Some(response.status().as_u16());
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        let time = timestamp(self.time);
        let milliseconds = self.start.elapsed().as_secs_f64() * 1000.0;
        let request = &self.request;
        match self.status {
            Some(status) => report(format!("{time} {request} {status} {milliseconds:.1} ms")),
            None => report(format!("{time} {request} gone after {milliseconds:.1} ms")),
        }
    }
}
