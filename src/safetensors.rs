//! A network as safetensors, the format in which models are shared.
//!
//! | bytes | type | content |
//! |---|---|---|
//! | 8 | u64 | n, little-endian, at most [`MAX_HEADER_LEN`] |
//! | n | text | the header, JSON, with spaces at its end |
//! | the rest | | the tensors' values, without gaps |
//!
//! The tensors are those of a PyTorch module with a list `layers` of `Linear`; l counts
//! from 0:
//!
//! | name | dtype | shape |
//! |---|---|---|
//! | `layers.l.weight` | `F32` | \[outputs, inputs\] |
//! | `layers.l.bias` | `F32` | \[outputs\] |
//!
//! What they do not say is in the header's `__metadata__`: `activations`, a name for
//! each layer with commas between (`relu,relu,linear`), `temperature`, a number, and
//! `preprocessing`, which is `mnist`. Where one is missing, as in files of other
//! programs, hidden layers are ReLU, the temperature is 1 and the preprocessing
//! MNIST's. Every bit of a network comes back.
//!
//! Memory is at most six times the bytes that were read, and 256 KiB.
//!
//! # Source
//! Hugging Face, *Safetensors: format*, <https://github.com/huggingface/safetensors>.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::Path;

use crate::activation::Activation;
use crate::atomic_file;
use crate::dense::Dense;
use crate::error::{Error, Format, Result, shown};
use crate::matrix::Matrix;
use crate::network::{Network, Preprocessing, TEMPERATURE, is_temperature};

mod header;

use header::{Header, Tensor, quoted};

/// The most bytes that a header may have: several times what 256 layers need.
pub const MAX_HEADER_LEN: u64 = 1 << 17;

/// More layers than a dense network has any use for, as in a weights file.
const MAX_LAYERS: usize = 256;

const FORMAT: Format = Format("safetensors");

const ACTIVATIONS: [(&str, Activation); 4] = [
    ("linear", Activation::Linear),
    ("relu", Activation::Relu),
    ("tanh", Activation::Tanh),
    ("sigmoid", Activation::Sigmoid),
];
const PREPROCESSINGS: [(&str, Preprocessing); 1] = [("mnist", Preprocessing::Mnist)];

impl Network {
    /// Writes the network as [safetensors](crate::safetensors), every bit of it.
    ///
    /// ```
    /// use digit_recognizer::{Activation, Network};
    ///
    /// let network = Network::new(&[784, 16, 10], Activation::Tanh, 1)?;
    /// let mut file = Vec::new();
    /// network.write_safetensors(&mut file)?;
    /// assert_eq!(Network::read_safetensors(file.as_slice())?, network);
    /// # Ok::<(), digit_recognizer::Error>(())
    /// ```
    ///
    /// # Errors
    /// - [`Error::Io`] if the writer fails
    /// - [`Error::Unsupported`] if the network has more than 256 layers
    pub fn write_safetensors(&self, writer: impl Write) -> Result<()> {
        let layers = self.layers();
        if layers.len() > MAX_LAYERS {
            return Err(FORMAT.unsupported(
                "the network",
                format!("at most {MAX_LAYERS} layers"),
                layers.len().to_string(),
            ));
        }
        let mut writer = BufWriter::new(writer);
        let header = written_header(self);
        writer.write_all(&(header.len() as u64).to_le_bytes())?;
        writer.write_all(header.as_bytes())?;
        for layer in layers {
            for value in layer.weights().transposed().as_slice().iter().chain(layer.bias()) {
                writer.write_all(&value.to_le_bytes())?;
            }
        }
        Ok(writer.flush()?)
    }

    /// Reads a network from [safetensors](crate::safetensors), to the end of the
    /// reader.
    ///
    /// # Errors
    /// - [`Error::Io`] if the reader fails
    /// - [`Error::Malformed`] if the bytes break the format
    /// - [`Error::Unsupported`] if a tensor is not of `F32`, or the header is longer
    ///   than [`MAX_HEADER_LEN`] or names an unknown activation or preprocessing
    /// - [`Error::Mismatch`] if the tensors are not a network: one is missing or of
    ///   another name, shapes do not fit, or a number is not finite
    pub fn read_safetensors(mut reader: impl Read) -> Result<Self> {
        let Header { metadata, tensors } = read_header(&mut reader)?;
        let shapes = layer_shapes(&tensors)?;
        let count = shapes.len();
        let activations = match metadata.get("activations") {
            Some(names) => parse_activations(names, count)?,
            None => {
                let mut activations = vec![Activation::Relu; count];
                activations[count - 1] = Activation::Linear;
                activations
            }
        };
        let preprocessing =
            metadata.get("preprocessing").map_or(Ok(Preprocessing::Mnist), |name| {
                meaning_of(&PREPROCESSINGS, name).ok_or_else(|| {
                    FORMAT.unsupported(
                        "preprocessing in __metadata__",
                        "mnist",
                        shown(name.as_bytes()),
                    )
                })
            })?;
        let temperature = metadata.get("temperature").map_or(Ok(1.0), |text| {
            text.parse().ok().filter(|&value| is_temperature(value)).ok_or_else(|| {
                FORMAT.malformed("temperature in __metadata__", TEMPERATURE, shown(text.as_bytes()))
            })
        })?;

        let mut values = read_values(&mut reader, &tensors)?;
        let layers = shapes.into_iter().zip(activations).enumerate();
        let layers = layers.map(|(index, ((outputs, inputs), activation))| {
            let mut take =
                |name: &str| values.remove(&format!("layers.{index}.{name}")).unwrap_or_default();
            let weights = Matrix::from_vec(outputs, inputs, take("weight")).transposed();
            Dense::new(weights, take("bias"), activation)
        });
        Self::from_layers(layers.collect())?
            .with_preprocessing(preprocessing)
            .with_temperature(temperature)
    }

