//! Dataset files: the good ones are read right, the bad ones are refused with
//! an error that says what, where and why.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[cfg(feature = "csv")]
mod digit_csv_files;
#[cfg(feature = "gzip")]
mod gzipped_idx_files;
mod idx_files;
#[cfg(feature = "csv")]
mod kaggle_files;
mod mnist_folders;
mod unipen_files;

use std::fs;
use std::io::{self, Read};
use std::path::PathBuf;

use digit_recognizer::Error;

/// Two images of 2 × 3 pixels.
const IMAGES: [u8; 28] = [
    0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3, 0, 1, 2, 3, 4, 5, 250, 251, 252, 253, 254, 255,
];

/// Where the values of [`IMAGES`] begin.
const IMAGES_HEADER: usize = 16;

const LABELS: [u8; 11] = [0, 0, 8, 1, 0, 0, 0, 3, 9, 0, 4];

/// Gives one byte at a time, each after an interruption.
struct Dribble<'a> {
    bytes: &'a [u8],
    interrupt: bool,
}

impl<'a> Dribble<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, interrupt: false }
    }
}

impl Read for Dribble<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.interrupt = !self.interrupt;
        if self.interrupt {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let len = buffer.len().min(1);
        self.bytes.read(&mut buffer[..len])
    }
}

/// Gives these bytes, then fails.
fn failing_after(bytes: &[u8]) -> impl Read {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("the disk is gone"))
        }
    }
    bytes.chain(Broken)
}

/// A new empty folder for the test of this name.
fn empty_folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("datasets").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Checks the error's variant and that its text has all these parts.
#[track_caller]
fn assert_error<T: std::fmt::Debug>(
    result: Result<T, Error>,
    variant: fn(&Error) -> bool,
    parts: &[&str],
) {
    let error = result.expect_err("a refusal");
    let text = error.to_string();
    assert!(variant(&error), "another variant: {error:?}");
    for part in parts {
        assert!(text.contains(part), "{part:?} is not in {text:?}");
    }
}

fn malformed(error: &Error) -> bool {
    matches!(error, Error::Malformed { .. })
}

fn unsupported(error: &Error) -> bool {
    matches!(error, Error::Unsupported { .. })
}

fn mismatch(error: &Error) -> bool {
    matches!(error, Error::Mismatch { .. })
}

fn io_error(error: &Error) -> bool {
    matches!(error, Error::Io(_))
}

/// An endless reader that counts what is taken from it.
struct Endless {
    period: &'static [u8],
    read: usize,
}

impl Read for Endless {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        for byte in &mut *buffer {
            *byte = self.period[self.read % self.period.len()];
            self.read += 1;
        }
        Ok(buffer.len())
    }
}

/// Rows that never end: one field, many fields, blank lines. A quote opens a
/// field that never closes, since each further pair is a quote within it.
#[cfg(feature = "csv")]
const ENDLESS_PERIODS: [&[u8]; 5] = [b"1", b"1,", b"\"", b"\n", b"\r\n"];
