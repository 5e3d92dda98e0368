//! A digit image as one row of CSV.

use std::fs;

use digit_recognizer::{DigitImage, Error};
use proptest::prelude::*;

use crate::{
    Dribble, ENDLESS_PERIODS, Endless, assert_error, empty_folder, failing_after, io_error,
    malformed,
};

fn read(text: impl AsRef<[u8]>) -> Result<DigitImage, Error> {
    DigitImage::read_csv(text.as_ref())
}

/// 784 zeros, of which the one in this column (from 0) is replaced.
fn zeros_with(column: usize, field: &str) -> String {
    let mut fields = ["0"; 784];
    fields[column] = field;
    fields.join(",")
}

#[test]
fn writes_one_row_of_shortest_numbers() {
    let mut pixels = [0.0; 784];
    pixels[1] = 1.0;
    pixels[2] = 0.1;
    pixels[783] = 51.0 / 255.0;
    let mut text = Vec::new();
    DigitImage::from_pixels(&pixels).unwrap().write_csv(&mut text).unwrap();
    let expected = format!("0,1,0.1,{}0.2\n", "0,".repeat(780));
    assert_eq!(String::from_utf8(text).unwrap(), expected);
}

#[test]
fn reads_every_way_to_write_a_number() {
    let numbers = [
        ("0", 0.0),
        ("0.0", 0.0),
        ("1", 1.0),
        ("1.000000000000000000e+00", 1.0),
        ("0.000000000000000000e+00", 0.0),
        ("1e-2", 0.01),
        (".5", 0.5),
        ("\"0.25\"", 0.25),
    ];
    for (text, value) in numbers {
        let image = read(zeros_with(100, text)).unwrap();
        assert_eq!(image.pixels()[100], value, "{text}");
    }
}

#[test]
fn reads_what_numpy_savetxt_writes() {
    let text = vec!["3.921568627450980338e-03"; 784].join(",") + "\n";
    assert_eq!(read(text).unwrap(), DigitImage::from_bytes(&[1; 784]));
}

#[test]
fn reads_any_line_end_and_a_byte_order_mark() {
    let text = zeros_with(783, "1");
    let image = read(&text).unwrap();
    assert_eq!(image.pixels()[783], 1.0);
    for text in [format!("{text}\n"), format!("{text}\r\n"), format!("\u{feff}{text}\n\n")] {
        assert_eq!(read(&text).unwrap(), image);
        assert_eq!(DigitImage::read_csv(Dribble::new(text.as_bytes())).unwrap(), image);
    }
}

#[test]
fn refuses_what_is_no_number_from_0_to_1() {
    for field in ["NaN", "nan", "inf", "-inf", "1.0001", "-0.1", "2", "255", "ink", "", " 0"] {
        let found = format!("found \"{field}\"");
        let parts = ["line 1, column 784:", "a number from 0 to 1", &found];
        assert_error(read(zeros_with(783, field)), malformed, &parts);
    }
    let mut text = zeros_with(0, "?").into_bytes();
    text[0] = 0xff;
    assert_error(read(text), malformed, &["line 1, column 1:", r#"found "\xff""#]);
}

#[test]
fn refuses_another_count() {
    let text = zeros_with(0, "0");
    let parts = ["line 1:", "one row of 784 values", "found 783 values"];
    assert_error(read(&text[2..]), malformed, &parts);
    assert_error(read(text + ",0"), malformed, &["found 785 values"]);
}

#[test]
fn refuses_an_empty_file() {
    let parts = ["line 1:", "one row of 784 values", "found the end of the file"];
    assert_error(read(""), malformed, &parts);
}

#[test]
fn refuses_a_second_row() {
    let text = zeros_with(0, "0");
    let parts = ["line 2:", "one row of 784 values", "found another row"];
    assert_error(read(format!("{text}\n{text}")), malformed, &parts);
    assert_error(read(format!("{text}\n0")), malformed, &parts);
}

#[test]
fn refuses_a_line_without_end() {
    for period in ENDLESS_PERIODS {
        let mut reader = Endless { period, read: 0 };
        let result = DigitImage::read_csv(&mut reader);
        assert_error(result, malformed, &["line 1:", "at most 65536 bytes"]);
        assert!(reader.read <= 128 << 10, "{} bytes were read", reader.read);
    }
}

#[test]
fn passes_on_the_readers_and_the_writers_error() {
    let text = zeros_with(0, "0");
    for len in [0, 2, 800] {
        let result = DigitImage::read_csv(failing_after(&text.as_bytes()[..len]));
        assert_error(result, io_error, &["the disk is gone"]);
    }
    let mut full = [0; 100];
    let image = DigitImage::from_bytes(&[0; 784]);
    assert_error(image.write_csv(full.as_mut_slice()), io_error, &[]);
}

#[test]
fn saves_and_loads() {
    let folder = empty_folder("digit-csv");
    let path = folder.join("input.csv");
    let image = DigitImage::from_bytes(&std::array::from_fn(|index| index as u8));
    image.save_csv(&path).unwrap();
    assert_eq!(DigitImage::load_csv(&path).unwrap(), image);

    assert_error(
        DigitImage::load_csv(folder.join("absent.csv")),
        |error| matches!(error, Error::File { source, .. } if io_error(source)),
        &["absent.csv"],
    );
    assert_error(
        DigitImage::load_csv(&folder),
        |error| matches!(error, Error::File { source, .. } if io_error(source)),
        &["digit-csv"],
    );
    fs::write(&path, "0,0").unwrap();
    assert_error(
        DigitImage::load_csv(&path),
        |error| matches!(error, Error::File { source, .. } if malformed(source)),
        &["input.csv", "found 2 values"],
    );
}

proptest! {
    /// Every `f32` from 0 to 1, the subnormal ones with them.
    #[test]
    fn reads_back_the_same_bits(
        pixels in prop::collection::vec(0_u32..=0x3f80_0000, 784)
    ) {
        let pixels: Vec<f32> = pixels.into_iter().map(f32::from_bits).collect();
        let image = DigitImage::from_pixels(&pixels).unwrap();
        let mut text = Vec::new();
        image.write_csv(&mut text).unwrap();
        let again = DigitImage::read_csv(text.as_slice()).unwrap();
        let bits = |image: &DigitImage| image.pixels().map(f32::to_bits);
        prop_assert_eq!(bits(&again), bits(&image));
    }
}
