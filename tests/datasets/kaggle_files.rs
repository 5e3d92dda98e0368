//! The files of Kaggle's Digit Recognizer.

use std::fs;
use std::io::{self, Read};

use digit_recognizer::{Dataset, Error, Images, kaggle};
use proptest::prelude::*;

use crate::{
    Dribble, ENDLESS_PERIODS, Endless, assert_error, empty_folder, failing_after, io_error,
    malformed, mismatch,
};

fn header(label: bool) -> String {
    let mut names: Vec<String> = (0..784).map(|index| format!("pixel{index}")).collect();
    if label {
        names.insert(0, "label".to_owned());
    }
    names.join(",")
}

/// The fields of a row of `train.csv`: label 7, pixels 0 to 255 over and over.
fn fields() -> Vec<String> {
    let pixels = (0..784).map(|index| (index % 256).to_string());
    std::iter::once("7".to_owned()).chain(pixels).collect()
}

/// A `train.csv` of one row, whose field in this column (from 0) is replaced.
fn train_with(column: usize, field: &str) -> String {
    let mut fields = fields();
    fields[column] = field.to_owned();
    format!("{}\n{}\n", header(true), fields.join(","))
}

fn train() -> String {
    train_with(0, "7")
}

fn test() -> String {
    format!("{}\n{}\n", header(false), fields()[1..].join(","))
}

fn read_train(text: impl AsRef<[u8]>) -> Result<Dataset, Error> {
    kaggle::read_train(text.as_ref())
}

fn read_test(text: impl AsRef<[u8]>) -> Result<Images, Error> {
    kaggle::read_test(text.as_ref())
}

#[track_caller]
fn assert_reads_like_train(text: impl AsRef<[u8]>) {
    let dataset = read_train(text).unwrap();
    let pixels: Vec<u8> = (0..784_u32).map(|index| index as u8).collect();
    assert_eq!(dataset.labels(), [7]);
    assert_eq!((dataset.images().rows(), dataset.images().cols()), (28, 28));
    assert_eq!(dataset.images().image(0), pixels);
}

#[test]
fn reads_train() {
    assert_reads_like_train(train());
}

#[test]
fn reads_test() {
    let images = read_test(test()).unwrap();
    assert_eq!(images, *read_train(train()).unwrap().images());
}

/// MNIST's own files are the oracle.
#[cfg(feature = "gzip")]
#[test]
fn reads_mnist_written_as_csv() {
    use std::fmt::Write;

    use digit_recognizer::mnist::{self, Split};

    let mnist = mnist::load("fixtures/mnist", Split::Test).unwrap();
    let (mut train, mut test) = (header(true), header(false));
    for (index, label) in mnist.labels().iter().enumerate() {
        let row: Vec<_> = mnist.images().image(index).iter().map(u8::to_string).collect();
        write!(train, "\n{label},{}", row.join(",")).unwrap();
        write!(test, "\n{}", row.join(",")).unwrap();
    }
    assert_eq!(read_train(train).unwrap(), mnist);
    assert_eq!(read_test(test).unwrap(), *mnist.images());
}

#[test]
fn reads_a_byte_order_mark() {
    assert_reads_like_train(format!("\u{feff}{}", train()));
    // In pieces, and before a quote, too.
    let text = format!("\u{feff}{}", train().replacen("label", "\"label\"", 1));
    let dataset = kaggle::read_train(Dribble::new(text.as_bytes())).unwrap();
    assert_eq!(dataset, read_train(train()).unwrap());
}

#[test]
fn reads_crlf() {
    assert_reads_like_train(train().replace('\n', "\r\n"));
}

#[test]
fn reads_without_the_last_line_break() {
    assert_reads_like_train(train().trim_end());
}

#[test]
fn reads_quotes() {
    let quoted = train().replace(',', "\",\"").replace('\n', "\"\n\"");
    assert_reads_like_train(format!("\"{}", quoted.trim_end_matches('"')));
}

#[test]
fn skips_blank_lines() {
    assert_reads_like_train(train().replace('\n', "\n\n"));
}

#[test]
fn reads_one_byte_at_a_time() {
    let dataset = kaggle::read_train(Dribble::new(train().as_bytes())).unwrap();
    assert_eq!(dataset, read_train(train()).unwrap());
}

#[test]
fn passes_on_the_readers_error() {
    let text = train();
    for len in [0, 2, 10, text.len() / 2, text.len() - 1] {
        let result = kaggle::read_train(failing_after(&text.as_bytes()[..len]));
        assert_error(result, io_error, &["the disk is gone"]);
    }
}

