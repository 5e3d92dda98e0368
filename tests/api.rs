//! What holds for every type of the interface. The whole of it is in
//! `public_api.txt`.

use std::error::Error as _;
use std::fmt::Debug;
use std::io;
use std::panic::{RefUnwindSafe, UnwindSafe};

use digit_recognizer::{
    Activation, Augmentation, Calibration, ConfusionMatrix, Crop, Dataset, Dense, DigitImage,
    Epoch, Error, Images, Level, Matrix, Network, Optimizer, Picture, Polarity, Prediction,
    Predictor, Preprocess, Preprocessing, Reliability, Schedule, Stage, Storage, Strokes,
    TrainConfig, Trainer, calibration, mnist, reliability, unipen,
};

/// What threads share, and what is shown when a test fails.
fn common<T: Send + Sync + Debug>() {}

/// A value: also copied, compared, and used after a panic.
fn value<T: Send + Sync + Debug + Clone + PartialEq + UnwindSafe + RefUnwindSafe + 'static>() {}

/// The compiler is the one who tests.
#[test]
fn every_type_goes_from_thread_to_thread_and_is_shown() {
    value::<Activation>();
    value::<Augmentation>();
    value::<Calibration>();
    value::<calibration::Fit>();
    value::<ConfusionMatrix>();
    value::<Crop>();
    value::<Dataset>();
    value::<Dense>();
    value::<DigitImage>();
    value::<Epoch>();
    value::<Images>();
    value::<Level>();
    value::<Matrix>();
    value::<mnist::Split>();
    value::<Network>();
    value::<Optimizer>();
    value::<Picture>();
    value::<unipen::PenDigit>();
    value::<Polarity>();
    value::<Prediction>();
    value::<Preprocess>();
    value::<Preprocessing>();
    value::<Reliability>();
    value::<reliability::ReliabilityBin>();
    value::<Schedule>();
    value::<Stage>();
    value::<Storage>();
    value::<Strokes>();
    value::<TrainConfig>();
    // What has threads of its own.
    common::<Predictor>();
    common::<Trainer<'static>>();
    // An error goes into anyone's box.
    common::<Error>();
    let boxed: Box<dyn std::error::Error + Send + Sync> =
        Box::new(Error::from(io::Error::other("a cause")));
    assert_eq!(boxed.to_string(), "a cause");
}

/// A message has its cause's, so that a chain shows no cause twice.
#[test]
fn a_chain_of_errors_says_everything_once() {
    let cause = io::Error::other("the cable is out");
    let outer = io::Error::other(cause);
    let error = Error::File { path: "model.digits".into(), source: Box::new(Error::from(outer)) };
    assert_eq!(error.to_string(), "model.digits: the cable is out");
    let mut chain = vec![error.to_string()];
    let mut source = error.source();
    while let Some(error) = source {
        chain.push(error.to_string());
        source = error.source();
    }
    assert_eq!(chain.len(), 1, "{chain:?}");
}

#[test]
fn a_picture_that_its_decoder_refused_names_the_decoders_causes() {
    #[derive(Debug)]
    struct Outer(io::Error);
    impl std::fmt::Display for Outer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("bad chunk")
        }
    }
    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }
    let error = Error::Picture { source: Box::new(Outer(io::Error::other("short"))) };
    assert_eq!(error.to_string(), "not a readable picture: bad chunk");
    assert_eq!(error.source().map(ToString::to_string).as_deref(), Some("short"));
}
