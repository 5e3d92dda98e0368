//! Rows of comma-separated values from an untrusted reader.

use std::io::{self, Read};

use csv::ByteRecord;

use crate::error::{Error, Format, Result, shown};

/// The longest row in bytes, which bounds the memory: three times one of 784
/// numbers in the 25 characters that NumPy writes by default.
const ROW_LIMIT: usize = 1 << 16;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads one row after the other: fields with or without quotes, LF or CRLF, a
/// byte-order mark or none. Blank lines are skipped.
pub(crate) struct CsvRows<R> {
    format: Format,
    reader: csv::Reader<Allowance<io::Chain<io::Cursor<Vec<u8>>, R>>>,
    record: ByteRecord,
    line: usize,
}

impl<R: Read> CsvRows<R> {
    /// `format` is the name that errors give.
    pub(crate) fn new(format: Format, mut reader: R) -> Result<Self> {
        // The csv crate takes the mark away only if the reader's first answer holds all of it.
        let mut start = Vec::new();
        reader.by_ref().take(BYTE_ORDER_MARK.len() as u64).read_to_end(&mut start)?;
        if start == BYTE_ORDER_MARK {
            start.clear();
        }
        let inner = io::Cursor::new(start).chain(reader);
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .from_reader(Allowance { inner, left: ROW_LIMIT, exhausted: false });
        Ok(Self { format, reader, record: ByteRecord::new(), line: 0 })
    }

    /// The next row, or `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Row<'_>>> {
        self.line += 1;
        self.reader.get_mut().left = ROW_LIMIT;
        let found = self.reader.read_byte_record(&mut self.record).map_err(|error| {
            match error.into_kind() {
                csv::ErrorKind::Io(error) => Error::Io(error),
                // Byte records of any length have no other error.
                kind => Error::Io(io::Error::other(format!("{kind:?}"))),
            }
        })?;
        if self.reader.get_ref().exhausted {
            let expected = format!("a row of at most {ROW_LIMIT} bytes");
            return Err(self.malformed(expected, "a longer one".to_owned()));
        }
        Ok(found.then_some(Row { format: self.format, line: self.line, fields: &self.record }))
    }

    /// The error for the row that was asked for last.
    pub(crate) fn malformed(&self, expected: String, found: String) -> Error {
        self.format.malformed(format!("line {}", self.line), expected, found)
    }
}

/// One row.
pub(crate) struct Row<'a> {
    format: Format,
    /// Counted from 1, without blank lines.
    pub(crate) line: usize,
    pub(crate) fields: &'a ByteRecord,
}

impl Row<'_> {
    /// The error for the field in `column`, counted from 0, which is not what
    /// was `expected`.
    pub(crate) fn malformed(&self, column: usize, expected: &str) -> Error {
        let at = format!("line {}, column {}", self.line, column + 1);
        self.format.malformed(at, expected, shown(&self.fields[column]))
    }
}

/// A reader that ends when it has given as many bytes as it was allowed.
///
/// The allowance is renewed for each row. What the csv crate read ahead only
/// leaves it with fewer bytes to ask for, so no row within the limit fails.
struct Allowance<R> {
    inner: R,
    left: usize,
    /// Whether it ended for want of allowance.
    exhausted: bool,
}

impl<R: Read> Read for Allowance<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            self.exhausted = true;
            return Ok(0);
        }
        let len = buffer.len().min(self.left);
        loop {
            // The csv crate does not try again by itself.
            match self.inner.read(&mut buffer[..len]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(count) => {
                    self.left -= count;
                    return Ok(count);
                }
            }
        }
    }
}