    /// Saves the network as [safetensors](crate::safetensors): the whole file, or
    /// none.
    ///
    /// # Errors
    /// [`Error::File`] with the path, around the errors of
    /// [`write_safetensors`](Self::write_safetensors).
    pub fn save_safetensors(&self, path: impl AsRef<Path>) -> Result<()> {
        atomic_file::save(path.as_ref(), |file| self.write_safetensors(file))
    }

    /// Loads a network from a file of [safetensors](crate::safetensors).
    ///
    /// # Errors
    /// [`Error::File`] with the path, around the errors of
    /// [`read_safetensors`](Self::read_safetensors).
    pub fn load_safetensors(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let load = || Self::read_safetensors(BufReader::new(File::open(path)?));
        load().map_err(|error: Error| error.in_file(path))
    }
}

/// The header for a network, with spaces so that the values begin at a multiple of 8.
fn written_header(network: &Network) -> String {
    let layers = network.layers();
    let activations: Vec<&str> =
        layers.iter().map(|layer| name_of(&ACTIVATIONS, layer.activation())).collect();
    let mut header = format!(
        "{{\"__metadata__\":{{\"format\":\"pt\",\"activations\":{},\"preprocessing\":{},\
         \"temperature\":\"{}\"}}",
        quoted(&activations.join(",")),
        quoted(name_of(&PREPROCESSINGS, network.preprocessing())),
        network.temperature(),
    );
    let mut start = 0;
    for (index, layer) in layers.iter().enumerate() {
        let (inputs, outputs) = (layer.inputs(), layer.outputs());
        let tensors = [
            ("weight", format!("[{outputs},{inputs}]"), inputs * outputs),
            ("bias", format!("[{outputs}]"), outputs),
        ];
        for (name, shape, count) in tensors {
            let end = start + 4 * count as u64;
            header += &format!(
                ",\"layers.{index}.{name}\":{{\"dtype\":\"F32\",\"shape\":{shape},\
                 \"data_offsets\":[{start},{end}]}}"
            );
            start = end;
        }
    }
    header.push('}');
    let padded = header.len().next_multiple_of(8);
    format!("{header:<padded$}")
}

fn read_header(reader: &mut impl Read) -> Result<Header> {
    let mut length = Vec::new();
    reader.by_ref().take(8).read_to_end(&mut length)?;
    let Ok(length) = length.as_slice().try_into().map(u64::from_le_bytes) else {
        let found = format!("the end after {}", length.len());
        return Err(FORMAT.malformed("byte 0 (length of the header)", "8 bytes", found));
    };
    if length > MAX_HEADER_LEN {
        let expected = format!("at most {MAX_HEADER_LEN}");
        let at = "byte 0 (length of the header)";
        return Err(FORMAT.unsupported(at, expected, length.to_string()));
    }
    let mut header = Vec::new();
    reader.take(length).read_to_end(&mut header)?;
    if header.len() as u64 != length {
        let found = format!("the end after {}", header.len());
        return Err(FORMAT.malformed("byte 8 (header)", format!("{length} bytes"), found));
    }
    let wrong = |at: usize| {
        let found = match &header[at..] {
            [] => "the end of the header".to_owned(),
            rest => shown(rest),
        };
        FORMAT.malformed(format!("byte {} (header)", 8 + at), "the JSON of tensors", found)
    };
    let text = str::from_utf8(&header).map_err(|error| wrong(error.valid_up_to()))?;
    if !text.starts_with('{') {
        return Err(wrong(0));
    }
    Header::parse(text).map_err(wrong)
}

type Tensors = BTreeMap<String, Tensor>;

