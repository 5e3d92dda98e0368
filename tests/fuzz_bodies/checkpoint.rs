//! Any bytes as the state of a small training, as they are and with checksums
//! that fit.

use digit_recognizer::{Activation, Dataset, Error, Images, Network, TrainConfig, Trainer};

use crate::crc32::crc32;

pub(crate) fn dataset() -> Dataset {
    let images = Images::new(1, 2, vec![255, 0, 0, 255]).expect("two images");
    Dataset::new(images, vec![0, 1]).expect("two labels")
}

/// The training whose states are read.
pub(crate) fn trainer(dataset: &Dataset) -> Trainer<'_> {
    let network = Network::new(&[2, 2, 2], Activation::Relu, 1).expect("sizes");
    let config = TrainConfig {
        epochs: 3,
        batch_size: 2,
        patience: Some(2),
        threads: 1,
        ..Default::default()
    };
    Trainer::new(network, dataset, Some(dataset), &config).expect("settings that fit")
}

pub(crate) fn run(data: &[u8]) {
    let dataset = dataset();
    let mut trainer = trainer(&dataset);
    let mut sealed = data.to_vec();
    seal(&mut sealed);
    for file in [data, &sealed] {
        match trainer.read(file) {
            Ok(()) => {
                let mut written = Vec::new();
                trainer.write(&mut written).expect("a vector takes everything");
                trainer.read(written.as_slice()).expect("our own state");
                // It goes on, or says that its numbers are none.
                let _ = trainer.next_epoch();
            }
            Err(error) => assert!(!matches!(error, Error::Io(_)), "{error:?}"),
        }
    }
}

/// Makes the checksums fit, of the head and of each network, as far as there are any.
fn seal(file: &mut [u8]) -> Option<()> {
    let text = u32::from_le_bytes(*file.get(10..)?.first_chunk()?) as usize;
    let epochs = 14_usize.checked_add(text)?;
    let count = u32::from_le_bytes(*file.get(epochs..)?.first_chunk()?) as usize;
    let mut start = seal_part(file, 0, epochs.checked_add(4 + 32 * count)?)?;
    loop {
        let length =
            usize::try_from(u64::from_le_bytes(*file.get(start..)?.first_chunk()?)).ok()?;
        let end = start.checked_add(8)?.checked_add(length.checked_sub(4)?)?;
        start = seal_part(file, start + 8, end)?;
    }
}

fn seal_part(file: &mut [u8], start: usize, end: usize) -> Option<usize> {
    let crc = crc32(file.get(start..end)?);
    *file.get_mut(end..)?.first_chunk_mut()? = crc.to_le_bytes();
    Some(end + 4)
}
