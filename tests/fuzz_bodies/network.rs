//! A network for pictures, small so that it does not take the time.

use std::sync::OnceLock;

use digit_recognizer::{Activation, Network};

pub(crate) fn network() -> &'static Network {
    static NETWORK: OnceLock<Network> = OnceLock::new();
    NETWORK.get_or_init(|| Network::new(&[784, 16, 10], Activation::Relu, 1).expect("sizes"))
}
