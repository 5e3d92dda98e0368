//! The weights file: round trips, its bytes, and what it refuses.

#[path = "fuzz_bodies/crc32.rs"]
mod crc32;

use std::io::{self, Read};

use digit_recognizer::{Activation, Dense, Error, Matrix, Network, Storage};
use proptest::prelude::*;

use crc32::{crc32, seal};

/// 2-3-2 with every kind of number in it.
fn network() -> Network {
    let first = Matrix::from_vec(2, 3, vec![1.0, -0.5, 0.0, f32::MIN_POSITIVE, f32::MAX, -0.0]);
    let second = Matrix::from_fn(3, 2, |i, j| i as f32 - 0.25 * j as f32);
    Network::from_layers(vec![
        Dense::new(first, vec![0.1, 0.2, 0.3], Activation::Tanh),
        Dense::new(second, vec![-1.0, 1.0], Activation::Linear),
    ])
    .expect("layers that chain")
}

fn file(network: &Network) -> Vec<u8> {
    let mut bytes = Vec::new();
    network.write(&mut bytes).expect("a vector takes everything");
    bytes
}

const STORAGES: [Storage; 3] = [Storage::F32, Storage::F16, Storage::I8];

fn file_as(network: &Network, storage: Storage) -> Vec<u8> {
    let mut bytes = Vec::new();
    network.write_as(&mut bytes, storage).expect("weights that fit");
    bytes
}

fn read(file: &[u8]) -> Network {
    Network::read(file).expect("a good file")
}

/// 2-3-2 with a temperature, and with weights that 16 bits and 8 bits hold.
fn calibrated() -> Network {
    let first = Matrix::from_vec(2, 3, vec![1.0, -0.5, 0.0, 127.0, 63.5, -0.0]);
    let second = Matrix::from_fn(3, 2, |i, j| 127.0 * (i as f32 - j as f32));
    let layers = vec![
        Dense::new(first, vec![0.1, 0.2, 0.3], Activation::Tanh),
        Dense::new(second, vec![-1.0, 1.0], Activation::Linear),
    ];
    let network = Network::from_layers(layers).expect("layers that chain");
    network.with_temperature(1.25).expect("above 0")
}

/// The file with other bytes at `at`, and a checksum that fits them.
fn changed(at: usize, bytes: &[u8]) -> Vec<u8> {
    changed_in(file(&network()), at, bytes)
}

fn changed_in(mut file: Vec<u8>, at: usize, bytes: &[u8]) -> Vec<u8> {
    file[at..at + bytes.len()].copy_from_slice(bytes);
    seal(&mut file);
    file
}

fn refusal(file: &[u8]) -> Error {
    Network::read(file).expect_err("a bad file")
}

fn assert_malformed(error: &Error, parts: &[&str]) {
    assert!(matches!(error, Error::Malformed { .. }), "{error:?}");
    let text = error.to_string();
    assert!(parts.iter().all(|part| text.contains(part)), "{text}");
}

fn assert_unsupported(error: &Error, parts: &[&str]) {
    assert!(matches!(error, Error::Unsupported { .. }), "{error:?}");
    let text = error.to_string();
    assert!(parts.iter().all(|part| text.contains(part)), "{text}");
}

#[test]
fn bytes_are_those_of_the_specification() {
    let layer =
        Dense::new(Matrix::from_vec(1, 2, vec![1.0, -2.0]), vec![0.5, 0.0], Activation::Linear);
    let network = Network::from_layers(vec![layer]).expect("one layer");
    let network = network.with_temperature(1.5).expect("above 0");
    let expected = |storage: u8, weights: &[u8]| {
        let mut bytes = b"DIGITNET\x02\0\x01\0".to_vec();
        bytes.extend([storage, 0, 0, 0, 0xc0, 0x3f]);
        bytes.extend(b"\x01\0\0\0\x01\0\0\0\x02\0\0\0\0");
        bytes.extend(weights);
        bytes.extend([0, 0, 0, 0x3f, 0, 0, 0, 0]);
        bytes.extend(crc32(&bytes).to_le_bytes());
        bytes
    };
    assert_eq!(file(&network), expected(0, &[0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0]));
    assert_eq!(file_as(&network, Storage::F16), expected(1, &[0, 0x3c, 0, 0xc0]));
    // 1/127 and 2/127, to 16 bits down; then 127 and −127.
    let scales = [0, 0x02, 0x01, 0x3c, 0, 0x02, 0x81, 0x3c];
    let weights = [&scales[..], &[127, 0x81]].concat();
    assert_eq!(file_as(&network, Storage::I8), expected(2, &weights));
}

/// Files of past versions keep loading: this one was written by version 1.
#[test]
fn version_1_loads() {
    let bytes = include_bytes!("../fixtures/version-1.digits");
    assert_eq!(read(bytes), network());
    assert_eq!(network().temperature(), 1.0);
}

