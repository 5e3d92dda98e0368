//! Plain IDX files.

use std::io::{self, Read};

use digit_recognizer::idx;
use proptest::prelude::*;

use crate::{
    Dribble, IMAGES, IMAGES_HEADER, LABELS, assert_error, failing_after, io_error, malformed,
    mismatch, unsupported,
};

/// [`IMAGES`] with one byte of the header changed.
fn with_byte(offset: usize, byte: u8) -> [u8; 28] {
    let mut file = IMAGES;
    file[offset] = byte;
    file
}

#[test]
fn reads_images_and_labels() {
    let images = idx::read_images(IMAGES.as_slice()).unwrap();
    assert_eq!((images.len(), images.rows(), images.cols()), (2, 2, 3));
    assert_eq!(images.image(0), [0, 1, 2, 3, 4, 5]);
    assert_eq!(images.image(1), [250, 251, 252, 253, 254, 255]);
    assert_eq!(idx::read_labels(LABELS.as_slice()).unwrap(), [9, 0, 4]);
}

#[test]
fn reads_one_byte_at_a_time() {
    let images = idx::read_images(Dribble::new(&IMAGES)).unwrap();
    assert_eq!(images.pixels(), &IMAGES[IMAGES_HEADER..]);
    assert_eq!(idx::read_labels(Dribble::new(&LABELS)).unwrap(), [9, 0, 4]);
}

#[test]
fn reads_a_set_of_no_images() {
    let file = [&IMAGES[..4], &[0, 0, 0, 0], &IMAGES[8..IMAGES_HEADER]].concat();
    let images = idx::read_images(file.as_slice()).unwrap();
    assert_eq!((images.len(), images.image_len()), (0, 6));
    assert_eq!(idx::read_labels([0, 0, 8, 1, 0, 0, 0, 0].as_slice()).unwrap(), []);
}

#[test]
fn refuses_every_truncation() {
    for len in 0..IMAGES.len() {
        assert_error(
            idx::read_images(&IMAGES[..len]),
            malformed,
            &["malformed IDX at byte ", "found the end after "],
        );
    }
    for len in 0..LABELS.len() {
        assert_error(idx::read_labels(&LABELS[..len]), malformed, &["found the end after "]);
    }
}

#[test]
fn tells_where_the_data_ends() {
    let at = |len| idx::read_images(&IMAGES[..len]);
    assert_error(at(0), malformed, &["byte 0 (magic number)", "the end after 0"]);
    assert_error(at(6), malformed, &["byte 4 (image count)", "4 bytes", "the end after 2"]);
    assert_error(at(8), malformed, &["byte 8 (rows)", "the end after 0"]);
    assert_error(at(15), malformed, &["byte 12 (columns)", "the end after 3"]);
    let values = ["byte 16 (values)", "12 bytes (2 x 2 x 3)", "the end after 11"];
    assert_error(at(27), malformed, &values);
}

#[test]
fn refuses_data_after_the_values() {
    let images = [IMAGES.as_slice(), &[0]].concat();
    assert_error(idx::read_images(images.as_slice()), malformed, &["12 bytes", "found more"]);
    let labels = [LABELS.as_slice(), &[0]].concat();
    assert_error(idx::read_labels(labels.as_slice()), malformed, &["3 bytes", "found more"]);
}

#[test]
fn every_flipped_bit_is_refused_or_one_pixel() {
    for bit in 0..8 * IMAGES.len() {
        let mut file = IMAGES;
        file[bit / 8] ^= 1 << (bit % 8);
        let result = idx::read_images(file.as_slice());
        if bit / 8 < IMAGES_HEADER {
            assert!(result.is_err(), "bit {bit} of the header");
        } else {
            assert_eq!(result.unwrap().pixels(), &file[IMAGES_HEADER..], "bit {bit}");
        }
    }
}

