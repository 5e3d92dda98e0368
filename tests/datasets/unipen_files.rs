//! Pen strokes in UNIPEN text.

use std::fs;
use std::io::Read;

use digit_recognizer::unipen::{self, PenDigit};
use digit_recognizer::{Dataset, Error, Images};
use proptest::prelude::*;

use crate::{
    Dribble, Endless, assert_error, empty_folder, failing_after, io_error, malformed, mismatch,
};

/// A digit of two strokes, and one of one.
const TWO: &str = "\
.LEXICON \"0\" \"1\"
.HIERARCHY DIGIT

.SEGMENT DIGIT 0-1 ? \"4\"
.COMMENT 4 12  224
.PEN_DOWN
 30 90
 10  40
 50 41.5
.PEN_UP
.DT 100
.PEN_DOWN
 40 80
 40 0
.PEN_UP
.DT 9

.SEGMENT DIGIT 2 ? \"1\"
.COMMENT 1 3 7
.PEN_DOWN
 -5 90
 5 1e1
.PEN_UP
.DT 100
";

fn read(text: impl AsRef<[u8]>) -> Result<Vec<PenDigit>, Error> {
    unipen::read(text.as_ref())
}

/// [`TWO`] with the first occurrence of a part replaced.
#[track_caller]
fn with(part: &str, replacement: &str) -> String {
    assert!(TWO.contains(part), "{part}");
    TWO.replacen(part, replacement, 1)
}

#[test]
fn reads_label_writer_and_strokes() {
    let digits = read(TWO).unwrap();
    let who: Vec<_> = digits.iter().map(|digit| (digit.label, digit.writer)).collect();
    assert_eq!(who, [(4, 12), (1, 3)]);
    // A tablet's y grows upwards, that of strokes downwards.
    let four =
        [vec![(30.0, -90.0), (10.0, -40.0), (50.0, -41.5)], vec![(40.0, -80.0), (40.0, 0.0)]];
    assert_eq!(digits[0].strokes.as_slice(), four);
    assert_eq!(digits[1].strokes.as_slice(), [[(-5.0, -90.0), (5.0, -10.0)]]);
}

#[test]
fn spelling_means_nothing() {
    let digits = read(TWO).unwrap();
    let variants = [
        TWO.replace('\n', "\r\n"),
        TWO.replace('\n', "\n\n"),
        TWO.replace('\n', "  \n\t "),
        TWO.replace(' ', "   "),
        TWO.replace(".DT 100\n", ""),
        TWO.trim_end().to_owned(),
        with(".SEGMENT", ".VERSION 1.0\n.COORD X Y\n.COMMENT of the file,\nlong\n.SEGMENT"),
        with(".LEXICON \"0\"", ".LEXICON \"0\"\n"),
    ];
    for text in variants {
        assert_eq!(read(&text).unwrap(), digits, "{text:?}");
    }
    assert_eq!(unipen::read(Dribble::new(TWO.as_bytes())).unwrap(), digits);
}

#[test]
fn a_dot_is_a_stroke() {
    let digits = read(with(" 40 80\n", "")).unwrap();
    assert_eq!(digits[0].strokes.as_slice()[1], [(40.0, 0.0)]);
}

