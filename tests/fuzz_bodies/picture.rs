//! Any bytes as a picture file, through the preparation to the prediction.

use digit_recognizer::{Error, Picture};

use crate::network::network;

/// Pixels of a picture that is prepared; a decoder may make many more of few bytes.
const MAX_PIXELS: usize = 1 << 20;

pub(crate) fn run(data: &[u8]) {
    let picture = match Picture::decode(data) {
        Ok(picture) => picture,
        Err(error) => {
            assert!(matches!(error, Error::Picture { .. }), "{error:?}");
            return;
        }
    };
    assert_eq!(picture.rgba8().len(), 4 * picture.width() * picture.height());
    if picture.width() * picture.height() > MAX_PIXELS {
        return;
    }
    match network().recognize(&picture) {
        Ok(prediction) => assert!(prediction.probabilities().iter().all(|p| p.is_finite())),
        Err(error) => assert!(matches!(error, Error::NoInk { .. }), "{error:?}"),
    }
}
