//! A reader's memory follows what there is to read, not what a header claims.
//!
//! Each row of the test has the bound that the reader's page states.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{self, Read};

use digit_recognizer::{
    Activation, Dataset, Images, Network, Result, Storage, TrainConfig, Trainer, idx, unipen,
};

#[cfg(feature = "npz")]
#[path = "npz/builder.rs"]
#[allow(dead_code, reason = "it makes more for the tests of npz")]
mod builder;
mod memory;

use memory::most;

const MIB: usize = 1 << 20;

/// Reads a file that keeps its promises, and checks the bound.
#[track_caller]
fn assert_good<T>(
    name: &str,
    file: &[u8],
    times: usize,
    beside: usize,
    read: impl FnOnce(&[u8]) -> Result<T>,
) {
    let (result, used) = most(|| read(file));
    result.expect(name);
    let allowed = times * file.len() + beside;
    assert!(used <= allowed, "{name}: {used} bytes for {}, {allowed} allowed", file.len());
    // The bound is not a wild guess.
    assert!(used > allowed / 8, "{name}: {used} bytes for {}, {allowed} allowed", file.len());
}

/// Reads a file that claims more than it has: it is refused, within the bound.
#[track_caller]
fn assert_lie<T>(
    name: &str,
    file: &[u8],
    times: usize,
    beside: usize,
    read: impl FnOnce(&[u8]) -> Result<T>,
) {
    let (result, used) = most(|| read(file));
    assert!(result.is_err(), "{name} was read");
    let allowed = times * file.len() + beside;
    assert!(used <= allowed, "{name}: {used} bytes for {}, {allowed} allowed", file.len());
}

/// Reads without end: it is refused, within the bound.
#[track_caller]
fn assert_endless<T>(
    name: &str,
    start: &[u8],
    byte: u8,
    allowed: usize,
    read: impl FnOnce(&mut dyn Read) -> Result<T>,
) {
    let (result, used) = most(|| read(&mut start.chain(io::repeat(byte))));
    assert!(result.is_err(), "{name} was read");
    assert!(used <= allowed, "{name} without end: {used} bytes, {allowed} allowed");
}

/// One test, because another one's thread would be counted too.
#[test]
fn readers_use_what_their_pages_say() {
    weights();
    checkpoint();
    idx();
    unipen();
    #[cfg(feature = "gzip")]
    gzipped();
    #[cfg(feature = "csv")]
    csv();
    #[cfg(feature = "npz")]
    npz();
    #[cfg(feature = "image")]
    pictures();
}

fn network() -> Network {
    Network::new(&[784, 600, 400, 10], Activation::Relu, 1).unwrap()
}

fn weights() {
    let network = network();
    for (storage, times) in [(Storage::F32, 3), (Storage::F16, 6), (Storage::I8, 12)] {
        let mut file = Vec::new();
        network.write_as(&mut file, storage).unwrap();
        assert_good("weights", &file, times, MIB / 4, |file| Network::read(file));
        // As many layers as there may be, of the largest sizes.
        let mut lie = file[..18].to_vec();
        lie.extend(256_u32.to_le_bytes());
        lie.extend([255; 4 * 257]);
        lie.extend([0; 256]);
        lie.extend(vec![0; 100_000]);
        assert_lie("weights", &lie, 12, MIB / 4, |file| Network::read(file));
    }
    let mut file = Vec::new();
    network.write_safetensors(&mut file).unwrap();
    assert_good("safetensors", &file, 6, MIB / 4, |file| Network::read_safetensors(file));
    let lie = r#"{"layers.0.weight":{"dtype":"F32","shape":[1,4611686018427387903],"data_offsets":[0,18446744073709551612]},"layers.0.bias":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#;
    let lie = [&(lie.len() as u64).to_le_bytes()[..], lie.as_bytes(), &vec![0; MIB]].concat();
    assert_lie("safetensors", &lie, 6, MIB / 4, |file| Network::read_safetensors(file));
    let names = "{\"\":".repeat(20_000);
    let deep = [&(names.len() as u64).to_le_bytes()[..], names.as_bytes()].concat();
    assert_lie("safetensors", &deep, 6, MIB / 4, |file| Network::read_safetensors(file));
    let endless = [0, 0, 1, 0, 0, 0, 0, 0];
    assert_endless("safetensors", &endless, b'{', MIB / 2, |reader| {
        Network::read_safetensors(reader)
    });
    assert_endless("weights", b"", b'D', MIB / 4, |reader| Network::read(reader));
}

