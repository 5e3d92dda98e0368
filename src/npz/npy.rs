//! One array in NumPy's NPY format, the content of a member.
//!
//! | bytes | content |
//! |---|---|
//! | 6 | the magic `\x93NUMPY` |
//! | 2 | version: major 1, 2 or 3, minor 0 |
//! | 2, or 4 from version 2 on | the header's length, little-endian |
//! | that many | the [`Header`] as text |
//! | the rest | the elements |

use std::io::{self, Read};

use byteorder::{BigEndian, ByteOrder, LittleEndian};

use super::FORMAT;
use super::header::Header;
use crate::error::{Error, Result};
use crate::matrix::Matrix;

const MAGIC: &[u8; 6] = b"\x93NUMPY";

/// NumPy's own limit: longer ones are not safe for its parser.
const MAX_HEADER_LEN: u32 = 10_000;

/// The length of the headers that are written. With it the elements start at
/// byte 128, aligned as the format asks, and any two sizes fit.
const HEADER_LEN: u16 = 118;

/// The member in which an error is met.
#[derive(Debug, Clone, Copy)]
pub(super) struct Member<'a>(pub(super) &'a str);

impl Member<'_> {
    pub(super) fn malformed(self, expected: impl Into<String>, found: impl Into<String>) -> Error {
        FORMAT.malformed(self.0, expected, found)
    }

    pub(super) fn unsupported(
        self,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Error {
        FORMAT.unsupported(self.0, expected, found)
    }

    /// What the archive's reader says about the member's data. It is all in
    /// memory, so that this is never a failure of the outside.
    fn unreadable(self, error: io::Error) -> Error {
        self.malformed("data of the size and CRC that the archive states", error.to_string())
    }
}

/// An array of one or two dimensions, in C order.
#[derive(Debug)]
pub(super) struct Array {
    shape: Vec<usize>,
    values: Vec<f32>,
}

impl Array {
    pub(super) fn len(&self) -> usize {
        self.values.len()
    }

    /// A weight matrix.
    pub(super) fn into_matrix(self, member: Member<'_>) -> Result<Matrix> {
        match self.shape[..] {
            [rows, cols] => Ok(Matrix::from_vec(rows, cols, self.values)),
            _ => Err(member.unsupported("two dimensions", format!("shape {:?}", self.shape))),
        }
    }

    /// A bias, as (n,), (n, 1) or (1, n).
    pub(super) fn into_vector(self, member: Member<'_>) -> Result<Vec<f32>> {
        match self.shape[..] {
            [_] | [_, 1] | [1, _] => Ok(self.values),
            _ => Err(member
                .unsupported("shape [n], [n, 1] or [1, n]", format!("shape {:?}", self.shape))),
        }
    }
}

/// Reads an array of at most `limit` elements, and of `reader` no more than one
/// byte after them.
pub(super) fn read(mut reader: impl Read, member: Member<'_>, limit: usize) -> Result<Array> {
    let text = read_header(&mut reader, member)?;
    let Some(header) = Header::parse(&text) else {
        let expected = "a header {'descr': …, 'fortran_order': …, 'shape': …}";
        return Err(member.malformed(expected, format!("{:?}", text.trim_ascii_end())));
    };
    let (size, decode) = element_type(&header, member)?;
    let count = element_count(&header.shape, member, limit)?;

    let len = count * size;
    let mut data = Vec::new();
    reader.take(len as u64 + 1).read_to_end(&mut data).map_err(|error| member.unreadable(error))?;
    if data.len() != len {
        let expected = format!("{len} bytes for shape {:?} of {}", header.shape, header.descr);
        let found = if data.len() > len { "more".to_owned() } else { data.len().to_string() };
        return Err(member.malformed(expected, found));
    }
    let values: Vec<f32> = data.chunks_exact(size).map(decode).collect();
    if let Some(index) = values.iter().position(|value| !value.is_finite()) {
        return Err(Error::Mismatch {
            what: "the numbers of a network",
            expected: "finite, as f32".to_owned(),
            found: format!("{} in {} at element {index}", values[index], member.0),
        });
    }
    Ok(match header.shape[..] {
        [rows, cols] if header.fortran_order => {
            let values = Matrix::from_vec(cols, rows, values).transposed();
            Array { shape: header.shape, values: values.as_slice().to_vec() }
        }
        _ => Array { shape: header.shape, values },
    })
}

/// An array of shape (rows, cols), as `np.save` writes `float64` in C order.
///
/// # Panics
/// If `values` has not `rows` × `cols` elements.
pub(super) fn encode(rows: usize, cols: usize, values: &[f32]) -> Vec<u8> {
    assert_eq!(values.len(), rows * cols, "elements of a {rows} x {cols} array");
    let dictionary =
        format!("{{'descr': '<f8', 'fortran_order': False, 'shape': ({rows}, {cols}), }}");
    let padded = usize::from(HEADER_LEN) - 1;
    let mut bytes = Vec::with_capacity(128 + 8 * values.len());
    bytes.extend(MAGIC);
    bytes.extend([1, 0]);
    bytes.extend(HEADER_LEN.to_le_bytes());
    bytes.extend(format!("{dictionary:<padded$}\n").bytes());
    bytes.extend(values.iter().flat_map(|&value| f64::from(value).to_le_bytes()));
    bytes
}

