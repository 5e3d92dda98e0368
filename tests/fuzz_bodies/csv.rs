//! Any bytes as one of the CSV files, or as rows after a good header.

use digit_recognizer::{DigitImage, Error, kaggle};

pub(crate) fn run(data: &[u8]) {
    let Some((mode, data)) = data.split_first() else { return };
    let error = match mode % 5 {
        0 => kaggle::read_train(data).map(|dataset| assert!(!dataset.is_empty())).err(),
        1 => kaggle::read_test(data).map(|images| assert!(!images.is_empty())).err(),
        2 => kaggle::read_train([header(true).as_bytes(), data].concat().as_slice()).err(),
        3 => kaggle::read_test([header(false).as_bytes(), data].concat().as_slice()).err(),
        _ => DigitImage::read_csv(data).map(|image| again(&image)).err(),
    };
    assert!(!matches!(error, Some(Error::Io(_))), "{error:?}");
}

fn header(label: bool) -> String {
    let pixels = (0..784).map(|index| format!("pixel{index}")).collect::<Vec<_>>().join(",");
    if label { format!("label,{pixels}\n") } else { pixels + "\n" }
}

/// What was read is written again, and read again as the same.
fn again(image: &DigitImage) {
    let mut written = Vec::new();
    image.write_csv(&mut written).expect("a vector takes everything");
    assert_eq!(DigitImage::read_csv(written.as_slice()).expect("our own file"), *image);
}