/// A network of tanh and the temperature 1.25, in 8 bits.
#[test]
fn version_2_loads() {
    let bytes = include_bytes!("../fixtures/version-2.digits");
    assert_eq!(read(bytes), read(&file_as(&calibrated(), Storage::I8)));
    assert_eq!(read(bytes).temperature(), 1.25);
    assert_eq!(file_as(&calibrated(), Storage::I8), bytes);
}

/// A good file of each version and storage.
fn good_files() -> Vec<Vec<u8>> {
    let mut files = vec![include_bytes!("../fixtures/version-1.digits").to_vec()];
    files.extend(STORAGES.map(|storage| file_as(&calibrated(), storage)));
    files
}

#[test]
fn every_truncation_is_an_error() {
    for file in good_files() {
        for length in 0..file.len() {
            assert_malformed(&refusal(&file[..length]), &["more bytes", "the end of the file"]);
        }
    }
}

#[test]
fn every_flipped_bit_is_an_error() {
    for good in good_files() {
        for bit in 0..8 * good.len() {
            let mut bad = good.clone();
            bad[bit / 8] ^= 1 << (bit % 8);
            let error = refusal(&bad);
            assert!(
                matches!(error, Error::Malformed { .. } | Error::Unsupported { .. }),
                "bit {bit}: {error:?}"
            );
        }
    }
}

#[test]
fn sixteen_bits_are_the_nearest_ones() {
    let read = read(&file_as(&network(), Storage::F32));
    assert_eq!(read, network());
    let small = Network::new(&[5, 4, 3], Activation::Relu, 3).expect("sizes");
    let halves = self::read(&file_as(&small, Storage::F16));
    for (old, new) in small.layers().iter().zip(halves.layers()) {
        for (old, new) in old.weights().as_slice().iter().zip(new.weights().as_slice()) {
            // 11 significant bits, so that half of the last one is the error.
            assert!((old - new).abs() <= old.abs() / 2048.0, "{old} became {new}");
        }
    }
    assert_ne!(halves, small);
    assert_eq!(file_as(&halves, Storage::F16), file_as(&small, Storage::F16));
    assert_eq!(self::read(&file(&halves)), halves);
}

#[test]
fn eight_bits_are_within_half_a_step_of_each_output() {
    let network = Network::new(&[50, 7, 3], Activation::Relu, 3).expect("sizes");
    let rounded = read(&file_as(&network, Storage::I8));
    for (old, new) in network.layers().iter().zip(rounded.layers()) {
        assert_eq!(old.bias(), new.bias());
        for col in 0..old.outputs() {
            let column = |layer: &Dense| -> Vec<f32> {
                layer.weights().iter_rows().map(|row| row[col]).collect()
            };
            let (old, new) = (column(old), column(new));
            let largest = old.iter().fold(0.0_f32, |largest, w| largest.max(w.abs()));
            // The scale is at most 2⁻¹⁵ of itself too small.
            for (old, new) in old.iter().zip(new) {
                assert!((old - new).abs() <= 0.51 * largest / 127.0, "{old} became {new}");
            }
        }
    }
}

#[test]
fn weights_without_a_scale_become_0() {
    for tiny in [0.0, -0.0, 1e-45, f32::MIN_POSITIVE] {
        let weights = Matrix::from_vec(1, 2, vec![tiny, 3.0]);
        let layer = Dense::new(weights, vec![0.5, 0.5], Activation::Linear);
        let file = file_as(&Network::from_layers(vec![layer]).expect("one layer"), Storage::I8);
        let read = read(&file);
        assert_eq!(read.layers()[0].weights().as_slice()[0], 0.0);
        assert!((read.layers()[0].weights().as_slice()[1] - 3.0).abs() < 1e-3);
        assert_eq!(file_as(&read, Storage::I8), file);
    }
}

#[test]
fn the_largest_weights_stay_finite_in_eight_bits() {
    let weights = Matrix::from_vec(2, 1, vec![f32::MAX, -f32::MAX]);
    let layer = Dense::new(weights, vec![0.0], Activation::Linear);
    let network = Network::from_layers(vec![layer]).expect("one layer");
    let file = file_as(&network, Storage::I8);
    assert_eq!(file_as(&read(&file), Storage::I8), file);
}

#[test]
fn weights_too_large_for_sixteen_bits_are_named() {
    let mut weights = vec![0.0, 65_519.0, 1.0, -65_520.0];
    let network = |weights| {
        let layer = Dense::new(Matrix::from_vec(2, 2, weights), vec![1e6; 2], Activation::Linear);
        Network::from_layers(vec![layer]).expect("one layer")
    };
    let mut file = Vec::new();
    let error = network(weights.clone()).write_as(&mut file, Storage::F16).expect_err("too large");
    assert_unsupported(&error, &["weight (1, 1) of layer 1", "65520", "found -65520"]);
    weights[3] = 65_504.0;
    // The bias stays as it is.
    assert_eq!(read(&file_as(&network(weights), Storage::F16)).layers()[0].bias(), [1e6; 2]);
}

