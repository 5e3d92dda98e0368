//! The checksum of a weights file: CRC-32 as in gzip and PNG.
//!
//! It finds every error of one bit, and every burst of up to 32. It is here,
//! and not a crate, because the weights file belongs to the part of the library
//! that has no dependency but `byteorder`.
//!
//! # Source
//! ISO 3309; RFC 1952, section 8, whose table this is.

/// The remainder of each byte, for the reflected polynomial of ISO 3309.
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut remainder = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            let carry = remainder & 1;
            remainder = (remainder >> 1) ^ (carry * 0xedb8_8320);
            bit += 1;
        }
        table[byte] = remainder;
        byte += 1;
    }
    table
};

/// The CRC-32 of the bytes that it was given.
#[derive(Clone, Copy)]
pub(crate) struct Crc32 {
    state: u32,
}

impl Crc32 {
    pub(crate) fn new() -> Self {
        Self { state: !0 }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            // The lowest byte of the state chooses the table's entry.
            self.state = (self.state >> 8) ^ TABLE[usize::from(self.state as u8 ^ byte)];
        }
    }

    pub(crate) fn value(self) -> u32 {
        !self.state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_of_the_check_string() {
        // The check value of CRC-32/ISO-HDLC in the catalogue of parametrised
        // CRC algorithms.
        let mut crc = Crc32::new();
        crc.update(b"1234");
        crc.update(b"56789");
        assert_eq!(crc.value(), 0xcbf4_3926);
        assert_eq!(Crc32::new().value(), 0);
    }
}
