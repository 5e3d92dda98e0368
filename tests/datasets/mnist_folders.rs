//! Folders with the MNIST files.

use std::fs;
use std::io;
use std::path::Path;

use digit_recognizer::Error;
use digit_recognizer::mnist::{self, Split};

use crate::{
    IMAGES, IMAGES_HEADER, LABELS, assert_error, empty_folder, io_error, malformed, mismatch,
};

/// Writes a training split of two images and this label file.
fn write_train(folder: &Path, images_name: &str, labels: &[u8]) {
    fs::write(folder.join(images_name), IMAGES).unwrap();
    fs::write(folder.join("train-labels-idx1-ubyte"), labels).unwrap();
}

const TWO_LABELS: [u8; 10] = [0, 0, 8, 1, 0, 0, 0, 2, 7, 2];

/// The figures were counted by another program on the original files.
#[cfg(feature = "gzip")]
#[test]
fn loads_the_fixtures() {
    let count = |labels: &[u8]| {
        let mut counts = [0; 10];
        labels.iter().for_each(|&label| counts[usize::from(label)] += 1);
        counts
    };
    let ink = |pixels: &[u8]| pixels.iter().map(|&pixel| u64::from(pixel)).sum::<u64>();

    let train = mnist::load("fixtures/mnist", Split::Train).unwrap();
    assert_eq!((train.len(), train.images().rows(), train.images().cols()), (2000, 28, 28));
    assert_eq!(train.labels()[..10], [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]);
    assert_eq!(count(train.labels()), [191, 220, 198, 191, 214, 180, 200, 224, 172, 210]);
    assert_eq!(ink(train.images().pixels()), 52_050_445);

    let test = mnist::load("fixtures/mnist", Split::Test).unwrap();
    assert_eq!((test.len(), test.images().rows(), test.images().cols()), (1000, 28, 28));
    assert_eq!(test.labels()[..10], [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]);
    assert_eq!(count(test.labels()), [85, 126, 116, 107, 110, 87, 87, 99, 89, 94]);
    assert_eq!(ink(test.images().pixels()), 24_443_134);
}

#[test]
fn finds_both_plain_spellings() {
    for name in ["train-images-idx3-ubyte", "train-images.idx3-ubyte"] {
        let folder = empty_folder(&format!("spelling-{name}"));
        write_train(&folder, name, &TWO_LABELS);
        let dataset = mnist::load(&folder, Split::Train).unwrap();
        assert_eq!(dataset.labels(), [7, 2]);
        assert_eq!(dataset.images().pixels(), &IMAGES[IMAGES_HEADER..]);
    }
}

#[test]
fn prefers_the_plain_file() {
    let folder = empty_folder("plain-first");
    write_train(&folder, "train-images.idx3-ubyte", &TWO_LABELS);
    fs::write(folder.join("train-images-idx3-ubyte.gz"), "unreadable").unwrap();
    assert_eq!(mnist::load(&folder, Split::Train).unwrap().len(), 2);
}

#[test]
fn a_missing_file_names_the_folder_and_what_was_tried() {
    let folder = empty_folder("missing");
    let shown = folder.display().to_string();
    let names = [
        shown.as_str(),
        "t10k-images-idx3-ubyte,",
        "t10k-images.idx3-ubyte,",
        "t10k-images-idx3-ubyte.gz",
        "t10k-images.idx3-ubyte.gz",
    ];
    let result = mnist::load(&folder, Split::Test);
    assert_error(result, in_file_not_found, &names);
    // The folder itself is missing.
    let result = mnist::load(folder.join("absent"), Split::Train);
    assert_error(result, in_file_not_found, &["absent", "train-images-idx3-ubyte"]);
    // Only the labels are missing.
    fs::write(folder.join("train-images-idx3-ubyte"), IMAGES).unwrap();
    let result = mnist::load(&folder, Split::Train);
    assert_error(result, in_file_not_found, &["train-labels-idx1-ubyte"]);
}

fn in_file_not_found(error: &Error) -> bool {
    let Error::File { path, source } = error else { return false };
    path.is_dir() != path.ends_with("absent")
        && matches!(&**source, Error::Io(error) if error.kind() == io::ErrorKind::NotFound)
}

#[test]
fn a_bad_file_is_named() {
    let folder = empty_folder("bad-file");
    write_train(&folder, "train-images-idx3-ubyte", &[0, 0, 8, 1, 0, 0, 0, 2, 7, 12]);
    let file = folder.join("train-labels-idx1-ubyte").display().to_string();
    assert_error(
        mnist::load(&folder, Split::Train),
        |error| matches!(error, Error::File { source, .. } if malformed(source)),
        &[&file, "label at index 1", "found 12"],
    );
}

#[test]
fn a_folder_in_place_of_a_file_is_named() {
    let folder = empty_folder("folder-for-file");
    let file = folder.join("train-images-idx3-ubyte");
    fs::create_dir(&file).unwrap();
    assert_error(
        mnist::load(&folder, Split::Train),
        |error| matches!(error, Error::File { source, .. } if io_error(source)),
        &[&file.display().to_string()],
    );
}

#[test]
fn counts_that_differ_are_refused() {
    let folder = empty_folder("counts");
    write_train(&folder, "train-images-idx3-ubyte", &LABELS);
    assert_error(
        mnist::load(&folder, Split::Train),
        |error| matches!(error, Error::File { source, .. } if mismatch(source)),
        &["labels for the images", "2 labels", "3 labels"],
    );
}
