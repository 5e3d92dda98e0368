//! The weights file: a network in a small binary format of our own.
//!
//! Numbers are little-endian. With L layers, and n₀ inputs, n₁ … n_L outputs:
//!
//! | bytes | type | content |
//! |---|---|---|
//! | 8 | | the magic `DIGITNET` |
//! | 2 | u16 | version: 1 |
//! | 2 | u16 | the preprocessing that the model expects: 1 is [`Preprocessing::Mnist`] |
//! | 4 | u32 | L, 1 to 256 |
//! | 4·(L+1) | u32 | n₀ … n_L, none of them 0 |
//! | L | u8 | each layer's activation: 0 linear, 1 ReLU, 2 tanh, 3 sigmoid; the last is 0 |
//! | 4·n_{l−1}·n_l | f32 | the weights of layer l, (inputs, outputs), row by row … |
//! | 4·n_l | f32 | … and its bias; then the next layer's |
//! | 4 | u32 | the CRC-32 of all bytes before, as in gzip |
//!
//! Nothing follows. A reader refuses a version or a code that it does not know,
//! and numbers that are not finite. The customary ending of a file's name is
//! `.digits`.

use std::io::{self, Read, Write};
use std::path::Path;

use byteorder::{ByteOrder, LittleEndian, WriteBytesExt};

use crate::activation::Activation;
use crate::atomic_file;
use crate::crc32::Crc32;
use crate::dense::Dense;
use crate::error::{Error, Result};
use crate::matrix::Matrix;
use crate::network::{Network, Preprocessing};

/// The first eight bytes of a weights file.
pub const MAGIC: [u8; 8] = *b"DIGITNET";

/// The version that is written.
const VERSION: u16 = 1;

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

impl Network {
    /// Writes the network as a [weights file](crate::weights).
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
        let layers = self.layers();
        let count = u32::try_from(layers.len()).unwrap_or(u32::MAX);
        if count > MAX_LAYERS {
            return Err(Error::Unsupported {
                format: FORMAT,
                at: "layer count".to_owned(),
                expected: format!("at most {MAX_LAYERS} layers"),
                found: format!("{count} layers"),
            });
        }
        let mut writer = CrcWriter { writer, crc: Crc32::new() };
        writer.write_all(&MAGIC)?;
        writer.write_u16::<LittleEndian>(VERSION)?;
        writer.write_u16::<LittleEndian>(code_of(&PREPROCESSINGS, self.preprocessing()))?;
        writer.write_u32::<LittleEndian>(count)?;
        for size in self.sizes() {
            // A size above u32::MAX means a layer of more than 16 GiB of bias.
            let size = u32::try_from(size).map_err(|_| Error::Unsupported {
                format: FORMAT,
                at: "layer sizes".to_owned(),
                expected: "sizes below 2^32".to_owned(),
                found: size.to_string(),
            })?;
            writer.write_u32::<LittleEndian>(size)?;
        }
        for layer in layers {
            writer.write_u8(code_of(&ACTIVATIONS, layer.activation()))?;
        }
        for layer in layers {
            for row in layer.weights().iter_rows() {
                writer.write_floats(row)?;
            }
            writer.write_floats(layer.bias())?;
        }
        let CrcWriter { mut writer, crc } = writer;
        writer.write_u32::<LittleEndian>(crc.value())?;
        writer.flush()?;
        Ok(())
    }

    /// Reads a [weights file](crate::weights) to its end.
    ///
    /// Memory grows with what is read, not with what a header claims.
    ///
    /// # Errors
    /// - [`Error::Io`] if the reader fails
    /// - [`Error::Malformed`] if the bytes break the format
    /// - [`Error::Unsupported`] if the version or a code is not known
    /// - [`Error::Mismatch`] if a weight is not finite
    pub fn read(reader: impl Read) -> Result<Self> {
        let mut reader = CrcReader { reader, crc: Crc32::new() };
        let magic = reader.array::<8>("byte 0 (magic)")?;
        if magic != MAGIC {
            return Err(malformed("byte 0 (magic)", "the letters DIGITNET", &magic.escape_ascii()));
        }
        let version = reader.u16("byte 8 (version)")?;
        if version != VERSION {
            return Err(unsupported("byte 8 (version)", "version 1", &version));
        }
        let code = reader.u16("byte 10 (preprocessing)")?;
        let preprocessing = meaning_of(&PREPROCESSINGS, code)
            .ok_or_else(|| unsupported("byte 10 (preprocessing)", "a known code: 1", &code))?;
        let count = reader.u32("byte 12 (layer count)")?;
        if !(1..=MAX_LAYERS).contains(&count) {
            return Err(malformed("byte 12 (layer count)", "1 to 256", &count));
        }
        let mut sizes = Vec::new();
        for index in 0..=count {
            let at = format!("byte {} (layer sizes)", 16 + 4 * index);
            let size = reader.u32(&at)?;
            if size == 0 {
                return Err(malformed(&at, "a size of at least 1", &size));
            }
            sizes.push(size as usize);
        }
        let mut activations = Vec::new();
        for index in 0..count {
            let at = format!("byte {} (activations)", 20 + 4 * count + index);
            let [code] = reader.array::<1>(&at)?;
            let activation = meaning_of(&ACTIVATIONS, code)
                .ok_or_else(|| unsupported(&at, "a known code: 0 to 3", &code))?;
            activations.push(activation);
        }
        let mut layers = Vec::new();
        for (index, (pair, activation)) in sizes.windows(2).zip(activations).enumerate() {
            let (inputs, outputs) = (pair[0], pair[1]);
            let at = format!("weights of layer {}", index + 1);
            let length = inputs
                .checked_mul(outputs)
                .ok_or_else(|| malformed(&at, "sizes whose product fits", &sizes_text(pair)))?;
            let weights = Matrix::from_vec(inputs, outputs, reader.floats(length, &at)?);
            let bias = reader.floats(outputs, &format!("bias of layer {}", index + 1))?;
            layers.push(Dense::new(weights, bias, activation));
        }
        let computed = reader.crc.value();
        let stored = reader.u32("checksum")?;
        if stored != computed {
            return Err(malformed(
                "checksum",
                &format!("CRC-32 {computed:08x} of what was read"),
                &format!("{stored:08x}"),
            ));
        }
        if reader.reader.take(1).read_to_end(&mut Vec::new())? > 0 {
            return Err(malformed("end", "nothing after the checksum", &"more bytes"));
        }
        Ok(Self::from_layers(layers)?.with_preprocessing(preprocessing))
    }

    /// Saves a [weights file](crate::weights): whole, or not at all.
    ///
    /// # Errors
    /// [`Error::File`] with the path, around the errors of [`write`](Self::write).
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        atomic_file::save(path.as_ref(), |file| self.write(file))
    }
}

