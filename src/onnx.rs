//! A network as ONNX, for other runtimes and for servers of models.
//!
//! The graph takes `images`, (N, inputs) of `float`, each value 0 (paper) to 1 (ink),
//! and gives `probabilities`, (N, classes). N is any number. With L layers its nodes
//! are
//!
//! | node | inputs | of layer |
//! |---|---|---|
//! | `Gemm` | the values before, `weights.l` as (inputs, outputs), `bias.l` | each |
//! | `Relu`, `Tanh`, `Sigmoid` | | those with such an activation |
//! | `Div` | the logits, `temperature` | where the [temperature](Network::temperature) is not 1 |
//! | `Softmax` | | after the last |
//!
//! The file is of ONNX's operator set 13 (2020) and IR version 7, written by hand.
//! It is one way: a network is kept in a [weights file](crate::weights). Sums are
//! taken in another order elsewhere, so that the probabilities are the same but for
//! rounding: those of onnxruntime differ by less than 10⁻⁵.
//!
//! # Source
//! ONNX, *Open Neural Network Exchange Intermediate Representation Specification*,
//! and `onnx.proto`, whose numbers of fields these are.

use std::io::{BufWriter, Write};
use std::path::Path;

use crate::activation::Activation;
use crate::atomic_file;
use crate::dense::Dense;
#[cfg(doc)]
use crate::error::Error;
use crate::error::{Format, Result};
use crate::network::Network;

mod protobuf;

use protobuf::Message;

const FORMAT: Format = Format("ONNX");

/// `float` in ONNX's list of element types.
const FLOAT: u64 = 1;

/// The most bytes that a message may have, by the rules of Protocol Buffers.
const MAX_LEN: u64 = (1 << 31) - 1;

impl Network {
    /// Writes the network as an [ONNX](crate::onnx) model.
    ///
    /// ```
    /// use digit_recognizer::{Activation, Network};
    ///
    /// let network = Network::new(&[784, 16, 10], Activation::Relu, 1)?;
    /// let mut file = Vec::new();
    /// network.write_onnx(&mut file)?;
    /// assert!(file.len() > 4 * network.parameter_count());
    /// # Ok::<(), digit_recognizer::Error>(())
    /// ```
    ///
    /// # Errors
    /// - [`Error::Io`] if the writer fails
    /// - [`Error::Unsupported`] if the file would have 2 GiB or more
    pub fn write_onnx(&self, writer: impl Write) -> Result<()> {
        let before = graph_before_tensors(self);
        let tensors: Vec<Tensor<'_>> = self.layers().iter().enumerate().flat_map(tensors).collect();
        let temperature = [self.temperature()];
        let temperature =
            (self.temperature() != 1.0).then(|| Tensor::new("temperature", &[], &temperature));
        let tensors: Vec<Tensor<'_>> = tensors.into_iter().chain(temperature).collect();
        let after = graph_after_tensors(self);

        let length = before.len() as u64
            + tensors.iter().map(|tensor| tensor.len()).sum::<u64>()
            + after.len() as u64;
        let mut model = model_before_graph();
        model.start(7, length);
        let model = model.into_bytes();
        if model.len() as u64 + length > MAX_LEN {
            return Err(FORMAT.unsupported(
                "the network",
                format!("at most {MAX_LEN} bytes"),
                format!("{} weights and biases", self.parameter_count()),
            ));
        }
        let mut writer = BufWriter::new(writer);
        writer.write_all(&model)?;
        writer.write_all(&before)?;
        for tensor in tensors {
            writer.write_all(&tensor.head)?;
            for value in tensor.values {
                writer.write_all(&value.to_le_bytes())?;
            }
        }
        writer.write_all(&after)?;
        Ok(writer.flush()?)
    }

    /// Saves the network as an [ONNX](crate::onnx) model: the whole file, or none.
    ///
    /// # Errors
    /// [`Error::File`] with the path, around the errors of
    /// [`write_onnx`](Self::write_onnx).
    pub fn save_onnx(&self, path: impl AsRef<Path>) -> Result<()> {
        atomic_file::save(path.as_ref(), |file| self.write_onnx(file))
    }
}

