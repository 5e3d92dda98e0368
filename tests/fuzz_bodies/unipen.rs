//! Any bytes as a UNIPEN file, up to the drawn digits.

use digit_recognizer::{Error, unipen};

pub(crate) fn run(data: &[u8]) {
    match unipen::read(data) {
        Ok(digits) => {
            assert!(!digits.is_empty());
            let few = digits.iter().take(4);
            let drawn = unipen::dataset(few, &[1.0, 10.0]).expect("pens that can be drawn with");
            assert!(drawn.images().pixels().iter().any(|&pixel| pixel > 0), "a digit has ink");
        }
        Err(error) => assert!(!matches!(error, Error::Io(_)), "{error:?}"),
    }
}
