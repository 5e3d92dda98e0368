//! `web`, as clients meet it, kind ones and others.
// Several clients on one machine have several addresses, which Linux has of itself.
#![cfg(all(target_os = "linux", feature = "csv", feature = "image", feature = "pretrained"))]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../command/mod.rs"]
mod command;
#[path = "../served/mod.rs"]
mod served;

mod answers;
mod description;
mod hostile;
mod life;
mod limits;
mod parts;

// Modules of the server that are tested alone. Their `crate` is this one.
#[path = "../../examples/web/around.rs"]
mod around;
#[path = "../../examples/web/base64.rs"]
mod base64;
#[path = "../../examples/web/client.rs"]
mod client;
#[path = "../../examples/web/places.rs"]
mod places;
#[path = "../../examples/web/pool.rs"]
mod pool;
#[path = "../../examples/web/refusal.rs"]
#[allow(dead_code, reason = "a part is used here")]
mod refusal;
#[path = "../../examples/shared/mod.rs"]
mod shared;
#[path = "../../examples/web/timestamp.rs"]
mod timestamp;

use std::fs;
use std::io::Cursor;

use image::{DynamicImage, GrayImage, ImageFormat, Luma};

use served::{Response, Server};

const PREDICT: &str = "/api/predict";

/// A file of the fixtures.
fn fixture(name: &str) -> Vec<u8> {
    fs::read(format!("{}/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// A picture in a file's bytes.
fn encoded(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// White paper.
fn blank(width: u32, height: u32) -> Vec<u8> {
    encoded(GrayImage::from_pixel(width, height, Luma([255])), ImageFormat::Png)
}

/// A picture in a form.
fn form(field: &str, file: &str, picture: &[u8]) -> Vec<u8> {
    let head = format!(
        "--edge\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{file}\"\r\n\
         Content-Type: image/png\r\n\r\n"
    );
    [head.as_bytes(), picture, b"\r\n--edge--\r\n"].concat()
}

const FORM: &str = "multipart/form-data; boundary=edge";

/// Posts to the interface; the answer is as its description says.
fn predict(server: &Server, kind: &str, body: &[u8]) -> Response {
    let response = server.post(PREDICT, kind, body);
    description::assert_described(PREDICT, "post", &response);
    response
}

/// The next request of anybody is answered as it should be.
fn assert_works(server: &Server) {
    let response = predict(server, "image/png", &fixture("seven.png"));
    assert_eq!((response.status, response.json()["digit"].as_u64()), (200, Some(7)));
}

/// A refusal with this status and word, and the next request works.
fn assert_refused(server: &Server, response: &Response, status: u16, error: &str) {
    description::assert_described(PREDICT, "post", response);
    let body = response.json();
    assert_eq!((response.status, body["error"].as_str()), (status, Some(error)), "{body}");
    let message = body["message"].as_str().unwrap();
    assert!(message.ends_with('.') && message.len() > 20, "{message}");
    assert_works(server);
}