/// Reads what comes before the elements, and gives the header's text.
fn read_header(reader: &mut impl Read, member: Member<'_>) -> Result<String> {
    let mut read =
        |bytes: &mut [u8]| reader.read_exact(bytes).map_err(|error| member.unreadable(error));
    let mut start = [0; 8];
    read(&mut start)?;
    if !start.starts_with(MAGIC) {
        let found = format!("\"{}\"", start[..6].escape_ascii());
        return Err(member.malformed("the magic \"\\x93NUMPY\"", found));
    }
    let mut len = [0; 4];
    match start[6..] {
        [1, 0] => read(&mut len[..2])?,
        [2 | 3, 0] => read(&mut len)?,
        _ => {
            let found = format!("{}.{}", start[6], start[7]);
            return Err(member.unsupported("NPY version 1.0, 2.0 or 3.0", found));
        }
    }
    let len = u32::from_le_bytes(len);
    if len > MAX_HEADER_LEN {
        let expected = format!("a header of at most {MAX_HEADER_LEN} bytes");
        return Err(member.unsupported(expected, len.to_string()));
    }
    let mut text = vec![0; len as usize];
    read(&mut text)?;
    // Only the field names of a structured type, which is refused, need more
    // than ASCII, so that the encoding does not matter.
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// The number of elements, at least 1 and at most `limit`.
fn element_count(shape: &[usize], member: Member<'_>, limit: usize) -> Result<usize> {
    if !matches!(shape.len(), 1 | 2) || shape.contains(&0) {
        let expected = "one or two dimensions, none of them 0";
        return Err(member.unsupported(expected, format!("shape {shape:?}")));
    }
    let count = shape.iter().try_fold(1_usize, |count, &size| count.checked_mul(size));
    count.filter(|&count| count <= limit).ok_or_else(|| {
        let expected = format!("at most {limit} elements, of which the members before left room");
        member.unsupported(expected, format!("shape {shape:?}"))
    })
}

/// The bytes of an element, and its value. An integer or `float64` is rounded
/// to the nearest `f32`; beyond the largest, it becomes infinity.
type ElementType = (usize, fn(&[u8]) -> f32);

fn element_type(header: &Header<'_>, member: Member<'_>) -> Result<ElementType> {
    let descr = header.descr;
    let known = match descr.split_at_checked(1) {
        Some(("<", code)) => numbers::<LittleEndian>(code),
        Some((">", code)) => numbers::<BigEndian>(code),
        // A single byte has no byte order.
        Some(("|", code @ ("i1" | "u1"))) => numbers::<LittleEndian>(code),
        _ => None,
    };
    known.ok_or_else(|| {
        let found = match descr {
            "[" => "a structured type".to_owned(),
            "|O" => "objects, '|O', which are a pickle and could run code".to_owned(),
            _ => format!("'{descr}'"),
        };
        member.unsupported("elements of type f2, f4, f8, i1 to i8 or u1 to u8", found)
    })
}

fn numbers<E: ByteOrder>(code: &str) -> Option<ElementType> {
    let element_type: ElementType = match code {
        "f8" => (8, |bytes| E::read_f64(bytes) as f32),
        "f4" => (4, |bytes| E::read_f32(bytes)),
        "f2" => (2, |bytes| half_to_f32(E::read_u16(bytes))),
        "i1" => (1, |bytes| f32::from(bytes[0] as i8)),
        "i2" => (2, |bytes| f32::from(E::read_i16(bytes))),
        "i4" => (4, |bytes| E::read_i32(bytes) as f32),
        "i8" => (8, |bytes| E::read_i64(bytes) as f32),
        "u1" => (1, |bytes| f32::from(bytes[0])),
        "u2" => (2, |bytes| f32::from(E::read_u16(bytes))),
        "u4" => (4, |bytes| E::read_u32(bytes) as f32),
        "u8" => (8, |bytes| E::read_u64(bytes) as f32),
        _ => return None,
    };
    Some(element_type)
}

/// A `float16`, which has 1 bit of sign, 5 of exponent and 10 of fraction.
///
/// # Source
/// IEEE 754-2019, section 3.4, binary16.
fn half_to_f32(bits: u16) -> f32 {
    let sign = u32::from(bits >> 15) << 31;
    let exponent = u32::from(bits >> 10) & 0x1f;
    let fraction = u32::from(bits & 0x3ff);
    let magnitude = match exponent {
        // Subnormal: the fraction counts steps of 2⁻²⁴.
        0 => (fraction as f32 / 16_777_216.0).to_bits(),
        31 => 0xff << 23 | fraction << 13,
        // The exponent's bias is 15 here and 127 in an f32.
        _ => (exponent + 127 - 15) << 23 | fraction << 13,
    };
    f32::from_bits(sign | magnitude)
}