fn checkpoint() {
    let images = Images::new(28, 28, vec![9; 784 * 2]).unwrap();
    let dataset = Dataset::new(images, vec![0, 1]).unwrap();
    let config = TrainConfig { epochs: 3, threads: 1, ..Default::default() };
    let mut trainer = Trainer::new(network(), &dataset, None, &config).unwrap();
    trainer.next_epoch().unwrap();
    let mut file = Vec::new();
    trainer.write(&mut file).unwrap();
    assert_good("checkpoint", &file, 2, MIB, |file| trainer.read(file));
    // Four thousand million epochs.
    let text = u32::from_le_bytes(file[10..14].try_into().unwrap()) as usize;
    let mut lie = file.clone();
    lie[14 + text..][..4].fill(0xff);
    assert_lie("checkpoint", &lie, 8, MIB, |file| trainer.read(file));
    assert_endless("checkpoint", b"DIGITRUN\x01\0\xff\xff\0\0", 0, MIB, |reader| {
        trainer.read(reader)
    });
}

fn idx() {
    let header = |count: u32| {
        let sizes = [count, 28, 28].map(u32::to_be_bytes).concat();
        [&[0, 0, 8, 3][..], &sizes].concat()
    };
    let file = [header(4000), vec![7; 4000 * 784]].concat();
    assert_good("IDX", &file, 3, MIB / 64, |file| idx::read_images(file));
    let lie = [header(u32::MAX), vec![7; MIB]].concat();
    assert_lie("IDX", &lie, 3, MIB / 64, |file| idx::read_images(file));
    let labels = [&[0, 0, 8, 1, 255, 255, 255, 255][..], &vec![1; MIB]].concat();
    assert_lie("IDX labels", &labels, 3, MIB / 64, |file| idx::read_labels(file));
    assert_endless("IDX", &header(100), 0, MIB / 2, |reader| idx::read_images(reader));
}

fn unipen() {
    let digit = |points: usize| {
        format!(
            ".SEGMENT DIGIT 0 ? \"1\"\n.COMMENT 1 1 1\n.PEN_DOWN\n{}.PEN_UP\n",
            "1 2\n".repeat(points)
        )
    };
    let file = digit(60_000).repeat(8);
    assert_good("UNIPEN", file.as_bytes(), 5, 2 * MIB, |file| unipen::read(file));
    // Many small things: strokes of one point, and digits of one.
    let strokes = format!(
        ".SEGMENT DIGIT 0-59999 ? \"1\"\n.COMMENT 1 1 1\n{}",
        ".PEN_DOWN\n1 2\n.PEN_UP\n".repeat(60_000)
    );
    assert_good("strokes", strokes.as_bytes(), 8, 2 * MIB, |file| unipen::read(file));
    let digits = digit(1).repeat(20_000);
    assert_good("digits", digits.as_bytes(), 8, 2 * MIB, |file| unipen::read(file));
    let lie = ".SEGMENT DIGIT 0-4294967295 ? \"1\"\n".repeat(10_000);
    assert_lie("UNIPEN", lie.as_bytes(), 8, 2 * MIB, |file| unipen::read(file));
    // A line of one-letter words.
    let words = "x ".repeat(30_000);
    assert_lie("words", words.as_bytes(), 8, 2 * MIB, |file| unipen::read(file));
    assert_endless("UNIPEN", digit(1).as_bytes(), b'.', 2 * MIB, |reader| unipen::read(reader));
}

#[cfg(feature = "gzip")]
fn gzipped() {
    use std::io::Write;

    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    // Gzip packs at most 1,032 bytes into one, and reading doubles at most three times over.
    let header = [0, 0, 8, 3, 255, 255, 255, 255, 0, 0, 0, 1, 0, 0, 0, 1];
    let lie = gzip(&[&header[..], &vec![0; 64 * MIB]].concat());
    assert_lie("gzipped IDX", &lie, 3 * 1032, MIB / 4, |file| idx::read_images(file));
    // No more than its header claims is unpacked.
    let header = [0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1];
    let bomb = gzip(&[&header[..], &vec![0; 64 * MIB]].concat());
    assert_lie("gzip bomb", &bomb, 3, MIB / 4, |file| idx::read_images(file));
}

