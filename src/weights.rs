//! The weights file: a network in a small binary format of our own.
//!
//! Numbers are little-endian. With L layers, and n₀ inputs, n₁ … n_L outputs:
//!
//! | bytes | type | content |
//! |---|---|---|
//! | 8 | | the magic `DIGITNET` |
//! | 2 | u16 | version: 2, or 1 |
//! | 2 | u16 | the preprocessing that the model expects: 1 is [`Preprocessing::Mnist`] |
//! | 2 | u16 | not in version 1, which is 0: the [`Storage`]: 0 f32, 1 f16, 2 i8 |
//! | 4 | f32 | not in version 1, which is 1.0: the temperature, finite and above 0 |
//! | 4 | u32 | L, 1 to 256 |
//! | 4·(L+1) | u32 | n₀ … n_L, none of them 0 |
//! | L | u8 | each layer's activation: 0 linear, 1 ReLU, 2 tanh, 3 sigmoid; the last is 0 |
//! | see below | | the weights of layer l … |
//! | 4·n_l | f32 | … and its bias; then the next layer's |
//! | 4 | u32 | the CRC-32 of all bytes before, as in gzip |
//!
//! Nothing follows. The weights of a layer are (inputs, outputs), row by row, w_ij
//! from input i to output j:
//!
//! | storage | bytes | type | content |
//! |---|---|---|---|
//! | 0 | 4·n_{l−1}·n_l | f32 | w_ij |
//! | 1 | 2·n_{l−1}·n_l | f16 | w_ij |
//! | 2 | 4·n_l | f32 | s_j, finite and above 0 |
//! | | n_{l−1}·n_l | i8 | q_ij, −127 to 127; w_ij = s_j·q_ij |
//!
//! A reader refuses a version or a code that it does not know, and numbers that
//! are not finite. The customary ending of a file's name is `.digits`.
//!
//! # What the storage costs
//! Networks of [`train`](crate::train)'s defaults on the first 55,000 training
//! images of MNIST: the file's bytes, and right answers on the 5,000 others:
//!
//! | | f32 | f16 | i8 |
//! |---|---:|---:|---:|
//! | 784-256-10, bytes | 814,160 | 407,632 | 205,432 |
//! | … right | 4,927 | 4,927 | 4,926 |
//! | … answers that differ | | 0 | 2 |
//! | 784-512-256-10, bytes | 2,143,317 | 1,073,237 | 541,309 |
//! | … right | 4,937 | 4,937 | 4,938 |
//! | … answers that differ | | 0 | 1 |

use std::io::{Read, Write};
use std::path::Path;

use byteorder::{LittleEndian, WriteBytesExt};

use crate::activation::Activation;
use crate::atomic_file;
use crate::dense::Dense;
#[cfg(doc)]
use crate::error::Error;
use crate::error::{Format, Result};
use crate::network::{Network, Preprocessing, TEMPERATURE, is_temperature};

mod binary16;
mod quantized;
mod storage;
mod stream;

pub use storage::Storage;
use storage::{read_weights, write_weights};
use stream::{CrcReader, CrcWriter};

/// The first eight bytes of a weights file.
pub const MAGIC: [u8; 8] = *b"DIGITNET";

/// The version that is written.
const VERSION: u16 = 2;

/// More layers than a dense network has any use for; keeps a damaged header's
/// tables small.
const MAX_LAYERS: u32 = 256;

/// Each code of the format, and what it stands for.
const ACTIVATIONS: [(u8, Activation); 4] = [
    (0, Activation::Linear),
    (1, Activation::Relu),
    (2, Activation::Tanh),
    (3, Activation::Sigmoid),
];
const PREPROCESSINGS: [(u16, Preprocessing); 1] = [(1, Preprocessing::Mnist)];
const STORAGES: [(u16, Storage); 3] = [(0, Storage::F32), (1, Storage::F16), (2, Storage::I8)];

impl Network {
    /// Writes the network as a [weights file](crate::weights), every bit of it.
    ///
    /// ```
    /// use digit_recognizer::{Activation, Network};
    ///
    /// let network = Network::new(&[784, 16, 10], Activation::Relu, 1)?;
    /// let mut file = Vec::new();
    /// network.write(&mut file)?;
    /// assert_eq!(Network::read(file.as_slice())?, network);
    /// # Ok::<(), digit_recognizer::Error>(())
    /// ```
    ///
    /// # Errors
    /// - [`Error::Io`] if the writer fails
    /// - [`Error::Unsupported`] if the network has more than 256 layers
    pub fn write(&self, writer: impl Write) -> Result<()> {
        self.write_as(writer, Storage::F32)
    }

