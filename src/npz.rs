//! A network as NumPy's `.npz`: a ZIP archive of `.npy` arrays.
//!
//! The members are those of a network kept in NumPy with samples as columns,
//! where layer l computes `A = relu(W_l · X + b_l)`, and the last one
//! `softmax(W_L · X + b_L)`:
//!
//! | member | shape | dtype | meaning |
//! |---|---|---|---|
//! | `W1.npy` | (outputs, inputs) | `<f8` | the weights of the first layer |
//! | `b1.npy` | (outputs, 1) | `<f8` | its bias |
//! | `W2.npy`, `b2.npy`, … | | | the same for each further layer |
//!
//! This is what is written: stored, in C order, as `np.savez` does it, so that
//! `np.load` reads it without pickle. Only networks whose hidden layers are
//! [`Activation::Relu`] can be written, because no member names an activation.
//! The last layer is written divided by the [temperature](Network::temperature),
//! so that the probabilities stay; read again, the network has temperature 1.
//!
//! # What is read
//! - Stored and deflated members, with or without zip64; NPY versions 1, 2, 3.
//! - `float64`, `float32`, `float16` and integers of 1 to 8 bytes, in either byte
//!   order; C or Fortran order.
//! - A bias of shape (n,), (n, 1) or (1, n).
//! - Weights as (outputs, inputs), or all of them as (inputs, outputs): the first
//!   matrix that is not square shows which, as its bias has a value for each
//!   output. If all are square, they are (outputs, inputs).
//! - Members of other names are left alone, and not decompressed.
//!
//! Everything else is refused, including objects (they are pickles, which can
//! run code) and numbers that are not finite as `f32`.
//!
//! # Limits
//! A file has at most [`MAX_FILE_LEN`] bytes, and a network at most
//! [`MAX_PARAMETERS`] weights and biases. Memory grows with what is read, not with
//! what a header claims; from a member, no more is decompressed than its shape
//! says and one byte. At most it is six times the file's bytes, for compressed
//! members 36 bytes a weight on top, and 256 KiB.
//!
//! # Source
//! - NumPy Enhancement Proposal 1, *A simple file format for NumPy arrays*, and
//!   the documentation of `numpy.lib.format`
//! - PKWARE, *APPNOTE.TXT: .ZIP File Format Specification*, version 6.3.10

use std::fs::File;
use std::io::{Read, Write};
use std::path::Path;

use crate::activation::Activation;
use crate::atomic_file;
use crate::dense::Dense;
use crate::error::{Error, Format, Result, shown};
use crate::matrix::Matrix;
use crate::network::Network;

mod archive;
mod header;
mod npy;

/// The most weights and biases that a network in a file may have: 128 MiB as
/// `float64`, and more than the 12 million of the largest dense network that was
/// published for MNIST (Cireşan and others, *Deep, big, simple neural nets*, Neural
/// Computation 2010). Bounds what a small file can decompress to.
pub const MAX_PARAMETERS: usize = 1 << 24;

/// The most bytes that a file may have: room for the largest network and 16 MiB of
/// headers and other members.
pub const MAX_FILE_LEN: u64 = 8 * MAX_PARAMETERS as u64 + (16 << 20);

const FORMAT: Format = Format("npz");

impl Network {
    /// Reads a network from [NumPy's `.npz`](crate::npz), to the end of the
    /// reader. It has the default preprocessing.
    ///
    /// ```
    /// use std::io::Cursor;
    ///
    /// use digit_recognizer::{Activation, Network};
    ///
    /// let network = Network::new(&[784, 16, 10], Activation::Relu, 1)?;
    /// let mut file = Cursor::new(Vec::new());
    /// network.write_npz(&mut file)?;
    /// file.set_position(0);
    /// assert_eq!(Network::read_npz(file)?, network);
    /// # Ok::<(), digit_recognizer::Error>(())
    /// ```
    ///
    /// # Errors
    /// - [`Error::Io`] if the reader fails
    /// - [`Error::Malformed`] if the bytes break the rules of ZIP or NPY
    /// - [`Error::Unsupported`] if a member is not of a kind that is
    ///   [read](crate::npz#what-is-read), or a [limit](crate::npz#limits) is passed
    /// - [`Error::Mismatch`] if the arrays are not a network: one is missing, shapes
    ///   do not fit, or a number is not finite
    pub fn read_npz(reader: impl Read) -> Result<Self> {
        let mut file = Vec::new();
        let mut reader = reader.take(MAX_FILE_LEN + 1);
        // What does not begin as an archive is not read to its end.
        reader.by_ref().take(2).read_to_end(&mut file)?;
        if file != *b"PK" {
            return Err(FORMAT.malformed(
                "byte 0",
                "a ZIP archive, which begins with \"PK\"",
                shown(&file),
            ));
        }
        reader.read_to_end(&mut file)?;
        if file.len() as u64 > MAX_FILE_LEN {
            return Err(FORMAT.unsupported(
                format!("byte {MAX_FILE_LEN}"),
                "the end of the file",
                "more",
            ));
        }
        Self::from_layers(dense_layers(archive::read(&file)?)?)
    }

