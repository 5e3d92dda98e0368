//! UNIPEN: the text in which pen strokes are exchanged.
//!
//! What is read is the part that collections of single digits use, such as
//! UCI's *Pen-Based Recognition of Handwritten Digits* (its original files, not
//! the normalised ones). A line whose first character is a dot is a statement:
//!
//! | statement | what |
//! |---|---|
//! | `.SEGMENT DIGIT 27-28 ? "5"` | a digit begins: the numbers of its strokes, a quality, and its label in quotes |
//! | `.COMMENT 5 11 151` | in a segment, once: label, writer, number of the sample |
//! | `.PEN_DOWN` | a stroke begins: then one `x y` a line, y upwards |
//! | `.PEN_UP` | the stroke ends |
//! | `.DT 100` | time between strokes; passed over |
//! | any other | passed over, with the lines up to the next statement |
//!
//! Lines end in LF or CRLF; spaces around them and empty lines mean nothing. A
//! gzipped file is known by its first two bytes, `1f 8b`, and needs the cargo
//! feature `gzip`.
//!
//! Memory is at most eight times the bytes that were read (of gzipped data, those
//! that were unpacked), and 2 MiB: a line has at most 65,536 bytes and a digit at
//! most as many points, and nothing is reserved because the file announces it.
//!
//! # Source
//! Guyon, Schomaker, Plamondon, Liberman, Janet, *UNIPEN project of on-line data
//! exchange and recognizer benchmarks* (ICPR 1994).

mod segment;

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use crate::dataset::{Dataset, Images};
use crate::digit_image::SIDE;
use crate::error::{Error, Format, Result};
use crate::gzip;
use crate::strokes::Strokes;
use crate::unipen::segment::{Line, Segment};

const FORMAT: Format = Format("UNIPEN");

/// The longest line in bytes, which bounds the memory.
const LINE_LIMIT: usize = 1 << 16;

/// A digit as a pen drew it, what it shows, and who drew it.
#[derive(Debug, Clone, PartialEq)]
pub struct PenDigit {
    /// The digit, 0 to 9.
    pub label: u8,
    /// The number of the writer in the collection.
    pub writer: u32,
    /// What the pen drew; y downwards.
    pub strokes: Strokes,
}

/// Reads the digits of a UNIPEN file, in its order.
///
/// # Errors
/// - [`Error::Malformed`] with the number of the line, if a statement is not as
///   the [table](self) says, a line is too long, a point is outside a stroke or
///   not two numbers, a digit has not the strokes it announces, no comment or
///   another label in it, or there is no digit at all.
/// - [`Error::Unsupported`] if the data is gzipped and the feature `gzip` is off.
/// - [`Error::Io`] if the reader fails.
///
/// ```
/// use digit_recognizer::unipen;
///
/// let text = b".SEGMENT DIGIT 0 ? \"1\"\n.COMMENT 1 12 224\n.PEN_DOWN\n 5 90\n 5 10\n.PEN_UP\n";
/// let digits = unipen::read(text.as_slice())?;
/// assert_eq!((digits[0].label, digits[0].writer), (1, 12));
/// assert_eq!(digits[0].strokes.as_slice(), [[(5.0, -90.0), (5.0, -10.0)]]);
/// # Ok::<(), digit_recognizer::Error>(())
/// ```
pub fn read(reader: impl Read) -> Result<Vec<PenDigit>> {
    gzip::read(FORMAT, reader, |reader| read_text(BufReader::new(reader)))
}

/// Loads the digits of a UNIPEN file, plain or gzipped.
///
/// # Errors
/// [`Error::Io`] if the file cannot be opened and those of [`read`], in an
/// [`Error::File`] with the path.
///
/// ```
/// use digit_recognizer::{Dataset, unipen};
///
/// let digits = unipen::load("fixtures/digits.unipen")?;
/// // Train on the digits of some writers, and validate on those of others.
/// let training = unipen::dataset(digits.iter().filter(|digit| digit.writer != 2), &[2.0, 3.0])?;
/// let validation = unipen::dataset(digits.iter().filter(|digit| digit.writer == 2), &[2.5])?;
/// assert_eq!((digits.len(), training.len(), validation.len()), (4, 6, 1));
/// # Ok::<(), digit_recognizer::Error>(())
/// ```
pub fn load(path: impl AsRef<Path>) -> Result<Vec<PenDigit>> {
    let path = path.as_ref();
    File::open(path).map_err(Error::from).and_then(read).map_err(|error| error.in_file(path))
}

