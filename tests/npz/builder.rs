//! Makes NPY arrays and ZIP archives by hand, right or with a chosen lie.
//!
//! Nothing here uses the library's own writer, so that the tests are a second
//! opinion about the formats.

use std::io::Write;

use flate2::{Compression, Crc, write::DeflateEncoder};

/// A member of an archive. Each field is what the archive will claim.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) local_name: String,
    pub(crate) flags: u16,
    pub(crate) method: u16,
    pub(crate) crc: u32,
    pub(crate) compressed_size: u64,
    pub(crate) size: u64,
    pub(crate) zip64: bool,
    pub(crate) data: Vec<u8>,
}

pub(crate) fn stored(name: &str, content: &[u8]) -> Member {
    let mut crc = Crc::new();
    crc.update(content);
    Member {
        name: name.to_owned(),
        local_name: name.to_owned(),
        flags: 0,
        method: 0,
        crc: crc.sum(),
        compressed_size: content.len() as u64,
        size: content.len() as u64,
        zip64: false,
        data: content.to_vec(),
    }
}

pub(crate) fn deflated(name: &str, content: &[u8]) -> Member {
    let data = deflate(content);
    Member { method: 8, compressed_size: data.len() as u64, data, ..stored(name, content) }
}

pub(crate) fn deflate(content: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content).expect("writing into memory");
    encoder.finish().expect("writing into memory")
}

/// The local headers and data, the central directory, and its end.
pub(crate) fn archive(members: &[Member]) -> Vec<u8> {
    let mut file = Vec::new();
    let mut directory = Vec::new();
    for member in members {
        let offset = file.len() as u32;
        let extra = if member.zip64 { zip64_extra(member) } else { Vec::new() };

        file.extend(b"PK\x03\x04");
        push_common(&mut file, member, &member.local_name, &extra);
        file.extend(member.local_name.bytes());
        file.extend(&extra);
        file.extend(&member.data);

        directory.extend(b"PK\x01\x02");
        directory.extend(45_u16.to_le_bytes()); // version made by
        push_common(&mut directory, member, &member.name, &extra);
        directory.extend([0; 2 + 2 + 2 + 4]); // comment length, disk, attributes
        directory.extend(offset.to_le_bytes());
        directory.extend(member.name.bytes());
        directory.extend(&extra);
    }
    let (offset, count) = (file.len() as u32, members.len() as u16);
    file.extend(&directory);
    file.extend(b"PK\x05\x06");
    file.extend([0; 4]); // disk numbers
    file.extend(count.to_le_bytes());
    file.extend(count.to_le_bytes());
    file.extend((directory.len() as u32).to_le_bytes());
    file.extend(offset.to_le_bytes());
    file.extend([0; 2]); // comment length
    file
}

/// The fields that the local header and the central directory share.
fn push_common(bytes: &mut Vec<u8>, member: &Member, name: &str, extra: &[u8]) {
    let size = |size: u64| if member.zip64 { u32::MAX } else { size as u32 };
    bytes.extend(45_u16.to_le_bytes()); // version needed
    bytes.extend(member.flags.to_le_bytes());
    bytes.extend(member.method.to_le_bytes());
    bytes.extend([0, 0, 0x21, 0]); // 1980-01-01 00:00
    bytes.extend(member.crc.to_le_bytes());
    bytes.extend(size(member.compressed_size).to_le_bytes());
    bytes.extend(size(member.size).to_le_bytes());
    bytes.extend((name.len() as u16).to_le_bytes());
    bytes.extend((extra.len() as u16).to_le_bytes());
}

fn zip64_extra(member: &Member) -> Vec<u8> {
    let mut extra = vec![1, 0, 16, 0];
    extra.extend(member.size.to_le_bytes());
    extra.extend(member.compressed_size.to_le_bytes());
    extra
}

/// An array in C order, as version 1.
pub(crate) fn npy(descr: &str, shape: &str, elements: &[u8]) -> Vec<u8> {
    npy_with_header(1, &header(descr, "False", shape), elements)
}

pub(crate) fn header(descr: &str, fortran_order: &str, shape: &str) -> String {
    format!("{{'descr': '{descr}', 'fortran_order': {fortran_order}, 'shape': {shape}, }}\n")
}

pub(crate) fn npy_with_header(version: u8, header: &str, elements: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY".to_vec();
    bytes.extend([version, 0]);
    match version {
        1 => bytes.extend((header.len() as u16).to_le_bytes()),
        _ => bytes.extend((header.len() as u32).to_le_bytes()),
    }
    bytes.extend(header.bytes());
    bytes.extend(elements);
    bytes
}

/// An array of `<f8` from its values.
pub(crate) fn float64(shape: &str, values: &[f64]) -> Vec<u8> {
    npy("<f8", shape, &little_endian(values))
}

pub(crate) fn little_endian(values: &[f64]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}