#[test]
fn names_the_line_and_what_is_wrong_there() {
    let cases: &[(&str, &str, &[&str])] = &[
        // Segments
        ("\"4\"", "\"A\"", &["line 4", "digit from 0 to 9 in quotes"]),
        ("\"4\"", "\"14\"", &["line 4", "digit from 0 to 9 in quotes"]),
        ("\"4\"", "4", &["line 4", "in quotes"]),
        ("\"4\"", "\"4\" 5", &["line 4", ".SEGMENT DIGIT"]),
        ("? \"4\"", "\"4\"", &["line 4", ".SEGMENT DIGIT"]),
        ("SEGMENT DIGIT 0-1", "SEGMENT WORD 0-1", &["line 4", ".SEGMENT DIGIT"]),
        (" 0-1 ", " 0:1 ", &["line 4", "7 or 7-8"]),
        (" 0-1 ", " 1-0 ", &["line 4", "7 or 7-8"]),
        (" 0-1 ", " 0-2 ", &["line 4", "expected 3 strokes", "found 2"]),
        (" 0-1 ", " 0 ", &["line 4", "expected 1 strokes", "found 2"]),
        (" 0-1 ", " 0-4294967295 ", &["line 4", "expected 4294967296 strokes", "found 2"]),
        // Comments
        (".COMMENT 4 12  224\n", "", &["line 4", "expected a .COMMENT", "found none"]),
        (".COMMENT 4", ".COMMENT 5", &["line 5", "label of the .SEGMENT, 4", ".COMMENT 5"]),
        (".COMMENT 4 12 ", ".COMMENT 4 ", &["line 5", "label, writer and number"]),
        (" 12 ", " -12 ", &["line 5", "whole numbers"]),
        (" 12 ", " 4294967296 ", &["line 5", "whole numbers"]),
        (" 224", " x", &["line 5", "whole numbers"]),
        (" 224", " 224\n.COMMENT 4 12 224", &["line 6", "one .COMMENT"]),
        // Strokes
        (".SEGMENT DIGIT 0-1 ? \"4\"\n.COMMENT 4 12  224\n", "", &["line 4", "a .SEGMENT before"]),
        (".PEN_DOWN\n", "", &["line 6", "a statement", "\"30 90\""]),
        (".PEN_DOWN\n", ".PEN_DOWN 4\n", &["line 6", "the statement alone"]),
        (".PEN_UP\n", ".PEN_UP 4\n", &["line 10", "the statement alone"]),
        (".PEN_UP\n", "", &["line 10", "a point or .PEN_UP", "\".DT 100\""]),
        (".PEN_UP\n.DT 100\n.PEN_DOWN\n", ".PEN_DOWN\n", &["line 10", "a point or .PEN_UP"]),
        (".PEN_UP\n", ".PEN_UP\n.PEN_UP\n", &["line 11", "a .PEN_DOWN before"]),
        (" 40 80\n 40 0\n", "", &["line 13", "a point before it", ".PEN_UP"]),
        (".DT 100\n", ".DT 100\n 1 2\n", &["line 12", "a statement", "\"1 2\""]),
        // Points
        (" 30 90", " 30", &["line 7", "two numbers"]),
        (" 30 90", " 30 90 5", &["line 7", "two numbers"]),
        (" 30 90", " 30 ninety", &["line 7", "numbers of at most", "\"30 ninety\""]),
        (" 30 90", " NaN 90", &["line 7", "numbers of at most"]),
        (" 30 90", " 30 inf", &["line 7", "numbers of at most"]),
        (" 30 90", " 30 1e99", &["line 7", "numbers of at most"]),
        (" 30 90", " -16777218 90", &["line 7", "numbers of at most 16777216"]),
    ];
    for (part, replacement, expected) in cases {
        let text = with(part, replacement);
        let result = std::panic::catch_unwind(|| assert_error(read(&text), malformed, expected));
        assert!(result.is_ok(), "{part:?} as {replacement:?}: {:?}", read(&text));
    }
    assert!(read(with(" 30 90", " 30 -16777216")).is_ok());
}

#[test]
fn refuses_what_has_no_digit() {
    for text in ["", "\n\n", ".LEXICON \"0\"\n", ".VERSION 1.0\nof UNIPEN"] {
        assert_error(read(text), malformed, &["a .SEGMENT", "the end of the file"]);
    }
    assert_error(read("x,y\n1,2\n"), malformed, &["line 1", "a statement", "\"x,y\""]);
}

#[test]
fn invalid_utf8_is_shown_or_passed_over() {
    let bytes = |part: &str| {
        let text = with(part, "\u{1}");
        let bytes = text.into_bytes();
        bytes.into_iter().map(|byte| if byte == 1 { 0xff } else { byte }).collect::<Vec<u8>>()
    };
    assert_error(read(bytes("30 90")), malformed, &["line 7", "\"\\xff\""]);
    assert_error(read(bytes("\"4\"")), malformed, &["line 4", "\\xff"]);
    assert_eq!(read(bytes("\"0\"")).unwrap(), read(TWO).unwrap());
}