/// Draws each digit once with each of the pens: the first digit with all of
/// them, then the second. The widths are in pixels, as
/// [`Strokes::draw`] takes them.
///
/// # Errors
/// [`Error::InvalidConfig`] if a width is not from 1 to 10.
pub fn dataset<'a>(
    digits: impl IntoIterator<Item = &'a PenDigit>,
    pen_widths: &[f32],
) -> Result<Dataset> {
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for digit in digits {
        for &pen_width in pen_widths {
            let image = digit.strokes.draw(pen_width)?;
            // Ink is within 0..=1, so the rounded value is a byte.
            pixels.extend(image.pixels().map(|ink| (255.0 * ink + 0.5) as u8));
            labels.push(digit.label);
        }
    }
    Dataset::new(Images::new(SIDE, SIDE, pixels)?, labels)
}

/// What a line that is no statement belongs to.
enum Within {
    /// A statement that has no further lines.
    Nothing,
    /// The stroke that began last.
    Stroke,
    /// A statement that is passed over.
    Other,
}

fn read_text(mut reader: impl BufRead) -> Result<Vec<PenDigit>> {
    let mut digits = Vec::new();
    let mut segment: Option<Segment> = None;
    let mut within = Within::Nothing;
    let mut bytes = Vec::new();
    let mut number = 0;
    loop {
        number += 1;
        bytes.clear();
        reader.by_ref().take(LINE_LIMIT as u64 + 1).read_until(b'\n', &mut bytes)?;
        if bytes.len() > LINE_LIMIT {
            let expected = format!("at most {LINE_LIMIT} bytes");
            return Err(malformed(number, expected, "a longer line".to_owned()));
        }
        if bytes.is_empty() {
            break;
        }
        let line = Line::new(number, &bytes);
        let [first, rest @ ..] = line.words.as_slice() else { continue };
        if matches!(within, Within::Stroke) && first.starts_with(b".") && *first != b".PEN_UP" {
            return Err(line.malformed("a point or .PEN_UP"));
        }
        if matches!(*first, b".PEN_DOWN" | b".PEN_UP") && !rest.is_empty() {
            return Err(line.malformed("the statement alone"));
        }
        match (*first, &mut segment) {
            (b".SEGMENT", _) => {
                let ended = segment.replace(Segment::new(&line, rest)?);
                digits.extend(ended.map(Segment::end).transpose()?);
                within = Within::Nothing;
            }
            (b".COMMENT", Some(segment)) => {
                segment.comment(&line, rest)?;
                within = Within::Nothing;
            }
            (b".PEN_DOWN", Some(segment)) => {
                segment.pen_down();
                within = Within::Stroke;
            }
            (b".PEN_UP", Some(segment)) if matches!(within, Within::Stroke) => {
                segment.pen_up(&line)?;
                within = Within::Nothing;
            }
            (b".PEN_DOWN", None) => return Err(line.malformed("a .SEGMENT before it")),
            (b".PEN_UP", _) => return Err(line.malformed("a .PEN_DOWN before it")),
            (b".DT", _) => within = Within::Nothing,
            ([b'.', ..], _) => within = Within::Other,
            (_, segment) => match (&within, segment) {
                (Within::Stroke, Some(segment)) => segment.point(&line)?,
                (Within::Other, _) => {}
                _ => return Err(line.malformed("a statement, which begins with a dot")),
            },
        }
    }
    if matches!(within, Within::Stroke) {
        return Err(malformed(number, "a point or .PEN_UP", "the end of the file".to_owned()));
    }
    digits.extend(segment.map(Segment::end).transpose()?);
    if digits.is_empty() {
        return Err(malformed(number, "a .SEGMENT", "the end of the file".to_owned()));
    }
    Ok(digits)
}

fn malformed(line: usize, expected: impl Into<String>, found: String) -> Error {
    FORMAT.malformed(format!("line {line}"), expected, found)
}