/// The (outputs, inputs) of each layer, whose tensors are all there, and no others.
fn layer_shapes(tensors: &Tensors) -> Result<Vec<(usize, usize)>> {
    let mut shapes = Vec::new();
    let mut names = 0;
    while shapes.is_empty() || names < tensors.len() {
        let index = shapes.len();
        if index == MAX_LAYERS {
            let expected = format!("at most {MAX_LAYERS} layers");
            return Err(FORMAT.unsupported("the header", expected, "more"));
        }
        let find = |name: &str| {
            let name = format!("layers.{index}.{name}");
            let tensor = tensors.get(&name).ok_or_else(|| Error::Mismatch {
                what: "tensors of a safetensors file",
                expected: name.clone(),
                found: other_names(tensors, index),
            })?;
            Ok::<_, Error>((tensor_shape(&name, tensor)?, name))
        };
        let ((weight, name), (bias, bias_name)) = (find("weight")?, find("bias")?);
        let [outputs, inputs] = weight[..] else {
            return Err(FORMAT.unsupported(
                &name,
                "shape [outputs, inputs]",
                format!("{weight:?}"),
            ));
        };
        if bias != [outputs] {
            return Err(Error::Mismatch {
                what: "weights and bias of a layer",
                expected: format!("shape [{outputs}] of {bias_name}"),
                found: format!("{bias:?}"),
            });
        }
        shapes.push((outputs, inputs));
        names += 2;
    }
    Ok(shapes)
}

/// What a file has in place of a layer's tensors.
fn other_names(tensors: &Tensors, layers: usize) -> String {
    let is_known = |name: &str| {
        (0..=layers).any(|index| {
            name == format!("layers.{index}.weight") || name == format!("layers.{index}.bias")
        })
    };
    match tensors.keys().find(|name| !is_known(name)) {
        Some(name) => shown(name.as_bytes()),
        None => "none".to_owned(),
    }
}

/// The shape of a tensor of `F32`, whose place has as many bytes.
fn tensor_shape(name: &str, tensor: &Tensor) -> Result<Vec<usize>> {
    if tensor.dtype != "F32" {
        return Err(FORMAT.unsupported(name, "dtype F32", shown(tensor.dtype.as_bytes())));
    }
    let (start, end) = tensor.offsets;
    let bytes = tensor.shape.iter().try_fold(4_u64, |bytes, &size| bytes.checked_mul(size));
    if bytes.is_none() || end.checked_sub(start) != bytes {
        let expected = match bytes {
            Some(bytes) => format!("{bytes} bytes for shape {:?}", tensor.shape),
            None => format!("fewer elements than shape {:?}", tensor.shape),
        };
        return Err(FORMAT.malformed(name, expected, format!("data_offsets [{start}, {end}]")));
    }
    let sizes = tensor.shape.iter().map(|&size| usize::try_from(size));
    sizes.collect::<std::result::Result<_, _>>().map_err(|_| {
        FORMAT.unsupported(name, "sizes that the memory can have", format!("{:?}", tensor.shape))
    })
}

/// Reads the values of each tensor, in the order of their places, to the end.
fn read_values(reader: &mut impl Read, tensors: &Tensors) -> Result<BTreeMap<String, Vec<f32>>> {
    let mut places: Vec<(&String, (u64, u64))> =
        tensors.iter().map(|(name, tensor)| (name, tensor.offsets)).collect();
    places.sort_by_key(|&(_, offsets)| offsets);
    let mut position = 0;
    let mut values = BTreeMap::new();
    for (name, (start, end)) in places {
        if start != position {
            let expected = format!("data_offsets from {position}, where the last tensor ends");
            return Err(FORMAT.malformed(name, expected, start.to_string()));
        }
        values.insert(name.clone(), read_floats(reader, end - start, name)?);
        position = end;
    }
    if reader.take(1).read_to_end(&mut Vec::new())? > 0 {
        return Err(FORMAT.malformed("end", "nothing after the last tensor", "more bytes"));
    }
    Ok(values)
}

/// Reads so many bytes as numbers, so that memory grows with what is read.
fn read_floats(reader: &mut impl Read, length: u64, name: &str) -> Result<Vec<f32>> {
    let mut values = Vec::new();
    let mut block = Vec::new();
    let mut left = length;
    while left > 0 {
        block.clear();
        let wanted = left.min(1 << 16);
        reader.take(wanted).read_to_end(&mut block)?;
        if block.len() as u64 != wanted {
            let found = format!("the end after {}", length - left + block.len() as u64);
            return Err(FORMAT.malformed(name, format!("{length} bytes"), found));
        }
        values.extend(block.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)));
        left -= wanted;
    }
    Ok(values)
}

/// The activation of each layer from their names.
fn parse_activations(names: &str, count: usize) -> Result<Vec<Activation>> {
    let at = "activations in __metadata__";
    let activations = names.split(',').map(|name| {
        meaning_of(&ACTIVATIONS, name).ok_or_else(|| {
            FORMAT.unsupported(at, "linear, relu, tanh or sigmoid", shown(name.as_bytes()))
        })
    });
    let activations = activations.collect::<Result<Vec<_>>>()?;
    match activations.len() == count {
        true => Ok(activations),
        false => Err(FORMAT.malformed(
            at,
            format!("{count} names"),
            format!("{} names", activations.len()),
        )),
    }
}

fn name_of<M: PartialEq>(table: &[(&'static str, M)], meaning: M) -> &'static str {
    let entry = table.iter().find(|entry| entry.1 == meaning);
    entry.expect("every meaning has its name in the table").0
}

fn meaning_of<M: Copy>(table: &[(&str, M)], name: &str) -> Option<M> {
    table.iter().find(|entry| entry.0 == name).map(|entry| entry.1)
}
