//! A folder with every upload.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use digit_recognizer::DigitImage;

use crate::shared::report;
use crate::timestamp::timestamp;

/// Where uploads are kept. Their names are made here, of the time and a number.
#[derive(Debug)]
pub(crate) struct Keep {
    folder: PathBuf,
    number: AtomicU64,
}

impl Keep {
    /// Makes the folder if there is none.
    pub(crate) fn new(folder: &Path) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        Ok(Self { folder: folder.to_owned(), number: AtomicU64::new(0) })
    }

    /// Keeps an upload, and the network's input beside it where it came so far.
    /// Where the disk fails there is a line in the log, and the client gets its
    /// answer.
    pub(crate) fn store(&self, upload: &[u8], extension: &str, image: Option<&DigitImage>) {
        let number = self.number.fetch_add(1, Ordering::Relaxed);
        // No colons, which not every file system has in names.
        let time = timestamp(SystemTime::now()).replace(':', "-");
        let path = |extension: &str| self.folder.join(format!("{time}-{number:06}.{extension}"));
        if let Err(error) = save(&path(extension), &path("part"), upload) {
            report(format_args!("error: {}: {error}", path(extension).display()));
        }
        if let Some(Err(error)) = image.map(|image| image.save_csv(path("csv"))) {
            report(format_args!("error: {error}"));
        }
    }
}

/// Writes the file, whole or not at all.
fn save(path: &Path, unfinished: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(unfinished)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    let renamed = written.and_then(|()| fs::rename(unfinished, path));
    if renamed.is_err() {
        // What went wrong is said already.
        let _ = fs::remove_file(unfinished);
    }
    renamed
}
