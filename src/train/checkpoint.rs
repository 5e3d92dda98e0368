//! The state of a training in a file, so that one that was interrupted goes on.
//!
//! Numbers are little-endian:
//!
//! | bytes | type | content |
//! |---|---|---|
//! | 8 | | the magic `DIGITRUN` |
//! | 2 | u16 | version: 1 |
//! | 4 | u32 | n, at most 65,536 |
//! | n | text | the settings and the dataset, which must be those of the training that goes on |
//! | 4 | u32 | E, the epochs so far |
//! | 32·E | f64 | of each epoch the loss, the accuracy, the validation accuracy (NaN: none) and the seconds |
//! | 4 | u32 | the CRC-32 of all bytes before |
//!
//! then some [weights files](crate::weights), each after its length (u64): the
//! network, and in the same shape the weights of the last step, their velocity
//! and, where the settings ask for them, their variance and the best network.
//!
//! Reading takes at most eight times the bytes that were read, and 1 MiB.

use std::io::{BufReader, Read, Write};
use std::path::Path;

use byteorder::{ByteOrder, LittleEndian, WriteBytesExt};

use crate::atomic_file;
use crate::crc32::Crc32;
use crate::dataset::Dataset;
use crate::error::{Error, Format, Result};
use crate::kernel::tiles::Slot;
use crate::network::Network;
use crate::train::{Epoch, TrainConfig, Trainer};

const MAGIC: [u8; 8] = *b"DIGITRUN";
const VERSION: u16 = 1;
const FORMAT: Format = Format("checkpoint");

/// More text than the settings have.
const MAX_TEXT: u32 = 1 << 16;

/// Bytes of an epoch.
const EPOCH: usize = 32;

impl Trainer<'_> {
    /// Writes the state after the last epoch.
    ///
    /// # Errors
    /// [`Error::Io`] if the writer fails
    pub fn write(&self, mut writer: impl Write) -> Result<()> {
        let text = self.settings.get_or_init(|| self.settings());
        let mut head = Vec::new();
        head.write_all(&MAGIC)?;
        head.write_u16::<LittleEndian>(VERSION)?;
        head.write_u32::<LittleEndian>(text.len() as u32)?;
        head.write_all(text.as_bytes())?;
        // Epochs that a computer can train fit into 32 bits.
        head.write_u32::<LittleEndian>(self.history.len() as u32)?;
        for epoch in &self.history {
            let validation = epoch.validation_accuracy.unwrap_or(f64::NAN);
            for value in [epoch.loss, epoch.accuracy, validation, epoch.seconds] {
                head.write_f64::<LittleEndian>(value)?;
            }
        }
        head.write_u32::<LittleEndian>(crc_of(&head))?;
        writer.write_all(&head)?;

        write_network(&mut writer, &self.network)?;
        for slot in self.slots() {
            let mut network = self.network.clone();
            self.descent.copy_to(slot, network.layers_mut());
            write_network(&mut writer, &network)?;
        }
        if let Some(best) = &self.best {
            write_network(&mut writer, best)?;
        }
        Ok(writer.flush()?)
    }

    /// Goes on where a training with the same network, images and settings was
    /// when it was [written](Self::write); the number of threads and the
    /// [`Level`](crate::Level) may differ. The result has the bytes that the
    /// training would have come to without a break.
    ///
    /// # Errors
    /// - [`Error::Io`] if the reader fails
    /// - [`Error::Malformed`] and [`Error::Unsupported`] if it is not a checkpoint
    /// - [`Error::Mismatch`] if it is one of another training
    ///
    /// The training is then as it was before.
    pub fn read(&mut self, mut reader: impl Read) -> Result<()> {
        let history = read_head(&mut reader, self.settings.get_or_init(|| self.settings()))?;
        let network = self.read_network(&mut reader)?;
        let mut states = Vec::new();
        for slot in self.slots() {
            states.push((slot, self.read_network(&mut reader)?));
        }
        let has_best = self.config.patience.is_some() && !history.is_empty();
        let best = if has_best { Some(self.read_network(&mut reader)?) } else { None };
        if reader.take(1).read_to_end(&mut Vec::new())? > 0 {
            return Err(FORMAT.malformed("end", "nothing after the last network", "more bytes"));
        }
        for (slot, state) in states {
            self.descent.set(slot, state.layers());
        }
        (self.history, self.network, self.best) = (history, network, best);
        self.has_failed = false;
        Ok(())
    }

    /// [Writes](Self::write) the state to a file: whole, or not at all.
    ///
    /// # Errors
    /// [`Error::File`] with the path, around the errors of [`write`](Self::write).
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        atomic_file::save(path.as_ref(), |file| self.write(file))
    }

    /// Goes on from a file that was [saved](Self::save).
    ///
    /// # Errors
    /// [`Error::File`] with the path, around the errors of [`read`](Self::read).
    pub fn resume(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let mut read = || self.read(BufReader::new(std::fs::File::open(path)?));
        read().map_err(|error| error.in_file(path))
    }

    /// What decides the result, a line each.
    fn settings(&self) -> String {
        let config = TrainConfig { threads: 0, level: None, ..self.config };
        let dataset = |dataset: Option<&Dataset>| {
            dataset.map_or_else(
                || "none".to_owned(),
                |dataset| {
                    let mut crc = Crc32::new();
                    crc.update(dataset.images().pixels());
                    crc.update(dataset.labels());
                    format!("{} images, CRC-32 {:08x}", dataset.len(), crc.value())
                },
            )
        };
        format!(
            "layers: {:?}\ntraining: {}\nvalidation: {}\n{config:#?}\n",
            self.network.sizes(),
            dataset(Some(self.training)),
            dataset(self.validation),
        )
    }

    /// What there is of each parameter.
    fn slots(&self) -> impl Iterator<Item = Slot> + use<> {
        let variance = self.config.optimizer.has_variance().then_some(Slot::Variance);
        [Slot::Values, Slot::Velocity].into_iter().chain(variance)
    }

    /// The next network, which has the shape of this one.
    fn read_network(&self, reader: &mut impl Read) -> Result<Network> {
        let length = read_part(reader, &mut Vec::new(), 8, "length of a network")
            .map(LittleEndian::read_u64)?;
        let mut file = reader.by_ref().take(length);
        let network = Network::read(&mut file)?;
        if file.limit() > 0 {
            let expected = format!("a network of {} bytes", length - file.limit());
            return Err(FORMAT.malformed("length of a network", expected, length.to_string()));
        }
        let shape = |network: &Network| {
            let activations = network.layers().iter().map(|layer| layer.activation());
            format!("{:?} {:?}", network.sizes(), activations.collect::<Vec<_>>())
        };
        match shape(&network) == shape(&self.network) {
            true => Ok(network),
            false => Err(Error::Mismatch {
                what: "network of a checkpoint",
                expected: shape(&self.network),
                found: shape(&network),
            }),
        }
    }
}

