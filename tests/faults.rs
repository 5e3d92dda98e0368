//! Readers and writers that fail at any byte, and files that are cut or changed
//! anywhere: each format answers with its error, and keeps no half of anything.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{self, Read, Write};

use digit_recognizer::{
    Activation, Dataset, Error, Images, Network, Result, Storage, TrainConfig, Trainer, idx, unipen,
};

/// A format: a good file, and what reads and writes it.
struct Format {
    name: String,
    file: Vec<u8>,
    read: Box<ReadFn>,
    write: Option<Box<WriteFn>>,
}

type ReadFn = dyn Fn(&mut dyn Read) -> Result<()>;
type WriteFn = dyn Fn(&mut dyn Write) -> Result<()>;

impl Format {
    fn new(
        name: impl Into<String>,
        file: &[u8],
        read: impl Fn(&mut dyn Read) -> Result<()> + 'static,
    ) -> Self {
        Self { name: name.into(), file: file.to_vec(), read: Box::new(read), write: None }
    }

    /// A format that is written too; the good file is what is written.
    fn written(
        name: impl Into<String>,
        read: impl Fn(&mut dyn Read) -> Result<()> + 'static,
        write: impl Fn(&mut dyn Write) -> Result<()> + 'static,
    ) -> Self {
        let mut file = Vec::new();
        write(&mut file).unwrap();
        let write: Box<WriteFn> = Box::new(write);
        Self { write: Some(write), ..Self::new(name, &file, read) }
    }
}

fn small() -> Network {
    let network = Network::new(&[3, 4, 2], Activation::Relu, 1).unwrap();
    network.with_temperature(1.25).unwrap()
}

fn two_images() -> Dataset {
    let images = Images::new(1, 3, vec![255, 0, 9, 0, 255, 9]).unwrap();
    Dataset::new(images, vec![0, 1]).unwrap()
}

fn config() -> TrainConfig {
    TrainConfig { epochs: 3, batch_size: 2, patience: Some(2), threads: 1, ..Default::default() }
}

/// Gives the state of a training of two images after an epoch.
fn with_trainer<T>(run: impl FnOnce(&mut Trainer<'_>) -> T) -> T {
    let dataset = two_images();
    let mut trainer = Trainer::new(small(), &dataset, Some(&dataset), &config()).unwrap();
    trainer.next_epoch().unwrap();
    run(&mut trainer)
}

fn formats() -> Vec<Format> {
    let images = [0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 3, 0, 50, 100, 150, 200, 255];
    let labels = [0, 0, 8, 1, 0, 0, 0, 3, 5, 0, 9];
    let read_images = |reader: &mut dyn Read| idx::read_images(reader).map(drop);
    let read_unipen = |reader: &mut dyn Read| unipen::read(reader).map(drop);
    let strokes = std::fs::read("fixtures/digits.unipen").unwrap();
    let version_1 = std::fs::read("fixtures/version-1.digits").unwrap();
    let mut formats = vec![
        Format::new("weights, version 1", &version_1, |reader| Network::read(reader).map(drop)),
        Format::new("IDX images", &images, read_images),
        Format::new("IDX labels", &labels, |reader| idx::read_labels(reader).map(drop)),
        Format::new("UNIPEN", &strokes, read_unipen),
        Format::written(
            "checkpoint",
            |reader| with_trainer(|trainer| trainer.read(reader)),
            |writer| with_trainer(|trainer| trainer.write(writer)),
        ),
    ];
    formats.push(Format::written(
        "safetensors",
        |reader| Network::read_safetensors(reader).map(drop),
        |writer| small().write_safetensors(writer),
    ));
    for storage in [Storage::F32, Storage::F16, Storage::I8] {
        formats.push(Format::written(
            format!("weights, {storage:?}"),
            |reader| Network::read(reader).map(drop),
            move |writer| small().write_as(writer, storage),
        ));
    }
    #[cfg(feature = "gzip")]
    {
        formats.push(Format::new("IDX images, gzipped", &gzip(&images), read_images));
        let members = [gzip(&images[..20]), gzip(&images[20..])].concat();
        formats.push(Format::new("IDX images, two members", &members, read_images));
        formats.push(Format::new("UNIPEN, gzipped", &gzip(&strokes), read_unipen));
    }
    #[cfg(feature = "npz")]
    formats.push(Format::written(
        "npz",
        |reader| Network::read_npz(reader).map(drop),
        |writer| small().write_npz(writer),
    ));
    #[cfg(feature = "csv")]
    {
        use digit_recognizer::{DigitImage, kaggle};

        let pixels: Vec<String> = (0..784).map(|index| (index % 3 * 9).to_string()).collect();
        let names: Vec<String> = (0..784).map(|index| format!("pixel{index}")).collect();
        let (names, row) = (names.join(","), pixels.join(","));
        let train = format!("label,{names}\n7,{row}\n");
        formats.push(Format::new("Kaggle's train.csv", train.as_bytes(), |reader| {
            kaggle::read_train(reader).map(drop)
        }));
        formats.push(Format::written(
            "digit CSV",
            |reader| DigitImage::read_csv(reader).map(drop),
            |writer| {
                DigitImage::from_bytes(&std::array::from_fn(
                    |index| if index % 3 == 0 { 255 } else { 0 },
                ))
                .write_csv(writer)
            },
        ));
    }
    formats
}

#[cfg(feature = "gzip")]
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Gives `bytes` in pieces of at most `piece`, each after an interruption, then
/// the end or an error.
struct Faulty<'a> {
    bytes: &'a [u8],
    piece: usize,
    fails: bool,
    interrupted: bool,
}

