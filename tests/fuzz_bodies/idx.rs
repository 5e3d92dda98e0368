//! Any bytes as an IDX file of images or labels, plain or gzipped.

use digit_recognizer::{Error, idx};

pub(crate) fn run(data: &[u8]) {
    match idx::read_images(data) {
        Ok(images) => {
            assert_eq!(images.pixels().len(), images.len() * images.rows() * images.cols());
        }
        Err(error) => assert!(!matches!(error, Error::Io(_)), "{error:?}"),
    }
    match idx::read_labels(data) {
        Ok(labels) => assert!(labels.iter().all(|&label| label <= 9)),
        Err(error) => assert!(!matches!(error, Error::Io(_)), "{error:?}"),
    }
}
