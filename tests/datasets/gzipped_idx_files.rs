//! Gzipped IDX files.

use std::io::Write;

use digit_recognizer::idx;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::{
    Dribble, IMAGES, LABELS, assert_error, failing_after, io_error, malformed, unsupported,
};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn reads_the_same_as_plain() {
    let plain = idx::read_images(IMAGES.as_slice()).unwrap();
    assert_eq!(idx::read_images(gzip(&IMAGES).as_slice()).unwrap(), plain);
    assert_eq!(idx::read_images(Dribble::new(&gzip(&IMAGES))).unwrap(), plain);
    assert_eq!(idx::read_labels(gzip(&LABELS).as_slice()).unwrap(), [9, 0, 4]);
}

#[test]
fn reads_several_members() {
    let plain = idx::read_images(IMAGES.as_slice()).unwrap();
    for cut in 0..=IMAGES.len() {
        let file = [gzip(&IMAGES[..cut]), gzip(&[]), gzip(&IMAGES[cut..])].concat();
        assert_eq!(idx::read_images(file.as_slice()).unwrap(), plain, "cut at {cut}");
    }
}

#[test]
fn refuses_every_truncation() {
    let file = gzip(&IMAGES);
    for len in 0..file.len() {
        assert_error(idx::read_images(&file[..len]), malformed, &["malformed"]);
    }
    let parts = ["malformed gzip", "whole gzip members"];
    assert_error(idx::read_images(&file[..file.len() - 1]), malformed, &parts);
}

#[test]
fn every_flipped_bit_is_refused_or_without_effect() {
    let file = gzip(&IMAGES);
    let plain = idx::read_images(IMAGES.as_slice()).unwrap();
    let mut refused = 0;
    for bit in 0..8 * file.len() {
        let mut file = file.clone();
        file[bit / 8] ^= 1 << (bit % 8);
        match idx::read_images(file.as_slice()) {
            Ok(images) => assert_eq!(images, plain, "bit {bit}"),
            Err(error) => {
                assert!(malformed(&error) || unsupported(&error), "bit {bit}: {error:?}");
                refused += 1;
            }
        }
    }
    // The time, the system and other free fields of the header have 8 bytes.
    assert!(refused > 8 * (file.len() - 10), "only {refused} of {} bits", 8 * file.len());
}

#[test]
fn refuses_a_wrong_checksum() {
    let mut file = gzip(&IMAGES);
    let checksum = file.len() - 8;
    file[checksum] ^= 1;
    let parts = ["malformed gzip", "checksum"];
    assert_error(idx::read_images(file.as_slice()), malformed, &parts);
}

#[test]
fn refuses_bytes_after_the_last_member() {
    let file = [gzip(&IMAGES).as_slice(), b"no gzip here"].concat();
    assert_error(idx::read_images(file.as_slice()), malformed, &["malformed gzip"]);
}

#[test]
fn a_bomb_is_read_as_far_as_its_header_says() {
    // 64 MiB of zeros after two small images.
    let member = gzip(&vec![0; 1 << 20]);
    let bomb = [gzip(&IMAGES), member.repeat(64)].concat();
    let mut reader = bomb.as_slice();
    assert_error(idx::read_images(&mut reader), malformed, &["12 bytes", "found more"]);
    let read = bomb.len() - reader.len();
    assert!(read <= 40 << 10, "{read} of {} bytes were read", bomb.len());
}

#[test]
fn passes_on_the_readers_error() {
    let file = gzip(&IMAGES);
    for len in 0..file.len() {
        let result = idx::read_images(failing_after(&file[..len]));
        assert_error(result, io_error, &["the disk is gone"]);
    }
}