/// A `TensorProto` as a field of the graph: what comes before its values, and them.
struct Tensor<'a> {
    head: Vec<u8>,
    values: &'a [f32],
}

impl<'a> Tensor<'a> {
    fn new(name: &str, sizes: &[usize], values: &'a [f32]) -> Self {
        let mut tensor = Message::default();
        for &size in sizes {
            tensor = tensor.number(1, size as u64);
        }
        tensor = tensor.number(2, FLOAT).text(8, name);
        let bytes = 4 * values.len() as u64;
        tensor.start(9, bytes);
        let tensor = tensor.into_bytes();
        let mut head = Message::default();
        head.start(5, tensor.len() as u64 + bytes);
        Self { head: [head.into_bytes(), tensor].concat(), values }
    }

    fn len(&self) -> u64 {
        self.head.len() as u64 + 4 * self.values.len() as u64
    }
}

/// The weights and the bias of a layer, with its number.
fn tensors((index, layer): (usize, &Dense)) -> [Tensor<'_>; 2] {
    let (inputs, outputs) = (layer.inputs(), layer.outputs());
    let number = index + 1;
    [
        Tensor::new(&format!("weights.{number}"), &[inputs, outputs], layer.weights().as_slice()),
        Tensor::new(&format!("bias.{number}"), &[outputs], layer.bias()),
    ]
}

/// The fields of a `ModelProto` but its graph.
fn model_before_graph() -> Message {
    let operators = Message::default().text(1, "").number(2, 13);
    Message::default()
        .number(1, 7)
        .text(2, "digit-recognizer")
        .text(3, env!("CARGO_PKG_VERSION"))
        .message(8, &operators)
}

/// The nodes and the name of a `GraphProto`.
fn graph_before_tensors(network: &Network) -> Vec<u8> {
    let mut graph = Message::default();
    let mut last = "images".to_owned();
    let mut push = |operator: &str, others: &[String], output: String| {
        let mut node = Message::default().text(1, &last);
        for input in others {
            node = node.text(1, input);
        }
        node = node.text(2, &output).text(3, &output).text(4, operator);
        if operator == "Softmax" {
            // An attribute of the type INT: along the classes.
            let axis = Message::default().text(1, "axis").number(3, 1).number(20, 2);
            node = node.message(5, &axis);
        }
        graph = std::mem::take(&mut graph).message(1, &node);
        last = output;
    };
    for (index, layer) in network.layers().iter().enumerate() {
        let number = index + 1;
        let parameters = [format!("weights.{number}"), format!("bias.{number}")];
        push("Gemm", &parameters, format!("sums.{number}"));
        let operator = match layer.activation() {
            Activation::Linear => continue,
            Activation::Relu => "Relu",
            Activation::Tanh => "Tanh",
            Activation::Sigmoid => "Sigmoid",
        };
        push(operator, &[], format!("outputs.{number}"));
    }
    if network.temperature() != 1.0 {
        push("Div", &["temperature".to_owned()], "logits".to_owned());
    }
    push("Softmax", &[], "probabilities".to_owned());
    graph.text(2, "digits").into_bytes()
}

/// The inputs and outputs of a `GraphProto`.
fn graph_after_tensors(network: &Network) -> Vec<u8> {
    let value = |name: &str, columns: usize| {
        let any = Message::default().text(2, "N");
        let columns = Message::default().number(1, columns as u64);
        let shape = Message::default().message(1, &any).message(1, &columns);
        let tensor = Message::default().number(1, FLOAT).message(2, &shape);
        let kind = Message::default().message(1, &tensor);
        Message::default().text(1, name).message(2, &kind)
    };
    Message::default()
        .message(11, &value("images", network.inputs()))
        .message(12, &value("probabilities", network.classes()))
        .into_bytes()
}
