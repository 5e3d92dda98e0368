//! Reads handwritten digits: a dense neural network, its training, and the
//! preparation of pictures, by hand in pure Rust.
//!
//! ```
//! # #[cfg(all(feature = "image", feature = "pretrained"))] {
//! use digit_recognizer::{Network, Picture};
//!
//! let network = Network::pretrained();
//! let picture = Picture::open("fixtures/seven.png")?;
//! let prediction = network.recognize(&picture)?;
//! assert_eq!(prediction.digit(), 7);
//! # }
//! # Ok::<(), digit_recognizer::Error>(())
//! ```
//!
//! # How data flows
//!
//! ```text
//! picture -> preprocess -> 28x28 DigitImage -> Matrix -> Network -> Prediction
//! strokes -> draw ------------^
//! dataset -> (augment) -> Matrix -> train -> Network -> weights file
//! ```
//!
//! | to | start at |
//! |---|---|
//! | read a digit in a picture | [`Network::recognize`], [`Picture`] |
//! | read a digit that a pen draws | [`Network::recognize_strokes`], [`Strokes`] |
//! | prepare a picture, and watch how | [`Preprocess`], [`preprocess`](mod@preprocess) |
//! | predict from pixels | [`Network::predict`], [`DigitImage`]; many times: [`Predictor`] |
//! | train | [`Network::train`], [`TrainConfig`] |
//! | distort images for training | [`Augmentation`] |
//! | train it to doubt what is no digit | [`outliers`](fn@outliers), [`NO_CLASS`] |
//! | read MNIST or Kaggle's files | [`mnist`], [`idx`], `kaggle` |
//! | read pen strokes, and train on them | [`unipen`], [`Dataset::extend`] |
//! | keep a network, or exchange it with NumPy | [`Network::save`], [`Network::load`], [`weights`], `npz` |
//! | make the file smaller | [`Network::save_as`], [`Storage`] |
//! | take a network to other programs | [`onnx`], [`safetensors`] |
//! | measure | [`Network::evaluate`], [`ConfusionMatrix`]; confidences: [`Reliability`], [`area_under_roc`] |
//! | have probabilities that mean what they say | [`Network::calibrate`], [`calibration`] |
//! | compute | [`Matrix`] |
//!
//! `how_it_works` and `cookbook` are pages for reading: what happens inside, and ten
//! short answers.
//!
//! # Conventions
//!
//! - Rows are samples. Weights are (inputs, outputs). A layer is X·W + b, then
//!   its [`Activation`].
//! - Pixels are 0 for paper to 1 for ink; in files and datasets 0 to 255.
//! - Losses are in nats, accuracies and probabilities are 0 to 1, times are in
//!   seconds.
//! - What comes from outside is answered with an [`Error`]. A mistake of the
//!   caller's, such as matrices that do not fit, is a panic, and documented.
//! - Training and prediction give the same bits on any number of threads, at any
//!   [`Level`], on every machine.
//! - There is no global state but the instruction set, found once, and scratch
//!   memory of each thread. The library reads and writes only the files that it is
//!   told to, and never prints.
//!
//! # Features
//!
//! All are on by default. Without them, what remains (matrix, network, training,
//! weights file, preprocessing, strokes, plain IDX and UNIPEN) depends on `byteorder` alone.
//!
//! | feature | for |
//! |---|---|
//! | `image` | `Picture::open` and `Picture::decode`: PNG, JPEG, BMP, GIF, WebP |
//! | `csv` | `kaggle`, and `digit_csv` for one image |
//! | `gzip` | gzipped IDX and UNIPEN files |
//! | `npz` | NumPy's `.npz` as a weights file |
//! | `pretrained` | `Network::pretrained` |

pub mod activation;
mod atomic_file;
pub mod augment;
pub mod calibration;
mod confusion_matrix;
mod crc32;
#[cfg(feature = "csv")]
mod csv_rows;
pub mod dataset;
pub mod dense;
mod descent;
#[cfg(feature = "csv")]
pub mod digit_csv;
mod digit_image;
mod dropout;
pub mod error;
mod gzip;
pub mod idx;
#[cfg(feature = "csv")]
pub mod kaggle;
mod kernel;
pub mod loss;
mod math;
pub mod matrix;
pub mod mnist;
mod model_file;
pub mod network;
#[cfg(feature = "npz")]
pub mod npz;
pub mod onnx;
mod optimizer;
pub mod outliers;
mod pass;
pub mod picture;
mod prediction;
pub mod predictor;
pub mod preprocess;
#[cfg(feature = "pretrained")]
mod pretrained;
pub mod reliability;
mod rng;
mod roc;
pub mod safetensors;
pub mod strokes;
pub mod train;
pub mod unipen;
pub mod weights;

pub use activation::Activation;
pub use augment::Augmentation;
pub use calibration::Calibration;
pub use confusion_matrix::ConfusionMatrix;
pub use dataset::{Dataset, Images, NO_CLASS};
pub use dense::Dense;
pub use digit_image::{DigitImage, PIXELS, SIDE};
pub use error::{Error, Result};
pub use kernel::level::Level;
pub use matrix::Matrix;
pub use network::{Network, Preprocessing};
pub use optimizer::Optimizer;
pub use outliers::outliers;
pub use picture::Picture;
pub use prediction::Prediction;
pub use predictor::Predictor;
pub use preprocess::{Crop, Polarity, Preprocess, Stage, preprocess};
pub use reliability::Reliability;
pub use roc::area_under_roc;
pub use strokes::Strokes;
pub use train::{Epoch, Schedule, TrainConfig, Trainer};
pub use weights::Storage;

/// The cookbook: ten questions, and the lines that answer them.
#[cfg(all(any(doc, doctest), feature = "gzip", feature = "image", feature = "npz"))]
#[cfg(feature = "pretrained")]
#[doc = include_str!("../docs/cookbook.md")]
pub mod cookbook {}

/// How it works: from a picture to a digit, training, and the same bits everywhere.
#[cfg(all(any(doc, doctest), feature = "gzip", feature = "image", feature = "npz"))]
#[cfg(feature = "pretrained")]
#[doc = include_str!("../docs/how-it-works.md")]
pub mod how_it_works {}

// The README's code runs as a doctest.
#[cfg(all(doctest, feature = "image", feature = "pretrained"))]
#[doc = include_str!("../README.md")]
struct Readme;
