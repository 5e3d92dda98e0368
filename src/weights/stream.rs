//! Bytes that come and go with their checksum.

use std::io::{self, Read, Write};

use super::FORMAT;
use crate::crc32::Crc32;
use crate::error::{Error, Result};

/// Bytes that are converted at once, so that memory grows with what is read.
const BLOCK: usize = 64 * 1024;

/// A writer that computes the checksum of what passes.
pub(super) struct CrcWriter<W> {
    writer: W,
    crc: Crc32,
}

impl<W: Write> CrcWriter<W> {
    pub(super) fn new(writer: W) -> Self {
        Self { writer, crc: Crc32::new() }
    }

    /// Writes `values`, each as its N bytes.
    pub(super) fn write_values<V: Copy, const N: usize>(
        &mut self,
        values: impl IntoIterator<Item = V>,
        encode: impl Fn(V) -> [u8; N],
    ) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(BLOCK);
        for value in values {
            bytes.extend(encode(value));
            if bytes.len() + N > BLOCK {
                self.write_all(&bytes)?;
                bytes.clear();
            }
        }
        self.write_all(&bytes)
    }

    /// Writes the checksum, after which nothing comes.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.writer.write_all(&self.crc.value().to_le_bytes())?;
        self.writer.flush()
    }
}

impl<W: Write> Write for CrcWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.writer.write(bytes)?;
        self.crc.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.writer.flush()
    }
}

/// A reader that computes the checksum of what passes, and knows where it is.
pub(super) struct CrcReader<R> {
    reader: R,
    crc: Crc32,
    position: u64,
    /// Where the part began that was read last.
    start: u64,
}

impl<R: Read> CrcReader<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, crc: Crc32::new(), position: 0, start: 0 }
    }

    /// That what was read last, `part` of the file, breaks the format.
    pub(super) fn malformed(&self, part: &str, expected: &str, found: &dyn ToString) -> Error {
        FORMAT.malformed(self.place(part), expected, found.to_string())
    }

    /// The same, where it is a code that a later version may know.
    pub(super) fn unsupported(&self, part: &str, expected: &str, found: &dyn ToString) -> Error {
        FORMAT.unsupported(self.place(part), expected, found.to_string())
    }

    fn place(&self, part: &str) -> String {
        format!("byte {} ({part})", self.start)
    }

    /// The next bytes; an early end is an error that names the place.
    fn fill(&mut self, bytes: &mut [u8], part: &str) -> Result<()> {
        self.start = self.position;
        self.reader.read_exact(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                let expected = format!("{} more bytes", bytes.len());
                self.malformed(part, &expected, &"the end of the file")
            }
            _ => Error::Io(error),
        })?;
        self.crc.update(bytes);
        self.position += bytes.len() as u64;
        Ok(())
    }

    pub(super) fn array<const N: usize>(&mut self, part: &str) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.fill(&mut bytes, part)?;
        Ok(bytes)
    }

    pub(super) fn u16(&mut self, part: &str) -> Result<u16> {
        self.array(part).map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self, part: &str) -> Result<u32> {
        self.array(part).map(u32::from_le_bytes)
    }

    /// The next `count` values of N bytes each.
    pub(super) fn values<const N: usize>(
        &mut self,
        count: usize,
        part: &str,
        decode: impl Fn([u8; N]) -> f32,
    ) -> Result<Vec<f32>> {
        let mut values = Vec::new();
        let mut bytes = [0; BLOCK];
        while values.len() < count {
            let length = (count - values.len()).min(BLOCK / N);
            let bytes = &mut bytes[..N * length];
            self.fill(bytes, part)?;
            values.extend(bytes.as_chunks().0.iter().map(|&bytes| decode(bytes)));
        }
        Ok(values)
    }

    /// Compares the checksum, after which nothing may come.
    pub(super) fn finish(mut self) -> Result<()> {
        let computed = self.crc.value();
        let stored = self.u32("checksum")?;
        if stored != computed {
            let expected = format!("CRC-32 {computed:08x} of what was read");
            return Err(self.malformed("checksum", &expected, &format!("{stored:08x}")));
        }
        if self.reader.take(1).read_to_end(&mut Vec::new())? > 0 {
            return Err(FORMAT.malformed("end", "nothing after the checksum", "more bytes"));
        }
        Ok(())
    }
}