/// A row that is cut within its last field is still a row: CSV cannot show it.
#[test]
fn refuses_every_truncation_before_the_last_field() {
    let text = train();
    let last_field = text.rfind(',').unwrap() + 1;
    for len in 0..=last_field {
        assert_error(read_train(&text[..len]), malformed, &["Kaggle CSV at line"]);
    }
}

#[test]
fn refuses_an_empty_file() {
    for text in ["", "\u{feff}", "\n\r\n"] {
        let parts = ["line 1:", "a header of 785 columns", "found the end of the file"];
        assert_error(read_train(text), malformed, &parts);
        assert_error(read_test(text), malformed, &["a header of 784 columns"]);
    }
}

#[test]
fn refuses_a_file_with_a_header_only() {
    let parts = ["line 2:", "a row of 785 columns", "found the end of the file"];
    assert_error(read_train(header(true)), malformed, &parts);
    assert_error(read_test(header(false) + "\n"), malformed, &["a row of 784 columns"]);
}

#[test]
fn refuses_test_for_train_and_train_for_test() {
    let parts = ["line 1:", "785 columns (label, ", "found 784, as in the competition's test"];
    assert_error(read_train(test()), malformed, &parts);
    let parts = ["line 1:", "784 columns (pixel0 ", "found 785, as in the competition's train"];
    assert_error(read_test(train()), malformed, &parts);
}

#[test]
fn refuses_ragged_rows() {
    let parts = ["line 3:", "expected 785 columns", "found 784"];
    assert_error(read_train(train() + &fields()[1..].join(",")), malformed, &parts);
    let parts = ["line 3:", "expected 785 columns", "found 786"];
    assert_error(read_train(train() + &fields().join(",") + ",0"), malformed, &parts);
    assert_error(read_train(train() + "7\n"), malformed, &["line 3:", "found 1"]);
    // The same with the other line end.
    let text = (train() + "7").replace('\n', "\r\n");
    assert_error(read_train(text), malformed, &["line 3:", "found 1"]);
}

#[test]
fn refuses_a_file_without_a_header() {
    let row = fields().join(",");
    let parts = ["line 1, column 1:", "the name label", "found \"7\""];
    assert_error(read_train(row), malformed, &parts);
}

#[test]
fn refuses_columns_in_another_order() {
    let text = train().replacen("pixel3,pixel4,", "pixel4,pixel3,", 1);
    let parts = ["line 1, column 5:", "the name pixel3", "found \"pixel4\""];
    assert_error(read_train(text), malformed, &parts);
}

#[track_caller]
fn assert_refuses_pixel(field: &str, found: &str) {
    for column in [1, 400, 784] {
        let place = format!("line 2, column {}:", column + 1);
        let parts = [&place, "an integer from 0 to 255", found];
        assert_error(read_train(train_with(column, field)), malformed, &parts);
    }
}

#[test]
fn refuses_a_negative_pixel() {
    assert_refuses_pixel("-1", "found \"-1\"");
}

#[test]
fn refuses_a_pixel_above_255() {
    assert_refuses_pixel("256", "found \"256\"");
    assert_refuses_pixel("1000", "found \"1000\"");
}

#[test]
fn refuses_a_fraction() {
    assert_refuses_pixel("1.5", "found \"1.5\"");
}

#[test]
fn refuses_an_exponent() {
    assert_refuses_pixel("1e2", "found \"1e2\"");
}

#[test]
fn refuses_text_and_nothing() {
    assert_refuses_pixel("ink", "found \"ink\"");
    assert_refuses_pixel(" 1", "found \" 1\"");
    assert_refuses_pixel("", "found \"\"");
}

