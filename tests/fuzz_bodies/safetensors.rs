//! Any bytes as safetensors, and any text as a header before good values.

use digit_recognizer::{Error, Network};

pub(crate) fn run(data: &[u8]) {
    check(data);
    let file = [&(data.len() as u64).to_le_bytes(), data, &[0; 68]].concat();
    check(&file);
}

/// What was read is written again, and read again as the same.
fn check(file: &[u8]) {
    match Network::read_safetensors(file) {
        Ok(network) => {
            let mut written = Vec::new();
            network.write_safetensors(&mut written).expect("a vector takes everything");
            let again = Network::read_safetensors(written.as_slice()).expect("our own file");
            assert_eq!(again, network);
            network.write_onnx(Vec::new()).expect("a vector takes everything");
        }
        Err(error) => assert!(!matches!(error, Error::Io(_)), "{error:?}"),
    }
}