    /// Writes the network as a [weights file](crate::weights) that may store its
    /// weights in fewer bits. Reading gives a network with the rounded weights.
    ///
    /// ```
    /// use digit_recognizer::{Activation, Network, Storage};
    ///
    /// let network = Network::new(&[784, 256, 10], Activation::Relu, 1)?;
    /// let mut file = Vec::new();
    /// network.write_as(&mut file, Storage::I8)?;
    /// assert!(file.len() < 206_000);
    /// assert_eq!(Network::read(file.as_slice())?.sizes(), [784, 256, 10]);
    /// # Ok::<(), digit_recognizer::Error>(())
    /// ```
    ///
    /// # Errors
    /// - [`Error::Io`] if the writer fails
    /// - [`Error::Unsupported`] if the network has more than 256 layers, or a
    ///   weight of 65,520 or more is to be stored as [`Storage::F16`]
    pub fn write_as(&self, writer: impl Write, storage: Storage) -> Result<()> {
        let layers = self.layers();
        let count = u32::try_from(layers.len()).unwrap_or(u32::MAX);
        if count > MAX_LAYERS {
            let expected = format!("at most {MAX_LAYERS} layers");
            return Err(FORMAT.unsupported("layer count", expected, format!("{count} layers")));
        }
        let mut writer = CrcWriter::new(writer);
        writer.write_all(&MAGIC)?;
        writer.write_u16::<LittleEndian>(VERSION)?;
        writer.write_u16::<LittleEndian>(code_of(&PREPROCESSINGS, self.preprocessing()))?;
        writer.write_u16::<LittleEndian>(code_of(&STORAGES, storage))?;
        writer.write_f32::<LittleEndian>(self.temperature())?;
        writer.write_u32::<LittleEndian>(count)?;
        for size in self.sizes() {
            // A size above u32::MAX means a layer of more than 16 GiB of bias.
            let size = u32::try_from(size).map_err(|_| {
                FORMAT.unsupported("layer sizes", "sizes below 2^32", size.to_string())
            })?;
            writer.write_u32::<LittleEndian>(size)?;
        }
        for layer in layers {
            writer.write_u8(code_of(&ACTIVATIONS, layer.activation()))?;
        }
        for (index, layer) in layers.iter().enumerate() {
            write_weights(&mut writer, layer.weights(), storage, index + 1)?;
            writer.write_values(layer.bias(), |value| value.to_le_bytes())?;
        }
        Ok(writer.finish()?)
    }

    /// Reads a [weights file](crate::weights) to its end.
    ///
    /// Memory grows with what is read, not with what a header claims: at most three
    /// times the weights as `f32`, which is 3, 6 or 12 times the bytes that were read
    /// for the storages of 4, 2 and 1 bytes, and 256 KiB.
    ///
    /// # Errors
    /// - [`Error::Io`] if the reader fails
    /// - [`Error::Malformed`] if the bytes break the format
    /// - [`Error::Unsupported`] if the version or a code is not known
    /// - [`Error::Mismatch`] if a weight is not finite
    pub fn read(reader: impl Read) -> Result<Self> {
        let mut reader = CrcReader::new(reader);
        let magic = reader.array::<8>("magic")?;
        if magic != MAGIC {
            return Err(reader.malformed("magic", "the letters DIGITNET", &magic.escape_ascii()));
        }
        let version = reader.u16("version")?;
        if !(1..=VERSION).contains(&version) {
            return Err(reader.unsupported("version", "version 1 or 2", &version));
        }
        let code = reader.u16("preprocessing")?;
        let preprocessing = meaning_of(&PREPROCESSINGS, code)
            .ok_or_else(|| reader.unsupported("preprocessing", "a known code: 1", &code))?;
        let (storage, temperature) = match version {
            1 => (Storage::F32, 1.0),
            _ => read_storage(&mut reader)?,
        };
        let count = reader.u32("layer count")?;
        if !(1..=MAX_LAYERS).contains(&count) {
            return Err(reader.malformed("layer count", "1 to 256", &count));
        }
        let mut sizes = Vec::new();
        for _ in 0..=count {
            let size = reader.u32("layer sizes")?;
            if size == 0 {
                return Err(reader.malformed("layer sizes", "a size of at least 1", &size));
            }
            sizes.push(size as usize);
        }
        let mut activations = Vec::new();
        for _ in 0..count {
            let [code] = reader.array("activations")?;
            let activation = meaning_of(&ACTIVATIONS, code)
                .ok_or_else(|| reader.unsupported("activations", "a known code: 0 to 3", &code))?;
            activations.push(activation);
        }
        let mut layers = Vec::new();
        for (index, (pair, activation)) in sizes.windows(2).zip(activations).enumerate() {
            let weights = read_weights(&mut reader, (pair[0], pair[1]), storage, index + 1)?;
            let part = format!("bias of layer {}", index + 1);
            let bias = reader.values(pair[1], &part, f32::from_le_bytes)?;
            layers.push(Dense::new(weights, bias, activation));
        }
        reader.finish()?;
        Self::from_layers(layers)?.with_preprocessing(preprocessing).with_temperature(temperature)
    }

    /// Saves a [weights file](crate::weights), every bit of the network: the whole
    /// file, or none.
    ///
    /// # Errors
    /// [`Error::File`] with the path, around the errors of [`write`](Self::write).
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        self.save_as(path, Storage::F32)
    }

    /// Saves a [weights file](crate::weights) that may store weights in fewer bits:
    /// the whole file, or none.
    ///
    /// # Errors
    /// [`Error::File`] with the path, around the errors of
    /// [`write_as`](Self::write_as).
    pub fn save_as(&self, path: impl AsRef<Path>, storage: Storage) -> Result<()> {
        atomic_file::save(path.as_ref(), |file| self.write_as(file, storage))
    }
}

/// What version 2 added to the header.
fn read_storage(reader: &mut CrcReader<impl Read>) -> Result<(Storage, f32)> {
    let code = reader.u16("storage")?;
    let storage = meaning_of(&STORAGES, code)
        .ok_or_else(|| reader.unsupported("storage", "a known code: 0 to 2", &code))?;
    let temperature = f32::from_le_bytes(reader.array("temperature")?);
    if !is_temperature(temperature) {
        return Err(reader.malformed("temperature", TEMPERATURE, &temperature));
    }
    Ok((storage, temperature))
}

const FORMAT: Format = Format("weights file");

fn code_of<C: Copy, M: PartialEq>(table: &[(C, M)], meaning: M) -> C {
    let entry = table.iter().find(|entry| entry.1 == meaning);
    entry.expect("every meaning has its code in the table").0
}

fn meaning_of<C: PartialEq, M: Copy>(table: &[(C, M)], code: C) -> Option<M> {
    table.iter().find(|entry| entry.0 == code).map(|entry| entry.1)
}
