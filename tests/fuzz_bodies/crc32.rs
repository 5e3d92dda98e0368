//! Checksums that fit, so that a changed file is read past them.

/// The CRC-32 of gzip, bit by bit.
pub(crate) fn crc32(bytes: &[u8]) -> u32 {
    let mut state = !0_u32;
    for &byte in bytes {
        state ^= u32::from(byte);
        for _ in 0..8 {
            state = (state >> 1) ^ ((state & 1) * 0xedb8_8320);
        }
    }
    !state
}

/// Writes the checksum of all bytes before into the last four.
pub(crate) fn seal(file: &mut [u8]) {
    if let Some((body, last)) = file.split_last_chunk_mut::<4>() {
        *last = crc32(body).to_le_bytes();
    }
}