fn write_network(writer: &mut impl Write, network: &Network) -> Result<()> {
    let mut file = Vec::new();
    network.write(&mut file)?;
    writer.write_u64::<LittleEndian>(file.len() as u64)?;
    Ok(writer.write_all(&file)?)
}

/// Checks what comes before the networks; returns the epochs.
fn read_head(reader: &mut impl Read, settings: &str) -> Result<Vec<Epoch>> {
    let mut head = Vec::new();
    let start = read_part(reader, &mut head, 14, "byte 0 (magic)")?;
    if start[..8] != MAGIC {
        let found = start[..8].escape_ascii().to_string();
        return Err(FORMAT.malformed("byte 0 (magic)", "the letters DIGITRUN", found));
    }
    let version = LittleEndian::read_u16(&start[8..]);
    if version != VERSION {
        return Err(FORMAT.unsupported("byte 8 (version)", "version 1", version.to_string()));
    }
    let length = LittleEndian::read_u32(&start[10..]);
    if length > MAX_TEXT {
        let at = "byte 10 (length of the settings)";
        return Err(FORMAT.malformed(at, "at most 65536", length.to_string()));
    }
    let text = read_part(reader, &mut head, length as usize, "byte 14 (settings)")?;
    let text = String::from_utf8_lossy(text).into_owned();
    let count = read_part(reader, &mut head, 4, "number of epochs")?;
    let mut epochs = Vec::new();
    for number in 1..=LittleEndian::read_u32(count) as usize {
        let mut values = [0.0; EPOCH / 8];
        LittleEndian::read_f64_into(read_part(reader, &mut head, EPOCH, "epochs")?, &mut values);
        let [loss, accuracy, validation, seconds] = values;
        let validation_accuracy = (!validation.is_nan()).then_some(validation);
        epochs.push(Epoch { number, loss, accuracy, validation_accuracy, seconds });
    }
    let computed = crc_of(&head);
    let stored = LittleEndian::read_u32(read_part(reader, &mut head, 4, "checksum")?);
    if stored != computed {
        let expected = format!("CRC-32 {computed:08x} of what was read");
        return Err(FORMAT.malformed("checksum", expected, format!("{stored:08x}")));
    }
    let differing = settings.lines().zip(text.lines()).find(|(ours, theirs)| ours != theirs);
    if let Some((ours, theirs)) = differing {
        return Err(Error::Mismatch {
            what: "settings of a checkpoint for this training",
            expected: ours.trim().to_owned(),
            found: theirs.trim().to_owned(),
        });
    }
    if settings != text {
        return Err(FORMAT.malformed("byte 14 (settings)", "those of this training", "others"));
    }
    Ok(epochs)
}

/// Reads bytes, and adds them to what was read.
fn read_part<'a>(
    reader: &mut impl Read,
    read: &'a mut Vec<u8>,
    length: usize,
    at: &str,
) -> Result<&'a [u8]> {
    let start = read.len();
    reader.by_ref().take(length as u64).read_to_end(read)?;
    match read.len() - start == length {
        true => Ok(&read[start..]),
        false => Err(FORMAT.malformed(at, format!("{length} bytes"), "the end of the file")),
    }
}

fn crc_of(bytes: &[u8]) -> u32 {
    let mut crc = Crc32::new();
    crc.update(bytes);
    crc.value()
}