#[test]
fn unknown_storages_and_bad_temperatures_are_named() {
    assert_unsupported(&refusal(&changed(12, &[3, 0])), &["byte 12 (storage)", "found 3"]);
    for bad in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let error = refusal(&changed(14, &bad.to_le_bytes()));
        assert_malformed(&error, &["byte 14 (temperature)", "a finite number above 0"]);
    }
}

#[test]
fn scales_and_numbers_that_eight_bits_must_not_have_are_named() {
    // Three scales from byte 36, then 2 × 3 numbers.
    let file = file_as(&calibrated(), Storage::I8);
    for bad in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        let error = refusal(&changed_in(file.clone(), 40, &bad.to_le_bytes()));
        assert_malformed(&error, &["scale 1 of layer 1", "a finite number above 0"]);
    }
    let error = refusal(&changed_in(file.clone(), 48 + 5, &[0x80]));
    assert_malformed(&error, &["weight (1, 2) of layer 1", "-127 to 127", "-128"]);
    // A scale whose products are infinite.
    let error = refusal(&changed_in(file, 36, &f32::MAX.to_le_bytes()));
    assert!(matches!(error, Error::Mismatch { .. }), "{error:?}");
}

#[test]
fn infinity_in_sixteen_bits_is_an_error() {
    let file = file_as(&calibrated(), Storage::F16);
    for bad in [0x7c00_u16, 0xfc00, 0x7e00] {
        let error = refusal(&changed_in(file.clone(), 36, &bad.to_le_bytes()));
        assert!(error.to_string().contains("finite"), "{error}");
    }
}

#[test]
fn a_wrong_checksum_is_named() {
    let mut bad = file(&network());
    let last = bad.len() - 1;
    bad[last - 10] ^= 1;
    assert_malformed(&refusal(&bad), &["checksum", "CRC-32"]);
}

#[test]
fn another_magic_is_named() {
    assert_malformed(&refusal(b"\x89PNG\r\n\x1a\n and more"), &["byte 0", "DIGITNET", "PNG"]);
    assert_malformed(&refusal(b""), &["byte 0", "8 more bytes"]);
}

#[test]
fn a_version_from_the_future_is_unsupported() {
    assert_unsupported(&refusal(&changed(8, &[3, 0])), &["version", "1 or 2", "found 3"]);
    assert_unsupported(&refusal(&changed(8, &[0, 0])), &["version", "1 or 2", "found 0"]);
}

#[test]
fn unknown_codes_are_unsupported() {
    assert_unsupported(&refusal(&changed(10, &[7, 0])), &["preprocessing", "found 7"]);
    assert_unsupported(&refusal(&changed(34, &[9])), &["byte 34 (activations)", "found 9"]);
}

#[test]
fn layer_counts_outside_the_range_are_malformed() {
    assert_malformed(&refusal(&changed(18, &[0, 0, 0, 0])), &["layer count", "found 0"]);
    assert_malformed(&refusal(&changed(18, &[1, 1, 0, 0])), &["1 to 256", "found 257"]);
}

#[test]
fn a_size_of_zero_is_malformed() {
    assert_malformed(&refusal(&changed(26, &[0, 0, 0, 0])), &["byte 26 (layer sizes)", "found 0"]);
}

#[test]
fn sizes_that_claim_too_much_end_with_the_file() {
    // Layer 1 claims 2 × 4294967295 weights; reading stops where the file ends.
    let bad = changed(26, &[0xff; 4]);
    assert_malformed(&refusal(&bad), &["weights of layer 1", "the end of the file"]);
}

#[test]
fn a_last_layer_that_is_not_linear_is_an_error() {
    let error = refusal(&changed(35, &[1]));
    assert!(matches!(error, Error::Mismatch { .. }), "{error:?}");
    assert!(error.to_string().contains("linear"), "{error}");
}

#[test]
fn numbers_that_are_not_finite_are_errors() {
    for value in [f32::NAN, f32::INFINITY] {
        let error = refusal(&changed(36, &value.to_le_bytes()));
        assert!(matches!(error, Error::Mismatch { .. }), "{error:?}");
        assert!(error.to_string().contains("finite"), "{error}");
    }
}

#[test]
fn bytes_after_the_end_are_malformed() {
    let mut bad = file(&network());
    bad.push(0);
    assert_malformed(&refusal(&bad), &["nothing after the checksum", "more bytes"]);
}

