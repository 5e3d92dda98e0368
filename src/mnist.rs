//! A folder with the MNIST files.
//!
//! | split | images | labels |
//! |---|---|---|
//! | train | `train-images-idx3-ubyte` | `train-labels-idx1-ubyte` |
//! | test | `t10k-images-idx3-ubyte` | `t10k-labels-idx1-ubyte` |
//!
//! Each is in the [IDX format](crate::idx), plain or gzipped (`.gz`). Some
//! mirrors write a dot before `idx`: `train-images.idx3-ubyte`. Sets in the same
//! form, such as Fashion-MNIST or KMNIST, load too.
//!
//! Source: LeCun, Cortes and Burges, *The MNIST database of handwritten digits*.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::dataset::Dataset;
use crate::error::{Error, Result};
use crate::idx;

/// Which half of the dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Split {
    /// The images to train with; 60,000 in MNIST.
    Train,
    /// The images to measure with, by other writers; 10,000 in MNIST.
    Test,
}

impl Split {
    /// The first word of its files' names.
    fn prefix(self) -> &'static str {
        match self {
            Self::Train => "train",
            Self::Test => "t10k",
        }
    }
}

/// Loads the images and labels of one split from the folder that has its files.
///
/// Where a file is there both plain and gzipped, the plain one is read.
///
/// # Errors
/// All of them are in an [`Error::File`] with the file's or the folder's path.
/// - [`Error::Io`] if a file is missing or cannot be read; a missing file is of
///   the kind [`NotFound`](io::ErrorKind::NotFound).
/// - Those of [`idx::read_images`] and [`idx::read_labels`].
/// - [`Error::Mismatch`] if there are not as many labels as images.
///
/// ```
/// # #[cfg(feature = "gzip")] {
/// use digit_recognizer::mnist::{self, Split};
///
/// // The first 1,000 test images, which come with the crate's repository.
/// let test = mnist::load("fixtures/mnist", Split::Test)?;
/// assert_eq!((test.len(), test.images().rows(), test.images().cols()), (1000, 28, 28));
/// assert_eq!(test.labels()[..4], [7, 2, 1, 0]);
/// # }
/// # Ok::<(), digit_recognizer::Error>(())
/// ```
pub fn load(folder: impl AsRef<Path>, split: Split) -> Result<Dataset> {
    let folder = folder.as_ref();
    let prefix = split.prefix();
    let images = load_file(folder, &format!("{prefix}-images"), "idx3-ubyte", idx::read_images)?;
    let labels = load_file(folder, &format!("{prefix}-labels"), "idx1-ubyte", idx::read_labels)?;
    Dataset::new(images, labels).map_err(|error| error.in_file(folder))
}

/// Reads the file that has this name in one of its spellings.
fn load_file<T>(
    folder: &Path,
    stem: &str,
    extension: &str,
    read: impl FnOnce(File) -> Result<T>,
) -> Result<T> {
    let (path, file) = open(folder, stem, extension)?;
    read(file).map_err(|error| error.in_file(&path))
}

/// Opens the first spelling that is there.
fn open(folder: &Path, stem: &str, extension: &str) -> Result<(PathBuf, File)> {
    let names = ["", ".gz"].map(|packed| {
        [format!("{stem}-{extension}{packed}"), format!("{stem}.{extension}{packed}")]
    });
    let names = names.concat();
    for name in &names {
        let path = folder.join(name);
        match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Error::from(error).in_file(&path)),
            Ok(file) => return Ok((path, file)),
        }
    }
    let message = format!("none of these files is in the folder: {}", names.join(", "));
    Err(Error::from(io::Error::new(io::ErrorKind::NotFound, message)).in_file(folder))
}
