//! Whether a JPEG file goes on to its end.
//!
//! A decoder shows what is missing of a file that was cut as gray, which would be
//! answered like a picture. Between its markers a file is in order:
//!
//! | bytes | what |
//! |---|---|
//! | `ff d8` | start of the image |
//! | `ff xx`, u16 n, n − 2 bytes | a segment; numbers are big-endian |
//! | `ff da`, u16 n, n − 2 bytes, more | a scan: then its pixels, in which `ff` is followed by 0 or a restart marker, `d0` to `d7` |
//! | `ff d9` | end of the image |
//!
//! # Source
//! ITU-T Recommendation T.81, annex B.

use std::io::{self, BufRead, Read};

const START: u8 = 0xd8;
const END: u8 = 0xd9;
const RESTARTS: std::ops::RangeInclusive<u8> = 0xd0..=0xd7;

/// Whether a file that begins as a JPEG has its end marker. What is in the wrong
/// place counts as whole: the decoder says what is wrong with it.
///
/// # Errors
/// Those of the reader.
pub(super) fn is_whole(reader: &mut impl BufRead) -> io::Result<bool> {
    let Some(mut marker) = next_marker(reader)? else { return Ok(false) };
    if marker != START {
        return Ok(true);
    }
    loop {
        // These have no segment.
        if marker != START && !RESTARTS.contains(&marker) {
            let mut length = [0; 2];
            for byte in &mut length {
                let Some(next) = next_byte(reader)? else { return Ok(false) };
                *byte = next;
            }
            let length = u64::from(u16::from_be_bytes(length)).saturating_sub(2);
            if !skip(reader, length)? {
                return Ok(false);
            }
        }
        match next_marker(reader)? {
            None => return Ok(false),
            Some(END) => return Ok(true),
            Some(next) => marker = next,
        }
    }
}

/// The code of the next marker; a scan's pixels before it are passed over.
fn next_marker(reader: &mut impl BufRead) -> io::Result<Option<u8>> {
    loop {
        reader.skip_until(0xff)?;
        let mut code = 0xff;
        // Any number of `ff` may come before a code.
        while code == 0xff {
            let Some(next) = next_byte(reader)? else { return Ok(None) };
            code = next;
        }
        if code != 0 {
            return Ok(Some(code));
        }
    }
}

fn next_byte(reader: &mut impl BufRead) -> io::Result<Option<u8>> {
    let byte = loop {
        match reader.fill_buf() {
            Ok(buffer) => break buffer.first().copied(),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    };
    reader.consume(usize::from(byte.is_some()));
    Ok(byte)
}

/// Whether there were as many bytes.
fn skip(reader: &mut impl BufRead, length: u64) -> io::Result<bool> {
    Ok(io::copy(&mut reader.by_ref().take(length), &mut io::sink())? == length)
}
