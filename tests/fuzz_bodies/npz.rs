//! Any bytes as an .npz, and as an array within a good one.

use digit_recognizer::Network;

use crate::builder::{archive, deflated, float64, npy_with_header, stored};

pub(crate) fn run(data: &[u8]) {
    let Some((mode, data)) = data.split_first() else { return };
    let bias = stored("b1.npy", &float64("(2,)", &[7.0, 8.0]));
    let file = match mode % 4 {
        0 => data.to_vec(),
        1 => archive(&[stored("W1.npy", data), bias]),
        2 => archive(&[deflated("W1.npy", data), bias]),
        // A header of any text before six numbers of eight bytes.
        _ => {
            let header = String::from_utf8_lossy(data);
            let header = header.get(..60_000).unwrap_or(&header);
            archive(&[stored("W1.npy", &npy_with_header(1, header, &[0; 48])), bias])
        }
    };
    let Ok(network) = Network::read_npz(file.as_slice()) else { return };
    let mut written = Vec::new();
    network.write_npz(&mut written).expect("a network that an .npz held");
    assert_eq!(Network::read_npz(written.as_slice()).expect("our own file"), network);
}
