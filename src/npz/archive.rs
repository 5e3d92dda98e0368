//! The ZIP archive around the arrays.

use std::collections::BTreeMap;
use std::io::{self, Write};

use flate2::bufread::DeflateDecoder;
use rawzip::time::UtcDateTime;
use rawzip::{
    CompressionMethod, ZipArchive, ZipArchiveWriter, ZipFileHeaderRecord, ZipSliceArchive,
};

use super::npy::{self, Array, Member};
use super::{FORMAT, MAX_PARAMETERS};
use crate::dense::Dense;
use crate::error::{Error, Result};
use crate::matrix::Matrix;

/// The first day that ZIP can express, as a Unix time. NumPy writes it too, so
/// that the same network gives the same bytes.
const FIRST_OF_1980: i64 = 315_532_800;

/// The weights and the bias of each layer, as the file has them.
pub(super) fn read(file: &[u8]) -> Result<Vec<(Matrix, Vec<f32>)>> {
    let archive = ZipArchive::from_slice(file).map_err(malformed_zip)?;
    let mut members = find_parameters(&archive)?;
    let mut layers = Vec::new();
    let mut limit = MAX_PARAMETERS;
    let mismatch =
        |expected, found| Err(Error::Mismatch { what: "members of an npz file", expected, found });
    for number in 1.. {
        let (w, b) = (format!("W{number}.npy"), format!("b{number}.npy"));
        match (members.remove(w.as_str()), members.remove(b.as_str())) {
            (Some(weights), Some(bias)) => {
                let weights = read_member(&archive, &w, &weights, &mut limit)?;
                let bias = read_member(&archive, &b, &bias, &mut limit)?;
                layers.push((weights.into_matrix(Member(&w))?, bias.into_vector(Member(&b))?));
            }
            (Some(_), None) => return mismatch(b, format!("{w} alone")),
            (None, Some(_)) => return mismatch(w, format!("{b} alone")),
            (None, None) => {
                let next = members.keys().next();
                if next.is_some() || layers.is_empty() {
                    return mismatch(format!("{w} and {b}"), next.unwrap_or(&"none").to_string());
                }
                break;
            }
        }
    }
    Ok(layers)
}

/// The members with the name of a weight matrix or a bias.
fn find_parameters<'a>(
    archive: &'a ZipSliceArchive<&[u8]>,
) -> Result<BTreeMap<&'a str, ZipFileHeaderRecord<'a>>> {
    let mut members = BTreeMap::new();
    let mut count = 0;
    for record in archive.entries() {
        let record = record.map_err(malformed_zip)?;
        count += 1;
        // A name is only ever compared, so it is safe whatever path it spells.
        let Ok(name) = str::from_utf8(record.file_path().as_bytes()) else { continue };
        if is_parameter(name) && members.insert(name, record).is_some() {
            return Err(Member(name).malformed("one member of this name", "a second one"));
        }
    }
    if count != archive.entries_hint() {
        return Err(FORMAT.malformed(
            "the ZIP directory",
            format!("{} members", archive.entries_hint()),
            count.to_string(),
        ));
    }
    Ok(members)
}

/// Whether a member's name is `W` or `b`, a number, and `.npy`.
fn is_parameter(name: &str) -> bool {
    name.strip_suffix(".npy")
        .and_then(|name| name.strip_prefix(['W', 'b']))
        .is_some_and(|number| !number.is_empty() && number.bytes().all(|c| c.is_ascii_digit()))
}

/// Reads a member's array, of at most `limit` elements, which it takes off.
fn read_member(
    archive: &ZipSliceArchive<&[u8]>,
    name: &str,
    record: &ZipFileHeaderRecord<'_>,
    limit: &mut usize,
) -> Result<Array> {
    let member = Member(name);
    if record.flags().is_encrypted() {
        return Err(member.unsupported("no encryption", "an encrypted member"));
    }
    let entry = archive
        .get_entry(record.wayfinder())
        .map_err(|error| member.malformed("a member inside the file", error.to_string()))?;
    // Also keeps two members from sharing the same data.
    let local_name = entry.local_header().file_path().as_bytes();
    if local_name != name.as_bytes() {
        let found = String::from_utf8_lossy(local_name);
        return Err(member.malformed("the same name in the local header", found));
    }
    let data = entry.data();
    // The verifying reader compares the size and the CRC with the directory's.
    let array = match record.compression_method() {
        CompressionMethod::STORE => npy::read(entry.verifying_reader(data), member, *limit)?,
        CompressionMethod::DEFLATE => {
            let mut decoder = DeflateDecoder::new(data);
            let array = npy::read(entry.verifying_reader(&mut decoder), member, *limit)?;
            if decoder.total_in() != data.len() as u64 {
                let found = format!("one that ends after {}", decoder.total_in());
                let expected = format!("a DEFLATE stream of {} bytes", data.len());
                return Err(member.malformed(expected, found));
            }
            array
        }
        method => {
            let found = format!("compression method {method}");
            return Err(member.unsupported("a stored or deflated member", found));
        }
    };
    *limit -= array.len();
    Ok(array)
}

/// Writes the layers' weights, as (outputs, inputs), and biases.
pub(super) fn write(layers: &[&Dense], writer: impl Write) -> Result<()> {
    let mut archive = ZipArchiveWriter::new(writer);
    for (index, layer) in layers.iter().enumerate() {
        let weights = layer.weights().transposed();
        let weights = npy::encode(weights.rows(), weights.cols(), weights.as_slice());
        let bias = npy::encode(layer.outputs(), 1, layer.bias());
        for (name, array) in ["W", "b"].into_iter().zip([weights, bias]) {
            let name = format!("{name}{}.npy", index + 1);
            write_member(&mut archive, &name, &array).map_err(write_error)?;
        }
    }
    archive.finish().map_err(write_error)?;
    Ok(())
}

fn write_member(
    archive: &mut ZipArchiveWriter<impl Write>,
    name: &str,
    array: &[u8],
) -> std::result::Result<(), rawzip::Error> {
    let modified = UtcDateTime::from_unix(FIRST_OF_1980);
    let (mut entry, config) = archive.new_file(name).last_modified(modified).start()?;
    let mut writer = config.wrap(&mut entry);
    writer.write_all(array)?;
    let (_, descriptor) = writer.finish()?;
    entry.finish(descriptor)?;
    Ok(())
}

fn write_error(error: rawzip::Error) -> Error {
    match error.into_kind() {
        rawzip::ErrorKind::IO(error) => Error::Io(error),
        kind => Error::Io(io::Error::other(kind.to_string())),
    }
}

/// Bytes that are not a ZIP archive. They are all in memory, so that no reader
/// can have failed.
fn malformed_zip(error: rawzip::Error) -> Error {
    FORMAT.malformed("the ZIP directory", "a ZIP archive", error.to_string())
}
