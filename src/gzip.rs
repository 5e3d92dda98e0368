//! Data that is plain or gzipped, told apart by its first two bytes.

use std::io::Read;

use crate::error::{Format, Result};

/// Gives the data to `read`, unpacked if it is gzipped; `format` is the name
/// that errors give to what `read` reads.
///
/// Gzip packs at most 1,032 bytes into one.
pub(crate) fn read<T>(
    format: Format,
    mut reader: impl Read,
    read: impl FnOnce(&mut dyn Read) -> Result<T>,
) -> Result<T> {
    let mut start = Vec::new();
    reader.by_ref().take(2).read_to_end(&mut start)?;
    let mut whole = start.as_slice().chain(reader);
    if start == [0x1f, 0x8b] { unpack(format, whole, read) } else { read(&mut whole) }
}

#[cfg(feature = "gzip")]
fn unpack<T>(
    _: Format,
    reader: impl Read,
    read: impl FnOnce(&mut dyn Read) -> Result<T>,
) -> Result<T> {
    use std::io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};

    use crate::error::Error;

    read(&mut flate2::read::MultiGzDecoder::new(reader)).map_err(|error| match error {
        // What the decoder says of the data; the reader's own errors are of other kinds.
        Error::Io(error) if matches!(error.kind(), InvalidData | InvalidInput | UnexpectedEof) => {
            Format("gzip").malformed("the compressed data", "whole gzip members", error.to_string())
        }
        error => error,
    })
}

#[cfg(not(feature = "gzip"))]
fn unpack<T>(
    format: Format,
    _: impl Read,
    _: impl FnOnce(&mut dyn Read) -> Result<T>,
) -> Result<T> {
    Err(format.unsupported(
        "byte 0",
        "plain data (the cargo feature `gzip` reads gzipped data)",
        "gzipped data",
    ))
}