#[test]
fn refuses_invalid_utf8() {
    let mut text = train_with(1, "?").into_bytes();
    let place = text.iter().position(|&byte| byte == b'?').unwrap();
    text[place] = 0xff;
    assert_error(read_train(text), malformed, &["line 2, column 2:", r#"found "\xff""#]);
}

#[test]
fn refuses_a_label_that_is_no_digit() {
    for label in ["10", "-1", "", "x", "3.0"] {
        let found = format!("found \"{label}\"");
        let parts = ["line 2, column 1:", "a digit from 0 to 9", &found];
        assert_error(read_train(train_with(0, label)), malformed, &parts);
    }
}

#[test]
fn refuses_a_quote_without_its_end() {
    let parts = ["line 2:", "expected 785 columns", "found 6"];
    assert_error(read_train(train_with(5, "\"5")), malformed, &parts);
}

#[test]
fn shows_only_the_beginning_of_a_long_field() {
    let found = format!("found \"{}...\"", "9".repeat(24));
    assert_refuses_pixel(&"9".repeat(1000), &found);
}

#[test]
fn refuses_a_line_without_end() {
    for period in ENDLESS_PERIODS {
        let mut reader = Endless { period, read: 0 };
        let parts = ["line 1:", "at most 65536 bytes", "found a longer one"];
        assert_error(kaggle::read_train(&mut reader), malformed, &parts);
        assert!(reader.read <= 128 << 10, "{} bytes were read", reader.read);

        let text = train();
        let mut reader = Endless { period, read: 0 };
        let result = kaggle::read_train(text.as_bytes().chain(&mut reader));
        assert_error(result, malformed, &["line 3:", "found a longer one"]);
        assert!(reader.read <= 128 << 10, "{} bytes were read", reader.read);
    }
    let result = kaggle::read_test(io::repeat(b'1'));
    assert_error(result, malformed, &["found a longer one"]);
}

/// Line breaks within quotes do not end a row.
#[test]
fn refuses_a_quoted_field_without_end() {
    let text = train() + "\"";
    let mut reader = Endless { period: b"1\n", read: 0 };
    let result = kaggle::read_train(text.as_bytes().chain(&mut reader));
    assert_error(result, malformed, &["line 3:", "found a longer one"]);
    assert!(reader.read <= 128 << 10, "{} bytes were read", reader.read);
}

/// The limit is on each row: together they may have any length.
#[test]
fn reads_long_rows_to_the_limit() {
    // Leading zeros make the row as long as it may be, with its line break.
    let zeros = (1 << 16) - 1 - fields().join(",").len();
    let row = |zeros| format!("{}{}\n", "0".repeat(zeros), fields().join(","));
    let text = header(true) + "\n" + &row(zeros).repeat(5);
    assert_eq!(read_train(text).unwrap().labels(), [7; 5]);
    // What the reader has read ahead may come on top of the limit.
    let text = header(true) + "\n" + &row(zeros + (16 << 10)).repeat(5);
    assert_error(read_train(text), malformed, &["line 2:", "at most 65536 bytes"]);
}

#[test]
fn errors_of_files_have_the_path() {
    let folder = empty_folder("kaggle-paths");
    let path = folder.join("train.csv");
    let shown = path.display().to_string();
    assert_error(
        kaggle::load_train(&path),
        |error| matches!(error, Error::File { source, .. } if io_error(source)),
        &[&shown],
    );
    assert_error(
        kaggle::load_test(&folder),
        |error| matches!(error, Error::File { source, .. } if io_error(source)),
        &[&folder.display().to_string()],
    );
    fs::write(&path, train_with(3, "256")).unwrap();
    assert_error(
        kaggle::load_train(&path),
        |error| matches!(error, Error::File { source, .. } if malformed(source)),
        &[&shown, "line 2, column 4:"],
    );
    fs::write(&path, train()).unwrap();
    assert_eq!(kaggle::load_train(&path).unwrap().labels(), [7]);
    fs::write(&path, test()).unwrap();
    assert_eq!(kaggle::load_test(&path).unwrap().len(), 1);
}

#[test]
fn writes_a_submission() {
    let mut file = Vec::new();
    kaggle::write_submission(&mut file, &[2, 0, 9]).unwrap();
    assert_eq!(file, b"ImageId,Label\n1,2\n2,0\n3,9\n");

    let path = empty_folder("submission").join("submission.csv");
    kaggle::save_submission(&path, &[1; 3]).unwrap();
    kaggle::save_submission(&path, &[2, 0, 9]).unwrap();
    assert_eq!(fs::read(path).unwrap(), file);
}

#[test]
fn a_bad_submission_leaves_the_file_as_it_was() {
    let mut file = Vec::new();
    let result = kaggle::write_submission(&mut file, &[2, 10]);
    assert_error(result, mismatch, &["0 to 9", "10 at index 1"]);
    assert_eq!(file, b"");

    let folder = empty_folder("bad-submission");
    let path = folder.join("submission.csv");
    kaggle::save_submission(&path, &[5]).unwrap();
    assert_error(
        kaggle::save_submission(&path, &[2, 10]),
        |error| matches!(error, Error::File { source, .. } if mismatch(source)),
        &["submission.csv"],
    );
    assert_eq!(fs::read(path).unwrap(), b"ImageId,Label\n1,5\n");
    assert_eq!(fs::read_dir(folder).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn a_failing_writer_is_an_error() {
    let mut full = [0; 10];
    assert_error(kaggle::write_submission(full.as_mut_slice(), &[1]), io_error, &[]);
}

proptest! {
    /// Whatever comes, there is an answer.
    #[test]
    fn never_panics(text: Vec<u8>) {
        let _ = read_train(&text);
        let _ = read_test([header(false).as_bytes(), b"\n", &text].concat());
    }
}
