//! Labelled images in memory, one byte a pixel.
//!
//! The readers of the files that datasets come in fill these types:
//! [`idx`](crate::idx) for MNIST's own files, `kaggle` for the CSV of Kaggle's
//! Digit Recognizer, and [`unipen`](crate::unipen) for pen strokes, which it draws.

use std::ops::Range;

use crate::error::{Error, Result};

/// The label of an image that shows no class, such as a letter or a scribble.
///
/// [Training](crate::train) answers it with the same probability for each class;
/// [`outliers`](crate::outliers::outliers) draws such images. What measures a
/// network refuses it. In a network of 256 classes it is the last one's label, and
/// nothing else.
pub const NO_CLASS: u8 = 255;

/// Pictures of one size, one byte a pixel: 0 for paper, 255 for ink.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Images {
    rows: usize,
    cols: usize,
    pixels: Vec<u8>,
}

impl Images {
    /// Pictures of `rows` × `cols` pixels, one after the other, each row by row.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if `rows` or `cols` is 0, or `pixels` is not a whole
    /// number of pictures.
    pub fn new(rows: usize, cols: usize, pixels: Vec<u8>) -> Result<Self> {
        match rows.checked_mul(cols) {
            Some(size) if size > 0 && pixels.len().is_multiple_of(size) => {
                Ok(Self { rows, cols, pixels })
            }
            _ => Err(Error::Mismatch {
                what: "pixels of the images",
                expected: format!("a multiple of {rows} x {cols}, neither of them 0"),
                found: format!("{} pixels", pixels.len()),
            }),
        }
    }

    /// How many pictures.
    pub fn len(&self) -> usize {
        self.pixels.len() / self.image_len()
    }

    /// Whether there is no picture.
    pub fn is_empty(&self) -> bool {
        self.pixels.is_empty()
    }

    /// Rows of each picture.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns of each picture.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Pixels of each picture: rows × columns.
    pub fn image_len(&self) -> usize {
        self.rows * self.cols
    }

    /// The pixels of image `index`, row by row.
    ///
    /// # Panics
    /// If `index >= self.len()`.
    pub fn image(&self, index: usize) -> &[u8] {
        let len = self.image_len();
        &self.pixels[index * len..][..len]
    }

    /// All pixels, picture after picture.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The pictures in `range`, copied.
    ///
    /// # Panics
    /// If `range` reaches past the last picture.
    pub fn slice(&self, range: Range<usize>) -> Self {
        let len = self.image_len();
        let pixels = self.pixels[range.start * len..range.end * len].to_vec();
        Self { rows: self.rows, cols: self.cols, pixels }
    }
}

/// Images and the digit that each shows, or [`NO_CLASS`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    images: Images,
    labels: Vec<u8>,
}

impl Dataset {
    /// Joins images and labels, which are in the same order.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if there are not as many labels as images.
    pub fn new(images: Images, labels: Vec<u8>) -> Result<Self> {
        if images.len() == labels.len() {
            Ok(Self { images, labels })
        } else {
            Err(Error::Mismatch {
                what: "labels for the images",
                expected: format!("{} labels", images.len()),
                found: format!("{} labels", labels.len()),
            })
        }
    }

    /// How many labelled images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The images.
    pub fn images(&self) -> &Images {
        &self.images
    }

    /// The labels, in the images' order.
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// The labelled images in `range`, copied.
    ///
    /// # Panics
    /// If `range` reaches past the last image.
    pub fn slice(&self, range: Range<usize>) -> Self {
        Self { images: self.images.slice(range.clone()), labels: self.labels[range].to_vec() }
    }

    /// Adds copies of the other's labelled images behind these.
    ///
    /// # Errors
    /// [`Error::Mismatch`] if the images are of another size; nothing is added.
    ///
    /// ```
    /// use digit_recognizer::{Dataset, Images};
    ///
    /// let mut dataset = Dataset::new(Images::new(1, 2, vec![10, 20])?, vec![7])?;
    /// dataset.extend(&Dataset::new(Images::new(1, 2, vec![30, 40])?, vec![3])?)?;
    /// assert_eq!((dataset.images().image(1), dataset.labels()), (&[30, 40][..], &[7, 3][..]));
    /// # Ok::<(), digit_recognizer::Error>(())
    /// ```
    pub fn extend(&mut self, other: &Self) -> Result<()> {
        let (ours, others) = (&mut self.images, &other.images);
        if (ours.rows, ours.cols) != (others.rows, others.cols) {
            return Err(Error::Mismatch {
                what: "size of the images to add",
                expected: format!("{} x {} pixels", ours.rows, ours.cols),
                found: format!("{} x {} pixels", others.rows, others.cols),
            });
        }
        ours.pixels.extend_from_slice(&others.pixels);
        self.labels.extend_from_slice(&other.labels);
        Ok(())
    }
}