const FORMAT: &str = "weights file";

fn malformed(at: &str, expected: &str, found: &dyn std::fmt::Display) -> Error {
    Error::Malformed {
        format: FORMAT,
        at: at.to_owned(),
        expected: expected.to_owned(),
        found: found.to_string(),
    }
}

fn unsupported(at: &str, expected: &str, found: &dyn std::fmt::Display) -> Error {
    Error::Unsupported {
        format: FORMAT,
        at: at.to_owned(),
        expected: expected.to_owned(),
        found: found.to_string(),
    }
}

fn sizes_text(pair: &[usize]) -> String {
    format!("{} x {}", pair[0], pair[1])
}

fn code_of<C: Copy, M: PartialEq>(table: &[(C, M)], meaning: M) -> C {
    let entry = table.iter().find(|entry| entry.1 == meaning);
    entry.expect("every meaning has its code in the table").0
}

fn meaning_of<C: PartialEq, M: Copy>(table: &[(C, M)], code: C) -> Option<M> {
    table.iter().find(|entry| entry.0 == code).map(|entry| entry.1)
}

/// Bytes that are converted at once, so that memory grows with what is read.
const BLOCK: usize = 64 * 1024;

/// A writer that computes the checksum of what passes.
struct CrcWriter<W> {
    writer: W,
    crc: Crc32,
}

impl<W: Write> CrcWriter<W> {
    fn write_floats(&mut self, values: &[f32]) -> io::Result<()> {
        let mut bytes = [0; BLOCK];
        for values in values.chunks(BLOCK / 4) {
            let bytes = &mut bytes[..4 * values.len()];
            LittleEndian::write_f32_into(values, bytes);
            self.write_all(bytes)?;
        }
        Ok(())
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

/// A reader that computes the checksum of what passes.
struct CrcReader<R> {
    reader: R,
    crc: Crc32,
}

impl<R: Read> CrcReader<R> {
    /// The next bytes; an early end is an error that names the place.
    fn fill(&mut self, bytes: &mut [u8], at: &str) -> Result<()> {
        self.reader.read_exact(bytes).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                malformed(at, &format!("{} more bytes", bytes.len()), &"the end of the file")
            }
            _ => Error::Io(error),
        })?;
        self.crc.update(bytes);
        Ok(())
    }

    fn array<const N: usize>(&mut self, at: &str) -> Result<[u8; N]> {
        let mut bytes = [0; N];
        self.fill(&mut bytes, at)?;
        Ok(bytes)
    }

    fn u16(&mut self, at: &str) -> Result<u16> {
        self.array(at).map(u16::from_le_bytes)
    }

    fn u32(&mut self, at: &str) -> Result<u32> {
        self.array(at).map(u32::from_le_bytes)
    }

    fn floats(&mut self, count: usize, at: &str) -> Result<Vec<f32>> {
        let mut values = Vec::new();
        let mut bytes = [0; BLOCK];
        while values.len() < count {
            let first = values.len();
            let length = (count - first).min(BLOCK / 4);
            let bytes = &mut bytes[..4 * length];
            self.fill(bytes, at)?;
            values.resize(first + length, 0.0);
            LittleEndian::read_f32_into(bytes, &mut values[first..]);
        }
        Ok(values)
    }
}
