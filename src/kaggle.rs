//! The CSV files of Kaggle's "Digit Recognizer" competition.
//!
//! | file | header | each row |
//! |---|---|---|
//! | `train.csv` | `label,pixel0,...,pixel783` | the digit, then 784 pixels |
//! | `test.csv` | `pixel0,...,pixel783` | 784 pixels |
//! | submission | `ImageId,Label` | the image's number from 1, the digit |
//!
//! Pixels are integers from 0 (paper) to 255 (ink), row by row of a 28×28
//! picture. The readers accept quotes, CRLF, a byte-order mark and a last line
//! without its end; they refuse rows above 64 KiB, so that a file without line
//! breaks cannot fill the memory, of which they use at most four times the bytes
//! that were read, and 4 MiB. Errors count lines (blank ones left out) and
//! columns from 1.
//!
//! Source: <https://www.kaggle.com/competitions/digit-recognizer/data>.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use crate::atomic_file;
use crate::csv_rows::{CsvRows, Row};
use crate::dataset::{Dataset, Images};
use crate::digit_image::{PIXELS, SIDE};
use crate::error::{Error, Format, Result};

const FORMAT: Format = Format("Kaggle CSV");

/// Reads `train.csv`: images and their labels.
///
/// # Errors
/// - [`Error::Malformed`] if the header is another one, a row has not 785
///   columns, a value is no integer of its range, a row is too long, or there
///   is no row after the header: a file with nothing to learn from was cut.
/// - [`Error::Io`] if the reader fails.
///
/// ```
/// use std::fmt::Write;
///
/// let mut file = String::from("label");
/// for index in 0..784 {
///     write!(file, ",pixel{index}")?;
/// }
/// file += "\n7";
/// file += &",255".repeat(784);
/// let dataset = digit_recognizer::kaggle::read_train(file.as_bytes())?;
/// assert_eq!(dataset.labels(), [7]);
/// assert_eq!(dataset.images().image(0), [255; 784]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_train(reader: impl Read) -> Result<Dataset> {
    let (labels, images) = read(reader, &TRAIN)?;
    Dataset::new(images, labels)
}

/// Reads `test.csv`: images without labels.
///
/// # Errors
/// As [`read_train`], for 784 columns.
///
/// ```
/// let header: Vec<_> = (0..784).map(|index| format!("pixel{index}")).collect();
/// let row = vec!["0"; 784];
/// let file = header.join(",") + "\n" + &row.join(",");
/// let images = digit_recognizer::kaggle::read_test(file.as_bytes())?;
/// assert_eq!((images.len(), images.rows(), images.cols()), (1, 28, 28));
/// # Ok::<(), digit_recognizer::Error>(())
/// ```
pub fn read_test(reader: impl Read) -> Result<Images> {
    Ok(read(reader, &TEST)?.1)
}

/// Loads `train.csv` from this path.
///
/// # Errors
/// Those of [`read_train`], in an [`Error::File`] with the path.
pub fn load_train(path: impl AsRef<Path>) -> Result<Dataset> {
    load(path.as_ref(), read_train)
}

/// Loads `test.csv` from this path.
///
/// # Errors
/// Those of [`read_test`], in an [`Error::File`] with the path.
pub fn load_test(path: impl AsRef<Path>) -> Result<Images> {
    load(path.as_ref(), read_test)
}

/// Writes a submission: the label of each image of `test.csv`, in its order.
///
/// # Errors
/// - [`Error::Mismatch`] if a label is above 9; nothing is written.
/// - [`Error::Io`] if the writer fails.
///
/// ```
/// let mut file = Vec::new();
/// digit_recognizer::kaggle::write_submission(&mut file, &[2, 0])?;
/// assert_eq!(file, b"ImageId,Label\n1,2\n2,0\n");
/// # Ok::<(), digit_recognizer::Error>(())
/// ```
pub fn write_submission(mut writer: impl Write, labels: &[u8]) -> Result<()> {
    if let Some(index) = labels.iter().position(|&label| label > 9) {
        return Err(Error::Mismatch {
            what: "labels of the submission",
            expected: "digits from 0 to 9".to_owned(),
            found: format!("{} at index {index}", labels[index]),
        });
    }
    let mut text = b"ImageId,Label\n".to_vec();
    for (index, label) in labels.iter().enumerate() {
        writeln!(text, "{},{label}", index + 1)?;
    }
    writer.write_all(&text)?;
    Ok(writer.flush()?)
}

