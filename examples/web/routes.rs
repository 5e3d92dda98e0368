//! What is answered to which request.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{Extension, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, body::Body};
use digit_recognizer::Network;

use crate::answer::Answer;
use crate::around::around;
use crate::body::{Bodies, linger};
use crate::client::Client;
use crate::keep::Keep;
use crate::page;
use crate::places::{Full, Place, Places};
use crate::pool::{Panicked, Pool};
use crate::reading::{MAX_PIXELS, Outcome, QUICK_PIXELS, read};
use crate::refusal::Refusal;
use crate::upload::Kind;
use crate::wishes::Wishes;

/// What requests share.
#[derive(Debug)]
pub(crate) struct Reader {
    pub(crate) network: Network,
    /// For pictures as a canvas makes them.
    pub(crate) quick: Pool,
    /// For photos: one thread, so that one is in memory.
    pub(crate) large: Pool,
    /// For pictures on the way, and of these for photos.
    pub(crate) places: Arc<Places>,
    pub(crate) large_places: Arc<Places>,
    pub(crate) bodies: Bodies,
    pub(crate) keep: Option<Keep>,
}

pub(crate) fn router(reader: Reader) -> Router {
    let mut router = Router::new();
    for file in page::FILES {
        router = router.route(file.0, get(move || async move { page::response(file) }));
    }
    router
        .route("/healthz", get(healthz))
        .route("/api/predict", post(predict))
        .fallback(not_found)
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(Arc::new(reader))
        .layer(from_fn(around))
}

async fn healthz() -> Response {
    json(StatusCode::OK, br#"{"status":"ok"}"#.to_vec())
}

async fn not_found() -> Refusal {
    Refusal::new(StatusCode::NOT_FOUND, "not_found", "There is nothing at this address.")
}

async fn method_not_allowed() -> Refusal {
    let message = "This address does not take this method.";
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
}

async fn predict(
    State(reader): State<Arc<Reader>>,
    Extension(Client(client)): Extension<Client>,
    request: Request,
) -> Result<Response, Refusal> {
    let (head, mut body) = request.into_parts();
    let query = head.uri.query().unwrap_or_default();
    match answer(reader, client, query, &head.headers, &mut body).await {
        Ok(answer) => {
            let body = serde_json::to_vec(&answer).expect("numbers and strings are JSON");
            Ok(json(StatusCode::OK, body))
        }
        Err(refusal) => {
            // A client that expects a `100 Continue` has sent nothing yet.
            if !head.headers.contains_key(header::EXPECT) {
                linger(body);
            }
            Err(refusal)
        }
    }
}

async fn answer(
    reader: Arc<Reader>,
    client: IpAddr,
    query: &str,
    headers: &HeaderMap,
    body: &mut Body,
) -> Result<Answer, Refusal> {
    let wishes = Wishes::from_query(query)?;
    let kind = Kind::of(headers)?;
    let place = take(&reader.places, client)?;
    let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    let length = length.and_then(|length| length.parse().ok());
    let received = reader.bodies.read(length, body).await?;
    let upload = kind.open(received.bytes.clone()).await?;

    // The place and the memory go with the work, also where the client goes away.
    let taken = (place, received);
    let panicked = |Panicked| Refusal::internal();
    let shared = Arc::clone(&reader);
    let quick = move || {
        let read = read(&shared.network, upload, QUICK_PIXELS, wishes, shared.keep.as_ref());
        (read, taken)
    };
    let upload = match reader.quick.run(quick).await.map_err(panicked)? {
        (Outcome::Answered(answer), _) => return answer,
        (Outcome::Larger(upload), taken) => (upload, taken),
    };
    let place = take(&reader.large_places, client)?;
    let shared = Arc::clone(&reader);
    let large = move || {
        let _place = place;
        let (upload, _taken) = upload;
        read(&shared.network, upload, MAX_PIXELS, wishes, shared.keep.as_ref())
    };
    match reader.large.run(large).await.map_err(panicked)? {
        Outcome::Answered(answer) => answer,
        Outcome::Larger(_) => Err(Refusal::internal()),
    }
}

fn take(places: &Arc<Places>, client: IpAddr) -> Result<Place, Refusal> {
    places.take(client).map_err(|full| match full {
        Full::ForAll => Refusal::busy(),
        Full::ForClient => {
            let message = format!(
                "This client has {} pictures on the way, which is all it may have; try again in \
                 a second.",
                places.for_client()
            );
            Refusal::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", message)
        }
    })
}

fn json(status: StatusCode, body: Vec<u8>) -> Response {
    let kind = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    (status, kind, body).into_response()
}