impl Read for Faulty<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.interrupted = !self.interrupted;
        if self.interrupted {
            return Err(io::ErrorKind::Interrupted.into());
        }
        if self.fails && self.bytes.is_empty() && !buffer.is_empty() {
            return Err(io::Error::other("the disk is gone"));
        }
        let length = buffer.len().min(self.piece);
        self.bytes.read(&mut buffer[..length])
    }
}

#[test]
fn a_reader_that_fails_at_any_byte_is_an_io_error() {
    for Format { name, file, read, .. } in formats() {
        for length in 0..file.len() {
            let bytes = &file[..length];
            let mut reader = Faulty { bytes, piece: usize::MAX, fails: true, interrupted: false };
            let error = read(&mut reader).expect_err(&name);
            assert!(matches!(error, Error::Io(_)), "{name}, byte {length}: {error:?}");
            assert_eq!(error.to_string(), "the disk is gone", "{name}, byte {length}");
        }
    }
}

#[test]
fn a_reader_may_give_one_byte_at_a_time_between_interruptions() {
    for Format { name, file, read, .. } in formats() {
        let mut reader = Faulty { bytes: &file, piece: 1, fails: false, interrupted: false };
        read(&mut reader).expect(&name);
    }
}

#[test]
fn a_file_that_is_cut_anywhere_is_refused_or_read() {
    for Format { name, file, read, .. } in formats() {
        let mut refused = 0;
        for length in 0..file.len() {
            if let Err(error) = read(&mut &file[..length]) {
                assert_of_the_file(&error, &format!("{name}, {length} bytes"));
                refused += 1;
            }
        }
        // What may be missing unnoticed: a line's end, the end of CSV's last field,
        // digits that follow the first.
        assert!(2 * refused > file.len(), "{name}: {refused} of {}", file.len());
    }
}

#[test]
fn a_file_with_any_bit_flipped_is_refused_or_read() {
    for Format { name, file, read, .. } in formats() {
        let mut changed = file.clone();
        for bit in 0..8 * file.len() {
            changed[bit / 8] ^= 1 << (bit % 8);
            if let Err(error) = read(&mut changed.as_slice()) {
                assert_of_the_file(&error, &format!("{name}, bit {bit}"));
            }
            changed[bit / 8] ^= 1 << (bit % 8);
        }
        read(&mut changed.as_slice()).expect(&name);
    }
}

/// That an error is about the bytes, and says what was expected and what was found.
#[track_caller]
fn assert_of_the_file(error: &Error, case: &str) {
    let is_of_the_file = matches!(
        error,
        Error::Malformed { .. } | Error::Unsupported { .. } | Error::Mismatch { .. }
    );
    assert!(is_of_the_file, "{case}: {error:?}");
    let text = error.to_string();
    assert!(text.contains(": expected ") && text.contains(", found "), "{case}: {text}");
}

/// Takes `left` bytes, then no more.
struct Full {
    left: usize,
    /// Whether it says so when the rest is flushed only.
    at_flush: bool,
}

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let length = bytes.len().min(self.left);
        if length == 0 && !bytes.is_empty() && !self.at_flush {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.left -= length;
        Ok(if self.at_flush { bytes.len() } else { length })
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.left == 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

#[test]
fn a_writer_that_fails_at_any_byte_is_an_io_error() {
    let mut formats = formats();
    formats.push(Format::written("ONNX", |_| Ok(()), |writer| small().write_onnx(writer)));
    #[cfg(feature = "csv")]
    formats.push(Format::written(
        "submission",
        |_| Ok(()),
        |writer| digit_recognizer::kaggle::write_submission(writer, &[1, 2, 3]),
    ));
    for Format { name, file, write, .. } in formats {
        let Some(write) = write else { continue };
        for left in 0..=file.len() {
            for at_flush in [false, true] {
                let error = write(&mut Full { left, at_flush }).expect_err(&name);
                let is_full = matches!(&error, Error::Io(error) if error.kind() == io::ErrorKind::StorageFull);
                assert!(is_full, "{name}, byte {left}: {error:?}");
            }
        }
        write(&mut Full { left: file.len() + 1, at_flush: false }).expect(&name);
    }
}