/// Saves a submission to this path, whole or not at all.
///
/// # Errors
/// Those of [`write_submission`], in an [`Error::File`] with the path.
pub fn save_submission(path: impl AsRef<Path>, labels: &[u8]) -> Result<()> {
    atomic_file::save(path.as_ref(), |file| write_submission(file, labels))
}

/// The columns of a file: labels, then pixels.
struct Layout {
    label_columns: usize,
    /// What is expected of a row's width.
    columns: &'static str,
    other_columns: usize,
    /// The file that has the other number of columns.
    other_file: &'static str,
}

const TRAIN: Layout = Layout {
    label_columns: 1,
    columns: "785 columns (label, pixel0 to pixel783)",
    other_columns: PIXELS,
    other_file: "test.csv",
};

const TEST: Layout = Layout {
    label_columns: 0,
    columns: "784 columns (pixel0 to pixel783)",
    other_columns: 1 + PIXELS,
    other_file: "train.csv",
};

impl Layout {
    fn check_width(&self, row: &Row<'_>) -> Result<()> {
        let found = row.fields.len();
        if found == self.label_columns + PIXELS {
            return Ok(());
        }
        let hint = if found == self.other_columns {
            format!(", as in the competition's {}", self.other_file)
        } else {
            String::new()
        };
        Err(FORMAT.malformed(format!("line {}", row.line), self.columns, format!("{found}{hint}")))
    }

    /// The columns' names fix their order, so they must be these.
    fn check_header(&self, row: &Row<'_>) -> Result<()> {
        self.check_width(row)?;
        let pixels = (0..PIXELS).map(|index| format!("pixel{index}"));
        let names = std::iter::repeat_n("label".to_owned(), self.label_columns).chain(pixels);
        for (column, name) in names.enumerate() {
            if &row.fields[column] != name.as_bytes() {
                return Err(row.malformed(column, &format!("the name {name}")));
            }
        }
        Ok(())
    }
}

/// The labels, where the layout has them, and the images.
fn read(reader: impl Read, layout: &Layout) -> Result<(Vec<u8>, Images)> {
    let mut rows = CsvRows::new(FORMAT, reader)?;
    match rows.next()? {
        Some(header) => layout.check_header(&header)?,
        None => {
            let expected = format!("a header of {}", layout.columns);
            return Err(rows.malformed(expected, "the end of the file".to_owned()));
        }
    }

    let mut labels = Vec::new();
    let mut pixels = Vec::new();
    while let Some(row) = rows.next()? {
        layout.check_width(&row)?;
        for (column, field) in row.fields.iter().enumerate() {
            let value = parse_byte(field);
            if column < layout.label_columns {
                match value {
                    Some(label @ 0..=9) => labels.push(label),
                    _ => return Err(row.malformed(column, "a digit from 0 to 9")),
                }
            } else {
                match value {
                    Some(pixel) => pixels.push(pixel),
                    None => return Err(row.malformed(column, "an integer from 0 to 255")),
                }
            }
        }
    }
    if pixels.is_empty() {
        let expected = format!("a row of {}", layout.columns);
        return Err(rows.malformed(expected, "the end of the file".to_owned()));
    }
    Ok((labels, Images::new(SIDE, SIDE, pixels)?))
}

/// The number from 0 to 255 that these decimal digits write.
fn parse_byte(field: &[u8]) -> Option<u8> {
    let (first, rest) = field.split_first()?;
    rest.iter().try_fold(decimal_digit(*first)?, |value, &byte| {
        value.checked_mul(10)?.checked_add(decimal_digit(byte)?)
    })
}

fn decimal_digit(byte: u8) -> Option<u8> {
    byte.is_ascii_digit().then(|| byte - b'0')
}

fn load<T>(path: &Path, read: impl FnOnce(File) -> Result<T>) -> Result<T> {
    File::open(path).map_err(Error::from).and_then(read).map_err(|error| error.in_file(path))
}
