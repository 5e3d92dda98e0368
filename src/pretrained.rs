//! The model in the box.

use crate::network::Network;

impl Network {
    /// A trained digit network that needs no file.
    ///
    /// 784-256-10 with ReLU, trained by [`Network::train`] on the 60,000
    /// training images of MNIST; `CONTRIBUTING.md` has the command that makes
    /// it. Decoding it takes some milliseconds: call this once and keep the
    /// network.
    ///
    /// ```
    /// use digit_recognizer::Network;
    ///
    /// assert_eq!(Network::pretrained().sizes(), [784, 256, 10]);
    /// ```
    pub fn pretrained() -> Self {
        let file: &[u8] = include_bytes!("pretrained.digits");
        Self::read(file).expect("the model in the box is a weights file")
    }
}
