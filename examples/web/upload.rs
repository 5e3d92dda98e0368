//! What a request brings: a picture, alone or in a form, or strokes.

use std::convert::Infallible;

use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use futures_util::stream;
use multer::Multipart;

use crate::refusal::Refusal;

/// The field of a form that has the picture.
const FIELD: &str = "picture";

/// What a body is, by its Content-Type.
#[derive(Debug)]
pub(crate) enum Kind {
    Picture,
    Strokes,
    /// A form, with what stands between its parts.
    Form(String),
}

/// The bytes of a picture file, or the JSON of strokes.
#[derive(Debug)]
pub(crate) enum Upload {
    Picture(Bytes),
    Strokes(Bytes),
}

impl Kind {
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let Some(value) = headers.get(header::CONTENT_TYPE) else { return Ok(Self::Picture) };
        let value = value.to_str().unwrap_or_default();
        let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        match essence.as_str() {
            "application/json" => Ok(Self::Strokes),
            "multipart/form-data" => match multer::parse_boundary(value) {
                Ok(boundary) => Ok(Self::Form(boundary)),
                Err(_) => {
                    let message = "The form's Content-Type names no boundary between its parts.";
                    Err(Refusal::bad_request("malformed_form", message))
                }
            },
            "application/octet-stream" => Ok(Self::Picture),
            image if image.starts_with("image/") => Ok(Self::Picture),
            other => {
                let message = format!(
                    "The Content-Type should be that of a picture, multipart/form-data or \
                     application/json, and is \"{}\".",
                    other.escape_debug()
                );
                Err(Refusal::unsupported("unsupported_type", message))
            }
        }
    }

    /// Takes the picture or the strokes out of the body.
    pub(crate) async fn open(self, body: Bytes) -> Result<Upload, Refusal> {
        let upload = match self {
            Self::Picture => Upload::Picture(body),
            Self::Strokes => Upload::Strokes(body),
            Self::Form(boundary) => Upload::Picture(field(body, boundary).await?),
        };
        match &upload {
            Upload::Picture(bytes) | Upload::Strokes(bytes) if bytes.is_empty() => {
                Err(Refusal::bad_request("empty", "There is nothing in the upload."))
            }
            _ => Ok(upload),
        }
    }
}

/// The picture in a form. Names of files are not looked at.
async fn field(body: Bytes, boundary: String) -> Result<Bytes, Refusal> {
    let malformed = |error: multer::Error| {
        Refusal::bad_request("malformed_form", format!("The form cannot be read: {error}."))
    };
    let body = stream::iter([Ok::<_, Infallible>(body)]);
    let mut form = Multipart::new(body, boundary);
    while let Some(field) = form.next_field().await.map_err(malformed)? {
        if field.name() == Some(FIELD) {
            return field.bytes().await.map_err(malformed);
        }
    }
    let message = format!("The form has no field \"{FIELD}\".");
    Err(Refusal::bad_request("no_picture", message))
}
