//! Opening a model file, whichever of the formats it has.

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use crate::error::{Error, Format, Result};
use crate::network::Network;
use crate::safetensors::MAX_HEADER_LEN;
use crate::weights::MAGIC;

const FORMAT: Format = Format("model file");

/// How a ZIP archive, and so an .npz, begins.
const ZIP_MAGIC: [u8; 4] = *b"PK\x03\x04";

impl Network {
    /// Loads a model: a [weights file](crate::weights), [safetensors](crate::safetensors),
    /// or an .npz (feature `npz`). The content decides, not the name.
    ///
    /// # Errors
    /// [`Error::File`] with the path, around
    /// - [`Error::Io`] if the file cannot be read
    /// - [`Error::Malformed`] if it is none of these formats, or breaks its format
    /// - the other errors of [`read`](Self::read),
    ///   [`read_safetensors`](Self::read_safetensors) and `read_npz`
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let load = || {
            let mut file = BufReader::new(File::open(path)?);
            let mut start = Vec::new();
            file.by_ref().take(MAGIC.len() as u64 + 1).read_to_end(&mut start)?;
            file.rewind()?;
            if start.starts_with(&MAGIC) {
                Self::read(file)
            } else if start.starts_with(&ZIP_MAGIC) {
                read_npz(file)
            } else if is_safetensors(&start) {
                Self::read_safetensors(file)
            } else {
                start.truncate(MAGIC.len());
                Err(FORMAT.malformed(
                    "byte 0",
                    "a weights file (DIGITNET), an .npz (PK) or safetensors",
                    match start.as_slice() {
                        [] => "an empty file".to_owned(),
                        start => format!("\"{}\"", start.escape_ascii()),
                    },
                ))
            }
        };
        load().map_err(|error: Error| error.in_file(path))
    }
}

/// Whether a file begins with the length of a header, and the header's brace.
fn is_safetensors(start: &[u8]) -> bool {
    match start.split_first_chunk() {
        Some((&length, [b'{', ..])) => u64::from_le_bytes(length) <= MAX_HEADER_LEN,
        _ => false,
    }
}

#[cfg(feature = "npz")]
fn read_npz(file: BufReader<File>) -> Result<Network> {
    Network::read_npz(file)
}

#[cfg(not(feature = "npz"))]
fn read_npz(_: BufReader<File>) -> Result<Network> {
    Err(FORMAT.unsupported(
        "byte 0",
        "a weights file (DIGITNET); an .npz needs the feature `npz`",
        "an .npz",
    ))
}
