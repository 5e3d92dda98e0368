//! The weights file: round trips, its bytes, and what it refuses.

use std::io::{self, Read};

use digit_recognizer::{Activation, Dense, Error, Matrix, Network};
use proptest::prelude::*;

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

/// The CRC-32 of gzip, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    let mut state = !0_u32;
    for &byte in bytes {
        state ^= u32::from(byte);
        for _ in 0..8 {
            state = (state >> 1) ^ ((state & 1) * 0xedb8_8320);
        }
    }
    !state
}

/// The file with other bytes at `at`, and a checksum that fits them.
fn changed(at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut file = file(&network());
    file[at..at + bytes.len()].copy_from_slice(bytes);
    let body = file.len() - 4;
    let crc = crc32(&file[..body]);
    file[body..].copy_from_slice(&crc.to_le_bytes());
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
    let mut expected = b"DIGITNET\x01\0\x01\0\x01\0\0\0\x01\0\0\0\x02\0\0\0\0".to_vec();
    for value in [1.0_f32, -2.0, 0.5, 0.0] {
        expected.extend(value.to_le_bytes());
    }
    expected.extend(crc32(&expected).to_le_bytes());
    assert_eq!(file(&network), expected);
}

/// Files of past versions keep loading: this one was written by version 1.
#[test]
fn version_1_loads() {
    let bytes = include_bytes!("../fixtures/version-1.digits");
    let network = Network::read(bytes.as_slice()).expect("a good file");
    assert_eq!(network, self::network());
    assert_eq!(file(&network), bytes);
}

#[test]
fn every_truncation_is_an_error() {
    let file = file(&network());
    for length in 0..file.len() {
        assert_malformed(&refusal(&file[..length]), &["more bytes", "the end of the file"]);
    }
}

#[test]
fn every_flipped_bit_is_an_error() {
    let good = file(&network());
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
    assert_unsupported(&refusal(&changed(8, &[2, 0])), &["version", "version 1", "found 2"]);
}

#[test]
fn unknown_codes_are_unsupported() {
    assert_unsupported(&refusal(&changed(10, &[7, 0])), &["preprocessing", "found 7"]);
    assert_unsupported(&refusal(&changed(28, &[9])), &["byte 28 (activations)", "found 9"]);
}

#[test]
fn layer_counts_outside_the_range_are_malformed() {
    assert_malformed(&refusal(&changed(12, &[0, 0, 0, 0])), &["layer count", "found 0"]);
    assert_malformed(&refusal(&changed(12, &[1, 1, 0, 0])), &["1 to 256", "found 257"]);
}

#[test]
fn a_size_of_zero_is_malformed() {
    assert_malformed(&refusal(&changed(20, &[0, 0, 0, 0])), &["byte 20 (layer sizes)", "found 0"]);
}

#[test]
fn sizes_that_claim_too_much_end_with_the_file() {
    // Layer 1 claims 2 × 4294967295 weights; reading stops where the file ends.
    let bad = changed(20, &[0xff; 4]);
    assert_malformed(&refusal(&bad), &["weights of layer 1", "the end of the file"]);
}

#[test]
fn a_last_layer_that_is_not_linear_is_an_error() {
    let error = refusal(&changed(29, &[1]));
    assert!(matches!(error, Error::Mismatch { .. }), "{error:?}");
    assert!(error.to_string().contains("linear"), "{error}");
}

#[test]
fn numbers_that_are_not_finite_are_errors() {
    for value in [f32::NAN, f32::INFINITY] {
        let error = refusal(&changed(30, &value.to_le_bytes()));
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
    let file = file(&network());
    let read = Network::read(Slow { bytes: &file, limit: usize::MAX }).expect("a good file");
    assert_eq!(read, network());
}

#[test]
fn a_failing_reader_is_an_io_error_wherever_it_fails() {
    let file = file(&network());
    for limit in 0..file.len() {
        let error = Network::read(Slow { bytes: &file, limit }).expect_err("an error");
        assert!(matches!(error, Error::Io(_)), "{limit}: {error:?}");
        assert!(error.to_string().contains("unplugged"), "{error}");
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
        prop_assert_eq!(Network::read(file(&network).as_slice()).expect("a good file"), network);
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let after_the_magic = [b"DIGITNET\x01\0\x01\0", bytes.as_slice()].concat();
        prop_assert!(Network::read(bytes.as_slice()).is_err());
        // Four bytes of checksum fit by chance once in 2³² cases.
        prop_assert!(Network::read(after_the_magic.as_slice()).is_err());
    }
}
