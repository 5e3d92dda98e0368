//! NumPy's `.npz` as a weights file: what is read, what is refused, what is written.
#![cfg(feature = "npz")]

mod arrays;
mod builder;
mod files;
mod members;

use builder::{Member, archive, float64, stored};
use digit_recognizer::{Activation, Dense, Error, Matrix, Network, Result};

/// Asserts the variant of an error and parts of its message.
macro_rules! assert_refused {
    ($result:expr, $variant:ident, $($part:expr),+) => {{
        let error = $result.expect_err("a bad input was read");
        assert!(matches!(error, digit_recognizer::Error::$variant { .. }), "{error:?}");
        let message = error.to_string();
        $(assert!(message.contains($part), "{:?} not in {message:?}", $part);)+
    }};
}
pub(crate) use assert_refused;

/// What NumPy wrote: a network of 3 inputs, 4 hidden values and 2 classes.
pub(crate) const TINY: &[u8] = include_bytes!("../../fixtures/tiny.npz");

/// The network in [`TINY`], from the formulas that made it.
pub(crate) fn tiny() -> Network {
    let weights1 = Matrix::from_fn(3, 4, |i, j| (3.0 * j as f32 + i as f32 - 5.0) / 8.0);
    let bias1 = (0..4).map(|j| (j as f32 - 1.5) / 4.0).collect();
    let weights2 = Matrix::from_fn(4, 2, |i, j| (4.0 * j as f32 + i as f32 - 3.0) / 16.0);
    Network::from_layers(vec![
        Dense::new(weights1, bias1, Activation::Relu),
        Dense::new(weights2, vec![-0.5, 0.75], Activation::Linear),
    ])
    .expect("layers that fit")
}

/// The weights of [`small`] as NumPy has them: 2 outputs, 3 inputs.
pub(crate) const SMALL_W1: [f64; 6] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];

/// A network of one layer with [`SMALL_W1`] and the bias 7, 8.
pub(crate) fn small() -> Network {
    let weights = Matrix::from_vec(3, 2, vec![1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    let layer = Dense::new(weights, vec![7.0, 8.0], Activation::Linear);
    Network::from_layers(vec![layer]).expect("a layer")
}

pub(crate) fn small_w1() -> Vec<u8> {
    float64("(2, 3)", &SMALL_W1)
}

pub(crate) fn small_b1() -> Vec<u8> {
    float64("(2, 1)", &[7.0, 8.0])
}

pub(crate) fn read(members: &[Member]) -> Result<Network> {
    Network::read_npz(archive(members).as_slice())
}

/// Reads the network [`small`] with another member `W1.npy`.
pub(crate) fn read_w1(w1: &[u8]) -> Result<Network> {
    read(&[stored("W1.npy", w1), stored("b1.npy", &small_b1())])
}

#[test]
fn reads_what_numpy_wrote() {
    let network = Network::read_npz(TINY).expect("NumPy's file");
    assert_eq!(network, tiny());
    let from_numpy = [0.1431877, 0.8568123];
    let prediction = network.predict(&[0.5, 0.25, 1.0]);
    for (probability, expected) in prediction.probabilities().iter().zip(from_numpy) {
        assert!((probability - expected).abs() < 1e-6, "{probability} for {expected}");
    }
}

#[test]
fn writes_the_arrays_that_numpy_wrote() {
    let contents = |file: &[u8]| -> Vec<(Vec<u8>, Vec<u8>)> {
        let archive = rawzip::ZipArchive::from_slice(file).expect("a ZIP archive");
        let members = archive.entries().map(|record| {
            let record = record.expect("a directory entry");
            let entry = archive.get_entry(record.wayfinder()).expect("a member");
            (record.file_path().as_bytes().to_vec(), entry.data().to_vec())
        });
        members.collect()
    };
    let mut file = Vec::new();
    tiny().write_npz(&mut file).expect("writing into memory");
    assert_eq!(contents(&file), contents(TINY));
}

#[test]
fn round_trip_keeps_the_network() {
    for sizes in [&[5, 3][..], &[784, 16, 10], &[6, 6, 6, 6], &[1, 1], &[2, 9, 4, 7, 3]] {
        let network = Network::new(sizes, Activation::Relu, 11).expect("sizes");
        let mut file = Vec::new();
        network.write_npz(&mut file).expect("writing into memory");
        assert_eq!(Network::read_npz(file.as_slice()).expect("the file just written"), network);
    }
}

#[test]
fn refuses_to_write_another_activation() {
    for activation in [Activation::Tanh, Activation::Sigmoid, Activation::Linear] {
        let network = Network::new(&[3, 4, 2], activation, 1).expect("sizes");
        let mut file = Vec::new();
        let written = network.write_npz(&mut file);
        assert_refused!(written, Unsupported, "layer 1", "Relu", &format!("{activation:?}"));
        assert!(file.is_empty());
    }
}

#[test]
fn refuses_to_write_what_it_would_not_read() {
    let network =
        Network::new(&[digit_recognizer::npz::MAX_PARAMETERS / 2, 2], Activation::Relu, 1)
            .expect("sizes");
    assert_refused!(network.write_npz(Vec::new()), Unsupported, "at most 16777216", "16777218");
}

#[test]
fn writer_failures_stay_io_errors() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::Error::from(std::io::ErrorKind::StorageFull))
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let error = tiny().write_npz(Full).expect_err("a full disk");
    assert!(matches!(&error, Error::Io(io) if io.kind() == std::io::ErrorKind::StorageFull));
}
