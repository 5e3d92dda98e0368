//! The page's files, which are in the program.

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};

/// A file: its path, its type and its text.
pub(crate) type File = (&'static str, &'static str, &'static str);

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";
const JSON: &str = "application/json";

/// What the page is made of, and the description of the interface.
pub(crate) const FILES: [File; 10] = [
    ("/", HTML, include_str!("page/index.html")),
    ("/style.css", CSS, include_str!("page/style.css")),
    ("/icon.svg", SVG, include_str!("page/icon.svg")),
    ("/main.js", JS, include_str!("page/main.js")),
    ("/drawing.js", JS, include_str!("page/drawing.js")),
    ("/pictures.js", JS, include_str!("page/pictures.js")),
    ("/answer.js", JS, include_str!("page/answer.js")),
    ("/network.js", JS, include_str!("page/network.js")),
    ("/gallery.js", JS, include_str!("page/gallery.js")),
    ("/api/openapi.json", JSON, include_str!("openapi.json")),
];

pub(crate) fn response((_, kind, text): File) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, text).into_response()
}