/// Gives one byte at a time, and after `limit` bytes an error.
struct Slow<'a> {
    bytes: &'a [u8],
    limit: usize,
}

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(limit) = self.limit.checked_sub(1) else {
            return Err(io::Error::other("unplugged"));
        };
        self.limit = limit;
        let length = buffer.len().min(1);
        self.bytes.read(&mut buffer[..length])
    }
}

#[test]
fn a_reader_may_give_one_byte_at_a_time() {
    for file in good_files() {
        let slow = Network::read(Slow { bytes: &file, limit: usize::MAX }).expect("a good file");
        assert_eq!(slow, read(&file));
    }
}

#[test]
fn a_failing_reader_is_an_io_error_wherever_it_fails() {
    for file in good_files() {
        for limit in 0..file.len() {
            let error = Network::read(Slow { bytes: &file, limit }).expect_err("an error");
            assert!(matches!(error, Error::Io(_)), "{limit}: {error:?}");
            assert!(error.to_string().contains("unplugged"), "{error}");
        }
    }
}

/// A folder of its own for a test; gone when it goes out of scope.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("digits-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a folder for the test");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_saved_file_replaces_the_old_one_and_leaves_nothing_beside_it() {
    let folder = Folder::new("saved");
    let path = folder.0.join("model.digits");
    std::fs::write(&path, "an old file").expect("the folder takes files");
    network().save(&path).expect("saving");
    assert_eq!(Network::load(&path).expect("a good file"), network());
    assert_eq!(std::fs::read_dir(&folder.0).expect("the folder").count(), 1);
}

#[test]
fn a_file_that_cannot_be_saved_says_where() {
    let folder = Folder::new("unsaved");
    let path = folder.0.join("missing").join("model.digits");
    let error = network().save(&path).expect_err("no such folder");
    assert!(matches!(error, Error::File { .. }), "{error:?}");
    assert!(error.to_string().contains("missing"), "{error}");
    // A folder in the file's place: the temporary file goes too.
    let taken = folder.0.join("taken");
    std::fs::create_dir(&taken).expect("a folder");
    assert!(network().save(&taken).is_err());
    assert_eq!(std::fs::read_dir(&folder.0).expect("the folder").count(), 1);
}

#[test]
fn loading_tells_formats_by_content_and_names_the_file() {
    let folder = Folder::new("loaded");
    let load = |name: &str, bytes: &[u8]| {
        let path = folder.0.join(name);
        std::fs::write(&path, bytes).expect("the folder takes files");
        Network::load(&path)
    };
    assert_eq!(load("odd-name.npz", &file(&network())).expect("a weights file"), network());
    for (bytes, found) in [(&b"label,pixel0"[..], "label,pi"), (b"", "empty")] {
        let text = load("model.digits", bytes).expect_err("no model").to_string();
        assert!(text.contains("model.digits") && text.contains(found), "{text}");
    }
    let text = Network::load(folder.0.join("nowhere")).expect_err("no file").to_string();
    assert!(text.contains("nowhere"), "{text}");
    assert!(matches!(Network::load(&folder.0), Err(Error::File { .. })));
}

proptest! {
    #[test]
    fn any_network_comes_back_as_it_was(
        sizes in prop::collection::vec(1..40usize, 2..6),
        hidden in prop_oneof![Just(Activation::Relu), Just(Activation::Tanh), Just(Activation::Sigmoid)],
        seed: u64,
    ) {
        let network = Network::new(&sizes, hidden, seed).expect("sizes");
        prop_assert_eq!(read(&file(&network)), network);
    }

    #[test]
    fn what_was_read_is_written_again_with_the_same_bytes(
        weights in prop::collection::vec(-4.0_f32..4.0, 60),
        temperature in 0.5_f32..2.0,
    ) {
        let layer = Dense::new(Matrix::from_vec(6, 10, weights), vec![0.3; 10], Activation::Linear);
        let network = Network::from_layers(vec![layer]).expect("one layer");
        let network = network.with_temperature(temperature).expect("above 0");
        for storage in STORAGES {
            let bytes = file_as(&network, storage);
            prop_assert_eq!(read(&bytes).temperature(), temperature);
            prop_assert_eq!(file_as(&read(&bytes), storage), bytes);
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Network::read(bytes.as_slice()).is_err());
        // Four bytes of checksum fit by chance once in 2³² cases.
        for start in [
            &b"DIGITNET\x01\0\x01\0"[..],
            b"DIGITNET\x02\0\x01\0\x01\0\0\0\x80\x3f",
            b"DIGITNET\x02\0\x01\0\x02\0\0\0\x80\x3f",
        ] {
            prop_assert!(Network::read([start, bytes.as_slice()].concat().as_slice()).is_err());
        }
    }
}