#[test]
fn every_truncation_is_refused_or_ends_after_a_digit() {
    let digits = read(TWO).unwrap();
    let mut whole = 0;
    for len in 0..TWO.len() {
        match read(&TWO[..len]) {
            Ok(read) => {
                assert_eq!(read, digits[..read.len()], "{len} bytes");
                whole += 1;
            }
            Err(error) => assert!(malformed(&error), "{len} bytes: {error:?}"),
        }
    }
    // From the .PEN_UP of a digit to the next .SEGMENT, and to the end.
    assert!((20..40).contains(&whole), "{whole}");
}

#[test]
fn every_flipped_bit_is_refused_or_read() {
    let mut refused = 0;
    for bit in 0..8 * TWO.len() {
        let mut bytes = TWO.as_bytes().to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        match read(bytes) {
            Ok(digits) => assert_eq!(digits.len(), 2, "bit {bit}"),
            Err(error) => {
                assert!(malformed(&error), "bit {bit}: {error:?}");
                refused += 1;
            }
        }
    }
    assert!(refused > 4 * TWO.len(), "{refused}");
}

#[test]
fn a_line_has_at_most_64_kib() {
    let comment = |len: usize| format!(".{}\n{TWO}", "x".repeat(len - 2));
    assert_eq!(read(comment(1 << 16)).unwrap(), read(TWO).unwrap());
    let parts = ["line 1", "at most 65536 bytes", "a longer line"];
    assert_error(read(comment((1 << 16) + 1)), malformed, &parts);

    for period in [&b"1"[..], b" ", b".", b"\0"] {
        let mut endless = Endless { period, read: 0 };
        assert_error(unipen::read(&mut endless), malformed, &parts);
        assert!(endless.read < 1 << 18, "{} bytes were read", endless.read);
    }
}

#[test]
fn a_digit_has_at_most_65536_points() {
    let points = |count: usize| with(" 30 90\n", &" 30 90\n".repeat(count - 4));
    assert_eq!(read(points(1 << 16)).unwrap().len(), 2);
    assert_error(read(points((1 << 16) + 1)), malformed, &["at most 65536 points", "one more"]);
    // It is refused there and then.
    let start = &TWO[..TWO.find(" 30 90").unwrap()];
    let mut endless = Endless { period: b"1 2\n", read: 0 };
    assert_error(unipen::read(start.as_bytes().chain(&mut endless)), malformed, &["65536 points"]);
    assert!(endless.read < 1 << 20, "{} bytes were read", endless.read);
}

#[test]
fn passes_on_errors_of_the_reader() {
    let half = &TWO.as_bytes()[..TWO.len() / 2];
    assert_error(unipen::read(failing_after(half)), io_error, &["the disk is gone"]);
}

#[cfg(feature = "gzip")]
#[test]
fn gzipped_text_is_read_the_same() {
    use std::io::Write;

    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(TWO.as_bytes()).unwrap();
    let gzipped = encoder.finish().unwrap();
    assert_eq!(read(&gzipped).unwrap(), read(TWO).unwrap());
    for len in 2..gzipped.len() {
        assert_error(read(&gzipped[..len]), malformed, &["malformed gzip"]);
    }
}

#[cfg(not(feature = "gzip"))]
#[test]
fn gzipped_text_needs_the_feature() {
    let unsupported = |error: &Error| matches!(error, Error::Unsupported { .. });
    assert_error(read([0x1f, 0x8b, 8, 0]), unsupported, &["UNIPEN", "feature `gzip`"]);
}

#[test]
fn loads_a_file_and_names_it() {
    let digits = unipen::load("fixtures/digits.unipen").unwrap();
    let who: Vec<_> = digits.iter().map(|digit| (digit.label, digit.writer)).collect();
    assert_eq!(who, [(7, 1), (4, 1), (0, 2), (5, 13)]);

    let folder = empty_folder("unipen");
    let in_file = |error: &Error| matches!(error, Error::File { .. });
    assert_error(unipen::load(folder.join("missing")), in_file, &["missing"]);
    assert_error(unipen::load(&folder), in_file, &["unipen"]);
    let path = folder.join("bad.unipen");
    fs::write(&path, with("\"4\"", "\"x\"")).unwrap();
    assert_error(unipen::load(&path), in_file, &["bad.unipen", "malformed UNIPEN at line 4"]);
}

