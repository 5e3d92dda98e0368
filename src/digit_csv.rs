//! A [`DigitImage`] as one row of CSV: 784 values from 0 (paper) to 1 (ink),
//! separated by commas, without a header.
//!
//! Values are written in the shortest form that reads back as the same `f32`.
//! The reader also takes exponents (`1e-2`), so
//! `numpy.savetxt(path, digit.reshape(1, 784), delimiter=",")` writes a file
//! for it. It refuses a row above 64 KiB, as [`kaggle`](crate::kaggle) does, and
//! uses at most 4 MiB.

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use crate::atomic_file;
use crate::csv_rows::CsvRows;
use crate::digit_image::{DigitImage, PIXELS};
use crate::error::{Error, Format, Result};

impl DigitImage {
    /// Writes the pixels as one row of CSV.
    ///
    /// # Errors
    /// [`Error::Io`] if the writer fails.
    pub fn write_csv(&self, mut writer: impl Write) -> Result<()> {
        let mut row = Vec::new();
        for (index, pixel) in self.pixels().iter().enumerate() {
            let separator = if index == 0 { "" } else { "," };
            write!(row, "{separator}{pixel}")?;
        }
        row.push(b'\n');
        writer.write_all(&row)?;
        Ok(writer.flush()?)
    }

    /// Reads the pixels from one row of CSV.
    ///
    /// # Errors
    /// - [`Error::Malformed`] if there is not one row of 784 numbers from 0 to
    ///   1, or the row is too long.
    /// - [`Error::Io`] if the reader fails.
    ///
    /// ```
    /// use digit_recognizer::DigitImage;
    ///
    /// let image = DigitImage::from_bytes(&[51; 784]);
    /// let mut row = Vec::new();
    /// image.write_csv(&mut row)?;
    /// assert!(row.starts_with(b"0.2,0.2,"));
    /// assert_eq!(DigitImage::read_csv(row.as_slice())?, image);
    /// # Ok::<(), digit_recognizer::Error>(())
    /// ```
    pub fn read_csv(reader: impl Read) -> Result<Self> {
        let expected = || format!("one row of {PIXELS} values");
        let mut rows = CsvRows::new(Format("digit CSV"), reader)?;
        let Some(row) = rows.next()? else {
            return Err(rows.malformed(expected(), "the end of the file".to_owned()));
        };
        let count = row.fields.len();
        if count != PIXELS {
            return Err(rows.malformed(expected(), format!("{count} values")));
        }
        let mut pixels = [0.0; PIXELS];
        for (column, (pixel, field)) in pixels.iter_mut().zip(row.fields).enumerate() {
            *pixel =
                parse_pixel(field).ok_or_else(|| row.malformed(column, "a number from 0 to 1"))?;
        }
        if rows.next()?.is_some() {
            return Err(rows.malformed(expected(), "another row".to_owned()));
        }
        Self::from_pixels(&pixels)
    }

    /// Saves the pixels as one row of CSV to this path, whole or not at all.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be written, in an [`Error::File`] with
    /// the path.
    pub fn save_csv(&self, path: impl AsRef<Path>) -> Result<()> {
        atomic_file::save(path.as_ref(), |file| self.write_csv(file))
    }

    /// Loads the pixels from a file with one row of CSV.
    ///
    /// # Errors
    /// Those of [`read_csv`](Self::read_csv), in an [`Error::File`] with the path.
    pub fn load_csv(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        File::open(path)
            .map_err(Error::from)
            .and_then(Self::read_csv)
            .map_err(|error| error.in_file(path))
    }
}

/// The number from 0 to 1 that the field writes; NaN is not one.
fn parse_pixel(field: &[u8]) -> Option<f32> {
    let value: f32 = std::str::from_utf8(field).ok()?.parse().ok()?;
    (0.0..=1.0).contains(&value).then_some(value)
}
