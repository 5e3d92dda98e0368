//! Any bytes as a weights file, as they are and with a checksum that fits.

use digit_recognizer::{Network, Storage};

use crate::crc32::seal;

pub(crate) fn run(data: &[u8]) {
    check(data);
    let mut sealed = data.to_vec();
    seal(&mut sealed);
    check(&sealed);
}

/// What was read is written again, and read again as the same.
fn check(file: &[u8]) {
    let Ok(network) = Network::read(file) else { return };
    let mut written = Vec::new();
    network.write(&mut written).expect("a vector takes everything");
    assert_eq!(Network::read(written.as_slice()).expect("our own file"), network);
    for storage in [Storage::F16, Storage::I8] {
        let mut rounded = Vec::new();
        if network.write_as(&mut rounded, storage).is_ok() {
            Network::read(rounded.as_slice()).expect("our own file");
        }
    }
    let prediction = network.predict(&vec![0.5; network.inputs()]);
    assert_eq!(prediction.probabilities().len(), network.classes());
}