#[test]
fn refuses_a_wrong_magic_number() {
    let file = with_byte(1, 7);
    let parts = ["byte 0 (magic number)", "00 00 08 03", "[00, 07, 08, 03]"];
    assert_error(idx::read_images(file.as_slice()), malformed, &parts);
}

#[test]
fn refuses_values_of_another_type() {
    let file = with_byte(2, 0x0d);
    let parts = ["byte 2 (type)", "unsigned bytes", "found 0d"];
    assert_error(idx::read_images(file.as_slice()), unsupported, &parts);
}

#[test]
fn refuses_labels_for_images_and_images_for_labels() {
    let parts = ["byte 3 (number of dimensions)", "3 (image count, rows, columns)", "found 1"];
    assert_error(idx::read_images(LABELS.as_slice()), unsupported, &parts);
    let parts = ["byte 3", "1 (label count)", "found 3"];
    assert_error(idx::read_labels(IMAGES.as_slice()), unsupported, &parts);
}

#[test]
fn refuses_images_without_rows() {
    let file = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 3];
    assert_error(idx::read_images(file.as_slice()), mismatch, &["0 x 3"]);
}

#[test]
fn refuses_sizes_that_overflow() {
    let file = [&IMAGES[..4], &[0xff; 12]].concat();
    let parts = ["64 bits", "4294967295 x 4294967295 x 4294967295"];
    assert_error(idx::read_images(file.as_slice()), malformed, &parts);

    // 4294967295 x 641 x 6700417 = 2^64 - 1: only the byte after the data overflows.
    let sizes = [u32::MAX, 641, 6_700_417].map(u32::to_be_bytes).concat();
    let file = [&IMAGES[..4], &sizes].concat();
    assert_error(idx::read_images(file.as_slice()), malformed, &["64 bits"]);
}

#[test]
fn a_lying_count_takes_no_memory() {
    // As many bytes as an allocation could never have.
    let sizes = [u32::MAX, u32::MAX, 1].map(u32::to_be_bytes).concat();
    let file = [&IMAGES[..4], &sizes, &[1, 2, 3]].concat();
    assert_error(idx::read_images(file.as_slice()), malformed, &["the end after 3"]);
}

#[test]
fn reads_one_byte_more_than_the_header_says() {
    let mut endless = IMAGES.chain(io::repeat(0));
    assert_error(idx::read_images(&mut endless), malformed, &["found more"]);
}

#[test]
fn refuses_a_label_above_9() {
    let file = [0, 0, 8, 1, 0, 0, 0, 3, 9, 10, 4];
    let parts = ["byte 9 (label at index 1)", "0 to 9", "found 10"];
    assert_error(idx::read_labels(file.as_slice()), malformed, &parts);
}

#[test]
fn passes_on_the_readers_error() {
    for len in 0..IMAGES.len() {
        let result = idx::read_images(failing_after(&IMAGES[..len]));
        assert_error(result, io_error, &["the disk is gone"]);
    }
}

#[cfg(not(feature = "gzip"))]
#[test]
fn gzipped_data_names_the_feature_that_reads_it() {
    let parts = ["cargo feature `gzip`", "found gzipped data"];
    assert_error(idx::read_images([0x1f, 0x8b, 8].as_slice()), unsupported, &parts);
}

proptest! {
    #[test]
    fn reads_images_of_any_shape(
        rows in 1_u32..20,
        cols in 1_u32..20,
        count in 0_u32..20,
        seed: u8,
    ) {
        let pixels: Vec<u8> =
            (0..rows * cols * count).map(|i| (i as u8).wrapping_mul(31) ^ seed).collect();
        let sizes = [count, rows, cols].map(u32::to_be_bytes).concat();
        let file = [&[0, 0, 8, 3], sizes.as_slice(), &pixels].concat();
        let images = idx::read_images(file.as_slice()).unwrap();
        prop_assert_eq!(images.len(), count as usize);
        prop_assert_eq!((images.rows(), images.cols()), (rows as usize, cols as usize));
        prop_assert_eq!(images.pixels(), pixels);
    }
}
