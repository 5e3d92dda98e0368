//! The model in the box.

use crate::network::Network;

impl Network {
    /// A trained digit network that needs no file.
    ///
    /// A dense network with ReLU, trained by `examples/recipe` on MNIST's training
    /// images, pen strokes, and images of no digit. `src/pretrained.md` is its card:
    /// data, recipe, accuracy and known failures. Decoding it takes some
    /// milliseconds: call this once and keep the network.
    ///
    /// ```
    /// use digit_recognizer::Network;
    ///
    /// assert_eq!(Network::pretrained().sizes(), [784, 1280, 1088, 512, 10]);
    /// ```
    #[allow(clippy::missing_panics_doc, reason = "a test reads the model in the box")]
    pub fn pretrained() -> Self {
        let file: &[u8] = include_bytes!("pretrained.digits");
        Self::read(file).expect("the model in the box is a weights file")
    }
}
