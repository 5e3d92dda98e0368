//! Readers that fail, damaged files, and the file system.

use std::io::{self, Read};

use digit_recognizer::{Error, Network};

use crate::builder::{archive, deflated, stored};
use crate::{TINY, assert_refused, small, small_b1, small_w1, tiny};

/// A small file with a deflated, zip64 and a plain member.
fn mixed() -> Vec<u8> {
    let w1 = crate::Member { zip64: true, ..deflated("W1.npy", &small_w1()) };
    archive(&[w1, stored("b1.npy", &small_b1())])
}

#[test]
fn every_truncation_is_refused() {
    for file in [TINY, &mixed()] {
        for len in 0..file.len() {
            let error = Network::read_npz(&file[..len]).expect_err("a truncated file");
            assert!(matches!(error, Error::Malformed { .. }), "{len} bytes: {error:?}");
        }
    }
}

#[test]
fn every_bit_flip_is_refused_or_harmless() {
    for (file, network) in [(TINY, tiny()), (&mixed(), small())] {
        let mut refused = 0;
        for bit in 0..8 * file.len() {
            let mut damaged = file.to_vec();
            damaged[bit / 8] ^= 1 << (bit % 8);
            match Network::read_npz(damaged.as_slice()) {
                Ok(read) => assert_eq!(read, network, "bit {bit}"),
                Err(Error::Io(error)) => panic!("bit {bit}: {error}"),
                Err(_) => refused += 1,
            }
        }
        // Harmless are dates, sizes in local headers and the like.
        assert!(refused > 8 * file.len() / 2, "{refused} of {}", 8 * file.len());
    }
}

#[test]
fn empty_and_foreign_files_are_refused() {
    for file in [&b""[..], b"PK", b"\x93NUMPY\x01\x00", &[0; 1000]] {
        assert_refused!(Network::read_npz(file), Malformed, "ZIP");
    }
}

#[test]
fn an_empty_archive_is_refused() {
    assert_refused!(Network::read_npz(archive(&[]).as_slice()), Mismatch, "W1.npy", "none");
}

/// Gives at most one byte at a time, and fails after a number of them.
struct Trickle<'a> {
    bytes: &'a [u8],
    fails: bool,
}

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.fails && self.bytes.is_empty() {
            return Err(io::Error::other("the cable is out"));
        }
        let len = buffer.len().min(1);
        self.bytes.read(&mut buffer[..len])
    }
}

#[test]
fn reads_one_byte_at_a_time() {
    let reader = Trickle { bytes: TINY, fails: false };
    assert_eq!(Network::read_npz(reader).expect("a slow reader"), tiny());
}

#[test]
fn reader_failures_stay_io_errors() {
    for len in 0..=TINY.len() {
        let reader = Trickle { bytes: &TINY[..len], fails: true };
        assert_refused!(Network::read_npz(reader), Io, "the cable is out");
    }
}

#[test]
fn the_temperature_goes_into_the_last_layer() {
    let hot = tiny().with_temperature(2.5).expect("above 0");
    let mut file = Vec::new();
    hot.write_npz(&mut file).expect("a vector takes everything");
    let read = Network::read_npz(file.as_slice()).expect("our own file");
    assert_eq!(read.temperature(), 1.0);
    assert_eq!(read.layers()[0], hot.layers()[0]);
    for image in [[0.0, 0.0, 0.0], [1.0, 0.5, 0.25], [0.0, 1.0, 1.0]] {
        let (found, expected) = (read.predict(&image), hot.predict(&image));
        assert_ne!(expected, tiny().predict(&image));
        for (found, expected) in found.probabilities().iter().zip(expected.probabilities()) {
            assert!((found - expected).abs() < 1e-6, "{found} for {expected}");
        }
    }
    let cold = tiny().with_temperature(f32::from_bits(1)).expect("above 0");
    assert_refused!(cold.write_npz(&mut Vec::new()), Unsupported, "temperature", "finite");
}

#[test]
fn an_endless_reader_is_refused() {
    let file = b"PK".chain(io::repeat(0).take(digit_recognizer::npz::MAX_FILE_LEN));
    assert_refused!(Network::read_npz(file), Unsupported, "expected the end of the file");
    assert_refused!(Network::read_npz(io::repeat(0)), Malformed, "byte 0", "ZIP", "\\x00\\x00");
}

/// A folder for one test, removed when it ends.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let name = format!("digit-recognizer-npz-{test}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).expect("a folder for temporary files");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn saves_and_loads_a_file() {
    let folder = Folder::new("save");
    let path = folder.0.join("network.npz");
    std::fs::write(&path, "the old file").expect("a file");
    tiny().save_npz(&path).expect("saving");
    assert_eq!(Network::load_npz(&path).expect("loading"), tiny());
    let files = std::fs::read_dir(&folder.0).expect("the folder").count();
    assert_eq!(files, 1, "nothing else is left behind");
}

#[test]
fn a_refused_save_leaves_the_old_file() {
    let folder = Folder::new("refused");
    let path = folder.0.join("network.npz");
    tiny().save_npz(&path).expect("saving");
    let tanh = Network::new(&[3, 4, 2], digit_recognizer::Activation::Tanh, 1).expect("sizes");
    assert_refused!(tanh.save_npz(&path), File, "network.npz", "Tanh");
    assert_eq!(Network::load_npz(&path).expect("loading"), tiny());
    assert_eq!(std::fs::read_dir(&folder.0).expect("the folder").count(), 1);
}

#[test]
fn errors_name_the_file() {
    let folder = Folder::new("paths");
    let path = folder.0.join("network.npz");
    assert_refused!(Network::load_npz(&path), File, "network.npz");
    assert_refused!(Network::load_npz(&folder.0), File, "digit-recognizer-npz-paths");
    assert_refused!(tiny().save_npz(&folder.0), File, "digit-recognizer-npz-paths");
    assert_refused!(tiny().save_npz(path.join("below")), File, "below");
    std::fs::write(&path, "text").expect("a file");
    assert_refused!(Network::load_npz(&path), File, "network.npz", "malformed npz");
}
