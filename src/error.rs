//! What can go wrong, in one type.
//!
//! Everything that comes from outside (files, pictures, configuration) is
//! answered with an [`Error`] that says what was expected, what was found and
//! where. A mistake inside a program, such as matrices whose shapes do not fit,
//! is a panic that the item's documentation names.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// The result of this crate's fallible functions.
pub type Result<T> = std::result::Result<T, Error>;

/// An error about something that came from outside the program.
#[derive(Debug)]
#[non_exhaustive]
pub enum Error {
    /// A reader, a writer or the file system failed.
    Io(io::Error),
    /// The bytes break the rules of their format.
    Malformed {
        /// The format, such as `"IDX"`.
        format: &'static str,
        /// The place in the input, such as `"byte 4 (image count)"`.
        at: String,
        /// What the format asks for there.
        expected: String,
        /// What was there.
        found: String,
    },
    /// The input is well-formed, but uses a part of its format that this crate
    /// does not read, or cannot write.
    Unsupported {
        /// The format, such as `"npz"`.
        format: &'static str,
        /// The place in the input.
        at: String,
        /// What would have been accepted there.
        expected: String,
        /// What was there.
        found: String,
    },
    /// Two things that must fit each other do not.
    Mismatch {
        /// Which two things, such as `"labels for the images"`.
        what: &'static str,
        /// What would have fitted.
        expected: String,
        /// What was there.
        found: String,
    },
    /// A configuration value outside its range.
    InvalidConfig {
        /// The field's name.
        field: &'static str,
        /// The values it may have.
        expected: &'static str,
        /// The value it had.
        found: String,
    },
    /// A picture file that its decoder refused.
    Picture {
        /// What the decoder said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A picture without ink: nothing in it stands out from its background.
    NoInk {
        /// The contrast between ink and background that is needed, 0 to 1.
        expected: f32,
        /// The contrast that was found, 0 to 1.
        found: f32,
    },
    /// Training left the finite numbers.
    Diverged {
        /// The epoch, counted from 1.
        epoch: usize,
        /// The step within the epoch, counted from 1.
        step: usize,
    },
    /// Another error, met in this file.
    File {
        /// The file.
        path: PathBuf,
        /// What went wrong in it.
        source: Box<Error>,
    },
}

impl Error {
    /// Adds the path of the file in which the error was met.
    pub(crate) fn in_file(self, path: &Path) -> Self {
        Self::File { path: path.to_owned(), source: Box::new(self) }
    }
}

/// The name of a file format, which its errors carry.
#[derive(Clone, Copy)]
pub(crate) struct Format(pub(crate) &'static str);

impl Format {
    /// That the bytes break the format's rules at a place.
    pub(crate) fn malformed(
        self,
        at: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Error {
        let (at, expected, found) = (at.into(), expected.into(), found.into());
        Error::Malformed { format: self.0, at, expected, found }
    }

    /// That a place has what this crate does not read, or cannot write.
    pub(crate) fn unsupported(
        self,
        at: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Error {
        let (at, expected, found) = (at.into(), expected.into(), found.into());
        Error::Unsupported { format: self.0, at, expected, found }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(source) => write!(f, "{source}"),
            Self::Malformed { format, at, expected, found } => {
                write!(f, "malformed {format} at {at}: expected {expected}, found {found}")
            }
            Self::Unsupported { format, at, expected, found } => {
                write!(f, "unsupported {format} at {at}: expected {expected}, found {found}")
            }
            Self::Mismatch { what, expected, found } => {
                write!(f, "{what}: expected {expected}, found {found}")
            }
            Self::InvalidConfig { field, expected, found } => {
                write!(f, "{field}: expected {expected}, found {found}")
            }
            Self::Picture { source } => write!(f, "not a readable picture: {source}"),
            Self::NoInk { expected, found } => write!(
                f,
                "no ink in the picture: expected a contrast of at least {expected:.3} \
                 between digit and background, found {found:.3}"
            ),
            Self::Diverged { epoch, step } => write!(
                f,
                "training diverged in epoch {epoch} at step {step}: expected finite numbers, found \
                 infinity or NaN; a lower learning rate usually helps"
            ),
            Self::File { path, source } => write!(f, "{}: {source}", path.display()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            // Each shows its cause in its own message, so the cause's cause comes next.
            Self::Io(source) => source.source(),
            Self::Picture { source } => source.source(),
            Self::File { source, .. } => source.source(),
            _ => None,
        }
    }
}

impl From<io::Error> for Error {
    fn from(source: io::Error) -> Self {
        Self::Io(source)
    }
}

/// The most bytes of a field that an error shows.
const SHOWN_LIMIT: usize = 24;

/// A field for an error's text: in quotes, escaped, its beginning if it is long.
pub(crate) fn shown(field: &[u8]) -> String {
    match field.get(..SHOWN_LIMIT) {
        Some(start) if start.len() < field.len() => format!("\"{}...\"", start.escape_ascii()),
        _ => format!("\"{}\"", field.escape_ascii()),
    }
}