#[cfg(feature = "csv")]
fn csv() {
    use digit_recognizer::{DigitImage, kaggle};

    let names: Vec<String> = (0..784).map(|index| format!("pixel{index}")).collect();
    let header = names.join(",") + "\n";
    // A row of zeros has two bytes a pixel.
    let file = header.clone() + &(vec!["0"; 784].join(",") + "\n").repeat(8_000);
    assert_good("CSV", file.as_bytes(), 4, 4 * MIB, |file| kaggle::read_test(file));
    let line = "1,".repeat(4 * MIB);
    assert_lie("CSV of one line", line.as_bytes(), 0, 4 * MIB, |file| kaggle::read_train(file));
    assert_lie("digit of one line", line.as_bytes(), 0, 4 * MIB, |file| DigitImage::read_csv(file));
    for byte in *b"1,\"\n" {
        assert_endless("CSV", header.as_bytes(), byte, 4 * MIB, |reader| kaggle::read_test(reader));
        assert_endless("digit", b"", byte, 4 * MIB, |reader| DigitImage::read_csv(reader));
    }
}

#[cfg(feature = "npz")]
fn npz() {
    let network = network();
    let mut file = Vec::new();
    network.write_npz(&mut file).unwrap();
    assert_good("npz", &file, 6, MIB / 4, |file| Network::read_npz(file));
    // As many weights as there may be, of few bytes.
    let count = digit_recognizer::npz::MAX_PARAMETERS - 1;
    let zeros = builder::npy("|u1", &format!("(1, {count})"), &vec![0; count]);
    let bias = builder::float64("(1,)", &[0.0]);
    let members = [builder::deflated("W1.npy", &zeros), builder::stored("b1.npy", &bias)];
    let file = builder::archive(&members);
    let (result, used) = most(|| Network::read_npz(file.as_slice()));
    assert_eq!(result.unwrap().inputs(), count);
    assert!(used <= 36 * count, "{used} bytes for {count} weights of {}", file.len());
    let (limit, endless) = (digit_recognizer::npz::MAX_FILE_LEN as usize, b"PK\x03\x04");
    assert_endless("npz", endless, 0, 2 * limit + MIB, |reader| Network::read_npz(reader));
    assert!(limit <= 300 * MIB, "{limit}");
}

#[cfg(feature = "image")]
fn pictures() {
    use digit_recognizer::Picture;
    use image::{DynamicImage, GrayImage, ImageFormat};

    let side = 2_000;
    let image: DynamicImage = GrayImage::new(side, side).into();
    let formats = [
        ImageFormat::Png,
        ImageFormat::Jpeg,
        ImageFormat::Gif,
        ImageFormat::Bmp,
        ImageFormat::WebP,
    ];
    for format in formats {
        let image = match format {
            ImageFormat::Gif | ImageFormat::WebP => image.to_rgba8().into(),
            _ => image.clone(),
        };
        let mut file = io::Cursor::new(Vec::new());
        image.write_to(&mut file, format).unwrap();
        let file = file.into_inner();
        let (result, used) = most(|| Picture::decode(&file));
        result.unwrap();
        // A few bytes may be a large picture: the bound is of its pixels.
        let allowed = 16 * (side * side) as usize + 4 * MIB;
        assert!(used <= allowed, "{format:?}: {used} bytes, {allowed} allowed");
    }
    let (error, used) = most(|| Picture::decode(&huge_png()));
    assert!(matches!(error, Err(digit_recognizer::Error::Picture { .. })), "{error:?}");
    assert!(used <= MIB, "{used} bytes for a picture that is refused");
}

/// The header of a PNG of 65535 × 65535 pixels.
#[cfg(feature = "image")]
fn huge_png() -> Vec<u8> {
    let mut header = b"IHDR\0\0\xff\xff\0\0\xff\xff\x08\x00\0\0\0".to_vec();
    let mut crc = flate2::Crc::new();
    crc.update(&header);
    header.extend(crc.sum().to_be_bytes());
    [b"\x89PNG\r\n\x1a\n\0\0\0\x0d".as_slice(), &header, b"\0\0\0\0IDAT\x35\xaf\x06\x1e"].concat()
}