#[test]
fn digits_are_drawn_once_with_each_pen() {
    let digits = read(TWO).unwrap();
    let dataset = unipen::dataset(&digits, &[2.0, 4.0, 1.5]).unwrap();
    assert_eq!(dataset.labels(), [4, 4, 4, 1, 1, 1]);
    assert_eq!((dataset.images().rows(), dataset.images().cols()), (28, 28));
    let order = [(0, 2.0), (0, 4.0), (0, 1.5), (1, 2.0), (1, 4.0), (1, 1.5)];
    for (index, (digit, pen_width)) in order.into_iter().enumerate() {
        let image = digits[digit].strokes.draw(pen_width).unwrap();
        for (&byte, ink) in dataset.images().image(index).iter().zip(image.pixels()) {
            assert!((f32::from(byte) - 255.0 * ink).abs() <= 0.501, "image {index}");
        }
    }
    let of_three =
        unipen::dataset(digits.iter().filter(|digit| digit.writer == 3), &[2.5]).unwrap();
    assert_eq!(of_three.labels(), [1]);
    assert!(unipen::dataset(&digits, &[]).unwrap().is_empty());
    let invalid = |error: &Error| matches!(error, Error::InvalidConfig { .. });
    assert_error(unipen::dataset(&digits, &[2.0, 0.0]), invalid, &["pen_width", "found 0"]);
}

#[test]
fn drawn_digits_extend_a_dataset() {
    let drawn = unipen::dataset(&read(TWO).unwrap(), &[2.5]).unwrap();
    let images = Images::new(28, 28, (0..3 * 784).map(|i| (i % 251) as u8).collect()).unwrap();
    let first = Dataset::new(images, vec![7, 8, 9]).unwrap();
    let mut both = first.clone();
    both.extend(&drawn).unwrap();
    assert_eq!(both.labels(), [7, 8, 9, 4, 1]);
    assert_eq!((both.slice(0..3), both.slice(3..5)), (first, drawn));

    // As many pixels, but another shape.
    let other = Dataset::new(Images::new(14, 56, vec![0; 784]).unwrap(), vec![1]).unwrap();
    let before = both.clone();
    assert_error(both.extend(&other), mismatch, &["28 x 28", "14 x 56"]);
    assert_eq!(both, before);
}

#[cfg(feature = "gzip")]
#[test]
#[ignore = "needs the full data"]
fn the_whole_collection_is_read() {
    use std::collections::HashSet;
    use std::path::{Path, PathBuf};

    let data = std::env::var_os("DIGITS_DATA").unwrap_or_else(|| "../shared/data".into());
    let path: PathBuf = Path::new(&data).join("pendigits/strokes-writers-01-24.unipen.gz");
    let digits = unipen::load(&path).unwrap();
    assert_eq!(digits.len(), 5_996);
    let writers: HashSet<u32> = digits.iter().map(|digit| digit.writer).collect();
    assert_eq!(
        (writers.len(), writers.iter().min(), writers.iter().max()),
        (24, Some(&1), Some(&24))
    );
    let mut labels = [0; 10];
    digits.iter().for_each(|digit| labels[usize::from(digit.label)] += 1);
    // As `grep --count` says of each label.
    assert_eq!(labels, [624, 624, 624, 576, 624, 576, 576, 622, 575, 575]);
    let strokes: usize = digits.iter().map(|digit| digit.strokes.as_slice().len()).sum();
    assert_eq!(strokes, 7_503);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    #[test]
    fn any_lines_are_read_or_refused(lines in prop::collection::vec(0..12_usize, 0..24)) {
        let statements = [
            ".SEGMENT DIGIT 0 ? \"4\"", ".SEGMENT DIGIT 0-1 ? \"4\"", ".COMMENT 4 1 1", ".PEN_DOWN",
            ".PEN_UP", "1 2", "3 4", ".DT 1", ".OTHER", "", "\u{e9}", "1 2 3",
        ];
        let text: Vec<&str> = lines.into_iter().map(|line| statements[line]).collect();
        match read(text.join("\n")) {
            Ok(digits) => prop_assert!(!digits.is_empty()),
            Err(error) => prop_assert!(malformed(&error), "{error:?}"),
        }
    }
}
