//! Saving a file whole or not at all.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::Path;

use crate::error::{Error, Result};

/// Writes the file at `path` with `write`, so that whoever looks there, even
/// after a crash, finds the old file or the new one, each whole.
///
/// The bytes go to a file beside it, which is synced and then renamed. A
/// symbolic link is followed; a device or a pipe, which has no old content to
/// keep, is written as it is.
///
/// # Errors
/// What `write` or the file system says, with the path; nothing is left behind.
pub(crate) fn save(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<()>,
) -> Result<()> {
    save_beside(path, write).map_err(|error| error.in_file(path))
}

fn save_beside(path: &Path, write: impl FnOnce(&mut BufWriter<File>) -> Result<()>) -> Result<()> {
    let target = fs::canonicalize(path);
    let path = target.as_deref().unwrap_or(path);
    if fs::metadata(path).is_ok_and(|existing| !existing.is_file() && !existing.is_dir()) {
        let mut writer = BufWriter::new(OpenOptions::new().write(true).open(path)?);
        write(&mut writer)?;
        return Ok(writer.flush()?);
    }
    let Some(name) = path.file_name() else {
        return Err(Error::Io(io::Error::new(io::ErrorKind::InvalidInput, "not a file's name")));
    };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let (file, temporary) = create_beside(folder, name)?;
    let written = (|| {
        let mut writer = BufWriter::new(file);
        write(&mut writer)?;
        writer.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        Ok(fs::rename(&temporary, path)?)
    })();
    if written.is_err() {
        // The first error is the one to report.
        let _ = fs::remove_file(&temporary);
        return written;
    }
    // Makes the rename itself durable; a folder cannot be opened everywhere.
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    Ok(())
}

/// A new file in `folder` with a name that no other process or thread uses.
fn create_beside(folder: &Path, name: &std::ffi::OsStr) -> Result<(File, std::path::PathBuf)> {
    for attempt in 0.. {
        let mut hidden = OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}-{attempt}.tmp", std::process::id()));
        let temporary = folder.join(hidden);
        match OpenOptions::new().write(true).create_new(true).open(&temporary) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            created => return Ok((created?, temporary)),
        }
    }
    unreachable!("the attempts have no end")
}