    /// Reads a network from a file of [NumPy's `.npz`](crate::npz).
    ///
    /// ```no_run
    /// use digit_recognizer::Network;
    ///
    /// let network = Network::load_npz("model_weights.npz")?;
    /// # Ok::<(), digit_recognizer::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::File`] with the path and one of [`read_npz`](Self::read_npz)'s.
    pub fn load_npz(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let load = || Self::read_npz(File::open(path)?);
        load().map_err(|error| error.in_file(path))
    }

    /// Writes the network as [NumPy's `.npz`](crate::npz).
    ///
    /// ```
    /// use digit_recognizer::{Activation, Network};
    ///
    /// let network = Network::new(&[784, 16, 10], Activation::Relu, 1)?;
    /// let mut file = Vec::new();
    /// network.write_npz(&mut file)?;
    /// assert!(file.starts_with(b"PK"));
    /// # Ok::<(), digit_recognizer::Error>(())
    /// ```
    ///
    /// # Errors
    /// - [`Error::Io`] if the writer fails
    /// - [`Error::Unsupported`] if a hidden layer is not [`Activation::Relu`], the
    ///   network has more than [`MAX_PARAMETERS`] weights and biases, or its last
    ///   layer cannot be divided by the temperature
    pub fn write_npz(&self, writer: impl Write) -> Result<()> {
        self.check_npz()?;
        let last = self.last_layer_at_temperature_1()?;
        let mut layers: Vec<&Dense> = self.layers().iter().collect();
        layers.pop();
        layers.push(&last);
        archive::write(&layers, writer)
    }

    /// Saves the network as [NumPy's `.npz`](crate::npz). Whoever looks at `path`,
    /// even after a crash, finds the old file or the new one, each whole.
    ///
    /// ```no_run
    /// use digit_recognizer::{Activation, Network};
    ///
    /// let network = Network::new(&[784, 16, 10], Activation::Relu, 1)?;
    /// network.save_npz("model_weights.npz")?;
    /// # Ok::<(), digit_recognizer::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::File`] with the path and one of [`write_npz`](Self::write_npz)'s.
    pub fn save_npz(&self, path: impl AsRef<Path>) -> Result<()> {
        atomic_file::save(path.as_ref(), |writer| self.write_npz(writer))
    }

    /// The last layer with logits that are already divided by the temperature, for
    /// which the format has no place.
    fn last_layer_at_temperature_1(&self) -> Result<Dense> {
        let last = &self.layers()[self.layers().len() - 1];
        let divided =
            |values: &[f32]| values.iter().map(|value| value / self.temperature()).collect();
        let weights: Vec<f32> = divided(last.weights().as_slice());
        let bias: Vec<f32> = divided(last.bias());
        if let Some(value) = weights.iter().chain(&bias).find(|value| !value.is_finite()) {
            return Err(FORMAT.unsupported(
                "the last layer, divided by the temperature",
                "finite numbers",
                value.to_string(),
            ));
        }
        let weights = Matrix::from_vec(last.inputs(), last.outputs(), weights);
        Ok(Dense::new(weights, bias, last.activation()))
    }

    /// Whether the format can express this network, and the limits let it be
    /// read again.
    fn check_npz(&self) -> Result<()> {
        let hidden = &self.layers()[..self.layers().len() - 1];
        let other = hidden.iter().position(|layer| layer.activation() != Activation::Relu);
        if let Some(index) = other {
            return Err(FORMAT.unsupported(
                format!("layer {}", index + 1),
                "Relu, the activation that the format implies",
                format!("{:?}", hidden[index].activation()),
            ));
        }
        if self.parameter_count() > MAX_PARAMETERS {
            return Err(FORMAT.unsupported(
                "the network",
                format!("at most {MAX_PARAMETERS} weights and biases"),
                self.parameter_count().to_string(),
            ));
        }
        Ok(())
    }
}

/// Layers with weights as (inputs, outputs), whichever way the file has them.
fn dense_layers(layers: Vec<(Matrix, Vec<f32>)>) -> Result<Vec<Dense>> {
    // A file has one convention: a square matrix does not show it, the others do.
    let inputs_first = layers
        .iter()
        .find(|(weights, _)| weights.rows() != weights.cols())
        .is_some_and(|(weights, bias)| weights.cols() == bias.len());
    let count = layers.len();
    let dense = layers.into_iter().enumerate().map(|(index, (weights, bias))| {
        let number = index + 1;
        let shape = (weights.rows(), weights.cols());
        let weights = if inputs_first { weights } else { weights.transposed() };
        if weights.cols() != bias.len() {
            let order = if inputs_first { "(inputs, outputs)" } else { "(outputs, inputs)" };
            return Err(Error::Mismatch {
                what: "weights and bias of a layer",
                expected: format!(
                    "W{number}.npy as {order} with {} outputs, as b{number}.npy has",
                    bias.len()
                ),
                found: format!("{shape:?}"),
            });
        }
        let last = number == count;
        let activation = if last { Activation::Linear } else { Activation::Relu };
        Ok(Dense::new(weights, bias, activation))
    });
    dense.collect()
}
