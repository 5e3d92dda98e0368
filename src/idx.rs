//! IDX: the format of MNIST's own files, plain or gzipped.
//!
//! | offset | size | what |
//! |---|---|---|
//! | 0 | 2 | zeros |
//! | 2 | 1 | type of the values: `08`, unsigned bytes |
//! | 3 | 1 | number of dimensions: `03` for images, `01` for labels |
//! | 4 | 4 × dimensions | size of each dimension: count, rows, columns; or count |
//! | then | product of the sizes | the values, the last dimension fastest |
//!
//! Numbers are big-endian. A gzipped file is known by its first two bytes,
//! `1f 8b`, and needs the cargo feature `gzip`.
//!
//! A header is never trusted with memory: the values are read as they come, up
//! to one byte more than the header announces. Memory is at most three times the
//! bytes that were read, and 256 KiB; of gzipped data, those that were unpacked,
//! and gzip packs at most 1,032 bytes into one.
//!
//! Source: LeCun, Cortes and Burges, *The MNIST database of handwritten
//! digits*, section "File formats".

use std::io::Read;

use crate::dataset::Images;
#[cfg(doc)]
use crate::error::Error;
use crate::error::{Format, Result};
use crate::gzip;

const FORMAT: Format = Format("IDX");

/// Reads images, such as MNIST's `train-images-idx3-ubyte`.
///
/// # Errors
/// - [`Error::Malformed`] if the header is wrong, or the data is shorter or
///   longer than it says.
/// - [`Error::Unsupported`] if the values are no unsigned bytes, there are not
///   three dimensions, or the data is gzipped and the feature `gzip` is off.
/// - [`Error::Mismatch`] if the images have no rows or no columns.
/// - [`Error::Io`] if the reader fails.
///
/// ```
/// // Two images of one row and two columns.
/// let file = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 10, 20, 30, 40];
/// let images = digit_recognizer::idx::read_images(file.as_slice())?;
/// assert_eq!((images.len(), images.rows(), images.cols()), (2, 1, 2));
/// assert_eq!(images.image(1), [30, 40]);
/// # Ok::<(), digit_recognizer::Error>(())
/// ```
pub fn read_images(reader: impl Read) -> Result<Images> {
    let ([_, rows, cols], pixels) = read_array(reader, ["image count", "rows", "columns"])?;
    Images::new(rows as usize, cols as usize, pixels)
}

/// Reads labels, such as MNIST's `train-labels-idx1-ubyte`: digits from 0 to 9.
///
/// # Errors
/// - [`Error::Malformed`] if the header is wrong, the data is shorter or longer
///   than it says, or a label is above 9.
/// - [`Error::Unsupported`] if the values are no unsigned bytes, there is not
///   one dimension, or the data is gzipped and the feature `gzip` is off.
/// - [`Error::Io`] if the reader fails.
///
/// ```
/// let file = [0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 4];
/// assert_eq!(digit_recognizer::idx::read_labels(file.as_slice())?, [5, 0, 4]);
/// # Ok::<(), digit_recognizer::Error>(())
/// ```
pub fn read_labels(reader: impl Read) -> Result<Vec<u8>> {
    let (_, labels) = read_array(reader, ["label count"])?;
    if let Some(index) = labels.iter().position(|&label| label > 9) {
        let at = format!("byte {} (label at index {index})", 8 + index);
        return Err(FORMAT.malformed(at, "a digit from 0 to 9", labels[index].to_string()));
    }
    Ok(labels)
}

/// Reads an array of unsigned bytes, plain or gzipped, whose dimensions have
/// these names: its sizes and its values.
fn read_array<const RANK: usize>(
    reader: impl Read,
    names: [&str; RANK],
) -> Result<([u32; RANK], Vec<u8>)> {
    gzip::read(FORMAT, reader, |reader| read_plain(reader, names))
}

fn read_plain<const RANK: usize>(
    mut reader: impl Read,
    names: [&str; RANK],
) -> Result<([u32; RANK], Vec<u8>)> {
    let magic = read_word(&mut reader, 0, "magic number")?;
    let [0, 0, value_type, rank] = magic else {
        let expected = format!("00 00 08 {RANK:02x}");
        return Err(FORMAT.malformed("byte 0 (magic number)", expected, format!("{magic:02x?}")));
    };
    if value_type != 8 {
        let expected = "08, unsigned bytes".to_owned();
        return Err(FORMAT.unsupported("byte 2 (type)", expected, format!("{value_type:02x}")));
    }
    if usize::from(rank) != RANK {
        let expected = format!("{RANK} ({})", names.join(", "));
        return Err(FORMAT.unsupported(
            "byte 3 (number of dimensions)",
            expected,
            rank.to_string(),
        ));
    }

    let mut sizes = [0; RANK];
    for (index, (size, name)) in sizes.iter_mut().zip(names).enumerate() {
        *size = u32::from_be_bytes(read_word(&mut reader, 4 + 4 * index, name)?);
    }
    let shape = sizes.map(|size| size.to_string()).join(" x ");
    let product = sizes.iter().try_fold(1_u64, |product, &size| product.checked_mul(size.into()));
    // One byte more than there should be shows that the data is too long.
    let Some((len, limit)) = product.and_then(|len| Some((len, len.checked_add(1)?))) else {
        return Err(FORMAT.malformed("byte 4 (sizes)", "a product of 64 bits", shape));
    };

    let mut values = Vec::new();
    reader.take(limit).read_to_end(&mut values)?;
    let found = match (values.len() as u64).cmp(&len) {
        std::cmp::Ordering::Equal => return Ok((sizes, values)),
        std::cmp::Ordering::Less => format!("the end after {}", values.len()),
        std::cmp::Ordering::Greater => "more".to_owned(),
    };
    let at = format!("byte {} (values)", 4 + 4 * RANK);
    Err(FORMAT.malformed(at, format!("{len} bytes ({shape})"), found))
}

/// Reads the four bytes of the header at this offset.
fn read_word(reader: &mut impl Read, offset: usize, name: &str) -> Result<[u8; 4]> {
    let mut word = Vec::new();
    reader.take(4).read_to_end(&mut word)?;
    word.try_into().map_err(|word: Vec<u8>| {
        let at = format!("byte {offset} ({name})");
        FORMAT.malformed(at, "4 bytes", format!("the end after {}", word.len()))
    })
}
